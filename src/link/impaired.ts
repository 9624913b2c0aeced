// A wrapper around any link that makes it worse, in real time: delay, loss, reordering, a slow line.
//
//   host --transmit--> [ out: a path of sim/ ] --when it has arrived--> inner link --> peer
//   host <--receive--- [ in: another one     ] <---- inner link <-------------------- peer
//
// What happens to the n-th packet follows from the seed, as in a simulation; when it happens follows from the clock, which
// on most platforms is late by a millisecond or so.

import type { NetError } from '../base/errors.ts';
import { type Link, type LinkCaps, type LinkPort, type Medium, PLAIN_LINK } from '../base/link.ts';
import { RxMeta, TxMeta } from '../base/packet.ts';
import { Prng } from '../base/prng.ts';
import { BufferPool, type Flight, type Impairments, Path, Scheduler } from '../sim/index.ts';

/** How a link is made worse. */
export interface ImpairOptions {
  /** Knobs of both directions. */
  readonly impairments?: Partial<Impairments>;
  /** Knobs of what the host sends, and of what it gets; they win over those of both. */
  readonly out?: Partial<Impairments>;
  readonly in?: Partial<Impairments>;
  /** Seed of everything left to chance; 1 when absent. */
  readonly seed?: number;
  /** The platform's own when absent. */
  readonly clock?: ImpairClock;
}

/** A clock and a timer; what tests replace. */
export interface ImpairClock {
  /** Monotonic milliseconds. */
  now(): number;
  setTimer(fire: () => void, delay: number): unknown;
  clearTimer(timer: unknown): void;
}

