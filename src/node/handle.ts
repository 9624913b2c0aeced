// What stands behind a socket: one connection of the host, read and written as an event loop would.
//
// It is the object that programs meet as `socket._handle`. Reading is asked for and stopped; what happens while
// nobody reads waits, errors too, as the kernel keeps them until the next call.

import { NetError } from '../base/errors.ts';
import type { StreamHandler } from '../base/stream.ts';
import { Holder, type NetEnv, type NetHost, type NetStream } from './env.ts';
import type { Scope } from './platform.ts';

/** Octets read at once, at most. */
const READ_SIZE = 65_536;

/** Who is told what a handle reads. */
export interface Reader {
  /** Octets; the reader owns them. */
  onOctets(octets: Uint8Array): void;
  /** The peer has ended, or reading failed with a code. Once. */
  onReadEnd(code: string | null): void;
  /** A buffer of the program's own to read into, or `null`. */
  readInto(): Uint8Array | null;
  /** So many octets are in the program's own buffer. */
  onFilled(count: number): void;
}

/** Told how a call ended: what it was about, and `null` or the code of the error. */
export type Done<T> = (about: T, code: string | null) => void;

/**
 * Whom to tell. Nothing here makes a function for a connection: the code that V8 makes of functions and shapes is dropped by a
 * major collection when none of them is alive, which between two connections may well be.
 */
interface Call {
  readonly done: Done<unknown>;
  readonly about: unknown;
}

/** Where a connection goes. */
export interface Target {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/** An address as `address()` tells it. */
export interface Place {
  readonly address: string;
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
}

interface PendingWrite {
  readonly octets: Uint8Array;
  at: number;
  /** Of the last of those that were written together. */
  call: Call | null;
}

const callOf = <T>(done: Done<T>, about: T): Call => ({ done: done as Done<unknown>, about });

/** One connection, or one to be. */
export class TcpHandle implements StreamHandler {
  reader: Reader | null = null;
  /** Octets are wanted, as programs see it; HTTP servers of Node set it themselves before `readStart`. */
  reading = false;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #env: NetEnv;
  #scope: Scope;
  /** IPv4 peers are shown as IPv6, as a dual-stack listener does. */
  readonly #mapped: boolean;
  #stream: NetStream | null;
  #connecting: Call | null = null;
  readonly #writes: PendingWrite[] = [];
  /** What the connection failed with, until somebody asks. */
  #failure: string | null = null;
  #wanted = false;
  #endTold = false;
  #readScheduled = false;
  #closed = false;
  /** Whether this keeps the process alive. */
  readonly #holder: Holder;

  /** @param stream an accepted connection; `null` for one that is to connect */
  constructor(env: NetEnv, stream: NetStream | null, mapped = false) {
    this.#env = env;
    this.#stream = stream;
    this.#mapped = mapped;
    this.#holder = new Holder(env.hold);
    this.#scope = env.platform.scope('TCPWRAP');
    if (stream !== null) stream.handler = this;
  }

  // --- opening ---

  /**
   * Opens the connection, to an address or to a path of the machine; `done` is called later, or never when the handle is
   * closed first.
   */
  connect<T>(to: Target | string, done: Done<T>, about: T): void {
    const { host, platform } = this.#env;
    this.#connecting = callOf(done, about);
    this.#keep();
    try {
      this.#stream = typeof to === 'string' ? platform.connectPath(to) : host.connect(destinationOf(to));
      this.#stream.handler = this;
    } catch (error) {
      platform.nextTick(TcpHandle.#refused, this, error instanceof NetError ? error.code : 'ECONNREFUSED');
    }
  }

  static #refused(handle: TcpHandle, code: string): void {
    handle.#connected(code);
  }

  onOpen(): void {
    this.#connected(null);
  }

  #connected(code: string | null): void {
    const call = this.#connecting;
    if (call === null) return;
    this.#connecting = null;
    this.#scope.enter(call.done, call.about, code);
    this.#keep();
  }

  // --- reading ---

  /** Asks for octets. */
  readStart(): void {
    if (this.#closed) return;
    this.#want(true);
    this.#readSoon();
  }

  /** Wants no more for now. */
  readStop(): void {
    this.#want(false);
  }

  #want(octets: boolean): void {
    this.reading = octets;
    this.#wanted = octets;
    this.#keep();
  }

