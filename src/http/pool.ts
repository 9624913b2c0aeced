// Connections to origins, kept between exchanges: limits, queues, and the race between a request and a close.
//
// A server may close a connection that it thinks idle while a request is on its way (RFC 9112 §9.5). Three things
// keep programs from noticing: a connection whose end has come is never used; one is not kept for as long as the
// server says it keeps it, but a margin less; and a request that may be repeated and got no octet of an answer on a
// connection that was kept is sent once more on a fresh one (§9.3.1). There is no clock here: the owner polls
// `nextDeadline` and calls `timersFire`.

import { NetError } from '../base/errors.ts';
import type { ByteStream } from '../base/stream.ts';
import {
  type ClientExchange,
  type ClientResponse,
  type ClientStreamOptions,
  HttpClientStream,
  type RequestInit,
  type ResponseHandlers,
} from './client.ts';
import { HttpError } from './errors.ts';
import { members } from './fields.ts';

/** Parts of a pool that can be set. Times are milliseconds. */
export interface PoolOptions {
  /** Opens a stream to an origin, by whatever name `request` was given. May throw `NetError`. */
  connect(origin: string): ByteStream;
  /** Connections of one origin at a time; requests beyond wait in line. 32 by default. */
  readonly perOrigin?: number;
  /** Idle connections kept of one origin; 6 by default, 0 for none. */
  readonly keepIdle?: number;
  /** How long an idle connection is kept when the server does not say; 4000 by default, less than servers usually do. */
  readonly keep?: number;
  /** How much earlier than the server says in `Keep-Alive` a connection is given up; 1000 by default. */
  readonly margin?: number;
  /** How long a stream may take to open, then `ETIMEDOUT`; 10,000 by default. */
  readonly connectTimeout?: number;
  /** How long a closed connection waits for the server to end its direction; 10,000 by default. */
  readonly linger?: number;
  /** For every connection. */
  readonly client?: Pick<ClientStreamOptions, 'limits' | 'policy' | 'continueTimeout'>;
  /** `nextDeadline` may have become earlier. */
  onWake?(): void;
}

/** Who is told of an answer, and of the connection it comes on. */
export interface PooledHandlers extends ResponseHandlers {
  /** The request goes out; a second time when it has to be repeated. Content is written to `exchange`. */
  onStart?(exchange: ClientExchange): void;
}

/** A request that was given to a pool. */
export interface PooledRequest {
  /** Gives up: out of the line, or with its connection. `onError` is called, with a local error, if nothing ended it. */
  abort(): void;
}

/** Methods that may be sent again (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);
/** No connection is kept longer than this, whatever a server promises. */
const KEEP_MAX = 600_000;

/** What a connection is doing, for the pool. */
type Stage = 'opening' | 'busy' | 'idle' | 'closing';

/** A connection of the pool. */
interface Entry {
  readonly origin: string;
  readonly connection: HttpClientStream;
  stage: Stage;
  /** It has carried an exchange before. */
  used: boolean;
  /** When the stage ends, on the owner's clock; `Infinity` until the owner has looked. */
  deadline: number;
  /** How long it is kept when it becomes idle. */
  keep: number;
  /** Why the pool aborted it. */
  error: NetError | null;
}

/** A request on its way through the pool. */
class Ticket implements PooledRequest {
  readonly #pool: ClientPool;
  readonly origin: string;
  readonly init: RequestInit;
  readonly handlers: PooledHandlers;
  exchange: ClientExchange | null = null;
  /** It was sent a second time already. */
  repeated = false;
  /** The program wants no more of it. */
  aborted = false;

  constructor(pool: ClientPool, origin: string, init: RequestInit, handlers: PooledHandlers) {
    this.#pool = pool;
    this.origin = origin;
    this.init = init;
    this.handlers = handlers;
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    if (this.exchange !== null) this.exchange.abort();
    else this.#pool.forget(this);
  }

  /** Whether it may be sent again after the connection failed under it. */
  get repeatable(): boolean {
    const { method = 'GET', body } = this.init;
    return !this.repeated && !this.aborted && body !== 'stream' && IDEMPOTENT.has(method);
  }
}

/**
 * Sends requests on as few connections as it can.
 *
 * @example
 * const pool = new ClientPool({ connect: () => host.connect({ address: '10.0.0.2', port: 80 }) });
 * pool.request('10.0.0.2', { target: '/', headers: { Host: '10.0.0.2' } }, handlers);
 */
export class ClientPool {
  readonly #options: PoolOptions;
  readonly #entries: Set<Entry> = new Set();
  readonly #waiting: Map<string, Ticket[]> = new Map();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Connections that are open, being opened or closing. */
  get connections(): number {
    return this.#entries.size;
  }

