// The ladder's scale and what is to be seen at a moment.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { happened, progressOf, sceneAt, storyAt } from '../../lab/src/model/moment.ts';
import { SCENARIO_IDS } from '../../lab/src/model/scenario.ts';
import { layOut, positionAt, stepFrom, timeAt } from '../../lab/src/model/timeline.ts';
import { simulate } from './simulate.ts';

const runs = SCENARIO_IDS.map((scenario) => {
  const record = simulate({ scenario, seed: 7, actions: [] });
  return { scenario, record, line: layOut(record) };
});
const normal = runs[0]!;
const wave4 = runs.find((r) => r.scenario === 'lose-wave4')!;

describe.each(runs)('the ladder of $scenario', ({ record, line }) => {
  it('goes down as time goes on, and time and position lead back to each other', () => {
    let before = -1;
    for (const { at, fromP, toP } of line.instants) {
      expect(fromP).toBeGreaterThan(before);
      expect(toP).toBeGreaterThanOrEqual(fromP);
      before = toP;
      expect(timeAt(line, positionAt(line, at))).toBe(at);
      expect(timeAt(line, fromP)).toBe(at);
    }
    expect(line.length).toBe(before);
    expect(timeAt(line, line.length)).toBe(record.end);
  });

  it('has every packet on its way down, and lost ones lost on the way', () => {
    expect(line.flights.size).toBe(record.packets.length);
    for (const f of line.flights.values()) {
      expect(f.endP).toBeGreaterThan(f.sentP);
      if (f.hurt === 'lost') {
        expect(f.arrives).toBe(false);
        expect(f.hurtP).toBeGreaterThan(f.sentP);
        expect(f.hurtP).toBeLessThan(f.endP);
      }
    }
  });

  it('is walked from end to end by steps, each of which shows something more', () => {
    let p = 0;
    for (let i = 0; i < 5000 && p < line.length; i++) {
      const next = stepFrom(line, p, 'event', true);
      expect(next).toBeGreaterThan(p);
      expect(happened(line, next)).toBeGreaterThan(happened(line, p));
      p = next;
    }
    expect(p).toBe(line.length);
    for (let i = 0; i < 5000 && p > 0; i++) p = stepFrom(line, p, 'event', false);
    expect(p).toBe(0);
  });
});

describe('positions', () => {
  it('lead to times and back at any moment', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: runs.length - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (i, share) => {
          const { line } = runs[i]!;
          const p = share * line.length;
          const back = positionAt(line, timeAt(line, p));
          // Within one instant the way back leads to its end.
          const inside = line.instants.some((k) => p >= k.fromP && p <= k.toP && back === k.toP);
          return inside || Math.abs(back - p) < 1e-6;
        },
      ),
      { seed: 20_261_122, numRuns: 500 },
    );
  });

  it('do not depend on what comes after: a fork leaves the ladder above it as it is', () => {
    const packet = normal.record.packets[4]!;
    const at = packet.at + 10;
    const forked = layOut(
      simulate({ scenario: 'normal', seed: 7, actions: [{ kind: 'drop', at, packet: packet.id }] }),
    );
    const past = (line: typeof forked) =>
      line.beats.filter((b) => b.at < at && b.trace?.type !== 'path').map((b) => [b.at, b.p]);
    expect(past(forked).length).toBeGreaterThan(10);
    expect(past(forked)).toEqual(past(normal.line));
  });

  it('a lost segment goes the way of those beside it', () => {
    const { line } = runs.find((r) => r.scenario === 'lose-data')!;
    const lost = [...line.flights.values()].find((f) => f.hurt === 'lost')!;
    const beside = [...line.flights.values()].filter((f) => f.sentAt === lost.sentAt && f !== lost);
    expect(beside.length).toBeGreaterThan(2);
    for (const f of beside) expect(Math.abs(f.endP - f.sentP - (lost.endP - lost.sentP))).toBeLessThan(25);
  });

  it('a minute of silence is short', () => {
    expect(normal.line.gaps.some((g) => g.ms > 59_000 && g.toP - g.fromP < 100)).toBe(true);
    expect(normal.line.length).toBeLessThan(1500);
  });
});

describe('a moment', () => {
  const at = (run: typeof normal, ms: number) => sceneAt(run.line, positionAt(run.line, ms));

  it('knows nothing of the future: before its loss a segment is in flight like any other', () => {
    const lost = wave4.record.packets.find((p) => p.fate === 'drop')!;
    const flight = wave4.line.flights.get(lost.id)!;
    const before = at(wave4, lost.at + 10);
    expect(before.arrows.find((a) => a.flight.packet === lost.id)?.crossing.fate).toBe('pending');
    expect(progressOf(flight, positionAt(wave4.line, lost.at + 10)).status).toBe('flying');
    expect(progressOf(flight, positionAt(wave4.line, lost.at + 40)).status).toBe('lost');
    expect(at(wave4, lost.at + 40).arrows.find((a) => a.flight.packet === lost.id)?.crossing.fate).toBe('lost');
  });

  it('shows both ends, the last edge and the time that TIME-WAIT has left', () => {
    expect(at(normal, 10).ends).toMatchObject({ client: { state: 'SYN-SENT' }, server: { state: 'LISTEN' } });
    const late = at(normal, 30_000);
    expect(late.ends.client.state).toBe('TIME-WAIT');
    expect(late.ends.client.waitUntil).toBe(normal.record.end);
    expect(late.ends.server).toMatchObject({ state: 'CLOSED', waitUntil: -1 });
    expect(late.ends.client.edges.at(-1)).toMatchObject({ from: 'FIN-WAIT-2', to: 'TIME-WAIT', sends: 'ACK' });
    const end = sceneAt(normal.line, normal.line.length);
    expect(end.ends.client).toMatchObject({ state: 'CLOSED', waitUntil: -1 });
    expect(end.next).toBeNull();
  });

  it('says what is next', () => {
    const { next } = at(normal, 30_000);
    expect(next?.trace).toMatchObject({ type: 'timer', timer: '2msl', host: 'client' });
    expect(at(normal, 10).next?.trace).toMatchObject({ type: 'segment', dir: 'in', host: 'server' });
  });

  it('tells the story so far in both languages', () => {
    const scene = sceneAt(wave4.line, wave4.line.length);
    const last = scene.arrows.at(-1)!.crossing;
    for (const lang of ['en', 'zh'] as const) {
      const lines = storyAt(scene, lang)!
        .of(last)
        .map((l) => l.text);
      expect(lines.join(' ')).toContain('2MSL');
    }
  });
});
