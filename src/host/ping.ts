// Echo requests: sending one, and finding the request that a reply answers (RFC 792, RFC 4443 §4).

import { NetError } from '../base/errors.ts';
import type { Address } from '../wire/address.ts';
import type { Host } from './host.ts';
import { queueEcho } from './output.ts';

/** What `ping` needs to know. */
export interface PingOptions {
  readonly address: string;
  /** Octets of data, 0 to 1400; 56 by default, as the usual command sends. */
  readonly size?: number;
  /** Milliseconds to wait; 1000 by default. */
  readonly timeout?: number;
}

/** Called once: with an error, or with the round-trip time in milliseconds. */
export type PingDone = (error: NetError | null, rtt: number) => void;

/**
 * Sends one echo request from a host; `done` is called once, from `Host.deliver`.
 *
 * @throws `RangeError` for an address that is none, `StateError` once the host is closed
 */
export function ping(host: Host, options: PingOptions, done: PingDone): void {
  host.assertOpen();
  const remote = host.addressOf(options.address);
  host.begin();
  host.pings ??= new Pings();
  const i = host.wayTo(remote);
  const local = i === null ? null : host.sourceFor(i, remote);
  if (i === null || local === null) {
    host.pings.fail(done, new NetError('ENETUNREACH', 'ping', options.address));
    return;
  }
  const id = host.pings.start(remote, host.now, options.timeout ?? 1000, done);
  const data = new Uint8Array(options.size ?? 56).map((_, n) => n & 0xff);
  queueEcho(host, i, local, remote, true, id, 1, data, 0, data.length);
}

/** One request on its way. */
interface Pending {
  readonly id: number;
  readonly remote: Address;
  readonly sentAt: number;
  readonly deadline: number;
  readonly done: PingDone;
}

/** The echo requests of a host that are not answered yet. */
export class Pings {
  #pending: Pending[] = [];
  /** What is finished and to be told when events are delivered. */
  #finished: { done: PingDone; error: NetError | null; rtt: number }[] = [];
  #nextId = 1;

  /** Whether `deliver` would call anybody. */
  get hasEvents(): boolean {
    return this.#finished.length > 0;
  }

  /** Remembers a request and returns its identifier, 1 to 65535. */
  start(remote: Address, now: number, timeout: number, done: PingDone): number {
    const id = this.#nextId;
    this.#nextId = id === 0xffff ? 1 : id + 1;
    this.#pending.push({ id, remote, sentAt: now, deadline: now + timeout, done });
    return id;
  }

  /** A reply arrived; false when it answers nothing we asked. */
  answered(id: number, w0: number, w1: number, w2: number, w3: number, now: number): boolean {
    const i = this.#pending.findIndex((p) => {
      const r = p.remote;
      return p.id === id && r.w3 === w3 && r.w2 === w2 && r.w1 === w1 && r.w0 === w0;
    });
    if (i < 0) return false;
    const [p] = this.#pending.splice(i, 1);
    if (p !== undefined) this.#finished.push({ done: p.done, error: null, rtt: now - p.sentAt });
    return true;
  }

  /** The network said that the request with this identifier cannot arrive. */
  unreachable(id: number, code: 'EHOSTUNREACH' | 'ENETUNREACH' | 'ECONNREFUSED'): boolean {
    const i = this.#pending.findIndex((p) => p.id === id);
    if (i < 0) return false;
    const [p] = this.#pending.splice(i, 1);
    if (p !== undefined) this.fail(p.done, new NetError(code, 'ping', p.remote.toString()));
    return true;
  }

  /** Tells `done` of an error when events are delivered. */
  fail(done: PingDone, error: NetError): void {
    this.#finished.push({ done, error, rtt: -1 });
  }

  /** The earliest time at which a request is given up. */
  nextDeadline(): number {
    let t = Number.POSITIVE_INFINITY;
    for (const p of this.#pending) if (p.deadline < t) t = p.deadline;
    return t;
  }

  /** Gives up what is due. */
  timersFire(now: number): void {
    if (this.#pending.length === 0) return;
    const due = this.#pending.filter((p) => p.deadline <= now);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((p) => p.deadline > now);
    for (const p of due) this.fail(p.done, new NetError('ETIMEDOUT', 'ping', p.remote.toString()));
  }

  /** Gives up everything. */
  close(): void {
    for (const p of this.#pending) this.fail(p.done, new NetError('ECONNABORTED', 'ping', p.remote.toString()));
    this.#pending = [];
  }

  /** Calls back for everything finished; true when there was any. */
  deliver(): boolean {
    if (this.#finished.length === 0) return false;
    const finished = this.#finished;
    this.#finished = [];
    for (const f of finished) f.done(f.error, f.rtt);
    return true;
  }
}
