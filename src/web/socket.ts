// A TCP connection as Web streams, in the shape of the WinterTC Sockets API.
/// <reference lib="esnext.disposable" preserve="true" />

import { NetError, StateError } from '../base/errors.ts';
import type { StreamHandler } from '../base/stream.ts';
import { closeController, Gate, writeAll } from './flow.ts';
import type { OctetReadable, OctetWritable, PlatformSignal } from './platform.ts';
import { assertTls, type SecureStream, type TlsOptions } from './tls.ts';
import { later, type WebEnv, type WebStream } from './web-host.ts';

/** Whether a socket is secured: never, from the start, or from `startTls` on. */
export type SecureTransport = 'off' | 'on' | 'starttls';

/** Options of `connect` and `listen` that concern the socket. */
export interface SocketOptions {
  /**
   * When false (the default), the writable ends by itself once the peer has ended its direction; when true
   * either direction ends on its own.
   */
  readonly allowHalfOpen?: boolean;
  /**
   * `'on'`: TLS from the start; `'starttls'`: when `startTls` is called; `'off'` (the default): never. TLS is the
   * platform's own (Node, Bun, Deno); in a browser the call throws a `TypeError` that says so.
   */
  readonly secureTransport?: SecureTransport;
  /** Passed to the platform's TLS; a server's `cert` and `key` are here. */
  readonly tls?: TlsOptions;
}

/** Options of `connect`. */
export interface ConnectOptions extends SocketOptions {
  /** When it aborts, the connection is reset, or not made at all; everything that waits is rejected with its reason. */
  readonly signal?: PlatformSignal;
  /** The name that the server must prove to have, when it is not the `hostname`. */
  readonly sni?: string;
  /** Protocols to offer by ALPN, the best first. */
  readonly alpn?: readonly string[];
}

/** What `opened` tells. */
export interface SocketInfo {
  /** `address:port` of the other end. */
  readonly remoteAddress: string;
  /** `address:port` of this end. */
  readonly localAddress: string;
  /** The protocol that ALPN chose; `null` without TLS or when none was. */
  readonly alpn: string | null;
}

/** Octets that one read takes at most when the reader brings no buffer. */
const READ_SIZE = 65_536;
/** How long a closed socket waits for its peer to end, milliseconds. */
const LINGER = 10_000;

/**
 * A connection. Back-pressure is real both ways: nothing is taken from the connection until somebody reads,
 * and a write is settled when the connection has taken all of it.
 */
export class Socket {
  /** What the peer sends; ends when the peer ends its direction. Cancelling it drops the rest. */
  readonly readable: OctetReadable;
  /** What goes to the peer. Closing it ends our direction only; aborting it resets the connection. */
  readonly writable: OctetWritable;
  /** Settles when the connection is open, or with the `NetError` that prevented it. */
  readonly opened: Promise<SocketInfo>;
  /** Settles when the connection is over: with `undefined` in good order, else with the `NetError`. */
  readonly closed: Promise<void>;
  /** As the options said; `'on'` for what `startTls` returns. */
  readonly secureTransport: SecureTransport;

  readonly #env: WebEnv;
  readonly #half: boolean;
  /** What makes a plain stream a secured one; `null` when there is no need. */
  readonly #secure: ((stream: WebStream) => SecureStream) | null;
  #upgraded = false;
  /** The write under way is the last of this socket: then the stream changes hands. */
  #handOver: (() => void) | null = null;
  #signal: PlatformSignal | null = null;
  readonly #gate: Gate = new Gate();
  #stream: WebStream | null = null;
  #in!: ReadableByteStreamController;
  #out!: WritableStreamDefaultController;
  /** A read that waits for octets. */
  #pulled: (() => void) | null = null;
  #opened!: { resolve(info: SocketInfo): void; reject(error: unknown): void };
  #closed!: { resolve(): void; reject(error: unknown): void };
  #inOver = false;
  #outOver = false;
  #writing = false;
  #dropping = false;
  #error: unknown = null;
  #over = false;
  #undoLinger: () => void = () => undefined;

