// The command line: verbs, languages, misuse, JSON, colour.

import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { localeLang, takeLang } from '../../src/cli/command.ts';
import { textWidth } from '../../src/trace/index.ts';
import { collect } from './collect.ts';

describe('synfin', () => {
  test.each([['--help'], ['-h'], ['help']])('%s lists the verbs and fits 80 columns', async (flag) => {
    for (const lang of ['en', 'zh']) {
      const { status, out, err } = await collect([flag, '--lang', lang]);
      expect([status, err]).toEqual([0, '']);
      for (const verb of ['demo', 'serve', 'get', 'ping']) expect(out).toContain(`synfin ${verb}`);
      expect(out.split('\n').filter((l) => textWidth(l) > 80)).toEqual([]);
    }
  });

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await collect(['--version'])).toEqual({ status: 0, out: `synfin ${version}\n`, err: '' });
  });

  test('without a verb it says how it is used: misuse', async () => {
    const { status, out, err } = await collect([]);
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain('synfin VERB --help');
  });

  test.each([
    [['teleport']],
    [['constructor']],
    [['demo', '--lang', 'fr']],
    [['demo', '--lang']],
    [['demo', 'extra']],
    [['demo', '--bogus']],
    [['demo', '--seed', '-1']],
    [['demo', '--seed', '4294967296']],
    [['demo', '--seed', '1.5']],
    [['demo', '--seed', 'x']],
    [['demo', '--seed']],
    [['demo', '--loss', '101']],
    [['demo', '--loss', 'much']],
    [['demo', '--corrupt=-1']],
    [['demo', '--rtt', '1e9']],
    [['demo', '--size', '100000001']],
    [['demo', '--lose', 'wave5']],
    [['demo', '--close', 'nobody']],
    [['demo', '--pcap-at', 'moon']],
  ])('%j is misuse: status 2, one sentence, nothing on stdout', async (argv) => {
    const { status, out, err } = await collect(argv);
    expect([status, out]).toEqual([2, '']);
    expect(err.trimEnd().split('\n').length).toBe(1);
    expect(err).toMatch(/^synfin/);
  });
});

describe('the language', () => {
  test.each([
    [{}, 'en'],
    [{ LANG: 'zh_CN.UTF-8' }, 'zh'],
    [{ LANG: 'zh' }, 'zh'],
    [{ LANG: 'C.UTF-8' }, 'en'],
    [{ LANG: 'zha_CN' }, 'en'],
    [{ LC_ALL: 'zh_TW', LC_MESSAGES: 'en_GB', LANG: 'en_US' }, 'zh'],
    [{ LC_ALL: '', LC_MESSAGES: 'en_GB', LANG: 'zh_CN' }, 'en'],
  ])('of the environment %j is %s', (env, lang) => {
    expect(localeLang(env)).toBe(lang);
  });

  test('--lang may stand anywhere, and wins', () => {
    expect(takeLang(['--lang=zh', 'demo', '--full'], {})).toEqual({ lang: 'zh', rest: ['demo', '--full'] });
    expect(takeLang(['demo', '--lang', 'en'], { LANG: 'zh_CN' })).toEqual({ lang: 'en', rest: ['demo'] });
    expect(takeLang(['get', '--', '--lang', 'fr'], {})).toEqual({ lang: 'en', rest: ['get', '--', '--lang', 'fr'] });
  });

  test('of the story follows the environment', async () => {
    expect((await collect(['demo'], { LANG: 'zh_CN.UTF-8' })).out).toContain('三次握手');
    expect((await collect(['demo'], { LANG: 'C' })).out).toContain('three-way handshake');
  });
});

describe('what demo prints', () => {
  test('--help and --names, in 80 columns', async () => {
    for (const lang of ['en', 'zh']) {
      for (const flag of ['--help', '--names']) {
        const { status, out } = await collect(['demo', flag, '--lang', lang]);
        expect(status).toBe(0);
        expect(out.split('\n').filter((l) => textWidth(l) > 80)).toEqual([]);
      }
    }
  });

  test('--json: a JSON object a line, the result last', async () => {
    const { status, out } = await collect(['demo', '--json', '--size', '5000']);
    expect(status).toBe(0);
    const objects = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; ok?: boolean });
    expect(objects.at(-1)).toMatchObject({ type: 'result', ok: true, sent: { octets: 5000 } });
    expect(new Set(objects.slice(0, -1).map((o) => o.type))).toContain('segment');
    expect(objects.filter((o) => o.type === 'result').length).toBe(1);
  });

  test('percentages and fractions mean the same', async () => {
    const options = async (loss: string) => {
      const { out } = await collect(['demo', '--json', '--size', '10', '--loss', loss]);
      return JSON.parse(out.trimEnd().split('\n').at(-1)!).options.loss as number;
    };
    expect(await options('3')).toBe(0.03);
    expect(await options('3%')).toBe(0.03);
    expect(await options('0.03')).toBe(0.03);
    expect(await options('0.5%')).toBe(0.005);
    expect(await options('0')).toBe(0);
  });

  test('colour on a terminal only, never against NO_COLOR, and it changes no width', async () => {
    const plain = await collect(['demo'], {});
    const colour = await collect(['demo'], { TERM: 'xterm' }, true);
    expect(stripVTControlCharacters(plain.out)).toBe(plain.out);
    expect(colour.out).not.toBe(plain.out);
    expect(stripVTControlCharacters(colour.out)).toBe(plain.out);
    expect((await collect(['demo'], { NO_COLOR: '1' }, true)).out).toBe(plain.out);
    expect((await collect(['demo'], { TERM: 'dumb' }, true)).out).toBe(plain.out);
  });
});
