// Two readings of the same octets: ours, and that of the platform's own parser, in process.

import { createRequire } from 'node:module';
import { BodyReader } from '../../src/http/body.ts';
import { Framing } from '../../src/http/framing.ts';
import { HeadParser } from '../../src/http/head.ts';
import { DEFAULT_LIMITS, STRICT } from '../../src/http/policy.ts';
import { persists } from '../../src/http/states.ts';
import { MemoryStream } from './memory-stream.ts';
import { random } from './random.ts';
import { bytesOf } from './tr.ts';

/** A request as one reader saw it. */
interface Message {
  method: string;
  target: string;
  /** Its content, latin-1. */
  body: string;
  /** Its end was seen. */
  complete: boolean;
  /** It had both ways of framing, and one was chosen; only ours tells. */
  both: boolean;
}

/** What a reader made of a stream of octets that is not over yet. */
export interface Reading {
  readonly messages: Message[];
  /**
   * Why it refused to go on; `more` when it wants more; `upgrade` when it takes what follows for another protocol, `close`
   * when it looks at nothing behind the last request of a connection.
   */
  readonly end: string;
}

/** Our reading, in pieces of at most `step` octets. */
export function ours(bytes: Uint8Array, step: number): Reading {
  const messages: Message[] = [];
  const parser = new HeadParser('request');
  const framing = new Framing();
  const body = new BodyReader(DEFAULT_LIMITS, STRICT);
  const stream = new MemoryStream(bytes.length, step);
  stream.inbox = bytes.slice();
  for (;;) {
    while (parser.result === 'more' && stream.readable > 0) {
      const span = stream.peek();
      stream.consume(parser.feed(span, 0, span.length));
    }
    if (parser.result === 'more') return { messages, end: 'more' };
    if (parser.result === 'fault') return { messages, end: parser.fault };
    framing.decide(parser.method, -1, parser.minor, parser.fields, STRICT);
    if (framing.fault !== '') return { messages, end: framing.fault };
    const message: Message = {
      method: parser.method,
      target: parser.target,
      body: '',
      complete: false,
      both: framing.both,
    };
    const last = framing.both || !persists(parser.minor, parser.fields);
    messages.push(message);
    parser.reset();
    body.begin(framing);
    for (;;) {
      const result = body.step(stream);
      if (result === 'fault') return { messages, end: body.fault };
      if (result === 'empty') return { messages, end: 'more' };
      if (result === 'done') break;
      message.body += Buffer.from(body.bytes.subarray(body.from, body.to)).toString('latin1');
      body.release(stream);
    }
    message.complete = true;
    if (stream.readable === 0) return { messages, end: 'more' };
    if (message.method === 'CONNECT') return { messages, end: 'upgrade' };
    if (last) return { messages, end: 'close' };
  }
}

/** The parts of the platform's parser that are used. */
interface PlatformParser {
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | (Error & { code: string; reason: string });
  [callback: number]: unknown;
}
interface PlatformParserClass {
  new (): PlatformParser;
  readonly REQUEST: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser, methods } = createRequire(import.meta.url)('node:_http_common') as {
  HTTPParser: PlatformParserClass;
  methods: readonly string[];
};

/** Node's reading. */
export function nodes(bytes: Uint8Array): Reading {
  const messages: Message[] = [];
  let target = '';
  let upgrade = false;
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  parser[HTTPParser.kOnHeaders] = (_headers: string[], url: string): void => {
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    _headers: string[] | undefined,
    method: number,
    url: string | undefined,
    _status: number,
    _reason: string,
    upgrades: boolean,
  ): number => {
    messages.push({ method: methods[method]!, target: target + (url ?? ''), body: '', complete: false, both: false });
    target = '';
    upgrade = upgrades;
    return 0;
  };
  parser[HTTPParser.kOnBody] = (chunk: Buffer): void => {
    messages.at(-1)!.body += chunk.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = (): void => {
    messages.at(-1)!.complete = true;
    // Trailers come with the target of their head.
    target = '';
  };
  const result = parser.execute(Buffer.from(bytes));
  if (typeof result !== 'number') {
    return { messages, end: result.code === 'HPE_CLOSED_CONNECTION' ? 'close' : `${result.code} ${result.reason}` };
  }
  return { messages, end: upgrade && result < bytes.length ? 'upgrade' : 'more' };
}

/** Octets that requests are made of, and what smugglers put in between. */
const HEADS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /x?y=z HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n',
  'HEAD http://a/ HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  'PUT /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'PUT /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA;x="y z"\r\n0123456789\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
  'DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc',
  'GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
].map(bytesOf);
const SPICE = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    ' ',
    '\t',
    '\0',
    '\x7f',
    '\xff',
    ':',
    ';',
    ',',
    '"',
    '+',
    '-',
    '0x',
    '0',
    '1',
  ],
  ...['a', 'Z', '/', '?', '#', '%', '\\', '*', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ' HTTP/1.1', 'chunked', ', chunked'],
  ...['Content-Length: 5\r\n', 'Content-Length: 6\r\n', 'Content-Length:5\r\n', 'content-length : 5\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n', 'Transfer-Encoding:\tchunked\r\n'],
  ...['Host: b\r\n', ' folded\r\n', 'Connection: close\r\n', 'Connection: upgrade\r\nUpgrade: x\r\n', 'X: y\r\n'],
  ...[
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    ';ext',
    ';ext=\n',
    '00000000000000000005',
    'FFFFFFFFFFFFFFFF',
  ],
].map(bytesOf);

