// The plain segment, in and out, by a short way: what nearly every segment of a healthy connection is.
//
// It is what "header prediction" (BSD, and Linux's fast path) foretells: ESTABLISHED on our side; ACK and at most PSH; the
// very next number; nothing lost, repeated, out of order, marked or closing. Of RFC 9293 §3.10.7.4 the following then holds
// without being asked: first, the segment is acceptable and inside the window, so nothing is trimmed; PAWS has been asked;
// second, sixth and eighth, no RST, no URG, no FIN (and none seen before, so no end to reach); fourth, no SYN; fifth, the
// ACK acknowledges something in flight, or nothing and text comes with it, so it is no duplicate. What is left is done by
// the functions that the general way calls, in its order. Whatever is not foretold is left untouched to that way
// (`arrives.ts`, `output.ts`), which gives the same result for a plain segment too: test/tcp/plain.test.ts compares them.

import { seqLe } from '../base/seq.ts';
import { ACK, PSH, type Segment } from '../wire/tcp.ts';
import { acknowledge, measure, updateWindow } from './acks.ts';
import { tellOfRoom } from './autotune.ts';
import type { Connection } from './connection.ts';
import { FRTO_OFF } from './frto.ts';
import { heardFrom } from './liveness.ts';
import { NOTHING, SEND_ACK, SEND_NEW, type Verdict } from './output.ts';
import { armProbe, noteArrival } from './rack.ts';
import type { Scoreboard } from './scoreboard.ts';
import { processText } from './text.ts';
import { OFF } from './timers.ts';
import { wasLimited } from './validation.ts';

/** Takes in a plain segment, whole; false when it is none: then nothing has changed, and `segmentArrives` is for it. */
export function arrivesPlain(c: Connection, seg: Segment): boolean {
  const { snd, rcv, env } = c;
  const { len } = seg;
  if ((seg.flags & ~PSH) !== ACK || seg.seq !== rcv.nxt || seg.hasTs !== snd.tsOk || seg.sackCount > 0) return false;
  if (c.state !== 'ESTABLISHED' || snd.finQueued || rcv.finSeen || seg.gsoSize > 0 || c.ecn !== null) return false;
  const advance = (seg.ack - snd.una) | 0;
  if (advance < 0 || advance > ((snd.nxt - snd.una) | 0) || (advance === 0 && len === 0)) return false;
  if (len > ((rcv.adv - rcv.nxt) | 0)) return false;
  if (snd.tsOk && ((seg.tsVal - rcv.tsRecent) | 0) < 0) return false;
  const { board } = c;
  if (advance > 0 && (board === null || !isCalm(c, board))) return false;

  const { now } = env;
  c.segmentsIn++;
  if (c.liveness !== null) heardFrom(c, c.liveness);
  if (snd.tsOk && seqLe(seg.seq, rcv.lastAckSent)) {
    rcv.tsRecent = seg.tsVal;
    rcv.tsRecentAt = Math.floor(now / 1000);
  }
  c.ackAt = Math.floor(now) | 0;
  c.moreFollows = false;
  c.trainLeft = 0;
  if (advance > 0 && board !== null) takePlainAck(c, seg, board, advance);
  updateWindow(c, seg, seg.wnd << snd.scale);
  if (advance > 0 && c.wantsWritable && env.profile.pieceOverhead === 0) tellOfRoom(c);
  if (len > 0) processText(c, seg);
  env.touch(c);
  return true;
}

/** Nothing is known to be lost, repeated or reordered, and no recovery, probe or mark awaits its answer. */
function isCalm(c: Connection, board: Scoreboard): boolean {
  const { recovery, rack } = c;
  if (recovery.active || recovery.guarded || recovery.undecided || recovery.undoCount === 0) return false;
  if (recovery.frto !== FRTO_OFF || rack.probing || rack.reordering || c.mtu !== null) return false;
  if ((board.sackedOctets | board.lostOctets | board.againOctets) !== 0 || board.fack !== c.snd.una) return false;
  return c.snd.sackOk && c.cc.model === null && !c.env.profile.countSegments;
}

/** `takeAck` of `acks.ts`, and what it leads to in recovery, where all is calm. */
function takePlainAck(c: Connection, seg: Segment, board: Scoreboard, advance: number): void {
  const { snd, env, timers } = c;
  const { delivery, now } = env;
  delivery.reset(board.fack);
  acknowledge(c, seg.ack, board, delivery);
  measure(c, seg, advance);
  if (delivery.sentAt >= 0 && !delivery.ambiguous) c.cc.sampled(now - delivery.sentAt, snd.una, snd.nxt, now);
  noteArrival(c, delivery, now);
  timers.reorder = OFF;
  c.cc.acked(Math.min(advance, delivery.octets), wasLimited(c, snd.una), now);
  if (snd.una === snd.nxt) {
    timers.retransmit = OFF;
    c.releaseBoard();
    return;
  }
  timers.silentSince = now;
  timers.retransmit = now + c.rtt.timeout(env.profile);
  armProbe(c);
}

/**
 * `whatToSend` of `output.ts`, when the next segment is plain: all that was written and not sent, in one segment that nothing
 * holds back, or a bare acknowledgement. `NOTHING` when it is none; then nothing has changed, and `whatToSend` is to be asked.
 */
export function plainToSend(c: Connection): Verdict {
  const { snd, env, unsent: len } = c;
  if (c.state !== 'ESTABLISHED' || snd.finQueued || !sendsPlainly(c)) return NOTHING;
  if (len > 0 ? !mayLeave(c, len) : !c.ackNow) return NOTHING;
  const { plan } = env;
  plan.seq = snd.nxt;
  plan.len = len;
  plan.train = len;
  plan.push = true;
  plan.written = true;
  plan.fin = false;
  plan.mtuProbe = false;
  return len > 0 ? SEND_NEW : SEND_ACK;
}

/** Nothing but new text and acknowledgements is to be sent, and by the simplest of policies. */
function sendsPlainly(c: Connection): boolean {
  const { board, env, rare, cc } = c;
  const { profile } = env;
  if (board !== null && (board.lostOctets | board.againOctets) !== 0) return false;
  if (c.acksOwed > 0 || c.probeDue || c.tailProbeDue || c.trainLeft > 0 || c.recovery.active) return false;
  if (c.pieces !== null || c.mtu !== null || c.ecn !== null || c.sackMemory !== null) return false;
  if (rare.dsackFrom !== rare.dsackTo || cc.model !== null || cc.pacingRate > 0) return false;
  return !profile.pacing && profile.superSegment === 0 && !profile.countSegments && !profile.nagleMinshall;
}

/** Whether `len` octets, all that is unsent, may leave in one segment now: windows, Nagle's algorithm, no cork. */
function mayLeave(c: Connection, len: number): boolean {
  const { snd } = c;
  const flight = (snd.nxt - snd.una) | 0;
  if (len > snd.mss || len > ((snd.wnd - flight) | 0) || c.corked || c.moreFollows) return false;
  if (len < snd.mss && flight > 0 && !c.noDelay) return false;
  return c.recovery.dupAcks === 0 && len <= c.cc.cwnd - c.inFlight;
}
