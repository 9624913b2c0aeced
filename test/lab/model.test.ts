// The lab's model: knobs in mid-flight, segments by hand, the inside of an end, questions, exercises, files to take away.

import { describe, expect, it } from 'vitest';
import type { Action } from '../../lab/src/model/actions.ts';
import { captureOf } from '../../lab/src/model/capture.ts';
import { EXERCISES, type ExerciseId } from '../../lab/src/model/exercises.ts';
import { forge } from '../../lab/src/model/forge.ts';
import { progressOf, sceneAt } from '../../lab/src/model/moment.ts';
import { clockOf, curveOf, plotOf } from '../../lab/src/model/plot.ts';
import { filmLadder, printLadder } from '../../lab/src/model/print.ts';
import { QUESTION_IDS, QUESTIONS, questionsOf } from '../../lab/src/model/questions.ts';
import type { RunRecord } from '../../lab/src/model/record.ts';
import { receiveRuler, sendRuler } from '../../lab/src/model/ruler.ts';
import { SCENARIO_IDS, type ScenarioId } from '../../lab/src/model/scenario.ts';
import { layOut, positionAt } from '../../lab/src/model/timeline.ts';
import { readCapture } from '../../src/trace/capture.ts';
import { simulate } from './simulate.ts';

const run = (scenario: ScenarioId, actions: readonly Action[] = []): RunRecord =>
  simulate({ scenario, seed: 9293, actions });
const normal = run('normal');
const inside = (record: RunRecord, end: 'client' | 'server', at: number) =>
  record.insides.filter((i) => i.end === end && i.at <= at).at(-1)!.view;

describe('knobs', () => {
  const ask: Action = { kind: 'send', at: 150, end: 'client', text: 'again\n' };

  it('the path takes as long as it is told to from then on, and what is under way goes its old way', () => {
    const record = run('normal', [{ kind: 'set', at: 140, knob: 'delay', end: '', value: 200 }]);
    const taken = record.packets.map((p) => [p.at, p.arrivals[0]!.at - p.at]);
    for (const [at, ms] of taken) expect(ms).toBe(at! < 140 ? 50 : 200);
    expect(taken.some(([at]) => at! > 140)).toBe(true);
  });

  it('loss by chance loses, the same segments each time, and all is well in the end', () => {
    const some: Action = { kind: 'set', at: 0, knob: 'loss', end: '', value: 30 };
    const record = run('lose-data', [some]);
    expect(record.events.filter((e) => e.type === 'path' && e.verdict === 'lost').length).toBeGreaterThan(2);
    expect(run('lose-data', [some]).digest).toBe(record.digest);
  });

  it('a bandwidth spreads a burst out', () => {
    const slow = run('reorder-data', [{ kind: 'set', at: 0, knob: 'rate', end: '', value: 10 }]);
    const burst = slow.packets.filter((p) => p.from === 'server' && p.bytes.length > 500);
    // 576 octets at 10 kB/s.
    expect(burst[4]!.arrivals[0]!.at - burst[3]!.arrivals[0]!.at).toBeCloseTo(57.6, 1);
  });

  it('a small buffer and a program that does not read shut the window, and reading opens it', () => {
    const acts: Action[] = [
      { kind: 'set', at: 110, knob: 'window', end: 'client', value: 1000 },
      { kind: 'set', at: 110, knob: 'reads', end: 'client', value: 0 },
      { kind: 'send', at: 160, end: 'server', text: 'x'.repeat(1900) },
      { kind: 'set', at: 3000, knob: 'reads', end: 'client', value: 1 },
    ];
    const record = run('normal', acts);
    expect(inside(record, 'client', 200).receiveLimit).toBe(1000);
    expect(record.program.filter((e) => e.end === 'client' && e.what === 'read' && e.at < 3000)).toEqual([]);
    expect(record.program.some((e) => e.end === 'client' && e.what === 'read' && e.at >= 3000)).toBe(true);
  });

  it('without Nagle the second small segment does not wait for the first to be acknowledged', () => {
    const second: Action = { ...ask, at: 151 };
    const sentAt = (record: RunRecord) =>
      record.packets.filter((p) => p.from === 'client' && p.bytes.length > 52 && p.at >= 150).map((p) => p.at);
    expect(sentAt(run('normal', [ask, second]))).not.toContain(151);
    const off: Action = { kind: 'set', at: 140, knob: 'nagle', end: 'client', value: 0 };
    expect(sentAt(run('normal', [off, ask, second]))).toContain(151);
  });

  it('another congestion control governs from then on', () => {
    const record = run('slow-start', [{ kind: 'set', at: 600, knob: 'congestion', end: 'server', value: 1 }]);
    expect(inside(record, 'server', 500).congestionControl).toBe('cubic');
    expect(inside(record, 'server', 700).congestionControl).toBe('newreno');
  });
});

