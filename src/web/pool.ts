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

/** A connection that waits for its next exchange. */
interface Idle {
  readonly connection: HttpClientStream;
  /** Stops the clock of its stay. */
  readonly undo: () => void;
}

/** Idle connections by `address port`. */
export class Pool {
  readonly #env: WebEnv;
  readonly #idle: Map<string, Idle[]> = new Map();
  #closed = false;

  constructor(env: WebEnv) {
    this.#env = env;
  }

  /** A connection to `address` and `port`: the one last used, or, with `fresh` or without any, a new one. */
  lease(address: string, port: number, fresh: boolean): Lease {
    const key = `${address} ${port}`;
    for (let idle = fresh ? undefined : this.#idle.get(key)?.at(-1); idle; idle = this.#idle.get(key)?.at(-1)) {
      this.#remove(key, idle.connection);
      if (idle.connection.reusable) return { connection: idle.connection, used: true };
    }
    const stream = this.#env.host.connect({ address, port });
    // One that ends while it is idle is gone at once, so that no request runs into it (RFC 9112 §9.3.1).
    const connection: HttpClientStream = new HttpClientStream(stream, { onClose: () => this.#remove(key, connection) });
    return { connection, used: false };
  }

  /** Takes a connection back once its exchange is over. */
  release(address: string, port: number, connection: HttpClientStream): void {
    if (!connection.reusable) return;
    const key = `${address} ${port}`;
    const waiting = this.#idle.get(key) ?? [];
    if (this.#closed || waiting.length >= this.#env.keepIdle) {
      connection.close();
      return;
    }
    const undo = later(this.#env, KEEP, () => {
      this.#remove(key, connection);
      connection.close();
    });
    waiting.push({ connection, undo });
    this.#idle.set(key, waiting);
  }

  /** Closes idle connections, and from now on those that become idle. */
  close(): void {
    this.#closed = true;
    for (const [key, waiting] of [...this.#idle]) {
      for (const { connection } of [...waiting]) {
        this.#remove(key, connection);
        connection.close();
      }
    }
  }

  #remove(key: string, connection: HttpClientStream): void {
    const waiting = this.#idle.get(key);
    const at = waiting?.findIndex((idle) => idle.connection === connection) ?? -1;
    if (waiting === undefined || at < 0) return;
    for (const { undo } of waiting.splice(at, 1)) undo();
    if (waiting.length === 0) this.#idle.delete(key);
  }
}
