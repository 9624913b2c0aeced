// ICMP for IPv4 (RFC 792): echo, and errors that quote the packet they are about.

import { checksumOf, fold, onesSum } from '../base/checksum.ts';
import type { DropReason } from '../base/trace.ts';
import { get16, get32, put16, put32 } from './bytes.ts';

/** Octets of the header: type, code, checksum and one word that the type gives a meaning. */
export const ICMP_HEADER = 8;
/** Offset of the checksum field in the header. */
export const ICMP_CHECKSUM_OFFSET = 2;

/** Types, RFC 792. */
export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_SOURCE_QUENCH = 4;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;

/** Codes of `ICMP_UNREACHABLE`, RFC 792 and RFC 1122 §3.2.2.1. */
export const UNREACHABLE_NET = 0;
export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;
export const UNREACHABLE_FRAGMENTATION_NEEDED = 4;

/**
 * Most octets of a packet that an error quotes. RFC 1812 §4.3.2.3: as much as fits in a datagram of 576
 * octets, and 28 of those are the IP and ICMP headers.
 */
export const ICMP_QUOTE_MAX = 548;

/** A parsed ICMP or ICMPv6 message. Reused: the parsers overwrite every field. */
export class IcmpMessage {
  type = 0;
  code = 0;
  /** The word behind the checksum, int32: `id` and `seq` of an echo, the MTU of "too big". */
  rest = 0;
  /** Its upper and lower half, 16 bits each. */
  id = 0;
  seq = 0;
  /** What follows the header, absolute offsets, half open: echo data, or the quoted packet. */
  bodyFrom = 0;
  bodyTo = 0;
}

/** True for the types that report an error: to those, no error is ever sent (RFC 1122 §3.2.2). */
export function isIcmpError(type: number): boolean {
  switch (type) {
    case ICMP_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
      return true;
    default:
      return false;
  }
}

/**
 * Reads the message in `bytes[from, to)` and verifies its checksum. Which types are served is up to `ip/`.
 *
 * @returns `null`, `'icmp-truncated'` or `'icmp-bad-checksum'`
 */
export function parseIcmp(bytes: Uint8Array, from: number, to: number, into: IcmpMessage): DropReason | null {
  return parseIcmpWith(bytes, from, to, into, 0);
}

/** What ICMP and ICMPv6 have in common: the same layout, summed from a different start. */
export function parseIcmpWith(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: IcmpMessage,
  pseudoSum: number,
): DropReason | null {
  if (to - from < ICMP_HEADER) return 'icmp-truncated';
  if (fold(onesSum(bytes, from, to, pseudoSum)) !== 0xffff) return 'icmp-bad-checksum';
  into.type = bytes[from]!;
  into.code = bytes[from + 1]!;
  into.rest = get32(bytes, from + 4);
  into.id = get16(bytes, from + 4);
  into.seq = get16(bytes, from + 6);
  into.bodyFrom = from + ICMP_HEADER;
  into.bodyTo = to;
  return null;
}

/**
 * Writes a header with a zero checksum at `out[at]`; the body and `finishIcmp` follow.
 *
 * @param rest the word behind the checksum, int32
 * @returns the offset past the header
 */
export function writeIcmp(out: Uint8Array, at: number, type: number, code: number, rest: number): number {
  out[at] = type;
  out[at + 1] = code;
  put16(out, at + ICMP_CHECKSUM_OFFSET, 0);
  put32(out, at + 4, rest);
  return at + ICMP_HEADER;
}

/** Computes and stores the checksum of the message in `out[at, at + length)`. */
export function finishIcmp(out: Uint8Array, at: number, length: number): void {
  put16(out, at + ICMP_CHECKSUM_OFFSET, 0);
  put16(out, at + ICMP_CHECKSUM_OFFSET, checksumOf(out, at, at + length, 0));
}

/**
 * Writes a whole echo message, checksum included, with `bytes[from, to)` as its data.
 *
 * @param type `ICMP_ECHO` or `ICMP_ECHO_REPLY`
 * @param id identifier, 16 bits
 * @param seq sequence number, 16 bits
 * @returns the offset past the message
 */
export function writeIcmpEcho(
  out: Uint8Array,
  at: number,
  type: number,
  id: number,
  seq: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  const body = writeIcmp(out, at, type, 0, (id << 16) | (seq & 0xffff));
  out.set(bytes.subarray(from, to), body);
  const end = body + (to - from);
  finishIcmp(out, at, end - at);
  return end;
}

/**
 * Writes a whole error message, checksum included, that quotes the front of the IP packet `bytes[from, to)`,
 * at most `ICMP_QUOTE_MAX` octets of it. Whether an error may be sent at all is decided elsewhere
 * (`ip/icmp-limits.ts`).
 *
 * @param rest the next-hop MTU of "fragmentation needed" (RFC 1191 §4); 0 for the others
 * @returns the offset past the message
 */
export function writeIcmpError(
  out: Uint8Array,
  at: number,
  type: number,
  code: number,
  rest: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  const body = writeIcmp(out, at, type, code, rest);
  const quote = Math.min(to - from, ICMP_QUOTE_MAX);
  out.set(bytes.subarray(from, from + quote), body);
  finishIcmp(out, at, ICMP_HEADER + quote);
  return body + quote;
}
