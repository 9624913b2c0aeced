// The ladder as text: golden files, and the columns that always hold.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraceEvent } from '../../src/base/trace.ts';
import { readConversation } from '../../src/trace/conversation.ts';
import { storyFigure } from '../../src/trace/figures.ts';
import { ladder } from '../../src/trace/ladder.ts';
import { LiveLadder } from '../../src/trace/live.ts';
import { aliasTable } from '../../src/trace/names.ts';
import { textWidth } from '../../src/trace/width.ts';
import { close, describeModel, exchange, FIN, handshake, modelStory, RST, Script, SYN } from './script.ts';

const title = { en: 'synfin  seed 7  RTT 40 ms', zh: 'synfin  种子 7  RTT 40 ms' };

function refused(): TraceEvent[] {
  return new Script()
    .state('client', 0, 'CLOSED', 'SYN-SENT', 'active open')
    .send({ at: 0, from: 'client', flags: SYN, seq: 0, state: 'SYN-SENT', comes: [20, 'CLOSED'] })
    .send({ at: 20, from: 'server', flags: RST, seq: 0, ack: 1, state: 'CLOSED', comes: [40, 'CLOSED'] })
    .state('client', 40, 'SYN-SENT', 'CLOSED', 'rcv RST').events;
}

function threeWaves(): TraceEvent[] {
  return handshake()
    .state('server', 100, 'ESTABLISHED', 'FIN-WAIT-1', 'CLOSE')
    .send({
      at: 100,
      from: 'server',
      flags: FIN,
      seq: 1,
      ack: 1,
      len: 9,
      state: 'FIN-WAIT-1',
      comes: [120, 'CLOSE-WAIT'],
    })
    .state('client', 120, 'ESTABLISHED', 'CLOSE-WAIT', 'rcv FIN')
    .state('client', 120, 'CLOSE-WAIT', 'LAST-ACK', 'CLOSE')
    .send({ at: 120, from: 'client', flags: FIN, seq: 1, ack: 11, state: 'LAST-ACK', comes: [140, 'TIME-WAIT'] })
    .state('server', 140, 'FIN-WAIT-1', 'TIME-WAIT', 'rcv FIN,ACK of FIN')
    .add({ type: 'time-wait', at: 140, host: 'server', conn: 1, until: 60140, again: false })
    .send({ at: 140, from: 'server', flags: 0, seq: 11, ack: 2, state: 'TIME-WAIT', comes: [160, 'CLOSED'] })
    .state('client', 160, 'LAST-ACK', 'CLOSED', 'rcv ACK of FIN')
    .state('server', 60140, 'TIME-WAIT', 'CLOSED', '2MSL timeout').events;
}

