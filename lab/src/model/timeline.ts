// Where everything of a run stands on the ladder: a scale on which a minute of silence is short, and on which what
// happens at one instant stands apart.
//
// A position is a number of pixels at the ladder's natural size. Positions of what has happened do not depend on what
// follows, so a fork of the run leaves the ladder above it as it is.

import type { TraceEvent } from 'synfin';
import type { ProgramEvent, RunRecord } from './run.ts';
import { type End, PATH_DELAY } from './scenario.ts';

/** One thing that happens: something traced, or something a program does. */
export interface Beat {
  readonly at: number;
  /** Position on the ladder. */
  p: number;
  readonly trace: TraceEvent | null;
  readonly program: ProgramEvent | null;
}

/** The way of one packet across the ladder. */
export interface Flight {
  readonly packet: number;
  readonly from: End;
  readonly sentAt: number;
  readonly sentP: number;
  /** Where it arrives, or would have. */
  endP: number;
  endAt: number;
  arrives: boolean;
  /** Where it was lost or damaged; -1 when it was neither. */
  hurtP: number;
  hurt: 'lost' | 'corrupted' | '';
  /** It arrives twice. */
  twice: boolean;
  /** A segment of the other end crosses it. */
  crossed: boolean;
  /** Its end sends nothing else at the same instant. */
  alone: boolean;
}

/** A stretch of the ladder that stands for more time than its length says. */
export interface Gap {
  readonly fromP: number;
  readonly toP: number;
  /** When it begins, and how long it is, ms. */
  readonly fromAt: number;
  readonly ms: number;
}

/** A run laid out. */
export interface Timeline {
  readonly beats: readonly Beat[];
  readonly flights: ReadonlyMap<number, Flight>;
  readonly gaps: readonly Gap[];
  /** Position of the end. */
  readonly length: number;
  /** Instants in order, with the stretch of positions that each takes. */
  readonly instants: readonly { readonly at: number; readonly fromP: number; readonly toP: number }[];
}

const PIXELS_PER_MS = 1.15;
const LEAST_GAP = 14;
const MOST_GAP = 88;
/** Between two segments of one host at one instant, so that their arrows do not cover each other. */
const ABREAST = 24;
/** Between what comes in and what goes out for it. */
const REPLY = 12;
/** Share of the way after which a segment is shown as lost or damaged by the scenario. */
const HURT_AT = 0.55;

function gapOf(ms: number): number {
  return Math.min(Math.max(ms * PIXELS_PER_MS, LEAST_GAP), MOST_GAP);
}

/** Trace and programs in one order, with what the path did shown where it is seen: on the way. */
function beatsOf(record: RunRecord): Beat[] {
  const beats: Beat[] = [];
  let next = 0;
  const programs = (order: number) => {
    for (; next < record.program.length && record.program[next]!.order <= order; next++) {
      const program = record.program[next]!;
      beats.push({ at: program.at, p: 0, trace: null, program });
    }
  };
  const touched = new Map(record.packets.map((p) => [p.id, p.touchedAt]));
  record.events.forEach((event, order) => {
    programs(order);
    let { at } = event;
    if (event.type === 'path') {
      const byHand = touched.get(event.packet) ?? -1;
      at = byHand > at ? byHand : at + PATH_DELAY * HURT_AT;
    }
    beats.push({ at, p: 0, trace: event, program: null });
  });
  programs(Number.POSITIVE_INFINITY);
  return beats
    .map((b, i) => ({ b, i }))
    .sort((x, y) => x.b.at - y.b.at || x.i - y.i)
    .map(({ b }) => b);
}

type Slot = { p: number; kind: 'in' | 'out' | 'timer' };

/** Gives positions to what happens at one instant; `base` is the first that is free. */
function placeInstant(group: readonly Beat[], base: number): void {
  const slots = new Map<string, Slot>();
  group.forEach((beat, i) => {
    const e = beat.trace;
    if (e === null || e.type === 'path') {
      beat.p = base;
      if (beat.program !== null) beat.p = slots.get(beat.program.end)?.p ?? base;
      return;
    }
    const slot = slots.get(e.host);
    if (e.type === 'segment' || e.type === 'timer') {
      const kind = e.type === 'timer' ? 'timer' : e.dir;
      let p = base;
      if (slot !== undefined) p = slot.p + (slot.kind === kind ? ABREAST : REPLY);
      beat.p = p;
      slots.set(e.host, { p, kind });
      return;
    }
    // A change that a segment brings is told just before the segment is: they stand together.
    const follows = group.slice(i + 1).find((b) => b.trace?.type === 'segment' && b.trace.host === e.host);
    const brought = follows?.trace?.type === 'segment' && follows.trace.dir === 'in';
    beat.p = brought ? nextIn(slot, base) : (slot?.p ?? base);
  });
}

function nextIn(slot: Slot | undefined, base: number): number {
  return slot === undefined ? base : slot.p + (slot.kind === 'in' ? ABREAST : REPLY);
}

