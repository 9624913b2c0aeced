// The IPv4 header (RFC 791 §3.1) and the pseudo header that transport checksums include.

import { fold, onesSum } from '../base/checksum.ts';
import type { DropReason } from '../base/trace.ts';
import { get32, put16, put32 } from './bytes.ts';

/** Octets of a header without options, which is the only kind that is written. */
export const IPV4_HEADER = 20;

/** Protocol numbers (IANA), shared with IPv6's next header. */
export const PROTO_ICMP = 1;
export const PROTO_TCP = 6;
export const PROTO_UDP = 17;
export const PROTO_ICMPV6 = 58;

/** A parsed IPv4 header. Reused: `parseIpv4` overwrites every field. */
export class Ipv4Header {
  /** Header octets, options included: 20 to 60. */
  ihl = 0;
  /** Octets of the packet as the header counts them. */
  totalLength = 0;
  /** Identification, 16 bits. */
  id = 0;
  /** Don't fragment. */
  df = false;
  /** More fragments. */
  mf = false;
  /** Offset of this fragment in octets. The packet is a fragment when this is not 0 or `mf` is set. */
  fragmentOffset = 0;
  ttl = 0;
  protocol = 0;
  /** The whole DSCP and ECN octet. */
  tos = 0;
  /** ECN codepoint, 0 to 3 (RFC 3168 §5): 0 not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
  ecn = 0;
  /** Source and destination, int32: word `w3` of an `Address`. */
  src = 0;
  dst = 0;
  /** The payload, absolute offsets, half open; what the link padded behind `totalLength` is not in it. */
  payloadFrom = 0;
  payloadTo = 0;
}

/**
 * Reads the IPv4 packet in `bytes[from, to)`. Options are skipped, not interpreted.
 *
 * @param into filled; after a reason its contents mean nothing
 * @param verify check the header checksum (RFC 1122 §3.2.1.2: a host must)
 * @returns `null`, or why the packet cannot be used
 */
export function parseIpv4(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: Ipv4Header,
  verify = true,
): DropReason | null {
  if (to - from < IPV4_HEADER) return 'ip-truncated';
  // Five words hold every field, and summing them where they are costs little beside summing octets again.
  const word0 = get32(bytes, from);
  if (word0 >>> 28 !== 4) return 'ip-bad-version';
  const ihl = (word0 >>> 22) & 0x3c;
  if (ihl < IPV4_HEADER) return 'ip-bad-header-length';
  if (ihl > to - from) return 'ip-truncated';
  const totalLength = word0 & 0xffff;
  if (totalLength < ihl || totalLength > to - from) return 'ip-bad-total-length';
  const word1 = get32(bytes, from + 4);
  const word2 = get32(bytes, from + 8);
  const src = get32(bytes, from + 12);
  const dst = get32(bytes, from + 16);
  if (verify) {
    let sum = sumOfWords(word0, word1, word2, src, dst);
    if (ihl > IPV4_HEADER) sum = onesSum(bytes, from + IPV4_HEADER, from + ihl, sum);
    if (fold(sum) !== 0xffff) return 'ip-bad-checksum';
  }
  into.ihl = ihl;
  into.totalLength = totalLength;
  into.id = word1 >>> 16;
  into.df = (word1 & 0x4000) !== 0;
  into.mf = (word1 & 0x2000) !== 0;
  into.fragmentOffset = (word1 & 0x1fff) << 3;
  into.ttl = word2 >>> 24;
  into.protocol = (word2 >>> 16) & 0xff;
  into.tos = (word0 >>> 16) & 0xff;
  into.ecn = (word0 >>> 16) & 3;
  into.src = src;
  into.dst = dst;
  into.payloadFrom = from + ihl;
  into.payloadTo = from + totalLength;
  return null;
}

/** Sum of the ten 16-bit halves of a header's five words, below 2^20. */
export function sumOfWords(a: number, b: number, c: number, d: number, e: number): number {
  return (
    (a >>> 16) +
    (b >>> 16) +
    (c >>> 16) +
    (d >>> 16) +
    (e >>> 16) +
    (a & 0xffff) +
    (b & 0xffff) +
    (c & 0xffff) +
    (d & 0xffff) +
    (e & 0xffff)
  );
}

/**
 * Writes a header of 20 octets, checksum included, at `out[at]`.
 *
 * @param payloadLength octets behind the header; with more than 65515 the length field is 0, as Linux has it in the packets
 *   of its "BIG TCP", which never cross a wire
 * @param id identification, 16 bits; may be 0 when `dontFragment` is set (RFC 6864 §4.1)
 * @param tos DSCP and ECN octet
 * @param src source, int32
 * @param dst destination, int32
 * @returns the offset past the header
 */
export function writeIpv4(
  out: Uint8Array,
  at: number,
  payloadLength: number,
  id: number,
  ttl: number,
  protocol: number,
  tos: number,
  src: number,
  dst: number,
  dontFragment: boolean,
): number {
  const total = IPV4_HEADER + payloadLength;
  const word0 = 0x45000000 | ((tos & 0xff) << 16) | (total > 0xffff ? 0 : total);
  const word1 = (id << 16) | (dontFragment ? 0x4000 : 0);
  const word2 = (ttl << 24) | ((protocol & 0xff) << 16);
  put32(out, at, word0);
  put32(out, at + 4, word1);
  put32(out, at + 8, word2 | (~fold(sumOfWords(word0, word1, word2, src, dst)) & 0xffff));
  put32(out, at + 12, src);
  put32(out, at + 16, dst);
  return at + IPV4_HEADER;
}

/** Sum of the header of 20 octets at `bytes[at]` without its identification and its checksum; for `numberIpv4`. */
export function sumOfUnnumbered4(bytes: Uint8Array, at: number): number {
  const word1 = get32(bytes, at + 4) & 0xffff;
  const word2 = get32(bytes, at + 8) & ~0xffff;
  return sumOfWords(get32(bytes, at), word1, word2, get32(bytes, at + 12), get32(bytes, at + 16));
}

/**
 * Gives a copy of a header at `out[at]` another identification, and the checksum that goes with it.
 *
 * @param id identification, 16 bits
 * @param sum of `sumOfUnnumbered4`
 */
export function numberIpv4(out: Uint8Array, at: number, id: number, sum: number): void {
  put16(out, at + 4, id);
  put16(out, at + 10, ~fold(sum + id) & 0xffff);
}

/**
 * Sum of the IPv4 pseudo header (RFC 9293 §3.1), to start `onesSum` or `checksumOf` with.
 *
 * @param src source, int32
 * @param dst destination, int32
 * @param length octets of the transport header and its payload
 * @returns an unfolded sum below 2^20
 */
export function pseudoSum4(src: number, dst: number, protocol: number, length: number): number {
  return (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + (length >>> 16) + (length & 0xffff);
}
