// The fixed IPv6 header (RFC 8200 §3) and its pseudo header. Extension headers are refused for now: their
// place is a walk between `parseIpv6` and the transport, in `ip/`.

import type { DropReason } from '../base/trace.ts';
import { isV4Mapped } from './address.ts';
import { get16, get32, put16, put32 } from './bytes.ts';

/** Octets of the fixed header. */
export const IPV6_HEADER = 40;
/** Next header "nothing follows" (RFC 8200 §4.7). */
export const NEXT_NONE = 59;

/** A parsed IPv6 header. Reused: `parseIpv6` overwrites every field. */
export class Ipv6Header {
  /** The whole DSCP and ECN octet. */
  trafficClass = 0;
  /** ECN codepoint, 0 to 3. */
  ecn = 0;
  /** 20 bits. */
  flowLabel = 0;
  /** Octets behind the fixed header. */
  payloadLength = 0;
  nextHeader = 0;
  hopLimit = 0;
  /** Source, int32 words. */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  /** Destination, int32 words. */
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** The payload, absolute offsets, half open, without padding of the link. */
  payloadFrom = 0;
  payloadTo = 0;
}

/**
 * True for next headers that are extension headers (IANA's registry): the payload is not the transport.
 * "No next header" is none: such a packet is whole and empty.
 */
export function isExtensionHeader(nextHeader: number): boolean {
  switch (nextHeader) {
    case 0: // hop-by-hop options
    case 43: // routing
    case 44: // fragment
    case 50: // encapsulating security payload
    case 51: // authentication
    case 60: // destination options
    case 135: // mobility
    case 139: // host identity
    case 140: // shim6
    case 253: // experiments
    case 254:
      return true;
    default:
      return false;
  }
}

/**
 * Reads the IPv6 packet in `bytes[from, to)`.
 *
 * With `'ip-extension-header'` the header is filled all the same, so that an ICMPv6 answer can be made.
 *
 * A v4-mapped source or destination would be taken for IPv4 by every table of this stack, and has no
 * business on a wire: `'ip-bad-source'`, `'not-for-us'`.
 *
 * @param into filled; after other reasons its contents mean nothing
 * @returns `null`, or why the packet cannot be used
 */
export function parseIpv6(bytes: Uint8Array, from: number, to: number, into: Ipv6Header): DropReason | null {
  if (to - from < IPV6_HEADER) return 'ip-truncated';
  const first = get32(bytes, from);
  if (first >>> 28 !== 6) return 'ip-bad-version';
  const payloadLength = get16(bytes, from + 4);
  if (payloadLength > to - from - IPV6_HEADER) return 'ip-bad-total-length';
  into.trafficClass = (first >> 20) & 0xff;
  into.ecn = (first >> 20) & 3;
  into.flowLabel = first & 0xfffff;
  into.payloadLength = payloadLength;
  into.nextHeader = bytes[from + 6]!;
  into.hopLimit = bytes[from + 7]!;
  into.src0 = get32(bytes, from + 8);
  into.src1 = get32(bytes, from + 12);
  into.src2 = get32(bytes, from + 16);
  into.src3 = get32(bytes, from + 20);
  into.dst0 = get32(bytes, from + 24);
  into.dst1 = get32(bytes, from + 28);
  into.dst2 = get32(bytes, from + 32);
  into.dst3 = get32(bytes, from + 36);
  into.payloadFrom = from + IPV6_HEADER;
  into.payloadTo = from + IPV6_HEADER + payloadLength;
  if (isV4Mapped(into.src0, into.src1, into.src2)) return 'ip-bad-source';
  if (isV4Mapped(into.dst0, into.dst1, into.dst2)) return 'not-for-us';
  return isExtensionHeader(into.nextHeader) ? 'ip-extension-header' : null;
}

/**
 * Writes a fixed header at `out[at]`.
 *
 * @param payloadLength octets behind it, 0 to 65535
 * @param trafficClass DSCP and ECN octet
 * @param flowLabel 20 bits
 * @param s0 source as words, to `s3`
 * @param d0 destination as words, to `d3`
 * @returns the offset past the header
 */
export function writeIpv6(
  out: Uint8Array,
  at: number,
  payloadLength: number,
  nextHeader: number,
  hopLimit: number,
  trafficClass: number,
  flowLabel: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
): number {
  put32(out, at, (6 << 28) | ((trafficClass & 0xff) << 20) | (flowLabel & 0xfffff));
  put16(out, at + 4, payloadLength);
  out[at + 6] = nextHeader;
  out[at + 7] = hopLimit;
  put32(out, at + 8, s0);
  put32(out, at + 12, s1);
  put32(out, at + 16, s2);
  put32(out, at + 20, s3);
  put32(out, at + 24, d0);
  put32(out, at + 28, d1);
  put32(out, at + 32, d2);
  put32(out, at + 36, d3);
  return at + IPV6_HEADER;
}

/**
 * Sum of the IPv6 pseudo header (RFC 8200 §8.1), to start `onesSum` or `checksumOf` with.
 *
 * @param next protocol number of the transport
 * @param length octets of the transport header and its payload
 * @returns an unfolded sum below 2^22
 */
export function pseudoSum6(
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
  next: number,
  length: number,
): number {
  const high = (s0 >>> 16) + (s1 >>> 16) + (s2 >>> 16) + (s3 >>> 16);
  const low = (s0 & 0xffff) + (s1 & 0xffff) + (s2 & 0xffff) + (s3 & 0xffff);
  const dHigh = (d0 >>> 16) + (d1 >>> 16) + (d2 >>> 16) + (d3 >>> 16);
  const dLow = (d0 & 0xffff) + (d1 & 0xffff) + (d2 & 0xffff) + (d3 & 0xffff);
  return high + low + dHigh + dLow + next + (length >>> 16) + (length & 0xffff);
}
