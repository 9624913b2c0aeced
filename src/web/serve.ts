// `serve`: requests as the platform's `Request`, answers as its `Response`.

import { NetError } from '../base/errors.ts';
import type { ByteStream, StreamHandler } from '../base/stream.ts';
import {
  authorityOf,
  HeaderList,
  HttpError,
  type HttpLimits,
  type HttpPolicy,
  HttpServerStream,
  reasonPhrase,
  type ServerRequest,
  type ServerResponse,
  type ServerTimeouts,
} from '../http/index.ts';
import { Gate, Inflow, Later, platformHeaders, pump, writeAll } from './flow.ts';
import { takeKnownContent } from './known-content.ts';
import { PlainResponse, TEXT_TYPE } from './plain-response.ts';
import type { PlatformHeaders, PlatformRequest, PlatformResponse, PlatformSignal } from './platform.ts';
import { type RequestParts, requestOf } from './served-request.ts';
import { Socket } from './socket.ts';
import { checkServer, secureServer, type TlsOptions } from './tls.ts';
import { later, type WebEnv, type WebListener, type WebStream } from './web-host.ts';

/** Fields by their names. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** Trailer fields, or what tells them when the content is over. */
export type Trailers = Fields | (() => Fields | Promise<Fields>);

/** What a handler is told beside the request. */
export interface ServeInfo {
  /** Address and port of the client; empty and 0 where the stream has none. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /**
   * Sends 103 (Early Hints) with these fields, such as `Link`, before the answer (RFC 8297). Nothing goes to an
   * HTTP/1.0 client. Throws `StateError` once the answer has begun.
   */
  earlyHints(fields: Fields): void;
  /**
   * The trailer fields of the request (RFC 9110 §6.5), mostly none; settles when its content has been read to the end, and
   * rejects when that never comes. They are not merged into the fields of the head.
   */
  readonly trailers: Promise<PlatformHeaders>;
  /**
   * Fields to send behind the content of the answer, or what tells them once the content has been sent; the content is
   * sent in chunks then. They are dropped where nothing can be behind: HTTP/1.0, HEAD, answers without content, and those
   * that declare a length. Throws `TypeError` for fields that may not come so late; a function's costs the connection.
   */
  sendTrailers(fields: Trailers): void;
  /**
   * Prepares to switch to `protocol`, which the request must have asked for (RFC 9110 §7.8): return `response`, and
   * `socket` is the connection behind the 101, for the program to close. Throws `TypeError` for another protocol.
   */
  upgrade(protocol: string, fields?: Readonly<Record<string, string>>): Upgraded;
  /**
   * Prepares to leave HTTP without an answer of ours: return `response`, and `socket` is the connection behind the request,
   * on which the program writes the answer too. For libraries that write it themselves, such as `ws`.
   */
  detach(): Upgraded;
}

/** What `ServeInfo.upgrade` and `ServeInfo.detach` give. */
export interface Upgraded {
  readonly socket: Socket;
  readonly response: PlatformResponse;
}

/** Options of `serve`. */
export interface ServeOptions {
  /** 0 lets the host choose. */
  readonly port: number;
  /** One of the host's addresses; all of them by default. */
  readonly hostname?: string;
  /** Answers a request. What it throws is answered with 500 and harms nothing else. */
  fetch(request: PlatformRequest, info: ServeInfo): PlatformResponse | Promise<PlatformResponse>;
  /** Told what `fetch` threw, and of clients that do not speak HTTP. Without it only the clients learn of either. */
  onError?(error: unknown): void;
  readonly limits?: Partial<HttpLimits>;
  readonly policy?: Partial<HttpPolicy>;
  /** Open connections; more are reset as they come. 16,384 by default. */
  readonly maxConnections?: number;
  /** When it aborts, the server closes gracefully, as `close()` does. */
  readonly signal?: PlatformSignal;
  readonly timeouts?: Partial<ServerTimeouts>;
  /**
   * Serves `https:` by the platform's own TLS: `cert` and `key` are needed. Throws what the platform says of those that do
   * not fit, `TypeError` where it has no TLS.
   */
  readonly tls?: TlsOptions;
}