  /** Requests that wait for a connection. */
  get waiting(): number {
    let n = 0;
    for (const line of this.#waiting.values()) n += line.length;
    return n;
  }

  /**
   * Sends a request to `origin` on a connection that is idle, on a new one, or when one becomes free. Throws
   * `TypeError` for a request that cannot be sent and `NetError` when no stream can be made, both only when it does
   * not have to wait; otherwise every failure comes by `onError`.
   */
  request(origin: string, init: RequestInit, handlers: PooledHandlers): PooledRequest {
    const ticket = new Ticket(this, origin, init, handlers);
    // Whoever waits already comes first.
    const line = this.#waiting.get(origin);
    if (line !== undefined) line.push(ticket);
    else if (!this.#dispatch(ticket, false)) this.#waiting.set(origin, [ticket]);
    return ticket;
  }

  /** Closes idle connections, and from now on those that become idle. */
  close(): void {
    this.#closed = true;
    for (const entry of [...this.#entries]) if (entry.stage === 'idle') this.#retire(entry);
  }

  // --- time, as the owner tells it ---

  /** When `timersFire` should be called; `Infinity` when nothing is pending. A stage begins when it is first seen here. */
  nextDeadline(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) {
      if (entry.deadline === Number.POSITIVE_INFINITY) entry.deadline = now + this.#allowed(entry);
      next = Math.min(next, entry.deadline, entry.connection.nextDeadline(now));
    }
    return next;
  }

  /** Does what is due at `now`. */
  timersFire(now: number): void {
    if (now < this.nextDeadline(now)) return;
    for (const entry of [...this.#entries]) {
      entry.connection.timersFire(now);
      if (now < entry.deadline) continue;
      if (entry.stage === 'idle') this.#retire(entry);
      else if (entry.stage === 'opening') {
        entry.error = new NetError('ETIMEDOUT', 'connect');
        entry.connection.abort();
      } else {
        entry.connection.abort();
        this.#entries.delete(entry);
      }
    }
  }

  /** How long a stage may last. */
  #allowed(entry: Entry): number {
    if (entry.stage === 'opening') return this.#options.connectTimeout ?? 10_000;
    if (entry.stage === 'idle') return entry.keep;
    if (entry.stage === 'closing') return this.#options.linger ?? 10_000;
    return Number.POSITIVE_INFINITY;
  }

  #enter(entry: Entry, stage: Stage): void {
    entry.stage = stage;
    entry.deadline = Number.POSITIVE_INFINITY;
    this.#options.onWake?.();
  }

  // --- connections ---

  /** Sends it now, if there is a connection for it; with `fresh` only on a new one. */
  #dispatch(ticket: Ticket, fresh: boolean): boolean {
    const idle = fresh ? null : this.#idle(ticket.origin);
    if (idle === null && !this.#room(ticket.origin, fresh)) return false;
    const entry = idle ?? this.#open(ticket.origin);
    const wasUsed = entry.used;
    try {
      ticket.exchange = entry.connection.request(ticket.init, this.#listen(entry, ticket, wasUsed));
    } catch (error) {
      // It cannot be sent: the connection is as good as it was.
      if (idle === null) entry.connection.abort();
      throw error;
    }
    entry.used = true;
    if (entry.stage === 'idle') this.#enter(entry, 'busy');
    else this.#options.onWake?.();
    ticket.handlers.onStart?.(ticket.exchange);
    return true;
  }

  /** The idle connection that was used last and is still good. */
  #idle(origin: string): Entry | null {
    let found: Entry | null = null;
    for (const entry of this.#entries) {
      if (entry.origin === origin && entry.stage === 'idle' && entry.connection.reusable) found = entry;
    }
    // The order of the set is that of becoming idle: the last is the one that was used last.
    return found;
  }

  /** Whether an origin may have one more connection; for a fresh one an idle one gives its place. */
  #room(origin: string, fresh: boolean): boolean {
    const limit = this.#options.perOrigin ?? 32;
    const idle = fresh && this.#busy(origin) >= limit ? this.#idle(origin) : null;
    if (idle !== null) this.#retire(idle);
    return this.#busy(origin) < limit;
  }

  /** Connections of an origin that count: those that close do no more. */
  #busy(origin: string): number {
    let n = 0;
    for (const entry of this.#entries) {
      const gone = entry.stage === 'closing' || (entry.stage === 'idle' && !entry.connection.reusable);
      if (entry.origin === origin && !gone) n++;
    }
    return n;
  }