/** One to three requests behind each other, with up to four changes. */
function makeInput(next: (n: number) => number): Uint8Array {
  let out: number[] = [];
  for (let i = next(3); i >= 0; i--) out.push(...HEADS[next(HEADS.length)]!);
  for (let i = next(5); i > 0; i--) {
    const at = next(out.length + 1);
    const kind = next(8);
    if (kind === 0) out[at % out.length] = next(256);
    else if (kind === 1) out.splice(at, 1 + next(3));
    else if (kind === 2) out.splice(at, 0, ...out.slice(at, at + next(30)));
    else if (kind === 3) out = out.slice(0, Math.max(1, at));
    else if (kind === 4) out[at % out.length]! ^= 1 << next(8);
    else out.splice(atLine(out, at, kind), 0, ...SPICE[next(SPICE.length)]!);
    if (out.length === 0) out = [next(256)];
  }
  return Uint8Array.from(out);
}

/** Half of what is put in goes to the beginning of a line, where it means something. */
function atLine(out: readonly number[], at: number, kind: number): number {
  if (kind > 6) return at;
  const line = out.indexOf(10, at);
  return line < 0 ? at : line + 1;
}

/** Ends that are no refusals. */
const CALM: ReadonlySet<string> = new Set(['more', 'upgrade', 'close']);

const whole = (reading: Reading): number => reading.messages.filter(({ complete }) => complete).length;

/**
 * How the two readings differ: an empty string when they do not, else the class of the difference. `BOUNDARY` is one request
 * that was seen in two ways, or another number of requests where neither stopped. Of two that stop, the one that stops
 * first names the class: who refused and why, or at what. One that stops before a head is complete is only `sooner`: the
 * other has not read it as a request either.
 */
export function difference(a: Reading, b: Reading): string {
  const both = Math.min(a.messages.length, b.messages.length);
  for (let i = 0; i < both; i++) {
    const [x, y] = [a.messages[i]!, b.messages[i]!];
    if (x.method !== y.method || x.target !== y.target) return 'BOUNDARY: another request';
    if (x.complete && y.complete && x.body !== y.body) return 'BOUNDARY: other content';
    if (!x.body.startsWith(y.body) && !y.body.startsWith(x.body)) return 'BOUNDARY: other content';
  }
  const [wholeA, wholeB] = [whole(a), whole(b)];
  if (a.end === 'more' && b.end === 'more') {
    return wholeA === wholeB && a.messages.length === b.messages.length ? '' : 'BOUNDARY: another number of requests';
  }
  // Both stopped behind the same requests, or one of them after the other.
  if (a.end !== 'more' && b.end !== 'more' && wholeA === wholeB) return '';
  const oursFirst = b.end === 'more' || (a.end !== 'more' && wholeA < wholeB);
  const [first, other, name] = oursFirst ? [a, b, 'ours'] : [b, a, 'Node'];
  if (!CALM.has(first.end)) {
    const sooner = other.messages.length <= first.messages.length && whole(other) <= whole(first);
    const both = other.messages.some((message) => message.both) ? ', and we chose a framing' : '';
    return sooner ? 'sooner' : `${name} refuses: ${first.end}${both}`;
  }
  return other.messages.length > whole(first) || !CALM.has(other.end) ? `${name} stops: ${first.end}` : '';
}

/** What many inputs came to. */
export interface Tally {
  /** How often each class was met. */
  readonly classes: Map<string, number>;
  /** A smallest input of each class. */
  readonly smallest: Map<string, Uint8Array>;
  /** Requests that both read, and read alike. */
  agreed: number;
}

/** Reads `count` inputs of a seed in both ways, ours in pieces. Whatever throws says the seed and the input. */
export function compare(seed: number, count: number): Tally {
  const next = random(seed);
  const tally: Tally = { classes: new Map(), smallest: new Map(), agreed: 0 };
  for (let i = 0; i < count; i++) {
    const bytes = makeInput(next);
    const step = 1 + next(60);
    let a: Reading;
    try {
      a = ours(bytes, step);
    } catch (error) {
      const text = JSON.stringify(Buffer.from(bytes).toString('latin1'));
      throw new Error(`seed ${seed}, input ${i}, in pieces of ${step}: ${text}`, { cause: error });
    }
    const b = nodes(bytes);
    tally.agreed += Math.min(whole(a), whole(b));
    const name = difference(a, b);
    if (name === '') continue;
    tally.classes.set(name, (tally.classes.get(name) ?? 0) + 1);
    const smallest = tally.smallest.get(name);
    if (smallest === undefined || bytes.length < smallest.length) tally.smallest.set(name, bytes);
  }
  return tally;
}

/** Whether these are the differences of the parser that the allowed classes are written for: llhttp 9, of Node 20 to 24. */
const KNOWN_PARSER: boolean = process.versions['llhttp']?.startsWith('9.') === true;

/** What of a tally is not allowed, as lines that say the class and a smallest input. */
export function forbidden(tally: Tally, allowed: readonly { readonly name: string }[]): string[] {
  const names = new Set(['sooner', ...allowed.map(({ name }) => name)]);
  return [...tally.smallest]
    .filter(([name]) => !names.has(name) && (KNOWN_PARSER || !/^Node (refuses|stops)/.test(name)))
    .map(([name, bytes]) => `${name}: ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`);
}