/** How often timeouts are looked at, milliseconds. */
const SWEEP = 1_000;
/** Connections that a server has at most, unless told otherwise. */
const MAX_CONNECTIONS = 16_384;
const encoder = new TextEncoder();
/** UTF-16 units of text that is put into octets without an allocation. */
const SHORT = 1024;
const scratch = new Uint8Array(SHORT * 3);
/** UTF-16 units of text that is looked at one by one. */
const ONE_BY_ONE = 64;
/** The fields of answers that say none. */
const NO_FIELDS = HeaderList.from(null);
const TEXT = HeaderList.from([['content-type', TEXT_TYPE]]);

/** A server that listens. */
export class WebServer {
  readonly #env: WebEnv;
  readonly #options: ServeOptions;
  readonly #listener: WebListener;
  readonly #connections: Set<HttpServerStream> = new Set();
  /** Settles when the server was closed and its last connection is over. */
  readonly closed: Promise<void>;
  #settle!: () => void;
  #listening = true;
  #undoSweep: (() => void) | null = null;
  /** Puts TLS on a connection; null for `http:`. */
  readonly #secure: ((stream: WebStream) => WebStream) | null;
  /** The last authority that made a URL, and what such a URL begins with. */
  #authority = '';
  #base = '';
  #date = '';
  #dateAt = -1;

  /** @internal */
  constructor(env: WebEnv, options: ServeOptions) {
    this.#env = env;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { port, hostname, tls } = options;
    const offer = tls === undefined ? null : { ...tls, alpn: ['http/1.1'] };
    // A key that does not fit its certificate is a mistake that is told now, and not to each client.
    if (offer !== null) checkServer(offer);
    this.#secure = offer === null ? null : (stream) => secureServer(stream, offer);
    const where = hostname === undefined ? { port } : { port, address: hostname.replace(/^\[|\]$/g, '') };
    this.#listener = env.host.listen(where, (stream) => this.#accept(stream));
    const { signal } = options;
    if (signal?.aborted === true) void this.close();
    else signal?.addEventListener('abort', () => void this.close(), { once: true });
  }

