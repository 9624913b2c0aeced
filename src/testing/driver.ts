// What lets a simulated network go on by itself while a test awaits: in virtual time, or along the real clock.

import timers from 'node:timers';
import { type Clock, systemClock } from '../run/clock.ts';
import type { Network } from '../sim/index.ts';

// Taken now: fake timers of a test runner, put in their place later, do not stop a network.
const { setImmediate, setTimeout, clearTimeout } = timers;
const real: Clock = systemClock();

/**
 * Rounds of the platform's event loop before time moves: callbacks that make others (TLS does, by `setImmediate`) get
 * their turn at the instant they belong to.
 */
const ROUNDS = 3;

/** Lets a network go on. */
export interface Driver {
  /** Time and timers for programs on the network's hosts. */
  readonly clock: Clock;
  /** A host has been given a command. */
  wake(): void;
  /** Settles after `ms` on the network's clock. */
  sleep(ms: number): Promise<void>;
  /** Time stands still until `work` is settled; nothing in real time. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Calls `idle` once nothing has been left to happen for `patience` ms of real time; never in real time. */
  onIdle(patience: number, idle: () => void): void;
  /** Nothing goes on from here. */
  stop(): void;
}

const round = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Jumps from event to event as soon as the program waits. `failed` is told what handlers throw. */
export class VirtualDriver implements Driver {
  readonly clock: Clock;
  readonly #network: Network;
  readonly #failed: (error: unknown) => void;
  #running = false;
  #stopped = false;
  #held: Set<Promise<unknown>> = new Set();
  #patience = Number.POSITIVE_INFINITY;
  #idle: () => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;

  constructor(network: Network, failed: (error: unknown) => void) {
    this.#network = network;
    this.#failed = failed;
    this.clock = {
      now: () => network.now,
      setTimer: (fire, delay) => {
        const undo = network.after(delay, fire);
        this.wake();
        return undo;
      },
      clearTimer: (undo) => (undo as () => void)(),
      holdTimer: () => undefined,
      soon: (run) => queueMicrotask(run),
    };
  }

  wake(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    void this.#run();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms);
    });
  }

  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held.add(work);
    try {
      return await work;
    } finally {
      this.#held.delete(work);
    }
  }

  onIdle(patience: number, idle: () => void): void {
    this.#patience = patience;
    this.#idle = idle;
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const network = this.#network;
    for (;;) {
      const rounds = network.nextAt > network.now ? ROUNDS : 1;
      for (let i = 0; i < rounds; i++) await round();
      for (const work of [...this.#held]) await work.catch(() => undefined);
      if (this.#stopped || network.nextAt === Number.POSITIVE_INFINITY) break;
      try {
        network.step();
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#running = false;
    if (this.#stopped || this.#patience === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(this.#idle, this.#patience);
  }
}

/**
 * Follows the real clock, from 0 on. `failed` is told what handlers throw; with `hold` false what is due on the network
 * does not keep the process alive.
 */
export class RealDriver implements Driver {
  readonly clock: Clock = real;
  readonly #network: Network;
  readonly #failed: (error: unknown) => void;
  readonly #hold: boolean;
  readonly #began: number = real.now();
  #soon = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(network: Network, failed: (error: unknown) => void, hold = true) {
    this.#network = network;
    this.#failed = failed;
    this.#hold = hold;
  }

  wake(): void {
    if (this.#stopped) return;
    this.#network.tick(this.#elapsed());
    if (this.#soon) return;
    this.#soon = true;
    real.soon(() => {
      this.#soon = false;
      this.#turn();
    });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
  }

  hold<T>(work: Promise<T>): Promise<T> {
    return work;
  }

  onIdle(): void {}

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #elapsed(): number {
    return real.now() - this.#began;
  }

  #turn(): void {
    if (this.#stopped) return;
    const network = this.#network;
    try {
      network.tick(this.#elapsed());
      network.run({ until: this.#elapsed() });
    } catch (error) {
      this.#failed(error);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (network.nextAt === Number.POSITIVE_INFINITY) return;
    const delay = Math.min(Math.max(0, Math.ceil(network.nextAt - this.#elapsed())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#turn(), delay);
    if (!this.#hold) this.#timer.unref();
  }
}
