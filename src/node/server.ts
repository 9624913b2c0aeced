// A server of Node's shape: listens on a port of the host and emits a socket for every connection.

import type { NetEnv } from './env.ts';
import { alreadyListening, callFailed, codeOf, listenFailed, notRunning, wrongType, wrongValue } from './errors.ts';
import type { Place, TcpHandle } from './handle.ts';
import { ALL, ListenHandle } from './listen-handle.ts';
import { EventEmitter, getDefaultHighWaterMark } from './node-platform.ts';
import type { PathOptions } from './platform.ts';
import type { Socket, SocketOptions } from './socket.ts';
import { argumentsOf, checkNumber, checkSignal, isPath, noPlace, portOf } from './validate.ts';

/** Options of a server. */
export interface ServerOptions {
  readonly allowHalfOpen?: boolean;
  readonly pauseOnConnect?: boolean;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** ms */
  readonly keepAliveInitialDelay?: number;
  readonly highWaterMark?: number;
}

/** Options of `listen`. */
interface ListenOptions {
  readonly port?: number | string | null;
  readonly host?: string;
  readonly path?: string;
  readonly backlog?: number;
  readonly exclusive?: boolean;
  readonly ipv6Only?: boolean;
  readonly signal?: AbortSignal;
  readonly readableAll?: boolean;
  readonly writableAll?: boolean;
}

/** Connections that wait to be accepted, unless the program says otherwise. */
const BACKLOG = 511;

type ConnectionListener = (socket: Socket) => void;

/** A TCP server. Programs make it by the functions and classes of `createNet`. */
export class Server extends EventEmitter {
  declare readonly _net: NetEnv;
  declare readonly _Socket: new (
    options: SocketOptions,
  ) => Socket;
  declare _connections: number;
  declare _handle: ListenHandle | null;
  declare _unref: boolean;
  /** Family, address and port asked for, as text. */
  declare _connectionKey: string | undefined;
  /** Counts calls of `listen` and `close`: an answer of the name service may come too late. */
  declare _listeningId: number;
  declare allowHalfOpen: boolean;
  declare pauseOnConnect: boolean;
  declare noDelay: boolean;
  declare keepAlive: boolean;
  /** Seconds, as Node keeps it. */
  declare keepAliveInitialDelay: number;
  declare highWaterMark: number;
  declare maxConnections: number | undefined;
  declare dropMaxConnection: boolean | undefined;

  /** Starts to listen; all forms of Node's. */
  listen(...args: readonly unknown[]): this {
    const { options: given, callback } = argumentsOf<ListenOptions>(args);
    const { platform } = this._net;
    if (this._handle !== null) throw alreadyListening();
    if (callback !== null) this.once('listening', callback);
    this._obey(given.signal);
    const [first] = args;
    const none = args.length === 0 || typeof first === 'function' || ('port' in given && given.port == null);
    const port = none ? 0 : given.port;
    if (typeof port === 'number' || typeof port === 'string') {
      const number = portOf(platform, port, 'options.port');
      const backlog = given.backlog || backlogOf(args);
      if (given.host) this._resolve(given.host, number, backlog, given.ipv6Only === true);
      else this._open(null, number, backlog, false);
      return this;
    }
    if (isPath(given.path)) {
      this._openPath({ backlog: backlogOf(args), ...given, path: given.path });
      return this;
    }
    throw 'port' in given || 'path' in given ? wrongValue(platform, 'options', given) : noPlace(platform, given);
  }

  _obey(signal: unknown): void {
    if (signal === undefined) return;
    checkSignal(this._net.platform, signal, 'options.signal');
    const close = (): void => void this.close();
    if (signal.aborted) {
      this._net.platform.nextTick(close);
      return;
    }
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
  }

  _resolve(host: string, port: number, backlog: number, ipv6Only: boolean): void {
    const env = this._net;
    const id = ++this._listeningId;
    if (env.platform.isIP(host) !== 0) {
      env.platform.nextTick(() => {
        if (id === this._listeningId) this._open(host, port, backlog, ipv6Only);
      });
      return;
    }
    const { lookup } = env;
    lookup(host, { family: 0, hints: 0 }, (error, address) => {
      if (id !== this._listeningId) return;
      if (error !== null && error !== undefined) this.emit('error', error);
      else this._open(address as string, port, backlog, ipv6Only);
    });
  }

  /** @param address `null` for all there are */
  _open(address: string | null, port: number, backlog: number, ipv6Only: boolean): void {
    const env = this._net;
    const handle = new ListenHandle(env, (error, connection) => this._accept(error, connection));
    const code = handle.listen(address, port, backlog || BACKLOG, ipv6Only);
    if (code !== null) {
      this._fail(listenFailed(env.platform, code, address ?? ALL, port));
      return;
    }
    this._handle = handle;
    const bound = address ?? ALL;
    this._connectionKey = `${bound.includes(':') ? 6 : 4}:${bound}:${port}`;
    if (this._unref) handle.unref();
    env.platform.nextTick(() => {
      this._handle?.scope.enter(() => void this.emit('listening'), null, null);
    });
  }

  _openPath(options: PathOptions): void {
    const { platform } = this._net;
    const handle = new ListenHandle(this._net, (error, connection) => this._accept(error, connection));
    this._handle = handle;
    if (this._unref) handle.unref();
    handle.listenPath(options, (code) => {
      if (this._handle !== handle) return;
      if (code === null) this.emit('listening');
      else {
        handle.close();
        this._handle = null;
        this.emit('error', listenFailed(platform, code, options.path, -1));
      }
    });
  }

