// One download of `synfin get`, from the first SYN to the last octet: redirects, resumption, decoding, progress.

import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { NetError } from '../base/errors.ts';
import {
  type ClientExchange,
  type ClientResponse,
  type HeaderList,
  HttpClientStream,
  HttpError,
  reasonPhrase,
} from '../http/index.ts';
import { follow, type Hop, isRedirect } from '../web/redirect.ts';
import { secureClient } from '../web/tls.ts';
import type { WebHost } from '../web/web-host.ts';
import { addressOf, type Order, portToDial } from './get-request.ts';
import { fileSink, type Kept, keptOf, outputSink, type Sink } from './get-sink.ts';
import { type CliIo, Misuse } from './io.ts';

/** Content of an answer that is not wanted, an error's or a redirect's, and is read on all the same, octets. */
const UNWANTED = 1 << 20;
/** How often progress is drawn, ms. */
const PROGRESS = 100;

/** What came of a download. */
export interface Outcome {
  /** Of the last answer; 0 when there was none. */
  readonly status: number;
  /** Where that came from, after all redirects. */
  readonly url: string;
  readonly redirects: number;
  /** Octets that an earlier run had got. */
  readonly resumed: number;
  /** Octets of content that came now, as they were sent. */
  readonly octets: number;
  readonly ms: number;
  /** One line for the user; empty when all is well. */
  readonly problem: string;
}

/** What a download needs of its host. */
export interface Surroundings {
  readonly host: WebHost;
  /** Tells the host the time; called before it is used from outside of its own events. */
  tick(): void;
  readonly io: CliIo;
}

/** Draws how far a download is, on a terminal. */
class Progress {
  readonly #io: CliIo;
  readonly #start = performance.now();
  #drawn = 0;
  total = -1;

  constructor(io: CliIo) {
    this.#io = io;
  }

