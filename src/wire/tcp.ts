// The TCP header and its options (RFC 9293 §3.1, §3.2; RFC 7323; RFC 2018): read into one reused
// `Segment`, written in place.
//
// Options are given as they stand on the wire: clamping a window scale, refusing an MSS of 0 or an option
// that does not belong on this segment is the business of `tcp/`, which knows the state and the profile.

import { checksumOf, fold, onesSum } from '../base/checksum.ts';
import type { PacketLender } from '../base/packet.ts';
import type { DropReason } from '../base/trace.ts';
import { get16, get32, put16, put32 } from './bytes.ts';

/** Header flags, RFC 9293 §3.1. */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;
export const ECE = 64;
export const CWR = 128;

/** Octets of a header without options. */
export const TCP_HEADER = 20;
/** Most octets of options a header can hold. */
export const TCP_MAX_OPTIONS = 40;
/** Offsets of the flags and of the checksum field in the header. */
export const TCP_FLAGS_OFFSET = 13;
export const TCP_CHECKSUM_OFFSET = 16;

/** Octets of each option, RFC 9293 §3.2, RFC 7323 §2.2 and §3.2, RFC 2018 §2. */
export const OPT_MSS_LENGTH = 4;
export const OPT_WSCALE_LENGTH = 3;
export const OPT_SACK_PERMITTED_LENGTH = 2;
export const OPT_TIMESTAMPS_LENGTH = 10;
/** What timestamps take of each segment: the option and the padding to 32 bits (RFC 7323 appendix A). */
export const TIMESTAMP_OCTETS = 12;
/** Octets of the cookie in a fast open option (RFC 7413 §4.1.1): none asks for one, otherwise an even number of these. */
export const FAST_OPEN_COOKIE_MIN = 4;
export const FAST_OPEN_COOKIE_MAX = 16;

const KIND_END = 0;
const KIND_NOP = 1;
const KIND_MSS = 2;
const KIND_WSCALE = 3;
const KIND_SACK_PERMITTED = 4;
const KIND_SACK = 5;
const KIND_TIMESTAMPS = 8;
const KIND_FAST_OPEN = 34;
/** NOP, NOP, timestamps, length 10: all the options of nearly every data segment (RFC 7323 appendix A). */
const NOP_NOP_TIMESTAMPS = 0x0101080a;

const NO_BYTES = new Uint8Array(0);

/**
 * A segment that came in. One is reused for all: `parseTcp` overwrites everything but the addressing,
 * `ecn` and `gsoSize`, which the ip layer fills. Nobody may keep it, or `bytes`, past the call.
 */
export class Segment {
  srcPort = 0;
  dstPort = 0;
  /** SEG.SEQ, int32. */
  seq = 0;
  /** SEG.ACK, int32; meaningful with the ACK flag. */
  ack = 0;
  /** FIN to CWR, 8 bits. */
  flags = 0;
  /** SEG.WND as on the wire, 16 bits, unscaled. */
  wnd = 0;
  /** Urgent pointer as on the wire, 16 bits. */
  urg = 0;
  /** Header octets, options included: 20 to 60. */
  dataOffset = 0;
  /** The packet, borrowed; the payload is `bytes[at, at + len)`. */
  bytes: Uint8Array = NO_BYTES;
  at = 0;
  /** Payload octets; `segLen` counts SYN and FIN as well. */
  len = 0;

  /** MSS option, 0 to 65535; -1 when absent. */
  mss = -1;
  /** Window scale option, 0 to 255, not clamped; -1 when absent. */
  wscale = -1;
  sackPermitted = false;
  hasTs = false;
  /** TSval and TSecr, int32; meaningful when `hasTs`. */
  tsVal = 0;
  tsEcr = 0;
  /** Octets of the cookie in a fast open option, 0 when it asks for one, -1 when absent; it stands at `bytes[cookieAt]`. */
  cookieLength = -1;
  cookieAt = 0;
  /** SACK blocks, 0 to 4; edges are int32 sequence numbers, as sent, unchecked. */
  sackCount = 0;
  readonly sackLeft: Int32Array = new Int32Array(4);
  readonly sackRight: Int32Array = new Int32Array(4);

  /** Addresses as words of `Address`; filled by the ip layer. */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** ECN codepoint of the IP header, 0 to 3; filled by the ip layer. */
  ecn = 0;
  /** Payload octets of each wire segment in a super-segment, 0 for an ordinary one; filled by the ip layer. */
  gsoSize = 0;
  /** Who gives `bytes` away, as the packet's descriptor says; filled by the ip layer. */
  lender: PacketLender | null = null;
}

/** SEG.LEN: payload octets, and one each for SYN and FIN (RFC 9293 §3.3.1). */
export function segLen(seg: Segment): number {
  // FIN is bit 0 and SYN bit 1.
  return seg.len + (seg.flags & FIN) + ((seg.flags >> 1) & 1);
}

