// The ladder: a conversation as lines of text, 80 columns wide, both ends' states and times at the sides.
//
//     ms client                                                          server     ms
//      0 SYN-SENT     [1] SYN      seq=x                    -----> SYN-RECEIVED     20
//
// Long runs of data and ACKs are folded into one line unless asked otherwise. Colour is the caller's
// business: every part of a line goes through the `style` given, after its width has been settled.

import type { State } from '../base/state.ts';
import type { StateEvent, TraceEvent } from '../base/trace.ts';
import { type Catalog, fill, type Lang } from './catalog.ts';
import {
  ACK,
  type Conversation,
  type ConversationOptions,
  type Crossing,
  FIN,
  RST,
  readConversation,
  type Side,
  SYN,
} from './conversation.ts';
import { type Letters, letters } from './letters.ts';
import { catalogOf, isLastWord, type Line, type Narration, narrate } from './narration.ts';
import { padEnd, padStart, textWidth, truncate, wrap } from './width.ts';

/** The parts of a ladder's lines, for colour. */
export type Part =
  | 'title'
  | 'section'
  | 'time'
  | 'state'
  | 'label'
  | 'arrow'
  | 'hurt'
  | 'say'
  | 'exact'
  | 'note'
  | 'fold';

/** How a ladder is drawn. */
export interface LadderOptions extends ConversationOptions {
  readonly lang?: Lang;
  /** First line's words before the numbers x and y; none when absent. */
  readonly title?: string;
  /** Width in columns, at least 72; 80 when absent. */
  readonly columns?: number;
  /** Show every segment. */
  readonly full?: boolean;
  /** Tell the story between the rows; true when absent. */
  readonly narrate?: boolean;
  /** A name for a segment in place of "data", such as the start line of an HTTP message; empty for none. */
  readonly describe?: (crossing: Crossing) => string;
  /** Decorates a part of a line, without changing its width. */
  readonly style?: (part: Part, text: string) => string;
}

const STATE_COLUMNS = 12;
const ARROW_COLUMNS = 6;
/** Runs shorter than this are shown rather than folded. */
const FOLD_FROM = 3;

/** Arrows from left to right; the other way they are mirrored. */
const ARROWS = {
  plain: '----->',
  lost: '--X   ',
  corrupted: '--#-->',
  late: '--~-->',
  twice: '---->>',
  pending: '--?   ',
} as const;
type Arrow = keyof typeof ARROWS;

/** The name of the arrow that shows what became of a segment. */
function arrowOf(c: Crossing): Arrow {
  if (c.fate === 'lost') return 'lost';
  if (c.fate === 'corrupted') return 'corrupted';
  if (c.fate === 'pending') return 'pending';
  if (c.arrivals > 1) return 'twice';
  return c.late ? 'late' : 'plain';
}

function drawArrow(arrow: Arrow, from: Side): string {
  const right = ARROWS[arrow];
  if (from === 'left') return right;
  return [...right].reverse().join('').replaceAll('>', '<');
}

/** Header flags in words, as the story writes them: `SYN,ACK`. */
export function flagWords(flags: number): string {
  const words: string[] = [];
  if ((flags & RST) !== 0) words.push('RST');
  if ((flags & SYN) !== 0) words.push('SYN');
  if ((flags & FIN) !== 0) words.push('FIN');
  if ((flags & ACK) !== 0) words.push('ACK');
  return words.join(',');
}

/** The number in brackets of a shake or wave; empty for other segments. */
function mark(c: Crossing): string {
  switch (c.role) {
    case 'shake-1':
    case 'wave-1':
    case 'crossed-syn':
    case 'crossed-fin':
      return '[1] ';
    case 'shake-2':
    case 'wave-2':
    case 'crossed-syn-ack':
    case 'crossed-fin-ack':
      return '[2] ';
    case 'shake-3':
    case 'wave-3':
      return '[3] ';
    case 'wave-2+3':
      return '[2+3] ';
    case 'wave-4':
      return '[4] ';
    default:
      return '';
  }
}

