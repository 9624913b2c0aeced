// Tells a conversation in words: for each segment what it says in plain talk, what it is by the RFC, and
// where the popular tale needs a note. What is told follows from the part a segment plays and from its
// fate; each note is told once.

import type { Catalog, Lang, MessageKey, Places } from './catalog.ts';
import { fill } from './catalog.ts';
import { CATALOG_EN } from './catalog-en.ts';
import { CATALOG_ZH } from './catalog-zh.ts';
import { type Conversation, type Crossing, otherSide, RST, type Side } from './conversation.ts';
import { letters } from './letters.ts';

/** One thing said about a segment. */
export interface Line {
  /** Plain talk of one end, the exact words that go with it, or a note. */
  readonly kind: 'say' | 'exact' | 'note';
  readonly text: string;
}

/** What the teller may be told beside the trace. */
export interface NarrationOptions {
  readonly lang?: Lang;
  /** The conversation carries HTTP: say how it looks. */
  readonly http?: boolean;
  /** Milliseconds as shown in the ladder; rounded to whole ones when absent. */
  readonly formatTime?: (ms: number) => string;
}

/** What is told of a whole conversation. */
export interface Narration {
  /** Before the first segment. */
  readonly before: readonly Line[];
  /** At the start of the exchange. */
  readonly data: readonly Line[];
  /** After the last event. */
  readonly after: readonly Line[];
  /** Of one segment; empty when there is nothing to say of it. */
  of(crossing: Crossing): readonly Line[];
}

/** The catalogue of a language. */
export function catalogOf(lang: Lang): Catalog {
  return lang === 'zh' ? CATALOG_ZH : CATALOG_EN;
}

/** Tells one conversation once: remembers what was told. */
class Teller {
  readonly conversation: Conversation;
  readonly catalog: Catalog;
  readonly time: (ms: number) => string;
  readonly places: Places;
  readonly told: Set<MessageKey> = new Set();
  lines: Line[] = [];

  constructor(conversation: Conversation, options: NarrationOptions) {
    this.conversation = conversation;
    this.catalog = catalogOf(options.lang ?? 'en');
    this.time = options.formatTime ?? ((ms) => String(Math.round(ms)));
    const name = (side: Side) => this.catalog[side === 'left' ? 'client' : 'server'];
    const closer: Side = conversation.closer === 'right' ? 'right' : 'left';
    const wait = conversation.timeWaits[0];
    this.places = {
      C: name('left'),
      S: name('right'),
      A: name(closer),
      B: name(otherSide(closer)),
      s: wait === undefined ? 60 : Math.round(wait.until - wait.at) / 1000,
    };
  }

  /** Plain talk in the mouth of `from`, or of both. */
  say(from: Side | 'both', key: MessageKey, places: Places = {}): void {
    const text = fill(this.catalog[key], { ...this.places, ...places });
    const frame = from === 'both' ? 'both-say' : from === 'left' ? 'client-says' : 'server-says';
    this.lines.push({ kind: 'say', text: fill(this.catalog[frame], { text }) });
  }

  exact(key: MessageKey, places: Places = {}): void {
    this.lines.push({ kind: 'exact', text: fill(this.catalog[key], { ...this.places, ...places }) });
  }

  /** What would only be said again in the same words. */
  exactOnce(key: MessageKey): void {
    if (this.told.has(key)) return;
    this.told.add(key);
    this.exact(key);
  }

  /** A note about the tale, told once. */
  note(key: MessageKey, places: Places = {}): void {
    if (this.told.has(key)) return;
    this.told.add(key);
    const text = fill(this.catalog[key], { ...this.places, ...places });
    this.lines.push({ kind: 'note', text: fill(this.catalog.note, { text }) });
  }

  take(): readonly Line[] {
    const lines = this.lines;
    this.lines = [];
    return lines;
  }
}

/**
 * Tells a conversation.
 *
 * @param shown which segments the reader sees; the others are not told of. All when absent
 */
export function narrate(
  conversation: Conversation,
  options: NarrationOptions = {},
  shown: (crossing: Crossing) => boolean = () => true,
): Narration {
  const teller = new Teller(conversation, options);
  teller.note('note-roles');
  const before = teller.take();
  const healer = healingOf(conversation);
  const told: Map<Crossing, readonly Line[]> = new Map();
  for (const c of conversation.crossings) {
    if (!shown(c)) continue;
    tell(teller, c);
    if (c === healer) teller.exact('note-shake-3-healed');
    const lines = teller.take();
    if (lines.length > 0) told.set(c, lines);
  }
  teller.note('note-pipes');
  if (options.http === true) teller.note('note-http');
  const data = teller.take();
  tellEnd(teller);
  const after = teller.take();
  return { before, data, after, of: (c) => told.get(c) ?? [] };
}

