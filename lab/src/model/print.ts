// The ladder as a drawing of its own, for paper or as a short film: in the colours of the project's other figures.

import { type Figure, INK, type Lang, STATE_INK, svgFile, svgText } from 'synfin/trace';
import { timeText } from '../i18n/texts.ts';
import { marksOf, roleNumber, segmentWords } from '../i18n/words.ts';
import { type Arrow, progressOf, type Scene } from './moment.ts';
import type { RunRecord } from './record.ts';
import type { End } from './scenario.ts';
import type { Timeline } from './timeline.ts';

const WIDTH = 860;
const X: Readonly<Record<End, number>> = { client: 170, server: 690 };
const TOP = 96;
const FOOT = 40;
const BAND = 12;

/** What stands in the head of the drawing. */
interface PrintHead {
  readonly title: string;
  readonly client: string;
  readonly server: string;
  /** How to get the same run again. */
  readonly note: string;
}

function at(x: number): string {
  return String(Math.round(x * 100) / 100);
}

function bandsOf(scene: Scene, end: End, p: number): string[] {
  const out: string[] = [];
  const outward = end === 'client' ? -1 : 1;
  const anchor = end === 'client' ? 'end' : 'start';
  for (const band of scene.ends[end].bands) {
    const to = Math.min(band.toP, p + 20);
    if (to <= band.fromP) continue;
    const [paper, rim] = STATE_INK[band.state];
    out.push(
      `<rect x="${X[end] - BAND / 2}" y="${at(TOP + band.fromP)}" width="${BAND}" height="${at(to - band.fromP)}" fill="${paper}" stroke="${rim}"/>`,
    );
    if (to - band.fromP > 9) {
      const look = { size: 12, weight: 700, anchor } as const;
      out.push(svgText(X[end] + outward * 14, TOP + band.fromP + 14, band.state, look));
    }
  }
  return out;
}

function arrowOf(scene: Scene, lang: Lang, arrow: Arrow, p: number): string[] {
  const { crossing: c, flight } = arrow;
  const { gone, status } = progressOf(flight, p);
  const sign = flight.from === 'client' ? 1 : -1;
  const x1 = X[flight.from] + sign * (BAND / 2 + 1);
  const far = X[flight.from === 'client' ? 'server' : 'client'] - sign * (BAND / 2 + 2);
  const [y1, y] = [TOP + flight.sentP, TOP + flight.endP];
  const x2 = x1 + (far - x1) * gone;
  const y2 = y1 + (y - y1) * gone;
  const colour = flight.forged ? INK.hurt : flight.from === 'client' ? INK.left : INK.right;
  const dash = c.again ? ' stroke-dasharray="8 4"' : '';
  const tip = status === 'arrived' ? ` marker-end="url(#tip-${flight.forged ? 'forged' : flight.from})"` : '';
  const out = [
    `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${colour}" stroke-width="1.8"${dash}${tip}/>`,
  ];
  if (status !== 'arrived' && status !== 'flying') {
    out.push(`<path d="M${at(x2 - 6)} ${at(y2 - 6)}l12 12m-12 0l12 -12" stroke="${INK.hurt}" stroke-width="2.6"/>`);
  }
  if (flight.twice && flight.copyP <= p) {
    out.push(
      `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(far)}" y2="${at(TOP + Math.max(flight.copyP, flight.endP + 5))}" stroke="${colour}" stroke-dasharray="3 4" stroke-width="1.4" marker-end="url(#tip-${flight.from})"/>`,
    );
  }
  const number = roleNumber(c);
  const words = [
    number === '' ? '' : `[${number}]`,
    arrow.stray,
    ...segmentWords(c, scene.letters, arrow.stray !== ''),
  ];
  const said = [...words, ...marksOf(lang, c, flight.twice, status)].filter((word) => word !== '').join('  ');
  const angle = (Math.atan2(sign * (y - y1), sign * (far - x1)) * 180) / Math.PI;
  const transform = `translate(${at((x1 + far) / 2)} ${at((y1 + y) / 2)}) rotate(${at(angle)})`;
  out.push(svgText(0, -6, said, { size: 12, mono: true, anchor: 'middle', halo: INK.paper, transform }));
  return out;
}

/** The moments beside a line of time, those that would cover each other left out. */
function timesOf(scene: Scene, end: End, p: number): string[] {
  const seen = new Map<number, number>();
  for (const { flight } of scene.arrows) {
    if (flight.from === end) seen.set(flight.sentP, flight.sentAt);
    else if (flight.arrives && flight.endP <= p) seen.set(flight.endP, flight.endAt);
  }
  let before = Number.NEGATIVE_INFINITY;
  const out: string[] = [];
  for (const [place, time] of [...seen].sort((a, b) => a[0] - b[0])) {
    if (place - before < 26) continue;
    before = place;
    const x = end === 'client' ? 14 : WIDTH - 14;
    const look = { size: 11, fill: INK.soft, anchor: end === 'client' ? 'start' : 'end' } as const;
    out.push(svgText(x, TOP + place + 4, timeText(time), look));
  }
  return out;
}