/** Draws one conversation. */
class Ladder {
  readonly conversation: Conversation;
  readonly catalog: Catalog;
  readonly options: LadderOptions;
  readonly columns: number;
  readonly write: Letters;
  readonly timeColumns: number;
  readonly style: (part: Part, text: string) => string;
  readonly lines: string[] = [];
  readonly seen: Set<Arrow> = new Set();
  narration: Narration;

  constructor(conversation: Conversation, options: LadderOptions) {
    this.conversation = conversation;
    this.options = options;
    this.catalog = catalogOf(options.lang ?? 'en');
    this.columns = Math.max(72, options.columns ?? 80);
    this.write = letters(conversation);
    this.style = options.style ?? ((_part, text) => text);
    let last = conversation.start;
    for (const c of conversation.crossings) last = Math.max(last, c.sentAt, c.arrivedAt);
    for (const e of [...conversation.edges.left, ...conversation.edges.right]) last = Math.max(last, e.at);
    this.timeColumns = Math.max(3, this.time(last).length);
    this.narration = narrate(conversation, { lang: options.lang ?? 'en', http: options.describe !== undefined }, (c) =>
      this.isShown(c),
    );
  }

  /** Columns of the label between the left state and the arrow. */
  get labelColumns(): number {
    return this.columns - 2 * (this.timeColumns + 1 + STATE_COLUMNS + 1) - 1 - ARROW_COLUMNS;
  }

  time(at: number): string {
    return String(Math.round(at - this.conversation.start));
  }

  put(part: Part, text: string): void {
    this.lines.push(text === '' ? '' : this.style(part, text));
  }

  // --- what is shown ---

  #kept: ReadonlySet<Crossing> | null = null;

  /** Whether a segment has a row of its own when runs are folded. */
  isShown(c: Crossing): boolean {
    if (this.options.full === true) return true;
    this.#kept ??= this.#keep();
    return this.#kept.has(c);
  }

