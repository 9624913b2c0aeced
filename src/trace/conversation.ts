// Reads trace events back into one conversation: who is who, which arrival belongs to which sending, and
// which shake or wave a segment is.
//
// Everything is derived from what the events show. A segment is "wave 2" because it acknowledges the
// first FIN, not because it comes second.

import { seqDiff, seqGe } from '../base/seq.ts';
import type { State } from '../base/state.ts';
import type { DropReason, PathEvent, SegmentEvent, StateEvent, TimeWaitEvent, TraceEvent } from '../base/trace.ts';

/** Header flags as `SegmentEvent.flags` has them. */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

/** An end of the conversation: the left one opens (the client), the right one waits (the server). */
export type Side = 'left' | 'right';

/** The part a segment plays in the story. */
export type Role =
  | 'shake-1'
  | 'shake-2'
  | 'shake-3'
  /** A SYN that crosses the other side's SYN: both open at once. */
  | 'crossed-syn'
  | 'crossed-syn-ack'
  | 'wave-1'
  | 'wave-2'
  | 'wave-3'
  /** Waves 2 and 3 in one segment: the passive side has nothing left to say. */
  | 'wave-2+3'
  | 'wave-4'
  /** A FIN that crosses the other side's FIN: both close at once. */
  | 'crossed-fin'
  | 'crossed-fin-ack'
  /** A reset that answers a SYN: nobody listens. */
  | 'refusal'
  | 'reset'
  | 'probe'
  | 'data'
  | 'ack';

/** What became of a segment. */
export type Fate = 'arrived' | 'lost' | 'corrupted' | 'pending';

/** Why a segment was sent again. */
export type AgainWhy = '' | 'timer' | 'fast' | 'asked';

/** One segment, from leaving one end to arriving (or not) at the other. */
export interface Crossing {
  /** Position in order of sending, from 0. */
  readonly index: number;
  readonly from: Side;
  readonly packet: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly len: number;
  readonly wnd: number;
  /** When it was sent, milliseconds; for a segment whose sending nobody saw, when it arrived. */
  readonly sentAt: number;
  readonly sentState: State;
  /** When its first copy arrived; -1 when none did. */
  arrivedAt: number;
  /** The receiver's state after taking it, or, when it never came, at the moment it was sent. */
  arrivedState: State;
  /** Copies that arrived, the first included. */
  arrivals: number;
  /** The position in the events of its sending and of its first arrival (-1: none). */
  readonly sentOrder: number;
  arrivedOrder: number;
  fate: Fate;
  /** The path held it back, so that others overtook it. */
  late: boolean;
  /** Why the receiver did not take it, or a part of it; empty when it took all. */
  drop: DropReason | '';
  role: Role;
  /** At least one number of it was sent before, or it repeats an answer. */
  again: boolean;
  againWhy: AgainWhy;
}

/** The numbers of one end that the story gives letters to. */
export interface EndNumbers {
  /** Initial sequence number, int32; meaningful when `opened`. */
  iss: number;
  opened: boolean;
  /** Sequence number of the segment that first carried the FIN; meaningful when `closed`. */
  fin: number;
  /** Sequence number of the FIN itself. */
  finAt: number;
  /** Position of that segment among the crossings; -1 when there is none. */
  finIndex: number;
  closed: boolean;
}

/** A conversation of two hosts. */
export interface Conversation {
  readonly left: string;
  readonly right: string;
  readonly crossings: readonly Crossing[];
  readonly numbers: Readonly<Record<Side, EndNumbers>>;
  /** Edges taken by each end, in order, a listener's own included. */
  readonly edges: Readonly<Record<Side, readonly StateEvent[]>>;
  readonly timeWaits: readonly (TimeWaitEvent & { readonly side: Side })[];
  /** Who sent the first FIN; empty when nobody did. */
  readonly closer: Side | '';
  readonly openedAtOnce: boolean;
  readonly closedAtOnce: boolean;
  /** Time of the earliest event, milliseconds on the hosts' clock. */
  readonly start: number;
  /** Index into the events for each state change, to order them among crossings. */
  readonly edgeOrder: ReadonlyMap<StateEvent, number>;
}

