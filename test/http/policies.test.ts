// Every field of the parser's policy, off and on, and the table of them in docs/http.md.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type HttpPolicy, LENIENT, STRICT } from '../../src/http/policy.ts';
import { type OnRequest, trClient, trServer } from './conversation.ts';
import { bytesOf } from './tr.ts';

const HOST = 'Host: a\r\n';

/** Answers with what the handler was shown. */
const show: OnRequest = (request, response) => {
  request.onEnd = () => {
    const { form, target, headers, minor } = request;
    response.end(bytesOf(`${form} ${target} ${headers.getAll('host')[0] ?? null} ${headers.get('x')} 1.${minor}`));
  };
};

/** What a server answers under a policy with one field changed: a status, or what the handler was shown. */
function answer(text: string, field: keyof HttpPolicy, on: boolean): string {
  const { got } = trServer(text, show, { policy: { [field]: on } });
  return got.startsWith('HTTP/1.1 200 ') ? got.slice(got.indexOf('\r\n\r\n') + 4) : got.slice(9, 12);
}

/** `[field, octets, when off, when on]`. */
const SERVER: [keyof HttpPolicy, string, string, string][] = [
  ['firstHost', `GET / HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`, '400', 'origin / a null 1.1'],
  ['noHost', 'GET / HTTP/1.1\r\n\r\n', '400', 'origin / null null 1.1'],
  ['anyHost', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', '400', 'origin / a/b null 1.1'],
  ['anyTarget', `GET * HTTP/1.1\r\n${HOST}\r\n`, '400', 'origin * a null 1.1'],
  ['anyTarget', `GET x HTTP/1.1\r\n${HOST}\r\n`, '400', 'origin x a null 1.1'],
  ['anyTarget', `GET b:80 HTTP/1.1\r\n${HOST}\r\n`, '400', 'origin b:80 a null 1.1'],
  ['fold', `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, '400', 'origin / a a b 1.1'],
  ['sameLengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 2, 2\r\n\r\nhi`, '400', 'origin / a null 1.1'],
  ['sameLengths', `POST / HTTP/1.1\r\n${HOST}${'Content-Length: 2\r\n'.repeat(2)}\r\nhi`, '400', 'origin / a null 1.1'],
  [
    'chunkedOverLength',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    '400',
    'origin / a null 1.1',
  ],
  ['laterMinor', `GET / HTTP/1.2\r\n${HOST}\r\n`, '505', 'origin / a null 1.1'],
];

describe('one field of the policy', () => {
  it.each(SERVER)('%s decides about %j', (field, text, off, on) => {
    expect([answer(text, field, false), answer(text, field, true)]).toEqual([off, on]);
  });
  it('shortStatusLine decides about a status line without a second space', () => {
    const text = 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n';
    expect(trClient({}, text, { policy: { shortStatusLine: false } }).events).toEqual(['error bad-status-line']);
    expect(trClient({}, text, { policy: { shortStatusLine: true } }).events).toEqual(['200 ', 'end']);
  });
  it('fold is on for clients', () => {
    const text = 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n';
    expect(trClient({}, text).fields[0]).toEqual(['X', 'a b']);
    expect(trClient({}, text, { policy: { fold: false } }).events).toEqual(['error obs-fold']);
  });
  it('CONNECT needs its authority under any of them', () => {
    expect(answer(`CONNECT / HTTP/1.1\r\n${HOST}\r\n`, 'anyTarget', true)).toBe('400');
  });
});

describe('docs/http.md', () => {
  const page = readFileSync('docs/http.md', 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| .* \| (on|off) \| (on|off) \|$/gm)];

  it('has a row for every field, with its value in both policies', () => {
    const told = rows.map(([, field, strict, lenient]) => [field, strict === 'on', lenient === 'on']);
    const known = (Object.keys(STRICT) as (keyof HttpPolicy)[]).map((field) => [field, STRICT[field], LENIENT[field]]);
    expect(told.sort()).toEqual(known.sort());
  });
  it('has no row that is not tested here', () => {
    const tested = new Set([...SERVER.map(([field]) => field as string), 'shortStatusLine']);
    expect(rows.map(([, field]) => field!).filter((field) => !tested.has(field))).toEqual([]);
  });
});

describe('whatever the policy', () => {
  const ALL = Object.fromEntries(Object.keys(STRICT).map((field) => [field, true])) as unknown as HttpPolicy;
  const CHUNKED = 'Transfer-Encoding: chunked\r\n';
  it.each([
    ['a bare LF', `GET / HTTP/1.1\n${HOST}\r\n`],
    ['a bare CR', `GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`],
    ['white space before a colon', `GET / HTTP/1.1\r\n${HOST}X : a\r\n\r\n`],
    ['white space before the first field', `GET / HTTP/1.1\r\n X: a\r\n${HOST}\r\n`],
    ['lengths that differ', `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['a length with a sign', `POST / HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\na`],
    ['chunked before another coding', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n`],
    ['chunked twice', `POST / HTTP/1.1\r\n${HOST}${CHUNKED}${CHUNKED}\r\n0\r\n\r\n`],
    ['chunked in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}${CHUNKED}\r\n0\r\n\r\n`],
    ['a chunk size with a prefix', `POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n0x1\r\na\r\n0\r\n\r\n`],
    ['a chunk size behind white space', `POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n 1\r\na\r\n0\r\n\r\n`],
    ['a chunk that ends with LF alone', `POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n1\r\na\n0\r\n\r\n`],
    ['NUL in a value', `GET / HTTP/1.1\r\n${HOST}X: a\0\r\n\r\n`],
  ])('%s is refused', (_what, text) => {
    const { got, ended } = trServer(text, show, { policy: ALL });
    expect([got.slice(9, 12), ended]).toEqual(['400', true]);
  });
});
