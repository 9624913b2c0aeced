// A pipe in memory: two ends of one link, for tests, simulations and two hosts in one process.
//
// Nothing is delivered inside `pump`: a packet waits in a bounded queue until the owner calls
// `deliverPending`, or until the callback that the `schedule` option was given runs. That is what keeps
// two hosts on one stack from re-entering each other (rule 3 of `base/link.ts`).

import { type Link, type LinkCaps, type LinkPort, type Medium, PLAIN_LINK } from '../base/link.ts';
import { Loan } from '../base/loan.ts';
import { RxMeta, TxMeta } from '../base/packet.ts';
import { type PacketBuffer, PacketPool } from '../base/pool.ts';

/** Octets of an Ethernet header without tags. */
const ETHERNET_HEADER = 14;

/** How a pipe is made. */
export interface PipeOptions {
  /** What it carries; `'ip'` when absent. */
  readonly medium?: Medium;
  /** Largest IP packet, octets, `[68, 65535]`; 1500 when absent. */
  readonly mtu?: number;
  /** Packets that may wait in each direction, at least 1; 256 when absent. */
  readonly capacity?: number;
  /** What both ends take over from their hosts: the far end then gets the packet as it was handed in. */
  readonly caps?: LinkCaps;
  /** Ethernet addresses of the ends; made up when absent. Ignored on a bare-IP pipe. */
  readonly macs?: readonly [Uint8Array, Uint8Array];
  /**
   * Called once when the first packet of a batch is queued, with the function that delivers the batch. It must
   * not call that function before it returns. When absent the owner calls `deliverPending`.
   */
  readonly schedule?: ((deliver: () => void) => void) | null;
}

/** Both ends of a pipe. */
export interface Pipe {
  readonly a: PipeEnd;
  readonly b: PipeEnd;
  /**
   * Delivers what waits at this moment, in both directions, and ends each batch with the port's `turn`.
   *
   * @returns whether anything was delivered; false also when called from inside a delivery
   */
  deliverPending(): boolean;
}

/** One packet that waits: made once per place in the queue and reused for ever. */
interface Slot {
  buffer: PacketBuffer | null;
  length: number;
  readonly meta: RxMeta;
}

/** One direction of a pipe: a ring of slots. */
class Lane {
  readonly slots: Slot[];
  /** Index of the oldest packet. */
  head = 0;
  count = 0;
  /** The sender met a full ring and has not been told of room since. */
  blocked = false;

  constructor(capacity: number) {
    this.slots = Array.from({ length: capacity }, () => ({ buffer: null, length: 0, meta: new RxMeta() }));
  }
}

/** What the ends of one pipe share. */
class Shared {
  readonly pool: PacketPool;
  readonly loan: Loan = new Loan();
  readonly schedule: ((deliver: () => void) => void) | null;
  readonly deliverLater: () => void;
  scheduled = false;
  delivering = false;
  /** Packets taken so far, in both directions: the number by which a trace pairs them. */
  lastId = 0;
  ends: readonly PipeEnd[] = [];

  constructor(pool: PacketPool, schedule: ((deliver: () => void) => void) | null) {
    this.pool = pool;
    this.schedule = schedule;
    this.deliverLater = (): void => {
      this.scheduled = false;
      this.deliver();
    };
  }

  deliver(): boolean {
    if (this.delivering) return false;
    this.delivering = true;
    let any = false;
    // By index: an iterator would be allocated for every batch.
    const { ends } = this;
    try {
      for (let k = 0; k < ends.length; k++) any = ends[k]!.deliverIncoming() || any;
    } finally {
      this.delivering = false;
    }
    // What was queued while delivering is the next batch, on a stack of its own.
    for (let k = 0; k < ends.length; k++) if (ends[k]!.pendingOut > 0) this.wake();
    return any;
  }

  wake(): void {
    if (this.schedule === null || this.scheduled || this.delivering) return;
    this.scheduled = true;
    this.schedule(this.deliverLater);
  }
}

/** One end of a pipe. Made by `createPipe`. */
export class PipeEnd implements Link {
  readonly medium: Medium;
  readonly mtu: number;
  readonly caps: LinkCaps;
  readonly mac: Uint8Array | null;
  readonly #shared: Shared;
  readonly #out: Lane;
  readonly #in: Lane;
  readonly #meta = new TxMeta();
  #far: PipeEnd | null = null;
  #port: LinkPort | null = null;
  /** A buffer lent to `transmit` that came back empty: kept for the next time. */
  #spare: PacketBuffer | null = null;

  /** @internal */
  constructor(options: PipeOptions, mac: Uint8Array | null, shared: Shared, out: Lane, into: Lane) {
    this.medium = options.medium ?? 'ip';
    this.mtu = options.mtu ?? 1500;
    this.caps = options.caps ?? PLAIN_LINK;
    this.mac = mac;
    this.#shared = shared;
    this.#out = out;
    this.#in = into;
  }

