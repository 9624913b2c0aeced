// A socket of Node's shape: a Duplex over a handle, which is one connection of the host.

import { begin, type ConnectOptions } from './connect.ts';
import { IdleTimer, type NetEnv } from './env.ts';
import {
  type CodedError,
  callFailed,
  closedTooEarly,
  type ErrorSource,
  peerEnded,
  socketClosed,
  wrongValue,
} from './errors.ts';
import type { Place, Reader, TcpHandle } from './handle.ts';
import { Duplex, type DuplexOptions } from './node-platform.ts';
import { argumentsOf, checkCallback, duration } from './validate.ts';

/** A buffer of the program's own that reads go to. */
interface OnRead {
  readonly buffer: Uint8Array | (() => Uint8Array);
  readonly callback: (count: number, buffer: Uint8Array) => boolean;
}

/** What a socket is made with. */
export interface SocketOptions extends Omit<DuplexOptions, 'read' | 'write'> {
  readonly readable?: boolean;
  readonly writable?: boolean;
  readonly handle?: TcpHandle;
  readonly onread?: OnRead;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
  readonly pauseOnCreate?: boolean;
  readonly manualStart?: boolean;
  readonly fd?: number;
}

type WriteCallback = (error?: Error | null) => void;

/** What of a server a socket knows. */
interface Owner {
  forget(): void;
}

/** State of a socket that programs have no business with. */
class Private implements Reader {
  readonly socket: Socket;
  timer: IdleTimer | null = null;
  /** Set before there was a handle. */
  noDelay = false;
  keepAlive = false;
  /** Seconds. */
  keepAliveDelay = 0;
  onread: OnRead | null = null;
  buffer: Uint8Array | null = null;
  /** The handle that is gone: who asks is told of it. */
  ended: TcpHandle | null = null;
  /** Octets were asked for before the connection was open. */
  readsWhenOpen = false;
  /** What was written before the connection is open. */
  pending: readonly Uint8Array[] | null = null;
  /** To be called when the connection has taken what was written. */
  writing: WriteCallback | null = null;
  /** Octets that waited to be written when last looked at. */
  queued = 0;
  /** The end is a RST. */
  resets = false;
  /** The peer has ended, and with it whatever we might still write after our own end. */
  peerEnded = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  onOctets(octets: Uint8Array): void {
    const { socket } = this;
    this.timer?.restart();
    if (!socket.push(octets)) socket._handle?.readStop();
  }

  readInto(): Uint8Array | null {
    return this.buffer;
  }

  onFilled(count: number): void {
    const { socket, onread } = this;
    this.timer?.restart();
    if (onread === null || this.buffer === null) return;
    const goesOn = onread.callback.call(socket, count, this.buffer);
    if (typeof onread.buffer === 'function') this.buffer = onread.buffer();
    if (goesOn === false) socket._handle?.readStop();
  }

  onReadEnd(code: string | null): void {
    const { socket } = this;
    this.timer?.restart();
    if (code !== null) {
      socket.destroy(callFailed(socket._net.platform, code, 'read'));
      return;
    }
    if (socket.readableEnded) return;
    socket.push(null);
    socket.read(0);
  }
}

/** A TCP socket. Programs make it by the functions and classes of `createNet`. */
export class Socket extends Duplex {
  /** On the prototype of each host's own class. */
  declare readonly _net: NetEnv;
  declare connecting: boolean;
  declare timeout: number | undefined;
  declare _handle: TcpHandle | null;
  declare _hadError: boolean;
  declare _host: string | null;
  declare _parent: Socket | null;
  declare _server: Owner | null;
  declare server: object | null;
  /** What is written while connecting. */
  declare _pendingData: unknown;
  declare _pendingEncoding: string;
  declare _aborted: boolean;
  declare autoSelectFamilyAttemptedAddresses: string[] | undefined;
  /** @internal */
  declare _own: Private;

  // --- reading and writing ---

  override _read(_size: number): void {
    const handle = this._handle;
    if (this.connecting || handle === null) this._own.readsWhenOpen = true;
    else if (!handle.reading) handle.readStart();
  }

