// When connections next want attention: the timer wheel of a host, told once a turn of those that were touched.

import { TimerWheel } from '../base/wheel.ts';
import type { Connection } from '../tcp/connection.ts';
import { timersFire } from '../tcp/timeouts.ts';
import { OFF } from '../tcp/timers.ts';
import { TimeWaits } from './time-wait.ts';

/** Places for touched connections that are kept from turn to turn. */
const DIRTY_KEPT = 1024;

/** The deadlines of the connections of one host. */
export class Deadlines {
  readonly #wheel: TimerWheel = new TimerWheel();
  readonly #timeWaits: TimeWaits;
  /** By handle of the wheel. */
  readonly #timed: (Connection | null)[] = [];
  /** Connections whose earliest deadline may have changed since the wheel was told. */
  readonly #dirty: (Connection | null)[] = [];
  /** How many of `#dirty` there are: emptying an array by its length throws its storage away, every turn. */
  #dirtyCount = 0;

  constructor(timeWaits: TimeWaits) {
    this.#timeWaits = timeWaits;
  }

  /** Connections whose timer is armed. */
  get armed(): number {
    return this.#wheel.armed + this.#timeWaits.size;
  }

  /** The earliest of all; `Infinity` for none. */
  get next(): number {
    return Math.min(this.#wheel.next(), this.#timeWaits.nextDeadline);
  }

  /** A connection's deadlines may have changed. */
  touch(c: Connection): void {
    if (c.inDirty) return;
    c.inDirty = true;
    this.#dirty[this.#dirtyCount++] = c;
  }

  /** Tells the wheel the earliest deadlines of the connections that were touched. */
  settle(): void {
    const dirty = this.#dirty;
    const count = this.#dirtyCount;
    for (let i = 0; i < count; i++) {
      const c = dirty[i]!;
      dirty[i] = null;
      c.inDirty = false;
      if (c.folded) continue;
      if (c.state === 'TIME-WAIT' && TimeWaits.isReady(c)) this.#timeWaits.fold(c);
      const deadline = c.folded ? OFF : c.timers.earliest;
      if (deadline === OFF) {
        // A record of the host's keeps the end of TIME-WAIT; what the program asks of its object reads the row.
        if (!c.folded) c.disarm();
        this.#disarm(c);
        continue;
      }
      if (c.timerHandle < 0) {
        c.timerHandle = this.#wheel.alloc();
        this.#timed[c.timerHandle] = c;
      }
      if (this.#wheel.deadlineOf(c.timerHandle) !== deadline) this.#wheel.arm(c.timerHandle, deadline);
    }
    this.#dirtyCount = 0;
    if (dirty.length > DIRTY_KEPT) dirty.length = 0;
  }

  /** A time that none of them is earlier than; `next` costs more, and is exact. */
  get bound(): number {
    return Math.min(this.#wheel.bound(), this.#timeWaits.nextDeadline);
  }

  /** Fires what is due at `now`. */
  fire(now: number): void {
    this.settle();
    if (this.bound > now) return;
    for (let h = this.#wheel.expire(now); h >= 0; h = this.#wheel.expire(now)) {
      const c = this.#timed[h];
      if (c !== null && c !== undefined) timersFire(c);
    }
    this.#timeWaits.expire(now);
  }

  #disarm(c: Connection): void {
    if (c.timerHandle < 0) return;
    this.#timed[c.timerHandle] = null;
    this.#wheel.free(c.timerHandle);
    c.timerHandle = -1;
  }
}
