// CUBIC in whole segments and fixed point, as Linux computes it, so that a window can be compared with its windows.
//
// The curve is that of RFC 9438 with C = 0.4 and beta = 0.7, both rounded to 1/1024ths; the windows are segments, the
// time of the curve is 1/1024 s. What differs from `cubic.ts`: growth is one segment for every `pace` acknowledged, the
// curve is looked at 32 times a second at most, the window never grows by more than half of what was acknowledged, and
// a timeout forgets the old maximum.

import { type CongestionControl, type CongestionController, NO_THRESHOLD } from '../../base/congestion.ts';
import { cubeRoot } from './cubic.ts';
import { HyStart } from './hystart.ts';

/** beta, 1/1024ths. */
const BETA = 717;
const ONE = 1024;
/** C, in segments per (1/1024 s)^3 and scaled by 2^40: 0.4 is 410/1024. */
const C = 410;
const C_SCALE = 1_099_511_627_776;
/** Segments to be acknowledged for one of the Reno estimate, eighths of a window (RFC 9438 §4.3). */
const RENO_EIGHTHS = 15;
/** Segments to be acknowledged for one more before the first loss, at most; and while the curve is flat, windows. */
const FIRST_PACE = 20;
const FLAT = 100;
/** Least time between two looks at the curve while the window stands, ms. */
const LOOK = 1000 / 32;
/** Delays are not believed for so long after the curve begins: the queue of the loss is in them, ms. */
const SETTLING = 1000;

/** CUBIC in the arithmetic of Linux. */
export class IntegerCubic implements CongestionController {
  readonly name = 'cubic-integer';
  cwnd = 0;
  ssthresh: number = NO_THRESHOLD;
  readonly pacingRate = 0;
  readonly model = null;
  readonly #hyStart: HyStart = new HyStart();
  #mss = 536;
  /** Least delay measured, ms; 0 before the first. */
  #leastRtt = 0;
  /** The window at the last loss, or less; 0 before the first and after a timeout. */
  #wMax = 0;
  /** The curve in use: when it began, ms (NaN: not yet), its inflection point, and its K in 1/1024 s. */
  #epoch: number = Number.NaN;
  #origin = 0;
  #k = 0;
  /** Segments to be acknowledged for one more, and how many have been. */
  #pace = 0;
  #count = 0;
  /** The last look at the curve: when, and at which window. */
  #lookedAt: number = Number.NaN;
  #lookedWindow = 0;
  /** Where Reno would be, and the segments acknowledged that it has not counted. */
  #reno = 0;
  #renoCount = 0;
  /** Octets acknowledged that make no whole segment yet. */
  #rest = 0;
  #priorCwnd = 0;
  #priorSsthresh = 0;

  opened(mss: number, segments: number): void {
    this.#mss = mss;
    this.cwnd = segments * mss;
  }

  resized(mss: number): void {
    this.#mss = mss;
  }

  sampled(rtt: number, una: number, nxt: number, now: number): void {
    if (now - this.#epoch < SETTLING) return;
    if (this.#leastRtt === 0 || rtt < this.#leastRtt) this.#leastRtt = rtt;
    if (this.cwnd >= this.ssthresh) return;
    if (this.#hyStart.sampled(rtt, this.#leastRtt, this.#segments(), una, nxt, now)) this.ssthresh = this.cwnd;
  }

  acked(acked: number, limited: boolean, now: number): void {
    const octets = this.#rest + acked;
    let segments = Math.floor(octets / this.#mss);
    this.#rest = octets - segments * this.#mss;
    if (!limited || segments === 0) return;
    if (this.cwnd < this.ssthresh) {
      const grown = Math.min(this.cwnd + segments * this.#mss, this.ssthresh);
      segments -= Math.floor((grown - this.cwnd) / this.#mss);
      this.cwnd = grown;
      if (segments === 0) return;
    }
    this.#look(segments, now);
    this.#grow(segments);
  }

  /** One segment for every `pace` acknowledged. */
  #grow(segments: number): void {
    const pace = this.#pace;
    if (this.#count >= pace) {
      this.#count = 0;
      this.cwnd += this.#mss;
    }
    this.#count += segments;
    const more = Math.floor(this.#count / pace);
    this.#count -= more * pace;
    this.cwnd += more * this.#mss;
  }

  /** Sets `pace` from where the curve will be in a round trip, and from where Reno would be. */
  #look(segments: number, now: number): void {
    const window = this.#segments();
    this.#renoCount += segments;
    if (window === this.#lookedWindow && now - this.#lookedAt <= LOOK) return;
    if (Number.isNaN(this.#epoch) || now !== this.#lookedAt) this.#followCurve(window, segments, now);
    this.#followReno(window);
    this.#pace = Math.max(this.#pace, 2);
  }

  #followCurve(window: number, segments: number, now: number): void {
    this.#lookedWindow = window;
    this.#lookedAt = now;
    if (Number.isNaN(this.#epoch)) {
      this.#epoch = now;
      this.#renoCount = segments;
      this.#reno = window;
      const below = this.#wMax > window;
      this.#origin = below ? this.#wMax : window;
      this.#k = below ? Math.floor(cubeRoot(Math.floor(C_SCALE / C) * (this.#wMax - window))) : 0;
    }
    const t = Math.floor(((now - this.#epoch + this.#leastRtt) * ONE) / 1000);
    const d = t - this.#k;
    const away = Math.floor((C * (d < 0 ? -d : d) * d * d) / C_SCALE);
    const target = this.#origin + (d < 0 ? -away : away);
    this.#pace = target > window ? Math.floor(window / (target - window)) : FLAT * window;
    if (this.#wMax === 0 && this.#pace > FIRST_PACE) this.#pace = FIRST_PACE;
  }

  #followReno(window: number): void {
    const each = (window * RENO_EIGHTHS) >> 3;
    while (this.#renoCount > each) {
      this.#renoCount -= each;
      this.#reno++;
    }
    if (this.#reno > window) this.#pace = Math.min(this.#pace, Math.floor(window / (this.#reno - window)));
  }

  reduce(): void {
    const window = this.#segments();
    this.#priorCwnd = this.cwnd;
    this.#priorSsthresh = this.ssthresh;
    this.#epoch = Number.NaN;
    // Fast convergence (RFC 9438 §4.7).
    this.#wMax = window < this.#wMax ? Math.floor((window * (ONE + BETA)) / (2 * ONE)) : window;
    this.ssthresh = Math.max(Math.floor((window * BETA) / ONE), 2) * this.#mss;
  }

  timedOut(_flightSize: number, first: boolean): void {
    if (first) this.reduce();
    this.cwnd = this.#mss;
    this.#wMax = 0;
    this.#leastRtt = 0;
    this.#epoch = Number.NaN;
    this.#pace = 0;
    this.#lookedWindow = 0;
    this.#lookedAt = Number.NaN;
    this.#hyStart.restarted();
  }

  undo(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
    this.ssthresh = Math.max(this.ssthresh, this.#priorSsthresh);
  }

  idle(segments: number): void {
    this.cwnd = Math.min(this.cwnd, segments * this.#mss);
  }

  /** The time without anything in flight is none of the curve's (RFC 9438 §5.8). */
  resumed(idle: number, now: number): void {
    if (idle > 0) this.#epoch = Math.min(this.#epoch + idle, now);
  }

  #segments(): number {
    return Math.max(Math.floor(this.cwnd / this.#mss), 1);
  }
}

/** CUBIC and HyStart in the arithmetic of Linux, for `congestionControl`. */
export const integerCubic: CongestionControl = () => new IntegerCubic();
