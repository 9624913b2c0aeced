// A clock whose time passes only when it is told to, for the parts of `web/` that wait.

import type { Clock, TimerHandle } from '../../src/run/clock.ts';
import { turns } from './memory-host.ts';

/** A clock for `createWeb`; `pass` fires what is due, in order, and lets promises settle in between. */
export class VirtualTime implements Clock {
  #now = 0;
  #next = 1;
  readonly #timers: Map<number, { at: number; fire: () => void }> = new Map();

  now(): number {
    return this.#now;
  }

  setTimer(fire: () => void, delay: number): TimerHandle {
    this.#timers.set(this.#next, { at: this.#now + delay, fire });
    return this.#next++;
  }

  clearTimer(timer: TimerHandle): void {
    this.#timers.delete(timer as number);
  }

  holdTimer(): void {}

  soon(run: () => void): void {
    queueMicrotask(run);
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, timer]) => timer.at <= end)
        .sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].fire();
      await turns(10);
    }
    this.#now = end;
    await turns(10);
  }
}
