// Pacing: segments leave at the rate of the path instead of in the bursts that acknowledgements come in.
//
// A bucket fills at the rate and is emptied by what is sent. Its depth is the largest burst: a few segments, or what the
// rate brings in the time that a late timer may lose, so that coarse timers slow nothing down. RFC 9002 §7.7 says the
// same for QUIC; the ratios are those of Linux.

import type { Connection } from './connection.ts';
import { OFF } from './timers.ts';

/** The bucket of one connection. */
export class Pacer {
  /** Octets that might leave at `at`. */
  credit = 0.5;
  /** When that was, ms. A bucket that was never used is full. */
  at: number = Number.NEGATIVE_INFINITY;
}

/**
 * The rate at which segments leave, octets of text per ms; 0 for no limit. A controller that knows the rate of the path
 * says it, otherwise it is a window per round trip and somewhat more: twice that in slow start, so that the window
 * can grow (RFC 9002 §7.7).
 */
function pacingRate(c: Connection): number {
  const { cc, rtt } = c;
  if (cc.pacingRate > 0) return cc.pacingRate;
  const { profile } = c.env;
  if (!profile.pacing || rtt.srtt <= 0) return 0;
  const gain = cc.cwnd < cc.ssthresh / 2 ? profile.pacingSlowStart : profile.pacingAvoidance;
  return (gain * cc.cwnd) / rtt.srtt;
}

/** Octets that may leave now, without looking at windows; `Infinity` without pacing. */
function credit(c: Connection, rate: number): number {
  const { profile, now } = c.env;
  const { pacer } = c;
  const depth = Math.max(profile.pacingBurst * c.snd.mss, rate * profile.timerSlack);
  return pacer === null ? depth : Math.min(pacer.credit + (now - pacer.at) * rate, depth);
}

/**
 * How much of `most` octets pacing lets out now, in whole segments of what would be more than one. When it is nothing,
 * `plan.until` says when that changes.
 *
 * @param next octets of the next segment
 */
export function paced(c: Connection, next: number, most: number): number {
  const rate = pacingRate(c);
  if (rate === 0) return most;
  const { mss } = c.snd;
  const available = credit(c, rate);
  const needed = Math.min(next, mss);
  if (available >= needed) return available >= most ? most : Math.max(Math.floor(available / mss) * mss, needed);
  const { plan, now } = c.env;
  // A hair later than computed: rounding must not wake us a moment too early, again and again.
  plan.until = now + (needed - available) / rate + 1e-6;
  return 0;
}

/** `octets` of text have left. */
export function spend(c: Connection, octets: number): void {
  const rate = pacingRate(c);
  if (rate === 0) return;
  const left = credit(c, rate) - octets;
  const rare = c.ownRare();
  rare.pacer ??= new Pacer();
  rare.pacer.credit = left;
  rare.pacer.at = c.env.now;
}

/** Arms the timer that ends a wait for the bucket, or disarms it. */
export function armPacing(c: Connection): void {
  const { env } = c;
  const { until } = env.plan;
  if (c.timers.pace === until) return;
  c.arm().pace = until;
  if (until !== OFF) env.touch(c);
}