  /** The port, also when the host chose it. */
  get port(): number {
    return this.#listener.port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Stops: no more connections, idle ones are closed, others after their exchange, whose answer says `close`; with
   * `force` all are reset, with `grace` those that are left after so many milliseconds. Settles when none is left.
   * Connections that were upgraded are the program's.
   */
  close(options: { readonly force?: boolean; readonly grace?: number } = {}): Promise<void> {
    if (this.#listening) {
      this.#listening = false;
      this.#listener.close();
    }
    for (const connection of [...this.#connections]) {
      if (options.force === true) connection.abort();
      else connection.close();
    }
    if (options.grace !== undefined && this.#connections.size > 0) {
      const undo = later(this.#env, options.grace, () => void this.close({ force: true }));
      void this.closed.then(undo);
    }
    this.#done();
    return this.closed;
  }

  #accept(carrier: WebStream): void {
    if (!this.#listening || this.#connections.size >= (this.#options.maxConnections ?? MAX_CONNECTIONS)) {
      carrier.abort();
      return;
    }
    const stream = this.#secure === null ? carrier : this.#secure(carrier);
    const { limits, timeouts, policy } = this.#options;
    const client = { stream, address: stream.remoteAddress ?? '', port: stream.remotePort ?? 0 };
    const connection: HttpServerStream = new HttpServerStream(stream, {
      onRequest: (request, response) => {
        this.#answer(request, response, client);
      },
      onError: (error) => this.#options.onError?.(error),
      date: () => this.#now(),
      onClose: () => {
        this.#connections.delete(connection);
        this.#done();
      },
      advertise: this.#env.clock !== null,
      ...(limits && { limits }),
      ...(policy && { policy }),
      ...(timeouts && { timeouts }),
    });
    this.#connections.add(connection);
    this.#sweep();
    // What came before we were the handler.
    (stream.handler as StreamHandler).onReadable?.(stream);
  }

  #done(): void {
    if (this.#listening || this.#connections.size > 0) return;
    this.#undoSweep?.();
    this.#settle();
  }

  /** Looks after timeouts as long as there are connections. */
  #sweep(): void {
    if (this.#undoSweep !== null || this.#env.clock === null) return;
    const { clock } = this.#env;
    this.#undoSweep = later(this.#env, SWEEP, () => {
      this.#undoSweep = null;
      const now = clock.now();
      for (const connection of [...this.#connections]) connection.timersFire(now);
      if (this.#connections.size > 0) this.#sweep();
    });
  }

  /** One exchange. Throws and rejects only what `onError` throws. */
  #answer(request: ServerRequest, response: ServerResponse, client: Client): void {
    const exchange = new Exchange(this.#env, request, response, client);
    const scheme = this.#secure === null ? 'http' : 'https';
    // RFC 9110 §7.4: a target of another scheme is not ours to answer on a connection that is not secured.
    if (request.form === 'absolute' && !request.target.toLowerCase().startsWith(`${scheme}:`)) {
      exchange.refuse(421);
      return;
    }
    if (!this.#locate(exchange, scheme, request, client.stream)) {
      exchange.refuse(400);
      return;
    }
    let asked: Request;
    try {
      asked = exchange.request();
    } catch {
      // Methods that the platform's Request does not take: CONNECT, TRACE and TRACK.
      exchange.refuse(501);
      return;
    }
    try {
      const answer = this.#options.fetch(asked, exchange);
      // An answer that is there at once leaves at once: a turn of the microtask queue each would tear a batch apart.
      const sent =
        PlainResponse.untouched(answer) || answer instanceof Response
          ? exchange.send(answer as Response)
          : Promise.resolve(answer).then((told) => exchange.send(told));
      sent?.catch((error) => this.#failed(exchange, error));
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  #failed(exchange: Exchange, error: unknown): void {
    exchange.failed(error);
    if (!exchange.aborted) this.#options.onError?.(error);
  }

  /** Tells `exchange` the target URI of its request (RFC 9110 §7.1); false when that makes no URL. */
  #locate(exchange: Exchange, scheme: 'http' | 'https', request: ServerRequest, stream: WebStream): boolean {
    const { form, target } = request;
    const authority =
      form === 'absolute' ? authorityOf(target) : request.headers.getAll('host')[0] || ownAuthority(scheme, stream);
    // No path makes a URL of what is none without it, or the other way round; nearly all requests name the same authority.
    if (form !== 'origin' || authority !== this.#authority) {
      exchange.base = `${scheme}://${authority}`;
      exchange.path = form === 'absolute' ? target.slice(target.indexOf('://') + 3 + authority.length) : '/';
      if (form === 'origin') exchange.path = target;
      if (!URL.canParse(exchange.address)) return false;
      if (form !== 'origin') return true;
      this.#authority = authority;
      this.#base = exchange.base;
    }
    exchange.base = this.#base;
    exchange.path = target;
    return true;
  }

  /** The value of `Date` (RFC 9110 §6.6.1), made once a second. */
  #now(): string {
    const second = Math.floor(this.#env.timeOfDay() / 1000);
    if (second !== this.#dateAt) {
      this.#dateAt = second;
      this.#date = new Date(second * 1000).toUTCString();
    }
    return this.#date;
  }
}

/** What stands in for the authority that an HTTP/1.0 request need not name. */
function ownAuthority(scheme: 'http' | 'https', stream: WebStream): string {
  const { localAddress = 'localhost', localPort = 80 } = stream;
  const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
  return localPort === (scheme === 'http' ? 80 : 443) ? host : `${host}:${localPort}`;
}

/** Who is at the other end of a connection; one for all its exchanges. */
interface Client {
  readonly stream: WebStream;
  readonly address: string;
  readonly port: number;
}

/** One request and its answer. */
class Exchange implements ServeInfo, RequestParts {
  readonly #env: WebEnv;
  readonly #client: Client;
  readonly #request: ServerRequest;
  readonly #response: ServerResponse;
  /** Made when somebody asks for it. */
  #abort: AbortController | null = null;
  /** Why the client is gone; `null` while it is there. */
  #gone: unknown = null;
  #gate: Gate | null = null;
  #trailers: Later<Headers> | null = null;
  /** Kept for as long as the exchange: platforms let a request's signal follow ours only while the request lives. */
  #asked: Request | null = null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #lateTrailers: (() => Fields | Promise<Fields>) | null = null;
  #upgraded: { readonly response: Response; readonly socket: Socket; readonly fields: HeaderList | null } | null = null;
  /** @internal */
  base = '';
  /** @internal */
  path = '';
  /** @internal */
  content: ReadableStream<Uint8Array> | null = null;

  constructor(env: WebEnv, request: ServerRequest, response: ServerResponse, client: Client) {
    this.#env = env;
    this.#client = client;
    this.#request = request;
    this.#response = response;
    request.onAbort = (error) => this.#aborted(error);
    if (request.hasBody) request.onEnd = () => this.#later().settle(platformHeaders(request.trailers));
  }

  get remoteAddress(): string {
    return this.#client.address;
  }

  get remotePort(): number {
    return this.#client.port;
  }

  earlyHints(fields: Fields): void {
    this.#response.writeInformational(103, fields);
  }

  get trailers(): Promise<Headers> {
    return this.#later().promise;
  }

  #later(): Later<Headers> {
    if (this.#trailers === null) {
      this.#trailers = new Later();
      // Nothing comes behind content that there is not; otherwise the constructor has made sure that it is told.
      if (!this.#request.hasBody) this.#trailers.settle(new Headers());
    }
    return this.#trailers;
  }

  sendTrailers(fields: Trailers): void {
    if (typeof fields === 'function') this.#lateTrailers = fields;
    else this.#response.setTrailers(HeaderList.from(fields));
  }

  upgrade(protocol: string, fields: Readonly<Record<string, string>> = {}): Upgraded {
    const asked = this.#request.upgrade.some((offer) => offer.toLowerCase() === protocol.toLowerCase());
    if (!asked) throw new TypeError(`the client did not ask for ${protocol}`);
    const list = HeaderList.from(fields);
    list.set('Upgrade', protocol);
    return this.#leave(list);
  }

  detach(): Upgraded {
    return this.#leave(null);
  }

  #leave(fields: HeaderList | null): Upgraded {
    const socket = new Socket(this.#env, { allowHalfOpen: true });
    // A Response cannot have status 101: this one only stands for it.
    this.#upgraded = { response: new Response(null), socket, fields };
    return this.#upgraded;
  }

  /** Whether the client is gone. */
  get aborted(): boolean {
    return this.#gone !== null;
  }

  /** @internal */
  get address(): string {
    return this.base + this.path;
  }

  /** @internal */
  get method(): string {
    return this.#request.method;
  }

  /** @internal */
  fields(): Headers {
    return platformHeaders(this.#request.headers);
  }

  /** @internal */
  abortSignal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#gone !== null) this.#abort.abort(this.#gone);
    }
    return this.#abort.signal;
  }

  /** What the handler is asked. Throws `TypeError` for a method that the platform does not take. */
  request(): Request {
    const request = this.#request;
    // The platform lets GET and HEAD have no content: what comes is dropped.
    if (request.hasBody && !/^(?:GET|HEAD)$/.test(request.method)) this.content = this.#inflow().stream;
    this.#asked = requestOf(this);
    return this.#asked;
  }

  #inflow(): Inflow {
    const request = this.#request;
    const inflow = new Inflow({
      pause: () => request.pause(),
      resume: () => request.resume(),
      // Left unread: the connection drops it once it is answered.
      cancel: (reason) => {
        request.onData = null;
        this.#later().fail(reason ?? new TypeError('the content was not read to its end'));
      },
    });
    request.pause();
    request.onData = (bytes, from, to) => inflow.push(bytes, from, to);
    const { onEnd } = request;
    request.onEnd = () => {
      inflow.end();
      onEnd?.();
    };
    const { onAbort } = request;
    request.onAbort = (error) => {
      inflow.fail(error);
      onAbort?.(error);
    };
    return inflow;
  }

  /**
   * Sends `answer`: at once when nothing has to be waited for, and then returns `null`. Throws or rejects when it is no
   * answer, or when its content fails.
   */
  send(answer: Response): Promise<void> | null {
    const plain = PlainResponse.untouched(answer);
    if (!plain && !(answer instanceof Response)) throw new TypeError('the handler must return a Response');
    const upgraded = this.#upgraded;
    if (upgraded !== null) {
      if (answer === upgraded.response) {
        this.#upgrade(upgraded.socket, upgraded.fields);
        return null;
      }
      // Prepared and not used.
      upgraded.socket.fail(new NetError('ECONNABORTED', 'connect'));
    }
    if (plain) return this.#sendPlain(answer);
    if (answer.bodyUsed) throw new TypeError('the body of the returned Response has been used');
    const { status, statusText, body } = answer;
    if (status < 200) throw new TypeError('the handler returned an error Response');
    this.#head(status, listOf(answer.headers), statusText);
    if (body === null || this.aborted) return this.#end();
    if (this.#request.method === 'HEAD') {
      this.#response.end();
      return body.cancel();
    }
    const known = takeKnownContent(answer);
    if (known !== undefined) return this.#sendContent(known);
    return this.#sendStream(body.getReader() as ReadableStreamDefaultReader<Uint8Array>);
  }

  #upgrade(socket: Socket, fields: HeaderList | null): void {
    if (this.aborted) socket.fail(this.#gone);
    const take = (stream: ByteStream): void => socket.attach(stream, true);
    if (fields === null) this.#response.detach(take);
    else this.#response.handOver(101, fields, take);
  }

  #head(status: number, fields: HeaderList, reason = ''): void {
    this.#response.adoptHead(status, fields, reason === '' ? reasonPhrase(status) : reason);
  }

  /** An answer of ours that holds what it was made of. */
  #sendPlain(answer: PlainResponse): Promise<void> | null {
    const headers = PlainResponse.fieldsOf(answer);
    const content = PlainResponse.takeContent(answer);
    this.#head(answer.status, headers !== null ? listOf(headers) : typeof content === 'string' ? TEXT : NO_FIELDS);
    return this.#sendContent(content);
  }