  /** Packets that wait to be delivered to the far end. */
  get pendingOut(): number {
    return this.#out.count;
  }

  /** @internal */
  join(far: PipeEnd): void {
    this.#far = far;
  }

  open(port: LinkPort): void {
    this.#port = port;
    if (this.#in.count > 0) this.#shared.wake();
  }

  pump(): void {
    const port = this.#port;
    if (port === null) return;
    const lane = this.#out;
    const { slots } = lane;
    const capacity = slots.length;
    const meta = this.#meta;
    const shared = this.#shared;
    let sent = false;
    while (lane.count < capacity) {
      const buffer = this.#spare ?? shared.pool.take();
      this.#spare = buffer;
      meta.reset();
      meta.id = shared.lastId + 1;
      const length = port.transmit(buffer.bytes, buffer.at, meta);
      if (length === 0) break;
      shared.lastId = meta.id;
      this.#spare = null;
      let at = lane.head + lane.count;
      if (at >= capacity) at -= capacity;
      const slot = slots[at]!;
      slot.buffer = buffer;
      slot.length = length;
      copyMeta(meta, slot.meta);
      lane.count++;
      sent = true;
    }
    if (lane.count >= capacity) lane.blocked = true;
    if (sent) shared.wake();
  }

  /**
   * Hands over the packets that wait for this end now, and no later ones.
   *
   * @internal
   */
  deliverIncoming(): boolean {
    const lane = this.#in;
    const port = this.#port;
    const { pool, loan } = this.#shared;
    let left = lane.count;
    if (left === 0) return false;
    while (left-- > 0 && lane.count > 0) {
      const slot = lane.slots[lane.head]!;
      lane.head = lane.head + 1 === lane.slots.length ? 0 : lane.head + 1;
      lane.count--;
      const buffer = slot.buffer!;
      slot.buffer = null;
      slot.meta.lender = loan.offer(buffer, slot.length);
      // An end that is not open, or closed by now, hears nothing: the packet is gone, as on a cable.
      port?.receive(buffer.bytes, buffer.at, buffer.at + slot.length, slot.meta);
      if (loan.buffer !== null) pool.release(buffer);
    }
    port?.turn();
    this.#far?.drained();
    return true;
  }

  /** @internal */
  drained(): void {
    if (!this.#out.blocked || this.#out.count >= this.#out.slots.length) return;
    this.#out.blocked = false;
    this.#port?.writable();
  }

  close(): void {
    this.#port = null;
    if (this.#spare !== null) this.#shared.pool.release(this.#spare);
    this.#spare = null;
    this.#empty(this.#in);
    this.#far?.drained();
  }

  #empty(lane: Lane): void {
    for (const slot of lane.slots) {
      if (slot.buffer !== null) this.#shared.pool.release(slot.buffer);
      slot.buffer = null;
    }
    lane.count = 0;
  }
}

/** What the sender's host said of a packet is what the receiver's host learns: no wire lies between. */
function copyMeta(from: TxMeta, to: RxMeta): void {
  to.id = from.id;
  to.checksum = from.checksum;
  to.csumStart = from.csumStart;
  to.csumOffset = from.csumOffset;
  to.gsoType = from.gsoType;
  to.gsoSize = from.gsoSize;
}

/**
 * Makes a pipe between two hosts in one process.
 *
 * @throws RangeError when `mtu` or `capacity` is out of range
 * @example
 * ```ts
 * const pipe = createPipe({ medium: 'ethernet', mtu: 1500 });
 * runtimeA.attach(pipe.a, { addresses: ['10.0.0.1/24'] });
 * runtimeB.attach(pipe.b, { addresses: ['10.0.0.2/24'] });
 * while (pipe.deliverPending());
 * ```
 */
export function createPipe(options: PipeOptions = {}): Pipe {
  const mtu = options.mtu ?? 1500;
  const capacity = options.capacity ?? 256;
  if (!(Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535))
    throw new RangeError(`pipe: mtu ${mtu} is not in [68, 65535]`);
  if (!(Number.isInteger(capacity) && capacity >= 1))
    throw new RangeError(`pipe: capacity ${capacity} is not at least 1`);
  const largest = Math.max(mtu, options.caps?.tso ?? 0);
  const pool = new PacketPool(largest + ETHERNET_HEADER);
  const shared = new Shared(pool, options.schedule ?? null);
  const ethernet = options.medium === 'ethernet';
  const macs = options.macs ?? [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)];
  const ab = new Lane(capacity);
  const ba = new Lane(capacity);
  const a = new PipeEnd(options, ethernet ? macs[0] : null, shared, ab, ba);
  const b = new PipeEnd(options, ethernet ? macs[1] : null, shared, ba, ab);
  a.join(b);
  b.join(a);
  shared.ends = [a, b];
  return { a, b, deliverPending: () => shared.deliver() };
}