/**
 * Reads the TCP segment in `bytes[from, to)`. The checksum is not looked at: see `verifyTcp`.
 *
 * @param into filled; after a reason its contents mean nothing
 * @returns `null`, or why the segment cannot be used
 */
export function parseTcp(bytes: Uint8Array, from: number, to: number, into: Segment): DropReason | null {
  if (to - from < TCP_HEADER) return 'tcp-truncated';
  const dataOffset = (bytes[from + 12]! >> 4) << 2;
  if (dataOffset < TCP_HEADER || dataOffset > to - from) return 'tcp-bad-data-offset';
  const srcPort = get16(bytes, from);
  const dstPort = get16(bytes, from + 2);
  if (srcPort === 0 || dstPort === 0) return 'tcp-port-zero';
  into.srcPort = srcPort;
  into.dstPort = dstPort;
  into.seq = get32(bytes, from + 4);
  into.ack = get32(bytes, from + 8);
  into.flags = bytes[from + 13]!;
  into.wnd = get16(bytes, from + 14);
  into.urg = get16(bytes, from + 18);
  into.dataOffset = dataOffset;
  into.bytes = bytes;
  into.at = from + dataOffset;
  into.len = to - from - dataOffset;
  into.mss = -1;
  into.wscale = -1;
  into.sackPermitted = false;
  into.hasTs = false;
  into.tsVal = 0;
  into.tsEcr = 0;
  into.sackCount = 0;
  into.cookieLength = -1;
  if (dataOffset === TCP_HEADER) return null;
  if (dataOffset === TCP_HEADER + 12 && get32(bytes, from + TCP_HEADER) === NOP_NOP_TIMESTAMPS) {
    readTimestamps(bytes, from + TCP_HEADER + 4, into);
  } else {
    parseOptions(bytes, from + TCP_HEADER, from + dataOffset, into);
  }
  return null;
}

/**
 * RFC 9293 §3.2: options of unknown kind are skipped by their length. A length below 2, or one that
 * reaches past the header, ends the reading; what was read before stays good (MUST-7: the segment is
 * processed). A known kind of the wrong length is skipped. Of two alike the later counts.
 */
function parseOptions(bytes: Uint8Array, from: number, end: number, into: Segment): void {
  let at = from;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === KIND_END) return;
    if (kind === KIND_NOP) {
      at++;
      continue;
    }
    if (at + 1 >= end) return;
    const length = bytes[at + 1]!;
    if (length < 2 || length > end - at) return;
    readOption(bytes, at, kind, length, into);
    at += length;
  }
}

/** One option of which all `length` octets are inside the header. */
function readOption(bytes: Uint8Array, at: number, kind: number, length: number, into: Segment): void {
  switch (kind) {
    case KIND_MSS:
      if (length === OPT_MSS_LENGTH) into.mss = get16(bytes, at + 2);
      return;
    case KIND_WSCALE:
      if (length === OPT_WSCALE_LENGTH) into.wscale = bytes[at + 2]!;
      return;
    case KIND_SACK_PERMITTED:
      if (length === OPT_SACK_PERMITTED_LENGTH) into.sackPermitted = true;
      return;
    case KIND_TIMESTAMPS:
      if (length === OPT_TIMESTAMPS_LENGTH) readTimestamps(bytes, at + 2, into);
      return;
    case KIND_FAST_OPEN: {
      const octets = length - 2;
      const sized = octets >= FAST_OPEN_COOKIE_MIN && octets <= FAST_OPEN_COOKIE_MAX && (octets & 1) === 0;
      if (octets !== 0 && !sized) return;
      into.cookieLength = octets;
      into.cookieAt = at + 2;
      return;
    }
    case KIND_SACK:
      // RFC 2018 §3: 8n + 2 octets, and 40 octets of options leave room for n = 4.
      if (length >= 10 && (length & 7) === 2) readSackBlocks(bytes, at + 2, (length - 2) >> 3, into);
      return;
  }
}

function readTimestamps(bytes: Uint8Array, at: number, into: Segment): void {
  into.hasTs = true;
  into.tsVal = get32(bytes, at);
  into.tsEcr = get32(bytes, at + 4);
}

function readSackBlocks(bytes: Uint8Array, at: number, count: number, into: Segment): void {
  into.sackCount = count;
  for (let i = 0; i < count; i++) {
    into.sackLeft[i] = get32(bytes, at + 8 * i);
    into.sackRight[i] = get32(bytes, at + 8 * i + 4);
  }
}

/**
 * True when the checksum of the segment in `bytes[from, to)` is right.
 *
 * @param pseudoSum of `pseudoSum4` or `pseudoSum6`, for `to - from` octets
 */
export function verifyTcp(bytes: Uint8Array, from: number, to: number, pseudoSum: number): boolean {
  return fold(onesSum(bytes, from, to, pseudoSum)) === 0xffff;
}

