// What goes out: one function decides (`whatToSend`), one builds (`transmit`).
//
// `nextDeadline` asks the decision too, so "there is something to send" cannot mean two things.

import { CHECKSUM_PARTIAL, GSO_TCP4, GSO_TCP6, type TxMeta } from '../base/packet.ts';
import { seqDiff, seqGt, seqLe } from '../base/seq.ts';
import {
  ACK,
  FIN,
  finishTcp,
  finishTcpPartial,
  PSH,
  putEnd,
  putFastOpen,
  putMss,
  putNop,
  putSackBlocks,
  putSackPermitted,
  putTimestamps,
  putWscale,
  RST,
  SYN,
  TCP_CHECKSUM_OFFSET,
  TCP_HEADER,
  TCP_MAX_OPTIONS,
  writeTcp,
} from '../wire/tcp.ts';
import { tellOfRoom } from './autotune.ts';
import type { Connection } from './connection.ts';
import { ecnOfSegment, ecnOfSyn } from './ecn.ts';
import { FRTO_FIRST, frtoGivesUp, frtoHolds } from './frto.ts';
import { busyness } from './info.ts';
import { armPacing, paced, spend } from './pacing.ts';
import { mtuProbeDue, mtuProbeSent } from './path-mtu.ts';
import { PUSH } from './pieces.ts';
import { plainToSend } from './plain.ts';
import { armProbe } from './rack.ts';
import { allowance, copied } from './recovery.ts';
import { AGAIN, LOST, PUSHED, type Scoreboard, TRAIN_END } from './scoreboard.ts';
import { burstSize, defers } from './super-segments.ts';
import { OFF } from './timers.ts';
import { windowUsed } from './validation.ts';
import { offerWindow, scaleOf } from './window.ts';

/** Verdicts of `whatToSend`. */
export const NOTHING = 0;
export const SEND_RST = 1;
export const SEND_SYN = 2;
export const SEND_AGAIN = 3;
export const SEND_NEW = 4;
export const SEND_PROBE = 5;
export const SEND_ACK = 6;

/** What `whatToSend` decided. `NOTHING` to `SEND_ACK`. */
export type Verdict = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** The segment `whatToSend` has in mind, and what held it back when there is none. */
export class Plan {
  seq = 0;
  /** For `SEND_AGAIN`: the record of the scoreboard it is. */
  index = 0;
  /** Payload octets. */
  len = 0;
  fin = false;
  /** For `SEND_NEW`: octets that leave together with it, itself included. */
  train = 0;
  /** What leaves together ends with PSH; it does so because a write ends there. */
  push = false;
  written = false;
  /** The congestion window was what stopped new data. */
  congested = false;
  /** Data waits for nothing but a wider window: the persist timer has to run. */
  waiting = false;
  /** Data waits for pacing, until then; `OFF` when it does not. */
  until: number = OFF;
  /** The segment is larger than the MSS on purpose: a probe of the path MTU (RFC 4821). */
  mtuProbe = false;
  /** ECN codepoint of the packet (RFC 3168 §5). */
  ecn = 0;
}

/**
 * Decides what to send next, and describes it in `c.env.plan`. Changes nothing else.
 *
 * @param c the connection
 * @param most payload octets that one segment may have: the MSS, or more on a link that cuts super-segments
 */