/** How to pick a conversation out of a trace. */
export interface ConversationOptions {
  /** Name of the host on the left; who opens first when absent. */
  readonly left?: string;
  /** Port of the left host, to choose one of several connections; the first seen when absent. */
  readonly leftPort?: number;
}

/** The other end. */
export function otherSide(side: Side): Side {
  return side === 'left' ? 'right' : 'left';
}

/** The first SYN or else the first segment: the one that names both ends. */
function firstSegment(events: readonly TraceEvent[], options: ConversationOptions): SegmentEvent | null {
  let fallback: SegmentEvent | null = null;
  for (const e of events) {
    if (e.type !== 'segment') continue;
    const leftPort = e.dir === 'out' ? e.srcPort : e.dstPort;
    if (options.leftPort !== undefined && leftPort !== options.leftPort) continue;
    if (options.left !== undefined && e.host !== options.left) continue;
    if ((e.flags & (SYN | ACK)) === SYN && e.dir === 'out') return e;
    fallback ??= e;
  }
  return fallback;
}

/** Whether a segment event belongs to the connection that `first` belongs to, in either direction. */
function sameTuple(first: SegmentEvent, e: SegmentEvent): boolean {
  const same = e.src === first.src && e.srcPort === first.srcPort && e.dst === first.dst && e.dstPort === first.dstPort;
  const back = e.src === first.dst && e.srcPort === first.dstPort && e.dst === first.src && e.dstPort === first.srcPort;
  return same || back;
}

/** What one end is known to have done so far. */
class EndProgress implements EndNumbers {
  iss = 0;
  opened = false;
  fin = 0;
  finAt = 0;
  finIndex = -1;
  closed = false;
  /** The connection's number at this host; -1 until known. */
  conn = -1;
  state: State = 'CLOSED';
  /** Its first SYN and its first FIN. */
  firstSyn: Crossing | null = null;
  firstFin: Crossing | null = null;
  /** A FIN of this end has arrived at the other. */
  finCame = false;
  /** Parts it has played. */
  readonly played: Set<Role> = new Set();
  /** What came in last: tells a repeated answer from a new word. */
  lastIn: Crossing | null = null;
  /** Why a segment sent again at `causeAt` would be. */
  cause: AgainWhy = '';
  causeAt = -1;
  readonly edges: StateEvent[] = [];
}

/** The reader's working state. */
class Builder {
  readonly crossings: Crossing[] = [];
  readonly byPacket: Map<number, Crossing> = new Map();
  /** Verdicts of the path on packets whose sending has not been told yet. */
  readonly early: Map<number, PathEvent[]> = new Map();
  readonly left: EndProgress = new EndProgress();
  readonly right: EndProgress = new EndProgress();
  readonly edgeOrder: Map<StateEvent, number> = new Map();
  readonly timeWaits: (TimeWaitEvent & { side: Side })[] = [];
}

/**
 * Pairs the events of two hosts into the crossings of one connection.
 *
 * @param events in the order in which things happened, of both hosts and the path between
 * @returns `null` when there is no segment in the trace
 */
export function readConversation(
  events: readonly TraceEvent[],
  options: ConversationOptions = {},
): Conversation | null {
  const first = firstSegment(events, options);
  if (first === null) return null;
  const opener = first.dir === 'out';
  const left = first.host;
  const leftAddress = opener ? first.src : first.dst;
  const leftPort = opener ? first.srcPort : first.dstPort;
  let right = '';
  for (const e of events) {
    if (e.type === 'segment' && e.host !== left && sameTuple(first, e)) {
      right = e.host;
      break;
    }
  }
  const builder = new Builder();
  // Connections are numbered per host: the segments say which number is ours.
  for (const e of events) {
    if (e.type !== 'segment' || e.conn === 0 || !sameTuple(first, e)) continue;
    const side: Side = e.host === left ? 'left' : 'right';
    if (builder[side].conn < 0) builder[side].conn = e.conn;
  }
  for (let order = 0; order < events.length; order++) {
    const e = events[order]!;
    if (e.type === 'path') onPath(builder, e);
    else if (e.host !== left && e.host !== right) continue;
    else {
      const side: Side = e.host === left ? 'left' : 'right';
      if (e.type === 'segment') {
        if (!sameTuple(first, e)) continue;
        // A host that talks to itself has both ends: the address tells them apart.
        const fromLeft = e.src === leftAddress && e.srcPort === leftPort;
        onSegment(builder, e, order, fromLeft ? 'left' : 'right');
      } else onOther(builder, e, order, side);
    }
  }
  let start = first.at;
  for (const e of events) start = Math.min(start, e.at);
  return finish(builder, left, right, start);
}

