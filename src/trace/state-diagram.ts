// The diagram of the eleven states, drawn from the edges that the stack itself obeys.
//
// Boxes have places here; what goes from where to where, why, and what is sent comes from `EDGES`. Edges
// that a conversation took are drawn in the colour of the end that took them.

import { EDGES, type Edge, type State } from '../base/state.ts';
import type { Lang } from './catalog.ts';
import type { Conversation, Side } from './conversation.ts';
import { catalogOf } from './narration.ts';
import { type Figure, INK, round, STATE_INK, text } from './svg.ts';

const WIDTH = 980;
const HEIGHT = 1010;
const BOX_WIDTH = 148;
const BOX_HEIGHT = 44;

/** A box: a state and its middle. CLOSED stands twice, as in the RFC's figure: life begins and ends there. */
type Box = State | 'CLOSED at the end';

const PLACES: Readonly<Record<Box, readonly [number, number]>> = {
  CLOSED: [490, 120],
  LISTEN: [490, 262],
  'SYN-RECEIVED': [210, 400],
  'SYN-SENT': [770, 400],
  ESTABLISHED: [490, 532],
  'FIN-WAIT-1': [210, 660],
  'CLOSE-WAIT': [770, 660],
  'FIN-WAIT-2': [210, 800],
  CLOSING: [490, 800],
  'LAST-ACK': [770, 800],
  'TIME-WAIT': [490, 930],
  'CLOSED at the end': [770, 930],
};

/** How an edge runs: its path and the place and alignment of its words. */
interface Route {
  readonly path: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
}

/** Runs that are not a straight line between the nearest sides. */
const ROUTES: Readonly<Record<string, Route>> = {
  'CLOSED>LISTEN': { path: 'M462 142V240', x: 452, y: 188, anchor: 'end' },
  'LISTEN>CLOSED': { path: 'M518 240V142', x: 528, y: 196, anchor: 'start' },
  'CLOSED>SYN-SENT': { path: 'M564 112H770Q790 112 790 132V378', x: 800, y: 200, anchor: 'start' },
  'SYN-SENT>CLOSED': { path: 'M750 378V150Q750 130 730 130H564', x: 742, y: 250, anchor: 'end' },
  'LISTEN>SYN-RECEIVED': { path: 'M416 262H230Q210 262 210 282V378', x: 222, y: 322, anchor: 'start' },
  'SYN-SENT>SYN-RECEIVED': { path: 'M696 400H284', x: 490, y: 374, anchor: 'middle' },
  'SYN-RECEIVED>ESTABLISHED': { path: 'M250 422V492Q250 512 270 512H416', x: 262, y: 470, anchor: 'start' },
  'SYN-SENT>ESTABLISHED': { path: 'M730 422V492Q730 512 710 512H564', x: 718, y: 462, anchor: 'end' },
  'SYN-RECEIVED>FIN-WAIT-1': { path: 'M170 422V638', x: 160, y: 540, anchor: 'end' },
  'ESTABLISHED>FIN-WAIT-1': { path: 'M416 552H270Q250 552 250 572V638', x: 262, y: 590, anchor: 'start' },
  'ESTABLISHED>CLOSE-WAIT': { path: 'M564 552H710Q730 552 730 572V638', x: 718, y: 590, anchor: 'end' },
  'FIN-WAIT-1>FIN-WAIT-2': { path: 'M210 682V778', x: 200, y: 734, anchor: 'end' },
  'FIN-WAIT-1>CLOSING': { path: 'M284 660H500Q520 660 520 680V778', x: 530, y: 724, anchor: 'start' },
  'FIN-WAIT-1>TIME-WAIT': {
    path: 'M284 674H350Q370 674 370 694V900Q370 920 390 920H416',
    x: 380,
    y: 726,
    anchor: 'start',
  },
  'CLOSE-WAIT>LAST-ACK': { path: 'M770 682V778', x: 780, y: 724, anchor: 'start' },
  'FIN-WAIT-2>TIME-WAIT': { path: 'M210 822V922Q210 942 230 942H416', x: 222, y: 878, anchor: 'start' },
  'CLOSING>TIME-WAIT': { path: 'M490 822V908', x: 500, y: 870, anchor: 'start' },
  'LAST-ACK>CLOSED': { path: 'M770 822V908', x: 780, y: 870, anchor: 'start' },
  'TIME-WAIT>CLOSED': { path: 'M564 930H696', x: 630, y: 950, anchor: 'middle' },
  'SYN-RECEIVED>CLOSE-WAIT': {
    path: 'M284 412H850Q870 412 870 432V618Q870 638 850 638H844',
    x: 880,
    y: 520,
    anchor: 'start',
  },
};

/** Edges from the RFC's text that are drawn beside those of its figure. */
function isShown(edge: Edge): boolean {
  return edge.drawn || edge.cause === 'rcv FIN,ACK of FIN';
}

