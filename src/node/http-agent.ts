// `http.Agent` of Node's shape: sockets to servers, kept between requests.

import { type Constructor, callable } from './callable.ts';
import { type Duplex, EventEmitter, platform } from './node-platform.ts';

/** What of a request decides which sockets serve it, and how they are made. */
export interface AgentTarget {
  readonly host?: string;
  readonly port?: number | string;
  readonly localAddress?: string;
  readonly family?: number;
  readonly socketPath?: string;
  readonly path?: string | null;
}

/** A request, as an agent sees it. */
export interface AgentRequest {
  readonly destroyed: boolean;
  reusedSocket: boolean;
  onSocket(socket: Duplex | null, error?: Error): void;
}

/** Options of an agent. */
export interface AgentOptions {
  readonly keepAlive?: boolean;
  /** ms of silence before keep-alive probes of TCP */
  readonly keepAliveMsecs?: number;
  /** Sockets to one server, in all, and kept idle for one server. */
  readonly maxSockets?: number;
  readonly maxTotalSockets?: number;
  readonly maxFreeSockets?: number;
  /** Which idle socket is taken: the one used last, or first. */
  readonly scheduling?: 'lifo' | 'fifo';
  /** ms */
  readonly timeout?: number;
}

type Waiting = readonly [request: AgentRequest, options: AgentTarget];
type Lists<T> = Record<string, T[] | undefined>;
/** What our sockets have that a Duplex has not. */
type SocketLike = Duplex & {
  setKeepAlive?(on: boolean, delay?: number): void;
  setTimeout?(timeout: number): void;
  ref?(): void;
  unref?(): void;
  _httpMessage?: unknown;
};

const KEEP_ALIVE_PROBES = 1000;
const MOST_FREE = 256;
/** How much earlier than the server says a socket is given up, ms. */
const MARGIN = 1000;

/** Keeps sockets and queues requests. */
export class Agent extends EventEmitter {
  declare options: AgentOptions & AgentTarget;
  declare defaultPort: number;
  declare protocol: string;
  declare requests: Lists<Waiting>;
  declare sockets: Lists<Duplex>;
  declare freeSockets: Lists<Duplex>;
  declare keepAlive: boolean;
  declare keepAliveMsecs: number;
  declare maxSockets: number;
  declare maxTotalSockets: number;
  declare maxFreeSockets: number;
  declare scheduling: 'lifo' | 'fifo';
  declare totalSocketCount: number;

  /** Opens a socket; of the host's own `net`. Programs replace it. */
  declare createConnection: (options: AgentTarget, ready?: (error: Error | null, socket?: Duplex) => void) => Duplex;

  /** What sockets are told apart by. */
  getName(options: AgentTarget = {}): string {
    const { host = 'localhost', port = '', localAddress = '', family, socketPath } = options;
    const name = `${host}:${port}:${localAddress}`;
    return `${name}${family === 4 || family === 6 ? `:${family}` : ''}${socketPath ? `:${socketPath}` : ''}`;
  }

  addRequest(request: AgentRequest, given: AgentTarget): void {
    const options: AgentTarget = { ...given, ...this.options, path: given.socketPath ?? null };
    const name = this.getName(options);
    const idle = this._idle(name);
    if (idle !== null) {
      this.reuseSocket(idle, request);
      this._occupy(name, idle);
      request.onSocket(idle);
      return;
    }
    const busy = this.sockets[name]?.length ?? 0;
    if (busy < this.maxSockets && this.totalSocketCount < this.maxTotalSockets) {
      this._open(request, options);
      return;
    }
    this.requests[name] ??= [];
    this.requests[name].push([request, options]);
  }

  /** A socket that can be used again, out of those that are free. */
  _idle(name: string): Duplex | null {
    const free = this.freeSockets[name];
    if (free === undefined) return null;
    const good = free.filter((socket) => !socket.destroyed && socket.writable);
    const socket = this.scheduling === 'fifo' ? good.shift() : good.pop();
    if (good.length > 0) this.freeSockets[name] = good;
    else delete this.freeSockets[name];
    return socket ?? null;
  }

  _occupy(name: string, socket: Duplex): void {
    this.sockets[name] ??= [];
    this.sockets[name].push(socket);
  }

  _open(request: AgentRequest, options: AgentTarget): void {
    let told = false;
    const ready = (error: Error | null, socket?: Duplex): void => {
      if (told) return;
      told = true;
      if (error !== null || socket === undefined) request.onSocket(null, error ?? new Error('no socket'));
      else {
        this._adopt(socket, options);
        request.onSocket(socket);
      }
    };
    const made = this.createConnection(options, ready);
    if (made) ready(null, made);
  }

