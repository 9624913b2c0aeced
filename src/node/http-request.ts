// `http.ClientRequest` of Node's shape: a request of a program, on a socket of an agent or of its own.

import { NetError } from '../base/errors.ts';
import {
  type ClientExchange,
  type ClientResponse,
  HeaderList,
  HttpClientStream,
  type ResponseHandlers,
} from '../http/index.ts';
import { type Constructor, callable } from './callable.ts';
import type { NetEnv } from './env.ts';
import { coded, wrongType } from './errors.ts';
import type { Agent, AgentTarget } from './http-agent.ts';
import { seen } from './http-errors.ts';
import { Incoming, type IncomingMessage, withHead } from './http-incoming.ts';
import { brokenOff, checkFieldName, checkFieldValue } from './http-names.ts';
import { type FieldsInit, fieldOf, initialiseOutgoing, linesOf, OutgoingMessage, pairsOf } from './http-outgoing.ts';
import { asBuffer, Deadlines, SocketStream } from './http-stream.ts';
import { type Duplex, platform, Writable } from './node-platform.ts';

/** What a request is made with. */
interface RequestOptions extends AgentTarget {
  readonly protocol?: string | null;
  readonly hostname?: string | null;
  readonly defaultPort?: number;
  readonly method?: string;
  readonly headers?: FieldsInit;
  /** `user:password` */
  readonly auth?: string | null;
  readonly agent?: Agent | false | null;
  /** ms */
  readonly timeout?: number;
  readonly setHost?: boolean;
  readonly createConnection?: (options: AgentTarget, ready: (error: Error | null, socket?: Duplex) => void) => Duplex;
  readonly signal?: AbortSignal;
}

/** What requests of a host share. */
export interface RequestEnv {
  readonly net: NetEnv;
  readonly connect: Agent['createConnection'];
  readonly Agent: new (options?: object) => Agent;
  /** The agent of those that name none, of now. */
  globalAgent(): Agent;
}

type ResponseListener = (response: IncomingMessage) => void;
type Connection = { readonly http: HttpClientStream; readonly stream: SocketStream; readonly deadlines: Deadlines };

/** Methods whose requests have no content unless some is written. */
const BARE = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];
/** Speakers of HTTP by their socket: a kept socket has one already. */
const speaking: WeakMap<Duplex, Connection> = new WeakMap();

/** A request. */
export class ClientRequest extends OutgoingMessage {
  declare readonly _requests: RequestEnv;
  declare method: string;
  declare path: string;
  declare host: string;
  declare protocol: string;
  declare agent: Agent | null;
  declare aborted: boolean;
  declare reusedSocket: boolean;
  declare res: IncomingMessage | null;
  declare timeout: number;
  declare _exchange: ClientExchange | null;
  declare _connection: Connection | null;
  /** Content is written; otherwise the head is all. */
  declare _streams: boolean;
  /** The exchange is complete, and the socket somebody else's. */
  declare _over: boolean;

  // --- the way out ---

  override _implicitHeader(): void {
    const given = linesOf(this);
    const length = fieldOf(given, 'content-length');
    const framed = length !== undefined || fieldOf(given, 'transfer-encoding') !== undefined;
    if (this._known > 0 && !framed && this._trailerFields === null) {
      given.push(['Content-Length', String(this._known)]);
    }
    this._streams = this._known === 0 ? framed && length !== '0' : this._known > 0 || !BARE.includes(this.method);
    if (!this.hasHeader('connection')) {
      given.push(['Connection', this.agent?.keepAlive === true ? 'keep-alive' : 'close']);
    }
    this._lines = given;
    const text = given.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this._header = `${this.method} ${this.path} HTTP/1.1\r\n${text}\r\n`;
    this._begin();
  }
  declare _lines: [string, string][];

  override write(...args: unknown[]): boolean {
    if (this._header === null && !this.writableEnded && !this.destroyed) {
      this._implicitHeader();
      this._streams = true;
    }
    return super.write(...args);
  }

