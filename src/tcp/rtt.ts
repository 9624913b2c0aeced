// Round-trip time and retransmission timeout (RFC 6298, with Karn's rule).

import type { Profile } from '../base/profile.ts';
import { seqGt, seqLe } from '../base/seq.ts';

/** Four mean deviations as Linux follows them: the largest of a round trip counts, and falls only slowly. */
class Deviations {
  #deviation: number;
  #largest: number;
  /** What the timeout has of them, ms. */
  spread: number;
  /** Where the round trip ends. */
  #roundEnd: number;

  /** The first measurement of `r` ms. */
  constructor(r: number, nxt: number, floor: number) {
    this.#deviation = 2 * r;
    this.spread = Math.max(this.#deviation, floor);
    this.#largest = this.spread;
    this.#roundEnd = nxt;
  }

  /** Another one, which is so far from the smoothed time. */
  measured(error: number, una: number, nxt: number, floor: number): void {
    let more = (error < 0 ? -error : error) - this.#deviation / 4;
    // A path that gets quicker is no reason to wait longer.
    if (error < 0 && more > 0) more /= 8;
    this.#deviation += more;
    if (this.#deviation > this.#largest) {
      this.#largest = this.#deviation;
      if (this.#largest > this.spread) this.spread = this.#largest;
    }
    if (!seqGt(una, this.#roundEnd)) return;
    if (this.#largest < this.spread) this.spread -= (this.spread - this.#largest) / 4;
    this.#roundEnd = nxt;
    this.#largest = floor;
  }
}

/**
 * The segment that is being timed: one at a time. A segment that was sent again is not timed (Karn: an acknowledgement
 * cannot say which copy it answers), so `sentAgain` abandons a measurement that the copy would blur.
 */
export class Timing {
  on = false;
  /** The segment ends at this sequence number, and left then; only while `on`. */
  seq = 0;
  at = 0.5;

  /** New octets up to `end` (exclusive) were sent. */
  sent(end: number, now: number): void {
    if (this.on) return;
    this.on = true;
    this.seq = end;
    this.at = now;
  }

  /** Octets from `from` on were sent again: Karn's rule. */
  sentAgain(from: number): void {
    if (this.on && seqGt(this.seq, from)) this.on = false;
  }

  /** SND.UNA moved to `una`: the round-trip time, when that acknowledges the segment; -1 otherwise. */
  acked(una: number, now: number): number {
    if (!this.on || !seqLe(this.seq, una)) return -1;
    this.on = false;
    return now - this.at;
  }
}

/** Estimates the round-trip time and keeps the retransmission timeout. */
export class RttEstimator {
  /** Smoothed round-trip time, ms; -1 before the first measurement. */
  srtt = -1;
  /** Round-trip time variation, ms. */
  rttvar = 0;
  /** Retransmission timeout without back-off, ms. */
  rto: number;
  /** Number of doublings in force (RFC 6298 §5.5). */
  backoff = 0;
  /** Most recent and least measurement, ms; -1 before the first. */
  latest = -1;
  least = -1;
  /** Measurements taken. */
  samples = 0;
  /** Made where every acknowledgement is a measurement. */
  #deviations: Deviations | null = null;

  constructor(profile: Profile) {
    this.rto = profile.rtoInitial;
  }

  /** The timeout to arm, back-off included, ms. */
  timeout(profile: Profile): number {
    let rto = this.rto;
    for (let i = this.backoff; i > 0 && rto < profile.rtoMax; i--) rto *= 2;
    if (this.srtt >= 0 || this.backoff > 0) rto += profile.rtoSlop;
    return Math.min(rto, profile.rtoMax);
  }

  /**
   * Takes one of the measurements that every acknowledgement brings, as Linux does: four mean deviations, of which the
   * largest in a round trip counts, with the least the profile has, and smaller ones only slowly.
   */
  measureEach(r: number, una: number, nxt: number, profile: Profile): void {
    const floor = profile.rtoVariationMin;
    this.#took(r);
    if (this.srtt < 0) {
      this.srtt = r;
      this.#deviations = new Deviations(r, nxt, floor);
    } else {
      // Of a connection that was measured otherwise, or elsewhere, the variation is what is known.
      this.#deviations ??= new Deviations(2 * this.rttvar, nxt, floor);
      this.#deviations.measured(r - this.srtt, una, nxt, floor);
      this.srtt += (r - this.srtt) / 8;
    }
    this.rttvar = this.#deviations.spread / 4;
    this.#setRto(this.#deviations.spread, profile);
  }

  /** Takes one measurement `r` in ms (RFC 6298 §2.2, §2.3). */
  measure(r: number, profile: Profile): void {
    this.#took(r);
    if (this.srtt < 0) {
      this.srtt = r;
      this.rttvar = r / 2;
    } else {
      const error = this.srtt - r;
      this.rttvar += ((error < 0 ? -error : error) - this.rttvar) / 4;
      this.srtt += (r - this.srtt) / 8;
    }
    this.#setRto(Math.max(4 * this.rttvar, profile.rtoVariationMin), profile);
  }

  #took(r: number): void {
    // "Once a new RTT measurement is obtained" the back-off ends (RFC 6298 §5), and not before: an
    // acknowledgement of what was sent again says nothing about the path's delay (Karn).
    this.backoff = 0;
    this.samples++;
    this.latest = r;
    if (this.least < 0 || r < this.least) this.least = r;
  }

  /** RTO <- SRTT + max(G, K*RTTVAR), within the profile's bounds (RFC 6298 §2.3 to §2.5). */
  #setRto(spread: number, profile: Profile): void {
    const rto = this.srtt + Math.max(spread, profile.clockGranularity);
    this.rto = rto < profile.rtoMin ? profile.rtoMin : Math.min(rto, profile.rtoMax);
  }
}
