// The IPv4 header (RFC 791 §3.1) and the pseudo header that transport checksums include.

import { checksumOf, fold, onesSum } from '../base/checksum.ts';
import type { DropReason } from '../base/trace.ts';
import { get16, get32, put16, put32 } from './bytes.ts';

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
  const first = bytes[from]!;
  if (first >> 4 !== 4) return 'ip-bad-version';
  const ihl = (first & 15) << 2;
  if (ihl < IPV4_HEADER) return 'ip-bad-header-length';
  if (ihl > to - from) return 'ip-truncated';
  const totalLength = get16(bytes, from + 2);
  if (totalLength < ihl || totalLength > to - from) return 'ip-bad-total-length';
  if (verify && !headerSumIsGood(bytes, from, ihl)) return 'ip-bad-checksum';
  const tos = bytes[from + 1]!;
  const fragment = get16(bytes, from + 6);
  into.ihl = ihl;
  into.totalLength = totalLength;
  into.id = get16(bytes, from + 4);
  into.df = (fragment & 0x4000) !== 0;
  into.mf = (fragment & 0x2000) !== 0;
  into.fragmentOffset = (fragment & 0x1fff) << 3;
  into.ttl = bytes[from + 8]!;
  into.protocol = bytes[from + 9]!;
  into.tos = tos;
  into.ecn = tos & 3;
  into.src = get32(bytes, from + 12);
  into.dst = get32(bytes, from + 16);
  into.payloadFrom = from + ihl;
  into.payloadTo = from + totalLength;
  return null;
}

/** Ten words added up where they stand cost less than the call that a longer header is worth. */
function headerSumIsGood(bytes: Uint8Array, at: number, ihl: number): boolean {
  if (ihl > IPV4_HEADER) return fold(onesSum(bytes, at, at + ihl, 0)) === 0xffff;
  let sum = 0;
  for (let i = at; i < at + IPV4_HEADER; i += 4) {
    sum += get16(bytes, i) + get16(bytes, i + 2);
  }
  // Ten words make at most 0x9fff6, so two folds are enough.
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16) === 0xffff;
}

/**
 * Writes a header of 20 octets, checksum included, at `out[at]`.
 *
 * @param payloadLength octets behind the header, 0 to 65515
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
  out[at] = 0x45;
  out[at + 1] = tos;
  put16(out, at + 2, IPV4_HEADER + payloadLength);
  put16(out, at + 4, id);
  put16(out, at + 6, dontFragment ? 0x4000 : 0);
  out[at + 8] = ttl;
  out[at + 9] = protocol;
  put16(out, at + 10, 0);
  put32(out, at + 12, src);
  put32(out, at + 16, dst);
  put16(out, at + 10, checksumOf(out, at, at + IPV4_HEADER, 0));
  return at + IPV4_HEADER;
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
