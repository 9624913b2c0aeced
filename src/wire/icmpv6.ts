// ICMPv6 (RFC 4443): echo and errors. Neighbour discovery (RFC 4861) has its place beside this file.

import { checksumOf } from '../base/checksum.ts';
import type { DropReason } from '../base/trace.ts';
import { put16 } from './bytes.ts';
import { ICMP_CHECKSUM_OFFSET, type IcmpMessage, parseIcmpWith, writeIcmp } from './icmp.ts';

/** Types, RFC 4443 §2.1. Errors are those below 128. */
export const ICMPV6_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
export const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
export const ICMPV6_ECHO = 128;
export const ICMPV6_ECHO_REPLY = 129;

/** Codes of `ICMPV6_UNREACHABLE`, RFC 4443 §3.1. */
export const UNREACHABLE6_NO_ROUTE = 0;
export const UNREACHABLE6_PROHIBITED = 1;
export const UNREACHABLE6_ADDRESS = 3;
export const UNREACHABLE6_PORT = 4;
/** Code of `ICMPV6_PARAMETER_PROBLEM`: next header not recognised, RFC 4443 §3.4. */
export const PARAMETER6_NEXT_HEADER = 1;

/**
 * Most octets of a packet that an error quotes. RFC 4443 §2.4 (c): the error must fit the minimum IPv6 MTU
 * of 1280 octets, and 48 of those are the IPv6 and ICMPv6 headers.
 */
export const ICMPV6_QUOTE_MAX = 1232;

/** True for the types that report an error, known or not (RFC 4443 §2.1). */
export function isIcmpv6Error(type: number): boolean {
  return type < 128;
}

/**
 * Reads the message in `bytes[from, to)` and verifies its checksum.
 *
 * @param pseudoSum of `pseudoSum6` with `PROTO_ICMPV6`, for `to - from` octets
 * @returns `null`, `'icmp-truncated'` or `'icmp-bad-checksum'`
 */
export function parseIcmpv6(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: IcmpMessage,
  pseudoSum: number,
): DropReason | null {
  return parseIcmpWith(bytes, from, to, into, pseudoSum);
}

/**
 * Computes and stores the checksum of the message in `out[at, at + length)`.
 *
 * @param pseudoSum of `pseudoSum6` with `PROTO_ICMPV6`, for `length` octets
 */
export function finishIcmpv6(out: Uint8Array, at: number, length: number, pseudoSum: number): void {
  put16(out, at + ICMP_CHECKSUM_OFFSET, 0);
  put16(out, at + ICMP_CHECKSUM_OFFSET, checksumOf(out, at, at + length, pseudoSum));
}

/**
 * Writes an echo message with `bytes[from, to)` as its data. `finishIcmpv6` must follow, since the checksum
 * includes the addresses.
 *
 * @param type `ICMPV6_ECHO` or `ICMPV6_ECHO_REPLY`
 * @param id identifier, 16 bits
 * @param seq sequence number, 16 bits
 * @returns the offset past the message
 */
export function writeIcmpv6Echo(
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
  return body + (to - from);
}

/**
 * Writes an error that quotes the front of the IPv6 packet `bytes[from, to)`, at most `ICMPV6_QUOTE_MAX`
 * octets of it. `finishIcmpv6` must follow.
 *
 * @param rest the MTU of "packet too big", the pointer of "parameter problem", 0 for the others
 * @returns the offset past the message
 */
export function writeIcmpv6Error(
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
  const quote = Math.min(to - from, ICMPV6_QUOTE_MAX);
  out.set(bytes.subarray(from, from + quote), body);
  return body + quote;
}