describe('the ladder', () => {
  for (const lang of ['en', 'zh'] as const) {
    test(`tells the model story (${lang})`, async () => {
      const lines = ladder(modelStory(), { lang, title: title[lang], describe: describeModel });
      await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/model.${lang}.txt`);
    });

    test(`tells of a refusal and of three waves (${lang})`, async () => {
      const lines = [...ladder(refused(), { lang }), '', ...ladder(threeWaves(), { lang })];
      await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/short.${lang}.txt`);
    });
  }

  test('full unfolds every segment', async () => {
    const lines = ladder(modelStory(), { full: true, narrate: false, describe: describeModel });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('golden/model-full.en.txt');
    const segments = modelStory().filter((e) => e.type === 'segment' && e.dir === 'out').length;
    expect(lines.filter((l) => /-----|X/.test(l)).length).toBe(segments);
  });

  test('80 columns hold: every language, folded or not, with long names and times', () => {
    const late = new Script();
    late.add({ type: 'timer', at: -9_999_999, host: 'client', conn: 1, timer: 'persist', count: 1 });
    close(exchange(handshake(late)));
    const long = () => '下载 GET /a/very/long/target/that/does/not/fit HTTP/1.1';
    for (const events of [modelStory(), refused(), threeWaves(), late.events]) {
      for (const lang of ['en', 'zh'] as const) {
        for (const full of [false, true]) {
          for (const describe of [describeModel, long]) {
            const lines = ladder(events, { lang, full, describe, title: title[lang] });
            expect(lines.filter((l) => textWidth(l) > 80)).toEqual([]);
            expect(lines.length).toBeGreaterThan(4);
          }
        }
      }
    }
  });

  test('fates have signs of their own, and a legend says what they mean', () => {
    const est = 'ESTABLISHED' as const;
    const s = handshake()
      .send({ at: 100, from: 'client', flags: 0, seq: 1, ack: 1, len: 5, state: est, path: 'corrupted' })
      .send({
        at: 101,
        from: 'server',
        flags: 0,
        seq: 1,
        ack: 1,
        len: 5,
        state: est,
        path: 'reordered',
        comes: [130, est],
      })
      .send({
        at: 102,
        from: 'client',
        flags: 0,
        seq: 6,
        ack: 1,
        len: 5,
        state: est,
        path: 'duplicated',
        comes: [122, est],
        comesAgain: [122, est],
      })
      .send({ at: 103, from: 'server', flags: 0, seq: 6, ack: 1, len: 5, state: est, path: 'lost' });
    const text = ladder(s.events, { full: true }).join('\n');
    for (const sign of ['--#-->', '<--~--', '---->>', '   X--']) expect(text).toContain(sign);
    expect(text).toContain('--#-- corrupted');
  });

  test('style sees every part and changes no width', () => {
    const parts = new Set<string>();
    const plain = ladder(modelStory());
    const styled = ladder(modelStory(), {
      style: (part, text) => {
        parts.add(part);
        return `\ue000${text}\ue001`;
      },
    });
    expect([...parts].sort()).toEqual([
      'arrow',
      'exact',
      'fold',
      'hurt',
      'label',
      'note',
      'say',
      'section',
      'state',
      'time',
      'title',
    ]);
    expect(styled.map((l) => l.replaceAll(/[\ue000\ue001]/g, ''))).toEqual(plain);
  });

  test('no segments, no lines', () => {
    expect(ladder([])).toEqual([]);
  });
});

describe('traces with holes', () => {
  test('any part of a trace, even out of order, gives lines of 80 columns and figures, never a throw', () => {
    const events = modelStory();
    fc.assert(
      fc.property(fc.shuffledSubarray(events), fc.boolean(), (part, full) => {
        const lines = ladder(part, { full, lang: 'zh', describe: describeModel });
        expect(lines.filter((l) => textWidth(l) > 80 || /undefined|NaN/.test(l))).toEqual([]);
        const conversation = readConversation(part);
        if (conversation !== null) expect(storyFigure(conversation, 'en').body).not.toMatch(/undefined|NaN/);
      }),
      { seed: 20261122, numRuns: 150 },
    );
  });
});

describe('one host as it happens', () => {
  test('a line an event, offsets once the SYNs are known, 80 columns', async () => {
    const live = new LiveLadder();
    const lines = modelStory()
      .filter((e) => e.type === 'path' || e.host === 'server')
      .flatMap((e) => live.push(e));
    expect(lines.filter((l) => textWidth(l) > 80)).toEqual([]);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('golden/live.txt');
  });
});

describe('names met in the wild', () => {
  test.each(['en', 'zh'] as const)('stand in a table of 80 columns (%s)', async (lang) => {
    const lines = aliasTable(lang);
    expect(lines.filter((l) => textWidth(l) > 80)).toEqual([]);
    const text = lines.join('\n');
    for (const name of ['SYN_SEND', 'SYN_RCVD', 'SYN_RECV', 'LASK_ACK', 'CLOSE', 'RFC 793'])
      expect(text).toContain(name);
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/names.${lang}.txt`);
  });
});
