// RACK: losses found by time (RFC 8985 §6), and the tail loss probe (§7).
//
// A segment counts as lost when one that was sent later has arrived and a reordering window has passed since it
// should have. The window is nothing until the path is seen to reorder, and widens while it proves too narrow.

import { seqDiff, seqGe, seqGt } from '../base/seq.ts';
import type { Connection } from './connection.ts';
import { repairsProbe } from './path-mtu.ts';
import { lossesFound, reduceRate } from './recovery.ts';
import { type Delivery, EVER_AGAIN, LOST, SACKED, AGAIN as SENT_AGAIN } from './scoreboard.ts';
import { OFF } from './timers.ts';

/** The reordering window, ms (§6.2 step 4). */
export function reorderingWindow(c: Connection): number {
  const { board, rack, recovery, rtt, env } = c;
  if (!rack.reordering) {
    if (recovery.active || (board !== null && board.sackedCount >= reorderingDegree(c))) return 0;
    if (env.profile.earlyRetransmit === 'quick' && isShort(c)) return 0;
  }
  if (rtt.srtt < 0) return 0;
  const window = (rack.quarters * Math.max(rtt.least, 0)) / 4;
  return Math.min(window, rtt.srtt);
}

/** A DSACK came: the receiver had what we repeated, so the window was too narrow (§6.2 step 4). */
export function duplicateTold(c: Connection): void {
  const { snd } = c;
  const { rack } = c.arm();
  if (rack.dsackSeen && !seqGt(snd.una, rack.dsackRound)) return;
  rack.dsackSeen = true;
  rack.dsackRound = snd.nxt;
  rack.quarters++;
  rack.persist = 16;
}

/** A recovery has ended by itself: after sixteen without another DSACK the window is as narrow as at first (§6.2 step 4). */
export function recoveryPassed(c: Connection): void {
  const { rack } = c;
  if (rack.persist === 0) return;
  rack.persist--;
  if (rack.persist > 0) return;
  rack.quarters = 1;
  rack.dsackSeen = false;
}

/** Segments that may arrive out of order before one counts as lost: the profile's, or what the path has shown. */
export function reorderingDegree(c: Connection): number {
  return Math.max(c.rack.degree, c.env.profile.dupThresh);
}

/** Something arrived late, not having been sent again: the path reorders by as much as has overtaken it. */
function noteReordering(c: Connection, lowest: number, fack: number): void {
  const { rack, snd, env } = c;
  rack.reordering = true;
  rack.reorderings++;
  const degree = Math.ceil(seqDiff(fack, lowest) / snd.mss);
  if (degree > reorderingDegree(c)) rack.degree = Math.min(degree, env.profile.maxReordering);
}

/** So little is in flight, with nothing to follow, that three duplicates can never come (RFC 5827 §2.1). */
function isShort(c: Connection): boolean {
  const { board } = c;
  return board !== null && board.count < 4 && board.sackedCount > 0 && board.againCount === 0 && c.unsent === 0;
}

/**
 * Takes in what an acknowledgement delivered and marks what is lost by now (§6.2).
 *
 * @returns true when something was found lost
 */
export function detectLosses(c: Connection, delivery: Delivery, now: number): boolean {
  if (delivery.reordered) noteReordering(c, delivery.lowest, c.board === null ? c.snd.una : c.board.fack);
  noteArrival(c, delivery, now);
  return c.env.profile.lossDetection === 'rack' ? markOverdue(c, now) : markBelow(c, now);
}

/** The segment sent last among those that have arrived may be one of these (§6.2 step 2). */
export function noteArrival(c: Connection, delivery: Delivery, now: number): void {
  const { rack, rtt } = c;
  // An answer quicker than any round trip answers the original, not the copy.
  const { lastAt, sentAt } = delivery;
  if (sentAt >= 0 && (!delivery.ambiguous || now - sentAt >= rtt.least)) {
    rack.rtt = now - sentAt;
    if (sentAt > rack.sentAt || (sentAt === rack.sentAt && seqGt(delivery.end, rack.end))) {
      rack.sentAt = sentAt;
      rack.end = delivery.end;
    }
  }
  if (c.env.profile.rackRttOfLast && lastAt >= 0 && (!delivery.lastAgain || now - lastAt >= rtt.least)) {
    rack.rtt = now - lastAt;
  }
}

/** Losses by what has arrived above them (RFC 6675 §4), and early retransmit (RFC 5827). */
function markBelow(c: Connection, now: number): boolean {
  const { board, timers, rack, rtt, recovery, env } = c;
  timers.reorder = OFF;
  if (board === null || board.sackedCount === 0) return false;
  const forward = env.profile.lossDetection === 'fack' && !rack.reordering;
  let found = board.markBelow(reorderingDegree(c), forward);
  if (!found && !recovery.guarded && env.profile.earlyRetransmit !== 'none' && isShort(c)) {
    if (env.profile.earlyRetransmit === 'quick' || rtt.srtt < 0) found = board.markBelow(1, false);
    else c.arm().reorder = now + Math.max(rtt.srtt / 4, env.profile.reorderSlack);
  }
  if (found) lossesFound(c, now);
  return found;
}