const PLATFORM: ImpairClock = {
  now: () => performance.now(),
  setTimer: (fire, delay) => setTimeout(fire, delay),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

const ETHERNET_HEADER = 14;
/** Packets that have come through and wait for an inner link that is full; more stay with the host. */
const FULL = 256;

/** A link through two paths. Made by `impairLink`. */
export class ImpairedLink implements Link {
  readonly medium: Medium;
  readonly mtu: number;
  readonly caps: LinkCaps = PLAIN_LINK;
  readonly mac: Uint8Array | null;
  /** What the host sends goes this way; knobs can be turned, and rules added, in mid-flight. */
  readonly out: Path;
  /** What the host gets came this way. */
  readonly in: Path;

  readonly #inner: Link;
  readonly #clock: ImpairClock;
  readonly #pool: BufferPool;
  readonly #flights: Scheduler<Flight> = new Scheduler();
  /** Packets of the host that have come through and wait for the inner link, in order. */
  readonly #through: Flight[] = [];
  readonly #rx: RxMeta = new RxMeta();
  readonly #tx: TxMeta = new TxMeta();
  #port: LinkPort | null = null;
  #timer: unknown = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #ids = 0;

  /** @internal */
  constructor(inner: Link, options: ImpairOptions) {
    if (inner.caps.tso > 0 || inner.caps.txChecksum) {
      throw new RangeError('impairLink: a link with offloads has no packets to lose; open it with `vnet: false`');
    }
    this.#inner = inner;
    this.medium = inner.medium;
    this.mtu = inner.mtu;
    this.mac = inner.mac;
    this.#clock = options.clock ?? PLATFORM;
    this.#pool = new BufferPool(inner.mtu + ETHERNET_HEADER);
    const prng = new Prng(options.seed ?? 1);
    const path = (name: string, stream: number, knobs: Partial<Impairments> | undefined): Path =>
      new Path({
        name,
        medium: inner.medium,
        impairments: { ...options.impairments, ...knobs },
        prng: prng.fork(stream),
        pool: this.#pool,
        queue: this.#flights,
      });
    this.out = path('out', 1, options.out);
    this.in = path('in', 2, options.in);
  }

  open(port: LinkPort): void {
    this.#port = port;
    this.#inner.open({
      receive: (bytes, from, to, meta) => this.#comes(bytes, from, to, meta),
      transmit: (into, at, meta) => this.#give(into, at, meta),
      turn: () => this.#move(),
      writable: () => {
        this.#inner.pump();
        this.#port?.writable();
      },
      refused: () => this.#port?.refused(),
      down: (error) => this.#down(error),
    });
  }

  /** Everything the host has to send is on its way from here on: what is too much for `rate` is dropped, as a router would. */
  pump(): void {
    const meta = this.#tx;
    for (;;) {
      const port = this.#port;
      if (port === null) return;
      if (this.#through.length >= FULL) break;
      const buffer = this.#pool.lend();
      meta.reset();
      const length = port.transmit(buffer, 0, meta);
      if (length === 0) {
        this.#pool.release(buffer);
        break;
      }
      const now = this.#clock.now();
      this.out.send(buffer, length, ++this.#ids, now);
      if (this.#flights.nextAt <= now) this.#takeDue(false);
    }
    this.#inner.pump();
    this.#arm();
  }

  close(): void {
    this.#forget();
    this.#inner.close();
  }

  /** Turns knobs of both directions, in mid-flight too. Throws `RangeError` for a knob that cannot stand so. */
  impair(changes: Partial<Impairments>): void {
    this.out.impair(changes);
    this.in.impair(changes);
  }

  #comes(bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    if (this.#port === null) return;
    const buffer = this.#pool.lend();
    buffer.set(bytes.subarray(from, to));
    this.in.send(buffer, to - from, meta.id, this.#clock.now());
  }

  /** The inner link asks for the next packet that has come through. */
  #give(into: Uint8Array, at: number, meta: TxMeta): number {
    const flight = this.#through.shift();
    if (flight === undefined) return 0;
    meta.reset();
    into.set(flight.buffer.subarray(0, flight.length), at);
    this.out.release(flight);
    return flight.length;
  }

  /** Lets arrive what is due, both ways, and waits for the next. */
  #move(): void {
    const came = this.#takeDue(true);
    // What has come through goes before what the host says to it.
    if (this.#through.length > 0) this.#inner.pump();
    if (came) this.#port?.turn();
    this.#arm();
  }

  /** With `inward` packets for the host reach it; without, they stay: it must not be called from inside its own pump. */
  #takeDue(inward: boolean): boolean {
    const now = this.#clock.now();
    let came = false;
    for (let flight = this.#flights.peek(); flight !== null && flight.at <= now; flight = this.#flights.peek()) {
      if (flight.path === this.in && !inward) break;
      this.#flights.pop();
      if (flight.path === this.out) {
        this.#through.push(flight);
        continue;
      }
      came = true;
      this.#rx.reset();
      this.#rx.id = flight.id;
      this.#port?.receive(flight.buffer, 0, flight.length, this.#rx);
      this.in.release(flight);
    }
    return came;
  }

  #arm(): void {
    const at = this.#port === null ? Number.POSITIVE_INFINITY : this.#flights.nextAt;
    if (at === this.#timerAt) return;
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = null;
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.#move();
      },
      Math.max(0, at - this.#clock.now()),
    );
  }

  #down(error: NetError): void {
    const port = this.#port;
    this.#forget();
    port?.down(error);
  }

  #forget(): void {
    this.#port = null;
    this.#arm();
    // What was on its way is gone, and its buffers with it.
    while (this.#flights.pop() !== null);
    this.#through.length = 0;
  }
}

/**
 * Wraps a link so that its packets are delayed, lost, reordered, doubled, damaged or squeezed through a slow line.
 *
 * @param link one without offloads: a super-segment is not a packet, and would be lost whole
 * @throws RangeError for a link with offloads, and for a knob that cannot stand so
 * @example
 * ```ts
 * const device = openTun({ name: 'synfin0', kernelAddresses: ['10.77.0.1/24'], vnet: false });
 * const link = impairLink(device, { impairments: { delay: 25, loss: 0.01 }, seed: 7 });
 * runtime.attach(link, { addresses: ['10.77.0.2/24'] });
 * link.impair({ loss: 1 }); // the path has gone dark
 * ```
 */
export function impairLink(link: Link, options: ImpairOptions = {}): ImpairedLink {
  return new ImpairedLink(link, options);
}