/** The segment that made the server ESTABLISHED although the third shake was lost; `null` when none did. */
function healingOf(conversation: Conversation): Crossing | null {
  const third = conversation.crossings.find((c) => c.role === 'shake-3');
  const edge = conversation.edges.right.find((e) => e.to === 'ESTABLISHED');
  if (third === undefined || edge === undefined || third.fate === 'arrived') return null;
  const order = conversation.edgeOrder.get(edge) ?? -1;
  let found: Crossing | null = null;
  for (const c of conversation.crossings) {
    if (c.from !== 'left' || c.arrivedOrder < order) continue;
    if (found === null || c.arrivedOrder < found.arrivedOrder) found = c;
  }
  return found;
}

/** Time since the segment with the same numbers was last sent; 0 when this is the first. */
function sinceLast(conversation: Conversation, c: Crossing): number {
  for (let i = c.index - 1; i >= 0; i--) {
    const o = conversation.crossings[i]!;
    if (o.from === c.from && o.seq === c.seq && (o.len > 0 || (o.flags & 3) !== 0)) return c.sentAt - o.sentAt;
  }
  return 0;
}

function tell(teller: Teller, c: Crossing): void {
  if (c.role.startsWith('shake') || c.role.startsWith('crossed-syn')) tellOpening(teller, c);
  else if (c.role.startsWith('wave') || c.role.startsWith('crossed-fin')) tellClosing(teller, c);
  else if ((c.flags & RST) !== 0) tellReset(teller, c);
  else tellExchange(teller, c);
  if (c.fate === 'corrupted') teller.note('note-corrupted');
}

function tellReset(teller: Teller, c: Crossing): void {
  const aborted = teller.conversation.edges[c.from].some((e) => e.cause === 'ABORT');
  const kind = c.role === 'refusal' ? 'refusal' : c.sentState === 'CLOSED' && !aborted ? 'reset-gone' : 'reset';
  teller.say(c.from, `say-${kind}`);
  teller.exact(`exact-${kind}`);
  if (c.arrivedState === 'TIME-WAIT') teller.note('note-reset-time-wait');
}

function tellOpening(teller: Teller, c: Crossing): void {
  const { conversation } = teller;
  const ms = teller.time(sinceLast(conversation, c));
  if (c.role === 'shake-1') {
    if (c.again) teller.exact('note-shake-1-again', { ms });
    else {
      teller.say(c.from, 'say-shake-1');
      teller.exact(c.len > 0 ? 'exact-shake-1-data' : 'exact-shake-1', { n: c.len });
      if (c.len === 0) teller.note('note-syn-data');
    }
    if (c.fate === 'lost') teller.note('note-shake-1-lost');
  } else if (c.role === 'shake-2') {
    if (c.again) teller.exactOnce('note-shake-2-again');
    else {
      teller.say(c.from, 'say-shake-2');
      teller.exact('exact-shake-2');
      teller.note('note-shake-2-may');
    }
    if (c.fate === 'lost') teller.note('note-shake-2-lost');
  } else if (c.role === 'shake-3') tellThirdShake(teller, c);
  else if (c.role === 'crossed-syn') {
    teller.say(c.from, 'say-crossed-syn');
    teller.note('note-crossed-syn');
  } else teller.note('exact-crossed-syn-ack');
}

function tellThirdShake(teller: Teller, c: Crossing): void {
  if (c.again) teller.exactOnce('note-shake-3-again');
  else {
    teller.say(c.from, 'say-shake-3');
    teller.exact(c.len > 0 ? 'exact-shake-3-data' : 'exact-shake-3', { n: c.len });
  }
  if (c.fate === 'lost' || c.fate === 'corrupted') {
    teller.note('note-shake-3-lost');
    return;
  }
  const { left, right } = teller.conversation.edges;
  const here = left.find((e) => e.to === 'ESTABLISHED');
  const there = right.find((e) => e.to === 'ESTABLISHED');
  if (here !== undefined && there !== undefined && there.at > here.at) {
    teller.note('note-shake-3-later', { ms: teller.time(there.at - here.at) });
  }
}

