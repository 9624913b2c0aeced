// Where the eleven states stand and how the edges between them run. Which edges there are comes from the table that
// the stack itself obeys; here they only get their places.

import { EDGES, type Edge, type State } from 'synfin';

/** A box of the diagram: CLOSED stands twice, as in RFC 9293 figure 5: life begins and ends there. */
export type Box = State | 'END';

/** Size of the drawing and of its boxes. */
export const WIDTH = 348;
export const HEIGHT = 424;
export const BOX_WIDTH = 102;
export const BOX_HEIGHT = 28;

const [L, M, R] = [55, 174, 293] as const;

/** The middle of each box. */
export const PLACES: Readonly<Record<Box, readonly [number, number]>> = {
  CLOSED: [M, 20],
  LISTEN: [M, 84],
  'SYN-RECEIVED': [L, 148],
  'SYN-SENT': [R, 148],
  ESTABLISHED: [M, 212],
  'FIN-WAIT-1': [L, 276],
  'CLOSE-WAIT': [R, 276],
  'FIN-WAIT-2': [L, 340],
  CLOSING: [M, 340],
  'LAST-ACK': [R, 340],
  'TIME-WAIT': [M, 404],
  END: [R, 404],
};

/** An edge and its run. */
export interface Route {
  readonly edge: Edge;
  readonly path: string;
  /** One that RFC 9293 figure 5 draws. */
  readonly usual: boolean;
}

/** Runs that are not straight between the nearest sides. */
const RUNS: Readonly<Record<string, string>> = {
  'CLOSED>LISTEN': 'M160 34V70',
  'LISTEN>CLOSED': 'M188 70V34',
  'CLOSED>SYN-SENT': 'M225 16H290Q306 16 306 32V134',
  'SYN-SENT>CLOSED': 'M280 134V40Q280 26 266 26H225',
  'LISTEN>SYN-RECEIVED': 'M123 84H71Q55 84 55 100V134',
  'SYN-SENT>SYN-RECEIVED': 'M242 148H106',
  'SYN-RECEIVED>ESTABLISHED': 'M76 162V192Q76 206 90 206H123',
  'SYN-SENT>ESTABLISHED': 'M272 162V192Q272 206 258 206H225',
  'SYN-RECEIVED>FIN-WAIT-1': 'M36 162V262',
  'ESTABLISHED>FIN-WAIT-1': 'M123 218H90Q76 218 76 232V262',
  'ESTABLISHED>CLOSE-WAIT': 'M225 218H258Q272 218 272 232V262',
  'FIN-WAIT-1>FIN-WAIT-2': 'M45 290V326',
  'FIN-WAIT-1>CLOSING': 'M106 270H160Q174 270 174 284V326',
  'FIN-WAIT-1>TIME-WAIT': 'M98 290Q114 302 114 318V382Q114 398 123 398',
  'FIN-WAIT-2>TIME-WAIT': 'M55 354V394Q55 410 71 410H123',
  'CLOSING>TIME-WAIT': 'M174 354V390',
  'CLOSE-WAIT>LAST-ACK': 'M293 290V326',
  'LAST-ACK>END': 'M293 354V390',
  'TIME-WAIT>END': 'M225 404H242',
};

/** The box that an edge leads to. */
export function boxOf(edge: Edge): Box {
  const end = edge.to === 'CLOSED' && (edge.from === 'TIME-WAIT' || edge.from === 'LAST-ACK');
  return end ? 'END' : edge.to;
}

/** The lanes between the columns, for edges that are drawn only when they are taken: resets, aborts, time-outs. */
const LANES = { left: 114, right: 234 } as const;

/** From a box up the nearest lane to CLOSED. */
function upTheLane(from: Box): string {
  const [x, y] = PLACES[from];
  const [top, half] = [PLACES.CLOSED[1], BOX_WIDTH / 2];
  if (x > M)
    return `M${x - half} ${y}Q${LANES.right} ${y} ${LANES.right} ${y - 12}V${top + 18}Q${LANES.right} ${top + 8} ${M + half} ${top + 8}`;
  const start = x < M ? x + half : x - half;
  return `M${start} ${y}Q${LANES.left} ${y} ${LANES.left} ${y - 12}V${top + 12}Q${LANES.left} ${top} ${M - half} ${top}`;
}

/** How an edge runs. */
export function routeOf(edge: Edge): Route {
  const to = boxOf(edge);
  const run = RUNS[`${edge.from}>${to}`];
  return { edge, path: run ?? upTheLane(edge.from), usual: edge.drawn };
}

/** The edges that the diagram always shows: those of the RFC's figure, and the one of three waves. */
export const ROUTES: readonly Route[] = EDGES.filter((e) => e.drawn || e.cause === 'rcv FIN,ACK of FIN').map(routeOf);
