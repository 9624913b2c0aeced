// The URL of the page: it holds the whole run, the moment and the language, so that a link shows what its sender saw.

import type { Lang } from 'synfin/trace';
import { type RunSpec, readActions, writeActions } from './actions.ts';
import { scenarioOf } from './scenarios.ts';

/** What a URL says. */
export interface View {
  readonly spec: RunSpec;
  /** The moment, ms; -1 when the URL names none. */
  readonly at: number;
  /** The language; empty when the URL names none. */
  readonly lang: Lang | '';
}

/** The seed of a run whose URL names none. */
export const DEFAULT_SEED = 9293;
const LARGEST_SEED = 0xffff_ffff;

/** Reads the query of a URL. Whatever makes no sense has its default: links come from anywhere. */
export function readView(query: string): View {
  const q = new URLSearchParams(query);
  const number = (name: string, otherwise: number, most: number): number => {
    const value = Number(q.get(name) ?? Number.NaN);
    return q.get(name) !== '' && value >= 0 && value <= most ? value : otherwise;
  };
  const lang = q.get('lang') ?? '';
  return {
    spec: {
      scenario: scenarioOf(q.get('run') ?? '').id,
      seed: Math.floor(number('seed', DEFAULT_SEED, LARGEST_SEED)),
      actions: readActions(q.get('do') ?? ''),
    },
    at: number('t', -1, Number.MAX_SAFE_INTEGER),
    lang: lang === 'en' || lang === 'zh' ? lang : '',
  };
}

/** Writes the query of a URL: `?run=lose-wave4&t=520&lang=zh`. Defaults are left out, but never the language. */
export function writeView(view: View): string {
  const { spec, at, lang } = view;
  const words = [`run=${spec.scenario}`];
  if (spec.seed !== DEFAULT_SEED) words.push(`seed=${spec.seed}`);
  if (spec.actions.length > 0)
    words.push(`do=${encodeURIComponent(writeActions(spec.actions)).replaceAll('%40', '@')}`);
  if (at >= 0) words.push(`t=${Math.round(at * 1000) / 1000}`);
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
