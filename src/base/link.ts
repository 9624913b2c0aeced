// The contract between a link (a way off the host) and the owner that binds it to a host.
//
// Rules, in the order in which they are easy to get wrong:
//  1. Pull. The link asks `port.transmit` for the next packet and lends the buffer. Nothing is queued
//     for a link that is full; it calls `port.writable()` when it drains.
//  2. Lent bytes are borrowed. Bytes given to `port.receive` are valid until it returns. Bytes written
//     by `port.transmit` belong to the link from then on; a link that sends later lends a buffer that
//     it does not reuse until it has sent it.
//  3. No re-entry. `port.receive` and `port.transmit` run no user code and never pump a link. After
//     a batch of `receive`, the link calls `port.turn()` once: that delivers events to user code and
//     pumps every link that has something to send, this one included. `pump()` is called only by the
//     owner, and never while this link is inside `receive`, `transmit` or `turn`.

import type { NetError } from './errors.ts';
import type { RxMeta, TxMeta } from './packet.ts';

/** What a link carries: IP packets as they are, or Ethernet frames (without FCS). */
export type Medium = 'ip' | 'ethernet';

/** What a link can take over from the host. */
export interface LinkCaps {
  /** The link finishes transport checksums (`CHECKSUM_PARTIAL`). */
  readonly txChecksum: boolean;
  /**
   * The link takes TCP super-segments, whole packet up to this many octets; 0 when it takes none. With more than 65,535 it
   * takes IPv4 packets that are longer than their header can say, which says 0 then; over IPv6 none is.
   */
  readonly tso: number;
}

/** A link that can do nothing for the host. */
export const PLAIN_LINK: LinkCaps = { txChecksum: false, tso: 0 };

/** What a link needs of its owner: one end of the contract above. */
export interface LinkPort {
  /**
   * Takes one packet that came in.
   *
   * @param bytes borrowed until the call returns
   * @param from offset of the first octet of the packet (Ethernet header included)
   * @param to offset past its last octet
   * @param meta what the link knows of it; borrowed likewise
   */
  receive(bytes: Uint8Array, from: number, to: number, meta: RxMeta): void;
  /**
   * Writes the next packet to send at `out[at]` and returns its length in octets, or 0 when there is
   * nothing to send. `out` must have room for the largest packet the link takes. When `meta.gather`
   * allows it, only the headers may be there, and `meta.body` is the rest.
   */
  transmit(out: Uint8Array, at: number, meta: TxMeta): number;
  /** Ends a batch of `receive`: events are delivered and links are pumped before it returns. */
  turn(): void;
  /** The link was full and has room again. */
  writable(): void;
  /**
   * The link has dropped a packet that `transmit` wrote, and cannot send it later: it counts as lost on the way, and is
   * counted and traced. TCP finds out as it does of any loss, and sends again when its timers say so.
   */
  refused(): void;
  /** The link has failed or was unplugged; every connection over it is settled with `error`. */
  down(error: NetError): void;
}

/** A way off the host. */
export interface Link {
  readonly medium: Medium;
  /** Largest IP packet the link carries, octets. */
  readonly mtu: number;
  readonly caps: LinkCaps;
  /** Ethernet address, 6 octets, or `null` on a bare-IP link. */
  readonly mac: Uint8Array | null;
  /** Starts the link. Called once, before anything else. */
  open(port: LinkPort): void;
  /** Sends until `port.transmit` returns 0 or the link is full. Called by the owner only. */
  pump(): void;
  /** Stops the link and releases everything it holds. Nothing is called on the port afterwards. */
  close(): void;
}
