// The connections that `fetch` keeps between exchanges: the pool of `http/`, with this host's streams and time.

import { ClientPool, type PooledHandlers, type PooledRequest, type RequestInit } from '../http/index.ts';
import { open, type Route } from './dial.ts';
import { later, type WebEnv } from './web-host.ts';

/** Origins that are remembered while nothing is going on. */
const MOST_ROUTES = 1000;

/** Requests to origins, on as few connections as it takes. */
export class Pool {
  readonly #env: WebEnv;
  readonly #pool: ClientPool;
  /** Where the connections of an origin lead, as the last request that was made to it says. */
  readonly #routes: Map<string, Route> = new Map();
  /** When the timer that is set will fire. */
  #due: number = Number.POSITIVE_INFINITY;
  #undo: () => void = () => undefined;

  constructor(env: WebEnv) {
    this.#env = env;
    this.#pool = new ClientPool({
      connect: (key) => open(env, this.#routes.get(key)!),
      perOrigin: env.perOrigin,
      keepIdle: env.keepIdle,
      connectTimeout: env.timeouts.connect,
      onWake: () => this.#look(),
    });
  }

  /** Sends a request. Throws as `ClientPool.request` does. */
  request(route: Route, init: RequestInit, handlers: PooledHandlers): PooledRequest {
    // One entry for each origin ever asked; the oldest give way, unless the pool may still need them.
    if (this.#routes.size >= MOST_ROUTES && this.#pool.connections === 0) this.#routes.clear();
    this.#routes.set(route.key, route);
    return this.#pool.request(route.key, init, handlers);
  }

  /** Closes idle connections, and from now on those that become idle. */
  close(): void {
    this.#pool.close();
  }

  /** Sets the one timer to what is due next. */
  #look(): void {
    const { clock } = this.#env;
    if (clock === null) return;
    const now = clock.now();
    const next = this.#pool.nextDeadline(now);
    if (next === this.#due) return;
    this.#undo();
    this.#due = next;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#undo = later(this.#env, Math.max(0, next - now), () => {
      this.#due = Number.POSITIVE_INFINITY;
      this.#pool.timersFire(clock.now());
      this.#look();
    });
  }
}
