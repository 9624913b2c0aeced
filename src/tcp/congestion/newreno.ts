// Reno's window: slow start, congestion avoidance, and half of it after a loss (RFC 5681).

import { type CongestionControl, type CongestionController, NO_THRESHOLD } from '../../base/congestion.ts';
import { SlowStart } from './slow-start.ts';

/** Congestion control as RFC 5681 says it, counting octets (RFC 3465). */
class NewReno implements CongestionController {
  readonly name = 'newreno';
  cwnd = 0;
  ssthresh: number = NO_THRESHOLD;
  readonly pacingRate = 0;
  readonly model = null;
  readonly #slowStart: SlowStart = new SlowStart();
  #mss = 536;
  /** Octets acknowledged in congestion avoidance since the window last grew (RFC 5681 §3.1). */
  #credit = 0;
  /** As it was before the last loss. */
  #priorCwnd = 0;
  #priorSsthresh = 0;

  opened(mss: number, segments: number): void {
    this.#mss = mss;
    this.cwnd = segments * mss;
  }

  resized(mss: number): void {
    this.#mss = mss;
  }

  sampled(): void {}

  acked(acked: number, limited: boolean): void {
    // A window that was not used is not evidence that the path carries it (RFC 7661).
    if (!limited) return;
    if (this.cwnd < this.ssthresh) {
      this.cwnd = Math.min(this.cwnd + this.#slowStart.growth(acked, this.#mss), this.ssthresh);
      return;
    }
    this.#credit += acked;
    if (this.#credit >= this.cwnd) {
      this.#credit -= this.cwnd;
      this.cwnd += this.#mss;
    }
  }

  reduce(flightSize: number): void {
    this.#priorCwnd = this.cwnd;
    this.#priorSsthresh = this.ssthresh;
    this.ssthresh = this.#half(flightSize);
    this.#credit = 0;
    this.#slowStart.ended();
  }

  timedOut(flightSize: number, first: boolean): void {
    if (first) this.reduce(flightSize);
    this.cwnd = this.#mss;
    this.#credit = 0;
    this.#slowStart.restarted();
  }

  undo(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
    this.ssthresh = Math.max(this.ssthresh, this.#priorSsthresh);
  }

  idle(segments: number): void {
    this.cwnd = Math.min(this.cwnd, segments * this.#mss);
  }

  resumed(): void {}

  /** RFC 5681 equation 4. */
  #half(flightSize: number): number {
    return Math.max(flightSize >> 1, 2 * this.#mss);
  }
}

/** The window of RFC 5681, for `congestionControl`. */
export const newReno: CongestionControl = () => new NewReno();
