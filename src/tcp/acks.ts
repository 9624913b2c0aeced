// The ACK field of a synchronised connection: SND.UNA, SACK, the send window (RFC 9293 §3.10.7.4 fifth, RFC 2018).

import { seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax } from '../base/seq.ts';
import { FIN, type Segment, SYN } from '../wire/tcp.ts';
import { tellOfRoom } from './autotune.ts';
import type { Connection } from './connection.ts';
import { ecnOfAck } from './ecn.ts';
import { mtuProbeAcknowledged } from './path-mtu.ts';
import { armProbe, duplicateTold, probeAnswered } from './rack.ts';
import { acknowledged, decide, duplicateReported } from './recovery.ts';
import type { Delivery, Scoreboard } from './scoreboard.ts';
import { OFF } from './timers.ts';
import { restartWhenIdle } from './validation.ts';

/** Processes SEG.ACK, which is known not to be beyond SND.NXT nor absurdly old, its SACK blocks and SEG.WND. */
export function processAck(c: Connection, seg: Segment): void {
  const { snd } = c;
  const advance = seqDiff(seg.ack, snd.una);
  const wnd = seg.wnd << snd.scale;
  c.moreFollows = false;
  c.trainLeft = 0;
  if (advance < 0) {
    // Overtaken by another: what it says of the window is stale, what SACK says is not.
    if (seg.sackCount > 0 && snd.sackOk) takeAck(c, seg, 0, false);
    return;
  }
  // RFC 5681 §2: a duplicate has data outstanding, no text, no SYN or FIN, the same number and window.
  const duplicate =
    advance === 0 && seg.len === 0 && (seg.flags & (SYN | FIN)) === 0 && wnd === snd.wnd && snd.una !== snd.nxt;
  // What only brings text has nothing to say here.
  if (advance > 0 || duplicate || seg.sackCount > 0) takeAck(c, seg, advance, duplicate);
  updateWindow(c, seg, wnd);
  if (advance > 0 && c.wantsWritable && c.env.profile.pieceOverhead === 0) tellOfRoom(c);
}

/** The acknowledgement says something: to the scoreboard, to the measurements, to recovery. */
function takeAck(c: Connection, seg: Segment, advance: number, duplicate: boolean): void {
  const { snd, env, board } = c;
  const { delivery, now } = env;
  delivery.reset(board === null ? snd.una : board.fack);
  if (advance > 0) acknowledge(c, seg.ack, board, delivery);
  const dsack = seg.sackCount > 0 && snd.sackOk && takeSack(c, board, seg, delivery);
  measure(c, seg, advance);
  if (advance > 0) {
    if (c.recovery.undecided && seg.hasTs) decide(c, seg.tsEcr);
    if (c.mtu !== null) mtuProbeAcknowledged(c, c.mtu);
  }
  if (delivery.sentAt >= 0 && !delivery.ambiguous) c.cc.sampled(now - delivery.sentAt, snd.una, snd.nxt, now);
  ecnOfAck(c, seg, now);
  if (dsack) {
    duplicateTold(c);
    c.count().duplicatesTold++;
    env.counts.duplicatesTold++;
  }
  if (advance > 0 || duplicate || delivery.sacked > 0 || dsack) acknowledged(c, advance, delivery, duplicate, now);
  if (delivery.octets > 0) {
    c.cc.model?.delivered(delivery.octets, delivery.sentAt, delivery.end, c.inFlight, snd.una, now);
  }
  if (c.rack.probing && (advance > 0 || dsack)) probeAnswered(c, dsack, now);
  if (advance === 0) return;
  if (snd.una === snd.nxt) {
    c.timers.retransmit = OFF;
    c.releaseBoard();
    return;
  }
  const timers = c.arm();
  timers.silentSince = now;
  timers.retransmit = now + c.rtt.timeout(env.profile);
  armProbe(c);
}