describe('a segment by hand', () => {
  const byHand = (flags: number, seq: number, text = '', ack = 0): Action => ({
    kind: 'forge',
    at: 160,
    end: 'server',
    segment: { flags, seq, ack, wnd: 65_535, text },
  });
  const fate = (action: Action) => {
    const record = run('normal', [action]);
    const made = record.packets.find((p) => p.forged)!;
    const drop = record.events.find((e) => e.type === 'drop' && e.packet === made.id);
    return { record, made, reason: drop?.type === 'drop' ? drop.reason : '' };
  };

  it('has both checksums right', () => {
    const bytes = forge({
      source: '10.0.0.9',
      sourcePort: 5,
      destination: '10.0.0.2',
      destinationPort: 80,
      seq: -5,
      ack: 7,
      flags: 24,
      wnd: 100,
      payload: new TextEncoder().encode('odd'),
      timestamps: [-1, 2],
    });
    const sum = (from: number, to: number, start: number) => {
      let total = start;
      for (let i = from; i < to; i += 2) total += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
      while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
      return total;
    };
    expect(sum(0, 20, 0)).toBe(0xffff);
    expect(sum(20, bytes.length, sum(12, 20, 6 + bytes.length - 20))).toBe(0xffff);
  });

  it('an exact RST ends the connection, one in the window is challenged (RFC 5961)', () => {
    const exact = fate(byHand(4, 0));
    expect(exact.record.program.some((e) => e.end === 'client' && e.text === 'ECONNRESET')).toBe(true);
    const near = fate(byHand(4, 100));
    expect(near.reason).toBe('tcp-rst-not-exact');
    expect(near.record.program.some((e) => e.text === 'ECONNRESET')).toBe(false);
  });

  it('data with the right number is taken, for nobody can tell', () => {
    const { record, made } = fate(byHand(24, 0, 'trust me\n'));
    const read = record.program.filter((e) => e.end === 'client' && e.what === 'read').map((e) => e.text);
    expect(read.join('')).toContain('trust me');
    const line = layOut(record);
    const arrow = sceneAt(line, line.length).arrows.find((a) => a.flight.packet === made.id)!;
    expect(arrow.flight).toMatchObject({ forged: true, from: 'server', arrives: true });
  });

  it('goes nowhere before there is a connection', () => {
    const early = run('normal', [{ ...byHand(4, 0), at: 0 } as Action]);
    expect(early.packets.some((p) => p.forged)).toBe(true);
    const never = run('refused', [{ ...byHand(4, 0), end: 'client', at: 200 } as Action]);
    expect(never.packets.some((p) => p.forged)).toBe(false);
  });
});

describe('the inside of an end', () => {
  it('is known at every moment: in flight, then acknowledged', () => {
    const line = layOut(normal);
    const at = (ms: number) => sceneAt(line, positionAt(line, ms)).ends.client.inside!;
    expect(at(140)).toMatchObject({ state: 'ESTABLISHED', flightSize: 34 });
    expect(at(260)).toMatchObject({ flightSize: 0 });
    expect(at(30_000).timers.map((t) => t.name)).toEqual(['2msl']);
    expect(sceneAt(line, 0).ends.server.inside).toBeNull();
  });

  it('makes rulers whose stretches follow each other and name every edge', () => {
    const faults: unknown[] = [];
    for (const { view } of SCENARIO_IDS.flatMap((scenario) => run(scenario).insides)) {
      for (const regions of [sendRuler(view), receiveRuler(view)]) {
        regions.forEach((r, i) => {
          const before = i === 0 ? r.from : regions[i - 1]!.to;
          if (r.length !== ((r.to - r.from) | 0) || r.length <= 0 || r.from !== before) faults.push(r);
        });
      }
      const names = sendRuler(view).flatMap((r) => [r.starts, r.ends]);
      if (view.state === 'ESTABLISHED' && !names.join(' ').includes('SND.NXT')) faults.push(names);
    }
    expect(faults).toEqual([]);
  });

  it('shows what came early, behind the gap', () => {
    const view = run('lose-data').insides.find((i) => i.view.outOfOrder.length > 0)!.view;
    expect(receiveRuler(view).map((r) => r.kind)).toContain('gap');
  });

  it('shows what waits to be read, and a window that is shut', () => {
    const regions = receiveRuler(inside(run('zero-window'), 'client', 400));
    expect(regions.map((r) => [r.kind, r.length])).toEqual([
      ['read', 1],
      ['readable', 2096],
    ]);
    expect(regions.at(-1)!.ends).toBe('RCV.NXT = NXT+WND');
  });

  it('is plotted: the window grows, the curve is inside of its frame, silence is short', () => {
    const record = run('slow-start');
    const line = layOut(record);
    const { points, losses } = plotOf(line, 'server', line.length);
    expect(Math.max(...points.map((q) => q.cwnd))).toBeGreaterThan(4 * points.find((q) => q.flight > 0)!.cwnd);
    expect(losses.length).toBeGreaterThan(3);
    const clock = clockOf(line);
    expect(clock(record.end) - clock(record.end - 50_000)).toBeLessThan(301);
    expect(clock(600) - clock(500)).toBeCloseTo(100, 6);
    const path = curveOf(
      points,
      'cwnd',
      1000,
      (at) => at,
      (v) => v,
      -1,
    );
    expect(path).toMatch(/^M[\d.]+ [\d.]+(H[\d.]+V[\d.]+)*H1000$/);
    expect(
      curveOf(
        [],
        'cwnd',
        1,
        (at) => at,
        (v) => v,
        -1,
      ),
    ).toBe('');
    expect(plotOf(line, 'server', 0)).toEqual({ points: [], losses: [] });
  });
});

