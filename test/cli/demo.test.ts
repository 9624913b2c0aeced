// The demonstration: what it shows by default, that it proves itself, and that a seed means one story.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { capture, figuresOf } from '../../src/cli/demo-files.ts';
import { LOSE_NAMES } from '../../src/cli/demo-lose.ts';
import { makePage } from '../../src/cli/demo-page.ts';
import { DEFAULT_DEMO, type DemoOptions, type DemoResult, runDemo } from '../../src/cli/demo-run.ts';
import { type Conversation, readCapture, readConversation, textWidth } from '../../src/trace/index.ts';
import { collect } from './collect.ts';

/** A path that does nothing of its own accord: only what a test asks for happens. */
const CLEAN: DemoOptions = { ...DEFAULT_DEMO, loss: 0, reorder: 0, lose: [], size: 40_000 };
const conversation = (result: DemoResult): Conversation => readConversation(result.events)!;
const parts = (result: DemoResult) =>
  conversation(result)
    .crossings.filter((c) => /shake|wave|crossed/.test(c.role))
    .map((c) => `${c.role}${c.again ? ' again' : ''}${c.fate === 'lost' ? ' lost' : ''}`);

describe('the story that npm start tells', () => {
  test('has everything in it: shakes, loss and its cure, reordering, half-close, waves, 2MSL anew', () => {
    const result = runDemo(DEFAULT_DEMO);
    expect(result).toMatchObject({ ok: true, error: '', notLost: [] });
    expect(result.received).toEqual(result.sent);
    expect(parts(result)).toEqual([
      'shake-1',
      'shake-2',
      'shake-3',
      'wave-1',
      'wave-2',
      'wave-3',
      'wave-4 lost',
      'wave-3 again',
      'wave-4 again',
    ]);
    const { crossings, timeWaits } = conversation(result);
    expect(crossings.some((c) => c.role === 'data' && c.fate === 'lost')).toBe(true);
    expect(crossings.some((c) => c.againWhy === 'fast')).toBe(true);
    expect(crossings.some((c) => c.late)).toBe(true);
    expect(crossings.some((c) => c.len === 204 && c.sentState === 'CLOSE-WAIT')).toBe(true);
    expect(crossings.find((c) => c.role === 'shake-3')!.len).toBe(0);
    expect(timeWaits.map((w) => w.again)).toEqual([false, true]);
    expect(result.states.length).toBe(10);
    expect(result.states).not.toContain('CLOSING');
  });

  test.each(['en', 'zh'] as const)('fits 80 columns and ends with proof and suggestions (%s)', async (lang) => {
    for (const flags of [[], ['--full'], ['--close', 'both'], ['--close', 'server', '--dup', '5', '--corrupt', '5']]) {
      const { status, out } = await collect(['demo', '--lang', lang, ...flags]);
      expect(status).toBe(0);
      expect(out.split('\n').filter((l) => textWidth(l) > 80)).toEqual([]);
      expect(out).toMatch(/OK {2}.* = .* = 100000 B/);
      expect(out).toMatch(/npm start -- --close/);
      expect(out).not.toMatch(/undefined|NaN|\{\w+\}/);
    }
  });

  test('folds what --full unfolds', async () => {
    const folded = (await collect(['demo', '--lang', 'en'])).out;
    const full = (await collect(['demo', '--lang', 'en', '--full'])).out;
    expect(folded).toContain('--full unfolds');
    expect(full).not.toContain('--full unfolds');
    expect(full.split('\n').length).toBeGreaterThan(folded.split('\n').length + 50);
  });
});

describe('one seed, one story', () => {
  test('the same options give the same events, digest and capture; another seed others', () => {
    const [a, b] = [runDemo(DEFAULT_DEMO), runDemo(DEFAULT_DEMO)];
    expect(b.digest).toBe(a.digest);
    expect(b.events).toEqual(a.events);
    expect(capture(b, 'wire')).toEqual(capture(a, 'wire'));
    const c = runDemo({ ...DEFAULT_DEMO, seed: 1 });
    expect(c.digest).not.toBe(a.digest);
    expect(capture(c, 'wire')).not.toEqual(capture(a, 'wire'));
  });
});

describe('segments lost on purpose', () => {
  const role = {
    syn: 'shake-1',
    synack: 'shake-2',
    ack: 'shake-3',
    request: 'data',
    data: 'data',
    wave1: 'wave-1',
    wave2: 'wave-2',
    wave3: 'wave-3',
    wave4: 'wave-4',
  } as const;

  test.each(LOSE_NAMES.map((name) => [name]))('%s is lost once, it alone, and everything still arrives', (name) => {
    const result = runDemo({ ...CLEAN, lose: [name] });
    expect(result).toMatchObject({ ok: true, notLost: [] });
    const lost = conversation(result).crossings.filter((c) => c.fate === 'lost');
    expect(lost.map((c) => c.role)).toEqual([role[name]]);
    expect(lost[0]!.from).toBe(['syn', 'ack', 'request', 'wave1', 'wave4'].includes(name) ? 'left' : 'right');
  });

  test('a name that is given twice is lost twice', () => {
    expect(parts(runDemo({ ...CLEAN, lose: ['wave4', 'wave4', 'syn'] }))).toEqual([
      'shake-1 lost',
      'shake-1 again',
      'shake-2',
      'shake-3',
      'wave-1',
      'wave-2',
      'wave-3',
      'wave-4 lost',
      'wave-3 again',
      'wave-4 again lost',
      'wave-3 again',
      'wave-4 again',
    ]);
  });

  test('a lost third shake is healed by data', async () => {
    const { out } = await collect(['demo', '--loss', '0', '--reorder', '0', '--lose', 'ack', '--lang', 'en']);
    expect(out).toContain('the lost third shake is healed');
  });
});

