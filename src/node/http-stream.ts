// A socket as `http/` takes streams: any Duplex, its octets pulled as far as they are wanted.

import { type NetError, StateError } from '../base/errors.ts';
import type { ByteStream, StreamHandler } from '../base/stream.ts';
import type { Clock, TimerHandle } from '../run/clock.ts';
import { type Duplex, Readable } from './node-platform.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

/** A Duplex as a `ByteStream`. What nobody takes waits here and pauses the Duplex. */
export class SocketStream implements ByteStream {
  handler: StreamHandler | null = null;
  /** Called after each event: time may have something to do. */
  onEvent: () => void = () => undefined;
  readonly socket: Duplex;
  readonly #clock: Clock;
  #chunks: Uint8Array[] = [];
  /** Octets of the first chunk that were taken. */
  #at = 0;
  #readable = 0;
  #ended = false;
  #corked = false;
  /** Whatever comes is dropped. */
  #deaf = false;
  /** Why the socket closed, while octets of it still wait. */
  #closing: { readonly error: Error | null } | null = null;
  #error: Error | null = null;

  constructor(socket: Duplex, clock: Clock) {
    this.socket = socket;
    this.#clock = clock;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('error', this.#onError).on('close', this.#onClose);
  }

  get readable(): number {
    return this.#readable;
  }

  get ended(): boolean {
    return this.#ended && this.#readable === 0;
  }

  get writable(): number {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) return 0;
    return Math.max(0, socket.writableHighWaterMark - socket.writableLength);
  }

  peek(): Uint8Array {
    const [first] = this.#chunks;
    return first === undefined ? NOTHING : first.subarray(this.#at);
  }

  consume(count: number): void {
    this.#readable -= count;
    this.#at += count;
    while (this.#chunks.length > 0 && this.#at >= this.#chunks[0]!.length) this.#at -= this.#chunks.shift()!.length;
    if (this.#readable > 0) return;
    if (this.#closing !== null) this.#clock.soon(this.#closed);
    else if (this.socket.isPaused()) this.socket.resume();
  }

  read(into: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.#readable > 0) {
      const span = this.peek().subarray(0, to - at);
      into.set(span, at);
      at += span.length;
      this.consume(span.length);
    }
    return at - from;
  }

  send(bytes: Uint8Array, from: number, to: number): number {
    const { socket } = this;
    if (socket.writableEnded) throw new StateError('send after shutdown');
    const count = Math.min(to - from, this.writable);
    if (count === 0) return 0;
    this.#gather();
    // As much as the mark leaves room for: when more was offered, the Duplex is full now, and drains.
    socket.write(bytes.slice(from, from + count));
    return count;
  }

  shutdown(): void {
    this.socket.end();
  }

  abort(): void {
    this.socket.destroy();
  }

  /** Drops what waits and what comes, so that the end is seen. */
  ignore(): void {
    this.#deaf = true;
    this.consume(this.#readable);
  }

  /** Lets go of the socket: nobody listens to it any more, and what was not taken is returned. */
  release(): Uint8Array {
    const { socket } = this;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    socket.off('error', this.#onError).off('close', this.#onClose);
    const rest = new Uint8Array(this.#readable);
    this.#closing = null;
    this.handler = null;
    for (let at = 0; this.#readable > 0; ) {
      const span = this.peek();
      rest.set(span, at);
      at += span.length;
      this.#readable -= span.length;
      this.#chunks.shift();
      this.#at = 0;
    }
    // As if nobody had read yet: what the next reader does decides.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    return rest;
  }

  /** What is written until the program returns leaves together: a head and the content behind it. */
  #gather(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.socket.cork();
    this.#clock.soon(() => {
      this.#corked = false;
      this.socket.uncork();
    });
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#deaf) return;
    this.#chunks.push(chunk);
    this.#readable += chunk.length;
    this.handler?.onReadable?.(this);
    if (this.#readable > 0) this.socket.pause();
    this.onEvent();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.handler?.onReadable?.(this);
    this.onEvent();
  };

  readonly #onDrain = (): void => {
    this.handler?.onWritable?.(this);
    this.onEvent();
  };

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onClose = (): void => {
    this.#closing = { error: this.#error };
    // What came in good order before the end is the reader's, whenever he takes it.
    if (this.#error !== null || !this.#ended) this.#readable = 0;
    if (this.#readable === 0) this.#closed();
  };

  readonly #closed = (): void => {
    const closing = this.#closing;
    if (closing === null || this.#readable > 0) return;
    this.#closing = null;
    this.handler?.onClose?.(this, closing.error as NetError | null);
    this.onEvent();
  };
}

/** Octets in the kind of buffer that the platform's streams give. */
export function asBuffer(octets: Uint8Array): Uint8Array {
  const readable = new Readable({ read: () => undefined });
  readable.push(octets);
  return (readable.read() as Uint8Array | null) ?? octets;
}

/** What has deadlines. */
export interface Timed {
  nextDeadline(now: number): number;
  timersFire(now: number): void;
}

/** Calls `timersFire` when it is time. A timer that is set stays set: it looks again when it fires too early. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #timed: Timed;
  #timer: TimerHandle = null;
  #at: number = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, timed: Timed) {
    this.#clock = clock;
    this.#timed = timed;
  }

  /** Looks when it is time next. */
  poll(): void {
    const now = this.#clock.now();
    const next = this.#timed.nextDeadline(now);
    if (next >= this.#at) return;
    this.stop();
    this.#at = next;
    this.#timer = this.#clock.setTimer(() => this.#fire(), Math.min(Math.max(0, next - now), LONGEST));
    this.#clock.holdTimer(this.#timer, false);
  }

  /** Ends it. */
  stop(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#at = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#timer = null;
    this.#at = Number.POSITIVE_INFINITY;
    this.#timed.timersFire(this.#clock.now());
    this.poll();
  }
}

/** The longest delay of a timer, ms. */
const LONGEST = 0x7fffffff;
