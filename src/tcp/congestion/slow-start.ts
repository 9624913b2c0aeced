// Slow start: how the window opens before it knows the path, and HyStart++, which leaves it before loss (RFC 9406).

import { seqGt } from '../../base/seq.ts';

const MIN_RTT_THRESH = 4;
const MAX_RTT_THRESH = 16;
const MIN_RTT_DIVISOR = 8;
const N_RTT_SAMPLE = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

/** The slow start of one connection. */
export class SlowStart {
  /** Conservative slow start: the delay grew, and a few rounds decide whether that lasts (§4.2). */
  #conservative = false;
  #baseline: number = Number.POSITIVE_INFINITY;
  #rounds = 0;
  #lastMin: number = Number.POSITIVE_INFINITY;
  #currentMin: number = Number.POSITIVE_INFINITY;
  #samples = 0;
  #roundEnd = 0;
  #inRound = false;
  /** Only the first slow start looks at delays (§4.3); the one after a timeout is bounded by ssthresh. */
  #first = true;
  /** In the slow start that follows a timeout: an ACK may jump over what had arrived long before. */
  #restarted = false;

  /**
   * A round-trip time was measured in slow start.
   *
   * @returns true when slow start is over (the caller sets ssthresh to cwnd)
   */
  sampled(rtt: number, una: number, nxt: number): boolean {
    if (!this.#first) return false;
    if (!this.#inRound || seqGt(una, this.#roundEnd)) {
      this.#inRound = true;
      this.#roundEnd = nxt;
      this.#lastMin = this.#currentMin;
      this.#currentMin = Number.POSITIVE_INFINITY;
      this.#samples = 0;
      if (this.#conservative && ++this.#rounds >= CSS_ROUNDS) return true;
    }
    if (rtt < this.#currentMin) this.#currentMin = rtt;
    if (++this.#samples < N_RTT_SAMPLE) return false;
    if (this.#conservative) {
      // It was a burst that passed, not a queue that stays.
      if (this.#currentMin < this.#baseline) this.#conservative = false;
    } else if (this.#lastMin !== Number.POSITIVE_INFINITY) {
      const eighth = this.#lastMin / MIN_RTT_DIVISOR;
      const threshold = Math.max(MIN_RTT_THRESH, Math.min(eighth, MAX_RTT_THRESH));
      if (this.#currentMin >= this.#lastMin + threshold) {
        this.#conservative = true;
        this.#baseline = this.#currentMin;
        this.#rounds = 0;
      }
    }
    return false;
  }

  /**
   * Octets the window grows by for `acked` octets acknowledged.
   *
   * L=2 for each segment acknowledged would need their count; octets bounded by what was acknowledged grow the window
   * no faster than doubling per round trip, which is the rule's intent (RFC 3465 §2.2). After a timeout L is one
   * segment: the ACK that fills a hole says nothing of the path (RFC 3465 §2.3).
   */
  growth(acked: number, mss: number): number {
    if (this.#restarted) return Math.min(acked, mss);
    return this.#conservative ? Math.floor(acked / CSS_GROWTH_DIVISOR) : acked;
  }

  /** A loss ended it. */
  ended(): void {
    this.#first = false;
    this.#conservative = false;
    this.#restarted = false;
  }

  /** A timeout starts another one. */
  restarted(): void {
    this.ended();
    this.#restarted = true;
  }
}
