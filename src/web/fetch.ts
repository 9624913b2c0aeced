// `fetch` over our own connections: http: and https: URLs, content streamed both ways, redirects, codings, `AbortSignal`.

import { NetError } from '../base/errors.ts';
import {
  type ClientExchange,
  type ClientResponse,
  HeaderList,
  HttpError,
  hasNoContent,
  members,
  type PooledRequest,
} from '../http/index.ts';
import { decoded } from './decode.ts';
import { type Route, routeTo } from './dial.ts';
import { Gate, Inflow, Later, platformHeaders, pump } from './flow.ts';
import type { Pool } from './pool.ts';
import { follow, type Hop, isRedirect, MOST_REDIRECTS } from './redirect.ts';
import type { Fields } from './serve.ts';
import { assertTls } from './tls.ts';
import { type FetchOptions, TRAILERS } from './trailers.ts';
import { later, type WebEnv } from './web-host.ts';

/** Content of an answer that leads elsewhere and that is read on to keep the connection, octets. */
const DISCARD = 65_536;

/** What one exchange came to: the answer; where it leads; or that it is to be asked again without Expect. */
type Outcome = Response | { readonly status: number; readonly location: string } | 'unexpected';

/**
 * Fetches by the platform's own `Request` and `Response`. Rejects with `TypeError` (its `cause` is the `NetError`
 * or `HttpError`) or with the signal's reason.
 *
 * @internal
 */
export async function fetchOver(
  env: WebEnv,
  pool: Pool,
  input: string | URL | Request,
  init?: FetchOptions & RequestInit,
): Promise<Response> {
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const url = new URL(request.url);
  if (url.protocol === 'https:') assertTls();
  else if (url.protocol !== 'http:') throw new TypeError(`fetch speaks http: and https: here, not ${url.protocol}`);
  const streams = init?.body instanceof ReadableStream || (init?.body == null && request.body !== null);
  const content = request.body === null ? null : streams ? ('stream' as const) : request.arrayBuffer();
  const whole = await unlessAborted(signal, Promise.resolve<ArrayBuffer | 'stream' | null>(content));
  const body = whole instanceof ArrayBuffer ? new Uint8Array(whole) : whole;
  const wanted = init?.trailers ?? null;
  const trailers = typeof wanted === 'function' && body !== 'stream' ? await wanted() : wanted;
  if (trailers !== null && body === null) throw new TypeError('trailers come behind content, and there is none');
  let hop: Hop = { method: request.method, url, fields: fieldsOf(env, request, url), body, trailers };
  for (let redirects = 0; ; ) {
    const route = await unlessAborted(signal, routeTo(env, hop.url));
    const outcome = await exchange(env, pool, request, hop, route);
    if (outcome === 'unexpected') hop.fields.delete('expect');
    else if (outcome instanceof Response) {
      if (redirects > 0) Object.defineProperty(outcome, 'redirected', { value: true });
      return outcome;
    } else {
      if (redirects++ === MOST_REDIRECTS)
        throw new TypeError(`the server redirected more than ${MOST_REDIRECTS} times`);
      hop = follow(hop, outcome.status, outcome.location);
    }
  }
}

/** `promise`, or the signal's reason as soon as it aborts. */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function fieldsOf(env: WebEnv, request: Request, url: URL): HeaderList {
  const fields = new HeaderList();
  fields.append('Host', url.host);
  for (const [name, value] of request.headers) {
    // Framing and the connection are ours to decide.
    if (!/^(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade)$/.test(name)) {
      fields.append(name, value);
    }
  }
  if (!fields.has('accept')) fields.append('Accept', '*/*');
  // A part of coded content could not be decoded.
  if (!fields.has('accept-encoding')) {
    fields.append('Accept-Encoding', fields.has('range') ? 'identity' : env.acceptEncoding);
  }
  return fields;
}

/** One request of a fetch and its answer. */
class Attempt {
  readonly #env: WebEnv;
  readonly #request: Request;
  readonly #hop: Hop;
  readonly #gate: Gate = new Gate();
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (error: unknown) => void;
  readonly #stop: () => void;
  #pooled: PooledRequest | null = null;
  #exchange: ClientExchange | null = null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #inflow: Inflow | null = null;
  #head: ClientResponse | null = null;
  readonly #trailers: Later<Headers> = new Later();
  /** Octets of content that nobody wants; -1 while it is wanted. */
  #discarded = -1;
  #undoTimer: () => void = () => undefined;
  /** Why we gave up ourselves. */
  #reason: { error: unknown } | null = null;
  #over = false;

  constructor(
    env: WebEnv,
    request: Request,
    hop: Hop,
    resolve: (outcome: Outcome) => void,
    reject: (error: unknown) => void,
  ) {
    this.#env = env;
    this.#request = request;
    this.#hop = hop;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#stop = () => this.#giveUp(request.signal.reason);
  }

