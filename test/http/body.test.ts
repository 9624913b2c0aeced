// Framing and the chunked coding: where a body ends (RFC 9112 §6, §7.1).

import { describe, expect, it } from 'vitest';
import { ChunkDecoder, writeChunkHead } from '../../src/http/chunked.ts';
import type { HttpFault } from '../../src/http/errors.ts';
import { HeaderList } from '../../src/http/fields.ts';
import { Framing } from '../../src/http/framing.ts';
import { DEFAULT_LIMITS, type HttpPolicy, STRICT } from '../../src/http/policy.ts';
import { persists } from '../../src/http/states.ts';
import { bytesOf, textOf, trChunks } from './tr.ts';

type Lines = [string, string][];

function decide(method: string, status: number, minor: number, lines: Lines, policy: Partial<HttpPolicy> = {}): string {
  const framing = new Framing();
  framing.decide(method, status, minor, HeaderList.from(lines), { ...STRICT, ...policy });
  return framing.fault === '' ? `${framing.kind} ${framing.length} (${framing.why})` : framing.fault;
}

const length = (...values: string[]): Lines => values.map((v) => ['Content-Length', v]);
const coding = (...values: string[]): Lines => values.map((v) => ['Transfer-Encoding', v]);

describe('framing (RFC 9112 §6.3)', () => {
  it.each([
    ['GET', -1, [], 'none 0 (request without length)'],
    ['GET', -1, length('5'), 'length 5 (Content-Length)'],
    ['POST', -1, length('007'), 'length 7 (Content-Length)'],
    ['POST', -1, length('9007199254740991'), 'length 9007199254740991 (Content-Length)'],
    ['POST', -1, length('5', '5'), 'length 5 (Content-Length)'],
    ['POST', -1, length('5, 5'), 'length 5 (Content-Length)'],
    ['POST', -1, coding('chunked'), 'chunked 0 (Transfer-Encoding)'],
    ['POST', -1, coding(' ,\tChunKed,'), 'chunked 0 (Transfer-Encoding)'],
    ['HEAD', 200, length('5'), 'none 0 (answer to HEAD)'],
    ['HEAD', 200, coding('chunked'), 'none 0 (answer to HEAD)'],
    ['GET', 204, length('5'), 'none 0 (status without content)'],
    ['GET', 304, length('5'), 'none 0 (status without content)'],
    ['GET', 103, length('5'), 'none 0 (status without content)'],
    ['CONNECT', 200, length('5'), 'tunnel 0 (CONNECT succeeded)'],
    ['CONNECT', 407, length('5'), 'length 5 (Content-Length)'],
    ['GET', 200, [], 'close 0 (response without length)'],
    ['GET', 200, coding('gzip'), 'close 0 (Transfer-Encoding without chunked)'],
    ['GET', 200, coding('chunked'), 'chunked 0 (Transfer-Encoding)'],
  ] as [string, number, Lines, string][])('%s %i %j is %s', (method, status, lines, decision) => {
    expect(decide(method, status, 1, lines)).toBe(decision);
  });

  it.each([
    [length('+5'), 'bad-length'],
    [length('-5'), 'bad-length'],
    [length('0x5'), 'bad-length'],
    [length('5 5'), 'bad-length'],
    [length('5.0'), 'bad-length'],
    [length('5e1'), 'bad-length'],
    [length(''), 'bad-length'],
    [length('5,'), 'bad-length'],
    [length('\xb25'), 'bad-length'],
    [length('5, 6'), 'different-lengths'],
    [length('5', '6'), 'different-lengths'],
    [length('9007199254740992'), 'length-overflow'],
    [length('18446744073709551621'), 'length-overflow'],
    [coding(''), 'bad-transfer-encoding'],
    [coding('gzip'), 'chunked-not-last'],
    [coding('identity'), 'chunked-not-last'],
    [coding('chunked, gzip'), 'chunked-not-last'],
    [coding('chunked', 'identity'), 'chunked-not-last'],
    [coding('chunked, chunked'), 'bad-transfer-encoding'],
    [coding('chunked', 'chunked'), 'bad-transfer-encoding'],
    [coding('chunked;a=b'), 'bad-transfer-encoding'],
    [coding('"chunked"'), 'bad-transfer-encoding'],
    [coding('xchunked'), 'chunked-not-last'],
    [coding('gzip, chunked'), 'unknown-transfer-coding'],
    [coding('nonsense, chunked'), 'unknown-transfer-coding'],
    [[...length('5'), ...coding('chunked')], 'length-with-transfer-encoding'],
    [[...coding('chunked'), ...length('5')], 'length-with-transfer-encoding'],
  ] as [Lines, HttpFault][])('refuses a request with %j: %s', (lines, fault) => {
    expect(decide('POST', -1, 1, lines)).toBe(fault);
  });

  it('refuses Transfer-Encoding in 1.0, both ways (§6.1)', () => {
    expect(decide('POST', -1, 0, coding('chunked'))).toBe('transfer-encoding-in-http-1.0');
    expect(decide('GET', 200, 0, coding('chunked'))).toBe('transfer-encoding-in-http-1.0');
  });

  it('follows the policy where it is lax or stricter', () => {
    const both: Lines = [...length('5'), ...coding('chunked')];
    expect(decide('POST', -1, 1, both, { chunkedOverLength: true })).toBe('chunked 0 (Transfer-Encoding)');
    expect(decide('POST', -1, 1, length('5', '5'), { sameLengths: false })).toBe('different-lengths');
    expect(decide('POST', -1, 1, length('5, 5'), { sameLengths: false })).toBe('different-lengths');
  });
});