/** SND.UNA moves to `ack`: octets leave the queue and the scoreboard. */
export function acknowledge(c: Connection, ack: number, board: Scoreboard | null, delivery: Delivery): void {
  const { snd } = c;
  snd.una = ack;
  board?.acknowledge(ack, delivery);
  const dataEnd = c.dataEnd;
  const upTo = seqGt(ack, dataEnd) ? dataEnd : ack;
  const octets = seqDiff(upTo, snd.base);
  if (octets > 0) {
    c.sendQueue?.drop(octets);
    snd.base = upTo;
  }
  c.retries = 0;
}

/** A round-trip time, from the segment being timed or else from its echoed timestamp (RFC 7323 §4). */
export function measure(c: Connection, seg: Segment, advance: number): void {
  const { snd, rtt, env } = c;
  const { delivery, profile, now } = env;
  const { firstAt, copies, firstSackedAt } = delivery;
  if (!profile.rttEveryAck) {
    if (advance <= 0) return;
    const { timing } = c.timers;
    if (timing.on) {
      const sample = timing.acked(snd.una, now);
      if (sample >= 0) rtt.measure(sample, profile);
      return;
    }
  } else if ((firstAt >= 0 && !copies) || firstSackedAt >= 0) {
    rtt.measureEach(now - (firstAt >= 0 && !copies ? firstAt : firstSackedAt), snd.una, snd.nxt, profile);
    return;
  }
  // What was timed had to be sent again; the echo says which copy is answered, so Karn's rule can rest.
  if (advance <= 0 || !snd.tsOk || !seg.hasTs) return;
  const sample = (c.timestamp() - seg.tsEcr) | 0;
  if (sample < 0 || sample >= profile.rtoMax) return;
  if (profile.rttEveryAck) rtt.measureEach(sample, snd.una, snd.nxt, profile);
  else rtt.measure(sample, profile);
}

/**
 * Takes in SACK blocks. Blocks outside of what is in flight are ignored (CVE-2019-11477 began with such).
 *
 * @returns true when the first block is a duplicate report (RFC 2883 §4)
 */
function takeSack(c: Connection, board: Scoreboard | null, seg: Segment, delivery: Delivery): boolean {
  const { snd } = c;
  let dsack = false;
  for (let i = 0; i < seg.sackCount; i++) {
    const left = seg.sackLeft[i]!;
    const right = seg.sackRight[i]!;
    if (!seqLt(left, right) || seqGt(right, snd.nxt)) continue;
    if (i === 0) {
      const inSecond =
        seg.sackCount > 1 && seqGe(left, seg.sackLeft[1]!) && seqLe(right, seg.sackRight[1]!) && seqGt(left, snd.una);
      if (seqLe(right, seg.ack) || inSecond) {
        dsack = seqGe(left, (snd.una - snd.maxWnd) | 0);
        if (dsack) duplicateReported(c, left, right);
        continue;
      }
    }
    // An overtaken acknowledgement may report what another has acknowledged since.
    if (seqLt(left, seg.ack) || seqLe(right, snd.una)) continue;
    board?.sack(left, right, delivery);
  }
  return dsack;
}

/** SND.WND from the newest segment only, by SND.WL1 and SND.WL2 (RFC 9293 §3.10.7.4). */
export function updateWindow(c: Connection, seg: Segment, wnd: number): void {
  const { snd, timers } = c;
  if (!(seqLt(snd.wl1, seg.seq) || (snd.wl1 === seg.seq && seqLe(snd.wl2, seg.ack)))) return;
  const opened = wnd > snd.wnd;
  if (opened && c.unsent > 0) restartWhenIdle(c);
  snd.wnd = wnd;
  snd.wl1 = seg.seq;
  snd.wl2 = seg.ack;
  if (wnd > snd.maxWnd) snd.maxWnd = wnd;
  snd.maxEdge = seqMax(snd.maxEdge, (snd.una + wnd) | 0);
  // An answer to a probe shows that the peer lives: a window that stays shut is no reason to give up.
  if (snd.una === snd.nxt || wnd === 0) c.retries = 0;
  if (opened && timers.persist !== OFF) {
    timers.persist = OFF;
    c.probeDue = false;
    timers.probes = 0;
  }
}
