// Packet descriptors: what travels beside the bytes of a packet, in each direction.
//
// Both are mutable and reused: the owner of a link keeps one of each and fills it anew for every
// packet. Nobody may keep a descriptor, or the bytes it describes, past the call that lent it, unless it says so (`lender`).

import { copyBytes } from './copy.ts';
import type { PacketBuffer } from './pool.ts';

/** Checksum state of a packet, in either direction. */
export type ChecksumState = 0 | 1 | 2;
/** In: verify every checksum. Out: every checksum in the packet is complete. */
export const CHECKSUM_NONE = 0 as const;
/** In: the link has verified the transport checksum. Never set on the way out. */
export const CHECKSUM_VERIFIED = 1 as const;
/**
 * The transport checksum field holds only the folded pseudo-header sum; whoever puts the packet on a
 * wire finishes it. In: such a packet never crossed a wire and is not verified. Out: only towards a
 * link whose `LinkCaps.txChecksum` is set.
 */
export const CHECKSUM_PARTIAL = 2 as const;

/** Kind of super-segment a packet is. */
export type GsoType = 0 | 1 | 2;
/** No super-segment; one of TCP over IPv4; one of TCP over IPv6. */
export const GSO_NONE = 0 as const;
export const GSO_TCP4 = 1 as const;
export const GSO_TCP6 = 2 as const;

/** Octets in order that stay in buffers of packets, oldest first; a link's (`base/loan.ts`). */
export interface KeptPackets {
  /** Octets held. */
  readonly length: number;
  /** Octets of the buffers they lie in. */
  readonly memory: number;
  /** Adds octets `[from, to)` of a buffer, which is held until they are dropped. */
  push(buffer: PacketBuffer, from: number, to: number): void;
  /** The octets of the first buffer that are left; there must be some. Valid until the next `drop`. */
  peek(): Uint8Array;
  /** Copies `count` octets that begin `offset` octets after the first to `out[at..]`; all of them must be there. */
  copyTo(offset: number, count: number, out: Uint8Array, at: number): void;
  /** Drops `count` octets from the front; buffers without any go back to their pools. */
  drop(count: number): void;
}

/** Gives away the memory of one packet. */
export interface PacketLender {
  /**
   * Octets `[from, to)` of the packet's buffer stay where they are, at the end of `kept`. At most once for a packet, and
   * only while it is being received; the rest of it may still be read until `receive` returns.
   *
   * @param kept the queue they go to; `null` for a new one
   * @returns that queue
   */
  keep(kept: KeptPackets | null, from: number, to: number): KeptPackets;
}

/** Describes a packet that came in. Reused; valid only during the call that lends it. */
export class RxMeta {
  /** Pairs an arrival with its transmission in a trace; 0 when the link cannot know. */
  id = 0;
  /** What is known of the transport checksum. */
  checksum: ChecksumState = CHECKSUM_NONE;
  /** For `CHECKSUM_PARTIAL`: offset of the first summed octet, from the packet's start. */
  csumStart = 0;
  /** For `CHECKSUM_PARTIAL`: offset of the checksum field, from `csumStart`. */
  csumOffset = 0;
  /** Whether the packet is a super-segment of several wire segments. */
  gsoType: GsoType = GSO_NONE;
  /** For a super-segment: payload octets of each wire segment but the last. */
  gsoSize = 0;
  /** Who gives the packet's memory away, should its octets be kept where they lie; `null` when all of it is only lent. */
  lender: PacketLender | null = null;

  /** Back to "an ordinary packet of which nothing is known". */
  reset(): void {
    this.id = 0;
    this.lender = null;
    this.checksum = CHECKSUM_NONE;
    this.csumStart = 0;
    this.csumOffset = 0;
    this.gsoType = GSO_NONE;
    this.gsoSize = 0;
  }
}

/** Pieces that the text of one packet may be left in; when it lies in more, it is copied. */
export const MOST_PIECES = 8;

/** The end of a packet, left where it lies: pieces of memory, one after the other. */
export class PacketBody {
  /** Octets in all pieces together. */
  length = 0;
  /** Pieces there are: piece `i < count` is `bytes[i]`, octets `[from[i], to[i])` of it. */
  count = 0;
  readonly bytes: (Uint8Array | null)[] = [];
  readonly from: number[] = [];
  readonly to: number[] = [];

  /** Forgets all pieces. */
  clear(): void {
    for (let i = 0; i < this.count; i++) this.bytes[i] = null;
    this.length = 0;
    this.count = 0;
  }

  /** Adds `bytes[from, to)`; false when there are too many pieces already. */
  add(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.count === MOST_PIECES) return false;
    const i = this.count++;
    this.bytes[i] = bytes;
    this.from[i] = from;
    this.to[i] = to;
    this.length += to - from;
    return true;
  }

  /** Copies all pieces to `out[at..]`. */
  copyTo(out: Uint8Array, at: number): void {
    let o = at;
    for (let i = 0; i < this.count; i++) {
      copyBytes(this.bytes[i]!, this.from[i]!, this.to[i]!, out, o);
      o += this.to[i]! - this.from[i]!;
    }
  }
}

/** Describes a packet on its way out. Reused; `transmit` fills everything but `id` and `gather`. */
export class TxMeta {
  /** Set by the link before `transmit`: the number a trace pairs this packet by; 0 for none. */
  id = 0;
  /**
   * Set by the link before `transmit`: text of this many octets or more may be left where it lies (`body`) when the
   * checksum is the link's to finish; 0 when every packet is to be whole.
   */
  gather = 0;
  /**
   * Text that was not copied: `transmit` wrote the octets before it, and the length that it returned counts both. Borrowed
   * until the link calls `transmit` or anything else of its port again. Empty for a packet that is whole.
   */
  readonly body: PacketBody = new PacketBody();
  /** `CHECKSUM_PARTIAL` only when the link said `txChecksum`. */
  checksum: ChecksumState = CHECKSUM_NONE;
  /** For `CHECKSUM_PARTIAL`: offset of the first octet to sum, from the packet's start. */
  csumStart = 0;
  /** For `CHECKSUM_PARTIAL`: offset of the checksum field, from `csumStart`. */
  csumOffset = 0;
  /** Not `GSO_NONE` only when the link said `tso`. */
  gsoType: GsoType = GSO_NONE;
  /** For a super-segment: payload octets of each wire segment but the last. */
  gsoSize = 0;
  /** For a super-segment: octets of all headers together, from the packet's start. */
  headerLength = 0;

  /** Back to "an ordinary packet with complete checksums". Leaves `id` and `gather`. */
  reset(): void {
    this.body.clear();
    this.checksum = CHECKSUM_NONE;
    this.csumStart = 0;
    this.csumOffset = 0;
    this.gsoType = GSO_NONE;
    this.gsoSize = 0;
    this.headerLength = 0;
  }
}
