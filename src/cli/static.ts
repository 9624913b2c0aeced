// The static file server's handler: one request in, one response out, one line in the log.

import { closeSync, openSync, read, readSync, type Stats } from 'node:fs';
import { type HeadersInit, reasonPhrase, type ServerRequest, type ServerResponse } from '../http/index.ts';
import { contentType, etagOf, find, listing, precondition, rangeOf } from './files.ts';

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

/** Sends a part of a long file, a piece at a time, no faster than the connection takes it. */
class Transfer {
  readonly #exchange: Exchange;
  readonly #fd: number;
  readonly #buffer: Uint8Array = spare.pop() ?? new Uint8Array(PIECE);
  /** Octets of the file still to be read: `[#at, #end)`. */
  #at: number;
  readonly #end: number;
  /** Octets of the buffer still to be sent. */
  #from = 0;
  #to = 0;
  #reading = false;
  #over = false;
  #released = false;

  constructor(exchange: Exchange, fd: number, from: number, to: number) {
    this.#exchange = exchange;
    this.#fd = fd;
    this.#at = from;
    this.#end = to;
    exchange.release = () => this.#finish();
    exchange.response.onDrain = () => this.#write();
  }

  start(): void {
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
        this.#from = 0;
        this.#to = count;
        this.#write();
      }
    });
  }

  #write(): void {
    if (this.#reading || this.#over) return;
    const taken = this.#exchange.response.write(this.#buffer, this.#from, this.#to);
    this.#exchange.count(taken);
    this.#from += taken;
    if (this.#from < this.#to) return;
    if (this.#at < this.#end) this.start();
    else {
      this.#exchange.end();
      this.#finish();
    }
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
  const found = find(options.root, request.target);
  if (found.kind === 'error') exchange.plain(found.status);
  else if (found.kind === 'moved') exchange.plain(301, { Location: found.location });
  else if (found.kind === 'file') sendFile(exchange, found.path, found.stats);
  else {
    const page = new TextEncoder().encode(listing(found.path, found.target));
    exchange.head(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': String(page.length) });
    exchange.end(page);
  }
}

function sendFile(exchange: Exchange, path: string, stats: Stats): void {
  const { headers, method } = exchange.request;
  const validators = { ETag: etagOf(stats), 'Last-Modified': stats.mtime.toUTCString() };
  const condition = precondition(headers, stats);
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
  const part = method === 'GET' ? rangeOf(headers, stats) : 'whole';
  if (part === 'unsatisfiable') {
    exchange.plain(416, { 'Content-Range': `bytes */${stats.size}` });
    return;
  }
  const { from, to } = part === 'whole' ? { from: 0, to: stats.size } : part;
  const fields: Record<string, string> = {
    'Content-Type': contentType(path),
    'Content-Length': String(to - from),
    'Accept-Ranges': 'bytes',
    ...validators,
  };
  if (part !== 'whole') fields['Content-Range'] = `bytes ${from}-${to - 1}/${stats.size}`;
  if (method === 'HEAD' || from === to) {
    exchange.head(200, fields);
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
  exchange.head(part === 'whole' ? 200 : 206, fields);
  if (to - from > PIECE) new Transfer(exchange, fd, from, to).start();
  else sendAtOnce(exchange, fd, from, to);
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
