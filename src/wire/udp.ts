// The UDP header (RFC 768; RFC 8200 §8.1 for its checksum over IPv6).

import { checksumOf, fold, onesSum } from '../base/checksum.ts';
import type { DropReason } from '../base/trace.ts';
import { get16, put16 } from './bytes.ts';

/** Octets of the header. */
export const UDP_HEADER = 8;
/** Offset of the checksum field in the header. */
export const UDP_CHECKSUM_OFFSET = 6;

/** A parsed header. Reused: `parseUdp` overwrites every field. */
export class UdpHeader {
  /** 0 when the sender expects no answer (RFC 768). */
  srcPort = 0;
  dstPort = 0;
  /** Octets of header and payload as the header counts them. */
  length = 0;
  /** As sent; 0 means none, which only IPv4 allows. */
  checksum = 0;
  /** The payload, absolute offsets, half open. */
  payloadFrom = 0;
  payloadTo = 0;
}

/**
 * Reads the datagram in `bytes[from, to)`; octets behind its length are not in the payload. The checksum is
 * not looked at: see `verifyUdp`.
 *
 * @returns `null`, or `'udp-malformed'` when it is too short or its length is impossible
 */
export function parseUdp(bytes: Uint8Array, from: number, to: number, into: UdpHeader): DropReason | null {
  if (to - from < UDP_HEADER) return 'udp-malformed';
  const length = get16(bytes, from + 4);
  if (length < UDP_HEADER || length > to - from) return 'udp-malformed';
  into.srcPort = get16(bytes, from);
  into.dstPort = get16(bytes, from + 2);
  into.length = length;
  into.checksum = get16(bytes, from + UDP_CHECKSUM_OFFSET);
  into.payloadFrom = from + UDP_HEADER;
  into.payloadTo = from + length;
  return null;
}

/**
 * True when the checksum of the datagram in `bytes[from, to)` is right, or when there is none and may be none.
 *
 * @param to past the datagram as its own length counts it
 * @param pseudoSum of `pseudoSum4` or `pseudoSum6`, for `to - from` octets
 * @param family 4: a zero checksum means none; 6: it is an error (RFC 8200 §8.1)
 */
export function verifyUdp(bytes: Uint8Array, from: number, to: number, pseudoSum: number, family: 4 | 6): boolean {
  if (get16(bytes, from + UDP_CHECKSUM_OFFSET) === 0) return family === 4;
  return fold(onesSum(bytes, from, to, pseudoSum)) === 0xffff;
}

/**
 * Writes a header with a zero checksum at `out[at]`; `finishUdp` follows once the payload stands behind it.
 *
 * @param payloadLength octets behind the header, 0 to 65527
 * @returns the offset past the header
 */
export function writeUdp(out: Uint8Array, at: number, srcPort: number, dstPort: number, payloadLength: number): number {
  put16(out, at, srcPort);
  put16(out, at + 2, dstPort);
  put16(out, at + 4, UDP_HEADER + payloadLength);
  put16(out, at + UDP_CHECKSUM_OFFSET, 0);
  return at + UDP_HEADER;
}

/**
 * Computes and stores the checksum of the datagram in `out[at, at + length)`. One that comes out as 0 is sent
 * as all ones, because 0 says "none" (RFC 768).
 */
export function finishUdp(out: Uint8Array, at: number, length: number, pseudoSum: number): void {
  put16(out, at + UDP_CHECKSUM_OFFSET, 0);
  const checksum = checksumOf(out, at, at + length, pseudoSum);
  put16(out, at + UDP_CHECKSUM_OFFSET, checksum === 0 ? 0xffff : checksum);
}