  /** Makes a new socket one of ours. */
  _adopt(socket: Duplex, options: AgentTarget): void {
    const name = this.getName(options);
    this._occupy(name, socket);
    this.totalSocketCount++;
    const free = (): void => void this.emit('free', socket, options);
    const gone = (): void => {
      socket.off('free', free).off('close', gone).off('timeout', late).off('agentRemove', gone);
      this.totalSocketCount--;
      this.removeSocket(socket, options);
    };
    const late = (): void => {
      if (this.freeSockets[name]?.includes(socket) === true) socket.destroy();
    };
    socket.on('free', free).on('close', gone).on('timeout', late).on('agentRemove', gone);
    if (this.options.timeout) (socket as SocketLike).setTimeout?.(this.options.timeout);
  }

  /** @internal A socket has no request any more: the next one in line gets it, or it is kept, or it ends. */
  _freed(socket: Duplex, options: AgentTarget): void {
    const name = this.getName(options);
    const next = socket.writable ? this._next(name) : null;
    if (next !== null) {
      this.reuseSocket(socket, next[0]);
      next[0].onSocket(socket);
      return;
    }
    const kept = this.freeSockets[name]?.length ?? 0;
    const wanted = this.keepAlive && socket.writable && kept < this.maxFreeSockets;
    if (!wanted || this.totalSocketCount > this.maxTotalSockets || !this.keepSocketAlive(socket)) {
      socket.destroy();
      return;
    }
    drop(this.sockets, name, socket);
    (socket as SocketLike)._httpMessage = null;
    this.freeSockets[name] ??= [];
    this.freeSockets[name].push(socket);
  }

  /** The next request that still wants a socket. */
  _next(name: string): Waiting | null {
    const line = this.requests[name];
    if (line === undefined) return null;
    let next = line.shift();
    while (next?.[0].destroyed === true) next = line.shift();
    if (line.length === 0) delete this.requests[name];
    return next ?? null;
  }

  removeSocket(socket: Duplex, options: AgentTarget): void {
    const name = this.getName(options);
    drop(this.sockets, name, socket);
    drop(this.freeSockets, name, socket);
    const next = this._next(name);
    if (next !== null) this._open(next[0], next[1]);
  }

  /** Whether an idle socket is kept. Programs replace it. */
  keepSocketAlive(socket: Duplex): boolean {
    const own = socket as SocketLike & { _httpMessage?: { res?: { headers: Record<string, unknown> } } };
    own.setKeepAlive?.(true, this.keepAliveMsecs);
    own.unref?.();
    const { timeout = 0 } = this.options;
    const hint = /timeout=(\d{1,9})/i.exec(String(own._httpMessage?.res?.headers['keep-alive'] ?? ''))?.[1];
    // A request sent as the server closes would be lost (RFC 9112 §9.5).
    const told = hint === undefined ? Number.POSITIVE_INFINITY : Number(hint) * 1000 - MARGIN;
    if (told <= 0) return false;
    const most = Math.min(told, timeout > 0 ? timeout : Number.POSITIVE_INFINITY);
    own.setTimeout?.(most === Number.POSITIVE_INFINITY ? 0 : most);
    return true;
  }

  /** A kept socket goes to a request. Programs replace it. */
  reuseSocket(socket: Duplex, request: AgentRequest): void {
    request.reusedSocket = true;
    (socket as SocketLike).ref?.();
    (socket as SocketLike).setTimeout?.(this.options.timeout ?? 0);
  }

  /** Ends every socket. */
  destroy(): void {
    for (const lists of [this.sockets, this.freeSockets]) {
      for (const list of Object.values(lists)) for (const socket of [...(list ?? [])]) socket.destroy();
    }
  }
}

function drop<T>(lists: Lists<T>, name: string, member: T): void {
  const list = lists[name];
  if (list === undefined) return;
  const rest = list.filter((one) => one !== member);
  if (rest.length > 0) lists[name] = rest;
  else delete lists[name];
}

/** The Agent of one host. */
export function callableAgent(
  createConnection: Agent['createConnection'],
): Constructor<Agent, [options?: AgentOptions & AgentTarget]> {
  return callable('Agent', Agent, { createConnection }, (self: Agent, given?: AgentOptions & AgentTarget) => {
    Reflect.apply(EventEmitter, self, []);
    const options = { noDelay: true, ...given };
    self.options = options;
    self.defaultPort = 80;
    self.protocol = 'http:';
    self.requests = Object.create(null) as Lists<Waiting>;
    self.sockets = Object.create(null) as Lists<Duplex>;
    self.freeSockets = Object.create(null) as Lists<Duplex>;
    self.keepAlive = options.keepAlive ?? false;
    self.keepAliveMsecs = options.keepAliveMsecs ?? KEEP_ALIVE_PROBES;
    self.maxSockets = options.maxSockets ?? Number.POSITIVE_INFINITY;
    self.maxTotalSockets = options.maxTotalSockets ?? Number.POSITIVE_INFINITY;
    self.maxFreeSockets = options.maxFreeSockets ?? MOST_FREE;
    self.scheduling = options.scheduling ?? 'lifo';
    self.totalSocketCount = 0;
    self.on('free', (socket: Duplex, target: AgentTarget) => {
      // After whatever else happens because the answer is complete.
      platform.nextTick(() => self._freed(socket, target));
    });
  });
}
