// Random heads survive a round trip; random octets are refused or taken, but never throw and never hang.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkDecoder } from '../../src/http/chunked.ts';
import { HttpClientStream } from '../../src/http/client.ts';
import { HeaderList } from '../../src/http/fields.ts';
import { HeadParser } from '../../src/http/head.ts';
import { HttpServerStream } from '../../src/http/server.ts';
import { requestHeadSize, responseHeadSize, writeRequestHead, writeResponseHead } from '../../src/http/writer.ts';
import { MemoryPair } from './memory-stream.ts';
import { random } from './random.ts';
import { bytesOf } from './tr.ts';

const SEED = 20260921;
const chars = (from: number, to: number, but = ''): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)).filter((c) => !but.includes(c));
const text = (alphabet: string[], minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...alphabet), { minLength, maxLength }).map((all) => all.join(''));

const token = text(chars(0x21, 0x7e, '"(),/:;<=>?@[\\]{}'), 1, 20);
const value = text([...chars(0x20, 0x7e), '\t', ...chars(0x80, 0xff)], 0, 40).map((v) =>
  v.replace(/^[ \t]+|[ \t]+$/g, ''),
);
const known = fc.constantFrom('Accept', 'content-type', 'COOKIE', 'Cookie', 'user-agent', 'X-Forwarded-For', 'TE');
const fields = fc
  .array(fc.tuple(fc.oneof(token, known), value), { maxLength: 20 })
  .map((all) => all.filter(([name]) => name.toLowerCase() !== 'host'));
const target = text(chars(0x21, 0x7e, '#'), 0, 60).map((t) => `/${t}`);

/** Feeds `bytes` cut at random points; the parser must not depend on where. */
function feed(parser: HeadParser, bytes: Uint8Array, at: number[]): number {
  let from = 0;
  for (const to of [...at.map((a) => a % bytes.length).sort((a, b) => a - b), bytes.length]) {
    from += parser.feed(bytes, from, to);
  }
  return from;
}

