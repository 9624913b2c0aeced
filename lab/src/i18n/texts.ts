// The catalogues of the lab, and how a text is asked for.

import { fill, type Lang, type Places } from 'synfin/trace';
import { EN } from './en.ts';
import { ZH } from './zh.ts';

/** The name of a text. */
export type TextKey = keyof typeof EN;

/** Every text in one language. */
export type Texts = Readonly<Record<TextKey, string>>;

/** The catalogues by language. */
export const TEXTS: Readonly<Record<Lang, Texts>> = { en: EN, zh: ZH };

/** A text of a language with its places filled. */
export function textOf(lang: Lang, key: TextKey, places: Places = {}): string {
  return fill(TEXTS[lang][key], places);
}

/** A time as a reader takes it in: `40 ms`, `1.05 s`, `59.3 s`. */
export function timeText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms * 10) / 10} ms`;
  const s = ms / 1000;
  return `${s < 10 ? Math.round(s * 1000) / 1000 : Math.round(s * 10) / 10} s`;
}