export function whatToSend(c: Connection, most: number = c.snd.mss): Verdict {
  const { snd, board } = c;
  const { plan } = c.env;
  plan.len = 0;
  plan.fin = false;
  plan.mtuProbe = false;
  plan.congested = false;
  plan.waiting = false;
  plan.until = OFF;
  switch (c.state) {
    case 'CLOSED':
      plan.seq = snd.nxt;
      return c.resetDue ? SEND_RST : NOTHING;
    case 'LISTEN':
      return NOTHING;
    case 'SYN-SENT':
    case 'SYN-RECEIVED':
      plan.seq = snd.iss;
      if (snd.nxt === snd.iss || (board !== null && board.firstLost() >= 0)) {
        if (c.fastOpen !== null) plan.len = Math.min(c.queued, c.fastOpen.roomOnSyn(c));
        return SEND_SYN;
      }
      if (c.early) break;
      plan.seq = snd.nxt;
      return c.ackNow ? SEND_ACK : NOTHING;
    default:
  }
  // What is out of order is reported on its own: on a segment with text it would be no duplicate to the peer.
  if (c.acksOwed > 0) {
    plan.seq = snd.nxt;
    return SEND_ACK;
  }
  let held = -1;
  if (board !== null && board.count > 0) {
    if (c.tailProbeDue) return planTailProbe(c, board);
    const lost = board.firstLost();
    if (lost >= 0 && frtoHolds(c, lost)) held = lost;
    else if (lost >= 0 && planAgain(c, board, lost)) return SEND_AGAIN;
    plan.len = 0;
    plan.fin = false;
  }
  // The one copy after a timeout has the window for itself (RFC 5682).
  if (held >= 0 && c.recovery.frto === FRTO_FIRST) plan.congested = true;
  // CWR belongs on one segment, and a link that cuts a super-segment would put it on each.
  else if (planNew(c, c.ecn?.tell === true ? snd.mss : most)) return SEND_NEW;
  if (board !== null && held >= 0 && frtoGivesUp(c) && planAgain(c, board, held)) return SEND_AGAIN;
  if (c.recovery.active && !plan.congested && planDoubtful(c)) return SEND_AGAIN;
  plan.len = 0;
  plan.fin = false;
  if (c.probeDue) {
    // A number already acknowledged and no octet: every TCP answers it, and nothing is put in flight (as
    // Linux does; RFC 9293 §3.8.6.1 suggests an octet of data, which a closed window would have to refuse).
    plan.seq = (snd.una - 1) | 0;
    return SEND_PROBE;
  }
  plan.seq = snd.nxt;
  return c.ackNow ? SEND_ACK : NOTHING;
}

/** Whether the first lost segment may be sent again now. */
function planAgain(c: Connection, board: Scoreboard, index: number): boolean {
  const { snd } = c;
  const { plan } = c.env;
  planRecord(c, board, index);
  // The head goes out whatever the windows say: it is what the timer or the duplicates asked for, and the
  // peer may have taken back a window that it had offered (RFC 9293 §3.8.6: be prepared).
  if (index === 0) return true;
  if (c.inFlight + c.chargeOf(plan.len) > c.cc.cwnd) {
    plan.congested = true;
    return false;
  }
  if (paced(c, plan.len, plan.len) === 0) return false;
  const usable = seqDiff((snd.una + snd.wnd) | 0, plan.seq);
  if (plan.len <= usable) return true;
  plan.len = usable;
  plan.fin = false;
  return usable > 0;
}

/** Nothing else to send, and room: what may yet turn out to be lost (RFC 6675 NextSeg rule 3). Time needs no such guess. */
function planDoubtful(c: Connection): boolean {
  const { board, env } = c;
  if (env.profile.lossDetection === 'rack' || board === null) return false;
  const index = board.firstDoubtful();
  return index >= 0 && c.inFlight + c.snd.mss <= c.cc.cwnd && planAgain(c, board, index);
}

/** Describes record `index` as a segment: its text, at most one MSS of it, and the FIN if it holds it. */
function planRecord(c: Connection, board: Scoreboard, index: number): void {
  const { snd } = c;
  const { plan } = c.env;
  const dataEnd = c.dataEnd;
  const to = board.to(index);
  plan.index = index;
  plan.seq = board.from(index);
  const text = seqDiff(seqGt(to, dataEnd) ? dataEnd : to, plan.seq);
  plan.len = Math.min(Math.max(text, 0), snd.mss);
  plan.fin = snd.finQueued && seqGt(to, dataEnd) && ((plan.seq + plan.len) | 0) === dataEnd;
  plan.push = plan.len === text && ((board.flags(index) & PUSHED) !== 0 || endsRun(c, board, index));
}

/** Whether the record is the last of several that are sent again together: they leave as one, like new ones. */
function endsRun(c: Connection, board: Scoreboard, index: number): boolean {
  if (!c.env.profile.pushBursts || c.timers.againRun === 0 || c.timers.againEnd !== board.from(index)) return false;
  const next = index + 1;
  if ((board.flags(index) & TRAIN_END) !== 0 || next >= board.count) return true;
  if ((board.flags(next) & (LOST | AGAIN)) !== LOST) return true;
  return c.timers.againRun + 1 >= burstSize(c) || c.inFlight + 2 * c.snd.mss > c.cc.cwnd;
}