  /** @internal An agent, or `createConnection`, has a socket, or none. */
  onSocket(socket: Duplex | null, error?: Error): void {
    platform.nextTick(() => {
      if (error !== undefined || socket === null) this.destroy(error ?? brokenOff('socket hang up'));
      else if (this.destroyed) this._giveBack(socket);
      else this._assign(socket);
    });
  }

  /** A socket that came too late. */
  _giveBack(socket: Duplex): void {
    if (this.agent === null) socket.destroy();
    else socket.emit('free');
  }

  _assign(socket: Duplex): void {
    this.socket = socket;
    (socket as { _httpMessage?: unknown })._httpMessage = this;
    this._connection = speaking.get(socket) ?? this._speak(socket);
    socket.on('timeout', this._late);
    if (this.timeout > 0) (socket as { setTimeout?(timeout: number): void }).setTimeout?.(this.timeout);
    this.emit('socket', socket);
    // The head may wait for a listener of `socket` that still sets fields, as it does in Node.
    if (this._header !== null) this._begin();
  }

  _speak(socket: Duplex): Connection {
    const { clock } = this._requests.net;
    const stream = new SocketStream(socket, clock);
    // Content that waits for 100 does so for as long as the program likes.
    const http = new HttpClientStream(stream, { continueTimeout: CONTINUE, onClose: () => deadlines.stop() });
    const deadlines = new Deadlines(clock, http);
    stream.onEvent = () => deadlines.poll();
    const made = { http, stream, deadlines };
    speaking.set(socket, made);
    return made;
  }

  /** Sends the head, once there are both head and socket. */
  _begin(): void {
    const connection = this._connection;
    if (connection === null || this._exchange !== null || this.destroyed) return;
    platform.nextTick(() => {
      if (this._exchange !== null || this.destroyed) return;
      try {
        this._start(connection);
      } catch (error) {
        this.destroy(error as Error);
      }
    });
  }

  _start({ http, deadlines }: Connection): void {
    if (!http.reusable) {
      this.destroy(brokenOff('socket hang up'));
      return;
    }
    const { method, path: target, _streams: streams } = this;
    const init = { method, target, headers: this._lines, body: streams ? ('stream' as const) : null };
    const exchange = http.request(init, this._handlers());
    this._exchange = exchange;
    this._sink = {
      write: (bytes, from, to) => exchange.write(bytes, from, to),
      end: (trailers) => {
        if (streams) exchange.end(null, trailers);
      },
    };
    deadlines.poll();
    this._drained();
  }

  // --- the way back ---

  _handlers(): ResponseHandlers {
    return {
      onInformational: (status, headers) => this._interim(status, headers),
      onResponse: (response) => this._respond(response),
      onData: (bytes, from, to) => this.res?._take(bytes.slice(from, to)),
      onEnd: () => this._complete(),
      onError: (error) => this._broken(seen(error)),
      onDrain: () => this._drained(),
      onHandOver: (response) => this._handOver(response),
    };
  }

  _interim(status: number, headers: HeaderList): void {
    if (status === 100) this.emit('continue');
    const message = this._incoming({ status, reason: '', minor: 1, headers, trailers: headers });
    const { httpVersion, httpVersionMajor, httpVersionMinor, headers: fields, rawHeaders } = message;
    const version = { httpVersion, httpVersionMajor, httpVersionMinor };
    this.emit('information', { statusCode: status, statusMessage: '', ...version, headers: fields, rawHeaders });
  }

  _incoming(response: ClientResponse): IncomingMessage {
    const message = new Incoming(this.socket as Duplex);
    withHead(message, response.minor, response.headers, {
      pause: () => this._exchange?.pause(),
      resume: () => this._exchange?.resume(),
    });
    message.statusCode = response.status;
    message.statusMessage = response.reason;
    message.req = this;
    return message;
  }

  _respond(response: ClientResponse): void {
    if (this.destroyed) return;
    const message = this._incoming(response);
    this.res = message;
    this._response = response;
    if (!this.emit('response', message)) message._dump();
  }
  declare _response: ClientResponse | null;

