// `node:dgram` over the networks of `Routes`: what programs use of it, in Node's shape.

import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import type { NetError } from '../base/errors.ts';
import { parseAddress } from '../wire/index.ts';
import type { DatagramPort } from './datagrams.ts';
import type { Routes } from './routes.ts';

type Callback = (error: Error | null, octets?: number) => void;
type Lookup = (name: string, options: object, done: (error: Error | null, address: string) => void) => void;

/** What `createSocket` takes besides a type. */
interface Options {
  readonly type: 'udp4' | 'udp6';
  readonly lookup?: Lookup;
  readonly signal?: AbortSignal;
}

type SocketOptions = Options['type'] | Options;
type Listener = (...args: unknown[]) => void;

/** Longest time between two turns of a timer that keeps the process alive. */
const FOREVER = 2 ** 31 - 1;

/** `dgram.Socket`, over the networks of some routes. */
class DatagramSocket extends EventEmitter {
  readonly type: 'udp4' | 'udp6';
  readonly #routes: Routes;
  readonly #lookup: Lookup;
  #bound: DatagramPort | null = null;
  #address = '';
  #peer: { address: string; port: number } | null = null;
  #closed = false;
  #hold: NodeJS.Timeout | null = null;
  #referenced = true;

  constructor(routes: Routes, lookup: Lookup, options: SocketOptions, listener?: Listener) {
    super();
    const { type, lookup: own, signal } = typeof options === 'string' ? ({ type: options } as Options) : options;
    if (type !== 'udp4' && type !== 'udp6') {
      throw failure('Bad socket type specified. Valid types are: udp4, udp6', 'ERR_SOCKET_BAD_TYPE');
    }
    this.type = type;
    this.#routes = routes;
    this.#lookup = own ?? lookup;
    if (listener !== undefined) this.on('message', listener);
    if (signal?.aborted === true) process.nextTick(() => this.close());
    else signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  bind(...args: unknown[]): this {
    this.#assertOpen();
    if (this.#bound !== null) throw failure('Socket is already bound', 'ERR_SOCKET_ALREADY_BOUND');
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as () => void) : null;
    const first = args[0];
    const given = (typeof first === 'object' && first !== null ? first : { port: first, address: args[1] }) as {
      port?: number;
      address?: string;
    };
    if (callback !== null) this.once('listening', callback);
    this.#resolve(given.address ?? this.#wildcard(), (error, address) => {
      if (this.#closed) return;
      if (error === null) error = this.#open(given.port ?? 0, address);
      if (error !== null) this.emit('error', error);
      else this.emit('listening');
    });
    return this;
  }

