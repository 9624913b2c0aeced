// `http.Server` of Node's shape: connections of a `net.Server` of ours, spoken to by `http/`.

import {
  type ServerResponse as Exchange,
  type HttpError,
  HttpServerStream,
  hasToken,
  LENIENT,
  type ServerRequest,
} from '../http/index.ts';
import { type Constructor, callable } from './callable.ts';
import { seen } from './http-errors.ts';
import { Incoming, type IncomingMessage, withHead } from './http-incoming.ts';
import { brokenOff } from './http-names.ts';
import { Response, type ServerResponse } from './http-response.ts';
import { asBuffer, Deadlines, SocketStream } from './http-stream.ts';
import { type Duplex, EventEmitter } from './node-platform.ts';
import { initialiseServer, Server, type ServerOptions } from './server.ts';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** Options of an HTTP server. Times in ms; 0 for as long as it takes. */
export interface HttpServerOptions extends ServerOptions {
  readonly IncomingMessage?: new (socket: Duplex) => IncomingMessage;
  readonly ServerResponse?: new (request: IncomingMessage) => ServerResponse;
  readonly keepAliveTimeout?: number;
  readonly headersTimeout?: number;
  readonly requestTimeout?: number;
  readonly maxHeaderSize?: number;
  /** Whether a 1.1 request without Host is answered with 400, as RFC 9112 §3.2 says; true by default. */
  readonly requireHostHeader?: boolean;
}

/** Fields of a message at most, unless `maxHeadersCount` says otherwise. */
const MOST_FIELDS = 2000;

/** One connection. */
interface Connection {
  readonly socket: Duplex;
  readonly http: HttpServerStream;
}

/** An HTTP server. */
export class HttpServer extends Server {
  declare timeout: number;
  declare keepAliveTimeout: number;
  declare headersTimeout: number;
  declare requestTimeout: number;
  declare maxHeadersCount: number | null;
  declare maxRequestsPerSocket: number;
  declare _options: HttpServerOptions;
  declare _speaking: Set<Connection>;

  /** Emits `timeout` for connections silent for as long; without a listener they are destroyed. */
  setTimeout(timeout: number | (() => void) = 0, callback?: () => void): this {
    this.timeout = typeof timeout === 'number' ? timeout : 0;
    const listener = typeof timeout === 'function' ? timeout : callback;
    if (listener !== undefined) this.on('timeout', listener);
    return this;
  }

  /** Stops listening; what is idle is closed, and the rest once it has been answered. */
  override close(callback?: (error?: Error) => void): this {
    super.close(callback);
    for (const { http } of this._speaking) http.close();
    return this;
  }

  closeIdleConnections(): void {
    for (const { http } of this._speaking) if (http.idle) http.close();
  }

  closeAllConnections(): void {
    for (const { socket } of this._speaking) socket.destroy();
  }

  /** @internal Speaks HTTP on a socket, whoever made it. */
  _speak(socket: Duplex): void {
    const { clock } = this._net;
    const stream = new SocketStream(socket, clock);
    const requests = new Requests(this, socket, stream);
    const http = new HttpServerStream(stream, {
      ...settings(this),
      onRequest: (request, response) => requests.begin(request, response),
      refuse: (error) => requests.refuse(error),
      onError: (error) => {
        // The peer's faults have been answered; what a listener threw is the program's.
        if (!isRemote(error)) throw error;
      },
      onClose: () => {
        deadlines.stop();
        this._speaking.delete(connection);
      },
      date: () => (requests.sendDate ? new Date().toUTCString() : null),
    });
    const deadlines = new Deadlines(clock, http);
    const connection = { socket, http };
    this._speaking.add(connection);
    stream.onEvent = () => deadlines.poll();
    requests.onAnswered = () => deadlines.poll();
    deadlines.poll();
    const timed = socket as Duplex & { setTimeout?(timeout: number): void };
    if (this.timeout > 0) timed.setTimeout?.(this.timeout);
    const timeout = (): void => requests.timeout();
    const failed = (error: Error): void => void this.emit('clientError', error, socket);
    socket.on('timeout', timeout).on('error', failed);
    requests.onDetached = () => socket.off('timeout', timeout).off('error', failed);
  }
}

/** The requests of one connection, one after the other. */
class Requests {
  onAnswered: () => void = () => undefined;
  onDetached: () => void = () => undefined;
  readonly #server: HttpServer;
  readonly #socket: Duplex;
  readonly #stream: SocketStream;
  #request: IncomingMessage | null = null;
  #response: ServerResponse | null = null;

  constructor(server: HttpServer, socket: Duplex, stream: SocketStream) {
    this.#server = server;
    this.#socket = socket;
    this.#stream = stream;
  }

  get sendDate(): boolean {
    return this.#response?.sendDate ?? true;
  }

