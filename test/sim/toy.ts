// A toy that behaves like a host: it sends what it is told to, and writes down what it gets.

import type { RxMeta, TxMeta } from '../../src/base/packet.ts';
import type { HostLike, InterfaceSpec } from '../../src/sim/owner.ts';

export interface Arrival {
  at: number;
  bytes: Uint8Array;
  id: number;
}

export class ToyHost implements HostLike {
  now = 0;
  specs: InterfaceSpec[] = [];
  arrivals: Arrival[] = [];
  /** Views of what arrived, kept past the call on purpose: the pool must spoil them. */
  kept: Uint8Array[] = [];
  outgoing: Uint8Array[] = [];
  deadline = Number.POSITIVE_INFINITY;
  fired: number[] = [];
  /** What to do with an arrival, in `deliver`. */
  onPacket: ((bytes: Uint8Array) => void) | null = null;
  /** What to do when the timer fires; without it the timer is just cleared. */
  onTimer: (() => void) | null = null;
  #events: Uint8Array[] = [];

  send(...octets: number[]): void {
    this.outgoing.push(Uint8Array.from(octets));
  }

  tick(now: number): void {
    this.now = now;
  }

  addInterface(spec: InterfaceSpec): number {
    this.specs.push(spec);
    return this.specs.length - 1;
  }

  receive(_i: number, bytes: Uint8Array, from: number, to: number, meta: RxMeta, now: number): void {
    const copy = bytes.slice(from, to);
    this.kept.push(bytes.subarray(from, to));
    this.arrivals.push({ at: now, bytes: copy, id: meta.id });
    this.#events.push(copy);
  }

  transmit(_i: number, out: Uint8Array, at: number, _meta: TxMeta, _now: number): number {
    const next = this.outgoing.shift();
    if (next === undefined) return 0;
    out.set(next, at);
    return next.length;
  }

  nextDeadline(): number {
    return this.deadline;
  }

  timersFire(now: number): void {
    this.fired.push(now);
    if (this.onTimer === null) this.deadline = Number.POSITIVE_INFINITY;
    else this.onTimer();
  }

  deliver(): boolean {
    const event = this.#events.shift();
    if (event === undefined) return false;
    this.onPacket?.(event);
    return true;
  }
}
