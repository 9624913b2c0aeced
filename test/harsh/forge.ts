// Packets made by hand, with checksums computed the slow way: what an attacker, or a broken peer, would send.
//
// Nothing here comes from `src/`, so a mistake there is not repeated here.

/** RFC 1071: the one's complement of the one's complement sum of 16-bit words. */
function checksum(chunks: readonly Uint8Array[]): number {
  const all = concat(chunks);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += (all[i]! << 8) | (all[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
  let at = 0;
  for (const c of chunks) {
    out.set(c, at);
    at += c.length;
  }
  return out;
}

export const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
export const u32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

/** Addresses as octets: 4 of them or 16. */
export interface Ends {
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
}

/** An IP packet around `body`, of whichever version the addresses are. */
function ipPacket(ends: Ends, protocol: number, body: Uint8Array, ttl = 64): Uint8Array {
  if (ends.src.length === 16) {
    return concat([Uint8Array.of(0x60, 0, 0, 0, ...u16(body.length), protocol, ttl, ...ends.src, ...ends.dst), body]);
  }
  const header = Uint8Array.of(
    0x45,
    0,
    ...u16(20 + body.length),
    0,
    7,
    0x40,
    0,
    ttl,
    protocol,
    0,
    0,
    ...ends.src,
    ...ends.dst,
  );
  header.set(u16(checksum([header])), 10);
  return concat([header, body]);
}

function pseudo(ends: Ends, protocol: number, length: number): Uint8Array {
  return ends.src.length === 16
    ? Uint8Array.of(...ends.src, ...ends.dst, ...u32(length), 0, 0, 0, protocol)
    : Uint8Array.of(...ends.src, ...ends.dst, 0, protocol, ...u16(length));
}

/** The fields of a TCP segment; sequence numbers may be int32 or uint32. */
export interface Forged {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly wnd: number;
  readonly urgent: number;
  /** Cut or filled to a multiple of 4, at most 40. */
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

/** A TCP segment with a right checksum, in an IP packet. */
export function tcpPacket(ends: Ends, s: Forged): Uint8Array {
  const options = new Uint8Array(Math.min(40, (s.options.length + 3) & ~3));
  options.set(s.options.subarray(0, options.length));
  const header = Uint8Array.of(
    ...u16(s.srcPort),
    ...u16(s.dstPort),
    ...u32(s.seq),
    ...u32(s.ack),
    (5 + options.length / 4) << 4,
    s.flags,
    ...u16(s.wnd),
    0,
    0,
    ...u16(s.urgent),
  );
  const segment = concat([header, options, s.payload]);
  segment.set(u16(checksum([pseudo(ends, 6, segment.length), segment])), 16);
  return ipPacket(ends, 6, segment);
}

/** An ICMP or ICMPv6 message with a right checksum, in an IP packet. */
export function icmpPacket(ends: Ends, type: number, code: number, rest: Uint8Array): Uint8Array {
  const message = concat([Uint8Array.of(type, code, 0, 0), rest]);
  const v6 = ends.src.length === 16;
  message.set(u16(checksum(v6 ? [pseudo(ends, 58, message.length), message] : [message])), 2);
  return ipPacket(ends, v6 ? 58 : 1, message);
}

/** Makes the checksums of an IPv4 or IPv6 packet with TCP right again, as far as its lengths make sense. */
export function repair(packet: Uint8Array): void {
  const v6 = packet[0]! >> 4 === 6;
  const header = v6 ? 40 : (packet[0]! & 15) * 4;
  if (packet.length < header + 20 || header < 20) return;
  if (!v6) {
    packet.set([0, 0], 10);
    packet.set(u16(checksum([packet.subarray(0, header)])), 10);
  }
  const ends = v6
    ? { src: packet.subarray(8, 24), dst: packet.subarray(24, 40) }
    : { src: packet.subarray(12, 16), dst: packet.subarray(16, 20) };
  const segment = packet.subarray(header);
  segment.set([0, 0], 16);
  segment.set(u16(checksum([pseudo(ends, 6, segment.length), segment])), 16);
}
