// The connections that `fetch` keeps between exchanges: the pool of `http/`, with this host's streams and time.

import { ClientPool, type PooledHandlers, type PooledRequest, type RequestInit } from '../http/index.ts';
import { later, type WebEnv } from './web-host.ts';

/** Requests to addresses and ports, on as few connections as it takes. */
export class Pool {
  readonly #env: WebEnv;
  readonly #pool: ClientPool;
  /** When the timer that is set will fire. */
  #due: number = Number.POSITIVE_INFINITY;
  #undo: () => void = () => undefined;

  constructor(env: WebEnv) {
    this.#env = env;
    this.#pool = new ClientPool({
      connect: (origin) => {
        const at = origin.lastIndexOf(' ');
        return env.host.connect({ address: origin.slice(0, at), port: Number(origin.slice(at + 1)) });
      },
      perOrigin: env.perOrigin,
      keepIdle: env.keepIdle,
      connectTimeout: env.timeouts.connect,
      onWake: () => this.#look(),
    });
  }

  /** Sends a request. Throws as `ClientPool.request` does. */
  request(address: string, port: number, init: RequestInit, handlers: PooledHandlers): PooledRequest {
    return this.#pool.request(`${address} ${port}`, init, handlers);
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
