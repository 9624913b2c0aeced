// Exercises that check themselves: a run either has what is asked for, and then from a moment on, or it has not.

import type { State, TraceEvent } from 'synfin';
import type { RunRecord } from './record.ts';
import type { End, ScenarioId } from './scenario.ts';

/** Every exercise, from the easy ones on. */
export const EXERCISE_IDS = [
  'syn-three-times',
  'closing',
  'three-waves',
  'time-wait-again',
  'server-waits',
  'client-reset',
  'zero-window',
  'challenge',
  'no-timer',
  'give-up',
] as const;

/** The name of an exercise, as URLs and catalogues have it. */
export type ExerciseId = (typeof EXERCISE_IDS)[number];

/** An exercise: where it begins, and what its run must come to. */
export interface Exercise {
  readonly id: ExerciseId;
  readonly scenario: ScenarioId;
  /** When it is done, ms; -1 when the run never comes to it. */
  check(record: RunRecord): number;
}

function first(record: RunRecord, matches: (e: TraceEvent) => boolean): number {
  return record.events.find(matches)?.at ?? -1;
}

function entered(end: End, state: State): (e: TraceEvent) => boolean {
  return (e) => e.type === 'state' && e.host === end && e.to === state;
}

/** When something has happened for the `n`th time. */
function nth(record: RunRecord, n: number, matches: (e: TraceEvent) => boolean): number {
  return record.events.filter(matches)[n - 1]?.at ?? -1;
}

function failed(record: RunRecord, end: End, code: string): number {
  return record.program.find((e) => e.end === end && e.what === 'closed' && e.text === code)?.at ?? -1;
}

const SYN = 2;
const ACK = 16;

/** A loss that was repaired without the retransmission timer: three segments lost, everything delivered, both CLOSED. */
function repaired(record: RunRecord): number {
  const lost = record.events.filter((e) => e.type === 'path' && e.verdict === 'lost');
  const timedOut = record.events.some((e) => e.type === 'timer' && e.timer === 'retransmit');
  const read = (end: End, what: 'send' | 'read') =>
    record.program.filter((e) => e.end === end && e.what === what).reduce((sum, e) => sum + e.text.length, 0);
  const whole = read('server', 'send') === read('client', 'read');
  return lost.length >= 3 && !timedOut && whole ? first(record, entered('server', 'CLOSED')) : -1;
}

/** An answer to a segment by hand that the receiver found wanting: the ACK that RFC 5961 asks for. */
function challenged(record: RunRecord): number {
  const forged = new Set(record.packets.filter((p) => p.forged).map((p) => p.id));
  const refused = record.events.find(
    (e) =>
      e.type === 'drop' &&
      forged.has(e.packet) &&
      (e.reason === 'tcp-rst-not-exact' || e.reason === 'tcp-syn-in-window'),
  );
  if (refused === undefined || refused.type === 'path') return -1;
  const answer = record.events.find(
    (e) => e.type === 'segment' && e.dir === 'out' && e.host === refused.host && e.at >= refused.at && e.flags === ACK,
  );
  return answer?.at ?? -1;
}

/** Every exercise. */
export const EXERCISES: readonly Exercise[] = [
  {
    id: 'syn-three-times',
    scenario: 'normal',
    check: (r) => nth(r, 3, (e) => e.type === 'segment' && e.dir === 'out' && e.host === 'client' && e.flags === SYN),
  },
  { id: 'closing', scenario: 'normal', check: (r) => first(r, entered('server', 'CLOSING')) },
  {
    id: 'three-waves',
    scenario: 'normal',
    check: (r) => first(r, (e) => e.type === 'state' && e.from === 'FIN-WAIT-1' && e.to === 'TIME-WAIT'),
  },
  { id: 'time-wait-again', scenario: 'normal', check: (r) => first(r, (e) => e.type === 'time-wait' && e.again) },
  { id: 'server-waits', scenario: 'normal', check: (r) => first(r, entered('server', 'TIME-WAIT')) },
  { id: 'client-reset', scenario: 'normal', check: (r) => failed(r, 'client', 'ECONNRESET') },
  {
    id: 'zero-window',
    scenario: 'duplicate-data',
    check: (r) =>
      first(r, (e) => e.type === 'segment' && e.dir === 'in' && e.host === 'server' && e.wnd === 0 && e.flags === ACK),
  },
  { id: 'challenge', scenario: 'normal', check: challenged },
  { id: 'no-timer', scenario: 'slow-start', check: repaired },
  { id: 'give-up', scenario: 'normal', check: (r) => failed(r, 'client', 'ETIMEDOUT') },
];

/** The exercise of that name; `null` when there is none. */
export function exerciseOf(id: string): Exercise | null {
  return EXERCISES.find((x) => x.id === id) ?? null;
}
