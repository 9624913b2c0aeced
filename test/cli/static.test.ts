// What the file server answers, request by request, over streams in memory.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { likes } from '../../src/cli/coding.ts';
import { DEFAULT_RULES, type FileRules } from '../../src/cli/files.ts';
import { type AccessEntry, answer } from '../../src/cli/static.ts';
import { HttpServerStream } from '../../src/http/index.ts';
import { drain, put } from '../http/conversation.ts';
import { MemoryPair } from '../http/memory-stream.ts';

let folder = '';
let root = '';
const PAGE = '<!doctype html><title>page</title>'.repeat(100);
const LONG = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'synfin-static-')));
  root = join(folder, 'root');
  mkdirSync(join(root, '.git'), { recursive: true });
  mkdirSync(join(root, '.well-known'));
  mkdirSync(join(root, 'bare'));
  writeFileSync(join(root, '.git', 'config'), 'secret');
  writeFileSync(join(root, '.well-known', 'x.txt'), 'known');
  writeFileSync(join(root, 'bare', '.hidden'), '');
  writeFileSync(join(root, 'bare', 'shown'), '');
  writeFileSync(join(root, 'page.html'), PAGE);
  writeFileSync(join(root, 'page.html.br'), brotliCompressSync(PAGE));
  writeFileSync(join(root, 'page.html.gz'), gzipSync(PAGE));
  writeFileSync(join(root, 'stale.js'), 'new');
  writeFileSync(join(root, 'stale.js.gz'), gzipSync('old'));
  utimesSync(join(root, 'stale.js.gz'), 1_000_000_000, 1_000_000_000);
  writeFileSync(join(root, 'alphabet.txt'), 'abcdefghijklmnopqrstuvwxyz');
  writeFileSync(join(root, 'long.bin'), LONG);
  writeFileSync(join(root, 'empty.txt'), '');
  symlinkSync('alphabet.txt', join(root, 'link.txt'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  status: number;
  fields: Record<string, string>;
  content: Buffer;
}

/** Asks once, and waits until everything has come. */
async function ask(line: string, fields: Record<string, string> = {}, rules: FileRules = DEFAULT_RULES) {
  const pair = new MemoryPair({ capacity: 100_000 });
  const log: AccessEntry[] = [];
  let got = '';
  pair.a.handler = { onReadable: () => (got += drain(pair.a)) };
  new HttpServerStream(pair.b, {
    onRequest: (request, response) =>
      answer({ root, rules, log: (entry) => log.push(entry), tick: () => undefined }, request, response, '10.0.0.1'),
  });
  const more = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  put(pair.a, `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more.join('')}\r\n`);
  for (let i = 0; log.length === 0 || !pair.a.ended; i++) {
    if (i > 10_000) throw new Error('no end');
    pair.run();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const end = got.indexOf('\r\n\r\n');
  const [first, ...lines] = got.slice(0, end).split('\r\n');
  const pairs = lines.map((text) => [text.split(': ', 1)[0]!.toLowerCase(), text.slice(text.indexOf(': ') + 2)]);
  const content = Buffer.from(got.slice(end + 4), 'latin1');
  const result: Answer = { status: Number(first!.slice(9, 12)), fields: Object.fromEntries(pairs), content };
  expect(log[0]).toMatchObject({ status: result.status, aborted: false });
  expect(log[0]!.octets).toBe(content.length);
  return result;
}

describe('content', () => {
  it('comes whole, long or short, with its type, its length and its validators', async () => {
    const page = await ask('GET /page.html');
    expect([page.status, page.content.toString()]).toEqual([200, PAGE]);
    expect(page.fields).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'accept-ranges': 'bytes' });
    expect(Buffer.compare((await ask('GET /long.bin')).content, LONG)).toBe(0);
    expect((await ask('GET /empty.txt')).fields['content-length']).toBe('0');
  });

  it('is only described to HEAD', async () => {
    const { status, fields, content } = await ask('HEAD /page.html', { Range: 'bytes=0-1' });
    expect([status, fields['content-length'], content.length]).toEqual([200, String(PAGE.length), 0]);
  });

  it('is not sent again to who has it, and not to who expects another', async () => {
    const { etag } = (await ask('GET /page.html')).fields;
    expect((await ask('GET /page.html', { 'If-None-Match': etag! })).status).toBe(304);
    expect((await ask('GET /page.html', { 'If-Match': '"other"' })).status).toBe(412);
  });
});

