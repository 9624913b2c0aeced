// The client's end of a connection: requests into a `ByteStream`, one at a time, responses out of it.
//
// A connection can be used again when both messages are complete and neither side said `close`; everything
// else about reuse (pools, retries) belongs to whoever owns several connections.

import { NetError, StateError } from '../base/errors.ts';
import type { ByteStream, StreamHandler } from '../base/stream.ts';
import { BodyReader } from './body.ts';
import { HttpError, type HttpFault } from './errors.ts';
import { checkTrailers, HeaderList, type HeadersInit, hasToken, listOptions, members } from './fields.ts';
import { Framing } from './framing.ts';
import { HeadParser } from './head.ts';
import { Outlet } from './outlet.ts';
import { DEFAULT_LIMITS, type HttpLimits, type HttpPolicy, STRICT } from './policy.ts';
import { Half, persists } from './states.ts';
import { isHost } from './target.ts';

/** A request to send. */
export interface RequestInit {
  /** Any token; `GET` when absent. */
  readonly method?: string;
  /** The request target in the form that goes on the wire (RFC 9112 §3.2). */
  readonly target: string;
  /**
   * Must hold Host, once (RFC 9112 §3.2). With `Expect: 100-continue` the content waits until the server answers, or
   * until `continueTimeout` (RFC 9110 §10.1.1).
   */
  readonly headers: HeadersInit;
  /** The whole content; or `'stream'` when it is written to the exchange, chunked unless a length is given. */
  readonly body?: Uint8Array | 'stream' | null;
  /** Fields to send behind a whole content (RFC 9110 §6.5), which is sent in chunks then. Not with a declared length. */
  readonly trailers?: HeadersInit | null;
}

/** The head of a response. */
export interface ClientResponse {
  readonly status: number;
  readonly reason: string;
  /** Minor version: 0 or 1. */
  readonly minor: number;
  readonly headers: HeaderList;
  /** Trailer fields; complete when `onEnd` is called. */
  trailers: HeaderList;
}

/** Who is told of a response. Exactly one of `onEnd` and `onError` is called, last. */
export interface ResponseHandlers {
  /** An interim response (RFC 9110 §15.2); any number of them. */
  onInformational?(status: number, headers: HeaderList): void;
  /** The head of the final response. */
  onResponse(response: ClientResponse): void;
  /** Content: `bytes[from, to)`, borrowed until the handler returns. */
  onData(bytes: Uint8Array, from: number, to: number): void;
  /** The response is complete; the connection may already be asked for the next. */
  onEnd(): void;
  /**
   * There will be no (complete) response. `ECONNRESET` when the connection ended before an octet of it came,
   * which is when a request may be tried again on another (RFC 9112 §9.3.1).
   */
  onError(error: HttpError | NetError): void;
  /** `write` took less than it was offered, and there is room again. */
  onDrain?(): void;
  /**
   * The server switched protocols (101, RFC 9110 §7.8) or opened the tunnel that CONNECT asked for (§9.3.6): the stream
   * is the program's now, and this is the last call. What came behind the head is still in the stream and is not
   * announced again: look at what is `readable`. Without this handler 101 is an error.
   */
  onHandOver?(response: ClientResponse, stream: ByteStream): void;
}

/** Parts of a client connection that can be set. */
export interface ClientStreamOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly policy?: Partial<HttpPolicy>;
  /**
   * How long content waits for 100 (Continue), milliseconds; 1000 by default. Servers that do not know the expectation
   * stay silent, so it ends (RFC 9110 §10.1.1).
   */
  readonly continueTimeout?: number;
  /** The stream is open. */
  onOpen?(): void;
  /** The connection is over, or was handed over. Exactly once. */
  onClose?(): void;
}