/** The tail loss probe: something new when the window has room for it, else the last segment again (RFC 8985 §7.3). */
function planTailProbe(c: Connection, board: Scoreboard): Verdict {
  const { snd } = c;
  const { plan } = c.env;
  const unsent = seqDiff(c.dataEnd, snd.nxt);
  const usable = seqDiff((snd.una + snd.wnd) | 0, snd.nxt);
  if (unsent > 0 && usable > 0) {
    plan.seq = snd.nxt;
    const end = c.pieces === null ? c.dataEnd : c.pieces.firstEnd(c.dataEnd);
    plan.len = Math.min(seqDiff(end, snd.nxt), usable, snd.mss);
    plan.train = plan.len;
    plan.fin = snd.finQueued && plan.len === unsent;
    plan.push = ((snd.nxt + plan.len) | 0) === end && (c.pieces === null || (c.pieces.firstFlags & PUSH) !== 0);
    plan.written = plan.push;
    return SEND_NEW;
  }
  planRecord(c, board, board.count - 1);
  return SEND_AGAIN;
}

/** Whether octets that were never sent, or the FIN, may be sent now (RFC 9293 §3.8.6.2.1, §3.7.4). */
function planNew(c: Connection, most: number): boolean {
  const { snd, pieces } = c;
  const { plan, profile, superSegments } = c.env;
  const dataEnd = c.dataEnd;
  const unsent = seqDiff(dataEnd, snd.nxt);
  plan.seq = snd.nxt;
  if (unsent <= 0) {
    // A bare FIN needs no window: it is one number, and the peer's answer to it is what we want.
    plan.train = 0;
    plan.push = false;
    plan.written = false;
    plan.fin = unsent === 0 && finMayGo(c);
    return plan.fin;
  }
  const end = pieces === null ? dataEnd : pieces.firstEnd(dataEnd);
  const size = seqDiff(end, snd.nxt);
  const tail = end === dataEnd;
  const pushed = pieces === null || (pieces.firstFlags & PUSH) !== 0 || (tail && snd.finQueued);
  plan.train = c.trainLeft;
  plan.push = c.trainPush;
  plan.written = c.trainWritten;
  if (c.trainLeft === 0) {
    const probe = c.mtu === null ? 0 : mtuProbeDue(c);
    if (probe !== 0) return planMtuProbe(c, probe);
    const planned = superSegments === null ? planSegments(c, size, tail, most) : superSegments.plan(c, size, tail);
    if (!planned) return false;
    // A super-segment of Linux goes out whole and leaves the bucket in debt.
    const allowed = paced(c, plan.train, plan.train);
    if (allowed === 0) return false;
    if (profile.superSegment === 0) plan.train = allowed;
    const together = profile.pushBursts && plan.train > snd.mss;
    plan.written = (pushed && plan.train === size) || (c.overrideDue && profile.superSegment > 0);
    plan.push = together || plan.written;
  }
  plan.len = Math.min(plan.train, most);
  plan.fin = plan.len === unsent && finMayGo(c);
  return true;
}

/** New text in one segment that is larger than the others; below 0 it waits for the congestion window. */
function planMtuProbe(c: Connection, size: number): boolean {
  const { plan } = c.env;
  plan.congested = size < 0;
  if (size < 0 || paced(c, size, size) === 0) return false;
  plan.len = size;
  plan.train = size;
  plan.push = false;
  plan.written = false;
  plan.mtuProbe = true;
  return true;
}

/** A FIN waits for ESTABLISHED (RFC 9293 §3.10.4), also where text need not (RFC 7413 §4.2). */
function finMayGo(c: Connection): boolean {
  return c.snd.finQueued && c.state !== 'SYN-RECEIVED';
}

/** Octets of new data that the congestion window lets out: whole segments only where it counts those. */
export function congestionRoom(c: Connection): number {
  return c.cc.cwnd + allowance(c) - c.inFlight;
}

/** Whether Nagle's algorithm, a cork or a promise of more holds back a small segment at the end of the queue. */
export function heldBack(c: Connection): boolean {
  if (c.snd.finQueued || c.releasedTo === c.dataEnd) return false;
  if (c.corked || c.moreFollows) return true;
  const { env } = c;
  // A SYN,ACK in flight is no text (RFC 7413 §4.2).
  if (c.noDelay || c.flightSize === (c.state === 'SYN-RECEIVED' ? 1 : 0)) return false;
  // Minshall: only another small one in flight holds this one back.
  return !env.profile.nagleMinshall || smallInFlight(c);
}

