// The two classic figures, drawn from what a trace shows: three-way handshake and four-way close, with the
// states of both ends beside the lines of time and letters for the sequence numbers.

import type { State } from '../base/state.ts';
import { fill, type Lang } from './catalog.ts';
import { ACK, type Conversation, type Crossing, FIN, type Side, SYN } from './conversation.ts';
import { type Letters, letters } from './letters.ts';
import { catalogOf, isLastWord } from './narration.ts';
import { type Figure, INK, round, STATE_INK, stack, text } from './svg.ts';
import { textWidth } from './width.ts';

const WIDTH = 860;
const LEFT = 230;
const RIGHT = 630;
const BAND = 14;
const TOP = 116;
/** Spaces that SVG does not fold into one. */
const GAP = '\u00a0\u00a0';
const STEP = 78;
/** Words shift along their line, to where the neighbouring line is farther away. */
const SHIFT = 42;

/** One state of one end: from one height to another. */
interface Band {
  readonly side: Side;
  readonly state: State;
  readonly from: number;
  to: number;
}

/** Which of the two figures. */
export type FigurePart = 'open' | 'close';

/** Draws one figure. */
class Sequence {
  readonly conversation: Conversation;
  readonly part: FigurePart;
  readonly lang: Lang;
  readonly write: Letters;
  readonly crossings: readonly Crossing[];
  /** Moments at which something shown happens, in order: equally far apart in the figure. */
  readonly moments: readonly number[];
  readonly out: string[] = [];

  constructor(conversation: Conversation, part: FigurePart, lang: Lang) {
    this.conversation = conversation;
    this.part = part;
    this.lang = lang;
    this.write = letters(conversation);
    this.crossings = conversation.crossings.filter((c) => this.belongs(c));
    const moments = new Set<number>();
    for (const c of this.crossings) {
      moments.add(c.sentAt);
      if (c.arrivedAt >= 0) moments.add(c.arrivedAt);
    }
    this.moments = [...moments].sort((a, b) => a - b);
  }

  belongs(c: Crossing): boolean {
    const opening = /^(shake|crossed-syn)/.test(c.role);
    if (this.part === 'open') return opening;
    if (/^(wave|crossed-fin)/.test(c.role)) return true;
    // Of the last words one arrow is enough.
    return (
      isLastWord(this.conversation, c) &&
      c === this.conversation.crossings.find((o) => isLastWord(this.conversation, o))
    );
  }

  /** Height of a moment. */
  y(at: number): number {
    let rank = 0;
    while (rank < this.moments.length && this.moments[rank]! < at) rank++;
    return TOP + 40 + rank * STEP;
  }

  get bottom(): number {
    return TOP + 40 + (this.moments.length - 1) * STEP;
  }

  x(side: Side): number {
    return side === 'left' ? LEFT : RIGHT;
  }

  /** The states of an end, as bands from the top of the figure to its foot. */
  bands(side: Side, foot: number): Band[] {
    const first = this.moments[0] ?? 0;
    const last = this.moments.at(-1) ?? 0;
    const found: Band[] = [];
    const edges = this.conversation.edges[side];
    let state: State = edges[0]?.from ?? 'CLOSED';
    const inside = edges.filter((e) => {
      // What happened before the figure begins gives the state it begins with; listening is shown.
      const early = this.part === 'close' ? e.at < first : e.at < first && e.to !== 'LISTEN';
      if (early) state = e.to;
      return !early && (this.part === 'close' || e.at <= last) && !(this.part === 'close' && e.to === 'LISTEN');
    });
    found.push({ side, state, from: TOP, to: foot });
    for (const e of inside) {
      const after = e.at > last;
      // The listener is there before the first segment: half a step above it.
      const from = e.to === 'LISTEN' ? TOP + 20 : after ? foot - 34 : this.y(e.at);
      found[found.length - 1]!.to = from;
      found.push({ side, state: e.to, from, to: foot });
    }
    return found.filter((b) => b.to > b.from);
  }

  drawBands(side: Side, foot: number): void {
    const x = this.x(side);
    const sign = side === 'left' ? -1 : 1;
    for (const band of this.bands(side, foot)) {
      const [paper, rim] = STATE_INK[band.state];
      const height = band.to - band.from;
      this.out.push(
        `<rect x="${x - BAND / 2}" y="${round(band.from)}" width="${BAND}" height="${round(height)}" fill="${paper}" stroke="${rim}"/>`,
      );
      const middle = band.from + Math.min(height, 84) / 2 + 5;
      const name = band.state;
      this.out.push(
        text(x + sign * 18, middle, name, {
          size: 14,
          weight: 600,
          anchor: side === 'left' ? 'end' : 'start',
        }),
      );
      if (band.state === 'TIME-WAIT') this.drawWait(side, band);
    }
  }

