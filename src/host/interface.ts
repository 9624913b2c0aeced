// One interface of a host: its addresses, its neighbours, and who waits to send through it.

import type { LinkCaps, Medium } from '../base/link.ts';
import type { NeighbourCache } from '../ip/neighbours.ts';
import type { Address, Prefix } from '../wire/address.ts';
import { ETHERNET_HEADER } from '../wire/ethernet.ts';
import type { Ethernet } from './ethernet.ts';
import { DATAGRAM_LIMIT, REPLY_LIMIT, ReplyQueue } from './replies.ts';
import { ConnectionRing } from './ring.ts';

/** What `Host.addInterface` needs to know. */
export interface InterfaceOptions {
  /** Shown in messages; `if0`, `if1`, ... by default. */
  readonly name?: string;
  readonly medium: Medium;
  /** Largest IP packet, octets: 68 to 65535. */
  readonly mtu: number;
  /** Ethernet address, 6 octets; needed on Ethernet. */
  readonly mac?: Uint8Array | null;
  /** What the link does for us; nothing by default. */
  readonly caps?: LinkCaps;
  /** Our addresses with their prefix lengths, `'10.0.0.1/24'`. */
  readonly addresses: readonly string[];
  /** Next hops of default routes, at most one per family. */
  readonly gateways?: readonly string[];
}

/** An interface of a host. Made by `Host.addInterface`. */
export class Interface {
  readonly index: number;
  readonly name: string;
  readonly medium: Medium;
  readonly mtu: number;
  readonly mac: Uint8Array | null;
  readonly caps: LinkCaps;
  readonly prefixes: readonly Prefix[];
  /** Directed broadcasts of the prefixes that have one, int32: asked for with every packet. */
  readonly #broadcasts: readonly number[];
  /** Octets in front of an IP packet. */
  readonly linkHeader: number;
  /** @internal Frames and ARP, set once by its host; `null` on bare IP. */
  ethernet: Ethernet | null = null;
  /** The link takes nothing now; its owner sets it and clears it, and `nextDeadline` does not count its output. */
  full = false;
  /** The interface is up. */
  up = true;

  /** @internal Connections with control segments to send, and with anything to send. */
  readonly urgent: ConnectionRing = new ConnectionRing();
  /** @internal */
  readonly ready: ConnectionRing = new ConnectionRing();
  /** @internal */
  readonly replies: ReplyQueue = new ReplyQueue(REPLY_LIMIT);
  /** @internal Datagrams of UDP sockets. */
  readonly datagrams: ReplyQueue = new ReplyQueue(DATAGRAM_LIMIT);
  /** @internal Whose turn it is when datagrams and connections both wait. */
  datagramsNext = false;

  constructor(index: number, options: InterfaceOptions, caps: LinkCaps, prefixes: readonly Prefix[]) {
    this.index = index;
    this.name = options.name ?? `if${index}`;
    this.medium = options.medium;
    this.mtu = options.mtu;
    this.mac = options.mac ?? null;
    this.caps = caps;
    this.prefixes = prefixes;
    this.#broadcasts = prefixes.flatMap((p) => p.broadcast?.w3 ?? []);
    this.linkHeader = options.medium === 'ethernet' ? ETHERNET_HEADER : 0;
  }

  /** ARP; `null` where there are no link addresses. */
  get neighbours(): NeighbourCache | null {
    return this.ethernet === null ? null : this.ethernet.neighbours;
  }

  /** @internal Nothing waits to be sent, and no neighbour can be asked for: links ask once more than there are packets. */
  get quiet(): boolean {
    return (
      this.ethernet === null &&
      this.urgent.length + this.ready.length + this.replies.length + this.datagrams.length === 0
    );
  }

  /** Whether `w0..w3` is one of our addresses on this interface. */
  has(w0: number, w1: number, w2: number, w3: number): boolean {
    const { prefixes } = this;
    for (let i = 0; i < prefixes.length; i++) {
      const a = prefixes[i]!.address;
      if (a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return true;
    }
    return false;
  }

  /** Whether an IPv4 address is the directed broadcast of one of our prefixes. */
  isBroadcast(w3: number): boolean {
    const all = this.#broadcasts;
    for (let i = 0; i < all.length; i++) if (all[i] === w3) return true;
    return false;
  }

  /** Our first address of a family, or `null`. */
  address(family: 4 | 6): Address | null {
    for (const p of this.prefixes) if (p.address.family === family) return p.address;
    return null;
  }
}
