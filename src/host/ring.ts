// A queue of connections in a ring that grows: who has something to send, in turn.

import type { Connection } from '../tcp/connection.ts';

/** First in, first out; push and shift cost the same however long it is. */
export class ConnectionRing {
  /** Connections in the queue. */
  length = 0;
  #slots: (Connection | null)[] = new Array<Connection | null>(16).fill(null);
  #head = 0;

  /** Puts a connection at the end. */
  push(c: Connection): void {
    if (this.length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.length) & (this.#slots.length - 1)] = c;
    this.length++;
  }

  /** Takes the first connection; the ring must not be empty. */
  shift(): Connection {
    const c = this.#slots[this.#head]!;
    this.#slots[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.length--;
    return c;
  }

  /** The first connection; the ring must not be empty. */
  first(): Connection {
    return this.#slots[this.#head]!;
  }

  #grow(): void {
    const next = new Array<Connection | null>(this.#slots.length * 2).fill(null);
    for (let i = 0; i < this.length; i++) next[i] = this.#slots[(this.#head + i) & (this.#slots.length - 1)]!;
    this.#slots = next;
    this.#head = 0;
  }
}