  onReadable(): void {
    this.#readSoon();
  }

  /**
   * Reads after what runs now, never inside of it: what a reader puts off (`process.nextTick`, promises) is done before
   * the next octets come, as it is when an event loop brings them.
   */
  #readSoon(): void {
    const stream = this.#stream;
    if (!this.#wanted || this.#readScheduled || stream === null || this.#connecting !== null) return;
    if (stream.readable === 0 && !stream.ended && this.#failure === null) return;
    this.#readScheduled = true;
    this.#env.platform.nextTick(TcpHandle.#readNow, this);
  }

  static #readNow(handle: TcpHandle): void {
    handle.#readScheduled = false;
    const stream = handle.#stream;
    if (!handle.#wanted || handle.#closed || handle.#endTold || stream === null) return;
    handle.#scope.enter(TcpHandle.#readFrom, handle, stream);
    if (!handle.#endTold) handle.#readSoon();
  }

  static #readFrom(handle: TcpHandle, stream: NetStream): void {
    if (stream.readable > 0) handle.#readOnce(stream);
    else if (stream.ended) handle.#endReading(null);
    else if (handle.#failure !== null) handle.#endReading(handle.#takeFailure());
  }

  #readOnce(stream: NetStream): void {
    const own = this.reader?.readInto() ?? null;
    if (own !== null) {
      const count = stream.read(own, 0, own.length);
      this.bytesRead += count;
      this.reader?.onFilled(count);
      return;
    }
    const octets = this.#env.platform.alloc(Math.min(stream.readable, READ_SIZE));
    this.bytesRead += stream.read(octets, 0, octets.length);
    this.reader?.onOctets(octets);
  }

  #endReading(code: string | null): void {
    this.#endTold = true;
    this.#want(false);
    this.reader?.onReadEnd(code);
    // An end that was read hides the failure from readers; who still writes meets it.
    this.#failWrites();
  }

  // --- writing ---

  /** Octets that wait for room. */
  get writeQueueSize(): number {
    return this.#writes.reduce((sum, write) => sum + write.octets.length - write.at, 0);
  }

