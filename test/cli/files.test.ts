import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentType, etagOf, find, listing, pathOf, precondition } from '../../src/cli/files.ts';
import { rangesOf } from '../../src/cli/ranges.ts';
import { HeaderList } from '../../src/http/index.ts';

let folder = '';
let root = '';
let stats: Stats;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'synfin-files-')));
  root = join(folder, 'root');
  mkdirSync(join(root, 'with index'), { recursive: true });
  mkdirSync(join(root, 'bare'));
  mkdirSync(join(folder, 'root-twin'));
  writeFileSync(join(root, 'thousand.bin'), new Uint8Array(1000));
  writeFileSync(join(root, 'with index', 'index.html'), 'hello');
  writeFileSync(join(root, 'bare', '<b>&"\'.txt'), '');
  writeFileSync(join(root, '你好.txt'), '');
  writeFileSync(join(folder, 'secret'), '');
  writeFileSync(join(folder, 'root-twin', 'secret'), '');
  symlinkSync(join(folder, 'secret'), join(root, 'out'));
  symlinkSync('../root-twin', join(root, 'twin'));
  symlinkSync('thousand.bin', join(root, 'inside'));
  utimesSync(join(root, 'thousand.bin'), 1_700_000_000, 1_700_000_000.25);
  stats = statSync(join(root, 'thousand.bin'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('finding what a target names', () => {
  it('takes files, links that stay inside, and names in any script', () => {
    for (const target of ['/thousand.bin', '/inside', '/thousand.bin?x=/../..', '//thousand.bin', '/%74housand.bin']) {
      expect(find(root, target)).toMatchObject({ kind: 'file', path: join(root, 'thousand.bin') });
    }
    expect(find(root, '/%E4%BD%A0%E5%A5%BD.txt')).toMatchObject({ kind: 'file', path: join(root, '你好.txt') });
    expect(find(root, 'http://10.0.0.1:80/inside')).toMatchObject({ kind: 'file' });
  });

  it.each([
    ['/../secret', 403],
    ['/bare/../../secret', 403],
    ['/%2e%2e/secret', 403],
    ['/.%2E/secret', 403],
    ['/./thousand.bin', 403],
    ['/..%2fsecret', 400],
    ['/..%5csecret', 400],
    ['/thousand.bin%00.html', 400],
    ['/%', 400],
    ['/%ff', 400],
    ['*', 400],
    ['secret', 400],
    ['/out', 403],
    ['/twin/secret', 403],
    ['/missing', 404],
    ['/thousand.bin/', 404],
    ['/thousand.bin/x', 404],
    [`/${'x'.repeat(5000)}`, 404],
  ])('%s is refused with %i', (target, status) => {
    expect(find(root, target)).toEqual({ kind: 'error', status });
  });

  it('a directory needs its slash, has an index, or is listed', () => {
    expect(find(root, '/bare')).toEqual({ kind: 'moved', location: '/bare/' });
    expect(find(root, '//bare?q')).toEqual({ kind: 'moved', location: '/bare/' });
    expect(find(root, '/with%20index/')).toMatchObject({ kind: 'file', path: join(root, 'with index', 'index.html') });
    expect(find(root, '/')).toMatchObject({ kind: 'listing', path: root });
  });

  it('a listing escapes names for the text and for the link', () => {
    const page = listing(join(root, 'bare'), '/bare/');
    expect(page).toContain('<a href="./%3Cb%3E%26%22\'.txt">&#60;b&#62;&#38;&#34;&#39;.txt</a>');
    expect(page).toContain('href="../"');
    expect(listing(root, '/')).not.toContain('href="../"');
  });

  it('paths come out of both forms of a target', () => {
    expect(pathOf('http://a.example')).toBe('/');
    expect(pathOf('HTTP://a.example/b?c')).toBe('/b');
    expect(pathOf('/b#c')).toBe('/b');
  });

  it('types go by the extension in any case', () => {
    expect(contentType('a/B.HTML')).toBe('text/html; charset=utf-8');
    expect(contentType('a.unknown')).toBe('application/octet-stream');
    expect(contentType('README')).toBe('application/octet-stream');
  });
});

describe('conditions (RFC 9110 §13)', () => {
  const ask = (fields: Record<string, string>) => precondition(HeaderList.from(fields), stats);
  const date = (seconds: number) => new Date(seconds * 1000).toUTCString();

  it('If-None-Match compares weakly, takes lists and *, and goes before If-Modified-Since', () => {
    const etag = etagOf(stats);
    expect(ask({ 'If-None-Match': etag })).toBe(304);
    expect(ask({ 'If-None-Match': `"a", W/${etag}` })).toBe(304);
    expect(ask({ 'If-None-Match': '*' })).toBe(304);
    expect(ask({ 'If-None-Match': '"a"', 'If-Modified-Since': date(1_800_000_000) })).toBe(200);
  });

  it('dates have whole seconds, and ones that are none are ignored', () => {
    expect(ask({ 'If-Modified-Since': date(1_700_000_000) })).toBe(304);
    expect(ask({ 'If-Modified-Since': date(1_699_999_999) })).toBe(200);
    expect(ask({ 'If-Modified-Since': 'yesterday' })).toBe(200);
    expect(ask({ 'If-Unmodified-Since': date(1_699_999_999) })).toBe(412);
    expect(ask({ 'If-Unmodified-Since': date(1_700_000_000) })).toBe(200);
    expect(ask({ 'If-Unmodified-Since': 'yesterday' })).toBe(200);
  });

  it('If-Match compares strongly', () => {
    expect(ask({ 'If-Match': etagOf(stats) })).toBe(200);
    expect(ask({ 'If-Match': `W/${etagOf(stats)}` })).toBe(412);
    expect(ask({ 'If-Match': '"a"' })).toBe(412);
    expect(ask({ 'If-Match': '*' })).toBe(200);
  });

  it('the entity tag changes with the size and with the time', () => {
    const tag = etagOf(stats);
    utimesSync(join(root, 'thousand.bin'), 1_700_000_000, 1_700_000_000.5);
    expect(etagOf(statSync(join(root, 'thousand.bin')))).not.toBe(tag);
  });
});

describe('ranges (RFC 9110 §14)', () => {
  const ask = (range: string, ifRange = '') =>
    rangesOf(
      HeaderList.from(ifRange === '' ? { Range: range } : { Range: range, 'If-Range': ifRange }),
      stats,
      etagOf(stats),
    );

  it.each([
    ['bytes=0-0', [{ from: 0, to: 1 }]],
    ['bytes=10-19', [{ from: 10, to: 20 }]],
    ['Bytes=990-', [{ from: 990, to: 1000 }]],
    ['bytes=990-5000', [{ from: 990, to: 1000 }]],
    ['bytes=-1', [{ from: 999, to: 1000 }]],
    ['bytes=-5000', [{ from: 0, to: 1000 }]],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=99999999999999999999-', 'unsatisfiable'],
    ['bytes=5-4', 'whole'],
    [
      'bytes=0-1, 3-4,,-1',
      [
        { from: 0, to: 2 },
        { from: 3, to: 5 },
        { from: 999, to: 1000 },
      ],
    ],
    ['bytes=2000-,3-4', [{ from: 3, to: 5 }]],
    ['bytes=0-5,5-9', 'whole'],
    [`bytes=${Array.from({ length: 17 }, (_, i) => `${i * 2}-${i * 2}`).join()}`, 'whole'],
    ['bytes=', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=a-b', 'whole'],
    ['lines=0-1', 'whole'],
  ])('%s', (range, part) => {
    expect(ask(range)).toEqual(part);
  });

  it('no part of an empty file can be had', () => {
    expect(rangesOf(HeaderList.from({ Range: 'bytes=-5' }), { ...stats, size: 0 } as Stats, '')).toBe('unsatisfiable');
  });

  it('If-Range that does not hold any more makes it the whole', () => {
    expect(ask('bytes=0-0', etagOf(stats))).toEqual([{ from: 0, to: 1 }]);
    expect(ask('bytes=0-0', `W/${etagOf(stats)}`)).toBe('whole');
    expect(ask('bytes=0-0', new Date(1_700_000_000_000).toUTCString())).toEqual([{ from: 0, to: 1 }]);
    expect(ask('bytes=0-0', new Date(1_700_000_001_000).toUTCString())).toBe('whole');
  });
});