function tellExchange(teller: Teller, c: Crossing): void {
  const { conversation } = teller;
  if (c.role === 'probe') {
    teller.note('note-probe');
    return;
  }
  if (c.role === 'ack') {
    if (c.fate === 'lost') teller.note('note-ack-lost');
    return;
  }
  if (c.again) {
    const ms = teller.time(sinceLast(conversation, c));
    if (c.againWhy === 'timer') teller.note('note-again-timer', { ms });
    else if (c.againWhy === 'fast') teller.note('note-again-fast');
    else teller.note('note-again-partial', { ms });
  } else if (isLastWord(conversation, c) && !teller.told.has('say-last-words')) {
    teller.told.add('say-last-words');
    teller.say(c.from, 'say-last-words');
    teller.exact('exact-last-words', { n: c.len });
  }
  if (c.fate === 'lost') teller.note('note-data-lost');
  else if (c.late && c.fate === 'arrived') teller.note('note-data-late');
}

/** Data that the passive side sends after it has learned that the other has finished. */
export function isLastWord(conversation: Conversation, c: Crossing): boolean {
  if (c.len === 0 || c.again || conversation.closer === '' || c.from === conversation.closer) return false;
  return c.sentState === 'CLOSE-WAIT' || c.sentState === 'LAST-ACK';
}

function tellClosing(teller: Teller, c: Crossing): void {
  const { conversation } = teller;
  const ms = teller.time(sinceLast(conversation, c));
  const write = letters(conversation);
  const lost = c.fate === 'lost';
  const places = { ms, n: c.len, fin: write.ack(c), next: write.seq(c), at: '', until: '' };
  if (c.role === 'wave-1') {
    if (c.again) teller.exact('note-wave-1-again', places);
    else {
      teller.say(c.from, 'say-wave-1');
      teller.exact(c.len > 0 ? 'exact-wave-1-data' : 'exact-wave-1', places);
      teller.note('note-fin-bit');
    }
    if (lost) teller.note('note-wave-1-lost');
  } else if (c.role === 'wave-2') {
    if (c.again) teller.exactOnce('note-wave-2-again');
    else {
      teller.say(c.from, 'say-wave-2');
      teller.exact('exact-wave-2', places);
      teller.note('note-half-close');
    }
    if (lost) teller.note('note-wave-2-lost');
  } else if (c.role === 'wave-3' || c.role === 'wave-2+3') {
    if (c.again) teller.exact('note-wave-3-again', places);
    else {
      teller.say(c.from, c.role === 'wave-3' ? 'say-wave-3' : 'say-wave-2+3');
      teller.exact(c.role === 'wave-3' ? 'exact-wave-3' : 'exact-wave-2+3', places);
    }
    if (lost) teller.note('note-wave-3-lost');
  } else if (c.role === 'wave-4') tellFourthWave(teller, c, places);
  else if (c.role === 'crossed-fin') {
    if (c.again) teller.exact('note-wave-1-again', places);
    else {
      teller.say(c.from, 'say-crossed-fin');
      teller.note('exact-crossed-fin');
    }
  } else if (c.again) tellAnew(teller, c);
  else {
    teller.note('exact-crossed-fin-ack');
    if (lost) teller.note('note-crossed-fin-ack-lost');
  }
}

/** 2MSL started again because this answer was asked for again. */
function tellAnew(teller: Teller, c: Crossing): void {
  const { start, timeWaits } = teller.conversation;
  const anew = timeWaits.find((w) => w.again && w.side === c.from && w.at === c.sentAt);
  if (anew === undefined) return;
  teller.exact('note-wave-4-again', { at: teller.time(anew.at - start), until: teller.time(anew.until - start) });
}

function tellFourthWave(teller: Teller, c: Crossing, places: Places): void {
  if (!c.again) {
    teller.say(c.from, 'say-wave-4');
    teller.exact('exact-wave-4', places);
  } else tellAnew(teller, c);
  if (c.fate === 'lost' || c.fate === 'corrupted') teller.note('note-wave-4-lost');
  else teller.note('note-time-wait');
}

function tellEnd(teller: Teller): void {
  const { edges } = teller.conversation;
  const all = [...edges.left, ...edges.right];
  if (all.some((e) => e.cause === '2MSL timeout')) {
    teller.exact('note-2msl-end');
    teller.note('note-both-close');
    teller.note('note-msl');
  }
  if (all.some((e) => e.cause === 'timeout')) teller.exact('note-gave-up');
}
