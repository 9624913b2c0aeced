// The lab's words: both catalogues say the same things, every segment has a name, every octet a field, every edge a run.

import fc from 'fast-check';
import { EDGES, STATES } from 'synfin';
import { describe, expect, it } from 'vitest';
import { EN } from '../../lab/src/i18n/en.ts';
import { TEXTS, type TextKey, textOf, timeText } from '../../lab/src/i18n/texts.ts';
import { arrowLabel, beatWords } from '../../lab/src/i18n/words.ts';
import { ZH } from '../../lab/src/i18n/zh.ts';
import { type Action, KNOBS, type Knob, readActions, writeActions } from '../../lab/src/model/actions.ts';
import { EXERCISE_IDS } from '../../lab/src/model/exercises.ts';
import { fieldsOf, payloadText } from '../../lab/src/model/fields.ts';
import { DEFAULT_LOOK, preferredLang, readView, TABS, writeView } from '../../lab/src/model/link.ts';
import { progressOf, sceneAt } from '../../lab/src/model/moment.ts';
import { QUESTION_IDS } from '../../lab/src/model/questions.ts';
import { SCENARIO_IDS } from '../../lab/src/model/scenario.ts';
import { layOut } from '../../lab/src/model/timeline.ts';
import { boxOf, PLACES, ROUTES } from '../../lab/src/view/diagram-layout.ts';
import { simulate } from './simulate.ts';

const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe('the catalogues', () => {
  it('have the same keys, in the same order, and the same places in each text', () => {
    expect(Object.keys(ZH)).toEqual(Object.keys(EN));
    for (const key of Object.keys(EN) as TextKey[])
      expect([key, ...places(ZH[key])]).toEqual([key, ...places(EN[key])]);
  });

  it('have no empty text, and Chinese where it is Chinese', () => {
    for (const texts of Object.values(TEXTS)) expect(Object.values(texts).filter((t) => t.trim() === '')).toEqual([]);
    const latin = Object.entries(ZH).filter(([, text]) => !/\p{Script=Han}/u.test(text));
    // Answers may be names of flags, states and numbers.
    const others = latin.map(([key]) => key).filter((key) => !/^ask-.*-\d$/.test(key));
    expect(others.sort()).toEqual(['did-set', 'field-sack', 'field-tos', 'next-timer']);
  });

  it('explain every scenario and every state', () => {
    for (const id of SCENARIO_IDS) expect(EN).toHaveProperty([`intro-${id}`]);
    for (const state of STATES) expect(EN).toHaveProperty([`about-${state}`]);
    for (const id of EXERCISE_IDS) expect(EN).toHaveProperty([`task-${id}-hint`]);
    for (const id of QUESTION_IDS) expect(EN).toHaveProperty([`ask-${id}-why`]);
  });

  it('write times as readers take them in', () => {
    expect([0, 40, 789.53, 1050, 59_321.4].map(timeText)).toEqual(['0 ms', '40 ms', '789.5 ms', '1.05 s', '59.3 s']);
  });
});

describe.each(SCENARIO_IDS)('the words of %s', (scenario) => {
  const record = simulate({ scenario, seed: 3, actions: [] });
  const line = layOut(record);
  const scene = sceneAt(line, line.length);

  it('leave no place unfilled', () => {
    for (const lang of ['en', 'zh'] as const) {
      const said = [
        ...line.beats
          .filter((b) => b.trace === null || ['segment', 'timer', 'path'].includes(b.trace.type))
          .map((b) => beatWords(lang, b, (id) => `#${id}`)),
        ...scene.arrows.map((a) => arrowLabel(lang, a, progressOf(a.flight, line.length), 'SYN')),
      ];
      expect(said.filter((text) => text === '' || /\{\w+\}|undefined|NaN/.test(text))).toEqual([]);
    }
  });

  it('name every octet of every packet once', () => {
    for (const { bytes } of record.packets) {
      let next = 0;
      for (const field of fieldsOf(bytes)) {
        expect(field.from).toBe(next);
        next = field.to;
      }
      expect(next).toBe(bytes.length);
    }
  });
});

describe('the inside of a segment', () => {
  it('reads what a request carries, and survives any octets', () => {
    const { packets } = simulate({ scenario: 'normal', seed: 3, actions: [] });
    const request = packets.find((p) => payloadText(p.bytes, 40) !== '')!;
    expect(payloadText(request.bytes, 40)).toBe('GET / HTTP/1.1');
    expect(fieldsOf(request.bytes, 'x+1', 'y+1').find((f) => f.name === 'seq')?.value).toMatch(/^x\+1 = \d+$/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        fieldsOf(bytes);
        payloadText(bytes, 40);
      }),
      { seed: 20_261_122, numRuns: 1000 },
    );
  });
});