/** Whether the last small segment that was sent is not acknowledged (Minshall). */
function smallInFlight(c: Connection): boolean {
  const { snd, statistics: s } = c;
  return s !== null && seqGt(s.smallEnd, snd.una) && seqLe(s.smallEnd, snd.nxt);
}

/**
 * The next segments of a piece of `size` octets: as many whole ones as a burst has, or as a link takes that cuts segments;
 * or one that is smaller.
 */
function planSegments(c: Connection, size: number, tail: boolean, most: number): boolean {
  const { snd } = c;
  const { plan } = c.env;
  const usable = seqDiff((snd.una + snd.wnd) | 0, snd.nxt);
  const room = congestionRoom(c);
  let len = size;
  if (size > snd.mss) {
    const burst = burstSize(c);
    if (defers(c, size, room, usable, burst, tail, true)) {
      plan.congested = room < usable;
      return false;
    }
    // What is smaller at the end goes along where a link cuts it off, and is asked after on its own elsewhere.
    const whole = most > snd.mss ? size : size - (size % snd.mss);
    len = Math.min(whole, Math.max(most, burst * snd.mss));
  }
  const idle = c.flightSize === 0;
  if (len > usable) {
    len = usable;
    if (len <= 0) {
      plan.waiting = idle;
      return false;
    }
  }
  if (len > room) {
    // Whole segments only: a congestion window is no reason to send a small one.
    len = room >= snd.mss ? room - (room % snd.mss) : 0;
    if (len <= 0) {
      plan.congested = true;
      return false;
    }
  }
  if (len > snd.mss && len < size) len -= len % snd.mss;
  if (len < snd.mss) {
    const worthwhile = len === size && !(tail && heldBack(c));
    if (!worthwhile && len < snd.maxWnd >> 1 && !(idle && c.overrideDue)) {
      plan.waiting = idle;
      return false;
    }
  }
  plan.train = len;
  return true;
}

/**
 * Writes the next segment of this connection, TCP header first, at `out[at]`.
 *
 * @param super_ octets that one segment may carry on a link that takes super-segments; 0 elsewhere
 * @returns octets written; 0 when there is nothing to send now
 */
export function transmit(
  c: Connection,
  out: Uint8Array,
  at: number,
  super_: number,
  partialChecksum: boolean,
  meta: TxMeta,
): number {
  const { mss } = c.snd;
  const verdict = plainToSend(c) || whatToSend(c, super_ > mss ? super_ - (super_ % mss) : mss);
  if (verdict === NOTHING) {
    rest(c);
    return 0;
  }
  const { plan } = c.env;
  const { len } = plan;
  plan.ecn = 0;
  const flags = flagsOf(c, verdict);
  const options = verdict === SEND_SYN ? putSynOptions(c, out, at + TCP_HEADER) : putOptions(c, verdict, out, at);
  const header = TCP_HEADER + options;
  const again = verdict === SEND_AGAIN || (verdict === SEND_SYN && c.snd.nxt !== c.snd.iss);
  const wnd = windowField(c, verdict);
  const { addressing } = c;
  const acks = (flags & ACK) !== 0;
  writeTcp(
    out,
    at,
    addressing.localPort,
    addressing.remotePort,
    plan.seq,
    acks ? c.rcv.nxt : 0,
    flags,
    wnd,
    0,
    options,
  );
  const cut = len > mss && !plan.mtuProbe;
  const partial = partialChecksum || cut;
  if (len > 0) putText(c, verdict === SEND_SYN ? 0 : seqDiff(plan.seq, c.snd.base), out, at + header, partial, meta);
  const length = header + len;
  const pseudo = addressing.pseudo + length;
  if (partial) {
    finishTcpPartial(out, at, pseudo);
    meta.checksum = CHECKSUM_PARTIAL;
    meta.csumStart = at;
    meta.csumOffset = TCP_CHECKSUM_OFFSET;
    if (cut) {
      meta.gsoType = addressing.local.family === 4 ? GSO_TCP4 : GSO_TCP6;
      meta.gsoSize = mss;
    }
    meta.headerLength = header;
  } else {
    finishTcp(out, at, length, pseudo);
  }
  sent(c, verdict, again);
  if (c.env.trace !== null) traceSent(c, verdict, flags, wnd, again);
  return length;
}