  at(octets: number, last: boolean): void {
    if (this.#io.stderr.isTTY !== true) return;
    const now = performance.now();
    if (!last && now - this.#drawn < PROGRESS) return;
    this.#drawn = now;
    const share = this.total > 0 ? `${String(Math.floor((octets / this.total) * 100)).padStart(3)}%  ` : '';
    const megabytes = (octets / 1e6).toFixed(1);
    const rate = (octets / 1e3 / Math.max(1, now - this.#start)).toFixed(1);
    this.#io.stderr.write(`\r${share}${megabytes} MB  ${rate} MB/s \x1b[K${last ? '\n' : ''}`);
  }
}

/** What undoes a coding; `null` for none, `undefined` for one that is not known here. */
function decoderOf(coding: string | null): Transform | null | undefined {
  switch (coding?.toLowerCase()) {
    case undefined:
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return undefined;
  }
}

/** A download that has begun. */
export class Download {
  readonly outcome: Promise<Outcome>;
  readonly #settle: (outcome: Outcome) => void;
  readonly #order: Order;
  readonly #at: Surroundings;
  readonly #progress: Progress;
  readonly #kept: Kept | null;
  readonly #start = performance.now();
  #hop: Hop;
  #http: HttpClientStream | null = null;
  #exchange: ClientExchange | null = null;
  /** Where to go after this answer. */
  #next: Hop | null = null;
  #redirects = 0;
  #sink: Sink | null = null;
  #decoder: Transform | null = null;
  #status = 0;
  #resumed = 0;
  #octets = 0;
  #unwanted = 0;
  #problem = '';
  #over = false;

  /** Begins. Throws `NetError` when no connection can be made, `TypeError` where there is no TLS, and the file's errors. */
  constructor(order: Order, at: Surroundings) {
    let settle: (outcome: Outcome) => void = () => {};
    this.outcome = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    this.#order = order;
    this.#at = at;
    this.#progress = new Progress(at.io);
    this.#hop = order.first;
    this.#kept = order.resume && order.output !== null ? keptOf(order.output) : null;
    if (this.#kept !== null) {
      const { fields } = this.#hop;
      fields.set('Range', `bytes=${this.#kept.octets}-`);
      // Only if it is still the same file (RFC 9110 §13.1.5); else it comes whole.
      fields.set('If-Range', this.#kept.changed.toUTCString());
    }
    this.#ask();
  }

  /** Stops; returns what is left, in words. */
  giveUp(): string {
    this.#over = true;
    const sink = this.#sink;
    this.#sink = null;
    return sink?.failed() ?? '';
  }

  #ask(): void {
    this.#unwanted = 0;
    const { url, method, fields, body } = this.#hop;
    const { host, tick } = this.#at;
    tick();
    const connection = host.connect({ address: addressOf(this.#order, url), port: portToDial(url) });
    const { ca, insecure, verbose } = this.#order;
    const tls = { ...(ca !== null && { ca }), ...(insecure && { rejectUnauthorized: false }) };
    const stream =
      url.protocol === 'https:' ? secureClient(connection, url.hostname.replace(/^\[|\]$/g, ''), tls) : connection;
    this.#http = new HttpClientStream(stream);
    const target = url.pathname + url.search;
    if (verbose) this.#show('>', `${method} ${target} HTTP/1.1`, fields);
    const content = body instanceof Uint8Array ? body : null;
    this.#exchange = this.#http.request(
      { method, target, headers: fields, body: content },
      {
        onInformational: (status, list) => {
          if (verbose) this.#show('<', `HTTP/1.1 ${status} ${reasonPhrase(status)}`, list);
        },
        onResponse: (response) => this.#head(response),
        onData: (bytes, from, to) => this.#data(bytes.subarray(from, to)),
        onEnd: () => this.#complete(),
        // Where a redirect leads is known before its content is over.
        onError: (error) => (this.#next === null ? this.#end(this.#words(error)) : this.#complete()),
      },
    );
  }

  /** A head, for people. */
  #show(mark: '<' | '>', line: string, fields: HeaderList): void {
    const lines = [line, ...[...fields].map(([name, value]) => `${name}: ${value}`), ''];
    for (const text of lines) this.#at.io.stderr.write(`${mark} ${text}\n`);
  }

  #words(error: Error): string {
    if (this.#problem !== '') return this.#problem;
    const zh = this.#at.io.lang === 'zh';
    if (error instanceof HttpError) return zh ? `响应不完整或不是 HTTP：${error.message}` : error.message;
    if (error instanceof NetError) return error.message;
    const tls = `TLS: ${error.message}`;
    const cure = zh
      ? '用 --cacert FILE 指定信任的证书，或用 --insecure'
      : 'trust it by --cacert FILE, or say --insecure';
    return `${tls} (${cure})`;
  }

  #head(response: ClientResponse): void {
    const { status, reason, headers, minor } = response;
    this.#status = status;
    if (this.#order.verbose) this.#show('<', `HTTP/1.${minor} ${status} ${reason}`, headers);
    if (isRedirect(status, headers) && this.#order.maxRedirects > 0) {
      this.#redirect(status, headers.getAll('location')[0]!);
      return;
    }
    const kept = this.#kept;
    const range = headers.get('content-range') ?? '';
    if (status === 416 && kept !== null && range === `bytes */${kept.octets}`) {
      // Everything had come already.
      this.#resumed = kept.octets;
      this.#sink = fileSink(this.#order.output!, kept.octets, null);
      return;
    }
    if (status < 200 || status > 299) {
      const to = headers.get('location');
      this.#problem = `${status} ${reason}${to === null ? '' : ` -> ${to}`}`;
      if (this.#hop.method === 'HEAD') this.#print(`HTTP/1.${minor} ${status} ${reason}`, headers);
      return;
    }
    if (this.#hop.method === 'HEAD') {
      this.#print(`HTTP/1.${minor} ${status} ${reason}`, headers);
      return;
    }
    if (status === 206) {
      if (kept === null || !range.startsWith(`bytes ${kept.octets}-`)) {
        this.#problem = `206 with another part than was asked for: ${range}`;
        return;
      }
      this.#resumed = kept.octets;
    }
    const length = headers.get('content-length');
    this.#progress.total = length === null ? -1 : this.#resumed + Number(length);
    this.#open(headers);
  }

  /** The head that was asked for goes where content would. */
  #print(line: string, headers: HeaderList): void {
    const text = [line, ...[...headers].map(([name, value]) => `${name}: ${value}`), ''].join('\n');
    if (this.#order.output === null) this.#at.io.stdout.write(`${text}\n`);
    else {
      this.#sink = fileSink(this.#order.output, 0, null);
      this.#sink.write(new TextEncoder().encode(`${text}\n`), () => {});
    }
  }

  #redirect(status: number, location: string): void {
    if (this.#redirects === this.#order.maxRedirects) {
      this.#problem = `redirected more than ${this.#order.maxRedirects} times, last to ${location}`;
      return;
    }
    this.#redirects++;
    try {
      const next = follow(this.#hop, status, location);
      addressOf(this.#order, next.url);
      this.#next = next;
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Misuse)) throw error;
      this.#problem = `${status} -> ${location}: ${error.message}`;
    }
  }

  #open(headers: HeaderList): void {
    const changed = Date.parse(headers.get('last-modified') ?? '');
    try {
      const { output } = this.#order;
      const known = Number.isNaN(changed) ? null : new Date(changed);
      this.#sink = output === null ? outputSink(this.#at.io) : fileSink(output, this.#resumed, known);
    } catch (error) {
      this.#local(error);
      return;
    }
    if (!this.#order.compressed) return;
    const coding = headers.get('content-encoding');
    const decoder = decoderOf(coding);
    if (decoder === undefined) {
      this.#problem = `the content is coded with ${coding}, which nobody here knows`;
      this.#http!.abort();
      return;
    }
    this.#decoder = decoder;
    decoder?.on('data', (bytes: Uint8Array) => {
      if (!this.#put(bytes, () => decoder.resume())) decoder.pause();
    });
    decoder?.on('end', () => this.#end(this.#problem));
    decoder?.on('error', (error) => {
      this.#problem = `the content is not what it says: ${error.message}`;
      this.#http!.abort();
      this.#end(this.#problem);
    });
  }

  #data(bytes: Uint8Array): void {
    if (this.#sink === null) {
      this.#unwanted += bytes.length;
      if (this.#unwanted > UNWANTED) this.#http!.abort();
      return;
    }
    this.#octets += bytes.length;
    const go = (): void => {
      this.#at.tick();
      this.#exchange?.resume();
    };
    const decoder = this.#decoder;
    let room: boolean;
    if (decoder === null) room = this.#put(bytes, go);
    else {
      room = decoder.write(new Uint8Array(bytes));
      if (!room) decoder.once('drain', go);
    }
    if (!room) this.#exchange?.pause();
    this.#progress.at(this.#resumed + this.#octets, false);
  }

  #put(bytes: Uint8Array, drained: () => void): boolean {
    try {
      return this.#sink?.write(bytes, drained) ?? true;
    } catch (error) {
      this.#local(error);
      return true;
    }
  }

  /** The disk is full, the place is not ours: the download ends. */
  #local(error: unknown): void {
    if (!(error instanceof Error && 'code' in error)) throw error;
    this.#problem = error.message;
    this.#http!.abort();
  }

  /** An answer is complete. */
  #complete(): void {
    const next = this.#next;
    if (next !== null) {
      this.#next = null;
      this.#hop = next;
      try {
        this.#ask();
      } catch (error) {
        if (!(error instanceof NetError || error instanceof Misuse)) throw error;
        this.#end(error.message);
      }
    } else if (this.#decoder !== null && this.#problem === '') this.#decoder.end();
    else this.#end(this.#problem);
  }

  #end(problem: string): void {
    if (this.#over) return;
    this.#over = true;
    let words = problem;
    const sink = this.#sink;
    this.#sink = null;
    this.#decoder?.destroy();
    if (sink !== null) {
      this.#progress.at(this.#resumed + this.#octets, true);
      if (words === '') sink.done();
      else words += sink.failed();
    }
    this.#settle({
      ...{ status: this.#status, url: this.#hop.url.href, redirects: this.#redirects, resumed: this.#resumed },
      ...{ octets: this.#octets, ms: performance.now() - this.#start, problem: words },
    });
  }
}
