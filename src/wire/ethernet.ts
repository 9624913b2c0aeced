// The Ethernet II header. Frames come without FCS and without a VLAN tag: a tagged frame parses with the
// tag's EtherType, which nobody here takes.

import type { DropReason } from '../base/trace.ts';
import { get16, get32, put16 } from './bytes.ts';

/** Octets of the header. */
export const ETHERNET_HEADER = 14;

/** EtherTypes (IEEE registry). */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

/** ff:ff:ff:ff:ff:ff. Shared: never write to it. */
export const BROADCAST_MAC: Uint8Array = Uint8Array.of(255, 255, 255, 255, 255, 255);

/** A parsed header. Reused: `parseEthernet` overwrites every field. */
export class EthernetHeader {
  /** Destination: its first two octets, 16 bits, and its last four, int32. */
  dstHi = 0;
  dstLo = 0;
  /** Source, likewise. */
  srcHi = 0;
  srcLo = 0;
  /** Offset of the source address in the frame's bytes, for whoever learns from it. */
  srcAt = 0;
  /** EtherType; below 0x600 it is the length of an IEEE 802.3 frame, which nobody here takes. */
  type = 0;
  /** The payload, absolute offsets, half open; may be padded to the 46 octets Ethernet wants. */
  payloadFrom = 0;
  payloadTo = 0;
}

/** Reads the frame in `bytes[from, to)`: `null`, or `'frame-truncated'`. */
export function parseEthernet(bytes: Uint8Array, from: number, to: number, into: EthernetHeader): DropReason | null {
  if (to - from < ETHERNET_HEADER) return 'frame-truncated';
  into.dstHi = get16(bytes, from);
  into.dstLo = get32(bytes, from + 2);
  into.srcHi = get16(bytes, from + 6);
  into.srcLo = get32(bytes, from + 8);
  into.srcAt = from + 6;
  into.type = get16(bytes, from + 12);
  into.payloadFrom = from + ETHERNET_HEADER;
  into.payloadTo = to;
  return null;
}

/** True when the destination is a group address: multicast or broadcast. */
export function isGroupFrame(header: EthernetHeader): boolean {
  return (header.dstHi & 0x0100) !== 0;
}

/** True when the destination is ff:ff:ff:ff:ff:ff. */
export function isBroadcastFrame(header: EthernetHeader): boolean {
  return header.dstHi === 0xffff && header.dstLo === -1;
}

/** True when the destination is the 6 octets at `mac[0]`. */
export function isFrameFor(header: EthernetHeader, mac: Uint8Array): boolean {
  return header.dstHi === get16(mac, 0) && header.dstLo === get32(mac, 2);
}

/**
 * Writes a header at `out[at]`.
 *
 * @param dst holds the destination's 6 octets at `dst[dstAt]`; may be `out` itself with `dstAt === at`, when
 *   `NeighbourCache.macInto` has put them there
 * @param src the sender's address, 6 octets
 * @param type EtherType
 * @returns the offset past the header
 */
export function writeEthernet(
  out: Uint8Array,
  at: number,
  dst: Uint8Array,
  dstAt: number,
  src: Uint8Array,
  type: number,
): number {
  copyMac(out, at, dst, dstAt);
  copyMac(out, at + 6, src, 0);
  put16(out, at + 12, type);
  return at + ETHERNET_HEADER;
}

/** Copies 6 octets; a `subarray` for `set` would cost more than the loop. */
export function copyMac(out: Uint8Array, at: number, mac: Uint8Array, macAt: number): void {
  for (let i = 0; i < 6; i++) out[at + i] = mac[macAt + i]!;
}