describe('strays', () => {
  const record = run('flood');
  const line = layOut(record);
  const scene = sceneAt(line, line.length);

  it('are arrows beside the tale, and change neither end’s state', () => {
    const strays = scene.arrows.filter((a) => a.stray !== '');
    expect(new Set(strays.map((a) => a.stray)).size).toBe(6);
    expect(scene.ends.server.edges.map((e) => e.to)).toEqual(['LISTEN']);
    const ends = new Set(strays.map((a) => progressOf(a.flight, line.length).status));
    expect([...ends].sort()).toEqual(['arrived', 'no-room', 'nobody']);
  });

  it('the honest SYN finds no room', () => {
    const honest = scene.arrows.filter((a) => a.stray === '');
    expect(honest.length).toBeGreaterThan(3);
    for (const a of honest) expect(progressOf(a.flight, line.length).status).toBe('no-room');
  });
});

describe('questions', () => {
  it('have their place, in the scenario they belong to', () => {
    expect(QUESTIONS.map((q) => q.id)).toEqual([...QUESTION_IDS]);
    for (const scenario of SCENARIO_IDS) {
      const record = run(scenario);
      const line = layOut(record);
      const placed = questionsOf(record, line);
      expect([scenario, placed.length]).toEqual([scenario, QUESTIONS.filter((q) => q.scenario === scenario).length]);
      for (const { p } of placed) expect(p).toBeLessThan(line.length);
    }
  });

  it('go where what they ask about has not come to pass', () => {
    const dropped = run('lose-shake3', [{ kind: 'abort', at: 10, end: 'client', text: '' }]);
    expect(questionsOf(dropped, layOut(dropped))).toEqual([]);
  });
});

describe('exercises', () => {
  const act = (kind: 'close' | 'abort', at: number, end: 'client' | 'server'): Action => ({ kind, at, end, text: '' });
  const drop = (packet: number): Action => ({ kind: 'drop', at: 0, packet });
  const last = normal.packets.at(-1)!.id;
  /** One way of doing each. */
  const SOLUTIONS: Readonly<Record<ExerciseId, readonly Action[]>> = {
    'syn-three-times': [drop(1), drop(2)],
    closing: [act('close', 300, 'server')],
    'three-waves': [drop(7), act('close', 345, 'server'), drop(8), drop(9)],
    'time-wait-again': [drop(last)],
    'server-waits': [act('close', 210, 'server')],
    'client-reset': [act('abort', 160, 'server')],
    'zero-window': [{ kind: 'set', at: 110, knob: 'reads', end: 'client', value: 0 }],
    challenge: [{ kind: 'forge', at: 160, end: 'server', segment: { flags: 4, seq: 100, ack: 0, wnd: 0, text: '' } }],
    'no-timer': [{ kind: 'set', at: 0, knob: 'rate', end: '', value: 0 }, drop(30), drop(50), drop(70)],
    'give-up': [{ kind: 'set', at: 0, knob: 'loss', end: '', value: 90 }],
  };

  it.each(EXERCISES.map((x) => [x.id, x] as const))('%s is not done by itself, and can be done', (id, exercise) => {
    expect(exercise.check(run(exercise.scenario))).toBe(-1);
    expect(exercise.check(run(exercise.scenario, SOLUTIONS[id]))).toBeGreaterThanOrEqual(0);
  });
});

describe('what can be taken away', () => {
  it('a capture has every packet that passed at an end, up to the moment, and what was damaged as it came', () => {
    const record = run('corrupt-data');
    const file = readCapture(captureOf(record, 'client', record.end));
    const expected = record.packets.reduce((n, p) => n + (p.from === 'client' ? 1 : p.arrivals.length), 0);
    expect(file.packets).toHaveLength(expected);
    const damaged = record.packets.find((p) => p.fate === 'corrupt')!;
    expect(damaged.arrivals[0]!.bytes).not.toEqual(damaged.bytes);
    expect(readCapture(captureOf(record, 'server', 120)).packets.length).toBe(2);
  });

  it('the ladder for paper is one drawing, well formed, in both languages', () => {
    for (const scenario of SCENARIO_IDS) {
      const record = run(scenario);
      const line = layOut(record);
      const scene = sceneAt(line, line.length);
      for (const lang of ['en', 'zh'] as const) {
        const head = { title: 'a & b', client: 'C', server: 'S', note: 'n' };
        const film = filmLadder(scene, line, record, line.length, lang, head);
        expect(film).toMatch(/^<svg .*@keyframes now.*prefers-reduced-motion.*<\/svg>\n$/s);
        expect(film).not.toMatch(/NaN|Infinity|undefined/);
        const svg = printLadder(scene, line, record, line.length, lang, head);
        expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
        expect(svg).toContain('a &amp; b');
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        expect(svg.match(/<line /g)!.length).toBeGreaterThanOrEqual(scene.arrows.length);
      }
    }
  });
});
