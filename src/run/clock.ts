// The platform's clock, its one timer and its "soon", behind an interface that tests can replace.

/** Longest delay a platform's timer takes, ms; a longer one would fire at once. */
export const LONGEST_DELAY: number = 2 ** 31 - 1;

/** A timer that was set; only for `Clock.clearTimer` and `Clock.holdTimer`. */
export type TimerHandle = unknown;

/** What a runtime needs of the platform. */
export interface Clock {
  /** Monotonic milliseconds, fractional, from any origin. */
  now(): number;
  /** Calls `fire` once after `delay` ms, `[0, 2^31-1]`. */
  setTimer(fire: () => void, delay: number): TimerHandle;
  /** Makes a set timer not fire. */
  clearTimer(timer: TimerHandle): void;
  /** Whether a set timer keeps the process alive; nothing on platforms where timers never do. */
  holdTimer(timer: TimerHandle, hold: boolean): void;
  /** Calls `run` soon, on a stack of its own, before the event loop goes on; what it throws is an uncaught error. */
  soon(run: () => void): void;
}

/** A Node, Bun or Deno timer, as far as it is more than a number. */
interface HoldableTimer {
  ref?(): void;
  unref?(): void;
}

// Taken when this is loaded: fake timers that a test runner puts in their place later do not stall a host in real time.
const { performance, setTimeout, clearTimeout, queueMicrotask } = globalThis;
const { now } = performance;
const immediate = (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate;

/** The clock of the platform this runs on: `performance.now`, `setTimeout` and microtasks. */
export function systemClock(): Clock {
  return {
    now: () => now.call(performance),
    setTimer: (fire, delay) => setTimeout(fire, delay),
    clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    holdTimer: (timer, hold) => {
      if (typeof timer !== 'object' || timer === null) return;
      const holdable: HoldableTimer = timer;
      if (hold) holdable.ref?.();
      else holdable.unref?.();
    },
    soon: (run) => {
      due.push(run);
      void settled.then(runNext);
    },
  };
}

// A turn of the microtask queue for each `run`, as `queueMicrotask` gives, which on Node also makes an asynchronous resource,
// a bound function and a closure: 1,071 instructions a turn in place of 384.
const settled = Promise.resolve();
const due: (() => void)[] = [];

function runNext(): void {
  try {
    due.shift()?.();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/**
 * Calls `run` after the platform had a chance to do I/O and fire timers: what a memory pipe's `schedule` wants when
 * two hosts of one process talk for long. `setImmediate` where there is one, else a message to ourselves.
 */
export function afterIo(run: () => void): void {
  if (immediate !== undefined) {
    immediate(run);
    return;
  }
  if (channel === null) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const due = waiting;
      waiting = [];
      for (const each of due) each();
    };
  }
  waiting.push(run);
  if (waiting.length === 1) channel.port2.postMessage(0);
}

let channel: MessageChannel | null = null;
let waiting: (() => void)[] = [];