describe('a head that was written', () => {
  it('is read back as it was: requests', () => {
    const property = fc.property(token, target, fields, fc.array(fc.nat()), (method, path, lines, at) => {
      fc.pre(method !== 'CONNECT');
      const list = HeaderList.from([['Host', 'example.org:80'], ...lines]);
      const out = new Uint8Array(requestHeadSize(method, path, list) + 7);
      const end = writeRequestHead(out, 7, method, path, list);
      expect(end).toBe(out.length);
      const parser = new HeadParser('request');
      expect(feed(parser, out.subarray(7), at)).toBe(end - 7);
      expect([parser.fault, parser.method, parser.target]).toEqual(['', method, path]);
      expect([...parser.fields]).toEqual([...list]);
      for (const [name] of list) expect(parser.fields.getAll(name.toUpperCase())).toEqual(list.getAll(name));
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });
  it('is read back as it was: responses', () => {
    const status = fc.integer({ min: 100, max: 999 });
    const property = fc.property(status, value, fields, fc.array(fc.nat()), (code, reason, lines, at) => {
      const list = HeaderList.from(lines);
      const out = new Uint8Array(responseHeadSize(reason, list));
      expect(writeResponseHead(out, 0, code, reason, list)).toBe(out.length);
      const parser = new HeadParser('response');
      expect(feed(parser, out, at)).toBe(out.length);
      expect([parser.fault, parser.status, parser.reason]).toEqual(['', code, reason]);
      expect([...parser.fields]).toEqual([...list]);
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });
});

const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /x?y HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello',
  'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n0\r\nT: 1\r\n\r\n',
  'CONNECT a:1 HTTP/1.0\r\nExpect: 100-continue\r\n\r\n',
].map(bytesOf);
const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 103 \r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.0 304 Not Modified\r\nConnection: close\r\n\r\n',
].map(bytesOf);
const SPICE = bytesOf('\r\n :;,\t\0\x7f\xff"=0a%[*/');

/** One to four changes: an octet replaced, removed, doubled, spiced, or the input cut. */
function mutate(bytes: Uint8Array, next: (n: number) => number): Uint8Array {
  let out = [...bytes];
  for (let i = next(4); i >= 0; i--) {
    const at = next(out.length + 1);
    const kind = next(6);
    if (kind === 0) out[at % out.length] = next(256);
    else if (kind === 1) out.splice(at, 1 + next(3));
    else if (kind === 2) out.splice(at, 0, ...out.slice(at, at + next(20)));
    else if (kind === 3) out.splice(at, 0, SPICE[next(SPICE.length)]!);
    else if (kind === 4) out[at % out.length] = SPICE[next(SPICE.length)]!;
    else out = out.slice(0, at);
    if (out.length === 0) out = [next(256)];
  }
  return Uint8Array.from(out);
}

/** Everything parsers make of `bytes`, fed in pieces of `step`: comparable. */
function verdict(bytes: Uint8Array, kind: 'request' | 'response', step: number): string {
  const parser = new HeadParser(kind);
  let at = 0;
  while (at < bytes.length && parser.result === 'more') {
    at += parser.feed(bytes, at, Math.min(bytes.length, at + step));
  }
  if (parser.result !== 'done') return `${parser.result} ${parser.fault}`;
  const decoder = new ChunkDecoder();
  let data = 0;
  let result = 'more';
  for (let to = at; result === 'more' && to < bytes.length; ) {
    to = Math.min(bytes.length, to + step);
    do {
      result = decoder.step(bytes, at, to);
      if (result === 'data') data += decoder.dataTo - decoder.dataFrom;
      at = decoder.at;
    } while (result === 'data');
  }
  const head = `${parser.method} ${parser.target} ${parser.status} ${[...parser.fields].join('|')}`;
  return `${head} ${result} ${decoder.fault} ${data} ${result === 'fault' ? '' : at}`;
}

describe('mutated octets', () => {
  it('are judged alike however they are cut, 100,000 times', () => {
    const next = random(SEED);
    const seen = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      const kind = i % 3 === 0 ? 'response' : 'request';
      const from = kind === 'request' ? REQUESTS : RESPONSES;
      const bytes = mutate(from[next(from.length)]!, next);
      const whole = verdict(bytes, kind, bytes.length);
      const pieces = verdict(bytes, kind, 1 + next(9));
      if (whole !== pieces)
        throw new Error(`seed ${SEED} case ${i}: ${JSON.stringify([...bytes])}: ${whole} / ${pieces}`);
      seen.add(whole.split(' ', 2).join(' '));
    }
    // The mutations reach what they are meant to reach.
    for (const fault of ['bare-cr', 'bare-lf', 'bad-host', 'obs-fold', 'space-before-colon', 'no-version']) {
      expect([...seen]).toContain(`fault ${fault}`);
    }
  });

  it('leave both ends of a connection settled, 10,000 times', () => {
    const next = random(SEED + 1);
    for (let i = 0; i < 10_000; i++) {
      const pair = new MemoryPair({ step: 1 + next(40), peek: 1 + next(40) });
      const request = mutate(REQUESTS[next(REQUESTS.length)]!, next);
      const response = mutate(RESPONSES[next(RESPONSES.length)]!, next);
      const settled = { server: 0, client: 0, asked: 0, answered: 0 };
      if (i % 2 === 0) {
        new HttpServerStream(pair.b, {
          onRequest: (_request, answer) => answer.end(response),
          onError: () => undefined,
          onClose: () => settled.server++,
        });
        pair.a.handler = { onReadable: (s) => s.consume(s.readable > 0 ? s.peek().length : 0) };
        pair.a.send(request, 0, request.length);
        pair.a.shutdown();
        for (let more = true; more; more = pair.a.readable > 0) {
          pair.run();
          pair.a.tellReadable = true;
        }
        if (settled.server !== 1) throw new Error(`seed ${SEED + 1} case ${i}: ${JSON.stringify([...request])}`);
      } else {
        const client = new HttpClientStream(pair.a, { onClose: () => settled.client++ });
        const done = (): number => settled.answered++;
        const handlers = { onResponse: () => undefined, onData: () => undefined, onEnd: done, onError: done };
        client.request({ target: '/', headers: { Host: 'a' } }, handlers);
        pair.b.handler = { onReadable: (s) => s.consume(s.readable > 0 ? s.peek().length : 0) };
        pair.run();
        if (!pair.b.closed) pair.b.send(response, 0, response.length);
        if (!pair.b.closed) pair.b.shutdown();
        pair.run();
        const counts = [settled.answered, settled.client];
        if (counts.join() !== '1,1')
          throw new Error(`seed ${SEED + 1} case ${i}: ${counts} ${JSON.stringify([...response])}`);
      }
    }
  });
});

describe('time spent', () => {
  it('grows with the input, not with its square: steps counted over a head that comes octet by octet', () => {
    // Every octet is read through a counting view: twice the head must not cost much more than twice the reads.
    const reads = (n: number): number => {
      let count = 0;
      // The empty line keeps it from `usual.ts`, whose looks cannot be counted.
      const bytes = bytesOf(`\r\nGET / HTTP/1.1\r\nHost: a\r\nX: ${'a '.repeat(n)}\r\n\r\n`);
      const parser = new HeadParser('request');
      const counted = new Proxy(bytes, {
        get: (object, key) => {
          if (typeof key === 'string' && key >= '0' && key <= '9:') count++;
          const member: unknown = Reflect.get(object, key, object);
          return typeof member === 'function' ? member.bind(object) : member;
        },
      });
      // Whole: the pass itself. In pieces the parser keeps the octets and reads its own copy.
      parser.feed(counted, 0, bytes.length);
      expect(parser.result).toBe('done');
      return count;
    };
    expect(reads(2000) / reads(1000)).toBeLessThan(2.2);
  });
});