describe('chunked (RFC 9112 §7.1)', () => {
  it('joins chunks, drops extensions, keeps trailers, leaves what follows', () => {
    const body = '5;a;b=c;d="e;\\"f"\r\nhello\r\n00006 ; x = "y"\r\n world\r\n0\r\nX-Sum: 1\r\nY:2\r\n\r\nNEXT';
    expect(trChunks(body)).toEqual({
      result: 'done',
      fault: '',
      data: 'hello world',
      trailers: [
        ['X-Sum', '1'],
        ['Y', '2'],
      ],
      rest: 4,
    });
  });
  it('takes hexadecimal sizes of either case', () => {
    expect(trChunks(`1a\r\n${'x'.repeat(26)}\r\nA\r\n0123456789\r\n0\r\n\r\n`).data.length).toBe(36);
  });
  it('wants more until the last octet', () => {
    expect(trChunks('1\r\na\r\n0\r\n\r').result).toBe('more');
  });
  it.each([
    ['5 \r\nhello\r\n0\r\n\r\n', 'bad-chunk-size'],
    [' 5\r\nhello\r\n0\r\n\r\n', 'bad-chunk-size'],
    ['+5\r\nhello\r\n0\r\n\r\n', 'bad-chunk-size'],
    ['0x5\r\nhello\r\n0\r\n\r\n', 'bad-chunk-size'],
    ['5_\r\nhello\r\n0\r\n\r\n', 'bad-chunk-size'],
    ['\r\nhello\r\n', 'bad-chunk-size'],
    [';a\r\nhello\r\n', 'bad-chunk-size'],
    ['g\r\n', 'bad-chunk-size'],
    ['20000000000000\r\n', 'bad-chunk-size'],
    ['fffffffffffffffff\r\n', 'bad-chunk-size'],
    ['00000000000000005\r\nhello\r\n', 'bad-chunk-size'],
    ['5\nhello\r\n0\r\n\r\n', 'bare-lf'],
    ['5;a\nhello\r\n0\r\n\r\n', 'bare-lf'],
    ['5\rhello\r\n', 'bare-cr'],
    ['5;a\r\rhello\r\n', 'bare-cr'],
    ['5;\r\nhello\r\n', 'bad-chunk-extension'],
    ['5;a=\r\nhello\r\n', 'bad-chunk-extension'],
    ['5;a b\r\nhello\r\n', 'bad-chunk-extension'],
    ['5;a \r\nhello\r\n', 'bad-chunk-extension'],
    ['5;a="b\r\nhello\r\n', 'bad-chunk-extension'],
    ['5;a="b"c\r\nhello\r\n', 'bad-chunk-extension'],
    ['5;a="\0"\r\nhello\r\n', 'bad-chunk-extension'],
    ['5;a=b;=c\r\nhello\r\n', 'bad-chunk-extension'],
    ['5\r\nhello0\r\n\r\n', 'bad-chunk-end'],
    ['5\r\nhello\n0\r\n\r\n', 'bad-chunk-end'],
    ['5\r\nhello\rX', 'bad-chunk-end'],
    ['5\r\nhello!\r\n0\r\n\r\n', 'bad-chunk-end'],
    ['0\r\n X: 1\r\n\r\n', 'obs-fold'],
    ['0\r\nX : 1\r\n\r\n', 'space-before-colon'],
    ['0\r\n\n', 'bare-lf'],
  ])('refuses %j: %s', (body, fault) => {
    expect(trChunks(body)).toMatchObject({ result: 'fault', fault });
  });
  it('limits all extensions of a message together, the trailer section and its lines', () => {
    const chunk = '1;abcdefg\r\nx\r\n';
    expect(trChunks(`${chunk}${chunk}0\r\n\r\n`, { chunkExt: 16 }).result).toBe('done');
    expect(trChunks(`${chunk}${chunk}0;a\r\n\r\n`, { chunkExt: 16 }).fault).toBe('chunk-extension-too-long');
    expect(trChunks(`0\r\nA: ${'b'.repeat(20)}\r\n\r\n`, { trailer: 20 }).fault).toBe('trailer-too-large');
    expect(trChunks('0\r\nA: 1\r\nB: 2\r\n\r\n', { fields: 1 }).fault).toBe('too-many-fields');
  });
  it('starts anew with every message', () => {
    const decoder = new ChunkDecoder({ ...DEFAULT_LIMITS, chunkExt: 4 });
    const body = bytesOf('1;abc\r\nx\r\n0\r\nA: 1\r\n\r\n');
    for (let i = 0; i < 3; i++) {
      decoder.reset();
      expect(decoder.step(body, 0, body.length)).toBe('data');
      expect(decoder.step(body, decoder.at, body.length)).toBe('done');
      expect([...decoder.trailers]).toEqual([['A', '1']]);
    }
  });
  it('is read back as it was written', () => {
    const out = new Uint8Array(32);
    for (const size of [1, 15, 16, 255, 4096, 0xabcdef, Number.MAX_SAFE_INTEGER]) {
      const end = writeChunkHead(out, 3, size);
      const line = textOf(out.subarray(3, end));
      expect(line).toBe(`${size.toString(16)}\r\n`);
    }
  });
});

describe('persistence (RFC 9112 §9.3)', () => {
  it.each([
    [1, [], true],
    [0, [], false],
    [0, [['Connection', 'Keep-Alive']], true],
    [1, [['Connection', 'close']], false],
    [1, [['connection', 'upgrade, CLOSE']], false],
    [
      1,
      [
        ['Connection', 'a'],
        ['Connection', 'close'],
      ],
      false,
    ],
    [0, [['Connection', 'keep-alive, close']], false],
    [1, [['Connection', 'closed']], true],
  ] as [number, Lines, boolean][])('1.%i with %j: %s', (minor, lines, kept) => {
    expect(persists(minor, HeaderList.from(lines))).toBe(kept);
  });
});
