// The ladder as a drawing for paper: everything up to a moment, in the colours of the project's other figures.

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
export interface PrintHead {
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

/** Draws the ladder up to position `p` as an SVG file of its own. */
export function printLadder(
  scene: Scene,
  timeline: Timeline,
  record: RunRecord,
  p: number,
  lang: Lang,
  head: PrintHead,
): string {
  const foot = Math.min(p, timeline.length);
  const marker = (name: string, colour: string) =>
    `<marker id="tip-${name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5L10 5L0 9.5L2.5 5z" fill="${colour}"/></marker>`;
  const gaps = timeline.gaps.filter((gap) => gap.toP <= foot);
  const body = [
    '<defs>',
    marker('client', INK.left),
    marker('server', INK.right),
    marker('forged', INK.hurt),
    '</defs>',
    svgText(WIDTH / 2, 36, head.title, { size: 19, weight: 700, anchor: 'middle' }),
    svgText(WIDTH / 2, 58, `${head.note}, digest ${record.digest}`, { size: 11.5, fill: INK.soft, anchor: 'middle' }),
    svgText(X.client, TOP - 10, head.client, { size: 15, weight: 700, fill: INK.left, anchor: 'middle' }),
    svgText(X.server, TOP - 10, head.server, { size: 15, weight: 700, fill: INK.right, anchor: 'middle' }),
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
  const figure: Figure = {
    width: WIDTH,
    height: Math.ceil(TOP + foot + FOOT),
    body: body.join('\n'),
    title: head.title,
    description: head.note,
  };
  return svgFile(figure, lang === 'zh' ? 'zh-CN' : 'en');
}