  /**
   * Shakes, waves, named segments, the first loss with its cure, the first that was overtaken, the first of the
   * last words; and short runs.
   */
  #keep(): ReadonlySet<Crossing> {
    const { crossings } = this.conversation;
    const kept: Set<Crossing> = new Set();
    const loss = crossings.find((c) => c.role === 'data' && c.fate === 'lost');
    const cure =
      loss === undefined
        ? undefined
        : crossings.find((c) => c.index > loss.index && c.from === loss.from && c.seq === loss.seq && c.len > 0);
    const late = crossings.find((c) => c.role === 'data' && c.late && c.fate === 'arrived' && !c.again);
    const firstOf = new Set<string>();
    for (const c of crossings) {
      const plain = c.role === 'data' || c.role === 'ack' || c.role === 'probe';
      const lastWord = isLastWord(this.conversation, c) && !firstOf.has('last');
      if (lastWord) firstOf.add('last');
      const lostAck = c.role === 'ack' && c.fate === 'lost' && loss === undefined && !firstOf.has('ack');
      if (lostAck) firstOf.add('ack');
      if (!plain || lastWord || lostAck || c === loss || c === cure || c === late || this.named(c) !== '') kept.add(c);
    }
    let run: Crossing[] = [];
    for (const c of [...crossings, null]) {
      if (c !== null && !kept.has(c) && this.sectionOf(c) === this.sectionOf(run[0] ?? c)) {
        run.push(c);
        continue;
      }
      if (run.length < FOLD_FROM) for (const o of run) kept.add(o);
      run = c !== null && !kept.has(c) ? [c] : [];
    }
    return kept;
  }

  named(c: Crossing): string {
    return this.options.describe?.(c) ?? '';
  }

  #dataFrom = -1;
  #closeFrom = -1;

  /** Which part of the story a segment belongs to. */
  sectionOf(c: Crossing): 'open' | 'data' | 'close' {
    if (this.#dataFrom < 0) {
      const { crossings } = this.conversation;
      const opening = (o: Crossing) => o.role.includes('s') && /^(shake|crossed-syn|refusal|reset)/.test(o.role);
      const data = crossings.findIndex((o) => !opening(o));
      const fin = crossings.findIndex((o) => (o.flags & FIN) !== 0);
      this.#closeFrom = fin < 0 ? crossings.length : fin;
      this.#dataFrom = data < 0 ? this.#closeFrom : Math.min(data, this.#closeFrom);
    }
    return c.index < this.#dataFrom ? 'open' : c.index < this.#closeFrom ? 'data' : 'close';
  }

  // --- lines ---

  row(left: { at: string; state: string }, label: string, arrow: string, right: { at: string; state: string }): void {
    const { style } = this;
    // A state too long for its column borrows from the label.
    const room = this.labelColumns - Math.max(0, textWidth(left.state) - STATE_COLUMNS);
    const tail = STATE_COLUMNS + 1 + this.timeColumns;
    const hurt = /[X#?]/.test(arrow);
    const line =
      `${style('time', padStart(left.at, this.timeColumns))} ` +
      `${style('state', padEnd(left.state, STATE_COLUMNS))} ` +
      `${style('label', padEnd(truncate(label, room), room))} ` +
      `${arrow === '' ? ' '.repeat(ARROW_COLUMNS) : style(hurt ? 'hurt' : 'arrow', arrow)} `;
    if (right.at === '') {
      this.lines.push((line + (right.state === '' ? '' : style('state', right.state))).trimEnd());
      return;
    }
    // On this side it borrows from the gap before the time.
    const gap = Math.max(1, tail - textWidth(right.state) - right.at.length);
    this.lines.push(`${line}${style('state', right.state)}${' '.repeat(gap)}${style('time', right.at)}`);
  }

  section(title: string): void {
    const head = `== ${title} `;
    this.put('section', head + '='.repeat(Math.max(0, this.columns - 1 - textWidth(head))));
  }

  /** Says lines under a row; the exact words follow the plain ones on one line where they fit. */
  tell(lines: readonly Line[]): void {
    const indent = '    ';
    const room = this.columns - 1 - indent.length;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const next = lines[i + 1];
      if (line.kind === 'say' && next?.kind === 'exact') {
        if (textWidth(line.text) + 3 + textWidth(next.text) <= room) {
          this.lines.push(`${indent}${this.style('say', line.text)}   ${this.style('exact', next.text)}`);
          i++;
          continue;
        }
      }
      for (const piece of wrap(line.text, room)) this.lines.push(indent + this.style(line.kind, piece));
    }
  }

  /** What stands between the states: mark, flags or name, and the numbers that matter. */
  label(c: Crossing): string {
    const { write, catalog } = this;
    const room = this.labelColumns;
    const again = c.again ? `${catalog['label-again']} ` : '';
    const seq = `seq=${write.seq(c)}`;
    const ack = (c.flags & ACK) === 0 ? '' : `ack=${write.ack(c)}`;
    const len = c.len > 0 ? `len=${c.len}` : '';
    const head = mark(c);
    const name = this.named(c);
    if (head !== '' && name === '') {
      const words = flagWords(c.flags);
      const withSeq = c.role !== 'wave-2' && c.role !== 'crossed-fin-ack';
      const numbers = [withSeq ? seq : '', len, ack].filter((s) => s !== '');
      const wide = `${head}${padEnd(words, 8)} ${again}${withSeq ? padEnd(seq, 7) : ''}${withSeq ? ' ' : ''}${numbers
        .slice(withSeq ? 1 : 0)
        .join(' ')}`;
      if (textWidth(wide) <= room) return wide.trimEnd();
      const tight = `${head}${words} ${again}${numbers.join(' ')}`;
      return textWidth(tight) <= room ? tight : `${head}${words} ${again}${[seq, len].join(' ')}`.trimEnd();
    }
    if (c.len === 0 && name === '')
      return this.fit(`${flagWords(c.flags)} ${again}`, [ack, c.wnd === 0 ? 'wnd=0' : '']);
    const last = isLastWord(this.conversation, c);
    const word = c.role === 'probe' ? catalog['label-probe'] : catalog[last ? 'label-last-words' : 'label-data'];
    const called = name !== '' ? truncate(name, Math.max(8, room - textWidth(`${head}${again} ${seq} ${len}`))) : word;
    return this.fit(`${head}${called} ${again}`, [seq, len, ack], name === '' ? 13 : 16);
  }

  /** `name` and as many of the numbers, in order, as there is room for; the numbers in columns when they fit. */
  fit(name: string, numbers: readonly string[], column = 13): string {
    const room = this.labelColumns;
    let text = name.trimEnd();
    let first = true;
    for (const n of numbers) {
      if (n === '') continue;
      const gap = first ? ' '.repeat(Math.max(1, Math.min(column - textWidth(text), room - textWidth(text + n)))) : ' ';
      if (textWidth(text) + gap.length + textWidth(n) > room) continue;
      text += gap + n;
      first = false;
    }
    return text;
  }

  segment(c: Crossing): void {
    const arrow = arrowOf(c);
    this.seen.add(arrow);
    const sent = { at: this.time(c.sentAt), state: c.sentState as string };
    const came = { at: c.arrivedAt < 0 ? '' : this.time(c.arrivedAt), state: c.arrivedState as string };
    const [left, right] = c.from === 'left' ? [sent, came] : [came, sent];
    this.row(left, this.label(c), drawArrow(arrow, c.from), right);
    if (this.options.narrate !== false) this.tell(this.narration.of(c));
  }

  fold(run: readonly Crossing[]): void {
    const { catalog } = this;
    const count = (test: (c: Crossing) => boolean) => run.filter(test).length;
    let octets = 0;
    for (const c of run) octets += c.len;
    const parts = [fill(catalog['fold-segments'], { n: run.length }), fill(catalog['fold-octets'], { n: octets })];
    const counts = [
      ['fold-lost', count((c) => c.fate === 'lost')],
      ['fold-again', count((c) => c.again)],
      ['fold-late', count((c) => c.late)],
      ['fold-twice', count((c) => c.arrivals > 1)],
      ['fold-corrupted', count((c) => c.fate === 'corrupted')],
    ] as const;
    for (const [key, n] of counts) if (n > 0) parts.push(fill(catalog[key], { n }));
    const comma = this.options.lang === 'zh' ? '\uff0c' : ', ';
    const text = `${parts.join(comma)}  ${catalog['fold-hint']}`;
    wrap(text, this.columns - 7).forEach((piece, i) => {
      this.put('fold', `    ${i === 0 ? ': ' : '  '}${piece}`);
    });
  }

  // --- the whole ---

  header(): void {
    const { numbers } = this.conversation;
    const shown: string[] = [];
    for (const side of ['left', 'right'] as const) {
      if (numbers[side].opened) shown.push(`${this.write.start(side)}=${numbers[side].iss >>> 0}`);
    }
    const title = this.options.title ?? '';
    const both = `${title}${title === '' ? '' : '   '}${shown.join(' ')}`;
    for (const line of wrap(both, this.columns)) this.put('title', line);
    const name = (text: string) => padEnd(text, STATE_COLUMNS);
    const middle = ' '.repeat(this.labelColumns + ARROW_COLUMNS + 2);
    const left = `${padStart('ms', this.timeColumns)} ${name(this.catalog.client)} `;
    this.put('title', `${left}${middle}${name(this.catalog.server)} ${padStart('ms', this.timeColumns)}`);
    const first = (side: Side): string => {
      const path: State[] = [];
      for (const e of this.conversation.edges[side]) {
        if (path.length === 0) path.push(e.from);
        if (e.to !== 'LISTEN') break;
        path.push(e.to);
      }
      return path.length === 0 ? '' : path.join('>');
    };
    const [here, there] = [first('left'), first('right')];
    if (here === '' && there === '') return;
    this.row({ at: here === '' ? '' : '0', state: here }, '', '', { at: there === '' ? '' : '0', state: there });
    if (this.options.narrate !== false) this.tell(this.narration.before);
  }

  sectionTitle(section: 'open' | 'data' | 'close'): string {
    const { catalog, conversation } = this;
    if (section === 'open') {
      if (conversation.crossings.some((c) => c.role === 'refusal')) return catalog['section-refused'];
      return catalog[conversation.openedAtOnce ? 'section-open-at-once' : 'section-open'];
    }
    if (section === 'data') return catalog['section-data'];
    if (conversation.closedAtOnce) return catalog['section-close-at-once'];
    const closer = conversation.closer === 'right' ? 'server' : 'client';
    const three = conversation.crossings.some((c) => c.role === 'wave-2+3');
    return fill(catalog[three ? 'section-three-waves' : 'section-close'], { A: catalog[closer] });
  }

  /** What u and w stand for, behind the title of the closing section. */
  closingLetters(): string {
    const shown: string[] = [];
    for (const side of this.conversation.closer === 'right'
      ? (['right', 'left'] as const)
      : (['left', 'right'] as const)) {
      const end = this.conversation.numbers[side];
      if (end.closed) shown.push(`${this.write.fin(side)}=${this.write.fromStart(side, end.fin)}`);
    }
    return shown.join(' ');
  }

  /** Edges that no segment caused and no row has shown: a close by time, a giving up. */
  silentEnds(): { side: Side; edge: StateEvent }[] {
    const found: { side: Side; edge: StateEvent }[] = [];
    for (const side of ['left', 'right'] as const) {
      for (const edge of this.conversation.edges[side]) {
        if (edge.to === 'CLOSED' && !edge.cause.startsWith('rcv')) found.push({ side, edge });
      }
    }
    return found.sort((a, b) => a.edge.at - b.edge.at);
  }

  draw(): string[] {
    this.header();
    let section = '';
    let run: Crossing[] = [];
    const flush = () => {
      if (run.length > 0) this.fold(run);
      run = [];
    };
    for (const c of this.conversation.crossings) {
      const here = this.sectionOf(c);
      if (here !== section) {
        flush();
        section = here;
        const letters = here === 'close' ? `  ${this.closingLetters()}` : '';
        this.section(this.sectionTitle(here) + letters);
        if (here === 'data' && this.options.narrate !== false) this.tell(this.narration.data);
      }
      if (this.isShown(c)) {
        flush();
        this.segment(c);
      } else run.push(c);
    }
    flush();
    this.end();
    return this.lines;
  }

  end(): void {
    const ends = this.silentEnds();
    for (let i = 0; i < ends.length; i++) {
      const { side, edge } = ends[i]!;
      const twin = ends[i + 1];
      // Both ends at the same moment: one row.
      const both = twin !== undefined && twin.side !== side && this.time(twin.edge.at) === this.time(edge.at);
      if (both) i++;
      const cell = (s: Side) => ({
        at: s === side || both ? this.time(edge.at) : '',
        state:
          s === side || both ? 'CLOSED' : (this.conversation.edges[s].filter((e) => e.at <= edge.at).at(-1)?.to ?? ''),
      });
      this.row(cell('left'), '', '', cell('right'));
    }
    if (this.options.narrate !== false) this.tell(this.narration.after);
    const signs = (['lost', 'corrupted', 'late', 'twice', 'pending'] as const).filter((a) => this.seen.has(a));
    if (signs.every((a) => a === 'lost')) return;
    const text = `${this.catalog.legend} ${signs.map((a) => this.catalog[`legend-${a}`]).join('  ')}`;
    for (const piece of wrap(text, this.columns - 5)) this.put('note', `    ${piece}`);
  }
}

/**
 * Draws the ladder of a trace.
 *
 * @param events of both hosts and of the path between, in the order in which things happened
 * @returns its lines, none wider than `columns`; empty when the trace has no segment
 */
export function ladder(events: readonly TraceEvent[], options: LadderOptions = {}): string[] {
  const conversation = readConversation(events, options);
  return conversation === null ? [] : drawLadder(conversation, options);
}

/** Draws the ladder of a conversation that has been read already. */
export function drawLadder(conversation: Conversation, options: LadderOptions = {}): string[] {
  return new Ladder(conversation, options).draw();
}
