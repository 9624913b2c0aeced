// Questions while a run is watched: which one stands where the visitor is, and what was answered.

import { type Accessor, createMemo, createSignal } from 'solid-js';
import { type PlacedQuestion, type QuestionId, questionsOf } from '../model/questions.ts';
import type { RunRecord } from '../model/record.ts';
import type { Timeline } from '../model/timeline.ts';

/** Questions and answers of the run that is watched. */
export interface Asking {
  /** The question that is to be answered here, or was just answered; `null` elsewhere. */
  readonly here: Accessor<PlacedQuestion | null>;
  /** The answer given to the question here, from 1; 0 while there is none. */
  readonly given: Accessor<number>;
  /** How many questions the run has. */
  readonly count: Accessor<number>;
  answer(choice: number): void;
  /** The place where going from `from` to `to` has to stop; `to` when nothing is in the way. */
  stop(from: number, to: number): number;
  /** Forgets what was answered: another scenario, or from the start. */
  forget(): void;
}

/** How near a question's place is still the place, pixels: the address holds the moment to the microsecond. */
const NEAR = 1.5;
/** An answer that means "not now". */
const PASSED = -1;

/** Makes the questions of the page. */
export function createAsking(
  on: Accessor<boolean>,
  record: Accessor<RunRecord | null>,
  timeline: Accessor<Timeline | null>,
  p: Accessor<number>,
): Asking {
  const [answers, setAnswers] = createSignal<ReadonlyMap<QuestionId, number>>(new Map());
  const placed = createMemo(() => {
    const made = record();
    const line = timeline();
    return made === null || line === null || !on() ? [] : questionsOf(made, line);
  });
  const here = createMemo(
    () => placed().find((q) => Math.abs(q.p - p()) < NEAR && answers().get(q.question.id) !== PASSED) ?? null,
  );
  const give = (id: QuestionId, choice: number) => setAnswers((before) => new Map(before).set(id, choice));
  return {
    here,
    given: () => answers().get(here()?.question.id ?? 'tail') ?? 0,
    count: () => placed().length,
    answer(choice) {
      const now = here();
      if (now !== null) give(now.question.id, choice === 0 ? PASSED : choice);
    },
    stop(from, to) {
      const next = placed().find((q) => q.p > from && q.p <= to && !answers().has(q.question.id));
      return next?.p ?? to;
    },
    forget: () => setAnswers(new Map()),
  };
}