  _complete(): void {
    const { socket } = this;
    this._over = true;
    this._exchange = null;
    this.res?._finish(this._response?.trailers ?? new HeaderList());
    if (socket === null) return;
    socket.off('timeout', this._late);
    if (this.timeout > 0) (socket as { setTimeout?(timeout: number): void }).setTimeout?.(0);
    if (this._connection?.http.reusable === true) socket.emit('free');
    this.destroy();
  }

  /** There will be no more of an answer. */
  _broken(error: Error): void {
    const { res } = this;
    this._exchange = null;
    this._over = true;
    if (res === null) {
      // An end without an error of the socket's.
      const quiet = error instanceof NetError && error.code === 'ECONNRESET';
      this.destroy(this.aborted || quiet ? brokenOff('socket hang up') : error);
    } else {
      if (!res.readableEnded) res.destroy(brokenOff('aborted'));
      this.destroy();
    }
  }

  /** The socket is the program's: 101, or a tunnel. */
  _handOver(response: ClientResponse): void {
    const socket = this.socket as Duplex;
    const event = this.method === 'CONNECT' ? 'connect' : 'upgrade';
    const message = this._incoming(response);
    message.upgrade = true;
    this._exchange = null;
    this._over = true;
    socket.off('timeout', this._late);
    speaking.delete(socket);
    const head = asBuffer(this._connection!.stream.release());
    socket.emit('agentRemove');
    this.destroy();
    if (this.listenerCount(event) === 0) socket.destroy();
    else this.emit(event, message, socket, head);
  }

  // --- the end ---

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    platform.nextTick(() => this.emit('abort'));
    this.destroy();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this._waiting = null;
    if (this._over) {
      callback(error);
      return;
    }
    this._over = true;
    this.res?._dump();
    this.socket?.destroy();
    callback(error ?? (this.res === null ? brokenOff('socket hang up') : null));
  }

  override setTimeout(timeout: number, callback?: () => void): this {
    if (callback !== undefined) this.once('timeout', callback);
    this.timeout = timeout;
    (this.socket as { setTimeout?(timeout: number): void } | null)?.setTimeout?.(timeout);
    return this;
  }
  declare _late: () => void;

  setNoDelay(on?: boolean): void {
    this._withSocket((socket) => socket.setNoDelay?.(on));
  }

  setSocketKeepAlive(on?: boolean, delay?: number): void {
    this._withSocket((socket) => socket.setKeepAlive?.(on, delay));
  }

  _withSocket(
    act: (socket: { setNoDelay?(on?: boolean): void; setKeepAlive?(...args: unknown[]): void }) => void,
  ): void {
    if (this.socket !== null) act(this.socket as never);
    else this.once('socket', act);
  }
}

/** How long content waits for 100 when the server says nothing, ms (RFC 9110 §10.1.1). */
const CONTINUE = 1000;

/** The ClientRequest of one host. */
export function callableRequest(env: RequestEnv): Constructor<ClientRequest, unknown[]> {
  return callable('ClientRequest', ClientRequest, { _requests: env }, (self: ClientRequest, ...args: unknown[]) => {
    const { options, callback } = requestArguments(args);
    Reflect.apply(Writable, self, [{ autoDestroy: false }]);
    initialiseOutgoing(self);
    prepare(self, env, options);
    if (callback !== undefined) self.once('response', callback as (...args: unknown[]) => void);
    if (options.signal !== undefined) obey(self, options.signal);
    const { agent } = self;
    const target: AgentTarget = { ...options, host: self.host };
    if (agent !== null) agent.addRequest(self, target);
    else {
      const ready = (error: Error | null, socket?: Duplex): void => self.onSocket(socket ?? null, error ?? undefined);
      const made = (options.createConnection ?? env.connect)({ ...target, path: options.socketPath ?? null }, ready);
      if (made) ready(null, made);
    }
  });
}

