// Loss recovery: what an acknowledgement says of losses, and what the congestion window does meanwhile.
//
// With SACK, losses are found by time (`rack.ts`) and the window falls by proportional rate reduction (RFC 9937).
// Without it, they are found by counting duplicates, one loss per round trip (RFC 5681 §3.2, RFC 6582).
// Either marks records of the scoreboard as lost; `output.ts` sends those first.

import { seqDiff, seqGe, seqGt } from '../base/seq.ts';
import type { Connection } from './connection.ts';
import { ecnOfLoss } from './ecn.ts';
import { FRTO_OFF, FRTO_SECOND, frtoAcknowledged, frtoBegins } from './frto.ts';
import { forgetProbe, onlyProbeLost } from './path-mtu.ts';
import { detectLosses, recoveryPassed, reorderingWindow } from './rack.ts';
import { type Delivery, SACKED } from './scoreboard.ts';
import { wasLimited } from './validation.ts';

/** Octets that limited transmit adds to the congestion window (RFC 3042); SACK needs no such help. */
export function allowance(c: Connection): number {
  const { active, dupAcks } = c.recovery;
  if (active || dupAcks === 0 || c.snd.sackOk || !c.env.profile.limitedTransmit) return 0;
  return Math.min(dupAcks, 2) * c.snd.mss;
}

/**
 * An acknowledgement was taken in: `snd.una` has moved by `acked`, the scoreboard knows what has arrived.
 *
 * @param duplicate by the definition of RFC 5681 §2
 */
export function acknowledged(c: Connection, acked: number, delivery: Delivery, duplicate: boolean, now: number): void {
  const late = c.recovery.frto !== FRTO_OFF && frtoAcknowledged(c, acked, delivery, duplicate);
  if (late) spurious(c);
  if (c.snd.sackOk) withSack(c, acked, delivery, late, now);
  else if (late) return;
  else if (acked > 0) withoutSack(c, acked, now);
  else if (duplicate) duplicateWithoutSack(c, now);
}

function withSack(c: Connection, acked: number, delivery: Delivery, late: boolean, now: number): void {
  const { snd, recovery, cc } = c;
  const { countSegments, dupThresh } = c.env.profile;
  const undone = recovery.undoable && recovery.undoCount === 0;
  if (undone && !late) undo(c);
  if (recovery.guarded && acked > 0 && seqGe(snd.una, recovery.recover)) {
    if (recovery.active) endRecovery(c);
    recovery.guarded = false;
    recoveryPassed(c);
  }
  const lost = detectLosses(c, delivery, now);
  const delivered = countSegments ? delivery.segments * snd.mss : delivery.octets;
  if (recovery.active) reduceRate(c, delivered, acked > 0 && !lost);
  // An acknowledgement that echoes a mark lets nothing grow (RFC 3168 §6.1.2).
  else if (undone || late || c.ecn?.held === true) return;
  // What SACK had reported before has been counted as gone from the network, and is no reason to grow now. On a path
  // that reorders much Linux grows by what arrives in whatever order.
  else if (!countSegments) cc.acked(Math.min(acked, delivered), wasLimited(c, snd.una), now);
  else if (acked > 0 || c.rack.degree > dupThresh) cc.acked(delivered, wasLimited(c, snd.una), now);
}

/** Segments were found lost: recovery begins, unless they belong to one that goes on. With SACK. */
export function lossesFound(c: Connection, now: number): void {
  const { recovery, snd, cc } = c;
  if (c.mtu !== null && onlyProbeLost(c, c.mtu)) return;
  if (recovery.guarded) return;
  recovery.active = true;
  c.env.counts.sackRecoveries++;
  recovery.guarded = true;
  recovery.recover = snd.nxt;
  recovery.prrFlight = c.env.profile.reduceFrom === 'window' ? cc.cwnd : c.flightSize;
  recovery.prrDelivered = 0;
  recovery.prrOut = 0;
  slowDown(c, now);
  c.traceCongestion('fast-retransmit');
}

