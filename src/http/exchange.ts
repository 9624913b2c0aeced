// One exchange on a server, as its handler sees it: the request that is being read and the response that is
// being written.

import type { NetError } from '../base/errors.ts';
import { StateError } from '../base/errors.ts';
import type { ByteStream } from '../base/stream.ts';
import type { HttpError } from './errors.ts';
import {
  addOption,
  checkTrailers,
  checkValue,
  HeaderList,
  type HeadersInit,
  hasToken,
  listOptions,
  members,
} from './fields.ts';
import { type BodyKind, Framing, hasNoContent } from './framing.ts';
import type { HeadParser } from './head.ts';
import type { Outlet } from './outlet.ts';
import type { TargetForm } from './target.ts';
import { checkStatus, reasonPhrase } from './writer.ts';
import { type HeadParts, WrittenHeads } from './written.ts';

/** What the two halves of an exchange need of their connection. @internal */
export interface ExchangeOwner {
  /** Whether the connection may go on after this exchange. */
  keepAlive: boolean;
  /** The value of `Date` for a response that has none; `''` when the owner has no clock. */
  date(): string;
  /** Seconds to advertise in `Keep-Alive`; 0 for none. */
  readonly advertised: number;
  /** Sends 100 now if the client waits for it. */
  continueDue(): void;
  /** No more HTTP: gives the stream to `take` when both messages are through. */
  handOver(take: (stream: ByteStream) => void): void;
  /** The final response head is about to be written; the last moment to clear `keepAlive`. */
  headDue(): void;
  /** The final response head was written. */
  responseBegan(hasBody: boolean): void;
  /** The response is complete. */
  responseEnded(): void;
  /** The request may be read again. */
  resumed(): void;
  /** The exchange cannot be completed: the connection must go. */
  abort(): void;
}

/**
 * A request, from the moment its head is complete. Set the handlers before `onRequest` returns; without
 * `onData` the content is read and dropped.
 */
export class ServerRequest {
  readonly method: string;
  /** The target as received (RFC 9112 §3.2); its form is in `form`. */
  readonly target: string;
  readonly form: TargetForm;
  /** Minor version: 0 or 1. */
  readonly minor: number;
  readonly headers: HeaderList;
  /** Whether content may follow the head. */
  readonly hasBody: boolean;
  /**
   * The client waits for 100 before it sends content (RFC 9110 §10.1.1). It is sent when the content is wanted: when
   * `onRequest` has returned and the request is not paused.
   */
  readonly expectsContinue: boolean;
  /** Trailer fields; complete when `onEnd` is called. */
  trailers: HeaderList;

  /** Content arrived: `bytes[from, to)`, borrowed until the handler returns. */
  onData: ((bytes: Uint8Array, from: number, to: number) => void) | null = null;
  /** The request is complete; called for requests without content too. */
  onEnd: (() => void) | null = null;
  /** The exchange will not be completed: the client went away, or what it sent was not HTTP. At most once. */
  onAbort: ((error: HttpError | NetError) => void) | null = null;

  readonly #owner: ExchangeOwner;
  #paused = false;

  /** @internal */
  constructor(
    owner: ExchangeOwner,
    head: HeadParser,
    hasBody: boolean,
    expectsContinue: boolean,
    trailers: HeaderList,
  ) {
    this.#owner = owner;
    this.trailers = trailers;
    this.method = head.method;
    this.target = head.target;
    this.form = head.form;
    this.minor = head.minor;
    this.headers = head.fields;
    this.hasBody = hasBody;
    this.expectsContinue = expectsContinue;
  }

  /**
   * The protocols the client would like to go on with, best first (RFC 9110 §7.8); empty when there are none, and in
   * HTTP/1.0, which knows no Upgrade. `response.handOver` switches to one of them.
   */
  get upgrade(): string[] {
    if (this.minor === 0 || !hasToken(this.headers, 'connection', 'upgrade')) return [];
    return members(this.headers, 'upgrade');
  }

  /** Whether delivery is paused. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Delivers no more content until `resume`: the stream is left unread, so the sender's window closes. */
  pause(): void {
    this.#paused = true;
  }

