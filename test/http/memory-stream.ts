// A pair of byte streams in memory, with the small event loop that owns them: `ByteStream` without TCP.

import { NetError, StateError } from '../../src/base/errors.ts';
import type { ByteStream, StreamHandler } from '../../src/base/stream.ts';

/** How a pair behaves. */
export interface MemoryPairOptions {
  /** Octets that one direction holds between `send` and the reader. */
  capacity?: number;
  /** Octets that travel in one step of the loop. */
  step?: number;
  /** Longest view `peek` gives. */
  peek?: number;
}

const EMPTY = new Uint8Array(0);

/** One end. Everything a method causes at the other end happens when the loop turns, never inside it. */
export class MemoryStream implements ByteStream {
  handler: StreamHandler | null = null;
  peer!: MemoryStream;
  readonly capacity: number;
  readonly maxPeek: number;
  /** Received and unread. */
  inbox: Uint8Array = EMPTY;
  #inAt = 0;
  /** Sent and not yet at the peer. */
  outbox: Uint8Array = EMPTY;
  finQueued = false;
  finReceived = false;
  finSent = false;
  closed = false;
  aborted = false;
  error: NetError | null = null;
  wantsWritable = false;
  tellOpen = false;
  tellReadable = false;
  tellClose = false;
  onWork: () => void = () => undefined;
  /** All octets ever taken by `send`. */
  sentTotal = 0;

  constructor(capacity: number, maxPeek: number) {
    this.capacity = capacity;
    this.maxPeek = maxPeek;
  }

  get readable(): number {
    return this.inbox.length - this.#inAt;
  }

  get ended(): boolean {
    return this.finReceived && this.readable === 0;
  }

  get writable(): number {
    if (this.closed || this.finQueued) return 0;
    return Math.max(0, this.capacity - this.outbox.length - this.peer.readable);
  }

  peek(): Uint8Array {
    const to = Math.min(this.inbox.length, this.#inAt + this.maxPeek);
    return this.inbox.subarray(this.#inAt, to);
  }

  consume(count: number): void {
    if (count < 0 || count > this.readable) throw new RangeError(`consume(${count}) of ${this.readable}`);
    this.#inAt += count;
    if (this.#inAt === this.inbox.length) {
      // Poison: a view kept past its time shows.
      this.inbox.fill(0xdb);
      this.inbox = EMPTY;
      this.#inAt = 0;
    }
    this.onWork();
  }

  read(into: Uint8Array, from: number, to: number): number {
    const view = this.peek();
    const n = Math.min(to - from, view.length);
    into.set(view.subarray(0, n), from);
    this.consume(n);
    return n;
  }

  send(bytes: Uint8Array, from: number, to: number): number {
    if (this.finQueued) throw new StateError('send after shutdown');
    if (this.closed) return 0;
    const n = Math.min(to - from, this.writable);
    if (n < to - from) this.wantsWritable = true;
    if (n > 0) {
      const grown = new Uint8Array(this.outbox.length + n);
      grown.set(this.outbox);
      grown.set(bytes.subarray(from, from + n), this.outbox.length);
      this.outbox = grown;
      this.sentTotal += n;
    }
    this.onWork();
    return n;
  }

  shutdown(): void {
    this.finQueued = true;
    this.onWork();
  }

  abort(): void {
    if (this.closed) return;
    this.aborted = true;
    this.#end(null);
    if (!this.peer.closed) this.peer.#end(new NetError('ECONNRESET', 'read'));
    this.onWork();
  }

  /** The way to the peer breaks: this end learns of `error`. */
  fail(error: NetError): void {
    if (!this.closed) this.#end(error);
    this.onWork();
  }

  #end(error: NetError | null): void {
    this.closed = true;
    this.error = error;
    this.outbox = EMPTY;
    this.tellClose = true;
  }

  /** Moves octets of this end towards the peer; true when anything moved. */
  transfer(step: number): boolean {
    if (this.closed) return false;
    let moved = false;
    if (this.outbox.length > 0) {
      const n = Math.min(step, this.outbox.length);
      this.peer.#receive(this.outbox.subarray(0, n));
      this.outbox = this.outbox.subarray(n);
      moved = true;
    }
    if (this.outbox.length === 0 && this.finQueued && !this.finSent) {
      this.finSent = true;
      this.peer.finReceived = true;
      this.peer.tellReadable = true;
      moved = true;
    }
    if (this.finSent && this.finReceived && !this.closed) {
      this.closed = true;
      this.tellClose = true;
      moved = true;
    }
    return moved;
  }

  #receive(bytes: Uint8Array): void {
    const rest = this.inbox.subarray(this.#inAt);
    const grown = new Uint8Array(rest.length + bytes.length);
    grown.set(rest);
    grown.set(bytes, rest.length);
    this.inbox = grown;
    this.#inAt = 0;
    this.tellReadable = true;
  }

  /** Calls the handlers of what happened; true when it called any. */
  deliver(): boolean {
    let called = false;
    if (this.tellOpen) {
      this.tellOpen = false;
      called = true;
      this.handler?.onOpen?.(this);
    }
    if (this.tellReadable && !this.aborted) {
      this.tellReadable = false;
      called = true;
      this.handler?.onReadable?.(this);
    }
    if (this.wantsWritable && this.writable > 0) {
      this.wantsWritable = false;
      called = true;
      this.handler?.onWritable?.(this);
    }
    if (this.tellClose) {
      this.tellClose = false;
      called = true;
      this.handler?.onClose?.(this, this.error);
    }
    return called;
  }
}

/** Two connected ends; `run` turns the loop until nothing happens any more. */
export class MemoryPair {
  readonly a: MemoryStream;
  readonly b: MemoryStream;
  readonly step: number;

  constructor({ capacity = 65536, step = Number.POSITIVE_INFINITY, peek = 1 << 30 }: MemoryPairOptions = {}) {
    this.a = new MemoryStream(capacity, peek);
    this.b = new MemoryStream(capacity, peek);
    this.a.peer = this.b;
    this.b.peer = this.a;
    this.step = step;
  }

  /** One turn; true when anything happened. */
  turn(): boolean {
    const moved = [this.a.transfer(this.step), this.b.transfer(this.step)];
    const called = [this.a.deliver(), this.b.deliver()];
    return moved.includes(true) || called.includes(true);
  }

  /** Turns until quiet. Throws when that never comes. */
  run(limit = 1_000_000): void {
    for (let i = 0; this.turn(); i++) {
      if (i > limit) throw new Error('the pair never becomes quiet');
    }
  }
}