  /** What is written after both ends fails as a broken pipe does, unless the socket may be half open. */
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    if (this._own.peerEnded && this.writableEnded) return writeAfterEnd(this, encoding, callback);
    return super.write(chunk, encoding as BufferEncoding, callback as WriteCallback);
  }

  override _write(chunk: Uint8Array | string, encoding: string, callback: WriteCallback): void {
    const octets = typeof chunk === 'string' ? this._net.platform.encode(chunk, encoding) : chunk;
    send(this, [octets], callback);
  }

  override _writev(chunks: readonly { chunk: Uint8Array | string; encoding: string }[], callback: WriteCallback): void {
    const { platform } = this._net;
    const octets = chunks.map(({ chunk, encoding }) =>
      typeof chunk === 'string' ? platform.encode(chunk, encoding) : chunk,
    );
    send(this, octets, callback);
  }

  override _final(callback: WriteCallback): void {
    if (this.connecting) {
      this.once('connect', () => this._final(callback));
      return;
    }
    if (this._handle === null) callback();
    else this._handle.shutdown(call, callback);
  }

  override pause(): this {
    const { onread } = this._own;
    if (onread !== null && !this.connecting && this._handle?.reading === true && !this.destroyed) {
      this._handle.readStop();
    }
    return super.pause();
  }

  override resume(): this {
    this._startOwn();
    return super.resume();
  }

  override read(size?: number): unknown {
    this._startOwn();
    return super.read(size);
  }

  /** Reads into the program's own buffer never ask by `_read`. */
  _startOwn(): void {
    const { _own: own, _handle: handle } = this;
    if (own.onread !== null && !this.connecting && handle !== null && !handle.reading) handle.readStart();
  }

  // --- opening and closing ---

  /** Opens the connection; all forms of Node's. */
  connect(...args: readonly unknown[]): this {
    const { options, callback } = argumentsOf<ConnectOptions>(args);
    begin(this, options, callback);
    return this;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const { _handle: handle, _own: own } = this;
    this.connecting = false;
    own.timer?.stop();
    own.timer = null;
    if (handle === null) {
      callback(error);
      this._net.platform.nextTick(() => this.emit('close', false));
    } else {
      // Programs put a `close` of their own in the handle's place, which take a callback as Node's does.
      const closed = (): void => void this.emit('close', error !== null);
      if (own.resets) handle.reset(closed);
      else handle.close(closed);
      own.resets = false;
      own.ended = handle;
      handle.reader = null;
      this._handle = null;
      callback(error);
    }
    this._server?.forget();
    this._server = null;
  }

  /** Destroys once everything written has gone. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Ends the connection with a RST. */
  resetAndDestroy(): this {
    if (this._handle === null) return this.destroy(socketClosed());
    const reset = (): void => {
      this._own.resets = true;
      this.destroy();
    };
    if (this.connecting) this.once('connect', reset);
    else reset();
    return this;
  }

  // --- settings ---

  /** Emits `timeout` after as many ms of silence; 0 for never. */
  setTimeout(timeout: number, callback?: () => void): this {
    if (this.destroyed) return this;
    const { platform, clock } = this._net;
    const own = this._own;
    this.timeout = timeout;
    const delay = duration(platform, timeout);
    own.timer?.stop();
    own.timer = null;
    if (callback !== undefined) checkCallback(platform, callback);
    if (delay > 0) {
      own.timer = new IdleTimer(clock, delay, () => this._onTimeout());
      if (callback !== undefined) this.once('timeout', callback);
    } else if (callback !== undefined) {
      this.removeListener('timeout', callback);
    }
    return this;
  }

  /** @internal A write that makes progress is no silence. */
  _onTimeout(): void {
    const own = this._own;
    const queued = this._handle?.writeQueueSize ?? 0;
    if (own.queued > 0 && queued !== own.queued) {
      own.queued = queued;
      own.timer?.restart();
      return;
    }
    this.emit('timeout');
  }

  /** @internal There was activity: agents and servers of HTTP call this. */
  _unrefTimer(): void {
    for (let s: Socket | null = this; s !== null; s = s._parent) s._own.timer?.restart();
  }

  setNoDelay(on?: boolean): this {
    const own = this._own;
    const wanted = on === undefined || Boolean(on);
    if (wanted !== own.noDelay) this._handle?.setNoDelay?.(wanted);
    own.noDelay = wanted;
    return this;
  }

  /** @param delay ms of silence before the first probe, in whole seconds */
  setKeepAlive(on?: boolean, delay = 0): this {
    const own = this._own;
    const wanted = Boolean(on);
    const seconds = ~~(delay / 1000);
    const news = wanted !== own.keepAlive || (wanted && seconds !== own.keepAliveDelay);
    own.keepAlive = wanted;
    own.keepAliveDelay = seconds;
    if (news) this._handle?.setKeepAlive?.(wanted, seconds);
    return this;
  }

  ref(): this {
    if (this._handle === null) this.once('connect', this.ref);
    else this._handle.ref();
    return this;
  }

  unref(): this {
    if (this._handle === null) this.once('connect', this.unref);
    else this._handle.unref();
    return this;
  }

  // --- what there is to know ---

  /** Our address, port and family; empty before there are any. */
  address(): Place | Record<string, never> {
    return this._getsockname();
  }

  /** @internal */
  _getsockname(): Place | Record<string, never> {
    return (this._handle ?? this._own.ended)?.local() ?? {};
  }

  /** @internal */
  _getpeername(): Place | Record<string, never> {
    if (this.connecting) return {};
    return (this._handle ?? this._own.ended)?.remote() ?? {};
  }

  get _connecting(): boolean {
    return this.connecting;
  }

  get bufferSize(): number | undefined {
    return this._handle === null ? undefined : this.writableLength;
  }

  get pending(): boolean {
    return this._handle === null || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get bytesRead(): number {
    return (this._handle ?? this._own.ended)?.bytesRead ?? 0;
  }

  get _bytesDispatched(): number {
    return (this._handle ?? this._own.ended)?.bytesWritten ?? 0;
  }

  /** Octets given to `write`, those included that still wait in the stream. */
  get bytesWritten(): number | undefined {
    const { platform } = this._net;
    const { writableBuffer } = this as unknown as {
      writableBuffer?: readonly { chunk: Uint8Array | string; encoding: string }[];
    };
    if (writableBuffer === undefined) return undefined;
    let count = this._bytesDispatched;
    for (const { chunk, encoding } of writableBuffer) {
      count += typeof chunk === 'string' ? platform.encode(chunk, encoding).length : chunk.length;
    }
    for (const octets of this._own.pending ?? []) count += octets.length;
    return count;
  }

  get remoteAddress(): string | undefined {
    return this._getpeername().address;
  }

  get remotePort(): number | undefined {
    return this._getpeername().port;
  }

  get remoteFamily(): string | undefined {
    return this._getpeername().family;
  }

  get localAddress(): string | undefined {
    return this._getsockname().address;
  }

  get localPort(): number | undefined {
    return this._getsockname().port;
  }

  get localFamily(): string | undefined {
    return this._getsockname().family;
  }
}

