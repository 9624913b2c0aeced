// The static file server's handler: one request in, one response out, one line in the log.

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, read, readSync, type Stats } from 'node:fs';
import { type HeadersInit, reasonPhrase, type ServerRequest, type ServerResponse } from '../http/index.ts';
import { codedForm, contentType, DEFAULT_RULES, etagOf, type FileRules, find, listing, precondition } from './files.ts';
import { multipart, type Part, rangesOf } from './ranges.ts';

/** What one request came to. */
export interface AccessEntry {
  readonly time: Date;
  readonly peer: string;
  readonly method: string;
  readonly target: string;
  /** Minor version of the request: 0 or 1. */
  readonly minor: number;
  readonly status: number;
  /** Octets of content handed to the connection. */
  readonly octets: number;
  /** Milliseconds from the request's head to the response's last octet. */
  readonly ms: number;
  /** The client went away before that. */
  readonly aborted: boolean;
}

/** What the server needs. */
export interface StaticOptions {
  /** The directory, its links resolved. */
  readonly root: string;
  /** What of it is served. */
  readonly rules?: FileRules;
  /** Told of each request once it is answered, or cannot be any more. */
  log(entry: AccessEntry): void;
  /** Called before a response is written from outside of the host's own events: tells the host the time. */
  tick(): void;
}

/** Octets read at a time; a file that is not longer is read at once. */
const PIECE = 256 * 1024;

/** Buffers of finished transfers, for the next ones. */
const spare: Uint8Array[] = [];

/** One exchange: knows what to log. */
class Exchange {
  readonly options: StaticOptions;
  readonly request: ServerRequest;
  readonly response: ServerResponse;
  readonly #peer: string;
  readonly #start = performance.now();
  #octets = 0;
  #logged = false;
  /** Releases what a transfer holds. */
  release: () => void = () => {};

  constructor(options: StaticOptions, request: ServerRequest, response: ServerResponse, peer: string) {
    this.options = options;
    this.request = request;
    this.response = response;
    this.#peer = peer;
    request.onAbort = () => {
      this.release();
      this.#log(true);
    };
  }

  head(status: number, fields: Record<string, string>): void {
    this.response.writeHead(status, { Date: new Date().toUTCString(), Server: 'synfin', ...fields } as HeadersInit);
  }

  /** Counts what the connection took. */
  count(octets: number): void {
    this.#octets += octets;
  }

  end(bytes: Uint8Array | null = null, from = 0, to: number = bytes === null ? 0 : bytes.length): void {
    const { method } = this.request;
    if (method !== 'HEAD') this.#octets += to - from;
    this.response.end(bytes, from, to);
    this.#log(false);
  }

  /** An answer that is a line of text. */
  plain(status: number, fields: Record<string, string> = {}): void {
    const text = new TextEncoder().encode(`${status} ${reasonPhrase(status)}\n`);
    this.head(status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(text.length),
      ...fields,
    });
    this.end(text);
  }

  #log(aborted: boolean): void {
    if (this.#logged) return;
    this.#logged = true;
    const { method, target, minor } = this.request;
    const ms = performance.now() - this.#start;
    const { status } = this.response;
    const [time, peer, octets] = [new Date(), this.#peer, this.#octets];
    this.options.log({ time, peer, method, target, minor, status, octets, ms, aborted });
  }
}

/** Sends parts of a file and what stands between them, a piece at a time, no faster than the connection takes it. */
class Transfer {
  readonly #exchange: Exchange;
  readonly #fd: number;
  readonly #pieces: readonly (Uint8Array | Part)[];
  readonly #buffer: Uint8Array = spare.pop() ?? new Uint8Array(PIECE);
  #next = 0;
  /** Octets of the file still to be read: `[#at, #end)`. */
  #at = 0;
  #end = 0;
  /** Octets in hand still to be sent. */
  #bytes: Uint8Array = this.#buffer;
  #from = 0;
  #to = 0;
  #reading = false;
  #over = false;
  #released = false;

  constructor(exchange: Exchange, fd: number, pieces: readonly (Uint8Array | Part)[]) {
    this.#exchange = exchange;
    this.#fd = fd;
    this.#pieces = pieces;
    exchange.release = () => this.#finish();
    exchange.response.onDrain = () => this.advance();
  }