/**
 * Writes the 20 fixed octets at `out[at]`, with a zero checksum. Options and payload follow, then
 * `finishTcp` or `finishTcpPartial`.
 *
 * @param seq SEG.SEQ, int32
 * @param ack SEG.ACK, int32
 * @param wnd window field, 16 bits, already scaled
 * @param optionsLength octets of the options, a multiple of 4, 0 to 40
 * @returns the offset past the fixed octets, where options begin
 */
export function writeTcp(
  out: Uint8Array,
  at: number,
  srcPort: number,
  dstPort: number,
  seq: number,
  ack: number,
  flags: number,
  wnd: number,
  urg: number,
  optionsLength: number,
): number {
  put16(out, at, srcPort);
  put16(out, at + 2, dstPort);
  put32(out, at + 4, seq);
  put32(out, at + 8, ack);
  out[at + 12] = ((TCP_HEADER + optionsLength) >> 2) << 4;
  out[at + 13] = flags;
  put16(out, at + 14, wnd);
  put16(out, at + 16, 0);
  put16(out, at + 18, urg);
  return at + TCP_HEADER;
}

/** Gives a copy of a header at `out[at]` another sequence number, int32; `finishTcp` follows. */
export function numberTcp(out: Uint8Array, at: number, seq: number): void {
  put32(out, at + 4, seq);
}

/** Writes an MSS option of 4 octets; returns the offset past it. */
export function putMss(out: Uint8Array, at: number, mss: number): number {
  out[at] = KIND_MSS;
  out[at + 1] = OPT_MSS_LENGTH;
  put16(out, at + 2, mss);
  return at + OPT_MSS_LENGTH;
}

/** Writes a window scale option of 3 octets; returns the offset past it. */
export function putWscale(out: Uint8Array, at: number, shift: number): number {
  out[at] = KIND_WSCALE;
  out[at + 1] = OPT_WSCALE_LENGTH;
  out[at + 2] = shift;
  return at + OPT_WSCALE_LENGTH;
}

/** Writes a SACK-permitted option of 2 octets; returns the offset past it. */
export function putSackPermitted(out: Uint8Array, at: number): number {
  out[at] = KIND_SACK_PERMITTED;
  out[at + 1] = OPT_SACK_PERMITTED_LENGTH;
  return at + OPT_SACK_PERMITTED_LENGTH;
}

/** Writes a timestamps option of 10 octets, values int32; returns the offset past it. */
export function putTimestamps(out: Uint8Array, at: number, tsVal: number, tsEcr: number): number {
  out[at] = KIND_TIMESTAMPS;
  out[at + 1] = OPT_TIMESTAMPS_LENGTH;
  put32(out, at + 2, tsVal);
  put32(out, at + 6, tsEcr);
  return at + OPT_TIMESTAMPS_LENGTH;
}

/** Writes a SACK option of `2 + 8 * count` octets, `count` from 1 to 4; returns the offset past it. */
export function putSackBlocks(out: Uint8Array, at: number, left: Int32Array, right: Int32Array, count: number): number {
  out[at] = KIND_SACK;
  out[at + 1] = 2 + 8 * count;
  for (let i = 0; i < count; i++) {
    put32(out, at + 2 + 8 * i, left[i]!);
    put32(out, at + 6 + 8 * i, right[i]!);
  }
  return at + 2 + 8 * count;
}

/** Writes a fast open option (RFC 7413 §4.1.1) of 2 octets and the cookie, empty or of 4 to 16; returns the offset past it. */
export function putFastOpen(out: Uint8Array, at: number, cookie: Uint8Array): number {
  out[at] = KIND_FAST_OPEN;
  out[at + 1] = 2 + cookie.length;
  for (let i = 0; i < cookie.length; i++) out[at + 2 + i] = cookie[i]!;
  return at + 2 + cookie.length;
}

/** Writes a no-operation octet, for alignment; returns the offset past it. */
export function putNop(out: Uint8Array, at: number): number {
  out[at] = KIND_NOP;
  return at + 1;
}

/** Writes an end-of-options octet; returns the offset past it. */
export function putEnd(out: Uint8Array, at: number): number {
  out[at] = KIND_END;
  return at + 1;
}

/**
 * Computes and stores the checksum of the segment in `out[at, at + length)`.
 *
 * @param pseudoSum of `pseudoSum4` or `pseudoSum6`, for `length` octets
 */
export function finishTcp(out: Uint8Array, at: number, length: number, pseudoSum: number): void {
  put16(out, at + TCP_CHECKSUM_OFFSET, 0);
  put16(out, at + TCP_CHECKSUM_OFFSET, checksumOf(out, at, at + length, pseudoSum));
}

/** Stores the folded pseudo-header sum only: what `CHECKSUM_PARTIAL` promises to whoever finishes it. */
export function finishTcpPartial(out: Uint8Array, at: number, pseudoSum: number): void {
  put16(out, at + TCP_CHECKSUM_OFFSET, fold(pseudoSum));
}