/** Which ends of a conversation took an edge. */
function takenBy(conversation: Conversation | null, edge: Edge): Side[] {
  if (conversation === null) return [];
  return (['left', 'right'] as const).filter((side) =>
    conversation.edges[side].some((e) => e.from === edge.from && e.to === edge.to && e.cause === edge.cause),
  );
}

/** The straight line between the nearest sides of two boxes. */
function straight(from: Box, to: Box): Route {
  const [x1, y1] = PLACES[from];
  const [x2, y2] = PLACES[to];
  const down = Math.sign(y2 - y1);
  const across = down === 0 ? Math.sign(x2 - x1) : 0;
  const start = [x1 + (across * BOX_WIDTH) / 2, y1 + (down * BOX_HEIGHT) / 2];
  const end = [x2 - (across * BOX_WIDTH) / 2, y2 - (down * BOX_HEIGHT) / 2];
  const path = `M${round(start[0]!)} ${round(start[1]!)}L${round(end[0]!)} ${round(end[1]!)}`;
  return { path, x: (x1 + x2) / 2 + 8, y: (y1 + y2) / 2, anchor: 'start' };
}

function drawEdge(edge: Edge, conversation: Conversation | null): { lines: string; words: string } {
  const end: Box =
    edge.to === 'CLOSED' && (edge.from === 'TIME-WAIT' || edge.from === 'LAST-ACK') ? 'CLOSED at the end' : edge.to;
  const route = ROUTES[`${edge.from}>${edge.to}`] ?? straight(edge.from, end);
  const taken = takenBy(conversation, edge);
  const side = taken[0];
  const colour = side === undefined ? INK.line : INK[side];
  const head = side === undefined ? 'rare' : side;
  const dashed = edge.drawn ? '' : ' stroke-dasharray="5 4"';
  const lines = `<path d="${route.path}" fill="none" stroke="${colour}" stroke-width="${side === undefined ? 1.5 : 2.75}"${dashed} marker-end="url(#edge-${head})"/>`;
  const look = { anchor: route.anchor, halo: INK.paper } as const;
  const words = [
    text(route.x, route.y, edge.cause, { size: 13, fill: side === undefined ? INK.soft : colour, ...look }),
  ];
  if (edge.sends !== '') {
    words.push(
      text(route.x, route.y + 17, edge.sends, { size: 12.5, mono: true, weight: 600, fill: INK.text, ...look }),
    );
  }
  return { lines, words: words.join('\n') };
}

function drawBox(box: Box): string {
  const state: State = box === 'CLOSED at the end' ? 'CLOSED' : box;
  const [x, y] = PLACES[box];
  const [paper, rim] = STATE_INK[state];
  return [
    `<rect x="${x - BOX_WIDTH / 2}" y="${y - BOX_HEIGHT / 2}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="10" fill="${paper}" stroke="${rim}" stroke-width="1.5"/>`,
    text(x, y + 5, state, { size: 15, weight: 700, anchor: 'middle' }),
  ].join('\n');
}

/**
 * Draws the state machine.
 *
 * @param conversation whose ends' ways are to be marked; none when `null`
 */
export function stateFigure(lang: Lang, conversation: Conversation | null = null): Figure {
  const catalog = catalogOf(lang);
  const heads = { left: INK.left, right: INK.right, rare: INK.line };
  const out: string[] = [
    '<defs>',
    ...Object.entries(heads).map(
      ([name, colour]) =>
        `<marker id="edge-${name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5L10 5L0 9.5L2.5 5z" fill="${colour}"/></marker>`,
    ),
    '</defs>',
    text(WIDTH / 2, 44, catalog['figure-states'], { size: 20, weight: 700, anchor: 'middle' }),
  ];
  if (conversation !== null) {
    const legend = [
      [catalog['figure-legend-client'], INK.left],
      [catalog['figure-legend-server'], INK.right],
      [catalog['figure-legend-rare'], INK.line],
    ] as const;
    legend.forEach(([words, colour], i) => {
      const y = 66 + 22 * i;
      out.push(`<path d="M36 ${y}h34" stroke="${colour}" stroke-width="2.75"/>`, text(80, y + 5, words, { size: 13 }));
    });
  }
  const edges = EDGES.filter(isShown).map((e) => drawEdge(e, conversation));
  out.push(...edges.map((e) => e.lines), ...(Object.keys(PLACES) as Box[]).map(drawBox), ...edges.map((e) => e.words));
  out.push(text(WIDTH / 2, HEIGHT - 22, catalog['figure-rest'], { size: 13, fill: INK.soft, anchor: 'middle' }));
  return {
    width: WIDTH,
    height: HEIGHT,
    body: out.join('\n'),
    title: catalog['figure-states'],
    description: catalog['figure-states-desc'],
  };
}