/** Speaks HTTP/1.1 as a client on one stream, which may still be opening; becomes the stream's handler. */
export class HttpClientStream implements StreamHandler {
  readonly stream: ByteStream;
  readonly #options: ClientStreamOptions;
  readonly #policy: HttpPolicy;
  readonly #parser: HeadParser;
  readonly #framing: Framing = new Framing();
  readonly #body: BodyReader;
  readonly #outlet: Outlet;
  /** The protocols that the request offers to switch to, in lower case. */
  #offers: string[] = [];
  /** A final answer came instead of 100: the content is not sent. */
  #refused = false;
  /** The content waits for 100, and perhaps what was said at its end. */
  #expecting = false;
  #held: { bytes: Uint8Array | null; trailers: HeaderList | null } | null = null;
  #deadline = Number.POSITIVE_INFINITY;
  /** What is written: requests. */
  readonly #out: Half = new Half();
  /** What is read: responses. */
  readonly #in: Half = new Half();
  #exchange: ClientExchange | null = null;
  #handlers: ResponseHandlers | null = null;
  #response: ClientResponse | null = null;
  #method = '';
  #keepAlive = true;
  /** Octets of an answer to this request were taken. */
  #heard = false;
  #paused = false;
  #running = false;
  #wantsDrain = false;
  #shut = false;
  #over = false;
  #closed = false;

  constructor(stream: ByteStream, options: ClientStreamOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.stream = stream;
    this.#options = options;
    // RFC 9112 §5.2: user agents unfold what servers should not fold.
    this.#policy = { ...STRICT, fold: true, ...options.policy };
    this.#parser = new HeadParser('response', limits, this.#policy);
    this.#body = new BodyReader(limits, this.#policy);
    this.#outlet = new Outlet(stream);
    stream.handler = this;
  }

  /** Whether `request` may be called: nothing is going on and the connection is good for another exchange. */
  get reusable(): boolean {
    return !this.#over && !this.#shut && this.#keepAlive && this.#exchange === null && this.#quiet;
  }

  /**
   * Whether an octet has come since the last request was sent. When an exchange fails without one on a connection that
   * was kept, the server closed it before it saw the request, and the request may be tried again (RFC 9112 §9.3.1).
   */
  get heard(): boolean {
    return this.#heard || this.stream.readable > 0;
  }

