// ARP for IPv4 over Ethernet (RFC 826).

import type { DropReason } from '../base/trace.ts';
import { get16, get32, put16, put32 } from './bytes.ts';
import { copyMac } from './ethernet.ts';

/** Octets of a packet. */
export const ARP_LENGTH = 28;
/** Operations, RFC 826. */
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const HARDWARE_ETHERNET = 1;
const PROTOCOL_IPV4 = 0x0800;

/** A parsed packet. Reused: `parseArp` overwrites every field. */
export class ArpPacket {
  /** `ARP_REQUEST` or `ARP_REPLY`. */
  operation = 0;
  /** Offset of the sender's 6 octets of MAC in the packet's bytes. */
  senderMacAt = 0;
  /** Sender's IPv4 address, int32; 0 in a probe (RFC 5227 §1.1). */
  senderAddress = 0;
  /** Offset of the target's MAC; its octets mean nothing in a request. */
  targetMacAt = 0;
  /** Target's IPv4 address, int32; equal to the sender's in a gratuitous packet. */
  targetAddress = 0;
}

/**
 * Reads the packet in `bytes[from, to)`; octets behind it are padding.
 *
 * `'arp-malformed'` when it is too short, not IPv4 over Ethernet, neither request nor reply, or comes from a
 * group address, which no station has.
 */
export function parseArp(bytes: Uint8Array, from: number, to: number, into: ArpPacket): DropReason | null {
  if (to - from < ARP_LENGTH) return 'arp-malformed';
  if (get16(bytes, from) !== HARDWARE_ETHERNET || get16(bytes, from + 2) !== PROTOCOL_IPV4) return 'arp-malformed';
  if (bytes[from + 4] !== 6 || bytes[from + 5] !== 4) return 'arp-malformed';
  const operation = get16(bytes, from + 6);
  if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return 'arp-malformed';
  if ((bytes[from + 8]! & 1) !== 0) return 'arp-malformed';
  into.operation = operation;
  into.senderMacAt = from + 8;
  into.senderAddress = get32(bytes, from + 14);
  into.targetMacAt = from + 18;
  into.targetAddress = get32(bytes, from + 24);
  return null;
}

/**
 * Writes a packet at `out[at]`.
 *
 * @param operation `ARP_REQUEST` or `ARP_REPLY`
 * @param senderMac 6 octets
 * @param senderAddress IPv4 address, int32
 * @param targetMac holds the target's 6 octets at `targetMac[targetMacAt]`; `null` writes zeros (a request)
 * @param targetAddress IPv4 address, int32
 * @returns the offset past the packet
 */
export function writeArp(
  out: Uint8Array,
  at: number,
  operation: number,
  senderMac: Uint8Array,
  senderAddress: number,
  targetMac: Uint8Array | null,
  targetMacAt: number,
  targetAddress: number,
): number {
  put16(out, at, HARDWARE_ETHERNET);
  put16(out, at + 2, PROTOCOL_IPV4);
  out[at + 4] = 6;
  out[at + 5] = 4;
  put16(out, at + 6, operation);
  copyMac(out, at + 8, senderMac, 0);
  put32(out, at + 14, senderAddress);
  if (targetMac === null) out.fill(0, at + 18, at + 24);
  else copyMac(out, at + 18, targetMac, targetMacAt);
  put32(out, at + 24, targetAddress);
  return at + ARP_LENGTH;
}