  begin(inner: ServerRequest, exchange: Exchange): void {
    const server = this.#server;
    const { IncomingMessage: Message = Incoming, ServerResponse: Answer = Response } = server._options;
    const request = new Message(this.#socket);
    const response = new Answer(request);
    withHead(request, inner.minor, inner.headers, inner);
    request.method = inner.method;
    request.url = inner.target;
    request.upgrade = false;
    this.#request = request;
    this.#response = response;
    inner.onData = (bytes, from, to) => request._take(bytes.slice(from, to));
    inner.onEnd = () => request._finish(inner.trailers);
    inner.onAbort = (error) => this.#broken(request, response, exchange, error);
    response.on('finish', () => this.#answered(request, response));
    if (this.#detached(inner, exchange, request)) return;
    response._bind(exchange, this.#socket);
    const expects = inner.minor > 0 && inner.headers.has('expect');
    if (expects && !hasToken(inner.headers, 'expect', '100-continue')) {
      if (server.emit('checkExpectation', request, response)) return;
      response.writeHead(417);
      response.end();
    } else if (expects && server.listenerCount('checkContinue') > 0) {
      inner.pause();
      server.emit('checkContinue', request, response);
    } else server.emit('request', request, response);
  }

  /** Whether the connection leaves HTTP: an upgrade or a tunnel that somebody waits for. */
  #detached(inner: ServerRequest, exchange: Exchange, request: IncomingMessage): boolean {
    const server = this.#server;
    const tunnel = inner.method === 'CONNECT';
    const event = tunnel ? 'connect' : 'upgrade';
    if (!tunnel && inner.upgrade.length === 0) return false;
    if (server.listenerCount(event) === 0) {
      if (tunnel) this.#socket.destroy();
      return tunnel;
    }
    request.upgrade = true;
    exchange.detach(() => {
      this.onDetached();
      server.emit(event, request, this.#socket, asBuffer(this.#stream.release()));
    });
    return true;
  }

  /** The peer sent what is no HTTP, and a listener of `clientError` answers it. */
  refuse(error: HttpError): boolean {
    if (this.#server.listenerCount('clientError') === 0) return false;
    this.#stream.ignore();
    this.#server.emit('clientError', seen(error), this.#socket);
    return true;
  }

  timeout(): void {
    const socket = this.#socket;
    const open = this.#response?.writableFinished === false;
    const told = [
      open && this.#request?.complete === false && this.#request.emit('timeout', socket),
      open && this.#response?.emit('timeout', socket),
      this.#server.emit('timeout', socket),
    ];
    if (!told.includes(true)) socket.destroy();
  }

  #answered(request: IncomingMessage, response: ServerResponse): void {
    response.detachSocket(this.#socket);
    // Content that nobody has begun to take is read and dropped.
    if (!request.readableDidRead && request.listenerCount('data') === 0) request._dump();
    this.onAnswered();
  }

  /** The exchange ends before its time: the client is gone, or content is left that nobody takes behind an answer. */
  #broken(request: IncomingMessage, response: ServerResponse, exchange: Exchange, error: Error): void {
    if ('side' in error && error.side === 'local') {
      if (!request.readableDidRead) request._dump();
      else request._abandon();
      return;
    }
    if (!request.readableEnded) request.destroy(brokenOff('aborted'));
    if (exchange.ended && !response.writableFinished) response.destroy();
  }
}

/** What of a server's fields a connection obeys. */
function settings(server: HttpServer): object {
  const { keepAliveTimeout, headersTimeout, requestTimeout, maxHeadersCount, maxRequestsPerSocket } = server;
  const { maxHeaderSize, requireHostHeader } = server._options;
  const time = (value: number): number => (value > 0 ? value : Number.POSITIVE_INFINITY);
  return {
    advertise: keepAliveTimeout >= 1000,
    timeouts: { head: time(headersTimeout), body: time(requestTimeout), idle: time(keepAliveTimeout) },
    limits: {
      fields: maxHeadersCount === 0 ? Number.MAX_SAFE_INTEGER : (maxHeadersCount ?? MOST_FIELDS),
      ...(maxHeaderSize !== undefined && { head: maxHeaderSize }),
      ...(maxRequestsPerSocket > 0 && { requests: maxRequestsPerSocket }),
    },
    policy: { ...LENIENT, noHost: requireHostHeader === false },
  };
}

const isRemote = (error: unknown): boolean => (error as { side?: unknown } | null)?.side === 'remote';

/** The HTTP server of one host. */
export function callableHttpServer(
  shared: PropertyDescriptorMap,
): Constructor<HttpServer, [options?: HttpServerOptions | RequestListener, listener?: RequestListener]> {
  const own = Object.create(null, shared) as object;
  return callable('Server', HttpServer, own, (self: HttpServer, options?, listener?) => {
    Reflect.apply(EventEmitter, self, []);
    const given: HttpServerOptions = typeof options === 'function' || options == null ? {} : options;
    initialiseServer(self, { noDelay: true, ...given, allowHalfOpen: true }, undefined);
    self._options = given;
    self._speaking = new Set();
    self.timeout = 0;
    self.keepAliveTimeout = given.keepAliveTimeout ?? 5000;
    self.headersTimeout = given.headersTimeout ?? 60_000;
    self.requestTimeout = given.requestTimeout ?? 300_000;
    self.maxHeadersCount = null;
    self.maxRequestsPerSocket = 0;
    const callback = typeof options === 'function' ? options : listener;
    if (callback !== undefined) self.on('request', callback);
    self.on('connection', (socket: Duplex) => self._speak(socket));
  });
}
