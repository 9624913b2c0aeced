// What the sockets and servers of one host share: the host, the platform, and what keeps the process alive.

import type { ByteStream } from '../base/stream.ts';
import type { Clock, TimerHandle } from '../run/clock.ts';
import type { Lookup, Platform } from './platform.ts';

/** A connection of a host; `Connection` of `synfin` is one. */
export interface NetStream extends ByteStream {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Ends both directions: what was sent still goes out, nothing is read any more. */
  close(): void;
  setNoDelay(on: boolean): void;
  /** Times in ms. */
  setKeepAlive(on: boolean, idle?: number): void;
}

/** A listening port of a host. */
export interface NetListener {
  /** -1 where there are none. */
  readonly port: number;
  close(): void;
}

/** What is needed of a host; `Host` of `synfin` is one. Its owner keeps it running. */
export interface NetHost {
  /** Opens a connection; failures come by `onClose`, or are thrown. */
  connect(options: { address: string; port: number; localAddress?: string; localPort?: number }): NetStream;
  /** Calls `accept` with every connection that comes in. Throws `NetError`. */
  listen(
    options: { port: number; address: string; backlog: number; ipv6Only: boolean },
    accept: (stream: NetStream) => void,
  ): NetListener;
}

/** Options of `createNet`. */
export interface NetOptions {
  /** How names become addresses; the platform's `dns.lookup` by default. */
  readonly lookup?: Lookup;
  /** Time and timers of socket timeouts; the platform's by default. A simulation passes its own. */
  readonly clock?: Clock;
}

/** What the sockets and servers of one host share. */
export interface NetEnv {
  readonly host: NetHost;
  readonly platform: Platform;
  readonly clock: Clock;
  readonly lookup: Lookup;
  readonly hold: Hold;
  /** Whether `connect` tries several addresses of a name, and how long each is given, ms. */
  autoSelectFamily: boolean;
  attemptTimeout: number;
}

/** Counts what should keep the process alive, and does so while there is any. */
export class Hold {
  readonly #platform: Platform;
  #count = 0;
  #release: (() => void) | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** One more (`true`) or one less (`false`). */
  change(more: boolean): void {
    this.#count += more ? 1 : -1;
    if (this.#count > 0) this.#release ??= this.#platform.stayAlive();
    else if (this.#release !== null) {
      this.#release();
      this.#release = null;
    }
  }
}

/** One of those that a `Hold` counts: while it is active, unless the program has said that it does not count. */
export class Holder {
  /** Counted now. */
  held = false;
  /** `unref` was not called last. */
  referenced = true;
  readonly #hold: Hold;
  #active = false;

  constructor(hold: Hold) {
    this.#hold = hold;
  }

  /** Whether there is something to come. */
  setActive(active: boolean): void {
    this.#active = active;
    this.#settle();
  }

  /** What `ref` (`true`) and `unref` of Node do. */
  setReferenced(referenced: boolean): void {
    this.referenced = referenced;
    this.#settle();
  }

  #settle(): void {
    const held = this.#active && this.referenced;
    if (held === this.held) return;
    this.held = held;
    this.#hold.change(held);
  }
}

/** A timeout that restarts often: activity only notes the time, and the timer is set anew when it fires too early. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #idle: () => void;
  readonly #timeout: number;
  #timer: TimerHandle;
  #since: number;

  /** @param timeout ms, more than 0; after as many without `restart` it calls `idle` */
  constructor(clock: Clock, timeout: number, idle: () => void) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#idle = idle;
    this.#since = clock.now();
    this.#timer = this.#set(timeout);
  }

  /** Counts from now. */
  restart(): void {
    this.#since = this.#clock.now();
    this.#timer ??= this.#set(this.#timeout);
  }

  /** Ends it. */
  stop(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #set(delay: number): TimerHandle {
    const timer = this.#clock.setTimer(() => this.#fire(), delay);
    this.#clock.holdTimer(timer, false);
    return timer;
  }

  #fire(): void {
    const left = this.#since + this.#timeout - this.#clock.now();
    this.#timer = null;
    // Platforms' timers fire up to a millisecond early.
    if (left >= 1) this.#timer = this.#set(left);
    else this.#idle();
  }
}
