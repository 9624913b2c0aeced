// The packet that an ICMP error quotes, read as far as it goes: enough to find the connection it is about.

import { isV4Mapped, V4_MAPPED } from './address.ts';
import { get16, get32 } from './bytes.ts';
import { IPV4_HEADER, PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, PROTO_UDP } from './ipv4.ts';
import { IPV6_HEADER } from './ipv6.ts';

/**
 * What a quote tells. Reused: `parseQuoted` overwrites every field. Source and destination are as in the
 * quoted packet, so the source is this host.
 */
export class Quoted {
  /** 4 or 6; 0 before the first quote. */
  family: 0 | 4 | 6 = 0;
  protocol = 0;
  /** Addresses as words of `Address`. */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** Ports of TCP and UDP; 0 for ICMP. */
  srcPort = 0;
  dstPort = 0;
  /** SEG.SEQ, int32, for TCP: to be checked against what is in flight (RFC 5927 §4.1). */
  seq = 0;
  /** Type, identifier and sequence number of a quoted ICMP or ICMPv6 echo. */
  icmpType = 0;
  icmpId = 0;
  icmpSeq = 0;
}

/**
 * Reads the quoted packet in `bytes[from, to)`, of either version. Only its IP header and 8 octets behind it
 * need be there (RFC 792). Checksums and lengths are not believed and not checked: routers change some
 * fields on the way, and the rest is cut off.
 *
 * @returns false when it is no packet of TCP, UDP or ICMP, or a later fragment of one
 */
export function parseQuoted(bytes: Uint8Array, from: number, to: number, into: Quoted): boolean {
  if (to - from < IPV4_HEADER) return false;
  const version = bytes[from]! >> 4;
  if (version === 4) return quoted4(bytes, from, to, into);
  return version === 6 && quoted6(bytes, from, to, into);
}

function quoted4(bytes: Uint8Array, from: number, to: number, into: Quoted): boolean {
  const ihl = (bytes[from]! & 15) << 2;
  if (ihl < IPV4_HEADER || to - from < ihl + 8) return false;
  if ((get16(bytes, from + 6) & 0x1fff) !== 0) return false;
  into.family = 4;
  into.protocol = bytes[from + 9]!;
  into.src0 = 0;
  into.src1 = 0;
  into.src2 = V4_MAPPED;
  into.src3 = get32(bytes, from + 12);
  into.dst0 = 0;
  into.dst1 = 0;
  into.dst2 = V4_MAPPED;
  into.dst3 = get32(bytes, from + 16);
  return quotedTransport(bytes, from + ihl, into, PROTO_ICMP);
}

function quoted6(bytes: Uint8Array, from: number, to: number, into: Quoted): boolean {
  if (to - from < IPV6_HEADER + 8) return false;
  into.family = 6;
  into.protocol = bytes[from + 6]!;
  into.src0 = get32(bytes, from + 8);
  into.src1 = get32(bytes, from + 12);
  into.src2 = get32(bytes, from + 16);
  into.src3 = get32(bytes, from + 20);
  into.dst0 = get32(bytes, from + 24);
  into.dst1 = get32(bytes, from + 28);
  into.dst2 = get32(bytes, from + 32);
  into.dst3 = get32(bytes, from + 36);
  // As in `parseIpv6`: such words would be taken for IPv4.
  if (isV4Mapped(into.src0, into.src1, into.src2) || isV4Mapped(into.dst0, into.dst1, into.dst2)) return false;
  return quotedTransport(bytes, from + IPV6_HEADER, into, PROTO_ICMPV6);
}

/** Reads 8 octets that are there. */
function quotedTransport(bytes: Uint8Array, at: number, into: Quoted, icmp: number): boolean {
  into.srcPort = 0;
  into.dstPort = 0;
  into.seq = 0;
  into.icmpType = 0;
  into.icmpId = 0;
  into.icmpSeq = 0;
  if (into.protocol === PROTO_TCP || into.protocol === PROTO_UDP) {
    into.srcPort = get16(bytes, at);
    into.dstPort = get16(bytes, at + 2);
    if (into.protocol === PROTO_TCP) into.seq = get32(bytes, at + 4);
    return true;
  }
  if (into.protocol !== icmp) return false;
  into.icmpType = bytes[at]!;
  into.icmpId = get16(bytes, at + 4);
  into.icmpSeq = get16(bytes, at + 6);
  return true;
}