function onPath(builder: Builder, e: PathEvent): void {
  const crossing = builder.byPacket.get(e.packet);
  if (crossing !== undefined) applyVerdict(crossing, e);
  else builder.early.set(e.packet, [...(builder.early.get(e.packet) ?? []), e]);
}

function applyVerdict(crossing: Crossing, e: PathEvent): void {
  if (e.verdict === 'lost' || e.verdict === 'queue-full') crossing.fate = 'lost';
  else if (e.verdict === 'corrupted') crossing.fate = 'corrupted';
  else if (e.verdict === 'reordered' || e.verdict === 'delayed') crossing.late = true;
}

function onSegment(builder: Builder, e: SegmentEvent, order: number, from: Side): void {
  const sender = builder[from];
  const receiver = builder[otherSide(from)];
  const known = e.packet === 0 ? undefined : builder.byPacket.get(e.packet);
  if (e.dir === 'in' && known !== undefined) {
    known.arrivals++;
    if (known.arrivedAt < 0) {
      known.arrivedAt = e.at;
      known.arrivedState = e.state;
      known.arrivedOrder = order;
      known.fate = 'arrived';
      if ((known.flags & FIN) !== 0) sender.finCame = true;
    }
    receiver.lastIn = known;
    return;
  }
  const arrived = e.dir === 'in';
  const crossing: Crossing = {
    index: builder.crossings.length,
    from,
    packet: e.packet,
    flags: e.flags,
    seq: e.seq,
    ack: e.ack,
    len: e.len,
    wnd: e.wnd,
    sentAt: e.at,
    sentState: arrived ? sender.state : e.state,
    arrivedAt: arrived ? e.at : -1,
    arrivedState: arrived ? e.state : receiver.state,
    arrivals: arrived ? 1 : 0,
    sentOrder: order,
    arrivedOrder: arrived ? order : -1,
    fate: arrived ? 'arrived' : 'pending',
    late: false,
    drop: '',
    role: e.probe ? 'probe' : e.len > 0 ? 'data' : 'ack',
    again: !arrived && e.again,
    againWhy: !arrived && e.again && sender.causeAt === e.at ? sender.cause : '',
  };
  builder.crossings.push(crossing);
  if (e.packet !== 0) {
    builder.byPacket.set(e.packet, crossing);
    for (const verdict of builder.early.get(e.packet) ?? []) applyVerdict(crossing, verdict);
    builder.early.delete(e.packet);
  }
  assignRole(sender, receiver, crossing);
  sender.played.add(crossing.role);
  if (!arrived) return;
  receiver.lastIn = crossing;
  if ((e.flags & FIN) !== 0) sender.finCame = true;
}

function onOther(builder: Builder, e: Exclude<TraceEvent, SegmentEvent | PathEvent>, order: number, side: Side): void {
  const end = builder[side];
  if (e.conn !== 0 && end.conn >= 0 && e.conn !== end.conn) return;
  if (e.type === 'state') {
    // A listener is an object of its own and ends on its own: its end is none of this conversation's.
    if (e.from === 'LISTEN' && e.to === 'CLOSED') return;
    // A connection that a listener makes tells again how the listener began.
    if (e.to === 'LISTEN' && end.state === 'LISTEN') return;
    end.edges.push(e);
    end.state = e.to;
    builder.edgeOrder.set(e, order);
  } else if (e.type === 'drop') {
    const crossing = builder.byPacket.get(e.packet);
    if (crossing === undefined) return;
    if (crossing.drop === '') crossing.drop = e.reason;
    if (e.reason === 'tcp-bad-checksum' || e.reason === 'ip-bad-checksum') crossing.fate = 'corrupted';
  } else if (e.type === 'time-wait') {
    builder.timeWaits.push({ ...e, side });
  } else if (e.type === 'timer') {
    if (e.timer !== 'retransmit') return;
    end.cause = 'timer';
    end.causeAt = e.at;
  } else if (e.type === 'congestion') {
    if (e.why !== 'fast-retransmit' && e.why !== 'partial-ack') return;
    end.cause = 'fast';
    end.causeAt = e.at;
  }
}