  /** The bracket of 2MSL beside TIME-WAIT. */
  drawWait(side: Side, band: Band): void {
    const x = this.x(side) + (side === 'left' ? -14 : 14);
    const sign = side === 'left' ? -1 : 1;
    const from = band.from + 62;
    if (band.to - from < 20) return;
    const rim = STATE_INK['TIME-WAIT'][1];
    this.out.push(
      `<path d="M${x} ${round(from)}h${sign * 8}V${round(band.to)}h${-sign * 8}" fill="none" stroke="${rim}" stroke-width="1.5" stroke-dasharray="4 3"/>`,
    );
    const wait = this.conversation.timeWaits.at(-1);
    const seconds = wait === undefined ? '' : ` = ${Math.round(wait.until - wait.at) / 1000} s`;
    this.out.push(
      text(x + sign * 16, (from + band.to) / 2 + 5, `2MSL${seconds}`, {
        size: 13,
        fill: INK.soft,
        anchor: side === 'left' ? 'end' : 'start',
      }),
    );
  }

  /** What the segment says: flags and letters, and the plain words. */
  words(c: Crossing): { exact: string; plain: string } {
    const catalog = catalogOf(this.lang);
    const bits = [(c.flags & SYN) !== 0 ? 'SYN=1' : '', (c.flags & FIN) !== 0 ? 'FIN=1' : ''];
    bits.push((c.flags & ACK) !== 0 ? 'ACK=1' : '');
    const numbers = [`seq=${this.write.seq(c)}`, (c.flags & ACK) !== 0 ? `ack=${this.write.ack(c)}` : ''];
    if (c.len > 0) numbers.push(`len=${c.len}`);
    const said = {
      'shake-1': catalog['say-shake-1'],
      'shake-2': catalog['say-shake-2'],
      'shake-3': catalog['say-shake-3'],
      'crossed-syn': catalog['say-crossed-syn'],
      'wave-1': catalog['say-wave-1'],
      'wave-2': catalog['say-wave-2'],
      'wave-3': catalog['say-wave-3'],
      'wave-2+3': catalog['say-wave-2+3'],
      'wave-4': catalog['say-wave-4'],
      'crossed-fin': catalog['say-crossed-fin'],
      data: catalog['say-last-words'],
    } as Readonly<Record<string, string>>;
    const again = c.again ? ` (${catalog['label-again']})` : '';
    return {
      exact: [...bits, ...numbers].filter((w) => w !== '').join(GAP) + again,
      plain: c.again ? '' : (said[c.role] ?? ''),
    };
  }

  drawArrow(c: Crossing): void {
    const sign = c.from === 'left' ? 1 : -1;
    const x1 = this.x(c.from) + sign * (BAND / 2 + 1);
    const x2 = this.x(c.from === 'left' ? 'right' : 'left') - sign * (BAND / 2 + 2);
    const y1 = this.y(c.sentAt);
    const arrived = c.arrivedAt >= 0;
    const y2 = arrived ? this.y(c.arrivedAt) : y1 + STEP;
    const colour = c.from === 'left' ? INK.left : INK.right;
    const share = arrived ? 1 : 0.7;
    const endX = x1 + (x2 - x1) * share;
    const endY = y1 + (y2 - y1) * share;
    const dashed = c.role === 'data' || c.again ? ' stroke-dasharray="7 5"' : '';
    const head = arrived ? ` marker-end="url(#head-${c.from})"` : '';
    this.out.push(
      `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(endX)}" y2="${round(endY)}" stroke="${colour}" stroke-width="2"${dashed}${head}/>`,
    );
    if (!arrived) {
      const [a, b] = [round(endX), round(endY)];
      this.out.push(
        `<g transform="translate(${a} ${b})" stroke="${INK.hurt}" stroke-width="3" stroke-linecap="round"><path d="M-7-7L7 7M-7 7L7-7"/></g>`,
      );
    }
    this.drawWords(c, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1);
    this.drawBadge(c, x1, y1, x2, y2, colour);
  }

  /** The words along the line: exact above it, plain below. */
  drawWords(c: Crossing, x: number, y: number, dx: number, dy: number): void {
    const length = Math.sqrt(dx * dx + dy * dy);
    const flip = dx < 0 ? -1 : 1;
    const cos = round((flip * dx) / length);
    const sin = round((flip * dy) / length);
    const minus = round((-flip * dy) / length);
    const transform = `matrix(${cos} ${sin} ${minus} ${cos} ${round(x)} ${round(y)})`;
    const { exact, plain } = this.words(c);
    // Above the line the free side is the receiver's, below it the sender's. A lost segment's words stay
    // where its line is.
    const sign = c.from === 'left' ? 1 : -1;
    const room = (words: string, size: number) => Math.max(0, length / 2 - (textWidth(words) * size) / 2 - 14);
    const lost = c.arrivedAt < 0 ? -sign * 0.07 * length : 0;
    const above = lost !== 0 ? lost : sign * Math.min(SHIFT, room(exact, 8.5));
    const below = lost !== 0 ? lost : -sign * Math.min(SHIFT, room(plain, 6.5));
    const halo = INK.paper;
    this.out.push(text(above, -8, exact, { size: 14, mono: true, weight: 600, anchor: 'middle', transform, halo }));
    if (plain === '') return;
    const quoted = `\u201c${plain}\u201d`;
    this.out.push(
      text(below, 20, quoted, {
        size: 13,
        fill: INK.soft,
        anchor: 'middle',
        transform,
        halo,
        italic: this.lang !== 'zh',
      }),
    );
  }

