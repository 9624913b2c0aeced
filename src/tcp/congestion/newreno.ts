// Reno's window: slow start, congestion avoidance, and half of it after a loss (RFC 5681).

import type { CongestionController } from './controller.ts';

/** Congestion control as RFC 5681 says it, counting octets (RFC 3465). */
export class NewReno implements CongestionController {
  readonly name = 'newreno';
  cwnd = 0;
  // "The initial value of ssthresh SHOULD be set arbitrarily high" (RFC 5681 §3.1).
  ssthresh = 0x3fffffff;
  #mss = 536;
  /** Octets acknowledged in congestion avoidance since the window last grew (RFC 5681 §3.1). */
  #credit = 0;
  /** In the slow start that follows a timeout: an ACK may jump over what had arrived long before. */
  #restarted = false;

  opened(mss: number, segments: number): void {
    this.#mss = mss;
    this.cwnd = segments * mss;
  }

  acked(acked: number, limited: boolean): void {
    // A window that was not used is not evidence that the path carries it (RFC 7661).
    if (!limited) return;
    if (this.cwnd < this.ssthresh) {
      // L=2 for each segment acknowledged would need their count; octets bounded by what was acknowledged
      // grow the window no faster than doubling per round trip, which is the rule's intent (RFC 3465 §2.2).
      // After a timeout L is one segment: the ACK that fills a hole says nothing of the path (RFC 3465 §2.3).
      this.cwnd += this.#restarted ? Math.min(acked, this.#mss) : acked;
      if (this.cwnd >= this.ssthresh) {
        this.cwnd = this.ssthresh;
        this.#restarted = false;
      }
      return;
    }
    this.#credit += acked;
    if (this.#credit >= this.cwnd) {
      this.#credit -= this.cwnd;
      this.cwnd += this.#mss;
    }
  }

  reduce(flightSize: number): void {
    this.ssthresh = this.#half(flightSize);
    this.#credit = 0;
    this.#restarted = false;
  }

  timedOut(flightSize: number, first: boolean): void {
    if (first) this.ssthresh = this.#half(flightSize);
    this.cwnd = this.#mss;
    this.#credit = 0;
    this.#restarted = true;
  }

  idle(segments: number): void {
    const restart = segments * this.#mss;
    if (this.cwnd > restart) this.cwnd = restart;
  }

  /** RFC 5681 equation 4. */
  #half(flightSize: number): number {
    const half = flightSize >> 1;
    return Math.max(half, 2 * this.#mss);
  }
}