// --- roles ---

/** Says which part a segment plays, from what both ends have done before it. */
function assignRole(own: EndProgress, other: EndProgress, c: Crossing): void {
  if ((c.flags & RST) !== 0) c.role = c.from === 'right' && !own.opened ? 'refusal' : 'reset';
  else if ((c.flags & SYN) !== 0) assignShake(own, other, c);
  else if ((c.flags & FIN) !== 0) assignFin(own, other, c);
  else if (c.role !== 'probe') assignAnswer(own, other, c);
}

function assignShake(own: EndProgress, other: EndProgress, c: Crossing): void {
  const crossed = (e: EndProgress) => e.firstSyn?.role === 'crossed-syn';
  if (own.opened) c.again = true;
  if ((c.flags & ACK) !== 0) c.role = crossed(own) || crossed(other) ? 'crossed-syn-ack' : 'shake-2';
  else if (other.firstSyn !== null && (other.firstSyn.flags & ACK) === 0) {
    // Both sent a SYN without an ACK: neither waited for the other.
    c.role = 'crossed-syn';
    other.firstSyn.role = 'crossed-syn';
  } else c.role = 'shake-1';
  if (own.opened) return;
  own.opened = true;
  own.iss = c.seq;
  own.firstSyn = c;
}

function assignFin(own: EndProgress, other: EndProgress, c: Crossing): void {
  if (own.firstFin !== null) {
    c.again = true;
    c.role = own.firstFin.role;
    return;
  }
  own.closed = true;
  own.fin = c.seq;
  own.finAt = (c.seq + c.len) | 0;
  own.finIndex = c.index;
  own.firstFin = c;
  if (other.firstFin === null) c.role = 'wave-1';
  else if (c.sentState === 'FIN-WAIT-1' || c.sentState === 'CLOSING' || !other.finCame) {
    // It left before the other side's FIN was taken: neither waited for the other.
    c.role = 'crossed-fin';
    other.firstFin.role = 'crossed-fin';
  } else c.role = own.played.has('wave-2') ? 'wave-3' : 'wave-2+3';
}

/** Whether the segment acknowledges the FIN of `other`. */
function acksFin(c: Crossing, other: EndProgress): boolean {
  return other.closed && (c.flags & ACK) !== 0 && seqGe(c.ack, (other.finAt + 1) | 0);
}

/** A segment with neither SYN, FIN nor RST: it may complete a handshake or answer a FIN. */
function assignAnswer(own: EndProgress, other: EndProgress, c: Crossing): void {
  let role: Role | '' = '';
  let question = SYN;
  if (acksFin(c, other)) {
    question = FIN;
    if (other.firstFin!.role === 'crossed-fin') role = 'crossed-fin-ack';
    else role = other.firstFin!.role === 'wave-1' ? 'wave-2' : 'wave-4';
  } else if (c.from === 'left' && other.opened && (c.flags & ACK) !== 0 && seqDiff(c.ack, other.iss) > 0) {
    if (own.firstSyn?.role !== 'crossed-syn') role = 'shake-3';
  }
  if (role === '') return;
  if (!own.played.has(role)) c.role = role;
  else if (c.len === 0 && own.lastIn !== null && (own.lastIn.flags & question) !== 0) {
    // The question came again, so its answer goes out again.
    c.role = role;
    c.again = true;
    c.againWhy = 'asked';
  }
}

function finish(builder: Builder, left: string, right: string, start: number): Conversation {
  const first = builder.crossings.find((c) => (c.flags & FIN) !== 0);
  return {
    left,
    right,
    crossings: builder.crossings,
    numbers: { left: builder.left, right: builder.right },
    edges: { left: builder.left.edges, right: builder.right.edges },
    timeWaits: builder.timeWaits,
    closer: first === undefined ? '' : first.from,
    openedAtOnce: builder.crossings.some((c) => c.role === 'crossed-syn'),
    closedAtOnce: builder.crossings.some((c) => c.role === 'crossed-fin'),
    start,
    edgeOrder: builder.edgeOrder,
  };
}
