// What the program is to be told of connections, in the order in which it happened; connections that a listener has are
// told of only once it hands them on.

import { NetError } from '../base/errors.ts';
import {
  type Connection,
  EVENT_CLOSE,
  EVENT_OPEN,
  EVENT_READABLE,
  EVENT_TROUBLE,
  EVENT_URGENT,
  EVENT_WRITABLE,
} from '../tcp/connection.ts';
import type { Listener } from './listener.ts';
import { ConnectionRing } from './ring.ts';

/** The events of one host's connections that are not told yet. */
export class Events {
  readonly #queue: ConnectionRing = new ConnectionRing();
  /** By connection, while its listener still counts it. */
  readonly #listenerOf: Map<Connection, Listener> = new Map();

  /** Whether there is something to tell. */
  get any(): boolean {
    return this.#queue.length > 0;
  }

  /** A connection has something to tell, and is not in the queue yet. */
  push(c: Connection): void {
    c.inEvents = true;
    this.#queue.push(c);
  }

  /** Calls the handlers of the events that are queued now; true when there were any. */
  deliver(): boolean {
    const { any } = this;
    // What handlers announce, and what stays when one throws, is for the next call.
    for (let left = this.#queue.length; left > 0; left--) {
      const c = this.#queue.shift();
      c.inEvents = false;
      this.#deliverTo(c);
    }
    return any;
  }

  #deliverTo(c: Connection): void {
    const listener = c.passive && !c.accepted ? this.#listenerOf.get(c) : undefined;
    if (listener !== undefined) {
      if ((c.events & EVENT_OPEN) === 0) {
        // It never opened: nobody knows of it.
        if ((c.events & EVENT_CLOSE) !== 0) this.uncount(c);
        return;
      }
      if (listener.paused) return;
      this.#listenerOf.delete(c);
      listener.hand(c);
    }
    const { handler } = c;
    if (handler === null) return;
    const { events } = c;
    c.events = 0;
    if ((events & EVENT_OPEN) !== 0) handler.onOpen?.(c);
    if ((events & EVENT_URGENT) !== 0) c.handler?.onUrgent?.(c);
    if ((events & EVENT_READABLE) !== 0) c.handler?.onReadable?.(c);
    if ((events & EVENT_WRITABLE) !== 0) c.handler?.onWritable?.(c);
    if ((events & EVENT_TROUBLE) !== 0 && c.rare.trouble !== null) {
      c.handler?.onTrouble?.(c, new NetError(c.rare.trouble, 'read'));
    }
    if ((events & EVENT_CLOSE) !== 0) c.handler?.onClose?.(c, c.error);
  }

  // --- connections that a listener has ---

  /** The listener that a connection, which the program does not know yet, came to. */
  listenerOf(c: Connection): Listener | null {
    return this.#listenerOf.get(c) ?? null;
  }

  /** A listener has a new connection, half open. */
  count(c: Connection, listener: Listener): void {
    listener.halfOpen.add(c);
    this.#listenerOf.set(c, listener);
  }

  /** A half-open connection is open, or as good as open (RFC 7413 §4.2), and waits for the program. */
  waits(c: Connection): void {
    const listener = this.#listenerOf.get(c);
    if (listener === undefined) return;
    listener.halfOpen.delete(c);
    listener.waiting.add(c);
  }

  /** A connection is over before the program knew of it. */
  uncount(c: Connection): void {
    const listener = this.#listenerOf.get(c);
    if (listener === undefined) return;
    listener.halfOpen.delete(c);
    listener.waiting.delete(c);
    this.#listenerOf.delete(c);
  }

  /** A listener is closed: it counts no connections any more. */
  forget(listener: Listener): void {
    for (const c of listener.halfOpen) this.#listenerOf.delete(c);
    for (const c of listener.waiting) this.#listenerOf.delete(c);
  }
}
