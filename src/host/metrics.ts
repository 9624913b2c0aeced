// What connections have learnt of the paths to their peers, for those that come after (RFC 9040, temporal sharing).

import { NO_THRESHOLD } from '../base/congestion.ts';
import type { Connection } from '../tcp/connection.ts';
import type { PathMetrics } from '../tcp/env.ts';
import { reorderingDegree } from '../tcp/rack.ts';

/** Peers remembered, and for how long after the last connection with one ended, ms (Linux and FreeBSD: an hour). */
const KEPT = 1024;
const LIFETIME = 3_600_000;

/** Round-trip times a connection has to have measured before its estimate counts (FreeBSD's host cache: four). */
const ENOUGH_SAMPLES = 4;

/** What is known of the path to one peer: times in ms, the threshold in octets; -1 where nothing is. */
interface Known {
  srtt: number;
  rttvar: number;
  ssthresh: number;
  degree: number;
  until: number;
}

/**
 * Metrics by remote address. They come only from connections that were open and ended in good order, so a forged address
 * puts nothing in; and they can only make the next connection wait longer for its first answer, with a bound, or
 * leave slow start sooner, not below the initial window.
 */
export class Metrics implements PathMetrics {
  /** In the order in which they were last stored: the first is the one to forget. */
  readonly #known: Map<string, Known> = new Map();

  /** Peers that are remembered now. */
  get size(): number {
    return this.#known.size;
  }

  /** A connection has ended in good order: what it leaves is merged with what was known. */
  store(c: Connection): void {
    const { env, rtt, addressing } = c;
    // A back-off in force means that the last estimate failed.
    if (env.profile.shareMetrics === 'none' || rtt.samples < ENOUGH_SAMPLES || rtt.backoff > 0) return;
    const key = addressing.remote.toString();
    const old = this.#known.get(key);
    const known =
      old !== undefined && old.until > env.now ? old : { srtt: -1, rttvar: -1, ssthresh: -1, degree: 0, until: 0 };
    mergeTimes(known, rtt.srtt, rtt.rttvar);
    mergeThreshold(known, c);
    if (reorderingDegree(c) > env.profile.dupThresh) known.degree = Math.max(known.degree, c.rack.degree);
    known.until = env.now + LIFETIME;
    this.#known.delete(key);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < KEPT) break;
      this.#known.delete(oldest);
    }
    this.#known.set(key, known);
  }

  /** A connection is open: it starts from what is known. */
  recall(c: Connection): void {
    const { env, cc, snd } = c;
    const { shareMetrics, initialWindow, maxReordering } = env.profile;
    if (shareMetrics === 'none' || this.#known.size === 0) return;
    const key = c.addressing.remote.toString();
    const known = this.#known.get(key);
    if (known === undefined) return;
    if (known.until <= env.now) {
      this.#known.delete(key);
      return;
    }
    recallTimeout(c, known);
    if (known.degree > 0) c.arm().rack.degree = Math.min(known.degree, maxReordering);
    if (shareMetrics === 'all' && known.ssthresh > 0 && cc.model === null) {
      cc.ssthresh = Math.max(known.ssthresh, initialWindow * snd.mss);
    }
  }
}

/** A longer time is believed at once, a shorter one by and by, as Linux merges them. */
function mergeTimes(known: Known, srtt: number, rttvar: number): void {
  known.srtt = srtt >= known.srtt ? srtt : known.srtt - (known.srtt - srtt) / 8;
  known.rttvar = rttvar >= known.rttvar ? rttvar : known.rttvar - (known.rttvar - rttvar) / 4;
}

/** The threshold halfway between what was known and where this connection found it. */
function mergeThreshold(known: Known, c: Connection): void {
  const { cc } = c;
  const half = cc.cwnd >> 1;
  if (cc.model !== null || cc.ssthresh >= NO_THRESHOLD) {
    // It never left slow start: it can show a threshold to be too low, and no more.
    if (known.ssthresh > 0 && half > known.ssthresh) known.ssthresh = half;
    return;
  }
  const found = Math.max(half, cc.ssthresh);
  known.ssthresh = known.ssthresh < 0 ? found : Math.floor((known.ssthresh + found) / 2);
}

/**
 * The first timeout, and not the estimate itself: a measurement is never averaged with that of another hour (Linux).
 * It counts where nothing was measured, because the SYN was sent twice, or where the path used to be slower.
 */
function recallTimeout(c: Connection, known: Known): void {
  const { rtt, env } = c;
  const { rtoMin, rtoAfterSynLoss, rtoVariationMin, clockGranularity } = env.profile;
  if (rtt.srtt >= known.srtt) return;
  const rto = Math.max(known.srtt + Math.max(4 * known.rttvar, clockGranularity, rtoVariationMin), rtoMin);
  const bounded = Math.min(rto, rtoAfterSynLoss);
  rtt.rto = rtt.srtt < 0 ? bounded : Math.max(rtt.rto, bounded);
}
