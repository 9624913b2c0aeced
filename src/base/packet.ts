// Packet descriptors: what travels beside the bytes of a packet, in each direction.
//
// Both are mutable and reused: the owner of a link keeps one of each and fills it anew for every
// packet. Nobody may keep a descriptor, or the bytes it describes, past the call that lent it.

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

  /** Back to "an ordinary packet of which nothing is known". */
  reset(): void {
    this.id = 0;
    this.checksum = CHECKSUM_NONE;
    this.csumStart = 0;
    this.csumOffset = 0;
    this.gsoType = GSO_NONE;
    this.gsoSize = 0;
  }
}

/** Describes a packet on its way out. Reused; `transmit` fills everything but `id` and `room`. */
export class TxMeta {
  /** Set by the link before `transmit`: the number a trace pairs this packet by; 0 for none. */
  id = 0;
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

  /** Back to "an ordinary packet with complete checksums". Leaves `id`. */
  reset(): void {
    this.checksum = CHECKSUM_NONE;
    this.csumStart = 0;
    this.csumOffset = 0;
    this.gsoType = GSO_NONE;
    this.gsoSize = 0;
    this.headerLength = 0;
  }
}
