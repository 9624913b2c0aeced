// The server's end of a connection: requests out of a `ByteStream`, responses into it, in order.
//
// It reads no more than its handler takes, so that a slow handler closes the client's window; it starts no
// request before the last one is answered and the answer has left for the stream; and it closes in the order
// that loses nothing: our direction first, then reading until the client's ends (RFC 9112 §9.6). There is no
// clock here: the owner polls `nextDeadline` and calls `timersFire`.

import type { NetError } from '../base/errors.ts';
import type { ByteStream, StreamHandler } from '../base/stream.ts';
import { BodyReader } from './body.ts';
import { putLatin1 } from './bytes.ts';
import { faultStatus, HttpError, type HttpFault } from './errors.ts';
import { type ExchangeOwner, ServerRequest, ServerResponse } from './exchange.ts';
import { HeaderList, hasToken } from './fields.ts';
import { Framing } from './framing.ts';
import { HeadParser } from './head.ts';
import { Outlet } from './outlet.ts';
import { DEFAULT_LIMITS, type HttpLimits, type HttpPolicy, STRICT } from './policy.ts';
import { Half, persists } from './states.ts';
import { reasonPhrase } from './writer.ts';

/** How long a client may take, milliseconds; `Infinity` for as long as it likes. */
export interface ServerTimeouts {
  /** From the first octet of a head to its last; then 408. */
  readonly head: number;
  /** From the head of a request to the end of its content, while the handler takes it; then 408. */
  readonly body: number;
  /**
   * For `progress` more octets, of content that is wanted or of an answer that waits to be read; then 408, or the
   * connection is aborted. Against clients that send or read just enough not to be idle.
   */
  readonly stall: number;
  /** Between exchanges, and before the first; then the connection is closed. */
  readonly idle: number;
  /** Added to `idle` where that is advertised: a request sent at the last moment still finds us (RFC 9112 §9.5). */
  readonly grace: number;
  /** After our last octet, for the client to end its direction; then the connection is aborted. */
  readonly linger: number;
}

/** What a connection does with its requests. */
export interface ServerStreamOptions {
  /** Called for every request, in order, once its head is complete. */
  onRequest(request: ServerRequest, response: ServerResponse): void;
  /** Something the client sent was not HTTP (it has been answered), or `onRequest` threw (500 was sent). */
  onError?(error: unknown): void;
  /** The connection is over, or was handed over and speaks HTTP no more. Exactly once. */
  onClose?(): void;
  /** Called before a fault is answered: true when the program answers it by itself, and ends the stream. */
  refuse?(error: HttpError): boolean;
  /** The value of `Date` now (RFC 9110 §6.6.1), for responses that have none. Without it, or with `null`, they go without. */
  date?(): string | null;
  /** Whether answers tell in `Keep-Alive` how long the connection is kept. False by default. */
  readonly advertise?: boolean;
  /** Octets that must move within `timeouts.stall`; 512 by default. */
  readonly progress?: number;
  readonly limits?: Partial<HttpLimits>;
  readonly policy?: Partial<HttpPolicy>;
  readonly timeouts?: Partial<ServerTimeouts>;
}

const DEFAULT_TIMEOUTS: ServerTimeouts = {
  head: 60_000,
  body: 300_000,
  stall: 60_000,
  idle: 60_000,
  grace: 1_000,
  linger: 10_000,
};
const DEFAULT_PROGRESS = 512;

/** What a connection waits for the client to do. */
type Phase = 'head' | 'body' | 'send' | 'idle' | 'linger' | 'none';

/**
 * Speaks HTTP/1.1 as a server on one stream; becomes the stream's handler when it is made.
 *
 * @example
 * new HttpServerStream(stream, {
 *   onRequest(request, response) {
 *     response.writeHead(200, { 'Content-Type': 'text/plain' });
 *     response.end(hello);
 *   },
 * });
 */