  /** Delivers again; may call `onData` and `onEnd` before it returns. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#owner.resumed();
  }
}

/** Fields that say what this room would add, or that this is the last answer: with one of them a head is made anew. */
const OWN = ['date', 'content-length', 'transfer-encoding', 'connection'] as const;
/** No fields; a list of a response is copied before it is completed. */
const NONE: HeaderList = new HeaderList();
/** What all responses find again: it holds nothing that the parts of a head do not say. */
const written: WrittenHeads = new WrittenHeads();

/**
 * The response to one request. The framing is chosen with the first octets: Content-Length when it was given
 * or everything is known at `end`, chunked for 1.1, the end of the connection for 1.0 (RFC 9112 §6).
 */
export class ServerResponse {
  /** `write` took less than it was offered, and there is room again. */
  onDrain: (() => void) | null = null;

  readonly #owner: ExchangeOwner;
  readonly #outlet: Outlet;
  readonly #method: string;
  readonly #minor: number;
  readonly #request: ServerRequest | null;
  #status = 200;
  #reason = 'OK';
  #fields: HeaderList = NONE;
  #trailers: HeaderList | null = null;
  #state: 'open' | 'sending' | 'ended' | 'dead' = 'open';
  #wantsDrain = false;

  /** @internal */
  constructor(owner: ExchangeOwner, outlet: Outlet, method: string, minor: number, request: ServerRequest | null) {
    this.#owner = owner;
    this.#outlet = outlet;
    this.#method = method;
    this.#minor = minor;
    this.#request = request;
  }

  /** The status that was or will be sent. */
  get status(): number {
    return this.#status;
  }

  /** Whether the final head has been written. */
  get headSent(): boolean {
    return this.#state !== 'open';
  }

  /** Whether `end` was called, or nobody is there to answer any more. */
  get ended(): boolean {
    return this.#state === 'ended' || this.#state === 'dead';
  }

  /** Octets that `write` would take now, about. */
  get writable(): number {
    return this.ended ? 0 : this.#outlet.writable;
  }

