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

/** Where the window was, and where it goes: what a connection knows once congestion avoidance or a loss has begun. */
class Curve {
  /** Wmax: the window at the last loss, or less (§4.7). */
  wMax = 0;
  /** The curve in use: its inflection point in octets, K in seconds, and when it began, ms; NaN before it begins. */
  origin = 0;
  k = 0.5;
  epoch: number = Number.NaN;
  /** When growth was last considered: times in which the program was the limit do not count (§5.8). */
  last: number = Number.NaN;
  /** West: where Reno would be, octets, and the window before the last loss. */
  reno = 0.5;
  prior = 0;
  priorSsthresh = 0;
  priorWMax = 0;
  /** Octets of growth not yet whole. */
  credit = 0.5;
  afterTimeout = false;

  /** W(t), octets; `t` in ms. */
  at(t: number, mss: number): number {
    const d = t / 1000 - this.k;
    return this.origin + C * d * d * d * mss;
  }

  /** Congestion avoidance begins a curve (§4.2). */
  begin(cwnd: number, mss: number, now: number): void {
    this.epoch = now;
    this.credit = 0;
    this.reno = cwnd;
    if (cwnd < this.wMax && !this.afterTimeout) {
      this.origin = this.wMax;
      this.k = cubeRoot((this.wMax - cwnd) / mss / C);
    } else {
      // Beyond the old maximum, or after a timeout (§4.8): straight into the convex part.
      this.origin = cwnd;
      this.k = 0;
    }
    this.afterTimeout = false;
  }
}

/** Congestion control as RFC 9438 says it. Its parts are made when they are first needed: an idle connection has neither. */
export class Cubic implements CongestionController {
  cwnd = 0;
  ssthresh: number = NO_THRESHOLD;
  #slowStart: SlowStart | null = null;
  #curve: Curve | null = null;
  #mss = 536;
  /** The last round-trip time measured, ms. */
  #rtt = 0.5;
  /** SND.NXT at the first one, of which slow start is told with the second: most idle connections never measure again. */
  #firstNxt: number | null = null;

  get name(): string {
    return 'cubic';
  }

  get pacingRate(): number {
    return 0;
  }

  get model(): null {
    return null;
  }

  opened(mss: number, segments: number): void {
    this.#mss = mss;
    this.cwnd = segments * mss;
  }

  resized(mss: number): void {
    this.#mss = mss;
  }

  sampled(rtt: number, una: number, nxt: number): void {
    const before = this.#rtt;
    this.#rtt = rtt;
    if (this.cwnd >= this.ssthresh) return;
    if (this.#slowStart === null) {
      if (this.#firstNxt === null) {
        this.#firstNxt = nxt;
        return;
      }
      this.#slowStart = new SlowStart();
      this.#slowStart.sampled(before, una, this.#firstNxt);
    }
    if (this.#slowStart.sampled(rtt, una, nxt)) {
      this.ssthresh = this.cwnd;
      this.#slowStart.ended();
    }
  }

  acked(acked: number, limited: boolean, now: number): void {
    const curve = this.#curve;
    if (curve !== null) {
      const since = now - curve.last;
      curve.last = now;
      // A window that was not used does not grow, and the curve waits meanwhile (RFC 9438 §5.8, RFC 7661).
      if (!limited && since > 0) curve.epoch += since;
    }
    if (!limited) return;
    if (this.cwnd < this.ssthresh) {
      const growth = this.#slowStart === null ? acked : this.#slowStart.growth(acked, this.#mss);
      this.cwnd = Math.min(this.cwnd + growth, this.ssthresh);
      return;
    }
    this.#avoid(curve ?? this.#begun(now), acked, now);
  }

  /** The first curve, in congestion avoidance before any loss. */
  #begun(now: number): Curve {
    const curve = new Curve();
    curve.last = now;
    this.#curve = curve;
    return curve;
  }

  /** §4.3 to §4.5: the Reno-friendly, concave and convex regions. */
  #avoid(curve: Curve, acked: number, now: number): void {
    const { cwnd } = this;
    const mss = this.#mss;
    if (Number.isNaN(curve.epoch)) curve.begin(cwnd, mss, now);
    const alpha = curve.reno < curve.prior ? ALPHA : 1;
    curve.reno += (alpha * mss * acked) / cwnd;
    if (curve.at(now - curve.epoch, mss) < curve.reno) {
      this.cwnd = Math.max(cwnd, Math.floor(curve.reno));
      return;
    }
    const ahead = curve.at(now - curve.epoch + this.#rtt, mss);
    const target = Math.max(cwnd, Math.min(ahead, 1.5 * cwnd));
    curve.credit += ((target - cwnd) * acked) / cwnd;
    const whole = Math.floor(curve.credit);
    curve.credit -= whole;
    this.cwnd = cwnd + whole;
  }

  reduce(flightSize: number): void {
    this.#curve ??= new Curve();
    this.#slowStart ??= new SlowStart();
    const curve = this.#curve;
    curve.prior = this.cwnd;
    curve.priorSsthresh = this.ssthresh;
    curve.priorWMax = curve.wMax;
    // Fast convergence: a flow that did not get back to its old maximum makes room for a new one (§4.7).
    curve.wMax = this.cwnd < curve.wMax ? (this.cwnd * (1 + BETA)) / 2 : this.cwnd;
    this.ssthresh = Math.max(Math.floor(flightSize * BETA), 2 * this.#mss);
    curve.epoch = Number.NaN;
    this.#slowStart.ended();
  }

  timedOut(flightSize: number, first: boolean): void {
    if (first) this.reduce(flightSize);
    this.cwnd = this.#mss;
    this.#curve ??= new Curve();
    this.#curve.epoch = Number.NaN;
    this.#curve.afterTimeout = true;
    this.#slowStart ??= new SlowStart();
    this.#slowStart.restarted();
  }

  undo(): void {
    const curve = this.#curve;
    if (curve === null) return;
    this.cwnd = Math.max(this.cwnd, curve.prior);
    this.ssthresh = Math.max(this.ssthresh, curve.priorSsthresh);
    curve.wMax = curve.priorWMax;
    curve.afterTimeout = false;
    curve.epoch = Number.NaN;
  }

  idle(segments: number): void {
    this.cwnd = Math.min(this.cwnd, segments * this.#mss);
    if (this.#curve !== null) this.#curve.epoch = Number.NaN;
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
