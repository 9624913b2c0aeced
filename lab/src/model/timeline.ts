// Where everything of a run stands on the ladder: a scale on which a minute of silence is short, and on which what
// happens at one instant stands apart.
//
// A position is a number of pixels at the ladder's natural size. Positions of what has happened do not depend on what
// follows, so a fork of the run leaves the ladder above it as it is.

import type { TraceEvent } from 'synfin';
import type { Inside, PacketRecord, ProgramEvent, RunRecord } from './record.ts';
import type { End } from './scenario.ts';

/** One thing that happens: something traced, or something a program does. */
export interface Beat {
  readonly at: number;
  /** Position on the ladder. */
  p: number;
  /** Its place among the trace events; for a program's, the number of those before it. */
  readonly order: number;
  readonly trace: TraceEvent | null;
  readonly program: ProgramEvent | null;
}

/** What becomes of a segment at the far end: it arrives, or is thrown away there for one of these reasons. */
type Landing = 'arrived' | 'damaged' | 'no-room' | 'nobody';

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
  landing: Landing;
  /** Where it was lost or damaged; -1 when it was neither. */
  hurtP: number;
  hurt: 'lost' | 'corrupted' | '';
  /** It arrives twice; where and when the second time; -1 before the second is known of. */
  twice: boolean;
  copyP: number;
  copyAt: number;
  /** No host of ours sent it. */
  readonly forged: boolean;
  /** A segment of the other end crosses it. */
  crossed: boolean;
  /** Its end sends nothing else at the same instant. */
  alone: boolean;
  /** Pixels of the ladder between it and what its end sent before. */
  apart: number;
}

/** A stretch of the ladder that stands for more time than its length says. */
interface Gap {
  readonly fromP: number;
  readonly toP: number;
  /** When it begins, and how long it is, ms. */
  readonly fromAt: number;
  readonly ms: number;
}

/** The inside of an end from a position on. */
interface PlacedInside {
  readonly p: number;
  readonly inside: Inside;
}