  /**
   * Sets status and fields; they go out with the first content, with `flushHeaders` or with `end`.
   *
   * Throws `RangeError` for a status outside 200..999, `TypeError` for fields that cannot be sent or that
   * contradict each other, `StateError` when the head has gone.
   */
  writeHead(status: number, headers: HeadersInit | null = null, reason: string = reasonPhrase(status)): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'open') throw new StateError('the response head has been sent');
    checkStatus(status);
    if (status < 200) throw new RangeError(`${status} is interim: use writeInformational`);
    checkValue('the reason phrase', reason);
    this.#setHead(status, HeaderList.from(headers), reason);
  }

  /** As `writeHead`, of fields that were checked and that nobody changes any more. @internal */
  adoptHead(status: number, fields: HeaderList, reason: string): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'open') throw new StateError('the response head has been sent');
    checkStatus(status);
    checkValue('the reason phrase', reason);
    this.#setHead(status, fields, reason);
  }

  #setHead(status: number, fields: HeaderList, reason: string): void {
    // RFC 9112 §6.1: lengths that nobody could trust are a mistake of the program, found before they leave.
    if (fields.has('content-length') || fields.has('transfer-encoding')) {
      const framing = new Framing();
      framing.decide('GET', 200, 1, fields);
      const { kind, fault } = framing;
      const other = kind === 'close' && fields.has('transfer-encoding');
      if (fault !== '' || other) throw new TypeError(`the response's framing fields are wrong: ${fault}`);
    }
    this.#status = status;
    this.#reason = reason;
    this.#fields = fields;
  }

  /** Sends an interim response such as 103 (RFC 9110 §15.2); nothing goes to an HTTP/1.0 client. */
  writeInformational(status: number, headers: HeadersInit | null = null): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'open') throw new StateError('the response head has been sent');
    if (status < 102 || status > 199) throw new RangeError(`${status} cannot be sent as an interim response`);
    const fields = HeaderList.from(headers);
    // RFC 9112 §6.1, RFC 9110 §8.6: an interim response has no content to frame.
    fields.delete('transfer-encoding');
    fields.delete('content-length');
    listOptions(fields);
    if (this.#minor > 0) this.#outlet.responseHead(status, reasonPhrase(status), fields);
  }

  /** Tells a client that waits for it to send its content now; nothing when it does not (RFC 9110 §10.1.1). */
  writeContinue(): void {
    if (this.#state === 'open') this.#owner.continueDue();
  }

  /**
   * Fields to send behind the content (RFC 9110 §6.5), which is sent in chunks then; where it cannot be (HTTP/1.0, a
   * declared length, no content at all) they are dropped. Throws `TypeError` for those that may not come so late.
   */
  setTrailers(trailers: HeadersInit): void {
    const fields = HeaderList.from(trailers);
    checkTrailers(fields);
    this.#trailers = fields;
  }

  /**
   * Ends HTTP on this connection: answers with 101 (RFC 9110 §7.8), or CONNECT with a 2xx (§9.3.6), and gives the
   * stream away as soon as the request has been read and the head has left. What the client sent behind its request
   * is still in the stream and is not announced again: `take` must look at what is `readable`.
   *
   * @param headers for 101 they name the protocol, one of those in `request.upgrade`
   * @param take called once, unless the client goes away before (`request.onAbort`)
   *
   * Throws `RangeError` for another status, `TypeError` for a protocol that was not asked for.
   */
  handOver(status: number, headers: HeadersInit | null, take: (stream: ByteStream) => void): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'open') throw new StateError('the response head has been sent');
    const fields = HeaderList.from(headers);
    const tunnel = this.#method === 'CONNECT' && status >= 200 && status < 300;
    if (!tunnel && status !== 101) throw new RangeError(`${status} does not hand ${this.#method} over`);
    if (!tunnel) this.#checkProtocols(fields);
    fields.delete('transfer-encoding');
    fields.delete('content-length');
    listOptions(fields);
    const owner = this.#owner;
    if (tunnel) this.#addDate(fields, owner.date());
    // RFC 9110 §7.8: whoever expects 100 gets it before 101.
    owner.continueDue();
    owner.keepAlive = false;
    this.#status = status;
    this.#outlet.responseHead(status, reasonPhrase(status), fields);
    this.#outlet.begin('none', 0);
    this.#state = 'ended';
    owner.responseBegan(false);
    owner.handOver(take);
  }

  /**
   * Ends HTTP on this connection without an answer: `take` gets the stream as `handOver` gives it, and who takes it writes
   * the answer too, as libraries do that bring their own (WebSockets). Throws `StateError` once an answer has begun.
   */
  detach(take: (stream: ByteStream) => void): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'open') throw new StateError('the response head has been sent');
    this.#owner.keepAlive = false;
    this.#outlet.begin('none', 0);
    this.#state = 'ended';
    this.#owner.responseBegan(false);
    this.#owner.handOver(take);
  }

  /** RFC 9110 §7.8: 101 names the protocols it switches to, and the client has asked for each. */
  #checkProtocols(fields: HeaderList): void {
    const asked = (this.#request?.upgrade ?? []).map((protocol) => protocol.toLowerCase());
    const chosen = members(fields, 'upgrade');
    if (chosen.length === 0) throw new TypeError('101 needs an Upgrade field (RFC 9110 §7.8)');
    for (const protocol of chosen) {
      if (!asked.includes(protocol.toLowerCase())) throw new TypeError(`the client did not ask for ${protocol}`);
    }
  }

  #addDate(fields: HeaderList, date: string): void {
    if (date !== '' && !fields.has('date')) fields.append('Date', date);
  }

  /** Sends the head now, before there is content. */
  flushHeaders(): void {
    if (this.#state === 'open') this.#sendHead(-1);
  }

  /**
   * Takes as much of `bytes[from, to)` as there is room for and returns the number of octets taken; when that
   * is fewer than offered, `onDrain` follows. Content of an answer to HEAD, of 204 and of 304 is dropped.
   * After an abort everything is taken and dropped.
   */
  write(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
    if (this.#state === 'dead') return to - from;
    if (this.#state === 'ended') throw new StateError('write after end');
    if (this.#state === 'open') this.#sendHead(-1);
    const taken = from === to ? 0 : this.#outlet.write(bytes, from, to);
    if (taken < to - from) this.#wantsDrain = true;
    return taken;
  }

  /**
   * Ends the response, after the octets given with it. What the stream cannot take of them now is copied. A
   * response that is shorter than its Content-Length takes the connection down (RFC 9112 §6.3).
   */
  end(bytes: Uint8Array | null = null, from = 0, to: number = bytes === null ? 0 : bytes.length): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'ended') throw new StateError('end after end');
    const n = to - from;
    // Trailers need chunks, also around content whose length is known.
    if (this.#state === 'open') this.#sendHead(this.#trailers === null ? n : -1, true);
    if (bytes !== null && n > 0) this.#outlet.writeAll(bytes, from, to);
    this.#state = 'ended';
    this.#wantsDrain = false;
    if (this.#outlet.left > 0) {
      this.#owner.abort();
      return;
    }
    this.#outlet.end(this.#trailers);
    this.#owner.responseEnded();
  }

  /** Gives up: the client sees the connection break, so that it cannot take what it has for everything. */
  abort(): void {
    if (!this.ended) this.#owner.abort();
  }

  /** Whether the program has more to write than there is room for. @internal */
  get waiting(): boolean {
    return this.#wantsDrain;
  }

  /** There is room again. @internal */
  drained(): void {
    if (!this.#wantsDrain || !this.#outlet.flushed) return;
    this.#wantsDrain = false;
    this.onDrain?.();
  }

  /** Nobody is there any more: whatever is written from now on is dropped. @internal */
  kill(): void {
    this.#state = 'dead';
    this.#wantsDrain = false;
    this.onDrain = null;
  }

  /** Writes the head; `known` is the whole content's length or -1. */
  #sendHead(known: number, more = false): void {
    this.#owner.headDue();
    const parts = known >= 0 && this.#repeats() ? this.#parts(known) : null;
    const before = parts === null ? null : written.find(parts);
    const kind = before === null ? this.#newHead(known, more, parts) : 'length';
    if (before !== null) {
      this.#outlet.writtenHead(before);
      this.#outlet.begin(kind, known);
    }
    this.#state = 'sending';
    this.#owner.responseBegan(kind !== 'none');
  }

  /** Whether a head like this one is usual: the same for all connections, but for its date and the length of content. */
  #repeats(): boolean {
    const method = this.#method;
    const status = this.#status;
    if (this.#minor === 0 || !this.#owner.keepAlive || method === 'HEAD' || method === 'CONNECT') return false;
    for (let i = 0; i < OWN.length; i++) if (this.#fields.has(OWN[i]!)) return false;
    return status !== 205 && !hasNoContent(status);
  }

  #parts(known: number): HeadParts {
    const { advertised } = this.#owner;
    const date = this.#owner.date();
    return { status: this.#status, reason: this.#reason, given: this.#fields, date, length: String(known), advertised };
  }

  /** Decides the framing, completes the fields and writes the head; keeps it as what `parts` come to. */
  #newHead(known: number, more: boolean, parts: HeadParts | null): BodyKind {
    const fields = this.#fields.copy();
    const owner = this.#owner;
    this.#addDate(fields, parts === null ? owner.date() : parts.date);
    const kind = this.#frame(fields, known);
    if (kind === 'close' || hasToken(fields, 'connection', 'close')) owner.keepAlive = false;
    if (!owner.keepAlive) addOption(fields, 'close');
    else {
      if (owner.advertised > 0 && !fields.has('keep-alive')) fields.append('Keep-Alive', `timeout=${owner.advertised}`);
      // RFC 9112 §9.3: a 1.0 client believes in persistence only when it is told.
      if (this.#minor === 0) addOption(fields, 'keep-alive');
    }
    listOptions(fields);
    if (parts === null) this.#outlet.responseHead(this.#status, this.#reason, fields, more);
    else this.#outlet.writtenHead(written.write(parts, fields));
    this.#outlet.begin(kind, kind === 'length' ? Number(fields.get('content-length')) : 0);
    return kind;
  }

  #frame(fields: HeaderList, known: number): BodyKind {
    const tunnel = this.#method === 'CONNECT' && this.#status < 300;
    if (hasNoContent(this.#status) || tunnel) {
      // RFC 9112 §6.1, RFC 9110 §8.6: neither field belongs here; 304 may tell the length it would have had.
      fields.delete('transfer-encoding');
      if (this.#status !== 304) fields.delete('content-length');
      if (tunnel) this.#owner.keepAlive = false;
      return 'none';
    }
    // RFC 9110 §15.3.6: 205 says that there is no content, and has none.
    if (this.#status === 205) {
      fields.delete('transfer-encoding');
      fields.set('Content-Length', '0');
      return 'none';
    }
    if (this.#minor === 0) fields.delete('transfer-encoding');
    const length = fields.get('content-length');
    const chunked = fields.has('transfer-encoding');
    // A list of equal numbers is one number, and is sent as one.
    if (length?.includes(',')) fields.set('Content-Length', length.split(',', 1)[0]!);
    if (length === null && !chunked && known >= 0 && (known > 0 || this.#method !== 'HEAD')) {
      fields.append('Content-Length', String(known));
    }
    if (this.#method === 'HEAD') return 'none';
    if (fields.has('content-length')) return 'length';
    if (this.#minor === 0) return 'close';
    if (!chunked) fields.append('Transfer-Encoding', 'chunked');
    return 'chunked';
  }
}
