// HyStart as Linux has it: slow start ends when a train of ACKs, or the delay of its first ones, fills the path.
//
// RFC 9406 (`slow-start.ts`) is the later form, with a phase of doubt and without the trains; this one serves
// profiles that have to leave slow start where Linux does. Times are milliseconds.

import { seqGt } from '../../base/seq.ts';

/** Samples of a round trip that are looked at: a delay that lasts shows in the first ones. */
const SAMPLES = 8;
/** ACKs closer together than this belong to one train. */
const TRAIN_GAP = 2;
/** Bounds of the growth of the delay that counts, an eighth of the least one in between. */
const LEAST_GROWTH = 4;
const MOST_GROWTH = 16;
/** Windows of fewer segments say nothing. */
const LOW_WINDOW = 16;

/** The end of the first slow start, by the trains and the delays of each round trip. */
export class HyStart {
  /** It has spoken, or is not asked: no more until a timeout. */
  #found = false;
  /** Least delay of this round, and how many samples it has had. */
  #least: number = Number.POSITIVE_INFINITY;
  #samples = 0;
  /** The round: SND.NXT when it began, when that was, and when the train was last continued. */
  #end = 0;
  #began = 0.5;
  #lastInTrain = 0.5;
  #started = false;

  /**
   * A delay was measured in slow start.
   *
   * @param rtt the sample, and `leastRtt` the least of the connection, ms
   * @param segments the congestion window
   * @returns true when slow start should end here
   */
  sampled(rtt: number, leastRtt: number, segments: number, una: number, nxt: number, now: number): boolean {
    if (this.#found || segments < LOW_WINDOW) return false;
    if (!this.#started || seqGt(una, this.#end)) this.#round(nxt, now);
    if (now - this.#lastInTrain <= TRAIN_GAP) {
      this.#lastInTrain = now;
      // Half the least round trip is the way there: a train that long has filled it.
      if (now - this.#began > leastRtt / 2) this.#found = true;
    }
    if (rtt < this.#least) this.#least = rtt;
    if (this.#samples < SAMPLES) this.#samples++;
    else {
      const growth = Math.min(Math.max(leastRtt / 8, LEAST_GROWTH), MOST_GROWTH);
      if (this.#least >= leastRtt + growth) this.#found = true;
    }
    return this.#found;
  }

  /** A timeout: the slow start that follows is watched like the first. */
  restarted(): void {
    this.#found = false;
    this.#started = false;
  }

  #round(nxt: number, now: number): void {
    this.#started = true;
    this.#end = nxt;
    this.#began = now;
    this.#lastInTrain = now;
    this.#least = Number.POSITIVE_INFINITY;
    this.#samples = 0;
  }
}