describe('the diagram', () => {
  it('draws every edge that figure 5 of RFC 9293 draws, and the one of three waves', () => {
    const wanted = EDGES.filter((e) => e.drawn || e.cause === 'rcv FIN,ACK of FIN');
    expect(ROUTES.map((r) => r.edge)).toEqual(wanted);
  });

  it('leads each edge from its box to its box', () => {
    for (const { edge, path } of ROUTES) {
      const numbers = path.match(/-?\d+/g)!.map(Number);
      const [x, y] = PLACES[edge.from];
      expect(Math.abs(numbers[0]! - x)).toBeLessThanOrEqual(51);
      expect(Math.abs(numbers[1]! - y)).toBeLessThanOrEqual(14);
      const vertical = /V-?\d+$/.test(path);
      const end = PLACES[boxOf(edge)];
      expect(
        Math.abs(
          numbers.at(-1)! - end[vertical ? 1 : path.endsWith(String(numbers.at(-1))) && /H-?\d+$/.test(path) ? 0 : 1],
        ),
      ).toBeLessThanOrEqual(51);
    }
  });
});

describe('links', () => {
  const knob = fc.constantFrom(...(Object.keys(KNOBS) as Knob[])).chain((name) =>
    fc.record({
      kind: fc.constant('set'),
      at: fc.nat(100_000),
      knob: fc.constant(name),
      end: KNOBS[name].ends ? fc.constantFrom('client', 'server') : fc.constant(''),
      value: fc.integer({ min: KNOBS[name].least, max: KNOBS[name].most }),
    }),
  );
  const far = fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff });
  const action: fc.Arbitrary<Action> = fc.oneof(
    knob,
    fc.record({
      kind: fc.constant('forge'),
      at: fc.nat(100_000),
      end: fc.constantFrom('client', 'server'),
      segment: fc.record({
        flags: fc.nat(255),
        seq: far,
        ack: far,
        wnd: fc.nat(0xffff),
        text: fc.string({ unit: 'grapheme', maxLength: 20 }),
      }),
    }),
    fc.record({
      kind: fc.constantFrom('drop', 'delay', 'duplicate', 'corrupt', 'linger'),
      at: fc.nat(100_000),
      packet: fc.nat(999),
    }),
    fc.record({
      kind: fc.constantFrom('send', 'get'),
      at: fc.nat(100_000),
      end: fc.constantFrom('client', 'server'),
      text: fc.string({ unit: 'grapheme', maxLength: 20 }),
    }),
    fc.record({
      kind: fc.constantFrom('close', 'abort'),
      at: fc.nat(100_000),
      end: fc.constantFrom('client', 'server'),
      text: fc.constant(''),
    }),
  ) as fc.Arbitrary<Action>;

  it('hold scenario, seed, actions, moment and language', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SCENARIO_IDS),
        fc.nat(0xffff_ffff),
        fc.array(action, { maxLength: 5 }),
        fc.nat(99_999_999),
        fc.constantFrom('en', 'zh'),
        fc.record({
          tab: fc.constantFrom(...TABS),
          projector: fc.boolean(),
          covered: fc.boolean(),
          asking: fc.boolean(),
          task: fc.constantFrom('' as const, ...EXERCISE_IDS),
          chosen: fc.nat(1000),
        }),
        (scenario, seed, actions, ms, lang, look) => {
          const sorted = [...actions].sort((a, b) => a.at - b.at);
          const view = { spec: { scenario, seed, actions: sorted }, at: ms / 1000, lang, look } as const;
          expect(readView(writeView(view))).toEqual(view);
        },
      ),
      { seed: 20_261_122, numRuns: 300 },
    );
  });

  it('may say anything: what makes no sense has its default', () => {
    const nothing = { spec: { scenario: 'normal', seed: 9293, actions: [] }, at: -1, lang: '', look: DEFAULT_LOOK };
    expect(readView('')).toEqual(nothing);
    expect(
      readView('?run=../x&seed=-1&do=drop.x@1~close.nobody@2~%&t=soon&lang=fr&tab=all&task=x&view=x&segment=-2'),
    ).toEqual(nothing);
    expect(readActions('drop.3@5~send.client@2:%zz')).toHaveLength(2);
    expect(writeActions(readActions('drop.3@5'))).toBe('drop.3@5');
    const bad =
      'set.delay@1:0~set.loss@1:91~set.nagle@1:1~set.delay.client@1:5~set.x@1:1~set.rate@1:~forge.client@1:4,0';
    expect(readActions(`${bad}~forge.client@1:256,0,0,0,~forge.nobody@1:4,0,0,0,~forge.client@1:4,0.5,0,0,`)).toEqual(
      [],
    );
  });

  it('without a language get the first of the browser that is there', () => {
    expect(preferredLang(['fr-FR', 'zh-TW', 'en'])).toBe('zh');
    expect(preferredLang(['en-GB', 'zh'])).toBe('en');
    expect(preferredLang(['fr'])).toBe('en');
    expect(textOf('zh', 'segment', { n: 3 })).toBe('第 3 段');
  });
});
