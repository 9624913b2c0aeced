// `fetch` over our own connections: http: URLs, content streamed both ways, `AbortSignal`.
//
// Redirects are not followed: a 3xx is the answer, whatever `redirect` says, but for `'error'`, which rejects.

import type { NetError } from '../base/errors.ts';
import { type ClientExchange, type ClientResponse, HeaderList, HttpError, hasNoContent } from '../http/index.ts';
import { Gate, Inflow, pump } from './flow.ts';
import type { Pool } from './pool.ts';
import { addressOf, type WebEnv } from './web-host.ts';

/** Methods that may be sent again when a kept connection turns out to be gone (RFC 9110 §9.2.2). */
const IDEMPOTENT = /^(?:GET|HEAD|OPTIONS|PUT|DELETE|TRACE)$/;

/** A request on its way. */
interface Job {
  readonly request: Request;
  readonly url: URL;
  readonly address: string;
  readonly port: number;
  readonly fields: HeaderList;
  readonly body: Uint8Array | 'stream' | null;
}

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
  init?: RequestInit,
): Promise<Response> {
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const url = new URL(request.url);
  if (url.protocol !== 'http:') throw new TypeError(`fetch speaks http: here, not ${url.protocol}`);
  const streams = init?.body instanceof ReadableStream || (init?.body == null && request.body !== null);
  const prepared = Promise.all([
    addressOf(env, url.hostname),
    request.body === null ? null : streams ? ('stream' as const) : request.arrayBuffer(),
  ]);
  const [address, content] = await unlessAborted(signal, prepared);
  const body = content instanceof ArrayBuffer ? new Uint8Array(content) : content;
  const port = url.port === '' ? 80 : Number(url.port);
  const job: Job = { request, url, address, port, fields: fieldsOf(request, url), body };
  try {
    return await exchange(pool, job, false);
  } catch (error) {
    if (!(error instanceof RetryError)) throw error;
    return await exchange(pool, job, true);
  }
}

/** A kept connection was closed under a request that may be repeated. */
class RetryError extends Error {}

/** `promise`, or the signal's reason as soon as it aborts. */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function fieldsOf(request: Request, url: URL): HeaderList {
  const fields = new HeaderList();
  fields.append('Host', url.host);
  for (const [name, value] of request.headers) {
    // Framing and the connection are ours to decide.
    if (!/^(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade)$/.test(name)) {
      fields.append(name, value);
    }
  }
  if (!fields.has('accept')) fields.append('Accept', '*/*');
  return fields;
}

/** One attempt on one connection. */
class Attempt {
  readonly #pool: Pool;
  readonly #job: Job;
  readonly #gate: Gate = new Gate();
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  readonly #stop: () => void;
  #exchange: ClientExchange | null = null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #inflow: Inflow | null = null;
  /** Why we gave up ourselves. */
  #reason: { error: unknown } | null = null;
  #over = false;

  constructor(pool: Pool, job: Job, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.#pool = pool;
    this.#job = job;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#stop = () => this.#giveUp(job.request.signal.reason);
  }

  start(fresh: boolean): void {
    const { request, url, address, port, fields, body } = this.#job;
    if (request.signal.aborted) {
      this.#finish(request.signal.reason);
      return;
    }
    request.signal.addEventListener('abort', this.#stop, { once: true });
    try {
      const { connection, used } = this.#pool.lease(address, port, fresh);
      const again = used && body === null && IDEMPOTENT.test(request.method);
      const target = url.pathname + url.search;
      this.#exchange = connection.request(
        { method: request.method, target, headers: fields, body },
        {
          onResponse: (response) => this.#respond(response),
          onData: (bytes, from, to) => this.#inflow?.push(bytes, from, to),
          onEnd: () => {
            this.#pool.release(address, port, connection);
            this.#finish(null);
          },
          onError: (error) => this.#failed(error, again),
          onDrain: () => this.#gate.open(),
        },
      );
    } catch (error) {
      this.#failed(error, false);
      return;
    }
    if (body === 'stream') void this.#upload(request.body!.getReader());
  }

  async #upload(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    this.#reader = reader;
    try {
      await pump(reader, this.#exchange!, this.#gate);
      this.#exchange!.end();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #respond(head: ClientResponse): void {
    const { request, url } = this.#job;
    if (head.status > 599) {
      this.#giveUp(new TypeError(`the server answered with status ${head.status}`));
      return;
    }
    if (request.redirect === 'error' && isRedirect(head)) {
      this.#giveUp(new TypeError('the server redirected'));
      return;
    }
    const exchange = this.#exchange;
    // Fetch's own null body statuses: a Response with content cannot be made of them.
    const empty = request.method === 'HEAD' || hasNoContent(head.status) || head.status === 205;
    if (!empty) {
      this.#inflow = new Inflow({
        pause: () => exchange?.pause(),
        resume: () => exchange?.resume(),
        cancel: (reason) => this.#giveUp(reason ?? new DOMException('the body was cancelled', 'AbortError')),
      });
      exchange?.pause();
    }
    const headers = new Headers();
    for (const [name, value] of head.headers) headers.append(name, value);
    const response = new Response(this.#inflow?.stream ?? null, {
      status: head.status,
      statusText: head.reason,
      headers,
    });
    Object.defineProperty(response, 'url', { value: url.href });
    this.#resolve(response);
  }

  #failed(error: unknown, again: boolean): void {
    if (this.#reason !== null) {
      this.#finish(this.#reason.error);
      return;
    }
    const code = (error as Partial<NetError>).code;
    if (again && code === 'ECONNRESET' && this.#inflow === null) {
      this.#finish(new RetryError());
      return;
    }
    this.#finish(error instanceof TypeError ? error : failure(error));
  }

  /** We want no more of it: the connection goes, and everything that waits learns why. */
  #giveUp(error: unknown): void {
    if (this.#over) return;
    this.#reason ??= { error };
    // Reports back by onError, unless the exchange never began.
    if (this.#exchange === null) this.#finish(error);
    else this.#exchange.abort();
  }

  #finish(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#job.request.signal.removeEventListener('abort', this.#stop);
    this.#gate.open();
    if (this.#reader !== null) this.#reader.cancel(error).catch(() => undefined);
    if (error === null) this.#inflow?.end();
    else {
      this.#inflow?.fail(error);
      this.#reject(error);
    }
  }
}

function exchange(pool: Pool, job: Job, fresh: boolean): Promise<Response> {
  return new Promise((resolve, reject) => {
    new Attempt(pool, job, resolve, reject).start(fresh);
  });
}

function isRedirect(head: ClientResponse): boolean {
  return head.status >= 300 && head.status < 400 && head.headers.has('location');
}

function failure(error: unknown): TypeError {
  const why = error instanceof Error ? error.message : String(error);
  return new TypeError(`fetch failed: ${error instanceof HttpError ? error.fault : why}`, { cause: error });
}