/** A run laid out. */
export interface Timeline {
  readonly beats: readonly Beat[];
  readonly insides: Readonly<Record<End, readonly PlacedInside[]>>;
  /** The number of the connection at each end; what belongs to others is beside the tale. */
  readonly connections: Readonly<Record<End, number>>;
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
      beats.push({ at: program.at, p: 0, order: program.order, trace: null, program });
    }
  };
  const packets = new Map(record.packets.map((p) => [p.id, p]));
  record.events.forEach((event, order) => {
    programs(order);
    let { at } = event;
    if (event.type === 'path') {
      const packet = packets.get(event.packet);
      const byHand = packet?.touchedAt ?? -1;
      at = byHand > at ? byHand : at + (packet?.delay ?? 0) * HURT_AT;
    }
    beats.push({ at, p: 0, order, trace: event, program: null });
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
  const insides = { client: [], server: [] };
  const { connections } = record;
  const timeline = { beats, insides, connections, flights: new Map<number, Flight>(), gaps, length: top, instants };
  fillFlights(timeline, record);
  return {
    ...timeline,
    insides: { client: placed(timeline, record, 'client'), server: placed(timeline, record, 'server') },
  };
}

/** The insides of an end, each where the last of what was told before it stands. */
function placed(timeline: Timeline, record: RunRecord, end: End): PlacedInside[] {
  const places: number[] = [];
  for (const { order, p, trace } of timeline.beats) {
    if (trace !== null && trace.type !== 'path' && trace.host === end) places[order] = p;
  }
  const found: PlacedInside[] = [];
  let before = 0;
  for (const inside of record.insides) {
    if (inside.end !== end) continue;
    let p = firstAt(timeline, inside.at);
    // The newest event of this host at the same instant, if there is one.
    for (let order = inside.order - 1; order >= 0 && record.events[order]!.at === inside.at; order--) {
      if (places[order] === undefined) continue;
      p = places[order]!;
      break;
    }
    before = Math.max(before, p);
    found.push({ p: before, inside });
  }
  return found;
}

/** Why a segment that came to the far end was thrown away there; empty when the reason is another's. */
const LANDINGS: Readonly<Partial<Record<string, Landing>>> = {
  'listen-backlog': 'no-room',
  'not-for-us': 'nobody',
};

function takeOff(timeline: Timeline, packet: PacketRecord | undefined, at: number, p: number, id: number): Flight {
  const delay = packet?.delay ?? 0;
  const flight: Flight = {
    packet: id,
    from: packet?.from ?? 'client',
    sentAt: at,
    sentP: p,
    endAt: at + delay,
    endP: 0,
    arrives: false,
    landing: 'damaged',
    hurtP: -1,
    hurt: '',
    twice: false,
    copyP: -1,
    copyAt: -1,
    forged: packet?.forged ?? false,
    crossed: false,
    alone: true,
    apart: Number.POSITIVE_INFINITY,
  };
  // Should it not arrive, its way is still that of its neighbours.
  flight.endP = firstAt(timeline, flight.endAt) + (p - firstAt(timeline, at));
  if (flight.endP <= p) flight.endP = p + delay * PIXELS_PER_MS;
  return flight;
}

function land(flight: Flight, at: number, p: number): void {
  const landing = flight.landing === 'damaged' ? 'arrived' : flight.landing;
  if (!flight.arrives) Object.assign(flight, { endP: p, endAt: at, arrives: true, landing });
  else if (!flight.twice) Object.assign(flight, { twice: true, copyP: p, copyAt: at });
}

function fillFlights(timeline: Timeline & { flights: Map<number, Flight> }, record: RunRecord): void {
  const { flights } = timeline;
  const packets = new Map(record.packets.map((p) => [p.id, p]));
  for (const { trace: e, p } of timeline.beats) {
    if (e === null) continue;
    if (e.type === 'segment' && e.dir === 'out') {
      flights.set(e.packet, takeOff(timeline, packets.get(e.packet), e.at, p, e.packet));
      continue;
    }
    const flight = 'packet' in e ? flights.get(e.packet) : undefined;
    if (flight === undefined) continue;
    if (e.type === 'segment') land(flight, e.at, p);
    else if (e.type === 'path' && (e.verdict === 'lost' || e.verdict === 'queue-full')) {
      Object.assign(flight, { hurtP: p, hurt: 'lost' });
    } else if (e.type === 'path' && e.verdict === 'corrupted') Object.assign(flight, { hurtP: p, hurt: 'corrupted' });
    else if (e.type === 'drop') {
      const landing = LANDINGS[e.reason];
      // A host may tell of the segment as well as of what it did with it, in either order.
      if (landing !== undefined) flight.landing = landing;
      if (!flight.arrives) Object.assign(flight, { endP: p, endAt: e.at });
    }
  }
  const all = [...flights.values()].sort((a, b) => a.sentP - b.sentP);
  const before = { client: Number.NEGATIVE_INFINITY, server: Number.NEGATIVE_INFINITY };
  all.forEach((f, i) => {
    f.apart = f.sentP - before[f.from];
    before[f.from] = f.sentP;
    // Only neighbours can be at the same instant, or cross: the list is in order of sending.
    for (let k = i + 1; k < all.length && all[k]!.sentP < f.endP; k++) {
      const o = all[k]!;
      if (o.from === f.from && o.sentAt === f.sentAt) {
        f.alone = false;
        o.alone = false;
      }
      if (o.from !== f.from && f.sentP < o.endP) {
        f.crossed = true;
        o.crossed = true;
      }
    }
  });
}

/** Index of the last instant at or before `at`, ms; -1 when all are later. */
export function instantAt(timeline: Timeline, at: number): number {
  const { instants } = timeline;
  let [low, high] = [0, instants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (instants[middle]!.at <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The first position at time `at`, ms. */
function firstAt(timeline: Timeline, at: number): number {
  const here = timeline.instants[instantAt(timeline, at)];
  return here?.at === at ? here.fromP : positionAt(timeline, at);
}

/** The last position at time `at`, ms. */
export function positionAt(timeline: Timeline, at: number): number {
  const i = instantAt(timeline, at);
  const here = timeline.instants[i];
  if (here === undefined) return 0;
  const next = timeline.instants[i + 1];
  if (next === undefined || here.at === at) return here.toP;
  return here.toP + ((at - here.at) / (next.at - here.at)) * (next.fromP - here.toP);
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