/** A socket as `util.inspect` shows it. */
function shown(this: Socket, _depth: number, options: object, inspect: (value: unknown, options: object) => string) {
  const text = ({ address, port }: Partial<Place>): string | undefined =>
    address === undefined ? undefined : `${address}:${port}`;
  const all = {
    readyState: this.readyState,
    local: text(this._getsockname()),
    remote: text(this._getpeername()),
    bytesRead: this.bytesRead,
    bytesWritten: this.bytesWritten,
    timeout: this.timeout,
    errored: this.errored,
  };
  const known = Object.entries(all).filter(([, value]) => value !== undefined && value !== null);
  return `${this.constructor.name} ${inspect(Object.fromEntries(known), options)}`;
}
Object.defineProperty(Socket.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: shown });

/** Options from what the constructor was given. */
export function optionsOf(options: SocketOptions | number | undefined): SocketOptions {
  if (typeof options === 'number') return { fd: options };
  return options ?? {};
}

/** What the stream below is made with: all that a stream looks at, in an object of one shape, which a copy would not be. */
export function streamOptions(options: SocketOptions): DuplexOptions {
  return {
    allowHalfOpen: Boolean(options.allowHalfOpen),
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
    readable: options.readable,
    writable: options.writable,
    highWaterMark: options.highWaterMark,
    readableHighWaterMark: options.readableHighWaterMark,
    writableHighWaterMark: options.writableHighWaterMark,
    encoding: options.encoding,
    defaultEncoding: options.defaultEncoding,
    signal: options.signal,
    construct: options.construct,
    read: (options as DuplexOptions).read,
    write: (options as DuplexOptions).write,
    writev: options.writev,
    final: options.final,
    destroy: options.destroy,
  } as DuplexOptions;
}