/** `(url, options, callback)`, each of them or none, as one list of options. */
function requestArguments(args: unknown[]): { options: RequestOptions; callback: ResponseListener | undefined } {
  const rest = [...args];
  let options: RequestOptions = {};
  const [first] = rest;
  if (typeof first === 'string' || first instanceof URL) {
    options = fromUrl(typeof first === 'string' ? new URL(first) : first);
    rest.shift();
  }
  if (rest[0] !== null && typeof rest[0] === 'object') options = { ...options, ...(rest.shift() as RequestOptions) };
  else if (typeof rest[0] !== 'function') rest.shift();
  return { options, callback: typeof rest[0] === 'function' ? (rest[0] as ResponseListener) : undefined };
}

function fromUrl(url: URL): RequestOptions {
  const { protocol, hostname, pathname, search, port, username, password } = url;
  const user = username !== '' || password !== '';
  return {
    protocol,
    hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    path: `${pathname}${search}`,
    ...(port !== '' && { port: Number(port) }),
    ...(user && { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
  };
}

/** Agent, method, path and fields of a request, checked as Node checks them. */
function prepare(self: ClientRequest, env: RequestEnv, options: RequestOptions): void {
  self.agent = agentOf(env, options);
  const protocol = options.protocol || self.agent?.protocol || 'http:';
  const expected = self.agent?.protocol ?? 'http:';
  if (protocol !== expected) {
    const message = `Protocol "${protocol}" not supported. Expected "${expected}"`;
    throw coded(TypeError, 'ERR_INVALID_PROTOCOL', message);
  }
  const { path = '/', method = 'GET' } = options;
  if (/[^\x21-\xff]/.test(String(path))) {
    throw coded(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
  }
  if (typeof method !== 'string') throw wrongType(platform, 'options.method', ['string'], method);
  checkFieldName(method, 'Method');
  self.method = method.toUpperCase();
  self.path = path || '/';
  self.protocol = protocol;
  self.host = options.hostname || options.host || 'localhost';
  self.timeout = options.timeout ?? self.agent?.options.timeout ?? 0;
  self.aborted = false;
  self.reusedSocket = false;
  self.res = null;
  self._exchange = null;
  self._connection = null;
  self._response = null;
  self._streams = false;
  self._over = false;
  self._lines = [];
  self._late = () => void self.emit('timeout');
  self.useChunkedEncodingByDefault = !BARE.includes(self.method);
  for (const [name, value] of options.headers === undefined ? [] : pairsOf(options.headers)) {
    checkFieldName(name);
    checkFieldValue(name, value);
    if (self.hasHeader(name) && Array.isArray(options.headers)) self.appendHeader(name, String(value));
    else self.setHeader(name, value);
  }
  const port = Number(options.port ?? options.defaultPort ?? self.agent?.defaultPort ?? 80);
  Object.assign(options, { port });
  if (options.setHost !== false && !self.hasHeader('host')) {
    const host = self.host.includes(':') && !self.host.startsWith('[') ? `[${self.host}]` : self.host;
    self.setHeader('Host', port === (options.defaultPort ?? self.agent?.defaultPort ?? 80) ? host : `${host}:${port}`);
  }
  if (options.auth && !self.hasHeader('authorization')) {
    const octets = platform.encode(options.auth, 'utf8');
    self.setHeader('Authorization', `Basic ${btoa(String.fromCharCode(...octets))}`);
  }
}

function agentOf(env: RequestEnv, { agent, createConnection }: RequestOptions): Agent | null {
  if (agent === false) return new env.Agent();
  if (agent === null || agent === undefined) return createConnection === undefined ? env.globalAgent() : null;
  if (typeof agent.addRequest === 'function') return agent;
  throw wrongType(platform, 'options.agent', ['Agent-like Object', 'undefined', 'false'], agent);
}

function obey(self: ClientRequest, signal: AbortSignal): void {
  const stop = (): void => {
    const error = Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
      name: 'AbortError',
      code: 'ABORT_ERR',
    });
    self.destroy(error);
  };
  if (signal.aborted) platform.nextTick(stop);
  else {
    signal.addEventListener('abort', stop, { once: true });
    self.once('close', () => signal.removeEventListener('abort', stop));
  }
}