  /** Writes; false when the connection has not taken everything, and `whenWritten` is to be asked. */
  write(octets: Uint8Array): boolean {
    const stream = this.#stream;
    if (this.#failure !== null || stream === null) return false;
    this.bytesWritten += octets.length;
    const taken = this.#writes.length > 0 ? 0 : stream.send(octets, 0, octets.length);
    if (taken === octets.length && this.#writes.length === 0) return true;
    this.#writes.push({ octets, at: taken, call: null });
    this.#keep();
    return false;
  }

  /** Calls `done` when the connection has taken everything that was written, or never will. */
  whenWritten<T>(done: Done<T>, about: T): void {
    const call = callOf(done, about);
    const last = this.#failure === null ? this.#writes.at(-1) : undefined;
    if (last !== undefined) last.call = call;
    else this.#env.platform.nextTick(TcpHandle.#tell, this, call, this.#takeFailure());
  }

  static #tell(handle: TcpHandle, call: Call, code: string | null): void {
    handle.#scope.enter(call.done, call.about, code);
  }

  onWritable(): void {
    const stream = this.#stream;
    while (stream !== null && !this.#closed && this.#writes.length > 0) {
      const first = this.#writes[0]!;
      first.at += stream.send(first.octets, first.at, first.octets.length);
      if (first.at < first.octets.length) return;
      this.#writes.shift();
      this.#keep();
      if (first.call !== null) TcpHandle.#tell(this, first.call, null);
    }
  }

  /** Ends our direction when everything written has gone to the connection. */
  shutdown<T>(done: Done<T>, about: T): void {
    if (this.#failure === null) this.#stream?.shutdown();
    this.#env.platform.nextTick(TcpHandle.#tell, this, callOf(done, about), null);
  }

  // --- the end ---

  onClose(_stream: NetStream, error: NetError | null): void {
    if (error === null) {
      this.#readSoon();
      return;
    }
    if (this.#connecting !== null) {
      this.#connected(error.code);
      return;
    }
    this.#failure = error.code;
    this.#readSoon();
    // A reader is told first, and destroys the socket, whose writes then end with it.
    if (!this.#wanted) this.#failWrites();
  }

  #failWrites(): void {
    if (this.#failure === null || this.#closed || this.#writes.length === 0) return;
    const code = this.#takeFailure();
    for (const { call } of this.#writes.splice(0)) if (call !== null) TcpHandle.#tell(this, call, code);
    this.#keep();
  }

  /** The failure is told once; whoever writes afterwards meets a broken pipe. */
  #takeFailure(): string {
    const code = this.#failure ?? 'EPIPE';
    this.#failure = 'EPIPE';
    return code;
  }

  /** Closes: what was taken still goes out, what waits is dropped. `done` is called in a later round. */
  close(done?: () => void): void {
    this.#leave(false, done);
  }

  /** Closes with a RST. */
  reset(done?: () => void): void {
    this.#leave(true, done);
  }

  #leave(abruptly: boolean, done: (() => void) | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connecting = null;
    // Storing a length is a call of the runtime, even that of an empty array.
    if (this.#writes.length > 0) this.#writes.length = 0;
    this.#want(false);
    if (this.#stream !== null) {
      this.#stream.handler = null;
      if (abruptly) this.#stream.abort();
      else this.#stream.close();
    }
    if (done !== undefined) this.#env.platform.soon(TcpHandle.#tell, this, callOf(done, undefined), null);
  }

  // --- the process ---

  /** This keeps the process alive while there is something to come. */
  ref(): void {
    this.#holder.setReferenced(true);
  }

  /** This does not keep the process alive. */
  unref(): void {
    this.#holder.setReferenced(false);
  }

  /** Whether `unref` was not called last. */
  hasRef(): boolean {
    return this.#holder.referenced && !this.#closed;
  }

  #keep(): void {
    const active = this.#connecting !== null || this.#wanted || this.#writes.length > 0;
    this.#holder.setActive(active && !this.#closed);
  }

  // --- the asynchronous context ---

  /** @internal Agents of HTTP ask. */
  getAsyncId(): number {
    return this.#scope.asyncId();
  }

  /** @internal What `asyncReset` is called with is made of it, and not looked at. */
  getProviderType(): number {
    return 0;
  }

  /** @internal An agent gives an idle socket to another request, whose context is the present one. */
  asyncReset(): void {
    this.#scope = this.#env.platform.scope('TCPWRAP');
  }

  // --- settings and addresses ---

  /** Turns Nagle's algorithm off or on. */
  setNoDelay(on: boolean): void {
    this.#stream?.setNoDelay(on);
  }

  /** @param delay seconds of silence before the first probe; 0 leaves it as it is */
  setKeepAlive(on: boolean, delay: number): void {
    if (delay > 0) this.#stream?.setKeepAlive(on, delay * 1000);
    else this.#stream?.setKeepAlive(on);
  }

  /** Our end; `null` before there is one. */
  local(): Place | null {
    return placeOf(this.#stream?.localAddress ?? '', this.#stream?.localPort ?? -1, this.#mapped);
  }

  /** The peer's end; `null` before there is one. */
  remote(): Place | null {
    return placeOf(this.#stream?.remoteAddress ?? '', this.#stream?.remotePort ?? -1, this.#mapped);
  }
}

/** Where "this host" leads when it is connected to, as the kernel has it. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function destinationOf({ address, port, localAddress, localPort }: Target): Parameters<NetHost['connect']>[0] {
  const to: { address: string; port: number; localAddress?: string; localPort?: number } = {
    address: reachable(address),
    port,
  };
  if (localAddress !== undefined) to.localAddress = localAddress;
  if (localPort !== undefined && localPort !== 0) to.localPort = localPort;
  return to;
}

function placeOf(address: string, port: number, mapped: boolean): Place | null {
  if (address === '') return null;
  if (address.includes(':')) return { address, port, family: 'IPv6' };
  return mapped ? { address: `::ffff:${address}`, port, family: 'IPv6' } : { address, port, family: 'IPv4' };
}
