// The clock of a simulation: milliseconds that pass only when the simulation says so.

/**
 * Monotonic virtual time in milliseconds, fractional.
 *
 * Only additions, multiplications and comparisons of doubles ever reach it, which every engine rounds
 * the same way, so the same run shows the same times everywhere.
 */
export class VirtualClock {
  #now: number;

  /** @param start the first time shown, ms */
  constructor(start = 0) {
    this.#now = start;
  }

  /** The time now, ms. */
  get now(): number {
    return this.#now;
  }

  /**
   * Moves the clock to `time` (ms). Standing still is allowed, going back is not: a `RangeError`, because
   * an event before `now` is a mistake of whoever scheduled it.
   */
  advanceTo(time: number): void {
    if (!(time >= this.#now)) throw new RangeError(`the clock cannot go from ${this.#now} ms to ${time} ms`);
    this.#now = time;
  }
}
