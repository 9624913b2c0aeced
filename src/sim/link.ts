// A link of a simulated network: two paths, one each way, and what tests do with them.

import type { Medium } from '../base/link.ts';
import type { Impairments } from './impairments.ts';
import type { HostLike } from './owner.ts';
import type { Path } from './path.ts';
import type { BufferPool } from './pool.ts';
import type { Rule, RuleGuard } from './rules.ts';

/** A packet shown to a capture. `bytes` is borrowed until the capture returns. */
export interface CapturedPacket {
  /** Virtual time, ms. */
  readonly at: number;
  /** As it left its sender, or as it arrives: a lost packet has no arrival, a duplicated one has two. */
  readonly point: 'sender' | 'receiver';
  /** The path it is on, such as `'client>server'`. */
  readonly path: string;
  readonly medium: Medium;
  /** Pairs departure and arrivals, and both with the trace. */
  readonly id: number;
  /** At the receiver: the path flipped a bit, and this is what arrives. */
  readonly corrupted: boolean;
  /** The packet (frame) is `bytes[from, to)`. */
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** Is shown packets. Must not call back into the network, nor keep the bytes. */
export type Capture = (packet: CapturedPacket) => void;

/** One end of a link: which host it is plugged into, and where that host's packets go. */
export class LinkEnd {
  readonly host: HostLike;
  /** The host's handle of its interface. */
  readonly handle: unknown;
  /** The path that leads away from this host. */
  readonly out: Path;
  /** Where the buffers that its packets are written into come from. */
  readonly pool: BufferPool;

  constructor(host: HostLike, handle: unknown, out: Path, pool: BufferPool) {
    this.host = host;
    this.handle = handle;
    this.out = out;
    this.pool = pool;
  }
}

/** A link between two hosts. */
export class SimLink {
  readonly medium: Medium;
  /** Largest IP packet of the interfaces. */
  readonly mtu: number;
  readonly a: LinkEnd;
  readonly b: LinkEnd;
  /** Where the buffers of packets in flight come from; `lent` counts them. */
  readonly pool: BufferPool;
  readonly #inject: (path: Path, bytes: Uint8Array) => void;

  constructor(
    medium: Medium,
    mtu: number,
    a: LinkEnd,
    b: LinkEnd,
    pool: BufferPool,
    inject: (path: Path, bytes: Uint8Array) => void,
  ) {
    this.medium = medium;
    this.mtu = mtu;
    this.a = a;
    this.b = b;
    this.pool = pool;
    this.#inject = inject;
  }

  /** The path from the first host to the second. */
  get aToB(): Path {
    return this.a.out;
  }

  /** The path from the second host to the first. */
  get bToA(): Path {
    return this.b.out;
  }

  /** Turns knobs of both directions, in mid-flight too. */
  impair(changes: Partial<Impairments>): void {
    this.aToB.impair(changes);
    this.bToA.impair(changes);
  }

  /** Installs a rule on both directions; its `hits` count both. */
  addRule(rule: Rule): RuleGuard {
    const there = this.aToB.addRule(rule);
    const back = this.bToA.addRule(rule);
    return {
      get hits(): number {
        return there.hits + back.hits;
      },
      remove(): void {
        there.remove();
        back.remove();
      },
    };
  }

  /** Puts a packet of the test's own making on the way to a host, as if its peer had sent it. */
  inject(to: 'a' | 'b', bytes: Uint8Array): void {
    this.#inject(to === 'b' ? this.aToB : this.bToA, bytes);
  }
}