/** The first part of a constructor: state that the stream's own constructor may ask for, when its signal is aborted. */
export function prepare(socket: Socket, options: SocketOptions): void {
  const { platform } = socket._net;
  const { objectMode, readableObjectMode, writableObjectMode } = options;
  if (objectMode) throw notSupported(platform, 'objectMode', objectMode);
  if (readableObjectMode) throw notSupported(platform, 'readableObjectMode', readableObjectMode);
  if (writableObjectMode) throw notSupported(platform, 'writableObjectMode', writableObjectMode);
  const own = new Private(socket);
  socket._own = own;
  socket.connecting = false;
  socket._hadError = false;
  socket._handle = null;
  socket._host = null;
  socket._parent = null;
  socket._server = null;
  socket.server = null;
  socket._pendingData = null;
  socket._pendingEncoding = '';
  own.keepAliveDelay = Math.max(0, ~~((options.keepAliveInitialDelay ?? 0) / 1000));
  own.noDelay = Boolean(options.noDelay);
  own.keepAlive = Boolean(options.keepAlive);
  if (isOnRead(options.onread)) {
    own.onread = options.onread;
    own.buffer = typeof options.onread.buffer === 'function' ? options.onread.buffer() : options.onread.buffer;
  }
}

const notSupported = (source: ErrorSource, name: string, value: unknown): Error =>
  wrongValue(source, `options.${name}`, value, 'is not supported');

/** The last part of a constructor: the handle, and reading. */
export function start(socket: Socket, options: SocketOptions): void {
  socket.on('end', peerHasEnded);
  if (options.handle === undefined) return;
  adopt(socket, options.handle);
  if (options.readable === false) return;
  if (options.pauseOnCreate === true) socket.pause();
  else if (options.manualStart !== true) socket.read(0);
}

function isOnRead(value: unknown): value is OnRead {
  if (typeof value !== 'object' || value === null) return false;
  const { buffer, callback } = value as Partial<OnRead>;
  return typeof callback === 'function' && (buffer instanceof Uint8Array || typeof buffer === 'function');
}

/** Gives a socket its handle. */
export function adopt(socket: Socket, handle: TcpHandle): void {
  socket._handle = handle;
  handle.reader = socket._own;
}

function peerHasEnded(this: Socket): void {
  this._own.peerEnded = !this.allowHalfOpen;
}

function writeAfterEnd(socket: Socket, encoding: unknown, callback: unknown): boolean {
  const error: CodedError = peerEnded();
  const done = typeof encoding === 'function' ? encoding : callback;
  if (typeof done === 'function') socket._net.platform.nextTick(() => done(error));
  socket.destroy(error);
  return false;
}

// What a handle calls when it is done.

const call = (callback: WriteCallback): void => callback();

function written(socket: Socket, code: string | null): void {
  const own = socket._own;
  const callback = own.writing;
  own.writing = null;
  if (callback === null) return;
  if (socket.destroyed) {
    callback();
    return;
  }
  socket._unrefTimer();
  callback(code === null ? null : callFailed(socket._net.platform, code, 'write'));
}

/** Octets on their way out: at once, or when the connection is open. */
function send(socket: Socket, octets: readonly Uint8Array[], callback: WriteCallback): void {
  const own = socket._own;
  if (socket.connecting) {
    own.pending = octets;
    socket._pendingData = octets;
    const closed = (): void => callback(closedTooEarly());
    socket.once('connect', () => {
      socket.off('close', closed);
      send(socket, octets, callback);
    });
    socket.once('close', closed);
    return;
  }
  own.pending = null;
  socket._pendingData = null;
  const handle = socket._handle;
  if (handle === null) {
    callback(socketClosed());
    return;
  }
  socket._unrefTimer();
  let gone = true;
  let length = 0;
  for (const part of octets) {
    length += part.length;
    if (!handle.write(part)) gone = false;
  }
  if (gone) {
    callback();
    return;
  }
  own.writing = callback;
  handle.whenWritten(written, socket);
  // More than can wait of it, so that the first look at a timeout sees progress.
  own.queued = length;
}
