// Sentences that are made of several texts: what a segment is called, what happens next, what a program does.

import { type Crossing, flagWords, type Lang, type Letters } from 'synfin/trace';
import { type Action, CONGESTION_CONTROLS, isPacketAction, type KnobAction } from '../model/actions.ts';
import type { Arrow, Progress } from '../model/moment.ts';
import type { ProgramEvent } from '../model/record.ts';
import type { End } from '../model/scenario.ts';
import type { Beat } from '../model/timeline.ts';
import { type TextKey, textOf, timeText } from './texts.ts';

/** The other end. */
export function other(end: End): End {
  return end === 'client' ? 'server' : 'client';
}

/** A segment by its flags and its length: `SYN,ACK`, `34 B`. */
export function segmentName(flags: number, len: number): string {
  const words = flagWords(flags);
  if (len === 0) return words;
  return words === 'ACK' ? `${len} B` : `${words} + ${len} B`;
}

/**
 * The words along an arrow: flags, numbers in letters, what it carries, a closed window.
 *
 * @param bare the numbers mean nothing to the reader: those of a flood
 */
export function segmentWords(c: Crossing, letters: Letters | null, bare = false): string[] {
  const parts: string[] = [];
  const flags = flagWords(c.flags);
  if (c.len === 0 || flags !== 'ACK') parts.push(flags);
  if (letters !== null && !bare) {
    if (c.len > 0 || (c.flags & 3) !== 0 || flags === 'ACK') parts.push(`seq=${letters.seq(c)}`);
    if ((c.flags & 16) !== 0) parts.push(`ack=${letters.ack(c)}`);
  }
  if (c.len > 0) parts.push(`len=${c.len}`);
  if (c.wnd === 0 && (c.flags & 4) === 0) parts.push('win=0');
  return parts;
}

/** What a program did, as the end of a sentence. */
export function programWords(lang: Lang, e: ProgramEvent): string {
  if (e.what === 'closed' && e.text !== '') return textOf(lang, 'program-failed', { error: e.text });
  return textOf(lang, `program-${e.what}`, { n: new TextEncoder().encode(e.text).length, what: e.text });
}

/** What happens at a beat, in one sentence. `nameOf` says what a packet is called. */
export function beatWords(lang: Lang, beat: Beat, nameOf: (packet: number) => string): string {
  const t = (key: TextKey, places = {}) => textOf(lang, key, places);
  const { trace: e, program } = beat;
  if (program !== null) {
    return t('next-program', { who: t(program.end), does: programWords(lang, program) });
  }
  if (e === null) return '';
  if (e.type === 'path') {
    const key = {
      lost: 'next-lost',
      'queue-full': 'next-lost',
      corrupted: 'next-corrupted',
      duplicated: 'next-duplicated',
      reordered: 'next-late',
      delayed: 'next-late',
    } as const;
    return t(key[e.verdict], { what: nameOf(e.packet) });
  }
  const who = e.host === 'client' || e.host === 'server' ? t(e.host) : e.host;
  if (e.type === 'segment') {
    const what = segmentName(e.flags, e.len);
    return t(e.dir === 'in' ? 'next-arrives' : 'next-leaves', { who, what });
  }
  if (e.type === 'timer') return t('next-timer', { who, timer: t(`timer-${e.timer}`) });
  return t('next-2msl', { who });
}

/**
 * The name of a segment for those who cannot see where it is.
 *
 * @param words what is written on it: who speaks to the page has to be able to say what others read
 */
export function arrowLabel(lang: Lang, arrow: Arrow, progress: Progress, words: string): string {
  const t = (key: TextKey, places = {}) => textOf(lang, key, places);
  const { crossing: c, flight } = arrow;
  return t('segment-label', {
    n: c.packet,
    from: t(flight.from),
    to: t(other(flight.from)),
    words,
    role: t(`role-${c.role}`),
    fate: t(`fate-${progress.status}`),
  });
}

/** Marks of a segment that colours and dashes show too. */
export function marksOf(lang: Lang, c: Crossing, twice: boolean, status: Progress['status']): string[] {
  const marks: TextKey[] = [];
  if (c.again) marks.push('mark-again');
  if (c.late) marks.push('mark-late');
  if (twice && status === 'arrived') marks.push('mark-twice');
  if (status === 'lost') marks.push('mark-lost');
  if (c.fate === 'corrupted') marks.push('mark-corrupted');
  if (status === 'no-room' || status === 'nobody') marks.push(`mark-${status}`);
  return marks.map((key) => textOf(lang, key));
}

/** How a knob stands, in words: `80 ms`, `10 %`, `off`. */
export function knobWords(lang: Lang, knob: KnobAction['knob'], value: number): string {
  const t = (key: TextKey, places = {}) => textOf(lang, key, places);
  if (knob === 'delay') return `${value} ms`;
  if (knob === 'loss') return `${value} %`;
  if (knob === 'rate') return value === 0 ? t('no-limit') : `${value} kB/s`;
  if (knob === 'window') return value === 0 ? t('as-it-grows') : `${value} B`;
  if (knob === 'congestion') return CONGESTION_CONTROLS[value] ?? '';
  return t(value === 1 ? 'on' : 'off');
}

/** What a visitor did, in words. */
export function actionWords(lang: Lang, action: Action): string {
  const t = timeText(action.at);
  if (isPacketAction(action)) return textOf(lang, `did-${action.kind}`, { t, n: action.packet });
  if (action.kind === 'set') {
    const whose = action.end === '' ? textOf(lang, 'the-path') : textOf(lang, action.end);
    const what = textOf(lang, `knob-${action.knob}`);
    return textOf(lang, 'did-set', { t, whose, what, value: knobWords(lang, action.knob, action.value) });
  }
  const who = textOf(lang, action.end);
  if (action.kind === 'forge') return textOf(lang, 'did-forge', { t, who, what: flagWords(action.segment.flags) });
  return textOf(lang, `did-${action.kind}`, { t, who, text: action.text });
}

/** The number in a circle that a shake or a wave has; empty for other segments. */
export function roleNumber(c: Crossing): string {
  const match = /^(?:shake|wave)-(.*)$/.exec(c.role);
  if (match !== null) return match[1]!;
  if (c.role === 'crossed-syn' || c.role === 'crossed-fin') return '1';
  return c.role === 'crossed-syn-ack' || c.role === 'crossed-fin-ack' ? '2' : '';
}
