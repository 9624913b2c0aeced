// The short way for usual heads gives what the pass over octets gives: same fields, same faults, same octets taken.

import { afterEach, describe, expect, it } from 'vitest';
import { latin1 } from '../../src/http/bytes.ts';
import { type HeadKind, HeadParser } from '../../src/http/head.ts';
import { DEFAULT_LIMITS, type HttpLimits, type HttpPolicy, LENIENT, STRICT } from '../../src/http/policy.ts';
import { useAsciiDecoder, usualHead } from '../../src/http/usual.ts';
import { byBuffer, byTextDecoder } from '../../src/web/text.ts';
import { random } from './random.ts';
import { bytesOf } from './tr.ts';

const SEED = 20261122;

const pick = <T>(below: (n: number) => number, of: readonly T[]): T => of[below(of.length)]!;

const METHODS = ['GET', 'GET', 'POST', 'OPTIONS', 'CONNECT', 'get', 'M-SEARCH', 'A'.repeat(8), 'A'.repeat(9)];
const TARGETS = [
  '/',
  '/index.html?a=b',
  '*',
  'http://a/b',
  'a:80',
  '/#',
  '/|^{}',
  `/${'t'.repeat(39)}`,
  `/${'t'.repeat(40)}`,
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1'];
const STATUS = [
  '200 OK',
  '404 Not Found',
  '204 ',
  '200',
  '099 Low',
  '999 ',
  '1000 x',
  '200  two  spaces ',
  '200 caf\xe9',
  '200 a\tb',
];
const HOSTS = [
  'Host: a',
  'host: example.org:80',
  'Host:',
  'HOST: [::1]:1',
  'Host: a b',
  'Host: a:99999',
  'Host: %zz',
  'X: y',
];
const LINES = [
  'Accept: */*',
  'X-A:',
  'X-A:b',
  'X-A:  b  ',
  'X-A: \tb\t ',
  'X-A: b:c',
  'X-A:   ',
  "!#$%&'*+.^_`|~: 1",
  'Content-Length: 5',
  'X-A: \xe9\x80',
  ' folded',
  'X-A : b',
  ': b',
  'X A: b',
  'X-A: a\rb',
  'X-A: a\nb',
  'X-A: a\x00',
  'Host: b',
]; // prettier-ignore
const SEEDS = 'GET / HTTP/1.1\r\n:;\t \x00\x7f\x80\xff#';

/** A head of parts that are mostly right, with something done to its octets now and then, and something behind it. */
function make(below: (n: number) => number, kind: 'request' | 'response'): Uint8Array {
  const start =
    kind === 'request'
      ? `${pick(below, METHODS)} ${pick(below, TARGETS)} ${pick(below, VERSIONS)}`
      : `${pick(below, VERSIONS)} ${pick(below, STATUS)}`;
  const lines = [start, pick(below, HOSTS)];
  for (let n = below(6); n > 0; n--) lines.push(pick(below, below(3) > 0 ? LINES.slice(0, 9) : LINES));
  let text = `${lines.join('\r\n')}\r\n\r\n`;
  for (let n = below(4) - 2; n > 0; n--) {
    const at = below(text.length);
    const what = SEEDS[below(SEEDS.length)]!;
    text = text.slice(0, at) + (below(2) === 0 ? what : '') + text.slice(at + below(2));
  }
  const behind = ['', '', 'body', '\r\n', text, `x${'\r\n\r\n'}`, 'b'.repeat(3000)];
  return bytesOf((below(20) === 0 ? '\r\n' : '') + text + pick(below, behind));
}

/** Everything that a parser tells after these feeds. */
function outcome(kind: HeadKind, bytes: Uint8Array, limits: HttpLimits, policy: HttpPolicy, cuts: number[]): string {
  const parser = new HeadParser(kind, limits, policy);
  let at = 0;
  for (const to of [...cuts, bytes.length]) if (parser.result === 'more') at += parser.feed(bytes, at, to);
  const { result, fault } = parser;
  if (result !== 'done') return JSON.stringify([result, fault, at, parser.begun]);
  const { method, target, form, minor, status, reason, fields } = parser;
  return JSON.stringify([result, at, method, target, form, minor, kind === 'response' && status, reason, [...fields]]);
}

afterEach(() => useAsciiDecoder(latin1));

describe('a usual head', () => {
  it.each([
    ['by hand', latin1],
    ['by Buffer', byBuffer()!],
    ['by TextDecoder', byTextDecoder()!],
  ])('comes out as the pass over octets reads it, or is left to it: decoded %s', (_how, decoder) => {
    useAsciiDecoder(decoder);
    const below = random(SEED);
    const seen = { usual: 0, left: 0, faults: 0 };
    for (let i = 0; i < 35_000; i++) {
      const kind = i % 2 === 0 ? 'request' : 'response';
      const bytes = make(below, kind);
      const limits = {
        ...DEFAULT_LIMITS,
        method: 8,
        target: 40,
        fields: 2 + below(6),
        head: pick(below, [60, 90, 16384]),
      };
      const policy = pick(below, [STRICT, LENIENT, { ...LENIENT, noHost: true }]);
      const whole = outcome(kind, bytes, limits, policy, []);
      // A head that comes in two pieces goes through the pass: the short way is for what is whole.
      const pass = outcome(kind, bytes, limits, policy, [1]);
      if (whole !== pass)
        throw new Error(`seed ${SEED}, case ${i}, ${kind} ${latin1(bytes, 0, bytes.length)}\n${whole}\n${pass}`);
      const usual = usualHead(kind, bytes, 0, bytes.length) !== '';
      seen[usual ? 'usual' : 'left']++;
      if (usual && whole.startsWith('["fault"')) seen.faults++;
    }
    // The comparison means something: both ways are gone, and heads that are well-formed and wrong are among them.
    expect(seen.usual).toBeGreaterThan(5_000);
    expect(seen.left).toBeGreaterThan(10_000);
    expect(seen.faults).toBeGreaterThan(500);
  });

  it.each([
    ['request', 'GET /a HTTP/1.1\r\nHost: a:80\r\nX-Ab: bcd efgh \r\nB:c\r\n\r\n'],
    ['response', 'HTTP/1.1 200 Fine\r\nX-Ab: bcd efgh \r\nB:c\r\n\r\n'],
  ] as const)('comes out as the pass reads it with any octet at any place of it: a %s', (kind, text) => {
    useAsciiDecoder(byBuffer()!);
    const bytes = bytesOf(text);
    let usuals = 0;
    for (let at = 0; at < bytes.length; at++) {
      const was = bytes[at]!;
      for (let octet = 0; octet < 256; octet++) {
        bytes[at] = octet;
        const whole = outcome(kind, bytes, DEFAULT_LIMITS, STRICT, []);
        const pass = outcome(kind, bytes, DEFAULT_LIMITS, STRICT, [1]);
        if (whole !== pass) throw new Error(`octet ${octet} at ${at}\n${whole}\n${pass}`);
        if (usualHead(kind, bytes, 0, bytes.length) !== '') usuals++;
      }
      bytes[at] = was;
    }
    expect(usuals).toBeGreaterThan(1_000);
    expect(usuals).toBeLessThan(bytes.length * 128);
  });

  it('is found wherever it lies and whatever is behind it', () => {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n';
    for (const before of ['', '\r\n', 'X\r\n\r']) {
      for (const behind of ['', 'x', '\r\n\r\n', head, head.repeat(200), 'x'.repeat(70_000)]) {
        const bytes = bytesOf(before + head + behind);
        expect(usualHead('request', bytes, before.length, bytes.length)).toBe(head);
      }
    }
  });

  it.each([
    ['is not whole', 'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r'],
    ['ends a line with a bare LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['holds obs-text', 'GET / HTTP/1.1\r\nHost: a\r\nA: \xe9\r\n\r\n'],
    ['holds a tab', 'GET / HTTP/1.1\r\nHost: a\r\nA:\tb\r\n\r\n'],
    ['folds a line', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n'],
    ['has white space before a colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['has a later minor version', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n'],
    ['begins with an empty line', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['is longer than is tried', `GET / HTTP/1.1\r\nHost: a\r\nA: ${'b'.repeat(16_384)}\r\n\r\n`],
  ])('is none that %s', (_what, text) => {
    const bytes = bytesOf(text);
    expect(usualHead('request', bytes, 0, bytes.length)).toBe('');
  });
});