const HEADS = ['client', 'server', 'forged'] as const;

/** What the drawing stands on: arrow heads, title, and the names above the lines of time. */
function headOf(head: PrintHead, record: RunRecord): string[] {
  const colours = { client: INK.left, server: INK.right, forged: INK.hurt };
  const marker = (name: keyof typeof colours) =>
    `<marker id="tip-${name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5L10 5L0 9.5L2.5 5z" fill="${colours[name]}"/></marker>`;
  return [
    '<defs>',
    ...HEADS.map(marker),
    '</defs>',
    svgText(WIDTH / 2, 36, head.title, { size: 19, weight: 700, anchor: 'middle' }),
    svgText(WIDTH / 2, 58, `${head.note}, digest ${record.digest}`, { size: 11.5, fill: INK.soft, anchor: 'middle' }),
    svgText(X.client, TOP - 10, head.client, { size: 15, weight: 700, fill: INK.left, anchor: 'middle' }),
    svgText(X.server, TOP - 10, head.server, { size: 15, weight: 700, fill: INK.right, anchor: 'middle' }),
  ];
}

/** The ladder itself, from its top to position `foot`. */
function ladderOf(scene: Scene, timeline: Timeline, lang: Lang, foot: number): string[] {
  const gaps = timeline.gaps.filter((gap) => gap.toP <= foot);
  return [
    ...(['client', 'server'] as const).flatMap((end) => [...bandsOf(scene, end, foot), ...timesOf(scene, end, foot)]),
    ...gaps.map((gap) =>
      svgText(WIDTH / 2, TOP + (gap.fromP + gap.toP) / 2 + 16, `\u22ef ${timeText(gap.ms)} \u22ef`, {
        size: 12,
        fill: INK.faint,
        anchor: 'middle',
        italic: true,
      }),
    ),
    ...scene.arrows.flatMap((arrow) => arrowOf(scene, lang, arrow, foot)),
  ];
}

function fileOf(head: PrintHead, lang: Lang, height: number, body: readonly string[]): string {
  const figure: Figure = { width: WIDTH, height, body: body.join('\n'), title: head.title, description: head.note };
  return svgFile(figure, lang === 'zh' ? 'zh-CN' : 'en');
}

/** Draws the ladder up to position `p` as a file. */
export type LadderPrint = (
  scene: Scene,
  timeline: Timeline,
  record: RunRecord,
  p: number,
  lang: Lang,
  head: PrintHead,
) => string;

/** As an SVG file of its own. */
export const printLadder: LadderPrint = (scene, timeline, record, p, lang, head) => {
  const foot = Math.min(p, timeline.length);
  const body = [...headOf(head, record), ...ladderOf(scene, timeline, lang, foot)];
  return fileOf(head, lang, Math.ceil(TOP + foot + FOOT), body);
};

/** The film: how much of the ladder is seen at once, and how fast time goes down, pixels and pixels per second. */
const SEEN = 420;
const PACE = 80;
/** How long the end is looked at, seconds. */
const HOLD = 4;
/** The present keeps this far from the lower edge, pixels. */
const AHEAD = 60;

/** As a short film: an SVG file in which time passes, again and again. Who wants no motion sees the end of it. */
export const filmLadder: LadderPrint = (scene, timeline, record, p, lang, head) => {
  const foot = Math.min(p, timeline.length);
  const seconds = foot / PACE + HOLD;
  /** When the present is at a position, as a share of the film. */
  const when = (position: number) => `${at((position / PACE / seconds) * 100)}%`;
  const climb = Math.max(foot + AHEAD - SEEN, 0);
  const start = Math.max(foot - climb, 0);
  const style = [
    `@keyframes now{0%{transform:translateY(0)}${when(foot)},100%{transform:translateY(${at(foot)}px)}}`,
    `@keyframes climb{0%,${when(start)}{transform:translateY(0)}${when(foot)},100%{transform:translateY(${at(-climb)}px)}}`,
    `.now,.climb{animation-duration:${at(seconds)}s;animation-timing-function:linear;animation-iteration-count:infinite}`,
    '.now{animation-name:now}',
    '.climb{animation-name:climb}',
    `@media (prefers-reduced-motion:reduce){.now{display:none}.climb{animation:none;transform:translateY(${at(-climb)}px)}}`,
  ];
  const body = [
    `<style>${style.join('')}</style>`,
    ...headOf(head, record),
    `<clipPath id="seen"><rect x="0" y="${TOP - 4}" width="${WIDTH}" height="${SEEN + 4}"/></clipPath>`,
    '<g clip-path="url(#seen)"><g class="climb">',
    ...ladderOf(scene, timeline, lang, foot),
    // What is to come is covered.
    `<g class="now"><rect x="1" y="${TOP}" width="${WIDTH - 2}" height="${at(foot + SEEN)}" fill="${INK.paper}"/><path d="M1 ${TOP}H${WIDTH - 1}" stroke="${INK.faint}" stroke-dasharray="2 5"/></g>`,
    '</g></g>',
  ];
  return fileOf(head, lang, TOP + SEEN + 12, body);
};
