// The rate at which the path delivers, measured segment by segment (draft-ietf-ccwg-bbr §4.1).
//
// Between the sending of a segment and its delivery the receiver got so many octets in so much time. The time is the
// longer of how long they took to leave and how long their acknowledgements took to come: a burst of either would
// otherwise look like a fast path.

const SMALLEST = 64;

/** What one acknowledgement says of the rate. Reused. */
export class RateSample {
  /** Octets per ms; 0 when the acknowledgement says nothing. */
  rate = 0.5;
  /** Octets delivered between the sending of the segment and now, and before its sending. */
  delivered = 0;
  priorDelivered = 0;
  /** Octets in flight just after it was sent. */
  sentInFlight = 0;
  /** Octets sent again since then: what was lost in the meantime. */
  lost = 0;
  /** The program, not the path, was the limit then. */
  appLimited = false;
}

/** Measures the rate of one connection. Segments are noted in the order in which they leave, copies included. */
export class DeliveryRate {
  /** Octets delivered so far, and when the last of them was. */
  delivered = 0;
  deliveredAt = 0.5;
  /** Octets sent again so far. */
  lost = 0;
  readonly sample: RateSample = new RateSample();
  /** Until so much is delivered, what was sent may have been too little to measure by; -1 when it was not. */
  #appLimitedTo = -1;
  #firstSentAt = 0.5;
  #head = 0;
  #count = 0;
  #end: Int32Array = new Int32Array(SMALLEST);
  /** Per segment: when it left; delivered, deliveredAt, firstSentAt, in flight and lost as they were then. */
  #columns: Float64Array = new Float64Array(6 * SMALLEST);
  #limited: Uint8Array = new Uint8Array(SMALLEST);

  /** The program had no more to send with `inFlight` octets in flight. */
  appLimited(inFlight: number): void {
    this.#appLimitedTo = this.delivered + inFlight;
  }

  /** A segment that ends at `end` has left; with it `inFlight` octets are in flight. */
  sent(end: number, octets: number, again: boolean, inFlight: number, now: number): void {
    if (inFlight <= octets) {
      // A new flight: the time in between is nobody's.
      this.#firstSentAt = now;
      this.deliveredAt = now;
    }
    if (again) this.lost += octets;
    if (this.#count === this.#end.length) this.#grow();
    const i = (this.#head + this.#count++) & (this.#end.length - 1);
    this.#end[i] = end;
    this.#limited[i] = this.#appLimitedTo >= 0 ? 1 : 0;
    const c = this.#columns;
    const at = 6 * i;
    c[at] = now;
    c[at + 1] = this.delivered;
    c[at + 2] = this.deliveredAt;
    c[at + 3] = this.#firstSentAt;
    c[at + 4] = inFlight;
    c[at + 5] = this.lost;
  }

  /**
   * `octets` were delivered; of the segments with them the last that was sent left at `sentAt` and ended at `end`. Fills
   * `sample`.
   *
   * @param leastRtt a sample over a shorter time is none, ms
   */
  deliver(octets: number, sentAt: number, end: number, leastRtt: number, now: number): void {
    this.delivered += octets;
    this.deliveredAt = now;
    if (this.#appLimitedTo >= 0 && this.delivered > this.#appLimitedTo) this.#appLimitedTo = -1;
    const s = this.sample;
    s.rate = 0;
    s.lost = 0;
    const i = this.#find(sentAt, end);
    if (i < 0) return;
    const c = this.#columns;
    const at = 6 * i;
    s.priorDelivered = c[at + 1]!;
    s.delivered = this.delivered - s.priorDelivered;
    s.sentInFlight = c[at + 4]!;
    s.lost = this.lost - c[at + 5]!;
    s.appLimited = this.#limited[i] === 1;
    const sending = c[at]! - c[at + 3]!;
    const acknowledging = now - c[at + 2]!;
    this.#firstSentAt = c[at]!;
    const interval = Math.max(sending, acknowledging);
    if (interval >= leastRtt && interval > 0) s.rate = s.delivered / interval;
  }

  /** Drops what left before `sentAt` and returns the place of the segment, or -1. */
  #find(sentAt: number, end: number): number {
    const mask = this.#end.length - 1;
    while (this.#count > 0 && this.#columns[6 * this.#head]! < sentAt) {
      this.#head = (this.#head + 1) & mask;
      this.#count--;
    }
    for (let k = 0; k < this.#count; k++) {
      const i = (this.#head + k) & mask;
      if (this.#columns[6 * i]! > sentAt) return -1;
      // A super-segment is noted once, and acknowledged in parts.
      if (((this.#end[i]! - end) | 0) >= 0) return i;
    }
    return -1;
  }

  #grow(): void {
    const size = this.#end.length;
    const end = new Int32Array(2 * size);
    const columns = new Float64Array(12 * size);
    const limited = new Uint8Array(2 * size);
    for (let k = 0; k < this.#count; k++) {
      const i = (this.#head + k) & (size - 1);
      end[k] = this.#end[i]!;
      limited[k] = this.#limited[i]!;
      for (let n = 0; n < 6; n++) columns[6 * k + n] = this.#columns[6 * i + n]!;
    }
    this.#end = end;
    this.#columns = columns;
    this.#limited = limited;
    this.#head = 0;
  }
}