  start(pool: Pool, route: Route): void {
    const { method, url, fields, body } = this.#hop;
    const { signal } = this.#request;
    if (signal.aborted) {
      this.#finish(signal.reason);
      return;
    }
    signal.addEventListener('abort', this.#stop, { once: true });
    const target = url.pathname + url.search;
    const { trailers } = this.#hop;
    const init = {
      method,
      target,
      headers: fields,
      body,
      ...(body !== 'stream' && { trailers: trailers as Fields | null }),
    };
    this.#watch(this.#env.timeouts.headers);
    try {
      this.#pooled = pool.request(route, init, {
        onStart: (exchange) => this.#begin(exchange),
        onResponse: (response) => this.#respond(response),
        onData: (bytes, from, to) => this.#data(bytes, from, to),
        onEnd: () => {
          this.#trailers.settle(platformHeaders(this.#head?.trailers ?? new HeaderList()));
          this.#finish(null);
        },
        onError: (error) => this.#failed(error),
        onDrain: () => {
          if (this.#inflow === null) this.#watch(this.#env.timeouts.headers);
          this.#gate.open();
        },
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Gives up after so many milliseconds, unless something happens before. */
  #watch(delay: number): void {
    this.#undoTimer();
    this.#undoTimer =
      delay === Number.POSITIVE_INFINITY
        ? () => undefined
        : later(this.#env, delay, () => this.#giveUp(failure(new NetError('ETIMEDOUT', 'read'))));
  }

  #begin(exchange: ClientExchange): void {
    this.#exchange = exchange;
    if (this.#hop.body === 'stream') void this.#upload(this.#request.body!.getReader());
  }

  async #upload(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    this.#reader = reader;
    try {
      await pump(reader, this.#exchange!, this.#gate);
      const { trailers } = this.#hop;
      this.#exchange!.end(null, typeof trailers === 'function' ? await trailers() : trailers);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #respond(head: ClientResponse): void {
    this.#head = head;
    const { status, headers } = head;
    const { method, url, fields, body } = this.#hop;
    const { redirect } = this.#request;
    if (status > 599) {
      this.#giveUp(new TypeError(`the server answered with status ${status}`));
      return;
    }
    if (redirect === 'error' && isRedirect(status, headers)) {
      this.#giveUp(new TypeError('the server redirected'));
      return;
    }
    // RFC 9110 §15.5.18: who gets 417 may ask again without the expectation.
    const unexpected = status === 417 && fields.has('expect') && body !== 'stream';
    if (unexpected || (redirect === 'follow' && isRedirect(status, headers))) {
      this.#discarded = 0;
      this.#watch(this.#env.timeouts.body);
      this.#resolve(unexpected ? 'unexpected' : { status, location: headers.getAll('location')[0]! });
      return;
    }
    // Fetch's own null body statuses: a Response with content cannot be made of them.
    const empty = method === 'HEAD' || hasNoContent(status) || status === 205;
    const content = empty ? null : this.#content(headers);
    const response = new Response(content, { status, statusText: head.reason, headers: platformHeaders(headers) });
    Object.defineProperty(response, 'url', { value: url.href });
    TRAILERS.set(response, this.#trailers);
    this.#resolve(response);
  }

  /** The content that comes, decoded. */
  #content(headers: HeaderList): ReadableStream<Uint8Array> {
    const exchange = this.#exchange;
    this.#inflow = new Inflow({
      pause: () => {
        this.#undoTimer();
        exchange?.pause();
      },
      resume: () => {
        this.#watch(this.#env.timeouts.body);
        exchange?.resume();
      },
      cancel: (reason) => this.#giveUp(reason ?? new DOMException('the body was cancelled', 'AbortError')),
    });
    this.#undoTimer();
    exchange?.pause();
    return decoded(this.#inflow.stream, members(headers, 'content-encoding'), this.#env.maxDecoded);
  }

  #data(bytes: Uint8Array, from: number, to: number): void {
    if (this.#discarded < 0) this.#inflow?.push(bytes, from, to);
    else {
      this.#discarded += to - from;
      if (this.#discarded > DISCARD) this.#pooled?.abort();
    }
  }

  #failed(error: unknown): void {
    if (this.#reason !== null) this.#finish(this.#reason.error);
    else this.#finish(error instanceof TypeError ? error : failure(error));
  }

  /** We want no more of it: the connection goes, and everything that waits learns why. */
  #giveUp(error: unknown): void {
    if (this.#over) return;
    this.#reason ??= { error };
    // Reports back by onError, unless the exchange never began.
    if (this.#pooled === null) this.#finish(error);
    else this.#pooled.abort();
  }

  #finish(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#undoTimer();
    this.#request.signal.removeEventListener('abort', this.#stop);
    this.#gate.open();
    if (this.#reader !== null) this.#reader.cancel(error).catch(() => undefined);
    if (error === null) this.#inflow?.end();
    else {
      this.#inflow?.fail(error);
      this.#trailers.fail(error);
      this.#reject(error);
    }
  }
}

function exchange(env: WebEnv, pool: Pool, request: Request, hop: Hop, route: Route): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    new Attempt(env, request, hop, resolve, reject).start(pool, route);
  });
}

function failure(error: unknown): TypeError {
  const why = error instanceof Error ? error.message : String(error);
  return new TypeError(`fetch failed: ${error instanceof HttpError ? error.fault : why}`, { cause: error });
}