describe('who closes', () => {
  test('the server first, with nothing left at the client: three waves', () => {
    const result = runDemo({ ...CLEAN, close: 'server' });
    expect(parts(result).slice(3)).toEqual(['wave-1', 'wave-2+3', 'wave-4']);
    expect(conversation(result).closer).toBe('right');
    expect(result.ok).toBe(true);
  });

  test('both at once: CLOSING on both sides', () => {
    const result = runDemo({ ...CLEAN, close: 'both' });
    expect(parts(result).slice(3)).toEqual(['crossed-fin', 'crossed-fin', 'crossed-fin-ack', 'crossed-fin-ack']);
    expect(result.states).toContain('CLOSING');
    expect(result.ok).toBe(true);
  });
});

describe('any path and any page', () => {
  test.each([0, 1, 2, 407, 408, 1460, 20_000])('a page of %i octets arrives', (size) => {
    for (const close of ['client', 'server', 'both'] as const) {
      expect(runDemo({ ...CLEAN, size, close })).toMatchObject({ ok: true, received: { octets: size } });
    }
    expect(makePage(size).length).toBe(size);
  });

  test('harsh paths: 20 % lost, 10 % twice, 20 % overtaken, 1 % corrupted', () => {
    const harsh = { ...CLEAN, loss: 0.2, dup: 0.1, reorder: 0.2, corrupt: 0.01 };
    for (const close of ['client', 'server', 'both'] as const) {
      for (let seed = 1; seed <= 5; seed++) {
        const result = runDemo({ ...harsh, seed, close });
        expect([seed, close, result.received.sha256]).toEqual([seed, close, result.sent.sha256]);
      }
    }
  });

  test('a path that carries nothing is an honest failure', async () => {
    const { status, out } = await collect(['demo', '--loss', '100%', '--lang', 'en']);
    expect(status).toBe(1);
    expect(out).toContain('FAILED');
    expect(out).toContain('ETIMEDOUT');
  });
});

describe('the capture', () => {
  const result = runDemo({ ...CLEAN, corrupt: 0.05, dup: 0.05, lose: ['wave4'] });

  test('on the wire it has every packet once, as it was sent', () => {
    const file = capture(result, 'wire');
    const read = readCapture(file);
    expect(read.problems).toEqual([]);
    const sent = result.packets.filter((p) => p.point === 'sender');
    expect(read.packets.map((p) => [...file.subarray(p.from, p.to)])).toEqual(sent.map((p) => [...p.bytes]));
    expect(read.packets.map((p) => p.comment)).toContain('wave 4, lost on the way');
  });

  test('at one host it has what left it and what reached it, damage included', () => {
    for (const place of ['client', 'server'] as const) {
      const read = readCapture(capture(result, place));
      expect(read.interfaces.map((i) => i.name)).toEqual([place]);
      const here = result.packets.filter((p) => (p.point === 'sender') === (p.from === place));
      expect(read.packets.length).toBe(here.length);
    }
    expect(result.packets.some((p) => p.corrupted && p.point === 'receiver')).toBe(true);
  });
});

describe('files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'synfin-demo-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('--pcap, --svg and --figures write what they promise', async () => {
    const [pcap, svg, figures] = [join(folder, 'a.pcapng'), join(folder, 'a.svg'), join(folder, 'figures')];
    const { status, err } = await collect(['demo', '--pcap', pcap, '--svg', svg, '--figures', figures]);
    expect(status).toBe(0);
    expect(err).toContain(pcap);
    expect(readCapture(readFileSync(pcap)).packets.length).toBeGreaterThan(100);
    expect(readFileSync(svg, 'utf8')).toContain('TIME-WAIT');
    expect(readdirSync(figures).length).toBe(6);
  });

  test('a file that cannot be written is one line, after the story', async () => {
    const { status, out, err } = await collect(['demo', '--pcap', join(folder, 'no', 'such', 'folder.pcapng')]);
    expect(status).toBe(1);
    expect(out).toContain('OK');
    expect(err.trimEnd().split('\n').length).toBe(1);
    expect(err).toContain('ENOENT');
  });

  test('the figures of the documentation are those of a clean run', () => {
    const drawn = figuresOf(conversation(runDemo({ ...DEFAULT_DEMO, loss: 0, reorder: 0, lose: [] })));
    for (const [name, svg] of drawn) {
      const file = new URL(`../../docs/figures/${name}`, import.meta.url);
      const how = 'npm run -s synfin -- demo --loss 0 --reorder 0 --lose none --figures docs/figures';
      expect([name, existsSync(file) && readFileSync(file, 'utf8') === svg ? 'fresh' : how]).toEqual([name, 'fresh']);
    }
  });
});
