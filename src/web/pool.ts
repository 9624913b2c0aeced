// The connections that `fetch` keeps between exchanges: the pool of `http/`, with this host's streams and time.

import { ClientPool, type PooledHandlers, type PooledRequest, type RequestInit } from '../http/index.ts';
import { open, type Route } from './dial.ts';
import { later, type WebEnv } from './web-host.ts';

/** Requests to origins, on as few connections as it takes. */
export class Pool {
  readonly #env: WebEnv;
  readonly #pool: ClientPool;
  /** Where the connections of an origin lead, as the last request to it says, as long as any is under way. */
  readonly #routes: Map<string, { route: Route; requests: number }> = new Map();
  /** When the timer that is set will fire. */
  #due: number = Number.POSITIVE_INFINITY;
  #undo: () => void = () => undefined;

  constructor(env: WebEnv) {
    this.#env = env;
    this.#pool = new ClientPool({
      connect: (key) => open(env, this.#routes.get(key)!.route),
      perOrigin: env.perOrigin,
      keepIdle: env.keepIdle,
      connectTimeout: env.timeouts.connect,
      onWake: () => this.#look(),
    });
  }

  /** Sends a request. Throws as `ClientPool.request` does. */
  request(route: Route, init: RequestInit, handlers: PooledHandlers): PooledRequest {
    const { key } = route;
    const entry = this.#routes.get(key) ?? { route, requests: 0 };
    entry.route = route;
    entry.requests++;
    this.#routes.set(key, entry);
    const over = (): void => {
      if (--entry.requests === 0) this.#routes.delete(key);
    };
    try {
      return this.#pool.request(key, init, {
        ...handlers,
        onEnd: () => {
          over();
          handlers.onEnd();
        },
        onError: (error) => {
          over();
          handlers.onError(error);
        },
      });
    } catch (error) {
      over();
      throw error;
    }
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
