// A head that was written before is sent again with only Date and Content-Length anew: what goes out is what a head made
// from nothing would be, whichever answers came before, on whichever connection.

import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../src/http/fields.ts';
import { HttpServerStream } from '../../src/http/server.ts';
import { type HeadParts, WrittenHeads } from '../../src/http/written.ts';
import { drain, put } from './conversation.ts';
import { MemoryPair } from './memory-stream.ts';
import { random } from './random.ts';
import { textOf } from './tr.ts';

const SEED = 20261123;
const DATES = ['Mon, 23 Nov 2026 01:00:00 GMT', 'Mon, 23 Nov 2026 01:00:01 GMT', 'not a date', null];

/** One answer as a program gives it, and how the connection stands. */
interface Case {
  readonly status: number;
  readonly given: [string, string][];
  readonly length: number;
  readonly date: string | null;
  readonly idle: number;
  readonly method: string;
  readonly version: string;
  /** What the client says in Connection. */
  readonly option: '' | 'close' | 'keep-alive';
}

const pick = <T>(below: (n: number) => number, of: readonly T[]): T => of[below(of.length)]!;

function makeCase(below: (n: number) => number): Case {
  const lines: [string, string][] = [
    ['content-type', 'text/plain'],
    ['content-type', 'text/html!'],
    ['Content-Type', 'text/plain'],
    ['X-A', ''],
    ['Date', 'Sun, 22 Nov 2026 00:00:00 GMT'],
    ['Keep-Alive', 'timeout=9'],
    ['Set-Cookie', 'a=b'],
    ['Connection', 'x'],
    ['Connection', 'close'],
  ];
  const given = Array.from({ length: below(3) }, () => pick(below, lines.slice(0, below(4) === 0 ? 9 : 4)));
  return {
    status: pick(below, [200, 200, 200, 404, 201, 204, 205, 304]),
    given,
    length: pick(below, [0, 1, 9, 10, 99, 100, 1000, 1234, 9999, 10_000]),
    date: pick(below, DATES),
    idle: pick(below, [60_000, 60_000, 5_000, Number.POSITIVE_INFINITY]),
    method: pick(below, ['GET', 'GET', 'GET', 'HEAD', 'POST']),
    version: below(8) === 0 ? '1.0' : '1.1',
    option: pick(below, ['', '', '', '', 'close', 'keep-alive']),
  };
}

const REASONS: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  205: 'Reset Content',
  304: 'Not Modified',
  404: 'Not Found',
};

const stays = ({ option, version, given }: Case): boolean =>
  (version === '1.1' ? option !== 'close' : option === 'keep-alive') && !given.some(([, value]) => value === 'close');

