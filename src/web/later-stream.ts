// A stream that is not there yet: whoever was given it can speak as soon as one is found, or learns that none was.

import { type NetError, StateError } from '../base/errors.ts';
import type { StreamHandler } from '../base/stream.ts';
import type { WebStream } from './web-host.ts';

const NOTHING = new Uint8Array(0);

/** Stands for a stream that is still being looked for; then passes everything on to it. */
export class LaterStream implements WebStream {
  handler: StreamHandler | null = null;
  readonly #cancel: () => void;
  #inner: WebStream | null = null;
  /** Octets were offered before there was anywhere to send them. */
  #refused = false;
  #shut = false;
  #over = false;

  /** @param cancel stops the search: nobody wants the stream any more */
  constructor(cancel: () => void) {
    this.#cancel = cancel;
  }

  /** It is found, and open. Called from an event of the host, as a stream's handlers are. */
  attach(stream: WebStream): void {
    if (this.#over) {
      stream.abort();
      return;
    }
    this.#inner = stream;
    stream.handler = {
      onReadable: () => this.handler?.onReadable?.(this),
      onUrgent: () => this.handler?.onUrgent?.(this),
      onWritable: () => this.handler?.onWritable?.(this),
      onTrouble: (_stream, error) => this.handler?.onTrouble?.(this, error),
      onClose: (_stream, error) => this.handler?.onClose?.(this, error),
    };
    if (this.#shut) stream.shutdown();
    this.handler?.onOpen?.(this);
    if (this.#refused) this.handler?.onWritable?.(this);
    if (stream.readable > 0 || stream.ended) this.handler?.onReadable?.(this);
  }

  /** None was found. */
  fail(error: Error): void {
    if (this.#over || this.#inner !== null) return;
    this.#over = true;
    this.handler?.onClose?.(this, error as NetError);
  }

  get localAddress(): string {
    return this.#inner?.localAddress ?? '';
  }

  get localPort(): number {
    return this.#inner?.localPort ?? 0;
  }

  get remoteAddress(): string {
    return this.#inner?.remoteAddress ?? '';
  }

  get remotePort(): number {
    return this.#inner?.remotePort ?? 0;
  }

  get readable(): number {
    return this.#inner?.readable ?? 0;
  }

  get ended(): boolean {
    return this.#inner?.ended ?? false;
  }

  get writable(): number {
    return this.#inner?.writable ?? 0;
  }

  peek(): Uint8Array {
    return this.#inner?.peek() ?? NOTHING;
  }

  consume(count: number): void {
    if (this.#inner !== null) this.#inner.consume(count);
    else if (count !== 0) throw new RangeError(`consume(${count}) of 0`);
  }

  read(into: Uint8Array, from: number, to: number): number {
    return this.#inner?.read(into, from, to) ?? 0;
  }

  send(bytes: Uint8Array, from: number, to: number): number {
    if (this.#inner !== null) return this.#inner.send(bytes, from, to);
    if (this.#shut) throw new StateError('send after shutdown');
    if (from < to) this.#refused = true;
    return 0;
  }

  shutdown(): void {
    this.#shut = true;
    this.#inner?.shutdown();
  }

  abort(): void {
    if (this.#inner !== null) this.#inner.abort();
    else if (!this.#over) {
      this.#over = true;
      this.#cancel();
      // Never from inside a method.
      queueMicrotask(() => this.handler?.onClose?.(this, null));
    }
  }
}
