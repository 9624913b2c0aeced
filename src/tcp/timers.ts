// The deadlines of one connection, in one row; the host keeps the earliest of them in its wheel. And that one fired, for traces.

import type { TimerEvent } from '../base/trace.ts';
import type { Connection } from './connection.ts';
import { Rack, Recovery } from './losses.ts';
import { Timing } from './rtt.ts';

/** A deadline that is not set. */
export const OFF: number = Number.POSITIVE_INFINITY;

/**
 * What a connection has while it is busy: deadlines, milliseconds on the host's clock, `OFF` when not armed; and what it
 * knows of losses. It has a row of its own while anything is armed or known (`Connection.arm`), and `NO_TIMERS`
 * otherwise: idle connections are many, and a row is 500 octets.
 */
export class Timers {
  readonly rack: Rack = new Rack();
  readonly recovery: Recovery = new Recovery();
  readonly timing: Timing = new Timing();
  /** Zero-window probes sent since the window was shut. */
  probes = 0;
  /** Lost segments sent again in a row, and where the last of them ended. */
  againRun = 0;
  againEnd = 0;
  /** Since when the peer has acknowledged nothing new of what is in flight, or answers no probe: a time, and no deadline. */
  silentSince = 0.5;
  /** Retransmission (RFC 6298); armed while anything is in flight. */
  retransmit: number = OFF;
  /** Reordering window of RACK (RFC 8985 §6.2 step 5). */
  reorder: number = OFF;
  /** Tail loss probe (RFC 8985 §7.2). */
  probe: number = OFF;
  /** Zero-window probe or silly-window override; armed while data waits and nothing is in flight. */
  persist: number = OFF;
  /** The end of a wait for pacing. */
  pace: number = OFF;
  /** Delayed acknowledgement (RFC 9293 §3.8.6.3). */
  delayedAck: number = OFF;
  /** Keep-alive (RFC 9293 §3.8.4), when the program asked for it. */
  keepAlive: number = OFF;
  /** End of FIN-WAIT-2 when nobody can read any more. */
  finWait2: number = OFF;
  /** End of TIME-WAIT (2MSL). */
  timeWait: number = OFF;

  /** The earliest of them. */
  get earliest(): number {
    let t = this.retransmit;
    if (this.persist < t) t = this.persist;
    if (this.reorder < t) t = this.reorder;
    if (this.probe < t) t = this.probe;
    if (this.pace < t) t = this.pace;
    if (this.delayedAck < t) t = this.delayedAck;
    if (this.keepAlive < t) t = this.keepAlive;
    if (this.finWait2 < t) t = this.finWait2;
    if (this.timeWait < t) t = this.timeWait;
    return t;
  }

  /** Nothing is armed, and nothing known that counts: the next connection finds it as it was new, but for `Rack.begin`. */
  reset(): void {
    this.recovery.clear();
    this.timing.on = false;
    this.probes = 0;
    this.againRun = 0;
  }

  /** Disarms all of them. */
  clear(): void {
    this.retransmit = OFF;
    this.persist = OFF;
    this.reorder = OFF;
    this.probe = OFF;
    this.pace = OFF;
    this.delayedAck = OFF;
    this.keepAlive = OFF;
    this.finWait2 = OFF;
    this.timeWait = OFF;
  }
}

/** Tells the trace that a timer did its work, for the `count`th time in a row. */
export function traceTimer(c: Connection, timer: TimerEvent['timer'], count: number): void {
  const { env } = c;
  if (env.trace !== null) {
    env.trace({ type: 'timer', at: env.now, host: env.name, conn: c.id, timer, count });
  }
}

/** The row of all connections that are idle. Nothing is ever written into it but what it holds. */
export const NO_TIMERS: Timers = new Timers();