  /** Goes on until the connection is full, the file must be read or everything is sent. */
  advance(): void {
    while (!this.#reading && !this.#over) {
      if (this.#from < this.#to) {
        const taken = this.#exchange.response.write(this.#bytes, this.#from, this.#to);
        this.#exchange.count(taken);
        this.#from += taken;
        if (this.#from < this.#to) return;
      } else if (this.#at < this.#end) this.#read();
      else if (this.#next < this.#pieces.length) this.#begin(this.#pieces[this.#next++]!);
      else {
        this.#exchange.end();
        this.#finish();
      }
    }
  }

  #begin(piece: Uint8Array | Part): void {
    if (piece instanceof Uint8Array) {
      this.#bytes = piece;
      this.#from = 0;
      this.#to = piece.length;
    } else {
      this.#at = piece.from;
      this.#end = piece.to;
    }
  }

  #read(): void {
    this.#reading = true;
    const length = Math.min(PIECE, this.#end - this.#at);
    read(this.#fd, this.#buffer, 0, length, this.#at, (error, count) => {
      this.#reading = false;
      if (this.#over) {
        this.#finish();
        return;
      }
      this.#exchange.options.tick();
      // A file that became shorter: the client must not take what it has for everything.
      if (error !== null || count === 0) this.#exchange.response.abort();
      else {
        this.#at += count;
        this.#bytes = this.#buffer;
        this.#from = 0;
        this.#to = count;
        this.advance();
      }
    });
  }

  /** Gives descriptor and buffer back, once nobody reads into them any more. */
  #finish(): void {
    this.#over = true;
    if (this.#reading || this.#released) return;
    this.#released = true;
    closeSync(this.#fd);
    spare.push(this.#buffer);
  }
}

/** Answers one request from the directory. */
export function answer(options: StaticOptions, request: ServerRequest, response: ServerResponse, peer: string): void {
  const exchange = new Exchange(options, request, response, peer);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    exchange.plain(405, { Allow: 'GET, HEAD' });
    return;
  }
  const { root, rules = DEFAULT_RULES } = options;
  const found = find(root, request.target, rules);
  if (found.kind === 'error') exchange.plain(found.status);
  else if (found.kind === 'moved') exchange.plain(301, { Location: found.location });
  else if (found.kind === 'file') sendFile(exchange, found.path, found.stats, root, rules);
  else {
    const page = new TextEncoder().encode(listing(found.path, found.target, rules.hidden));
    exchange.head(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': String(page.length) });
    exchange.end(page);
  }
}

function sendFile(exchange: Exchange, plain: string, plainStats: Stats, root: string, rules: FileRules): void {
  const { headers, method } = exchange.request;
  const coded = codedForm(root, plain, plainStats, headers.get('accept-encoding'), rules);
  const { path, stats, coding } = coded ?? { path: plain, stats: plainStats, coding: '' };
  const etag = etagOf(stats, coding);
  const validators: Record<string, string> = {
    ETag: etag,
    'Last-Modified': stats.mtime.toUTCString(),
    // Also where there is no coded form now: there may be one the next time (RFC 9110 §12.5.5).
    Vary: 'Accept-Encoding',
  };
  const condition = precondition(headers, stats, etag);
  if (condition === 304) {
    exchange.head(304, validators);
    exchange.end();
    return;
  }
  if (condition === 412) {
    exchange.plain(412);
    return;
  }
  // RFC 9110 §14.2: Range is for GET alone.
  const parts = method === 'GET' ? rangesOf(headers, stats, etag) : 'whole';
  if (parts === 'unsatisfiable') {
    exchange.plain(416, { 'Content-Range': `bytes */${stats.size}` });
    return;
  }
  const type = contentType(plain);
  const fields = { ...validators, 'Accept-Ranges': 'bytes', ...(coding !== '' && { 'Content-Encoding': coding }) };
  if (method === 'HEAD' || stats.size === 0) {
    exchange.head(200, { ...fields, 'Content-Type': type, 'Content-Length': String(stats.size) });
    exchange.end();
    return;
  }
  let fd = -1;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    exchange.plain(403);
    return;
  }
  if (parts !== 'whole' && parts.length > 1) {
    const several = multipart(parts, stats.size, type, randomUUID());
    const about = { 'Content-Type': several.contentType, 'Content-Length': String(several.length) };
    exchange.head(206, { ...fields, ...about });
    new Transfer(exchange, fd, several.pieces).advance();
    return;
  }
  const part = parts === 'whole' ? { from: 0, to: stats.size } : parts[0]!;
  const range = parts === 'whole' ? {} : { 'Content-Range': `bytes ${part.from}-${part.to - 1}/${stats.size}` };
  const length = part.to - part.from;
  const head = { ...fields, 'Content-Type': type, 'Content-Length': String(length), ...range };
  exchange.head(parts === 'whole' ? 200 : 206, head);
  if (length > PIECE) new Transfer(exchange, fd, [part]).advance();
  else sendAtOnce(exchange, fd, part.from, part.to);
}

/** A short file is not worth three trips to another thread. */
function sendAtOnce(exchange: Exchange, fd: number, from: number, to: number): void {
  const buffer = spare.pop() ?? new Uint8Array(PIECE);
  const count = readSync(fd, buffer, 0, to - from, from);
  closeSync(fd);
  // `end` copies what the connection does not take now.
  if (count === to - from) exchange.end(buffer, 0, count);
  else exchange.response.abort();
  spare.push(buffer);
}
