// A response on a server, in Node's shape, over one of `http/`.

import { type ServerResponse as Exchange, HeaderList } from '../http/index.ts';
import { type Constructor, callable } from './callable.ts';
import { coded } from './errors.ts';
import type { IncomingMessage } from './http-incoming.ts';
import { checkFieldName, checkFieldValue, headSent, STATUS_CODES } from './http-names.ts';
import { type FieldsInit, initialiseOutgoing, linesOf, OutgoingMessage, pairsOf } from './http-outgoing.ts';
import { type Duplex, Writable } from './node-platform.ts';

/** Statuses without content, whose length is not told either (RFC 9110 §8.6). */
const EMPTY = [204, 304];

/** A response. Servers make it; programs may too, without a connection. */
export class ServerResponse extends OutgoingMessage {
  declare req: IncomingMessage;
  declare statusCode: number;
  declare statusMessage: string | undefined;
  declare _exchange: Exchange | null;
  declare _head: { readonly lines: [string, string][]; readonly phrase: string };

  /** @internal The exchange it answers in. */
  _bind(exchange: Exchange, socket: Duplex): void {
    this._exchange = exchange;
    this.assignSocket(socket);
    exchange.onDrain = () => this._drained();
    if (this._header !== null) this._apply(exchange);
  }

  assignSocket(socket: Duplex): void {
    this.socket = socket;
    this.emit('socket', socket);
  }

  detachSocket(_socket?: Duplex): void {
    this.socket = null;
  }

  /** Status, phrase and fields; they leave with the first content, with `flushHeaders` or with `end`. */
  writeHead(status: number, phrase?: string | FieldsInit, fields?: FieldsInit): this {
    if (this._header !== null) throw headSent('write');
    const code = status | 0;
    if (code < 100 || code > 999) {
      throw coded(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${status}`);
    }
    if (typeof phrase === 'string') this.statusMessage = phrase;
    this.statusMessage ??= STATUS_CODES[code] ?? 'unknown';
    if (/[^\t\x20-\x7e\x80-\xff]/.test(this.statusMessage)) {
      throw coded(TypeError, 'ERR_INVALID_CHAR', 'Invalid character in statusMessage');
    }
    this.statusCode = code;
    const given = typeof phrase === 'string' ? fields : (phrase ?? fields);
    const named = new Set<string>();
    for (const [name, value] of given === undefined ? [] : pairsOf(given)) {
      checkFieldName(name);
      checkFieldValue(name, value);
      // Pairs may name a field twice; all of them take the place of what was set before.
      if (named.has(name.toLowerCase())) this.appendHeader(name, String(value));
      else this.setHeader(name, value);
      named.add(name.toLowerCase());
    }
    const lines = linesOf(this);
    const framed = this.hasHeader('content-length') || this.hasHeader('transfer-encoding');
    const bare = EMPTY.includes(code) || (this._known === 0 && this.req?.method === 'HEAD');
    const chunks = this._trailerFields !== null || this.hasHeader('trailer');
    if (this._known >= 0 && !framed && !bare && !chunks) lines.push(['Content-Length', String(this._known)]);
    if (!this.shouldKeepAlive && !this.hasHeader('connection')) lines.push(['Connection', 'close']);
    this._head = { lines, phrase: this.statusMessage };
    this._header = `HTTP/1.1 ${code} ${this.statusMessage}\r\n${lines.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
    if (this._exchange !== null) this._apply(this._exchange);
    return this;
  }

  writeHeader(status: number, phrase?: string | FieldsInit, fields?: FieldsInit): this {
    return this.writeHead(status, phrase, fields);
  }

  override _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  /** The head goes to the exchange, and content may follow. */
  _apply(exchange: Exchange): void {
    exchange.writeHead(this.statusCode, HeaderList.from(this._head.lines), this._head.phrase);
    this._sink = {
      write: (bytes, from, to) => exchange.write(bytes, from, to),
      end: (trailers) => {
        if (trailers !== null) exchange.setTrailers(trailers);
        exchange.end();
      },
    };
    this._drained();
  }

  override flushHeaders(): void {
    super.flushHeaders();
    this._exchange?.flushHeaders();
  }

  /** Tells a client that waits for it to send its content (RFC 9110 §10.1.1). */
  writeContinue(callback?: () => void): void {
    this._exchange?.writeContinue();
    this.req?._feed?.resume();
    callback?.();
  }

  writeProcessing(callback?: () => void): void {
    this._exchange?.writeInformational(102);
    callback?.();
  }

  /** 103, with the links to fetch early (RFC 8297). */
  writeEarlyHints(hints: Readonly<Record<string, string | readonly string[]>>, callback?: () => void): void {
    const lines = Object.entries(hints).map(([name, value]): [string, string] => {
      checkFieldName(name);
      return [name, typeof value === 'string' ? value : value.join(', ')];
    });
    this._exchange?.writeInformational(103, lines);
    callback?.();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.socket?.destroy();
    this._waiting = null;
    // Who does not listen is not to die of it: the socket tells, too.
    callback(this.listenerCount('error') > 0 ? error : null);
  }
}

/** Node's `ServerResponse`: callable without `new`. */
export const Response: Constructor<ServerResponse, [request: IncomingMessage, options?: object]> = callable(
  'ServerResponse',
  ServerResponse,
  {},
  (self: ServerResponse, request: IncomingMessage) => {
    Reflect.apply(Writable, self, [{}]);
    initialiseOutgoing(self);
    self.req = request;
    self.statusCode = 200;
    self.statusMessage = undefined;
    self.sendDate = true;
    self._exchange = null;
    self._head = { lines: [], phrase: '' };
  },
);