  send(message: unknown, ...args: unknown[]): void {
    this.#assertOpen();
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : null;
    let bytes = octetsOf(message);
    // (message, offset, length, port, address) and (message, port, address); a connected socket has neither at the end.
    const ranged = this.#peer === null ? args.length >= 3 && typeof args[2] === 'number' : args.length >= 2;
    if (ranged) {
      const [offset, length] = args.splice(0, 2) as number[];
      if (offset! + length! > bytes.length)
        throw failure('"length" is outside of buffer bounds', 'ERR_BUFFER_OUT_OF_BOUNDS');
      bytes = bytes.subarray(offset, offset! + length!);
    }
    const port = this.#peer?.port ?? Number(args[0]);
    if (!(port > 0 && port < 65_536))
      throw failure(`Port should be > 0 and < 65536. Received ${port}.`, 'ERR_SOCKET_BAD_PORT');
    const name = this.#peer?.address ?? ((args[1] as string | undefined) || this.#loopback());
    // The octets of now: the program may reuse its buffer before the name is known.
    const copy = Uint8Array.from(bytes);
    this.#resolve(name, (error, address) => {
      if (error === null) error = this.#bound === null ? this.#open(0, this.#wildcard()) : null;
      if (error === null) error = this.#closed ? null : this.#sendTo(copy, address, port);
      if (error === null) callback?.(null, copy.length);
      else if (callback !== null) callback(error);
      else this.emit('error', error);
    });
  }

  connect(port: number, ...args: unknown[]): void {
    this.#assertOpen();
    if (this.#peer !== null) throw failure('Already connected', 'ERR_SOCKET_DGRAM_IS_CONNECTED');
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : null;
    if (callback !== null) this.once('connect', callback);
    this.#resolve((args[0] as string | undefined) ?? this.#loopback(), (error, address) => {
      if (error === null && this.#bound === null) error = this.#open(0, this.#wildcard());
      if (error !== null) {
        this.emit('error', error);
        return;
      }
      this.#peer = { address, port };
      this.emit('connect');
    });
  }

  disconnect(): void {
    if (this.#peer === null) throw failure('Not connected', 'ERR_SOCKET_DGRAM_NOT_CONNECTED');
    this.#peer = null;
  }

  remoteAddress(): { address: string; family: string; port: number } {
    if (this.#peer === null) throw failure('Not connected', 'ERR_SOCKET_DGRAM_NOT_CONNECTED');
    return { ...this.#peer, family: this.#family() };
  }

  address(): { address: string; family: string; port: number } {
    if (this.#bound === null) throw failure('getsockname EBADF', 'EBADF');
    return { address: this.#address, family: this.#family(), port: this.#bound.port };
  }

  close(callback?: () => void): this {
    this.#assertOpen();
    if (callback !== undefined) this.once('close', callback);
    this.#closed = true;
    this.#bound?.close();
    this.#keep();
    process.nextTick(() => this.emit('close'));
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await new Promise<void>((resolve) => this.close(resolve));
  }

  ref(): this {
    this.#referenced = true;
    this.#keep();
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#keep();
    return this;
  }

  setBroadcast(on: boolean): void {
    if (this.#bound === null) throw failure('setBroadcast EBADF', 'EBADF');
    for (const socket of this.#bound.sockets) socket.broadcast = on;
  }

  setTTL(ttl: number): number {
    if (this.#bound === null) throw failure('setTTL EBADF', 'EBADF');
    for (const socket of this.#bound.sockets) socket.ttl = ttl;
    return ttl;
  }

  addMembership(): void {
    throw failure('addMembership ENOSYS: the network of synfin/register has no multicast', 'ENOSYS');
  }

  getSendQueueCount(): number {
    return 0;
  }

  getSendQueueSize(): number {
    return 0;
  }

  getRecvBufferSize(): number {
    return 212_992;
  }

  getSendBufferSize(): number {
    return 212_992;
  }

  /** Sizes are the host's own. */
  setRecvBufferSize(): void {}
  setSendBufferSize(): void {}

  #family(): string {
    return this.type === 'udp4' ? 'IPv4' : 'IPv6';
  }
  #wildcard(): string {
    return this.type === 'udp4' ? '0.0.0.0' : '::';
  }
  #loopback(): string {
    return this.type === 'udp4' ? '127.0.0.1' : '::1';
  }

  #resolve(name: string, done: (error: Error | null, address: string) => void): void {
    if (isIP(name) !== 0) process.nextTick(done, null, name);
    else this.#lookup(name, { family: this.type === 'udp4' ? 4 : 6 }, done);
  }

  #open(port: number, address: string): Error | null {
    try {
      this.#bound = this.#routes.datagrams(port, address, {
        onMessage: (bytes, from, fromPort) => this.#message(bytes, from || this.#loopback(), fromPort),
        // As on Linux, only a connected socket is told.
        onError: (error) => void (this.#peer !== null && this.emit('error', error)),
      });
      this.#address = address;
      this.#keep();
      return null;
    } catch (error) {
      return error as NetError;
    }
  }

  #message(bytes: Uint8Array, address: string, port: number): void {
    if (isIP(address) !== (this.type === 'udp4' ? 4 : 6)) return;
    if (this.#peer !== null && (this.#peer.port !== port || !sameAddress(this.#peer.address, address))) return;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.emit('message', buffer, { address, family: this.#family(), port, size: bytes.length });
  }

  #sendTo(bytes: Uint8Array, address: string, port: number): Error | null {
    try {
      return this.#bound!.send(bytes, address, port);
    } catch (error) {
      return error as Error;
    }
  }

  /** An open socket keeps the process alive, unless told not to. */
  #keep(): void {
    const wanted = this.#referenced && !this.#closed && this.#bound !== null;
    if (wanted) this.#hold ??= setInterval(() => undefined, FOREVER);
    else if (this.#hold !== null) {
      clearInterval(this.#hold);
      this.#hold = null;
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw failure('Not running', 'ERR_SOCKET_DGRAM_NOT_RUNNING');
  }
}

/** A module of the shape of `node:dgram`: `createSocket` and `Socket`. */
export function createDgram(routes: Routes, lookup: Lookup): object {
  class Socket extends DatagramSocket {
    constructor(options: SocketOptions, listener?: Listener) {
      super(routes, lookup, options, listener);
    }
  }
  return { Socket, createSocket: (options: SocketOptions, listener?: Listener) => new Socket(options, listener) };
}

/** Whether two texts are one address; this machine's own are one. */
function sameAddress(a: string, b: string): boolean {
  const own = (text: string): boolean => parseAddress(text)?.isLoopback === true;
  return (own(a) && own(b)) || parseAddress(a)?.toString() === parseAddress(b)?.toString();
}

function failure(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

function octetsOf(message: unknown): Uint8Array {
  if (typeof message === 'string') return Buffer.from(message);
  if (Array.isArray(message)) return Buffer.concat(message.map(octetsOf));
  if (ArrayBuffer.isView(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  throw Object.assign(new TypeError('The "buffer" argument must be a string, a Buffer, a TypedArray or a DataView'), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
}
