// What is to be seen at one moment of a run: only what has happened by then, as if the future were not known.

import { EDGES, type Edge, type Inspection, type State, type TraceEvent } from 'synfin';
import {
  type Conversation,
  type Crossing,
  type Lang,
  type Letters,
  letters,
  type Narration,
  narrate,
  readConversation,
} from 'synfin/trace';
import type { ProgramEvent } from './record.ts';
import { type End, NOBODY } from './scenario.ts';
import type { Beat, Flight, Timeline } from './timeline.ts';

/** A segment on the ladder, and its way. */
export interface Arrow {
  readonly crossing: Crossing;
  readonly flight: Flight;
  /** It belongs to no connection of the tale; the address it says it comes from, or goes to. */
  readonly stray: string;
}

/** How far a segment is: 0 to 1, less than 1 for ever when it was lost on the way. */
export interface Progress {
  readonly gone: number;
  readonly status: 'flying' | 'arrived' | 'lost' | 'corrupted' | 'no-room' | 'nobody';
}

/** A stretch of time in which an end was in one state. */
interface Band {
  readonly state: State;
  readonly fromP: number;
  /** `Infinity` while it lasts. */
  toP: number;
}

/** One end at this moment. */
interface EndView {
  readonly end: End;
  readonly state: State;
  /** The edges it has taken, in order; the last one is the newest. */
  readonly edges: readonly Edge[];
  readonly bands: readonly Band[];
  /** When 2MSL ends, ms, and how long it is in all; -1 outside of TIME-WAIT. */
  readonly waitUntil: number;
  readonly waitFrom: number;
  /** What its program did last. */
  readonly program: readonly ProgramEvent[];
  /** Its variables; `null` while it has no connection. */
  readonly inside: Inspection | null;
  /** A timer that went off, by position. */
  readonly timers: readonly { readonly p: number; readonly timer: string }[];
}

/** Everything that has happened by a moment. */
export interface Scene {
  readonly conversation: Conversation | null;
  readonly letters: Letters | null;
  readonly arrows: readonly Arrow[];
  readonly ends: Readonly<Record<End, EndView>>;
  /** What will happen next, and when; `null` when nothing will. */
  readonly next: Beat | null;
  /** What happened last. */
  readonly last: Beat | null;
}

const SLACK = 0.01;

/** The edge of the table that a state event took. */
function edgeOf(e: Extract<TraceEvent, { type: 'state' }>): Edge {
  const found = EDGES.find((x) => x.from === e.from && x.to === e.to && x.cause === e.cause);
  return found ?? { from: e.from, to: e.to, cause: e.cause, sends: '', drawn: false };
}

/** The inside of an end at position `p`. */
function insideAt(timeline: Timeline, end: End, p: number): Inspection | null {
  const list = timeline.insides[end];
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.p <= p + SLACK) low = middle + 1;
    else high = middle;
  }
  return list[low - 1]?.inside.view ?? null;
}

/** Whether an event is of the connection that the tale is about, or of none (a listener's). */
function ofTheTale(timeline: Timeline, e: TraceEvent): boolean {
  if (e.type === 'path' || e.host === NOBODY) return true;
  const { connections } = timeline;
  return e.conn === 0 || e.conn === connections[e.host === 'client' ? 'client' : 'server'];
}

function endView(timeline: Timeline, end: End, shown: readonly Beat[], p: number): EndView {
  const edges: Edge[] = [];
  const bands: Band[] = [{ state: 'CLOSED', fromP: 0, toP: Number.POSITIVE_INFINITY }];
  const timers: { p: number; timer: string }[] = [];
  const program: ProgramEvent[] = [];
  let wait: TraceEvent | null = null;
  for (const beat of shown) {
    if (beat.program?.end === end) program.push(beat.program);
    const e = beat.trace;
    if (e === null || e.type === 'path' || e.host !== end || !ofTheTale(timeline, e)) continue;
    if (e.type === 'timer') timers.push({ p: beat.p, timer: e.timer });
    if (e.type === 'time-wait') wait = e;
    if (e.type !== 'state') continue;
    // A listener ends when it has made its connection, and a connection tells again how the listener began.
    const known = bands.at(-1)!.state;
    if ((e.from === 'LISTEN' && e.to === 'CLOSED') || (e.to === 'LISTEN' && known === 'LISTEN')) continue;
    edges.push(edgeOf(e));
    bands.at(-1)!.toP = beat.p;
    bands.push({ state: e.to, fromP: beat.p, toP: Number.POSITIVE_INFINITY });
  }
  const { state } = bands.at(-1)!;
  const waiting = state === 'TIME-WAIT' && wait?.type === 'time-wait' ? wait : null;
  return {
    end,
    state,
    edges,
    bands: bands.filter((b) => b.toP > b.fromP),
    waitUntil: waiting?.until ?? -1,
    waitFrom: waiting?.at ?? -1,
    program,
    inside: insideAt(timeline, end, p),
    timers,
  };
}