  /** Sends content that is all there. */
  #sendContent(content: string | Uint8Array | null): Promise<void> | null {
    if (typeof content !== 'string') return this.#end(content);
    if (content.length > SHORT || this.#lateTrailers !== null) return this.#end(encoder.encode(content));
    this.#response.end(scratch, 0, putText(content));
    return null;
  }

  async #sendStream(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    this.#reader = reader;
    const first = await reader.read();
    if (first.done) {
      await this.#end();
      return;
    }
    const rest = reader.read();
    // Content that is one piece tells its length; content that takes its time is not held back for that.
    const whole = await Promise.race([rest.then((next) => next.done), soon()]);
    if (whole === true) {
      await this.#end(first.value);
      return;
    }
    const queue = [Promise.resolve(first), rest];
    await pump({ read: () => queue.shift() ?? reader.read() } as typeof reader, this.#response, this.#room());
    await this.#end();
  }

  /** Where content waits for room. */
  #room(): Gate {
    if (this.#gate === null) {
      const gate = new Gate();
      this.#gate = gate;
      this.#response.onDrain = () => gate.open();
    }
    return this.#gate;
  }

  /** Sends the last of the content, and the trailers behind it. */
  #end(bytes: Uint8Array | null = null): Promise<void> | null {
    if (this.#lateTrailers !== null) return this.#endLate(bytes, this.#lateTrailers);
    this.#response.end(bytes);
    return null;
  }

  async #endLate(bytes: Uint8Array | null, late: () => Fields | Promise<Fields>): Promise<void> {
    const response = this.#response;
    // The head says that there are chunks before it is known what comes behind them.
    response.flushHeaders();
    if (bytes !== null) await writeAll(bytes, response, this.#room());
    response.setTrailers(HeaderList.from(await late()));
    response.end();
  }

  /** Answers without a handler. */
  refuse(status: number): void {
    this.#response.writeHead(status);
    this.#response.end();
  }

  /** The handler failed: 500 if it still can be told, else a break. */
  failed(error: unknown): void {
    if (this.#response.headSent) this.#response.abort();
    else this.refuse(500);
    if (this.#reader !== null) this.#reader.cancel(error).catch(() => undefined);
  }

  #aborted(error: unknown): void {
    if (this.#request.hasBody) this.#later().fail(error);
    // Content that nobody read in time is no reason to stop a handler that has answered.
    if (error instanceof HttpError && error.side === 'local') return;
    this.#gone = error;
    this.#abort?.abort(error);
    this.#upgraded?.socket.fail(error);
    this.#gate?.open();
    if (this.#reader !== null) this.#reader.cancel(error).catch(() => undefined);
  }
}

function listOf(headers: Headers): HeaderList {
  const fields = new HeaderList();
  for (const [name, value] of headers) fields.append(name, value);
  return fields;
}

/** Puts short text into `scratch` as UTF-8; returns how many octets it takes. A call of the platform costs as much as 60 of ASCII. */
function putText(text: string): number {
  const { length } = text;
  if (length > ONE_BY_ONE) return encoder.encodeInto(text, scratch).written;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) return encoder.encodeInto(text, scratch).written;
    scratch[i] = c;
  }
  return length;
}

/** A few turns of the microtask queue: time enough for a stream of one piece to end. */
async function soon(): Promise<false> {
  for (let i = 0; i < 8; i++) await null;
  return false;
}
