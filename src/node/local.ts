// Paths belong to the machine and not to a host of ours: sockets of the kernel, as streams.

import { Buffer } from 'node:buffer';
import * as net from 'node:net';
import type { NetError } from '../base/errors.ts';
import type { StreamHandler } from '../base/stream.ts';
import type { NetListener, NetStream } from './env.ts';
import type { PathOptions } from './platform.ts';

/** Octets that wait to be read before the kernel's socket is paused, and that wait to be written before `send` refuses. */
const LIMIT = 65_536;

/** Opens a socket of the kernel. */
export const connectLocal = (path: string): net.Socket => net.connect({ path, allowHalfOpen: true });

/** A socket of the kernel as a stream. */
export class LocalStream implements NetStream {
  readonly localAddress: string = '';
  readonly localPort: number = -1;
  readonly remoteAddress: string = '';
  readonly remotePort: number = -1;
  handler: StreamHandler | null = null;
  readonly #socket: net.Socket;
  readonly #chunks: Uint8Array[] = [];
  #queued = 0;
  #peerEnded = false;
  #error: Error | null = null;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    // Whether it keeps the process alive is the handle's business.
    socket.unref();
    socket.on('connect', () => this.handler?.onOpen?.(this));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      this.#peerEnded = true;
      this.handler?.onReadable?.(this);
    });
    socket.on('drain', () => this.handler?.onWritable?.(this));
    socket.on('error', (error) => {
      this.#error = error;
    });
    // The kernel's error carries a code, which is all that is asked of one here.
    socket.on('close', () => this.handler?.onClose?.(this, this.#error as NetError | null));
  }

  #take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= LIMIT) this.#socket.pause();
    this.handler?.onReadable?.(this);
  }

  get readable(): number {
    return this.#queued;
  }

  get ended(): boolean {
    return this.#peerEnded && this.#queued === 0;
  }

  get writable(): number {
    return Math.max(0, LIMIT - this.#socket.writableLength);
  }

  peek(): Uint8Array {
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  consume(count: number): void {
    this.#queued -= count;
    for (let left = count; left > 0; ) {
      const first = this.#chunks[0]!;
      if (first.length > left) {
        this.#chunks[0] = first.subarray(left);
        break;
      }
      left -= first.length;
      this.#chunks.shift();
    }
    if (this.#queued < LIMIT) this.#socket.resume();
  }

  read(into: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.#queued > 0) {
      const first = this.peek();
      const count = Math.min(first.length, to - at);
      into.set(first.subarray(0, count), at);
      this.consume(count);
      at += count;
    }
    return at - from;
  }

  send(bytes: Uint8Array, from: number, to: number): number {
    // All or nothing: the kernel's socket keeps what it cannot send, and says when it has.
    if (this.#socket.writableNeedDrain) return 0;
    this.#socket.write(Buffer.from(bytes.subarray(from, to)));
    return to - from;
  }

  shutdown(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroySoon();
  }

  abort(): void {
    this.#socket.destroy();
  }

  setNoDelay(): void {
    // There is nothing to hold back.
  }

  setKeepAlive(): void {
    // The kernel tells at once when the other end has gone.
  }
}

/** Listens on a path of the kernel. `ready` is called with the code of an error, or `null`. */
export function listenPath(
  options: PathOptions,
  accept: (stream: NetStream) => void,
  ready: (code: string | null) => void,
): NetListener {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => accept(new LocalStream(socket)));
  server.once('error', (error: NodeJS.ErrnoException) => ready(error.code ?? 'EINVAL'));
  server.listen({ ...options }, () => ready(null)).unref();
  return { port: -1, close: () => void server.close() };
}
