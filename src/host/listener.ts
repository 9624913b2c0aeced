// A listening port: half-open connections, those not yet handed over, and the program that takes them.

import { type Connection, EVENT_OPEN } from '../tcp/connection.ts';
import type { Address } from '../wire/address.ts';
import type { Host } from './host.ts';

/** What `Host.listen` needs to know. */
export interface ListenOptions {
  /** 0 to 65535; 0 lets the host choose. */
  readonly port: number;
  /** One of the host's addresses; all of them by default. */
  readonly address?: string;
  /** Half-open connections and those not yet handed over, together; more SYNs are dropped. */
  readonly backlog?: number;
}

/** A listening port. Made by `Host.listen`. */
export class Listener {
  readonly port: number;
  /** The address listened on; `null` for all. */
  readonly address: Address | null;
  readonly backlog: number;
  /** @internal Called with each connection that reached ESTABLISHED. */
  readonly accept: (connection: Connection) => void;
  /** Half-open connections, and open ones the program has not been given. */
  readonly pending: Set<Connection> = new Set();
  /** False after `close`. */
  listening = true;
  readonly #host: Host;

  /** @internal */
  constructor(
    host: Host,
    port: number,
    address: Address | null,
    backlog: number,
    accept: (connection: Connection) => void,
  ) {
    this.#host = host;
    this.port = port;
    this.address = address;
    this.backlog = backlog;
    this.accept = accept;
  }

  /** Stops listening. Connections the program has not been given are reset; the others live on. */
  close(): void {
    if (!this.listening) return;
    this.listening = false;
    this.#host.forgetListener(this);
    for (const c of this.pending) {
      // One that is forgotten without a word has the peer's next segment answered by a RST.
      if (c.state === 'SYN-RECEIVED' && !this.#host.profile.resetHalfOpen) c.finish('ABORT', null);
      else c.abort();
    }
    this.pending.clear();
  }

  /** @internal Hands an open connection to the program. */
  hand(connection: Connection): void {
    this.pending.delete(connection);
    connection.accepted = true;
    connection.events &= ~EVENT_OPEN;
    this.accept(connection);
  }
}