/** Lays a run out. */
export function layOut(record: RunRecord): Timeline {
  const beats = beatsOf(record);
  const instants: { at: number; fromP: number; toP: number }[] = [];
  const gaps: Gap[] = [];
  let top = 0;
  for (let from = 0; from < beats.length; ) {
    const { at } = beats[from]!;
    let to = from;
    while (to < beats.length && beats[to]!.at === at) to++;
    const before = instants.at(-1);
    const base = before === undefined ? 0 : top + gapOf(at - before.at);
    if (before !== undefined && (at - before.at) * PIXELS_PER_MS > MOST_GAP * 1.5) {
      gaps.push({ fromP: top, toP: base, fromAt: before.at, ms: at - before.at });
    }
    const group = beats.slice(from, to);
    placeInstant(group, base);
    top = group.reduce((most, b) => Math.max(most, b.p), base);
    instants.push({ at, fromP: base, toP: top });
    from = to;
  }
  const timeline = { beats, flights: new Map<number, Flight>(), gaps, length: top, instants };
  fillFlights(timeline, record);
  return timeline;
}

function fillFlights(timeline: Timeline & { flights: Map<number, Flight> }, record: RunRecord): void {
  const { flights } = timeline;
  const froms = new Map(record.packets.map((p) => [p.id, p.from]));
  for (const { trace: e, p } of timeline.beats) {
    if (e === null) continue;
    if (e.type === 'segment' && e.dir === 'out') {
      const flight: Flight = {
        packet: e.packet,
        from: froms.get(e.packet) ?? 'client',
        sentAt: e.at,
        sentP: p,
        endAt: e.at + PATH_DELAY,
        endP: 0,
        arrives: false,
        hurtP: -1,
        hurt: '',
        twice: false,
        crossed: false,
        alone: true,
      };
      // Should it not arrive, its way is still that of its neighbours.
      flight.endP = firstAt(timeline, flight.endAt) + (p - firstAt(timeline, e.at));
      flights.set(e.packet, flight);
    } else if (e.type === 'segment') {
      const flight = flights.get(e.packet);
      if (flight === undefined) continue;
      flight.twice = flight.arrives;
      if (!flight.arrives) Object.assign(flight, { endP: p, endAt: e.at, arrives: true });
    } else if (e.type === 'path' && (e.verdict === 'lost' || e.verdict === 'corrupted')) {
      const flight = flights.get(e.packet);
      if (flight !== undefined) Object.assign(flight, { hurtP: p, hurt: e.verdict });
    } else if (e.type === 'drop') {
      // Damaged segments come to their end without having arrived.
      const flight = flights.get(e.packet);
      if (flight !== undefined && !flight.arrives) Object.assign(flight, { endP: p, endAt: e.at });
    }
  }
  const all = [...flights.values()];
  for (const f of all) if (f.endP <= f.sentP) f.endP = f.sentP + PATH_DELAY * PIXELS_PER_MS;
  for (const f of all) {
    f.alone = !all.some((o) => o !== f && o.from === f.from && o.sentAt === f.sentAt);
    f.crossed = all.some((o) => o.from !== f.from && o.sentP < f.endP && f.sentP < o.endP);
  }
}

/** The first position at time `at`, ms. */
function firstAt(timeline: Timeline, at: number): number {
  return timeline.instants.find((i) => i.at === at)?.fromP ?? positionAt(timeline, at);
}

/** The last position at time `at`, ms. */
export function positionAt(timeline: Timeline, at: number): number {
  const { instants } = timeline;
  const first = instants[0];
  if (first === undefined || at < first.at) return 0;
  for (let i = instants.length - 1; i >= 0; i--) {
    const here = instants[i]!;
    if (here.at > at) continue;
    const next = instants[i + 1];
    if (next === undefined || here.at === at) return here.toP;
    return here.toP + ((at - here.at) / (next.at - here.at)) * (next.fromP - here.toP);
  }
  return 0;
}

/** The time at a position, ms. */
export function timeAt(timeline: Timeline, p: number): number {
  const { instants } = timeline;
  for (let i = 0; i < instants.length; i++) {
    const here = instants[i]!;
    if (p <= here.toP) return here.at;
    const next = instants[i + 1];
    if (next === undefined) return here.at;
    if (p < next.fromP) return here.at + ((p - here.toP) / (next.fromP - here.toP)) * (next.at - here.at);
  }
  return 0;
}

/** What a step goes to. */
export type StepKind = 'event' | 'segment' | 'timer';

function counts(beat: Beat, kind: StepKind): boolean {
  const e = beat.trace;
  if (kind === 'event')
    return e === null || e.type === 'path' || e.type === 'segment' || e.type === 'state' || e.type === 'timer';
  if (kind === 'segment') return e?.type === 'segment' && e.dir === 'out';
  return e?.type === 'timer';
}

/** The position of the next (or the last) thing of a kind after (or before) `p`; the end (or the start) if none. */
export function stepFrom(timeline: Timeline, p: number, kind: StepKind, forward: boolean): number {
  const places = timeline.beats.filter((b) => counts(b, kind)).map((b) => b.p);
  if (forward) return places.reduce((best, q) => (q > p + 0.01 && q < best ? q : best), timeline.length);
  return places.reduce((best, q) => (q < p - 0.01 && q > best ? q : best), 0);
}