export class HttpServerStream implements StreamHandler, ExchangeOwner {
  readonly stream: ByteStream;
  readonly #options: ServerStreamOptions;
  readonly #limits: HttpLimits;
  readonly #policy: HttpPolicy;
  readonly #timeouts: ServerTimeouts;
  readonly #parser: HeadParser;
  readonly #framing: Framing = new Framing();
  readonly #body: BodyReader;
  readonly #outlet: Outlet;
  #in: Half = new Half();
  #out: Half = new Half();
  #request: ServerRequest | null = null;
  #response: ServerResponse | null = null;
  /** Whether the connection goes on after this exchange. @internal */
  keepAlive = true;
  /** @internal */
  readonly advertised: number;
  #expectsContinue = false;
  /** The client waited for 100 and got a final answer: its content may never come. */
  #contentRefused = false;
  /** Octets of unwanted content read so far; -1 while content is wanted. */
  #discarded = -1;
  #running = false;
  #lingering = false;
  /** Our direction has been ended. */
  #shut = false;
  /** The stream was aborted, or is closed. */
  #over = false;
  #closed = false;
  #exchanges = 0;
  /** Who gets the stream once both messages are through. */
  #take: ((stream: ByteStream) => void) | null = null;
  /** Octets of request content taken so far, over all requests. */
  #received = 0;
  #timer: Phase = 'none';
  #timerExchange = -1;
  #deadline = Number.POSITIVE_INFINITY;
  /** Octets moved, and when there must be more, in phases that need progress. */
  #moved = 0;
  #stalled = Number.POSITIVE_INFINITY;

