// What every drawing shares: escaping, numbers, colours, fonts and the frame around a figure.

import type { State } from '../base/state.ts';

/** A drawing that can stand alone or inside another. */
export interface Figure {
  readonly width: number;
  readonly height: number;
  /** Elements, without the `<svg>` around them. */
  readonly body: string;
  readonly title: string;
  readonly description: string;
}

/** Fonts that are there: the reader's own, with one for Han characters. */
const SANS =
  "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif";
const MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans CJK SC', monospace";

/** Colours by meaning; every meaning is also said in words. */
export const INK = {
  paper: '#ffffff',
  frame: '#d0d7de',
  text: '#1f2328',
  soft: '#59636e',
  faint: '#818b98',
  line: '#8c959f',
  left: '#0969da',
  right: '#1a7f37',
  hurt: '#cf222e',
} as const;

/** Fill and edge of a state's box or band. */
export const STATE_INK: Readonly<Record<State, readonly [string, string]>> = {
  CLOSED: ['#eaeef2', '#8c959f'],
  LISTEN: ['#ddf4ff', '#54aeff'],
  'SYN-SENT': ['#fff8c5', '#d4a72c'],
  'SYN-RECEIVED': ['#fff8c5', '#d4a72c'],
  ESTABLISHED: ['#dafbe1', '#4ac26b'],
  'FIN-WAIT-1': ['#fff1e5', '#fb8f44'],
  'FIN-WAIT-2': ['#fff1e5', '#fb8f44'],
  'CLOSE-WAIT': ['#ffeff7', '#e85aad'],
  CLOSING: ['#fff1e5', '#fb8f44'],
  'LAST-ACK': ['#ffeff7', '#e85aad'],
  'TIME-WAIT': ['#fbefff', '#a475f9'],
};

/** Text made safe inside SVG. */
function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A coordinate with at most two decimals, the same on every engine. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** How a text looks. */
export interface TextLook {
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly weight?: number;
  readonly mono?: boolean;
  readonly italic?: boolean;
  /** A transform in place of `x` and `y`. */
  readonly transform?: string;
  /** A rim in this colour, so that lines behind the text do not cut it. */
  readonly halo?: string;
}

/** A `<text>` element. */
export function text(x: number, y: number, content: string, look: TextLook = {}): string {
  const parts = [
    look.transform === undefined ? `x="${round(x)}" y="${round(y)}"` : `transform="${look.transform}"`,
    `font-size="${look.size ?? 14}"`,
    `fill="${look.fill ?? INK.text}"`,
  ];
  if (look.transform !== undefined) parts.push(`x="${round(x)}" y="${round(y)}"`);
  if (look.anchor !== undefined && look.anchor !== 'start') parts.push(`text-anchor="${look.anchor}"`);
  if (look.weight !== undefined) parts.push(`font-weight="${look.weight}"`);
  if (look.mono === true) parts.push(`font-family="${MONO}"`);
  if (look.italic === true) parts.push('font-style="italic"');
  if (look.halo !== undefined) {
    parts.push(`stroke="${look.halo}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"`);
  }
  return `<text ${parts.join(' ')}>${escapeXml(content)}</text>`;
}

/** A drawing as a file of its own: readable on a light and on a dark page, with a title and a description. */
export function svgFile(figure: Figure, lang: string): string {
  const { width, height } = figure;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc" lang="${lang}" font-family="${SANS}">`,
    `<title id="title">${escapeXml(figure.title)}</title>`,
    `<desc id="desc">${escapeXml(figure.description)}</desc>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="12" fill="${INK.paper}" stroke="${INK.frame}"/>`,
    figure.body,
    '</svg>',
    '',
  ].join('\n');
}

/** Several drawings in one, one below the other. */
export function stack(figures: readonly Figure[], title: string): Figure {
  let height = 0;
  let width = 0;
  const parts: string[] = [];
  for (const f of figures) {
    parts.push(`<g transform="translate(0 ${height})">`, f.body, '</g>');
    height += f.height;
    width = Math.max(width, f.width);
  }
  return { width, height, body: parts.join('\n'), title, description: figures.map((f) => f.description).join(' ') };
}
