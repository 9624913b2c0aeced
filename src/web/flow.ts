// Between Web streams and what is pushed, paused and drained: both directions with real back-pressure.

import type { HeaderList } from '../http/index.ts';

/** Somewhere octets go that may be full. */
export interface Sink {
  /** Takes octets from the front of `bytes[from, to)` and returns how many. */
  write(bytes: Uint8Array, from: number, to: number): number;
}

/** A place to wait for room. */
export class Gate {
  #open: (() => void) | null = null;

  /** Settles at the next `open`. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Lets whoever waits go on. */
  open(): void {
    const open = this.#open;
    this.#open = null;
    open?.();
  }
}

/** What will be known some time: a promise that is made when it is asked for, before or after. */
export class Later<T> {
  #state: 'open' | 'settled' | 'failed' = 'open';
  #value: unknown = undefined;
  #waiting: { resolve(value: T): void; reject(reason: unknown): void } | null = null;
  #promise: Promise<T> | null = null;

  /** Settles as `settle` or `fail` said first. Whoever does not look at it is not bothered by a failure. */
  get promise(): Promise<T> {
    if (this.#promise === null) {
      this.#promise = new Promise((resolve, reject) => {
        if (this.#state === 'settled') resolve(this.#value as T);
        else if (this.#state === 'failed') reject(this.#value);
        else this.#waiting = { resolve, reject };
      });
      this.#promise.catch(() => undefined);
    }
    return this.#promise;
  }

  /** It is known. */
  settle(value: T): void {
    if (this.#state !== 'open') return;
    this.#state = 'settled';
    this.#value = value;
    this.#waiting?.resolve(value);
  }

  /** It never will be. */
  fail(reason: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#value = reason;
    this.#waiting?.reject(reason);
  }
}

/** Fields as the platform's `Headers`. */
export function platformHeaders(fields: HeaderList): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

/** The octets of a chunk that a program wrote to a stream. Throws `TypeError` for anything but a buffer. */
export function octets(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError('a chunk must be an ArrayBuffer or a view of one');
}

/** Writes all of `chunk`, waiting at `gate` whenever `sink` is full. */
export async function writeAll(chunk: unknown, sink: Sink, gate: Gate): Promise<void> {
  const bytes = octets(chunk);
  for (let at = 0; at < bytes.length; ) {
    at += sink.write(bytes, at, bytes.length);
    if (at < bytes.length) await gate.wait();
  }
}

/** Reads to the end and writes everything. Rejects when the stream fails or holds what is no octets. */
export async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, sink: Sink, gate: Gate): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    await writeAll(value, sink, gate);
  }
}

/** Where content is pushed from. */
export interface Source {
  pause(): void;
  /** May push before it returns. */
  resume(): void;
  /** The reader wants no more. */
  cancel(reason: unknown): void;
}

/**
 * A readable stream of octets that are pushed. The source is resumed only while somebody reads, and paused with
 * each piece: nothing is buffered beyond one span of the connection's own buffer.
 */
export class Inflow {
  readonly stream: ReadableStream<Uint8Array>;
  #controller!: ReadableByteStreamController;
  #over = false;

  constructor(source: Source) {
    this.#source = source;
    this.stream = new ReadableStream({
      type: 'bytes',
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        if (!this.#over) source.resume();
      },
      cancel: (reason) => {
        this.#over = true;
        source.cancel(reason);
      },
    });
  }

  readonly #source: Source;

  /** Adds a copy of `bytes[from, to)`. */
  push(bytes: Uint8Array, from: number, to: number): void {
    if (this.#over || from === to) return;
    this.#source.pause();
    this.#controller.enqueue(bytes.slice(from, to));
  }

  /** Ends the stream. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    closeController(this.#controller);
  }

  /** Fails the stream. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.error(error);
  }
}

/** Closes a byte stream, and answers a reader that brought its own buffer. */
export function closeController(controller: ReadableByteStreamController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}