  constructor(stream: ByteStream, options: ServerStreamOptions) {
    this.stream = stream;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#policy = { ...STRICT, ...options.policy };
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const seconds = Math.floor(this.#timeouts.idle / 1000);
    this.advertised = options.advertise === true && Number.isFinite(seconds) ? seconds : 0;
    this.#parser = new HeadParser('request', this.#limits, this.#policy);
    this.#body = new BodyReader(this.#limits, this.#policy);
    this.#outlet = new Outlet(stream);
    stream.handler = this;
  }

  /** Whether no exchange is going on and no octet of a next one has come. */
  get idle(): boolean {
    return this.#in.state === 'idle' && this.#out.state === 'idle' && this.stream.readable === 0;
  }

  /** Requests whose head was taken so far. */
  get exchanges(): number {
    return this.#exchanges;
  }

  /** Closes gracefully: at once when idle, otherwise after the exchange that is going on or whose head has begun. */
  close(): void {
    if (this.#over || this.#lingering) return;
    this.keepAlive = false;
    if (this.#request === null && this.#in.state === 'idle') this.#finish();
  }

  // --- the stream's events ---

  onReadable(): void {
    this.#pump();
  }

  onWritable(): void {
    if (this.#outlet.flush()) this.#response?.drained();
    this.#pump();
  }

  onClose(_stream: ByteStream, error: NetError | null): void {
    if (this.#closed) return;
    this.#over = true;
    this.#closed = true;
    this.#abortExchange(error ?? new HttpError('remote', 400, 'incomplete-message'));
    this.#options.onClose?.();
  }

  // --- time, as the owner tells it ---

  /**
   * When `timersFire` should be called, on the owner's clock; `Infinity` when nothing is pending. A phase
   * (waiting, reading a head, lingering) begins, for its timeout, when it is first seen here: call it after
   * delivering events.
   *
   * @param now the owner's time, milliseconds
   */
  nextDeadline(now: number): number {
    const timer = this.#phase();
    if (timer !== this.#timer || this.#exchanges !== this.#timerExchange) {
      this.#timer = timer;
      this.#timerExchange = this.#exchanges;
      this.#deadline = now + this.#allowed(timer);
      this.#stalled = Number.NEGATIVE_INFINITY;
    }
    if (timer !== 'body' && timer !== 'send') return this.#deadline;
    const moved = timer === 'body' ? this.#received : this.#outlet.sent;
    if (this.#stalled < 0 || moved - this.#moved >= (this.#options.progress ?? DEFAULT_PROGRESS)) {
      this.#moved = moved;
      this.#stalled = now + this.#timeouts.stall;
    }
    return Math.min(this.#deadline, this.#stalled);
  }

  /** How long a phase may last in all. */
  #allowed(phase: Phase): number {
    if (phase === 'none' || phase === 'send') return Number.POSITIVE_INFINITY;
    if (phase === 'idle' && this.advertised > 0) return this.#timeouts.idle + this.#timeouts.grace;
    return this.#timeouts[phase];
  }

  /** Does what is due at `now`; nothing when nothing is. */
  timersFire(now: number): void {
    if (now < this.nextDeadline(now)) return;
    if (this.#timer === 'head') this.#refuse('head-timeout');
    else if (this.#timer === 'body') this.#refuse('body-timeout');
    else if (this.#timer === 'idle') this.#finish();
    else this.abort();
    this.#pump();
    this.nextDeadline(now);
  }

  #phase(): Phase {
    if (this.#over) return 'none';
    if (this.#lingering) return 'linger';
    if (this.#request !== null) {
      // A handler that takes its time is no fault of the client's.
      if (!this.#outlet.flushed || this.#response?.waiting === true) return 'send';
      const wanted = this.#discarded >= 0 || !this.#request.paused;
      return this.#in.state === 'body' && wanted ? 'body' : 'none';
    }
    return this.#in.state === 'head' ? 'head' : 'idle';
  }

  // --- what the exchange tells ---

  /** @internal */
  date(): string {
    return this.#options.date?.() ?? '';
  }

  /** @internal */
  continueDue(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    this.#outlet.responseHead(100, reasonPhrase(100), new HeaderList());
  }

  /** @internal */
  handOver(take: (stream: ByteStream) => void): void {
    this.#take = take;
    this.#pump();
  }

  /** @internal */
  headDue(): void {
    // RFC 9110 §10.1.1: a client that expected 100 and gets a final answer may send its content or may not,
    // so what comes next could be either; only the connection's end is clear.
    if (this.#expectsContinue && this.stream.readable === 0) {
      this.keepAlive = false;
      this.#contentRefused = true;
    }
    this.#expectsContinue = false;
  }

  /** @internal */
  responseBegan(hasBody: boolean): void {
    this.#out.enter('head', 'head begins');
    if (hasBody) this.#out.enter('body', 'head with body');
    else this.#out.enter('done', 'head without body');
  }

  /** @internal */
  responseEnded(): void {
    if (this.#out.state === 'body') this.#out.enter('done', 'body ends');
    this.#pump();
  }

  /** @internal */
  resumed(): void {
    this.#pump();
  }

  /** Ends the connection at once; whatever is going on is aborted. */
  abort(): void {
    this.#over = true;
    this.stream.abort();
  }

  // --- reading ---

  #pump(): void {
    // A handler that answers at once comes back here: the loop below goes on, the stack does not grow.
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#over && this.#advance());
    } finally {
      this.#running = false;
    }
  }

  /** One step; false when there is nothing to do until the stream or the handler does something. */
  #advance(): boolean {
    if (this.#lingering) return this.#drop();
    if (this.#in.state === 'body') return this.#readBody();
    if (this.#in.state === 'idle' || this.#in.state === 'head') return this.#readHead();
    if (this.#in.state === 'done' && this.#out.state === 'done') return this.#nextExchange();
    return false;
  }

  #readHead(): boolean {
    const stream = this.stream;
    const span = stream.peek();
    if (span.length === 0) {
      if (!stream.ended) return false;
      if (this.#in.state === 'head') this.#refuse('incomplete-message');
      else this.#finish();
      return this.#lingering;
    }
    const parser = this.#parser;
    const taken = parser.feed(span, 0, span.length);
    if (this.#in.state === 'idle') this.#in.enter('head', 'head begins');
    if (parser.result === 'fault') {
      this.#refuse(parser.fault as HttpFault);
      return true;
    }
    stream.consume(taken);
    if (parser.result === 'done') this.#startExchange();
    return true;
  }

  #startExchange(): void {
    const head = this.#parser;
    const framing = this.#framing;
    framing.decide(head.method, -1, head.minor, head.fields, this.#policy);
    if (framing.fault !== '') {
      this.#refuse(framing.fault);
      return;
    }
    if (framing.length > this.#limits.body) {
      this.#refuse('body-too-large');
      return;
    }
    const hasBody = framing.kind === 'chunked' || framing.length > 0;
    this.#exchanges++;
    const last = framing.both || this.#exchanges >= this.#limits.requests;
    if (last || !persists(head.minor, head.fields)) this.keepAlive = false;
    this.#expectsContinue = hasBody && head.minor > 0 && hasToken(head.fields, 'expect', '100-continue');
    this.#body.begin(framing);
    const request = new ServerRequest(this, head, hasBody, this.#expectsContinue, this.#body.trailers);
    const response = new ServerResponse(this, this.#outlet, head.method, head.minor, request);
    this.#request = request;
    this.#response = response;
    this.#discarded = -1;
    this.#contentRefused = false;
    head.reset();
    this.#in.enter('body', 'head with body');
    try {
      this.#options.onRequest(request, response);
    } catch (error) {
      this.#handlerThrew(response, error);
    }
  }

  #handlerThrew(response: ServerResponse, error: unknown): void {
    if (!response.headSent) {
      response.writeHead(500);
      response.end();
    } else if (!response.ended) this.abort();
    if (this.#options.onError === undefined) throw error;
    this.#options.onError(error);
  }

  #readBody(): boolean {
    const request = this.#request!;
    const stream = this.stream;
    const body = this.#body;
    if (!body.complete && this.#discarded < 0) {
      const unwanted = request.paused || request.onData === null || this.#contentRefused;
      if (this.#out.state === 'done' && unwanted) return this.#discard(request);
      if (request.paused) return false;
      if (this.#expectsContinue) this.#sendContinue();
    }
    const result = body.step(stream);
    if (result === 'empty') return false;
    if (result === 'fault') {
      this.#refuse(body.fault as HttpFault);
      return true;
    }
    if (result === 'done') {
      this.#in.enter('done', 'body ends');
      request.trailers = body.trailers;
      if (this.#discarded < 0) request.onEnd?.();
      return true;
    }
    this.#received += body.to - body.from;
    if (this.#discarded >= 0) this.#discarded += body.to - body.from;
    else request.onData?.(body.bytes, body.from, body.to);
    if (this.#over) return false;
    body.release(stream);
    if (this.#discarded > this.#limits.discard) this.#finish();
    return true;
  }

  /** An early response: content that the handler does not take is in the way of the next request. */
  #discard(request: ServerRequest): boolean {
    this.#discarded = 0;
    // Whoever waits for content that will not be delivered must learn of it.
    if (request.onData !== null) request.onAbort?.(new HttpError('local', 400, 'incomplete-message'));
    // Nobody waits for it otherwise, but for who is to take the stream.
    if (this.#take === null) request.onAbort = null;
    if (!this.keepAlive && this.#take === null) this.#finish();
    return true;
  }

  /** RFC 9110 §10.1.1: the client waits before it sends content; none is needed once it has begun. */
  #sendContinue(): void {
    if (this.stream.readable > 0 || this.#out.state !== 'idle') this.#expectsContinue = false;
    else this.continueDue();
  }

  #nextExchange(): boolean {
    if (!this.#outlet.flushed) return false;
    if (this.#take !== null) return this.#give(this.#take);
    this.#request = null;
    this.#response = null;
    if (!this.keepAlive) {
      this.#in.enter('must-close', 'no keep-alive');
      this.#out.enter('must-close', 'no keep-alive');
      this.#finish();
      return true;
    }
    this.#in.enter('idle', 'next exchange');
    this.#out.enter('idle', 'next exchange');
    return true;
  }

  /** The stream is no longer ours: nothing behind the request was read. */
  #give(take: (stream: ByteStream) => void): boolean {
    this.#take = null;
    this.#request = null;
    this.#response = null;
    this.#over = true;
    this.#closed = true;
    this.stream.handler = null;
    this.#options.onClose?.();
    take(this.stream);
    return false;
  }

  // --- endings ---

  /** Answers a fault if it still can be, then closes (RFC 9112 §9.6). */
  #refuse(fault: HttpFault): void {
    this.#in.enter('error', 'fault');
    const status = faultStatus(fault);
    const error = new HttpError('remote', status, fault);
    const begun = this.#out.state !== 'idle';
    const answered = this.#out.state === 'done';
    const method = this.#request?.method ?? this.#parser.method;
    this.#abortExchange(error);
    this.keepAlive = false;
    // Half of an answer may have gone: then only a break tells the client that it is not all.
    if (begun && !answered) this.abort();
    else if (!begun && this.#options.refuse?.(error) === true) {
      this.#over = true;
      return;
    } else {
      if (!begun) this.#sendRefusal(method, status, fault);
      this.#finish();
    }
    this.#options.onError?.(error);
  }

  #sendRefusal(method: string, status: number, fault: HttpFault): void {
    const text = `${status} ${reasonPhrase(status)}: ${fault}\n`;
    const bytes = new Uint8Array(text.length);
    putLatin1(bytes, 0, text);
    const response = new ServerResponse(this, this.#outlet, method, 1, null);
    response.writeHead(status, [['Content-Type', 'text/plain; charset=utf-8']]);
    response.end(bytes);
  }

  #abortExchange(error: HttpError | NetError): void {
    const request = this.#request;
    const response = this.#response;
    this.#request = null;
    this.#response = null;
    if (request === null || response === null) return;
    const complete = response.ended && this.#in.state === 'done';
    response.kill();
    if (!complete) request.onAbort?.(error);
  }

  /** Ends our direction once everything is out, and reads on until the client ends its own. */
  #finish(): void {
    if (this.#over || this.#lingering) return;
    this.#lingering = true;
    this.#lingerOut();
  }

  #lingerOut(): void {
    if (this.#shut || !this.#outlet.flush()) return;
    this.#shut = true;
    this.#out.enter('closed', 'end of stream');
    this.stream.shutdown();
  }

  #drop(): boolean {
    this.#lingerOut();
    const stream = this.stream;
    // Unread octets would turn our close into a reset, which can destroy the answer on its way (RFC 9112 §9.6).
    while (stream.readable > 0) stream.consume(stream.peek().length);
    return false;
  }
}