  /** Nothing has come that belongs to no request: not the end, and no octets that would pass for an answer. */
  get #quiet(): boolean {
    return this.stream.readable === 0 && !this.stream.ended;
  }

  /**
   * Sends a request. Throws `StateError` unless `reusable`, `TypeError` for a request that cannot be sent;
   * nothing has been written then.
   */
  request(init: RequestInit, handlers: ResponseHandlers): ClientExchange {
    if (!this.reusable) throw new StateError('this connection cannot take another request');
    const method = init.method ?? 'GET';
    const fields = HeaderList.from(init.headers);
    const body = init.body ?? null;
    checkRequest(method, fields, body !== null && (body === 'stream' || body.length > 0));
    listOptions(fields);
    const trailers = init.trailers === undefined ? null : init.trailers;
    if (trailers !== null) checkTrailers(HeaderList.from(trailers));
    const framing = this.#frame(method, fields, body, trailers !== null);
    this.#outlet.requestHead(method, init.target, fields);
    this.#outlet.begin(framing.kind, framing.length);
    this.#out.enter('head', 'head begins');
    this.#out.enter('body', 'head with body');
    this.#in.enter('head', 'head begins');
    if (hasToken(fields, 'connection', 'close')) this.#keepAlive = false;
    this.#parser.reset();
    this.#method = method;
    this.#handlers = handlers;
    this.#response = null;
    this.#paused = false;
    this.#offers = members(fields, 'upgrade').map((protocol) => protocol.toLowerCase());
    this.#expecting = hasToken(fields, 'expect', '100-continue');
    this.#held = null;
    this.#refused = false;
    this.#heard = false;
    this.#deadline = Number.POSITIVE_INFINITY;
    const exchange = new ClientExchange(this);
    this.#exchange = exchange;
    if (body !== 'stream') exchange.end(body, trailers);
    return exchange;
  }

  /** Adds the framing fields that are missing, and decides how the content goes out. */
  #frame(method: string, fields: HeaderList, body: Uint8Array | 'stream' | null, trailers: boolean): Framing {
    const framing = this.#framing;
    const given = fields.has('content-length') || fields.has('transfer-encoding');
    const chunked = body === 'stream' || (trailers && body !== null);
    if (!given && chunked) fields.append('Transfer-Encoding', 'chunked');
    // RFC 9110 §8.6: a length of 0 is told where the method foresees content.
    else if (!given && (body !== null || method === 'POST' || method === 'PUT' || method === 'PATCH')) {
      fields.append('Content-Length', String(body === null || body === 'stream' ? 0 : body.length));
    }
    framing.decide(method, -1, 1, fields);
    const short = framing.kind === 'length' && body !== 'stream' && framing.length !== (body?.length ?? 0);
    if (framing.fault !== '' || short) throw new TypeError(`the request's framing fields are wrong: ${framing.fault}`);
    return framing;
  }

  /** Ends the connection in good order once nothing is going on; at once when nothing is. */
  close(): void {
    this.#keepAlive = false;
    if (this.#exchange === null) this.#shutdown();
  }

  /** Ends the connection at once. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.stream.abort();
    this.#fail(new HttpError('local', 0, 'incomplete-message'));
  }

  // --- the stream's events ---

  onOpen(): void {
    this.#options.onOpen?.();
    this.onWritable();
  }

  onReadable(): void {
    this.#pump();
  }

  onWritable(): void {
    if (this.#outlet.flush() && this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#handlers?.onDrain?.();
    }
  }

  onClose(_stream: ByteStream, error: NetError | null): void {
    if (this.#closed) return;
    // What was readable has been announced, but a paused exchange may have left it: it is lost now.
    this.#over = true;
    this.#closed = true;
    this.#fail(error ?? this.#endedEarly());
    this.#options.onClose?.();
  }

  // --- time, as the owner tells it ---

  /**
   * When `timersFire` should be called, on the owner's clock; `Infinity` when nothing is pending. Waiting for 100
   * begins when it is first seen here: call it after `request` and after delivering events.
   */
  nextDeadline(now: number): number {
    if (!this.#expecting) this.#deadline = Number.POSITIVE_INFINITY;
    else if (this.#deadline === Number.POSITIVE_INFINITY)
      this.#deadline = now + (this.#options.continueTimeout ?? 1000);
    return this.#deadline;
  }

  /** Does what is due at `now`: content that waited for 100 long enough goes out. */
  timersFire(now: number): void {
    if (now >= this.nextDeadline(now)) this.#proceed();
  }

  /** The content may go. */
  #proceed(): void {
    if (!this.#expecting) return;
    this.#expecting = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#endContent(held.bytes, held.trailers);
    else this.onWritable();
  }

  // --- what the exchange asks ---

  /** @internal */
  write(bytes: Uint8Array, from: number, to: number): number {
    if (this.#refused) return to - from;
    const taken = this.#expecting ? 0 : this.#outlet.write(bytes, from, to);
    if (taken < to - from) this.#wantsDrain = true;
    return taken;
  }

  /** @internal */
  endRequest(bytes: Uint8Array | null, trailers: HeadersInit | null): void {
    const fields = trailers === null ? null : HeaderList.from(trailers);
    if (fields !== null) checkTrailers(fields);
    if (this.#refused) return;
    if (this.#expecting) this.#held = { bytes, trailers: fields };
    else this.#endContent(bytes, fields);
  }

  #endContent(bytes: Uint8Array | null, trailers: HeaderList | null): void {
    if (bytes !== null && bytes.length > 0) this.#outlet.writeAll(bytes, 0, bytes.length);
    if (this.#outlet.left > 0) {
      this.abort();
      return;
    }
    this.#outlet.end(trailers);
    this.#out.enter('done', 'body ends');
    this.#pump();
  }

  /** @internal */
  get writable(): number {
    return this.#expecting ? 0 : this.#outlet.writable;
  }

  /** @internal */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#pump();
  }

  // --- reading ---

  #pump(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#over && this.#advance());
    } finally {
      this.#running = false;
    }
  }

  #advance(): boolean {
    if (this.#exchange === null) return this.#readIdle();
    if (this.#in.state === 'head') return this.#readHead();
    if (this.#in.state === 'body' && (!this.#paused || this.#body.complete)) return this.#readBody();
    return false;
  }

  /** Between exchanges nothing may come (RFC 9112 §9.2): what does is not the answer to what we ask next. */
  #readIdle(): boolean {
    const stream = this.stream;
    if (this.#shut) {
      while (stream.readable > 0) stream.consume(stream.peek().length);
    } else if (stream.readable > 0) this.abort();
    else if (stream.ended) this.#shutdown();
    return false;
  }

  #readHead(): boolean {
    const parser = this.#parser;
    const span = this.stream.peek();
    if (span.length === 0) {
      if (this.stream.ended) this.#break(this.#endedEarly());
      return false;
    }
    this.#heard = true;
    const taken = parser.feed(span, 0, span.length);
    this.stream.consume(taken);
    if (parser.result === 'fault') this.#break(new HttpError('remote', 502, parser.fault as HttpFault));
    else if (parser.result === 'done') this.#headComplete();
    return true;
  }

  #headComplete(): void {
    const { status, reason, minor, fields } = this.#parser;
    if (status === 101) {
      this.#switch();
      return;
    }
    if (status < 200) {
      this.#parser.reset();
      this.#in.enter('head', 'interim response');
      if (status === 100) this.#proceed();
      this.#handlers?.onInformational?.(status, fields);
      return;
    }
    // A final answer: content that waited for 100 is not wanted (RFC 9110 §10.1.1).
    this.#refused = this.#expecting;
    this.#expecting = false;
    this.#held = null;
    const framing = this.#framing;
    framing.decide(this.#method, status, minor, fields, this.#policy);
    if (framing.fault !== '') {
      this.#break(new HttpError('remote', 502, framing.fault));
      return;
    }
    const { onHandOver } = this.#handlers!;
    if (framing.kind === 'tunnel' && onHandOver !== undefined && this.#sent) {
      this.#give({ status, reason, minor, headers: fields, trailers: new HeaderList() });
      return;
    }
    if (framing.both || !persists(minor, fields) || framing.kind === 'close' || framing.kind === 'tunnel')
      this.#keepAlive = false;
    this.#in.enter('body', 'head with body');
    this.#body.begin(framing);
    const response: ClientResponse = { status, reason, minor, headers: fields, trailers: this.#body.trailers };
    this.#response = response;
    this.#handlers?.onResponse(response);
    // Whoever waits for room learns that everything is taken now, and dropped.
    if (this.#refused) this.#handlers?.onDrain?.();
  }

  /** RFC 9110 §7.8: 101 may switch to what was offered, once the request is complete, and to nothing else. */
  #switch(): void {
    const { reason, minor, fields } = this.#parser;
    const chosen = members(fields, 'upgrade');
    const good = chosen.length > 0 && chosen.every((protocol) => this.#offers.includes(protocol.toLowerCase()));
    if (this.#handlers?.onHandOver === undefined || !good || !this.#sent || minor === 0) {
      this.#break(new HttpError('remote', 502, 'unexpected-upgrade'));
      return;
    }
    this.#give({ status: 101, reason, minor, headers: fields, trailers: new HeaderList() });
  }

  /** The stream is no longer ours: nothing behind the head was read. */
  #give(response: ClientResponse): void {
    const handlers = this.#handlers;
    this.#detach();
    this.#over = true;
    this.#closed = true;
    this.stream.handler = null;
    this.#options.onClose?.();
    handlers?.onHandOver?.(response, this.stream);
  }

  #readBody(): boolean {
    const body = this.#body;
    const result = body.step(this.stream);
    if (result === 'empty') return false;
    if (result === 'fault') {
      this.#break(new HttpError('remote', 502, body.fault as HttpFault));
      return false;
    }
    if (result === 'done') {
      this.#endExchange();
      return true;
    }
    this.#handlers?.onData(body.bytes, body.from, body.to);
    if (!this.#over) body.release(this.stream);
    return true;
  }

  /** The whole request has gone into the stream. */
  get #sent(): boolean {
    return this.#out.state === 'done' && this.#outlet.flushed;
  }

  // --- endings ---

  #endExchange(): void {
    const handlers = this.#handlers;
    if (this.#response !== null) this.#response.trailers = this.#body.trailers;
    this.#in.enter('done', 'body ends');
    const sent = this.#sent;
    this.#detach();
    if (!sent) {
      // The answer came before the request was complete, which now never will be (RFC 9112 §9.5).
      this.#over = true;
      this.stream.abort();
    } else if (this.#keepAlive) {
      this.#in.enter('idle', 'next exchange');
      this.#out.enter('idle', 'next exchange');
    } else {
      this.#in.enter('must-close', 'no keep-alive');
      this.#out.enter('must-close', 'no keep-alive');
      this.#shutdown();
    }
    handlers?.onEnd();
  }

  #shutdown(): void {
    if (this.#shut || this.#over) return;
    this.#shut = true;
    this.stream.shutdown();
  }

  /** The response cannot be understood any further: neither can anything after it. */
  #break(error: HttpError | NetError): void {
    this.#over = true;
    this.#in.enter('error', 'fault');
    this.stream.abort();
    this.#fail(error);
  }

  #endedEarly(): HttpError | NetError {
    const none = this.#in.state === 'head' && !this.#parser.begun;
    return none ? new NetError('ECONNRESET', 'read') : new HttpError('remote', 502, 'incomplete-message');
  }

  #fail(error: HttpError | NetError): void {
    const handlers = this.#handlers;
    this.#detach();
    handlers?.onError(error);
  }

  #detach(): void {
    this.#exchange?.detach();
    this.#exchange = null;
    this.#handlers = null;
    this.#wantsDrain = false;
    this.#expecting = false;
    this.#held = null;
  }
}