/** A loss brings the threshold down, unless a mark in the same window of data has done so (RFC 3168 §6.1.2). */
function slowDown(c: Connection, now: number): void {
  if (c.ecn?.reduced === true) return;
  assume(c);
  c.cc.reduce(flightBefore(c), now);
  ecnOfLoss(c);
}

/** What a loss reduces: by default what was in flight by the congestion window, less what limited transmit sent beyond it (RFC 5681 §3.2 step 2). */
function flightBefore(c: Connection): number {
  const { cwnd } = c.cc;
  return c.env.profile.reduceFrom === 'window' ? cwnd : Math.min(c.flightSize, cwnd);
}

/** A loss is assumed from here on; the next acknowledgement may prove it wrong. */
function assume(c: Connection): void {
  const { recovery, board } = c;
  recovery.undecided = c.snd.tsOk;
  recovery.stamp = c.timestamp();
  recovery.undoable = c.snd.sackOk;
  recovery.undoFrom = c.snd.una;
  // Copies of an earlier recovery that are still about may be reported as well.
  recovery.undoCount = board === null || board.againCount === 0 ? -1 : board.againCount;
}

/** Something is sent again. */
export function copied(c: Connection): void {
  const { recovery } = c;
  if (recovery.undoable) recovery.undoCount = Math.max(recovery.undoCount, 0) + 1;
  // Copies beyond the first mean that the repair goes on, and make originals and copies alike.
  if (recovery.frto === FRTO_SECOND) recovery.frto = FRTO_OFF;
}

/** The peer had `[left, right)` already when a copy came (RFC 2883, RFC 3708). */
export function duplicateReported(c: Connection, left: number, right: number): void {
  const { recovery, snd } = c;
  if (!recovery.undoable || recovery.undoCount <= 0 || !seqGt(right, recovery.undoFrom)) return;
  const segments = Math.ceil(seqDiff(right, left) / snd.mss);
  recovery.undoCount = Math.max(recovery.undoCount - segments, 0);
}

/** Nothing had been lost: what was taken from the window is given back (RFC 4015 §3.2). */
function undo(c: Connection): void {
  const { recovery } = c;
  c.cc.undo();
  recovery.active = false;
  recovery.guarded = false;
  recovery.undoable = false;
  recovery.undecided = false;
  recovery.dupAcks = 0;
  recovery.frto = FRTO_OFF;
  c.rtt.backoff = 0;
  c.traceCongestion('undo');
}

/** The timer had fired for nothing: what counted as lost is in flight (RFC 5682 §3.1 step 3b, RFC 4015 §3.2). */
function spurious(c: Connection): void {
  undo(c);
  c.board?.nothingLost();
  c.env.counts.spuriousTimeouts++;
}

/**
 * An acknowledgement moved SND.UNA and echoes `echo`. When that is older than the first repetition, it answers the
 * original: nothing was lost, the path was only slow or out of order, and what was taken from the window is given back
 * (RFC 3522 §3.2, RFC 4015 §3.2).
 */
export function decide(c: Connection, echo: number): void {
  const { recovery, board } = c;
  recovery.undecided = false;
  if (((echo - recovery.stamp) | 0) >= 0) return;
  undo(c);
  board?.nothingLost();
  // What looked like a loss was reordering, so the next time it gets its window (RFC 8985 §6.2 step 4).
  c.rack.reordering = true;
}

/** Proportional rate reduction for one acknowledgement (RFC 9937 §6.2). */
export function reduceRate(c: Connection, delivered: number, safe: boolean): void {
  const { recovery, cc, snd } = c;
  if (cc.model !== null) return;
  recovery.prrDelivered += delivered;
  const pipe = c.inFlight;
  let count: number;
  if (pipe > cc.ssthresh) {
    count = Math.ceil((recovery.prrDelivered * cc.ssthresh) / recovery.prrFlight) - recovery.prrOut;
  } else {
    let limit = Math.max(recovery.prrDelivered - recovery.prrOut, delivered);
    // The path delivers and loses nothing more: it may have one segment on top (RFC 9937 SafeACK).
    if (safe || c.env.profile.prrBound === 'ssrb') limit += snd.mss;
    count = Math.min(cc.ssthresh - pipe, limit);
  }
  // The first copy goes out at once.
  if (recovery.prrOut === 0 && count < snd.mss) count = snd.mss;
  cc.cwnd = pipe + Math.max(count, 0);
}