  _fail(error: Error): void {
    this._net.platform.nextTick(() => this.emit('error', error));
  }

  _accept(error: number, connection: TcpHandle | undefined): void {
    const { platform } = this._net;
    if (error !== 0 || connection === undefined) {
      this.emit('error', callFailed(platform, codeOf(platform, error), 'accept'));
      return;
    }
    if (this.maxConnections !== undefined && this._connections >= this.maxConnections) {
      this.emit('drop', dropped(connection));
      connection.close();
      return;
    }
    if (this.noDelay) connection.setNoDelay(true);
    if (this.keepAlive) connection.setKeepAlive(true, this.keepAliveInitialDelay);
    this._connections++;
    const socket = new this._Socket({
      handle: connection,
      allowHalfOpen: this.allowHalfOpen,
      pauseOnCreate: this.pauseOnConnect,
      readable: true,
      writable: true,
      readableHighWaterMark: this.highWaterMark,
      writableHighWaterMark: this.highWaterMark,
    });
    socket._own.noDelay = this.noDelay;
    socket._own.keepAlive = this.keepAlive;
    socket._own.keepAliveDelay = this.keepAliveInitialDelay;
    socket.server = this;
    socket._server = this;
    this.emit('connection', socket);
    platform.publish('net.server.socket', socket);
  }

  /** @internal A socket of ours is gone. */
  forget(): void {
    this._connections--;
    this._emitCloseIfDrained();
  }

  /** @internal */
  _emitCloseIfDrained(): void {
    if (this._handle !== null || this._connections > 0) return;
    this._net.platform.nextTick(() => this.emit('close'));
  }

  /** Stops listening; `close` follows when the last socket has gone. */
  close(callback?: (error?: Error) => void): this {
    if (typeof callback === 'function') {
      if (this._handle === null) this.once('close', () => callback(notRunning()));
      else this.once('close', callback);
    }
    this._listeningId++;
    this._handle?.close();
    this._handle = null;
    this._emitCloseIfDrained();
    return this;
  }

  /** A listener of `connection` that rejects costs its socket, and nothing else, where rejections are captured. */
  _rejected(error: Error, event: string, socket?: Socket): void {
    if (event === 'connection') socket?.destroy(error);
    else this.emit('error', error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this._handle === null) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.close((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** Where this listens; `null` when it does not. */
  address(): Place | string | null {
    return this._handle === null ? null : this._handle.place();
  }

  /** Calls back with the number of sockets. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    this._net.platform.nextTick(() => callback(null, this._connections));
    return this;
  }

  get listening(): boolean {
    return this._handle !== null;
  }

  ref(): this {
    this._unref = false;
    this._handle?.ref();
    return this;
  }

  unref(): this {
    this._unref = true;
    this._handle?.unref();
    return this;
  }
}

// Writable as Node's is: what inherits from it (http2's servers do) assigns its own.
Object.defineProperty(Server.prototype, EventEmitter.captureRejectionSymbol, {
  value: Server.prototype._rejected,
  writable: true,
  configurable: true,
});

/** Everything of a constructor that follows the emitter's own. */
export function initialiseServer(
  server: Server,
  options: ServerOptions | ConnectionListener | null | undefined,
  listener: ConnectionListener | undefined,
): void {
  const { platform } = server._net;
  const callback = typeof options === 'function' ? options : listener;
  if (typeof options !== 'function' && options != null && typeof options !== 'object') {
    throw wrongType(platform, 'options', ['object'], options);
  }
  const given: ServerOptions = typeof options === 'function' || options == null ? {} : options;
  const { keepAliveInitialDelay: delay, highWaterMark } = given;
  if (delay !== undefined) checkNumber(platform, delay, 'options.keepAliveInitialDelay');
  if (highWaterMark !== undefined) checkNumber(platform, highWaterMark, 'options.highWaterMark');
  server._connections = 0;
  server._listeningId = 0;
  server._handle = null;
  server._unref = false;
  server.allowHalfOpen = given.allowHalfOpen ?? false;
  server.pauseOnConnect = Boolean(given.pauseOnConnect);
  server.noDelay = Boolean(given.noDelay);
  server.keepAlive = Boolean(given.keepAlive);
  server.keepAliveInitialDelay = Math.max(0, ~~((delay ?? 0) / 1000));
  server.highWaterMark =
    highWaterMark === undefined || highWaterMark < 0 ? getDefaultHighWaterMark(false) : highWaterMark;
  server.maxConnections = undefined;
  if (typeof callback === 'function') server.on('connection', callback);
}

/** `(port, backlog)` and `(port, host, backlog)`. */
function backlogOf(args: readonly unknown[]): number {
  for (const value of args.slice(1, 3)) if (Number(value) >= 0 && Number(value) > 0) return Number(value);
  return 0;
}

function dropped(connection: TcpHandle): object {
  const local = connection.local();
  const remote = connection.remote();
  return {
    localAddress: local?.address,
    localPort: local?.port,
    localFamily: local?.family,
    remoteAddress: remote?.address,
    remotePort: remote?.port,
    remoteFamily: remote?.family,
  };
}
