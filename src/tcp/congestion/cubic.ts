// CUBIC (RFC 9438) with HyStart++: the window grows with the cube of the time since the last loss.
//
//   W(t) = C (t - K)^3 + Wmax      K = cbrt((Wmax - cwnd) / C)
//
// Windows are octets, times milliseconds; C is in segments per cubic second. Fractions are computed with + - * / only,
// so that every engine gets the same bits.

import { type CongestionControl, type CongestionController, NO_THRESHOLD } from '../../base/congestion.ts';
import { SlowStart } from './slow-start.ts';

/** Scale of the curve, segments per s^3 (§4.6 of RFC 9438: 0.4). */
const C = 0.4;
/** What is left of the window after a loss (§4.6). */
const BETA = 0.7;
/** Growth of the Reno-friendly estimate, segments per window, that has Reno's average with this beta (§4.3). */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

/** Congestion control as RFC 9438 says it. */
export class Cubic implements CongestionController {
  readonly name = 'cubic';
  cwnd = 0;
  ssthresh: number = NO_THRESHOLD;
  readonly pacingRate = 0;
  readonly model = null;
  readonly #slowStart: SlowStart = new SlowStart();
  #mss = 536;
  /** Wmax: the window at the last loss, or less (§4.7). */
  #wMax = 0;
  /** The curve in use: its inflection point in octets, K in seconds, and when it began, ms; NaN before it begins. */
  #origin = 0;
  #k = 0.5;
  #epoch: number = Number.NaN;
  /** When growth was last considered: times in which the program was the limit do not count (§5.8). */
  #last: number = Number.NaN;
  /** West: where Reno would be, octets, and the window before the last loss. */
  #reno = 0.5;
  #prior = 0;
  #priorSsthresh = 0;
  #priorWMax = 0;
  /** Octets of growth not yet whole. */
  #credit = 0.5;
  /** The last round-trip time measured, ms. */
  #rtt = 0.5;
  #afterTimeout = false;

  opened(mss: number, segments: number): void {
    this.#mss = mss;
    this.cwnd = segments * mss;
  }

  resized(mss: number): void {
    this.#mss = mss;
  }

  sampled(rtt: number, una: number, nxt: number): void {
    this.#rtt = rtt;
    if (this.cwnd < this.ssthresh && this.#slowStart.sampled(rtt, una, nxt)) {
      this.ssthresh = this.cwnd;
      this.#slowStart.ended();
    }
  }

  acked(acked: number, limited: boolean, now: number): void {
    const since = now - this.#last;
    this.#last = now;
    if (!limited) {
      // A window that was not used does not grow, and the curve waits meanwhile (RFC 9438 §5.8, RFC 7661).
      if (since > 0) this.#epoch += since;
      return;
    }
    if (this.cwnd < this.ssthresh) {
      this.cwnd = Math.min(this.cwnd + this.#slowStart.growth(acked, this.#mss), this.ssthresh);
      return;
    }
    if (Number.isNaN(this.#epoch)) this.#begin(now);
    this.#avoid(acked, now);
  }

  /** Congestion avoidance begins a curve (§4.2). */
  #begin(now: number): void {
    this.#epoch = now;
    this.#credit = 0;
    this.#reno = this.cwnd;
    if (this.cwnd < this.#wMax && !this.#afterTimeout) {
      this.#origin = this.#wMax;
      this.#k = cubeRoot((this.#wMax - this.cwnd) / this.#mss / C);
    } else {
      // Beyond the old maximum, or after a timeout (§4.8): straight into the convex part.
      this.#origin = this.cwnd;
      this.#k = 0;
    }
    this.#afterTimeout = false;
  }

  /** §4.3 to §4.5: the Reno-friendly, concave and convex regions. */
  #avoid(acked: number, now: number): void {
    const { cwnd } = this;
    const alpha = this.#reno < this.#prior ? ALPHA : 1;
    this.#reno += (alpha * this.#mss * acked) / cwnd;
    if (this.#at(now - this.#epoch) < this.#reno) {
      this.cwnd = Math.max(cwnd, Math.floor(this.#reno));
      return;
    }
    const ahead = this.#at(now - this.#epoch + this.#rtt);
    const target = Math.max(cwnd, Math.min(ahead, 1.5 * cwnd));
    this.#credit += ((target - cwnd) * acked) / cwnd;
    const whole = Math.floor(this.#credit);
    this.#credit -= whole;
    this.cwnd = cwnd + whole;
  }

  /** W(t), octets; `t` in ms. */
  #at(t: number): number {
    const d = t / 1000 - this.#k;
    return this.#origin + C * d * d * d * this.#mss;
  }

  reduce(flightSize: number): void {
    this.#prior = this.cwnd;
    this.#priorSsthresh = this.ssthresh;
    this.#priorWMax = this.#wMax;
    // Fast convergence: a flow that did not get back to its old maximum makes room for a new one (§4.7).
    this.#wMax = this.cwnd < this.#wMax ? (this.cwnd * (1 + BETA)) / 2 : this.cwnd;
    this.ssthresh = Math.max(Math.floor(flightSize * BETA), 2 * this.#mss);
    this.#epoch = Number.NaN;
    this.#slowStart.ended();
  }

  timedOut(flightSize: number, first: boolean): void {
    if (first) this.reduce(flightSize);
    this.cwnd = this.#mss;
    this.#epoch = Number.NaN;
    this.#afterTimeout = true;
    this.#slowStart.restarted();
  }

  undo(): void {
    this.cwnd = Math.max(this.cwnd, this.#prior);
    this.ssthresh = Math.max(this.ssthresh, this.#priorSsthresh);
    this.#wMax = this.#priorWMax;
    this.#afterTimeout = false;
    this.#epoch = Number.NaN;
  }

  idle(segments: number): void {
    this.cwnd = Math.min(this.cwnd, segments * this.#mss);
    this.#epoch = Number.NaN;
  }

  /** `acked` stops the curve while the window is not used. */
  resumed(): void {}
}

/** CUBIC of RFC 9438 with HyStart++, for `congestionControl`; what connections have when nothing is said. */
export const cubic: CongestionControl = () => new Cubic();

/** Cube root by Newton's method: `Math.cbrt` differs between engines in the last bit. `x >= 0`. */
export function cubeRoot(x: number): number {
  if (x <= 0) return 0;
  let guess = 1;
  while (guess * guess * guess < x) guess *= 2;
  // From above the sequence falls until rounding stops it; 64 steps are far more than it needs.
  for (let i = 0; i < 64; i++) {
    const next = (2 * guess + x / (guess * guess)) / 3;
    if (next >= guess) break;
    guess = next;
  }
  return guess;
}
