// A message that comes in, in Node's shape: a request on a server, a response on a client.

import type { HeaderList } from '../http/index.ts';
import { type Constructor, callable } from './callable.ts';
import { brokenOff } from './http-names.ts';
import { type Duplex, Readable } from './node-platform.ts';

/** Where the content comes from. */
export interface Feed {
  pause(): void;
  resume(): void;
}

/** Of these fields the first line counts, as in Node; of the others all, joined. */
const SINGLE: ReadonlySet<string> = new Set(
  `age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since
  last-modified location max-forwards proxy-authorization referer retry-after server user-agent`.split(/\s+/),
);

type Fields = Record<string, string | string[] | undefined>;

/** An incoming message. */
export class IncomingMessage extends Readable {
  declare socket: Duplex;
  declare httpVersionMajor: number;
  declare httpVersionMinor: number;
  declare httpVersion: string;
  declare complete: boolean;
  declare aborted: boolean;
  declare upgrade: boolean | null;
  /** Requests: the target as it came. */
  declare url: string;
  declare method: string | null;
  /** Responses. */
  declare statusCode: number | null;
  declare statusMessage: string | null;
  declare req: unknown;
  /** Names and values, one behind the other, as they came. */
  declare rawHeaders: string[];
  declare rawTrailers: string[];
  declare _headers: Fields | null;
  declare _trailers: Fields | null;
  declare _feed: Feed | null;
  declare _dumped: boolean;

  get connection(): Duplex {
    return this.socket;
  }
  set connection(socket: Duplex) {
    this.socket = socket;
  }

  /** Fields by their name in lower case. */
  get headers(): Fields {
    this._headers ??= joined(this.rawHeaders);
    return this._headers;
  }
  set headers(headers: Fields) {
    this._headers = headers;
  }

  get trailers(): Fields {
    this._trailers ??= joined(this.rawTrailers);
    return this._trailers;
  }
  set trailers(trailers: Fields) {
    this._trailers = trailers;
  }

  /** The same with the values of all lines. */
  get headersDistinct(): Record<string, string[]> {
    return distinct(this.rawHeaders);
  }

  get trailersDistinct(): Record<string, string[]> {
    return distinct(this.rawTrailers);
  }

  /** Emits `timeout` after as many ms of silence on the connection. */
  setTimeout(timeout: number, callback?: () => void): this {
    if (callback !== undefined) this.on('timeout', callback);
    (this.socket as { setTimeout?(timeout: number): void }).setTimeout?.(timeout);
    return this;
  }

  override _read(): void {
    this._feed?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.emit('aborted');
      if (!this._dumped && this.socket?.destroyed === false) this.socket.destroy();
    }
    this._feed = null;
    // Who does not listen is not to die of a client that went away.
    callback(this.listenerCount('error') > 0 ? error : null);
  }

  /** @internal Takes octets that are its own from now on. */
  _take(octets: Uint8Array): void {
    if (!this._dumped && !this.push(octets)) this._feed?.pause();
  }

  /** @internal All of it is here. */
  _finish(trailers: HeaderList): void {
    this.rawTrailers = raw(trailers);
    this.complete = true;
    this.push(null);
  }

  /** @internal The rest of the content will not come, and the connection goes on. */
  _abandon(): void {
    this._dumped = true;
    this.destroy(brokenOff('aborted'));
  }

  /** @internal Nobody wants the content: it is read and dropped. */
  _dump(): void {
    if (this._dumped) return;
    this._dumped = true;
    this.resume();
  }
}

/** Node's `IncomingMessage`: callable without `new`. */
export const Incoming: Constructor<IncomingMessage, [socket?: Duplex]> = callable(
  'IncomingMessage',
  IncomingMessage,
  {},
  (self: IncomingMessage, socket?: Duplex) => {
    const mark = socket?.readableHighWaterMark;
    Reflect.apply(Readable, self, [mark === undefined ? {} : { highWaterMark: mark }]);
    self.socket = socket as Duplex;
    self.httpVersionMajor = 1;
    self.httpVersionMinor = 1;
    self.httpVersion = '1.1';
    self.complete = false;
    self.aborted = false;
    self.upgrade = null;
    self.url = '';
    self.method = null;
    self.statusCode = null;
    self.statusMessage = null;
    self.rawHeaders = [];
    self.rawTrailers = [];
    self._headers = null;
    self._trailers = null;
    self._feed = null;
    self._dumped = false;
  },
);

/** Puts a head into a message. */
export function withHead(message: IncomingMessage, minor: number, headers: HeaderList, feed: Feed): void {
  message.httpVersionMinor = minor;
  message.httpVersion = `1.${minor}`;
  message.rawHeaders = raw(headers);
  message._feed = feed;
}

/** Names and values of a list, one behind the other. */
function raw(fields: HeaderList): string[] {
  const list: string[] = [];
  for (let i = 0; i < fields.length; i++) list.push(fields.nameAt(i), fields.valueAt(i));
  return list;
}

/** Fields by name: what Node makes of lines that come more than once. */
export function joined(list: readonly string[]): Fields {
  const fields: Fields = {};
  for (let i = 0; i < list.length; i += 2) {
    const key = list[i]!.toLowerCase();
    const value = list[i + 1]!;
    const before = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (key === 'set-cookie') fields[key] = [...((before as string[] | undefined) ?? []), value];
    else if (before === undefined) fields[key] = value;
    else if (!SINGLE.has(key)) fields[key] = `${before as string}${key === 'cookie' ? '; ' : ', '}${value}`;
  }
  return fields;
}

function distinct(list: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < list.length; i += 2) {
    const key = list[i]!.toLowerCase();
    fields[key] ??= [];
    fields[key].push(list[i + 1]!);
  }
  return fields;
}
