// Our reading of requests against that of Node's own parser: no request is seen in two ways.

import { describe, expect, it } from 'vitest';
import { ChunkDecoder } from '../../src/http/chunked.ts';
import { HeadParser } from '../../src/http/head.ts';
import { DEFAULT_LIMITS, LENIENT } from '../../src/http/policy.ts';
import { compare, difference, forbidden, nodes, ours } from './differential.ts';
import { ALLOWED } from './differential-cases.ts';
import { bytesOf } from './tr.ts';

const SEED = 20_261_122;

describe("mutated requests, read by us and by Node's parser", () => {
  it(`end at the same octets, or fall into an allowed class, 10,000 times (seed ${SEED})`, () => {
    const tally = compare(SEED, 10_000);
    expect(forbidden(tally, ALLOWED)).toEqual([]);
    // The inputs are not all refused.
    expect(tally.agreed).toBeGreaterThan(5_000);
  });

  it.each(ALLOWED.map(({ name, rule, input }) => [name, rule, input] as const))('%s (%s)', (name, _rule, input) => {
    const bytes = bytesOf(input);
    const named = difference(ours(bytes, bytes.length), nodes(bytes));
    // Later versions read some of these as we do.
    const exact = process.versions['llhttp']?.startsWith('9.3.') === true;
    expect(exact ? [name] : [name, '', 'sooner']).toContain(named);
    for (let step = 1; step < bytes.length; step++) {
      expect(ours(bytes, step)).toEqual(ours(bytes, bytes.length));
    }
  });

  it.each([
    ['another request', 'GET /a HTTP/1.0\r\n\r\n', 'GET /b HTTP/1.0\r\n\r\n', /^BOUNDARY: another request$/],
    [
      'other content',
      'PUT / HTTP/1.0\r\nContent-Length: 1\r\n\r\na',
      'PUT / HTTP/1.0\r\nContent-Length: 1\r\n\r\nb',
      /^BOUNDARY: other content$/,
    ],
    ['one more request', 'GET / HTTP/1.0\r\n\r\n', '', /^BOUNDARY: another number of requests$/],
    [
      'a request of which one has only begun the content',
      'PUT / HTTP/1.0\r\nContent-Length: 1\r\n\r\na',
      'PUT / HTTP/1.0\r\nContent-Length: 2\r\n\r\na',
      /^BOUNDARY: another number/,
    ],
  ])('%s would be noticed', (_what, one, other, expected) => {
    expect(difference(ours(bytesOf(one), 99), nodes(bytesOf(other)))).toMatch(expected);
    expect(difference(ours(bytesOf(other), 99), nodes(bytesOf(one)))).toMatch(expected);
  });
});

describe('time spent on a message', () => {
  /** Counts the octets that are read of what is fed. */
  const counted = (bytes: Uint8Array, feed: (bytes: Uint8Array) => void): number => {
    let reads = 0;
    feed(
      new Proxy(bytes, {
        get: (object, key) => {
          if (typeof key === 'string' && key >= '0' && key <= '9:') reads++;
          const member: unknown = Reflect.get(object, key, object);
          return typeof member === 'function' ? member.bind(object) : member;
        },
      }),
    );
    return reads;
  };
  const limits = { ...DEFAULT_LIMITS, head: 1e9, fields: 1e9, target: 1e9, method: 1e9, chunkExt: 1e9, trailer: 1e9 };
  const head = (bytes: Uint8Array): void => {
    const parser = new HeadParser('request', limits, LENIENT);
    parser.feed(bytes, 0, bytes.length);
    expect(parser.result).toBe('done');
  };
  const chunks = (bytes: Uint8Array): void => {
    const decoder = new ChunkDecoder(limits, LENIENT);
    let at = 0;
    for (;;) {
      const result = decoder.step(bytes, at, bytes.length);
      at = decoder.at;
      if (result !== 'data') {
        expect(result).toBe('done');
        return;
      }
    }
  };
  const start = 'GET / HTTP/1.1\r\nHost: a\r\n';

  it.each([
    ['a long method', head, (n: number) => `${'A'.repeat(n)} / HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['a long target', head, (n: number) => `GET /${'a'.repeat(n)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['empty lines before it', head, (n: number) => `${'\r\n'.repeat(n)}${start}\r\n`],
    ['many fields', head, (n: number) => `${start}${'X: y\r\n'.repeat(n)}\r\n`],
    ['many fields of one name that matters', head, (n: number) => `${start}${'Connection: x\r\n'.repeat(n)}\r\n`],
    ['a long name', head, (n: number) => `${start}${'N'.repeat(n)}: y\r\n\r\n`],
    ['white space behind a value', head, (n: number) => `${start}X: y${' '.repeat(n)}\r\n\r\n`],
    ['white space in a value', head, (n: number) => `${start}X: ${'a '.repeat(n)}\r\n\r\n`],
    ['a value that is folded often', head, (n: number) => `${start}X: y${'\r\n z'.repeat(n)}\r\n\r\n`],
    ['many small chunks', chunks, (n: number) => `${'1\r\nx\r\n'.repeat(n)}0\r\n\r\n`],
    ['long extensions', chunks, (n: number) => `1;${'a'.repeat(n)}="${'b'.repeat(n)}"\r\nx\r\n0\r\n\r\n`],
    ['many extensions', chunks, (n: number) => `1${';a=b'.repeat(n)}\r\nx\r\n0\r\n\r\n`],
    ['many trailers', chunks, (n: number) => `0\r\n${'X: y\r\n'.repeat(n)}\r\n`],
  ])('%s: twice as long costs twice as much, and no more', (_what, feed, make) => {
    // The empty line keeps a head from `usual.ts`, whose looks cannot be counted.
    const before = feed === head ? '\r\n' : '';
    const [once, twice] = [make(2000), make(4000)].map((text) => counted(bytesOf(before + text), feed));
    expect(twice! / once!).toBeLessThan(2.2);
    // Few looks at each octet.
    expect(once!).toBeLessThan(make(2000).length * 5);
  });
});
