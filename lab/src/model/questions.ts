// Questions to be answered before the answer is seen: where each of them stands in its scenario, and which answer is right.

import { type Crossing, type Role, readConversation } from 'synfin/trace';
import type { RunRecord } from './record.ts';
import type { ScenarioId } from './scenario.ts';
import type { Timeline } from './timeline.ts';

/** Every question, in the order of the scenarios. */
export const QUESTION_IDS = [
  'ack-number',
  'half-closed',
  'why-wait',
  'who-notices',
  'which-states',
  'what-answer',
  'flood-room',
  'window-grows',
  'gap-acks',
  'tail',
  'twice',
  'window-news',
  'wave1-state',
  'wave2-lost',
  'wave4-lost',
  'three',
  'crossing',
  'old-octets',
  'reset-data',
] as const;

/** The name of a question, as the catalogues have it. */
export type QuestionId = (typeof QUESTION_IDS)[number];

/** How many answers a question offers. */
export const CHOICES = 3;

/** A question: asked when the `nth` segment of a role is sent, lost on the way, or about to arrive. */
export interface Question {
  readonly id: QuestionId;
  readonly scenario: ScenarioId;
  readonly role: Role;
  readonly nth: number;
  readonly when: 'sent' | 'lost' | 'arrives' | 'copy';
  /** The right answer, from 1. */
  readonly right: 1 | 2 | 3;
}

/** Every question. */
export const QUESTIONS: readonly Question[] = [
  { id: 'ack-number', scenario: 'normal', role: 'shake-1', nth: 1, when: 'arrives', right: 2 },
  { id: 'half-closed', scenario: 'normal', role: 'wave-2', nth: 1, when: 'arrives', right: 1 },
  { id: 'why-wait', scenario: 'normal', role: 'wave-4', nth: 1, when: 'sent', right: 3 },
  { id: 'who-notices', scenario: 'lose-shake1', role: 'shake-1', nth: 1, when: 'lost', right: 1 },
  { id: 'which-states', scenario: 'lose-shake3', role: 'shake-3', nth: 1, when: 'lost', right: 2 },
  { id: 'what-answer', scenario: 'refused', role: 'shake-1', nth: 1, when: 'arrives', right: 3 },
  { id: 'flood-room', scenario: 'flood', role: 'shake-1', nth: 1, when: 'arrives', right: 1 },
  { id: 'window-grows', scenario: 'slow-start', role: 'ack', nth: 2, when: 'arrives', right: 2 },
  { id: 'gap-acks', scenario: 'lose-data', role: 'data', nth: 4, when: 'arrives', right: 3 },
  { id: 'tail', scenario: 'lose-tail', role: 'data', nth: 7, when: 'lost', right: 1 },
  { id: 'twice', scenario: 'duplicate-data', role: 'data', nth: 3, when: 'arrives', right: 2 },
  { id: 'window-news', scenario: 'zero-window', role: 'data', nth: 5, when: 'arrives', right: 3 },
  { id: 'wave1-state', scenario: 'lose-wave1', role: 'wave-1', nth: 1, when: 'lost', right: 1 },
  { id: 'wave2-lost', scenario: 'lose-wave2', role: 'wave-2', nth: 1, when: 'lost', right: 2 },
  { id: 'wave4-lost', scenario: 'lose-wave4', role: 'wave-4', nth: 1, when: 'lost', right: 3 },
  { id: 'three', scenario: 'three-waves', role: 'wave-1', nth: 1, when: 'arrives', right: 1 },
  { id: 'crossing', scenario: 'both-close', role: 'crossed-fin', nth: 2, when: 'sent', right: 2 },
  { id: 'old-octets', scenario: 'old-duplicate', role: 'data', nth: 2, when: 'copy', right: 3 },
  { id: 'reset-data', scenario: 'reset', role: 'reset', nth: 1, when: 'sent', right: 1 },
];

/** A question at its place. */
export interface PlacedQuestion {
  readonly question: Question;
  /** Position on the ladder: what is shown there does not tell the answer yet. */
  readonly p: number;
}

/** Just before something is seen, pixels. */
const BEFORE = 1;

function placeOf(question: Question, crossings: readonly Crossing[], timeline: Timeline): number {
  const played = crossings.filter((c) => c.role === question.role);
  const flight = timeline.flights.get(played[question.nth - 1]?.packet ?? -1);
  if (flight === undefined) return -1;
  if (question.when === 'sent') return flight.sentP + BEFORE;
  if (question.when === 'lost') return flight.hurt === 'lost' ? flight.hurtP + BEFORE : -1;
  return (question.when === 'copy' ? flight.copyP : flight.endP) - BEFORE;
}

/** The questions of a run, where its segments still play the parts that they ask about. */
export function questionsOf(record: RunRecord, timeline: Timeline): PlacedQuestion[] {
  const mine = QUESTIONS.filter((q) => q.scenario === record.spec.scenario);
  if (mine.length === 0) return [];
  const { connections } = record;
  const tale = record.events.filter(
    (e) => e.type === 'path' || e.conn === 0 || e.conn === connections[e.host === 'client' ? 'client' : 'server'],
  );
  const crossings = readConversation(tale, { left: 'client' })?.crossings ?? [];
  return mine
    .map((question) => ({ question, p: placeOf(question, crossings, timeline) }))
    .filter((q) => q.p > 0)
    .sort((a, b) => a.p - b.p);
}