  /** The number of the shake or wave, on its line near the sender. */
  drawBadge(c: Crossing, x1: number, y1: number, x2: number, y2: number, colour: string): void {
    const number = /^(?:shake|wave)-(.+)$/.exec(c.role)?.[1] ?? '';
    if (number === '') return;
    const share = 0.1;
    const x = round(x1 + (x2 - x1) * share);
    const y = y1 + (y2 - y1) * share;
    const wide = number.length > 1 ? 17 : 11;
    this.out.push(
      `<rect x="${round(Number(x) - wide)}" y="${round(y - 11)}" width="${2 * wide}" height="22" rx="11" fill="${colour}"/>`,
      text(Number(x), y + 5, number, { size: 13, weight: 700, fill: '#ffffff', anchor: 'middle' }),
    );
  }

  title(): string {
    const catalog = catalogOf(this.lang);
    if (this.part === 'open') return catalog[this.conversation.openedAtOnce ? 'section-open-at-once' : 'figure-open'];
    if (this.conversation.closedAtOnce) return catalog['section-close-at-once'];
    const A = catalog[this.conversation.closer === 'right' ? 'server' : 'client'];
    const three = this.crossings.some((c) => c.role === 'wave-2+3');
    return fill(catalog[three ? 'section-three-waves' : 'section-close'], { A });
  }

  /** What the letters of this figure stand for. */
  legend(): string {
    const { numbers, closer } = this.conversation;
    const sides: readonly Side[] = closer === 'right' && this.part === 'close' ? ['right', 'left'] : ['left', 'right'];
    const shown: string[] = [];
    for (const side of sides) {
      const end = numbers[side];
      if (this.part === 'open' && end.opened) shown.push(`${this.write.start(side)} = ${end.iss >>> 0}`);
      if (this.part === 'close' && end.closed) {
        shown.push(`${this.write.fin(side)} = ${this.write.fromStart(side, end.fin).replace('+', ' + ')}`);
      }
    }
    return shown.join(GAP + GAP);
  }

  figure(): Figure {
    const catalog = catalogOf(this.lang);
    const waits = this.part === 'close' && this.conversation.timeWaits.length > 0;
    const foot = this.bottom + (waits ? 150 : 54);
    const height = foot + 30;
    this.out.push(
      '<defs>',
      ...(['left', 'right'] as const).map(
        (side) =>
          `<marker id="head-${side}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0.5L10 5L0 9.5L2.5 5z" fill="${INK[side]}"/></marker>`,
      ),
      '</defs>',
      text(WIDTH / 2, 40, this.title(), { size: 20, weight: 700, anchor: 'middle' }),
      text(WIDTH / 2, 64, this.legend(), { size: 13, mono: true, fill: INK.soft, anchor: 'middle' }),
    );
    for (const side of ['left', 'right'] as const) {
      const x = this.x(side);
      const name = catalog[side === 'left' ? 'client' : 'server'];
      this.out.push(text(x, TOP - 14, name, { size: 17, weight: 700, fill: INK[side], anchor: 'middle' }));
      this.drawBands(side, foot);
    }
    for (const c of this.crossings) this.drawArrow(c);
    const description = catalog[this.part === 'open' ? 'figure-open-desc' : 'figure-close-desc'];
    return { width: WIDTH, height, body: this.out.join('\n'), title: this.title(), description };
  }
}

/**
 * Draws the handshake or the close of a conversation.
 *
 * @returns a drawing for `svgFile`, or `null` when the trace shows no such part
 */
export function sequenceFigure(conversation: Conversation, part: FigurePart, lang: Lang): Figure | null {
  const drawn = new Sequence(conversation, part, lang);
  return drawn.crossings.length === 0 ? null : drawn.figure();
}

/** Both classic figures of a conversation in one drawing. */
export function storyFigure(conversation: Conversation, lang: Lang): Figure {
  const catalog = catalogOf(lang);
  const parts = (['open', 'close'] as const).map((part) => sequenceFigure(conversation, part, lang));
  const shown = parts.filter((f) => f !== null);
  return stack(shown, `${catalog['figure-open']}, ${catalog['figure-close']}`);
}