/** Throws `TypeError` for a request that the RFCs forbid to send. */
function checkRequest(method: string, fields: HeaderList, content: boolean): void {
  const hosts = fields.getAll('host');
  if (hosts.length !== 1 || !isHost(hosts[0]!))
    throw new TypeError('a request needs one valid Host field (RFC 9112 §3.2)');
  if (method === 'TRACE' && content) throw new TypeError('TRACE has no content (RFC 9110 §9.3.8)');
  if (method === 'OPTIONS' && content && !fields.has('content-type')) {
    throw new TypeError('OPTIONS with content needs a Content-Type (RFC 9110 §9.3.7)');
  }
  if (!content && hasToken(fields, 'expect', '100-continue')) {
    throw new TypeError('a request without content cannot expect 100 (RFC 9110 §10.1.1)');
  }
  if (hasToken(fields, 'te', 'chunked'))
    throw new TypeError('chunked is always welcome: it has no place in TE (RFC 9112 §7.4)');
}

/** A request on its way: its content goes in here, and the response can be paused. */
export class ClientExchange {
  #connection: HttpClientStream | null;
  #ended = false;

  /** @internal */
  constructor(connection: HttpClientStream) {
    this.#connection = connection;
  }

  /** Octets that `write` would take now, about. */
  get writable(): number {
    return this.#connection === null || this.#ended ? 0 : this.#connection.writable;
  }

  /**
   * Takes as much of the content's next octets as there is room for and returns their number; when that is
   * fewer than offered, `onDrain` follows. Once the exchange is over, everything is taken and dropped.
   */
  write(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
    if (this.#connection === null) return to - from;
    if (this.#ended) throw new StateError('write after end');
    return from === to ? 0 : this.#connection.write(bytes, from, to);
  }

  /** Ends the content, after the octets given with it; what the stream cannot take of them is copied. */
  end(bytes: Uint8Array | null = null, trailers: HeadersInit | null = null): void {
    if (this.#connection === null) return;
    if (this.#ended) throw new StateError('end after end');
    this.#ended = true;
    this.#connection.endRequest(bytes, trailers);
  }

  /** Delivers no more content until `resume`; the stream is left unread. */
  pause(): void {
    this.#connection?.pause(true);
  }

  /** Delivers again; may call handlers before it returns. */
  resume(): void {
    this.#connection?.pause(false);
  }

  /** Gives up: the connection is aborted and `onError` called with a local error, if nothing ended it before. */
  abort(): void {
    this.#connection?.abort();
  }

  /** The exchange is over. @internal */
  detach(): void {
    this.#connection = null;
  }
}