describe('parts', () => {
  it('one comes as it is', async () => {
    const { status, fields, content } = await ask('GET /alphabet.txt', { Range: 'bytes=2-4' });
    expect([status, fields['content-range'], content.toString()]).toEqual([206, 'bytes 2-4/26', 'cde']);
  });

  it('several come in order, each with its place, with the length of it all', async () => {
    const { status, fields, content } = await ask('GET /alphabet.txt', { Range: 'bytes=-2,0-1' });
    const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(fields['content-type']!)![1]!;
    const part = (range: string, text: string): string =>
      `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ${range}/26\r\n\r\n${text}\r\n`;
    expect(content.toString()).toBe(`${part('24-25', 'yz')}${part('0-1', 'ab')}--${boundary}--\r\n`);
    expect([status, fields['content-length']]).toEqual([206, String(content.length)]);
    expect(fields['content-range']).toBeUndefined();
  });

  it('several long ones come through a connection with less room', async () => {
    const { content } = await ask('GET /long.bin', { Range: 'bytes=0-299999,350000-' });
    const at = content.indexOf('\r\n\r\n') + 4;
    expect(Buffer.compare(content.subarray(at, at + 300_000), LONG.subarray(0, 300_000))).toBe(0);
    const next = content.indexOf('\r\n\r\n', at + 300_000) + 4;
    expect(Buffer.compare(content.subarray(next, next + 350_000), LONG.subarray(350_000))).toBe(0);
  });

  it('beyond the end are 416 with the length that there is', async () => {
    const { status, fields } = await ask('GET /alphabet.txt', { Range: 'bytes=26-' });
    expect([status, fields['content-range']]).toEqual([416, 'bytes */26']);
  });
});

describe('coded forms beside a file', () => {
  const coding = async (accept: string, path = '/page.html'): Promise<string | undefined> =>
    (await ask(`GET ${path}`, { 'Accept-Encoding': accept })).fields['content-encoding'];

  it('go to who takes them, the best liked first, with the type of the file and tags of their own', async () => {
    const { fields, content } = await ask('GET /page.html', { 'Accept-Encoding': 'gzip, br' });
    expect(Buffer.compare(content, brotliCompressSync(PAGE))).toBe(0);
    expect(fields).toMatchObject({ 'content-encoding': 'br', 'content-type': 'text/html; charset=utf-8' });
    expect(fields['vary']).toBe('Accept-Encoding');
    const plain = await ask('GET /page.html');
    expect(plain.fields['vary']).toBe('Accept-Encoding');
    expect(new Set([plain.fields['etag'], fields['etag']]).size).toBe(2);
    const conditional = { 'Accept-Encoding': 'br', 'If-None-Match': plain.fields['etag']! };
    expect((await ask('GET /page.html', conditional)).status).toBe(200);
  });

  it.each([
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.6', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['br;q=0, gzip;q=0', undefined],
    ['identity, br;q=0.5', undefined],
    ['', undefined],
    ['deflate', undefined],
    ['br;q=nonsense', undefined],
  ])('Accept-Encoding: %s', async (accept, expected) => {
    expect(await coding(accept)).toBe(expected);
  });

  it('that are older than the file, or not there, are not used', async () => {
    expect(await coding('gzip', '/stale.js')).toBeUndefined();
    expect(await coding('gzip', '/alphabet.txt')).toBeUndefined();
  });

  it('the weight of a coding is that of its name, else that of *, else none', () => {
    expect(likes('gzip;q=0.3, *;q=0.1', 'gzip')).toBe(0.3);
    expect(likes('gzip;q=0.3, *;q=0.1', 'br')).toBe(0.1);
    expect(likes('*;q=0', 'identity')).toBe(0);
    expect(likes(null, 'gzip')).toBe(0);
  });
});

describe('what is served at all', () => {
  const status = async (path: string, rules: Partial<FileRules> = {}): Promise<number> =>
    (await ask(`GET ${path}`, {}, { ...DEFAULT_RULES, ...rules })).status;

  it('names that begin with a dot only when asked for, but .well-known', async () => {
    expect(await status('/.git/config')).toBe(404);
    expect(await status('/.git/config', { hidden: true })).toBe(200);
    expect(await status('/.well-known/x.txt')).toBe(200);
    expect((await ask('GET /bare/')).content.toString()).toMatch(/shown(?!.*hidden)/s);
    expect((await ask('GET /bare/', {}, { ...DEFAULT_RULES, hidden: true })).content.toString()).toContain('.hidden');
  });

  it('links that stay inside, unless none may be followed', async () => {
    expect(await status('/link.txt')).toBe(200);
    expect(await status('/link.txt', { links: 'never' })).toBe(403);
    expect(await status('/alphabet.txt', { links: 'never' })).toBe(200);
  });

  it('lists of directories, unless they are not wanted', async () => {
    expect(await status('/bare/')).toBe(200);
    expect(await status('/bare/', { listing: false })).toBe(404);
  });

  it('by GET and HEAD alone', async () => {
    expect((await ask('DELETE /page.html')).fields['allow']).toBe('GET, HEAD');
  });
});