  #open(origin: string): Entry {
    const stream = this.#options.connect(origin);
    const connection: HttpClientStream = new HttpClientStream(stream, {
      ...this.#options.client,
      onOpen: () => this.#enter(entry, 'busy'),
      onClose: () => {
        this.#entries.delete(entry);
        this.#next(origin);
      },
    });
    const entry: Entry = {
      ...{ origin, connection, stage: 'opening', used: false },
      ...{ deadline: Number.POSITIVE_INFINITY, keep: 0, error: null },
    };
    this.#entries.add(entry);
    return entry;
  }

  /** The handlers of one attempt. */
  #listen(entry: Entry, ticket: Ticket, wasUsed: boolean): ResponseHandlers {
    const { handlers } = ticket;
    return {
      onInformational: (status, fields) => handlers.onInformational?.(status, fields),
      onResponse: (response) => {
        entry.keep = this.#keepFor(response);
        handlers.onResponse(response);
      },
      onData: (bytes, from, to) => handlers.onData(bytes, from, to),
      onEnd: () => {
        ticket.exchange = null;
        this.#release(entry);
        handlers.onEnd();
        this.#next(entry.origin);
      },
      onError: (error) => {
        ticket.exchange = null;
        if (entry.stage !== 'closing') this.#enter(entry, 'closing');
        const lost = wasUsed && !entry.connection.heard && entry.error === null;
        if (lost && ticket.repeatable && this.#repeat(ticket)) return;
        handlers.onError(entry.error ?? error);
        this.#next(entry.origin);
      },
      onDrain: () => handlers.onDrain?.(),
      ...(handlers.onHandOver !== undefined && {
        onHandOver: (response: ClientResponse, stream: ByteStream) => {
          ticket.exchange = null;
          handlers.onHandOver?.(response, stream);
        },
      }),
    };
  }

  /** Sends it once more, on a connection that nobody can have closed yet; false when that cannot be made. */
  #repeat(ticket: Ticket): boolean {
    ticket.repeated = true;
    try {
      if (!this.#dispatch(ticket, true)) this.#first(ticket);
      return true;
    } catch {
      return false;
    }
  }

  /** How long the server lets us keep the connection, less the margin. */
  #keepFor(response: ClientResponse): number {
    for (const parameter of members(response.headers, 'keep-alive')) {
      const match = /^timeout[ \t]*=[ \t]*"?([0-9]{1,9})"?$/i.exec(parameter);
      if (match !== null) return Math.min(Number(match[1]) * 1000 - (this.#options.margin ?? 1000), KEEP_MAX);
    }
    return this.#options.keep ?? 4000;
  }

  /** The exchange is over: the connection goes to the next in line, becomes idle or closes. */
  #release(entry: Entry): void {
    const { connection, origin } = entry;
    if (!connection.reusable) {
      if (this.#entries.has(entry)) this.#enter(entry, 'closing');
      return;
    }
    let idle = 0;
    for (const other of this.#entries) if (other.origin === origin && other.stage === 'idle') idle++;
    const wanted = this.#waiting.has(origin);
    if (!wanted && (this.#closed || entry.keep <= 0 || idle >= (this.#options.keepIdle ?? 6))) {
      this.#retire(entry);
      return;
    }
    // Last in the order of the set: the next to be used.
    this.#entries.delete(entry);
    this.#entries.add(entry);
    this.#enter(entry, 'idle');
  }

  #retire(entry: Entry): void {
    this.#enter(entry, 'closing');
    entry.connection.close();
  }

  // --- the line ---

  /** Sends what waits for a connection to `origin`, as far as there are any. */
  #next(origin: string): void {
    for (let ticket = this.#waiting.get(origin)?.[0]; ticket; ticket = this.#waiting.get(origin)?.[0]) {
      // Out of the line before anybody is called who could look at it.
      this.#leave(ticket);
      try {
        if (this.#dispatch(ticket, ticket.repeated)) continue;
        this.#first(ticket);
        return;
      } catch (error) {
        // What a program did wrong, and streams that cannot be made.
        ticket.handlers.onError(error instanceof NetError ? error : new HttpError('local', 0, 'unsendable'));
      }
    }
  }

  #first(ticket: Ticket): void {
    this.#waiting.set(ticket.origin, [ticket, ...(this.#waiting.get(ticket.origin) ?? [])]);
  }

  #leave(ticket: Ticket): void {
    const line = this.#waiting.get(ticket.origin);
    if (line === undefined) return;
    const at = line.indexOf(ticket);
    if (at >= 0) line.splice(at, 1);
    if (line.length === 0) this.#waiting.delete(ticket.origin);
  }

  /** Takes a request out of the line. @internal */
  forget(ticket: Ticket): void {
    if (!(this.#waiting.get(ticket.origin)?.includes(ticket) ?? false)) return;
    this.#leave(ticket);
    ticket.handlers.onError(new HttpError('local', 0, 'incomplete-message'));
  }
}