/**
 * The text of the planned segment, which begins `offset` octets after the oldest held: at `out[at..]`, or lent to a link
 * that takes it where it lies and finishes its sum.
 */
function putText(c: Connection, offset: number, out: Uint8Array, at: number, partial: boolean, meta: TxMeta): void {
  const { len } = c.env.plan;
  const { sendQueue } = c;
  if (sendQueue === null) return;
  if (partial && meta.gather > 0 && len >= meta.gather && sendQueue.lend(offset, len, meta.body)) return;
  sendQueue.copyTo(offset, len, out, at);
}

function flagsOf(c: Connection, verdict: Verdict): number {
  const { plan } = c.env;
  switch (verdict) {
    case SEND_RST:
      return RST | ACK;
    case SEND_SYN:
      return (c.state === 'SYN-SENT' ? SYN : SYN | ACK) | ecnOfSyn(c);
    case SEND_ACK:
    case SEND_PROBE:
      return ACK | ecnOfSegment(c, false);
    default: {
      // PSH where a write ends: the program has nothing more to add (RFC 9293 §3.9.1.2).
      const push = plan.len > 0 && plan.push && (verdict !== SEND_NEW || plan.len === plan.train);
      const ecn = ecnOfSegment(c, verdict === SEND_NEW && plan.len > 0);
      return ACK | (push ? PSH : 0) | (plan.fin ? FIN : 0) | ecn;
    }
  }
}

/** MSS, SACK permitted, timestamps, window scale, in the order and padding Linux has them (RFC 9293 §3.7.1, RFC 7323). */
function putSynOptions(c: Connection, out: Uint8Array, start: number): number {
  const { profile } = c.env;
  const { snd, rcv } = c;
  const first = c.state === 'SYN-SENT';
  const sack = first ? profile.sack : snd.sackOk;
  const ts = first ? profile.timestamps : snd.tsOk;
  const scales = first ? profile.windowScaling : rcv.scale > 0 || snd.scale > 0;
  let at = putMss(out, start, c.addressing.localMss);
  if (first && profile.synBareFrom > 0 && c.retries >= profile.synBareFrom) return at - start;
  if (profile.synScaleFirst) {
    if (scales) at = putWscale(out, putNop(out, at), scaleOf(c));
    if (sack) at = putSackPermitted(out, at);
    else if (ts) at = putNop(out, putNop(out, at));
    if (ts) at = putTimestamps(out, at, c.timestamp(), first ? 0 : rcv.tsRecent);
    const cookie = c.fastOpen?.cookieOnSyn(c) ?? null;
    if (cookie !== null) at = putFastOpen(out, at, cookie);
    while (((at - start) & 3) !== 0) at = putEnd(out, at);
    return at - start;
  }
  if (ts) {
    if (sack) at = putSackPermitted(out, at);
    else at = putNop(out, putNop(out, at));
    at = putTimestamps(out, at, c.timestamp(), first ? 0 : rcv.tsRecent);
  } else if (sack) {
    at = putSackPermitted(out, putNop(out, putNop(out, at)));
  }
  if (scales) at = putWscale(out, putNop(out, at), scaleOf(c));
  return putCookie(c, out, at) - start;
}

/** The fast open option, where there is one; returns the offset past it and its padding. */
function putCookie(c: Connection, out: Uint8Array, from: number): number {
  const cookie = c.fastOpen?.cookieOnSyn(c) ?? null;
  if (cookie === null) return from;
  let at = putFastOpen(out, from, cookie);
  while (((at - from) & 3) !== 0) at = putNop(out, at);
  return at;
}

/** Timestamps on every segment once agreed (RFC 7323 §3.2), SACK blocks where there is room (RFC 2018 §4). */
function putOptions(c: Connection, verdict: Verdict, out: Uint8Array, segmentAt: number): number {
  const { snd, rcv, rare, env } = c;
  const start = segmentAt + TCP_HEADER;
  let at = start;
  if (snd.tsOk) at = putTimestamps(out, putNop(out, putNop(out, at)), c.timestamp(), rcv.tsRecent);
  // "SHOULD be sent in an <RST> segment" as well (RFC 7323 §3.2); SACK blocks have no place there.
  if (verdict === SEND_RST || !snd.sackOk || (c.sackMemory === null && rare.dsackFrom === rare.dsackTo))
    return at - start;
  const room = Math.min(snd.mss - env.plan.len, TCP_MAX_OPTIONS - (at - start));
  const { blocks } = env;
  if (blocks.gather(c, room) > 0) {
    at = putSackBlocks(out, putNop(out, putNop(out, at)), blocks.left, blocks.right, blocks.count);
  }
  // Reported once (RFC 2883 §4).
  if (rare.dsackTo !== rare.dsackFrom) rare.dsackTo = rare.dsackFrom;
  return at - start;
}