  /** @internal */
  constructor(env: WebEnv, options: SocketOptions, secure: ((stream: WebStream) => SecureStream) | null = null) {
    this.#env = env;
    this.#half = options.allowHalfOpen ?? false;
    this.secureTransport = options.secureTransport ?? 'off';
    this.#secure = secure;
    if (this.secureTransport === 'on') assertTls();
    this.opened = new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
    this.closed = new Promise((resolve, reject) => {
      this.#closed = { resolve, reject };
    });
    // A program need not look at every promise: what fails shows at whichever it does look at.
    this.opened.catch(() => undefined);
    this.closed.catch(() => undefined);
    this.readable = new ReadableStream({
      type: 'bytes',
      start: (controller) => {
        this.#in = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#drop(),
    });
    this.writable = new WritableStream(
      {
        start: (controller) => {
          this.#out = controller;
        },
        write: (chunk) => this.#write(chunk),
        close: () => this.#endOurs(),
        abort: (reason) => this.#abort(reason),
      },
      new CountQueuingStrategy({ highWaterMark: 1 }),
    );
  }

  /** Whether `startTls` has been called: another socket has the connection now. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /**
   * Secures the connection from here on, and returns the socket that has it; the streams of this one end. A write that
   * is under way is finished first, and what was not read yet is taken for TLS. Throws `TypeError` unless the socket was
   * made with `secureTransport: 'starttls'` and where the platform has no TLS, `StateError` when it is over or upgraded.
   */
  startTls(): Socket {
    if (this.secureTransport !== 'starttls' || this.#secure === null) {
      throw new TypeError("startTls needs a socket that was made with secureTransport: 'starttls'");
    }
    if (this.#upgraded || this.#over) throw new StateError('startTls: the socket is over or upgraded already');
    assertTls();
    this.#upgraded = true;
    const secure = this.#secure;
    const next = new Socket(this.#env, { allowHalfOpen: this.#half, secureTransport: 'on' });
    if (this.#signal !== null) next.follow(this.#signal);
    const handOver = (): void => {
      const stream = this.#stream!;
      if (this.#over) {
        next.fail(this.#error ?? new NetError('ECONNRESET', 'read'));
        return;
      }
      this.#settle(new StateError('the connection belongs to the socket that startTls returned'), null);
      next.attach(secure(stream), false);
    };
    const ready = (): void => {
      if (this.#writing) this.#handOver = handOver;
      else handOver();
    };
    this.opened.then(ready, (error) => next.fail(error));
    return next;
  }

  /**
   * Closes both directions: what was written still goes out, what comes is dropped. Reads that wait end, writes
   * that wait are rejected. Settles like `closed`, without waiting for the peer.
   *
   * @param reason what those writes are rejected with; a `NetError` by default
   */
  close(reason?: unknown): Promise<void> {
    if (!this.#over) this.#closeNow(reason ?? new NetError('ECONNABORTED', 'write'));
    else if (!this.#inOver) {
      // Over already, but not read to the end: what is left is dropped.
      this.#drop();
      closeController(this.#in);
    }
    return this.closed;
  }

  /** Closes the socket; of a connection that had failed before, `opened` and `closed` tell. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => undefined);
  }

  /** Binds the socket to its stream. @internal */
  attach(stream: WebStream, open: boolean): void {
    this.#stream = stream;
    const handler: StreamHandler = {
      onOpen: () => this.#open(),
      onReadable: () => this.#readableNow(),
      onWritable: () => this.#gate.open(),
      onClose: (_stream, error) => this.#end(error),
    };
    stream.handler = handler;
    if (open) this.#open();
    // Closed before there was a stream.
    if (this.#over) {
      stream.abort();
      return;
    }
    if (this.#outOver) stream.shutdown();
    this.#readableNow();
    this.#gate.open();
  }

  /** Resets the connection when `signal` aborts, as long as there is one. @internal */
  follow(signal: PlatformSignal): void {
    this.#signal = signal;
    const stop = (): void => {
      if (!this.#over) this.#abort(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    this.closed.then(
      () => signal.removeEventListener('abort', stop),
      () => signal.removeEventListener('abort', stop),
    );
  }

  /** The connection cannot be made. @internal */
  fail(error: unknown): void {
    this.#end(error);
  }

  #open(): void {
    const s = this.#stream!;
    const name = (address: string | undefined, port: number | undefined): string => {
      if (address === undefined) return '';
      return `${address.includes(':') ? `[${address}]` : address}:${port ?? 0}`;
    };
    this.#opened.resolve({
      remoteAddress: name(s.remoteAddress, s.remotePort),
      localAddress: name(s.localAddress, s.localPort),
      alpn: (s as Partial<SecureStream>).alpn ?? null,
    });
  }

  // --- in ---

  /** Called by the stream when somebody reads; settles once something was delivered. */
  #pull(): Promise<void> | undefined {
    if (this.#deliver()) return undefined;
    return new Promise((resolve) => {
      this.#pulled = resolve;
    });
  }

  /**
   * Delivers what there is; false when there is nothing yet. The end is told to a read of its own, never with
   * the last octets: whoever copies them somewhere has then done so before our direction ends with theirs.
   */
  #deliver(): boolean {
    const stream = this.#stream;
    if (this.#inOver) return true;
    if (stream === null) return false;
    if (stream.readable > 0) {
      const byob = this.#in.byobRequest?.view;
      if (byob) {
        const into = new Uint8Array(byob.buffer, byob.byteOffset, byob.byteLength);
        this.#in.byobRequest!.respond(stream.read(into, 0, into.length));
      } else {
        const chunk = new Uint8Array(Math.min(stream.readable, READ_SIZE));
        const n = stream.read(chunk, 0, chunk.length);
        this.#in.enqueue(n === chunk.length ? chunk : chunk.subarray(0, n));
      }
      return true;
    }
    if (!stream.ended) return false;
    this.#inOver = true;
    closeController(this.#in);
    this.#followEnd();
    return true;
  }

  #readableNow(): void {
    const stream = this.#stream!;
    if (this.#dropping) {
      while (stream.readable > 0) stream.consume(stream.peek().length);
      if (stream.ended) this.#followEnd();
    } else if (this.#pulled !== null && this.#deliver()) this.#pulledDone();
  }

  #pulledDone(): void {
    const pulled = this.#pulled;
    this.#pulled = null;
    pulled?.();
  }

  /** The peer has ended its direction, and that was seen: unless half-open is allowed, ours ends too. */
  #followEnd(): void {
    if (this.#half || this.#outOver || this.#writing) return;
    this.#endOurs();
  }

  /** Nobody reads any more: the peer must not be held up by octets that wait. */
  #drop(): void {
    this.#inOver = true;
    this.#dropping = true;
    this.#pulledDone();
    if (this.#stream !== null) this.#readableNow();
  }

  // --- out ---

  async #write(chunk: Uint8Array): Promise<void> {
    this.#writing = true;
    const sink = {
      write: (bytes: Uint8Array, from: number, to: number): number => {
        if (this.#over || this.#outOver) throw this.#error ?? new NetError('EPIPE', 'write');
        return this.#stream === null ? 0 : this.#stream.send(bytes, from, to);
      },
    };
    try {
      await writeAll(chunk, sink, this.#gate);
    } finally {
      this.#writing = false;
      this.#handOver?.();
      if (this.#inOver && this.#stream?.ended === true) this.#followEnd();
    }
  }

  /** Our direction ends: the program closed the writable, or it follows the peer's. */
  #endOurs(): void {
    if (this.#outOver) return;
    this.#outOver = true;
    this.#stream?.shutdown();
  }

  #abort(reason: unknown): void {
    this.#outOver = true;
    this.#stream?.abort();
    this.#end(reason ?? new NetError('ECONNABORTED', 'write'));
  }

  // --- endings ---

  #closeNow(reason: unknown): void {
    const stream = this.#stream;
    const open = stream !== null && !this.#outOver;
    this.#dropping = true;
    this.#settle(reason, null);
    if (stream === null) return;
    if (open) stream.shutdown();
    if (!stream.ended) this.#undoLinger = later(this.#env, LINGER, () => stream.abort());
    while (stream.readable > 0) stream.consume(stream.peek().length);
  }

  /** The stream is over. What it received and nobody has read yet can still be read. */
  #end(error: unknown): void {
    this.#undoLinger();
    if (this.#over) return;
    const stream = this.#stream;
    if (error === null && stream !== null && !this.#inOver && (stream.readable > 0 || stream.ended)) {
      this.#over = true;
      this.#outOver = true;
      this.#out.error(new NetError('EPIPE', 'write'));
      this.#gate.open();
      this.#closed.resolve();
      this.#readableNow();
      return;
    }
    this.#settle(error ?? new NetError('EPIPE', 'write'), error);
  }

  /** Settles everything that waits. `failure` is what `closed` says; null when all is well. */
  #settle(error: unknown, failure: unknown): void {
    this.#over = true;
    this.#error = error;
    this.#opened.reject(error);
    if (failure === null) this.#closed.resolve();
    else this.#closed.reject(failure);
    if (!this.#inOver) {
      this.#inOver = true;
      if (failure === null) closeController(this.#in);
      else this.#in.error(failure);
    }
    this.#pulledDone();
    this.#outOver = true;
    this.#out.error(error);
    this.#gate.open();
  }
}
