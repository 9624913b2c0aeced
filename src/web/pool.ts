// Connections that `fetch` keeps between exchanges, by origin.

import { HttpClientStream } from '../http/client.ts';
import { later, type WebEnv } from './web-host.ts';

/** How long an idle connection is kept, milliseconds: less than servers usually do. */
const KEEP = 4_000;

/** A connection and whether it has carried an exchange before. */
export interface Lease {
  readonly connection: HttpClientStream;
  readonly used: boolean;
}

/** Idle connections by `address port`. */
export class Pool {
  readonly #env: WebEnv;
  readonly #idle: Map<string, { connection: HttpClientStream; undo: () => void }[]> = new Map();
  #closed = false;

  constructor(env: WebEnv) {
    this.#env = env;
  }

  /** A connection to `address` and `port`: the one last used, or, with `fresh` or without any, a new one. */
  lease(address: string, port: number, fresh: boolean): Lease {
    const waiting = fresh ? undefined : this.#idle.get(`${address} ${port}`);
    while (waiting !== undefined && waiting.length > 0) {
      const { connection, undo } = waiting.pop()!;
      undo();
      if (connection.reusable) return { connection, used: true };
    }
    return { connection: new HttpClientStream(this.#env.host.connect({ address, port })), used: false };
  }

  /** Takes a connection back once its exchange is over. */
  release(address: string, port: number, connection: HttpClientStream): void {
    if (!connection.reusable) return;
    const key = `${address} ${port}`;
    let waiting = this.#idle.get(key);
    if (waiting === undefined) {
      waiting = [];
      this.#idle.set(key, waiting);
    }
    if (this.#closed || waiting.length >= this.#env.keepIdle) {
      connection.close();
      return;
    }
    const entry = {
      connection,
      undo: later(this.#env, KEEP, () => {
        const at = waiting.indexOf(entry);
        if (at >= 0) waiting.splice(at, 1);
        connection.close();
      }),
    };
    waiting.push(entry);
  }

  /** Closes idle connections, and from now on those that become idle. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#idle.values()) {
      for (const { connection, undo } of waiting.splice(0)) {
        undo();
        connection.close();
      }
    }
    this.#idle.clear();
  }
}