function windowField(c: Connection, verdict: Verdict): number {
  if (verdict === SEND_RST) return 0;
  if (verdict === SEND_SYN) {
    // The window of a SYN is never scaled (RFC 7323 §2.2).
    return Math.min(c.receiveLimit, 0xffff);
  }
  return offerWindow(c);
}

/** The segment of `plan` is on its way: variables, timers, measurements. */
function sent(c: Connection, verdict: Verdict, again: boolean): void {
  const { snd, rcv, rtt, timers, env } = c;
  const { plan, now } = env;
  c.segmentsOut += wireSegments(c);
  if (verdict === SEND_RST) {
    c.resetDue = false;
    env.counts.resets++;
    return;
  }
  if (c.state !== 'SYN-SENT') {
    if (verdict === SEND_ACK && c.acksOwed > 0) c.acksOwed--;
    else c.acksOwed = 0;
    if (c.quickAcks > 0 && (c.ackNow || c.ackPending > 0)) c.quickAcks--;
    c.ackNow = c.acksOwed > 0;
    c.ackPending = 0;
    timers.delayedAck = OFF;
    rcv.lastAckSent = rcv.nxt;
  }
  if (verdict === SEND_ACK) return;
  if (verdict === SEND_PROBE) {
    c.probeDue = false;
    return;
  }
  const length = verdict === SEND_SYN ? 1 : plan.len + (plan.fin ? 1 : 0);
  const end = (plan.seq + length) | 0;
  const board = c.takeBoard();
  const row = c.timers;
  if (again) {
    if (c.tailProbeDue) board.repeated(plan.index, now);
    else sentAgain(c, board, verdict === SEND_SYN ? 0 : plan.index, end, now);
    copied(c);
    row.timing.sentAgain(plan.seq);
    c.count().resent++;
    countAgain(c);
  } else {
    if (c.tailProbeDue) c.rack.probeRepeats = false;
    const ends = plan.len === plan.train ? TRAIN_END | (plan.written ? PUSHED : 0) : 0;
    board.sent(plan.seq, end, plan.mtuProbe ? plan.len : snd.mss, env, verdict === SEND_SYN ? 0 : ends);
    if (plan.mtuProbe) mtuProbeSent(c, plan.seq, end);
    snd.nxt = end;
    row.againRun = 0;
    if (c.usage !== null) c.usage.sent = true;
    c.trainLeft = verdict === SEND_SYN ? 0 : plan.train - plan.len;
    c.trainPush = plan.push;
    c.trainWritten = plan.written;
    c.pieces?.sent(end);
    row.timing.sent(end, now);
    c.overrideDue = false;
    timers.persist = OFF;
  }
  c.tailProbeDue = false;
  if (c.recovery.active) c.recovery.prrOut += c.chargeOf(length);
  if (verdict === SEND_SYN) {
    if (plan.len > 0) c.fastOpen?.sentOnSyn(c, board, now);
  } else if (plan.len > 0) {
    spend(c, plan.len);
    c.cc.model?.sent(end, plan.len, again, c.inFlight, now);
    countText(c, again);
    if (now - c.lastTextAt < env.profile.delayedAck) c.dialogue = true;
    if (plan.seq === snd.una && !again) c.cc.resumed(now - c.lastDataSent, now);
    c.count().lastDataSent = now;
    if (!again && !plan.mtuProbe && plan.len % snd.mss !== 0) c.count().smallEnd = end;
  }
  if (timers.retransmit === OFF) {
    row.silentSince = now;
    row.retransmit = now + rtt.timeout(env.profile);
  }
  if (!again) armProbe(c);
}

/** Segments on the wire that the plan comes to: a link cuts what is larger than the MSS, but for a probe. */
function wireSegments(c: Connection): number {
  const { len, mtuProbe } = c.env.plan;
  return len > c.snd.mss && !mtuProbe ? Math.ceil(len / c.snd.mss) : 1;
}

