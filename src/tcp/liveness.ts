// Whether the other end is still there: keep-alive (RFC 9293 §3.8.4), the user timeout (§3.8.3, RFC 5482 §3), and how often
// an opening is tried.

import type { Connection } from './connection.ts';
import { OFF, traceTimer } from './timers.ts';

/** Settings and state; a connection has one only when the program asked for either. Milliseconds. */
export class Liveness {
  /** Keep-alive: on, idle time before the first probe, time between probes, probes without an answer. */
  keepAlive = false;
  idle = 7_200_000;
  interval = 75_000;
  count = 9;
  /** Probes sent since the peer was last heard. */
  probes = 0;
  /** When a segment of this connection last arrived. */
  heard = 0.5;
  /** How long data may stay unacknowledged, or a shut window unanswered; 0 for no limit but the retries, -1 for the profile's. */
  userTimeout = -1;
  /** Retransmissions of our SYN; -1 for the profile's. */
  synRetries = -1;
  /** The peer has acknowledged our SYN,ACK, and the listener waits for its first octets for so many timeouts; 0 if not. */
  deferral = 0;
}

/** Whether a timeout in SYN-RECEIVED passes without a SYN,ACK: the peer has it, and owes us text. The last one is sent. */
export function awaitsText(c: Connection): boolean {
  return c.liveness !== null && c.retries < c.liveness.deferral - 1;
}

/** Arms or disarms the keep-alive timer after a setting or the state changed (RFC 9293 MUST-24: off unless asked). */
export function armKeepAlive(c: Connection): void {
  const { liveness, env } = c;
  const runs = liveness?.keepAlive === true && c.isSynchronised() && c.state !== 'TIME-WAIT';
  if (runs) c.arm().keepAlive = env.now + liveness.idle;
  else c.timers.keepAlive = OFF;
}

/** A segment arrived: the peer lives. The timer is left to find out when it fires. */
export function heardFrom(c: Connection, liveness: Liveness): void {
  liveness.heard = c.env.now;
  liveness.probes = 0;
}

/** The keep-alive timer fired. */
export function keepAliveTimedOut(c: Connection): void {
  const { liveness, timers, env, snd } = c;
  timers.keepAlive = OFF;
  if (liveness === null || !liveness.keepAlive || c.state === 'TIME-WAIT') return;
  const quiet = env.now - liveness.heard;
  // Data in flight, or waiting for the window, is a better question than a probe; its own timers ask it.
  if (quiet < liveness.idle || snd.una !== snd.nxt || c.unsent > 0) {
    c.arm().keepAlive = (quiet < liveness.idle ? liveness.heard : env.now) + liveness.idle;
    return;
  }
  const limit = userTimeoutOf(c);
  const over = limit > 0 ? quiet >= limit : liveness.probes >= liveness.count;
  if (over && liveness.probes > 0) {
    if (limit > 0) traceTimer(c, 'user-timeout', 1);
    c.resetDue = true;
    c.fail(c.softError ?? 'ETIMEDOUT', 'timeout');
    return;
  }
  liveness.probes++;
  traceTimer(c, 'keepalive', liveness.probes);
  env.counts.keepAliveProbes++;
  c.probeDue = true;
  c.arm().keepAlive = env.now + liveness.interval;
}

/** The user timeout of a connection, ms; 0 for none. */
function userTimeoutOf(c: Connection): number {
  const own = c.liveness === null ? -1 : c.liveness.userTimeout;
  return own < 0 ? c.env.profile.userTimeout : own;
}

/**
 * Whether the user timeout has passed for what has been unanswered since `since`; and if not, when the next attempt
 * is due at the latest, so that it passes on time.
 */
export function userTimeoutPassed(c: Connection, since: number): boolean {
  const limit = userTimeoutOf(c);
  return limit > 0 && c.env.now - since >= limit;
}

/** `at`, or the moment at which the user timeout passes when that is earlier. */
export function withinUserTimeout(c: Connection, at: number, since: number): number {
  const limit = userTimeoutOf(c);
  return limit > 0 ? Math.min(at, since + limit) : at;
}