/** The timer of early retransmit fired: whatever is below what has arrived is lost. */
function earlyTimedOut(c: Connection, now: number): void {
  if (c.board?.markBelow(1, false) !== true) return;
  lossesFound(c, now);
  if (c.recovery.active) reduceRate(c, 0, false);
}

/** The reordering timer fired: time alone may have made more of them lost (§6.2 step 5). */
export function reorderingTimedOut(c: Connection, now: number): void {
  if (c.env.profile.lossDetection !== 'rack') {
    c.timers.reorder = OFF;
    earlyTimedOut(c, now);
    return;
  }
  if (markOverdue(c, now) && c.recovery.active) reduceRate(c, 0, false);
}

function markOverdue(c: Connection, now: number): boolean {
  const { board, rack, timers, env } = c;
  timers.reorder = OFF;
  if (board === null || (board.sackedOctets === 0 && board.againOctets === 0 && !rack.reordering)) {
    // Nothing arrived out of order, so everything sent before the latest arrival has arrived.
    return false;
  }
  const patience = rack.rtt + reorderingWindow(c);
  let wait = 0;
  let found = false;
  for (let i = 0; i < board.count; i++) {
    const flags = board.flags(i) & (SACKED | LOST | SENT_AGAIN | EVER_AGAIN);
    if ((flags & SACKED) !== 0 || (flags & (LOST | SENT_AGAIN)) === LOST) continue;
    const at = board.sentAt(i);
    // The copy of a probe that left at the same time as new text may have left behind it, and no recovery goes on that
    // would make a mistake cost nothing.
    const ordered = (flags & SENT_AGAIN) === 0 || c.mtu === null || !repairsProbe(c.mtu);
    const before = at < rack.sentAt || (at === rack.sentAt && ordered && seqGt(rack.end, board.to(i)));
    if (!before) {
      // In order of sending from here on, unless copies are about.
      if (board.againOctets === 0 && flags === 0 && at > rack.sentAt) break;
      continue;
    }
    const left = at + patience - now;
    if (left <= 0) {
      board.markLost(i);
      found = true;
    } else if (left > wait) {
      wait = left;
    }
  }
  if (wait > 0) c.arm().reorder = now + wait + env.profile.reorderSlack;
  if (found) lossesFound(c, now);
  return found;
}

/** Arms the probe for the end of what was sent, where one may be sent (§7.2). */
export function armProbe(c: Connection): void {
  const { timers, rtt, recovery, board, rack } = c;
  timers.probe = OFF;
  if (!c.snd.sackOk || !c.env.profile.tailLossProbe || rack.probing || recovery.guarded || !c.isSynchronised()) return;
  if (board === null || board.sackedOctets > 0 || timers.retransmit === OFF || rtt.srtt < 0) return;
  // A lone segment may be waiting for a delayed acknowledgement; otherwise two ticks of the clock are the least.
  const { maxAckDelay, clockGranularity } = c.env.profile;
  const wait = 2 * rtt.srtt + (board.count === 1 ? maxAckDelay : 2 * clockGranularity);
  c.arm().probe = Math.min(c.env.now + wait, timers.retransmit);
}

/** The probe timer fired: one more segment, new or the last one again, to call forth an acknowledgement (§7.3). */
export function probeTimedOut(c: Connection, now: number): void {
  const { timers, rack, board } = c;
  timers.probe = OFF;
  if (board === null || board.count === 0 || c.recovery.guarded) return;
  rack.probing = true;
  c.env.counts.lossProbes++;
  rack.probeEnd = c.snd.nxt;
  rack.probeRepeats = true;
  c.tailProbeDue = true;
  c.arm().retransmit = now + c.rtt.timeout(c.env.profile);
}

/**
 * An acknowledgement came while a probe was out (§7.4.2). When the probe repeated something and no duplicate is
 * reported before the peer goes beyond it, the original was lost, and that costs what a loss costs.
 */
export function probeAnswered(c: Connection, dsack: boolean, now: number): void {
  const { rack, snd, cc } = c;
  if (!seqGe(snd.una, rack.probeEnd)) return;
  if (!rack.probeRepeats || dsack) {
    rack.probing = false;
  } else if (seqGt(snd.una, rack.probeEnd)) {
    rack.probing = false;
    c.recovery.undoable = false;
    cc.reduce(c.flightSize, now);
    cc.cwnd = Math.min(cc.cwnd, cc.ssthresh);
  }
}