/** A segment was sent again: what for. */
function countAgain(c: Connection): void {
  const { counts } = c.env;
  counts.retransmitted++;
  if (c.recovery.active) counts.retransmittedFast++;
  else if (c.recovery.guarded) counts.retransmittedAfterTimeout++;
}

/** Text was sent. */
export function countText(c: Connection, again: boolean): void {
  const { len } = c.env.plan;
  const s = c.count();
  s.dataSegmentsOut += wireSegments(c);
  s.bytesSent += len;
  if (again) s.bytesResent += len;
  if (s.kind === 0) s.account(1, c.env.now);
}

/** Record `index` was sent again up to `end`. */
function sentAgain(c: Connection, board: Scoreboard, index: number, end: number, now: number): void {
  const { plan } = c.env;
  board.sentAgain(index, end, now);
  const { timers } = c;
  const run = (timers.againEnd === plan.seq ? timers.againRun : 0) + 1;
  timers.againRun = plan.push || (board.flags(index) & TRAIN_END) !== 0 ? 0 : run;
  timers.againEnd = end;
}

/**
 * A segment has just left. When it was plainly the last for now, the connection rests, and nobody need ask `whatToSend`:
 * that would say `NOTHING` for want of anything to send and not because a window holds it back.
 *
 * @returns whether it rests
 */
export function restIfDone(c: Connection): boolean {
  const { board, snd, env } = c;
  if (c.unsent > 0 || c.ackNow || c.probeDue || c.tailProbeDue) return false;
  if (c.recovery.active || !c.isSynchronised()) return false;
  if (board !== null && board.lostOctets !== board.againOctets) return false;
  if (snd.finQueued && !c.finSent) return false;
  const { plan } = env;
  plan.congested = false;
  plan.waiting = false;
  plan.until = OFF;
  rest(c);
  return true;
}

/** `whatToSend` has just said that nothing can be sent: remembers why, and arms the timer that resolves a wait for the window. */
export function rest(c: Connection): void {
  const { plan, profile, now } = c.env;
  if (c.statistics !== null || c.queued > 0) c.count().account(busyness(c, plan.congested), now);
  if (c.timers.againRun > 0) c.timers.againRun = 0;
  windowUsed(c, plan.congested);
  if (c.cc.model !== null && !plan.congested && plan.until === OFF && c.unsent === 0) c.cc.model.starved(c.inFlight);
  armPacing(c);
  if (c.wantsWritable && (c.notSentLowWater >= 0 || profile.pieceOverhead > 0)) tellOfRoom(c);
  if (plan.waiting && c.timers.persist === OFF && c.isSynchronised()) {
    const held = c.corked || c.moreFollows || profile.sillyWindowOverride === 0;
    c.arm().persist =
      now + (c.snd.wnd === 0 ? probeInterval(c) : held ? c.rtt.timeout(profile) : profile.sillyWindowOverride);
    c.env.touch(c);
  }
}

/** Time to the next zero-window probe: the RTO, doubled for each one sent (RFC 9293 §3.8.6.1). */
export function probeInterval(c: Connection): number {
  const { profile } = c.env;
  let interval = c.rtt.timeout(profile);
  for (let i = c.timers.probes; i > 0 && interval < profile.probeMax; i--) interval *= 2;
  return Math.min(interval, profile.probeMax);
}

function traceSent(c: Connection, verdict: Verdict, flags: number, wnd: number, again: boolean): void {
  const { env, addressing } = c;
  if (verdict === SEND_SYN && !again) {
    env.trace?.({ type: 'iss', at: env.now, host: env.name, conn: c.id, iss: c.snd.iss });
  }
  env.trace?.({
    type: 'segment',
    at: env.now,
    host: env.name,
    dir: 'out',
    packet: env.packetId,
    conn: c.id,
    src: addressing.local.toString(),
    srcPort: addressing.localPort,
    dst: addressing.remote.toString(),
    dstPort: addressing.remotePort,
    seq: env.plan.seq,
    ack: (flags & ACK) !== 0 ? c.rcv.nxt : 0,
    flags,
    len: env.plan.len,
    wnd,
    state: c.state,
    again,
    probe: verdict === SEND_PROBE,
  });
}