/** The head of the answer in RFC 9110's and 9112's words, and nothing remembered. */
function expected(one: Case): string {
  const lines = [...one.given];
  const has = (key: string): boolean => lines.some(([name]) => name.toLowerCase() === key);
  const option = (text: string): void => {
    const others = lines.filter(([name]) => name === 'Connection').map(([, value]) => value);
    const rest = lines.filter(([name]) => name !== 'Connection');
    lines.splice(0, lines.length, ...rest, ['Connection', [...others, text].join(', ')]);
  };
  if (one.date !== null && !has('date')) lines.push(['Date', one.date]);
  const empty = one.status === 204 || one.status === 304;
  if (one.status === 205) lines.push(['Content-Length', '0']);
  else if (!empty && (one.length > 0 || one.method !== 'HEAD')) lines.push(['Content-Length', String(one.length)]);
  if (!stays(one)) {
    if (!one.given.some(([, value]) => value === 'close')) option('close');
  } else {
    const timed = one.idle < Number.POSITIVE_INFINITY;
    if (timed && !has('keep-alive')) lines.push(['Keep-Alive', `timeout=${one.idle / 1000}`]);
    if (one.version === '1.0' && !has('keep-alive')) option('keep-alive');
  }
  if (has('keep-alive')) option('keep-alive');
  const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${one.status} ${REASONS[one.status]}\r\n${fields}\r\n`;
}

/** What a server of its own sends in this case, its content left out. */
function answered(one: Case): string {
  const pair = new MemoryPair();
  let got = '';
  pair.a.handler = {
    onReadable: () => {
      got += drain(pair.a);
    },
  };
  new HttpServerStream(pair.b, {
    onRequest: (_request, response) => {
      response.writeHead(one.status, one.given);
      response.end(new Uint8Array(one.length).fill(0x78));
    },
    date: () => one.date,
    advertise: true,
    timeouts: { idle: one.idle },
  });
  put(pair.a, `${one.method} / HTTP/${one.version}\r\nHost: a\r\n${one.option && `Connection: ${one.option}\r\n`}\r\n`);
  pair.run();
  expect(pair.a.ended).toBe(!stays(one));
  const end = got.indexOf('\r\n\r\n') + 4;
  const empty = one.method === 'HEAD' || [204, 205, 304].includes(one.status);
  expect(got.slice(end)).toBe(empty ? '' : 'x'.repeat(one.length));
  return got.slice(0, end);
}

describe('the head of an answer', () => {
  it('is the same whatever heads were written before it', () => {
    const below = random(SEED);
    let one = makeCase(below);
    for (let n = 0; n < 3_000; n++) {
      const other = makeCase(below);
      // Much the same again is what this is about.
      const { length, date, method, version, option } = other;
      one = below(3) > 0 ? { ...one, length, date, method, version, option } : other;
      const got = answered(one);
      if (got !== expected(one)) {
        throw new Error(`seed ${SEED}, case ${n}: ${JSON.stringify(one)}\n${got}\nexpected\n${expected(one)}`);
      }
    }
  });

  it('whose own Content-Length is wrong breaks its connection, the second time too', () => {
    for (let n = 0; n < 2; n++) {
      const pair = new MemoryPair();
      new HttpServerStream(pair.b, {
        onRequest: (_request, response) => {
          response.writeHead(200, { 'Content-Length': '5' });
          response.end(new Uint8Array(3));
        },
      });
      put(pair.a, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      pair.run();
      expect(pair.b.aborted).toBe(true);
    }
  });

  it('that was written is found again for another date and another length of as many digits', () => {
    const heads = new WrittenHeads();
    const given = HeaderList.from([['a', 'b']]);
    const [date, later] = ['Mon, 23 Nov 2026 01:00:00 GMT', 'Mon, 23 Nov 2026 01:00:01 GMT'];
    const parts: HeadParts = { status: 200, reason: 'OK', given, date, length: '10', advertised: 0 };
    const whole = (p: HeadParts): HeaderList =>
      HeaderList.from([...p.given, ['Date', p.date], ['Content-Length', p.length]]); // prettier-ignore
    expect(heads.find(parts)).toBeNull();
    heads.write(parts, whole(parts));
    const next = { ...parts, date: later, length: '57', given: HeaderList.from([['a', 'b']]) };
    expect(textOf(heads.find(next)!)).toBe(`HTTP/1.1 200 OK\r\na: b\r\nDate: ${later}\r\nContent-Length: 57\r\n\r\n`);
    expect(() => heads.find({ ...parts, date: later.replace(', ', '\r\n') })).toThrow(TypeError);
    expect(textOf(heads.find(parts)!)).toBe(`HTTP/1.1 200 OK\r\na: b\r\nDate: ${date}\r\nContent-Length: 10\r\n\r\n`);
    for (const other of [
      { length: '9' },
      { length: '100' },
      { status: 216 },
      { reason: 'Ok' },
      { advertised: 1 },
      { date: '' },
    ]) {
      expect(heads.find({ ...parts, ...other })).toBeNull();
    }
    for (const other of [
      [['a', 'c']],
      [['A', 'b']],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
      [],
    ] as [string, string][][]) {
      expect(heads.find({ ...parts, given: HeaderList.from(other) })).toBeNull();
    }
  });
});
