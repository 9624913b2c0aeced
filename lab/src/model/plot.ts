// What is plotted of one end: its windows and times, where each was known, and where its segments were lost.

import type { End } from './scenario.ts';
import { instantAt, type Timeline, timeAt } from './timeline.ts';

/** The variables from a moment on; `null` while there is no value. */
export interface PlotPoint {
  readonly at: number;
  readonly cwnd: number;
  readonly ssthresh: number | null;
  readonly flight: number;
  readonly srtt: number | null;
  readonly rto: number;
}

/** Curves and marks. */
export interface Plotted {
  readonly points: readonly PlotPoint[];
  /** Moments at which a segment of this end was lost, ms. */
  readonly losses: readonly number[];
}

const SLACK = 0.01;
/** Steps of a curve nearer to each other than this are one, units of the drawing. */
const FINEST = 0.7;

/** Longer silences are drawn as if they were this long, ms. */
const LONGEST_SILENCE = 300;

/**
 * The scale of time: true to the clock but for long silences.
 *
 * @returns how far a moment is from the beginning, ms without what is left out of silences
 */
export function clockOf(timeline: Timeline): (at: number) => number {
  const { instants } = timeline;
  const places: number[] = [];
  instants.forEach(({ at }, i) => {
    const gap = i === 0 ? 0 : at - instants[i - 1]!.at;
    places.push((places[i - 1] ?? 0) + Math.min(gap, LONGEST_SILENCE));
  });
  return (at) => {
    const i = instantAt(timeline, at);
    if (i < 0) return 0;
    const next = instants[i + 1];
    const since = at - instants[i]!.at;
    const gap = next === undefined ? Number.POSITIVE_INFINITY : next.at - instants[i]!.at;
    return places[i]! + (gap > LONGEST_SILENCE ? Math.min(since / gap, 1) * LONGEST_SILENCE : since);
  };
}

/** What is known by position `p`. */
export function plotOf(timeline: Timeline, end: End, p: number): Plotted {
  const points = timeline.insides[end]
    .filter((i) => i.p <= p + SLACK)
    .map(({ inside: { at, view: v } }) => ({
      at,
      cwnd: v.cwnd,
      ssthresh: Number.isFinite(v.ssthresh) ? v.ssthresh : null,
      flight: v.flightSize,
      srtt: v.srtt < 0 ? null : v.srtt,
      rto: v.rto,
    }));
  const losses = [...timeline.flights.values()]
    .filter((f) => f.from === end && f.hurt === 'lost' && f.hurtP <= p + SLACK)
    .map((f) => timeAt(timeline, f.hurtP));
  return { points, losses };
}

/**
 * A curve of steps as a path.
 *
 * @param until when the last step ends, ms
 * @param foot where the area below it ends, -1 for a line only
 */
export function curveOf(
  points: readonly PlotPoint[],
  name: Exclude<keyof PlotPoint, 'at'>,
  until: number,
  x: (at: number) => number,
  y: (value: number) => number,
  foot: number,
): string {
  const at = (value: number) => String(Math.round(value * 10) / 10);
  const steps: string[] = [];
  let start = Number.NaN;
  let last = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    const value = point[name];
    if (value === null) continue;
    const here = x(point.at);
    if (steps.length === 0) {
      start = here;
      steps.push(`M${at(here)} ${at(y(value))}`);
    } else if (here - last < FINEST) {
      // Too near to be told apart: the newer value stands for both.
      steps[steps.length - 1] = `${steps.at(-1)!.replace(/V[^V]*$/, '')}V${at(y(value))}`;
      continue;
    } else steps.push(`H${at(here)}V${at(y(value))}`);
    last = here;
  }
  if (steps.length === 0) return '';
  const path = `${steps.join('')}H${at(x(until))}`;
  return foot < 0 ? path : `${path}V${at(foot)}H${at(start)}Z`;
}