/** How far a segment is at position `p`. */
export function progressOf(flight: Flight, p: number): Progress {
  const span = flight.endP - flight.sentP;
  const share = (q: number) => Math.min(Math.max((q - flight.sentP) / span, 0), 1);
  if (flight.hurt === 'lost' && p >= flight.hurtP - SLACK) {
    return { gone: Math.min(Math.max(share(flight.hurtP), 0.12), 0.9), status: 'lost' };
  }
  if (p < flight.endP - SLACK) return { gone: share(p), status: 'flying' };
  return { gone: 1, status: flight.landing === 'damaged' ? 'corrupted' : flight.landing };
}

/** Number of things that have happened by `p`: as long as it stays, so does the scene. */
export function happened(timeline: Timeline, p: number): number {
  return timeline.beats.reduce((n, b) => (b.p <= p + SLACK ? n + 1 : n), 0);
}

/** The conversations of a flood: one for each address that it says it comes from. */
function strays(events: readonly TraceEvent[]): { address: string; crossings: readonly Crossing[] }[] {
  const senders = new Map<number, string>();
  for (const e of events) if (e.type === 'segment' && e.host === NOBODY) senders.set(e.srcPort, e.src);
  return [...senders].map(([leftPort, address]) => ({
    address,
    crossings: readConversation(events, { left: NOBODY, leftPort })?.crossings ?? [],
  }));
}

/** Looks at a run at position `p` of its timeline. */
export function sceneAt(timeline: Timeline, p: number): Scene {
  const shown = timeline.beats.filter((b) => b.p <= p + SLACK);
  const events = shown.flatMap((b) => (b.trace === null ? [] : [b.trace]));
  const conversation = readConversation(
    events.filter((e) => ofTheTale(timeline, e)),
    { left: 'client' },
  );
  const arrowOf = (crossing: Crossing, stray: string): Arrow[] => {
    const flight = timeline.flights.get(crossing.packet);
    return flight === undefined ? [] : [{ crossing, flight, stray }];
  };
  const arrows = (conversation?.crossings ?? []).flatMap((crossing) => arrowOf(crossing, ''));
  for (const { address, crossings } of strays(events)) {
    arrows.push(...crossings.flatMap((crossing) => arrowOf(crossing, address)));
  }
  arrows.sort((a, b) => a.flight.sentP - b.flight.sentP || a.flight.packet - b.flight.packet);
  let next: Beat | null = null;
  for (const beat of timeline.beats) {
    if (beat.p <= p + SLACK || !isNews(beat)) continue;
    if (next === null || beat.p < next.p) next = beat;
  }
  return {
    conversation,
    letters: conversation === null ? null : letters(conversation),
    arrows,
    ends: { client: endView(timeline, 'client', shown, p), server: endView(timeline, 'server', shown, p) },
    next,
    last: shown.filter(isNews).at(-1) ?? null,
  };
}

/** Whether a beat is something to announce: what a reader would call an event. */
function isNews(beat: Beat): boolean {
  const e = beat.trace;
  if (e === null) return true;
  return (
    e.type === 'segment' ||
    e.type === 'timer' ||
    e.type === 'path' ||
    (e.type === 'state' && e.cause === '2MSL timeout')
  );
}

/** The story so far. */
export function storyAt(scene: Scene, lang: Lang): Narration | null {
  return scene.conversation === null ? null : narrate(scene.conversation, { lang });
}