function endRecovery(c: Connection): void {
  c.recovery.active = false;
  if (c.cc.model === null) c.cc.cwnd = c.cc.ssthresh;
  c.traceCongestion('recovered');
}

function withoutSack(c: Connection, acked: number, now: number): void {
  const { snd, recovery, cc } = c;
  // Each duplicate told of a segment that had left the network: no reason to grow once more.
  const told = recovery.dupAcks * snd.mss;
  recovery.dupAcks = 0;
  if (recovery.active) {
    if (seqGe(snd.una, recovery.recover)) {
      recovery.active = false;
      // RFC 6582 §3.2 step 3 option 1: no burst when little is in flight.
      if (cc.model === null) cc.cwnd = Math.min(Math.max(c.flightSize, snd.mss) + snd.mss, cc.ssthresh);
      c.traceCongestion('recovered');
      return;
    }
    // A partial acknowledgement: the segment it stops at was lost as well; the window deflates by what left
    // and gets one segment back for the copy (RFC 6582 §3.2 step 3).
    if (cc.model === null) cc.cwnd = Math.max(cc.cwnd - acked + (acked >= snd.mss ? snd.mss : 0), snd.mss);
    c.board?.markLost(0);
    c.traceCongestion('partial-ack');
    return;
  }
  if (recovery.guarded && seqGt(snd.una, recovery.recover)) recovery.guarded = false;
  if (c.ecn?.held !== true) cc.acked(Math.max(acked - told, Math.min(acked, snd.mss)), wasLimited(c, snd.una), now);
}

function duplicateWithoutSack(c: Connection, now: number): void {
  const { snd, recovery, cc } = c;
  recovery.dupAcks++;
  if (recovery.active) {
    // A segment has left the network (RFC 5681 §3.2 step 4).
    if (cc.model === null) cc.cwnd += snd.mss;
    return;
  }
  if (recovery.dupAcks !== c.env.profile.dupThresh || recovery.guarded) return;
  c.board?.markLost(0);
  // The copy gets a full timeout of its own; otherwise the timer may fire on it (RFC 6298 leaves it open).
  c.arm().retransmit = now + c.rtt.timeout(c.env.profile);
  if (c.mtu !== null && onlyProbeLost(c, c.mtu)) return;
  recovery.active = true;
  c.env.counts.renoRecoveries++;
  recovery.guarded = true;
  recovery.recover = snd.nxt;
  slowDown(c, now);
  if (cc.model === null) cc.cwnd = cc.ssthresh + 3 * snd.mss;
  c.traceCongestion('fast-retransmit');
}

/** The retransmission timer fired: what is in flight counts as lost (RFC 5681 §3.1, RFC 6582 §4, RFC 8985 §6.3). */
export function retransmissionTimedOut(c: Connection, now: number): void {
  const { snd, recovery, cc, board } = c;
  const first = c.retries === 0;
  if (c.mtu !== null) forgetProbe(c.mtu);
  // Duplicates in plenty and yet a timeout: the path reorders less than was believed.
  if (first && !recovery.active && board !== null && board.sackedCount >= c.env.profile.dupThresh) c.rack.degree = 0;
  cc.timedOut(c.flightSize, first, now);
  ecnOfLoss(c);
  if (first) assume(c);
  frtoBegins(c, recovery.guarded);
  recovery.active = false;
  recovery.guarded = true;
  recovery.dupAcks = 0;
  recovery.recover = snd.nxt;
  if (board !== null) {
    // The receiver said that it has the first segment and does not acknowledge it: it reneged (RFC 2018 §8).
    if ((board.flags(0) & SACKED) !== 0) board.renege();
    for (let i = 0; i < board.count; i++) {
      // What was sent a moment ago has had no time to be answered (RFC 8985 §6.3).
      const fresh = snd.sackOk && i > 0 && board.sentAt(i) + c.rack.rtt + reorderingWindow(c) > now;
      if (!fresh) board.markLost(i);
    }
  }
  c.traceCongestion('rto');
}
