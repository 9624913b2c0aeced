// The URL of the page: it holds the whole run, the moment, the language and the view, so that a link shows what its
// sender saw.

import type { Lang } from 'synfin/trace';
import { type RunSpec, readActions, writeActions } from './actions.ts';
import { EXERCISE_IDS, type ExerciseId } from './exercises.ts';
import type { ScenarioId } from './scenario.ts';
import { scenarioOf } from './scenarios.ts';

/** What is shown below the ladder. */
export const TABS = ['segment', 'inside', 'plot', 'change', 'make', 'page', 'tasks', 'words'] as const;

/** One of them. */
export type Tab = (typeof TABS)[number];

/** How the page looks, beside the run. */
export interface Look {
  readonly tab: Tab;
  /** Large letters and little else. */
  readonly projector: boolean;
  /** What a segment means, and what comes next, is covered until somebody asks. */
  readonly covered: boolean;
  /** Playing stops at questions. */
  readonly asking: boolean;
  /** The exercise that is being done; empty for none. */
  readonly task: ExerciseId | '';
  /** The chosen segment's packet; 0 for none. */
  readonly chosen: number;
}

/** What a URL says. */
export interface View {
  readonly spec: RunSpec;
  /** The moment, ms; -1 when the URL names none. */
  readonly at: number;
  /** The language; empty when the URL names none. */
  readonly lang: Lang | '';
  readonly look: Look;
}

/** The seed of a run whose URL names none. */
const DEFAULT_SEED = 9293;
/** The look of a page whose URL names none. */
export const DEFAULT_LOOK: Look = {
  tab: 'segment',
  projector: false,
  covered: false,
  asking: true,
  task: '',
  chosen: 0,
};
/** What some scenarios are about, and so what is shown with them unless the reader has chosen. */
const OPENS: Readonly<Partial<Record<ScenarioId, Tab>>> = {
  page: 'page',
  'slow-start': 'plot',
  'zero-window': 'inside',
  'lose-data': 'inside',
};

/** What is shown below the ladder when a scenario is opened. */
export function tabOf(scenario: string): Tab {
  return OPENS[scenarioOf(scenario).id] ?? DEFAULT_LOOK.tab;
}

const LARGEST_SEED = 0xffff_ffff;
const LARGEST_PACKET = 100_000;

/** Reads the query of a URL. Whatever makes no sense has its default: links come from anywhere. */
export function readView(query: string): View {
  const q = new URLSearchParams(query);
  const number = (name: string, otherwise: number, most: number): number => {
    const value = Number(q.get(name) ?? Number.NaN);
    return q.get(name) !== '' && value >= 0 && value <= most ? value : otherwise;
  };
  const lang = q.get('lang') ?? '';
  const view = (q.get('view') ?? '').split(',');
  const task = q.get('task') ?? '';
  return {
    spec: {
      scenario: scenarioOf(q.get('run') ?? '').id,
      seed: Math.floor(number('seed', DEFAULT_SEED, LARGEST_SEED)),
      actions: readActions(q.get('do') ?? ''),
    },
    at: number('t', -1, Number.MAX_SAFE_INTEGER),
    lang: lang === 'en' || lang === 'zh' ? lang : '',
    look: {
      tab: TABS.find((tab) => tab === q.get('tab')) ?? tabOf(q.get('run') ?? ''),
      projector: view.includes('projector'),
      covered: view.includes('covered'),
      asking: !view.includes('quiet'),
      task: EXERCISE_IDS.find((id) => id === task) ?? '',
      chosen: Math.floor(number('segment', 0, LARGEST_PACKET)),
    },
  };
}

/** Writes the query of a URL: `?run=lose-wave4&t=520&lang=zh`. Defaults are left out, but never the language. */
export function writeView(view: View): string {
  const { spec, at, lang, look } = view;
  const words = [`run=${spec.scenario}`];
  if (spec.seed !== DEFAULT_SEED) words.push(`seed=${spec.seed}`);
  if (spec.actions.length > 0)
    words.push(`do=${encodeURIComponent(writeActions(spec.actions)).replaceAll('%40', '@')}`);
  if (at >= 0) words.push(`t=${Math.round(at * 1000) / 1000}`);
  if (look.chosen > 0) words.push(`segment=${look.chosen}`);
  if (look.tab !== tabOf(spec.scenario)) words.push(`tab=${look.tab}`);
  if (look.task !== '') words.push(`task=${look.task}`);
  const shown = [look.projector ? 'projector' : '', look.covered ? 'covered' : '', look.asking ? '' : 'quiet'];
  const flags = shown.filter((word) => word !== '');
  if (flags.length > 0) words.push(`view=${flags.join(',')}`);
  if (lang !== '') words.push(`lang=${lang}`);
  return `?${words.join('&')}`;
}

/** The language of a reader who has not chosen one: the first of the browser's that we have. */
export function preferredLang(languages: readonly string[]): Lang {
  for (const tag of languages) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}
