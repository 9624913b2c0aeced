// Rules: what a test decides about single packets, before chance has its say.

import type { Medium } from '../base/link.ts';

/** What a rule says of a packet. */
export type Verdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'deliver'; readonly delay: number }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'corrupt'; readonly bit: number };

/** Decides about a packet. Must not keep it: the view is used again for the next one. */
export type Rule = (packet: PathPacket) => Verdict;

/** An installed rule. */
export interface RuleGuard {
  /** Packets about which the rule has said something other than "pass". */
  readonly hits: number;
  /** Uninstalls the rule; again is a no-op. */
  remove(): void;
}

/** No opinion: the next rule decides, and after the last one chance. */
export const PASS: Verdict = { kind: 'pass' };
/** The packet never arrives. */
export const DROP: Verdict = { kind: 'drop' };
/** The packet arrives twice after the path's ordinary time. */
export const DUPLICATE: Verdict = { kind: 'duplicate' };

/** The packet arrives whole, exactly `delay` ms from now, whatever the path's knobs say. */
export function deliver(delay: number): Verdict {
  if (!(delay >= 0 && delay < Number.POSITIVE_INFINITY)) throw new RangeError(`a delay cannot be ${delay}`);
  return { kind: 'deliver', delay };
}

/** One bit of the packet is flipped; bit 0 is the first one above layer 2, most significant first. */
export function corrupt(bit: number): Verdict {
  return { kind: 'corrupt', bit };
}

const ETHERNET_HEADER = 14;

/**
 * A packet as it enters a path: its bytes, and the few TCP fields by which rules choose.
 *
 * A view that is used again for every packet. The fields are read where they stand, without checks beyond
 * the length: these are packets on their way out of a host under test, not input to be trusted.
 */
export class PathPacket {
  /** The whole packet (frame) is `bytes[from, to)`. */
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  to = 0;
  /** The number that traces pair it by. */
  id = 0;
  /** How many packets entered this path before it. */
  index = 0;
  /** Time of entry, ms. */
  at = 0;
  /** Offset of the IP header in `bytes`. */
  ip = 0;
  /** Offset of the TCP header in `bytes`; -1 when the packet is not TCP. */
  tcp = -1;
  #end = 0;

  /** Points the view at a packet. */
  set(bytes: Uint8Array, to: number, medium: Medium, id: number, index: number, at: number): void {
    this.bytes = bytes;
    this.to = to;
    this.id = id;
    this.index = index;
    this.at = at;
    this.ip = medium === 'ethernet' ? ETHERNET_HEADER : 0;
    this.tcp = -1;
    this.#end = to;
    const ip = this.ip;
    if (to - ip < 20 || (medium === 'ethernet' && u16(bytes, 12) === 0x0806)) return;
    const version = bytes[ip]! >> 4;
    let header = 0;
    if (version === 4 && bytes[ip + 9] === 6) {
      header = (bytes[ip]! & 15) * 4;
      this.#end = ip + u16(bytes, ip + 2);
    } else if (version === 6 && bytes[ip + 6] === 6) {
      header = 40;
      this.#end = ip + 40 + u16(bytes, ip + 4);
    }
    // A bare header of 20 octets is the least a segment has.
    if (header >= 20 && ip + header + 20 <= to && this.#end <= to) this.tcp = ip + header;
  }

  /** TCP flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16; 0 when the packet is not TCP. */
  get flags(): number {
    return this.tcp < 0 ? 0 : this.bytes[this.tcp + 13]!;
  }

  /** TCP sequence number, int32; 0 when the packet is not TCP. */
  get seq(): number {
    return this.tcp < 0 ? 0 : int32(this.bytes, this.tcp + 4);
  }

  /** TCP acknowledgement number, int32; 0 when the packet is not TCP. */
  get ack(): number {
    return this.tcp < 0 ? 0 : int32(this.bytes, this.tcp + 8);
  }

  /** Octets of TCP payload; 0 when the packet is not TCP. */
  get payload(): number {
    return this.tcp < 0 ? 0 : this.#end - this.tcp - (this.bytes[this.tcp + 12]! >> 4) * 4;
  }

  /** TCP source port; 0 when the packet is not TCP. */
  get srcPort(): number {
    return this.tcp < 0 ? 0 : u16(this.bytes, this.tcp);
  }

  /** TCP destination port; 0 when the packet is not TCP. */
  get dstPort(): number {
    return this.tcp < 0 ? 0 : u16(this.bytes, this.tcp + 2);
  }

  /** True for an ARP packet, the only thing on a link that has no checksum. */
  get isArp(): boolean {
    return this.ip === ETHERNET_HEADER && this.to >= ETHERNET_HEADER && u16(this.bytes, 12) === 0x0806;
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
