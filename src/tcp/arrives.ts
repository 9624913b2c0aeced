// SEGMENT ARRIVES in every state but CLOSED, LISTEN and SYN-SENT: RFC 9293 §3.10.7.4, step by step.
//
// Each step is a function named after the RFC's ordinal. A step returns false when the segment ends there.
// The third step (security and precedence) is obsolete and left out.

import { seqDiff, seqGe, seqGt, seqLe, seqLt } from '../base/seq.ts';
import { ACK, CWR, ECE, FIN, RST, type Segment, SYN, segLen, URG } from '../wire/tcp.ts';
import { processAck } from './acks.ts';
import { type Connection, EVENT_URGENT } from './connection.ts';
import { ecnOfText } from './ecn.ts';
import { heardFrom } from './liveness.ts';
import { becomeEstablished } from './opening.ts';
import { arrivesPlain } from './plain.ts';
import { segmentArrivesInSynSent } from './syn-sent.ts';
import { processText } from './text.ts';

/**
 * A segment for this connection has arrived; its checksum and ports are right, SYN and FIN are not both set.
 * The segment is trimmed in place. Changes variables and marks what is to be sent; sends nothing.
 */
export function segmentArrives(c: Connection, seg: Segment): void {
  if (arrivesPlain(c, seg)) return;
  const { state } = c;
  c.segmentsIn += seg.gsoSize > 0 && seg.len > 0 ? Math.ceil(seg.len / seg.gsoSize) : 1;
  if (state === 'SYN-SENT') {
    segmentArrivesInSynSent(c, seg);
    c.env.touch(c);
    return;
  }
  if (state === 'CLOSED' || state === 'LISTEN') return;
  if (c.liveness !== null) heardFrom(c, c.liveness);
  // Before anything is cut off in front of what it counts from.
  const up = (seg.seq + seg.urg) | 0;
  const goesOn =
    firstCheckSequence(c, seg) && secondCheckRst(c, seg) && fourthCheckSyn(c, seg) && fifthCheckAck(c, seg);
  if (goesOn) {
    if ((seg.flags & URG) !== 0) sixthCheckUrg(c, up);
    seventhText(c, seg);
    eighthCheckFin(c, seg);
  }
  c.env.touch(c);
}

/** First, check sequence number (and RFC 9293 §3.4 for the four cases of acceptability). */
function firstCheckSequence(c: Connection, seg: Segment): boolean {
  const { rcv } = c;
  const length = segLen(seg);
  if (c.state === 'SYN-RECEIVED' && (seg.flags & SYN) !== 0 && seg.seq === rcv.irs) {
    // Before the window is looked at: text behind the SYN would make it acceptable, and the SYN go unseen.
    if (!repeatedSyn(c, seg)) return false;
    trim(c, seg);
    return true;
  }
  if (c.snd.tsOk && !timestampIsGood(c, seg)) return false;
  if (acceptable(seg.seq, length, rcv.nxt, rcv.wnd)) {
    // A reset keeps its number: trimming would make any that only covers RCV.NXT exact (RFC 5961 §3.2).
    if ((seg.flags & RST) === 0) trim(c, seg);
    return true;
  }
  if ((seg.flags & RST) !== 0) {
    c.env.drop('tcp-out-of-window', c);
    return false;
  }
  if (c.state === 'TIME-WAIT' && (seg.flags & FIN) !== 0 && ((seg.seq + length) | 0) === rcv.nxt) {
    // "A retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
    c.ackNow = true;
    c.startTimeWait(true);
    return false;
  }
  c.env.drop('tcp-out-of-window', c);
  if (seg.len > 0 && seqLt(seg.seq, rcv.nxt)) noteDuplicate(c, seg.seq, (seg.seq + seg.len) | 0);
  refuse(c, length === 0 || (seg.flags & SYN) !== 0);
  // "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to accept
  // valid ACKs": two ends that fill each other's window would otherwise never learn of the room.
  const touchesEdge = seg.seq === rcv.nxt || (seg.seq === ((rcv.nxt - 1) | 0) && length <= 1);
  if (touchesEdge && (seg.flags & (SYN | ACK)) === ACK && c.isSynchronised() && fifthCheckAck(c, seg)) {
    // "MUST process the RST and URG fields of all incoming segments, even when the receive window is zero" (§3.4).
    if ((seg.flags & URG) !== 0) sixthCheckUrg(c, (seg.seq + seg.urg) | 0);
    finalAck(c);
  }
  return false;
}

/** 24 days, in seconds, after which TS.Recent proves nothing (RFC 7323 §5.5). */
const TS_OUTDATED = 24 * 86_400;

/** Protection against wrapped sequence numbers, PAWS (RFC 7323 §5.3 R1, R3), and segments without the option (§3.2). */
function timestampIsGood(c: Connection, seg: Segment): boolean {
  const { rcv, env } = c;
  if ((seg.flags & RST) !== 0) return true;
  if (!seg.hasTs) {
    // RFC 7323 says drop; the ACK that completes a handshake is taken all the same, as some stacks forget it there.
    if (c.state === 'SYN-RECEIVED' || !env.profile.timestampsRequired) return true;
    env.drop('tcp-no-timestamp', c);
    return false;
  }
  const age = (seg.tsVal - rcv.tsRecent) | 0;
  if (age < 0 && env.now / 1000 - rcv.tsRecentAt <= TS_OUTDATED) {
    env.drop('tcp-old-timestamp', c);
    refuse(c, segLen(seg) === 0);
    return false;
  }
  // R3: only a segment that touches what was last acknowledged may move it (CVE-2005-0356), and one that
  // acknowledges what was never sent is believed in nothing.
  const impossible = (seg.flags & ACK) !== 0 && seqGt(seg.ack, c.snd.nxt);
  if (!impossible && seqLe(seg.seq, rcv.lastAckSent) && seqDiff((seg.seq + segLen(seg)) | 0, rcv.nxt) >= 0) {
    rcv.tsRecent = seg.tsVal;
    rcv.tsRecentAt = Math.floor(env.now / 1000);
  }
  return true;
}

/**
 * The table of RFC 9293 §3.4: does any part of `[seq, seq + length)` lie in the window? The RFC looks at the
 * two ends of the segment; one that covers the whole window and more is let in here as well.
 */
function acceptable(seq: number, length: number, nxt: number, wnd: number): boolean {
  const offset = seqDiff(seq, nxt);
  if (length === 0) return wnd === 0 ? offset === 0 : offset >= 0 && offset < wnd;
  if (wnd === 0) return false;
  return offset < wnd && offset + length > 0;
}

/** Text that had arrived before is reported once (RFC 2883 §4). */
function noteDuplicate(c: Connection, from: number, to: number): void {
  if (!c.snd.sackOk || !c.env.profile.dsack) return;
  const { rcv } = c;
  const rare = c.ownRare();
  rare.dsackFrom = from;
  rare.dsackTo = seqGt(to, rcv.nxt) ? rcv.nxt : to;
}

/** Cuts off what lies outside the window: "segments ... should be trimmed" (RFC 9293 §3.10.7.4). */
function trim(c: Connection, seg: Segment): void {
  const { rcv } = c;
  let before = seqDiff(rcv.nxt, seg.seq);
  if (before > 0) {
    if ((seg.flags & SYN) !== 0) {
      seg.flags &= ~SYN;
      seg.seq = (seg.seq + 1) | 0;
      before--;
    }
    const cut = Math.min(before, seg.len);
    if (cut > 0) noteDuplicate(c, seg.seq, (seg.seq + cut) | 0);
    seg.seq = (seg.seq + cut) | 0;
    seg.at += cut;
    seg.len -= cut;
  }
  const room = seqDiff(rcv.adv, seg.seq);
  if (seg.len + (seg.flags & FIN) > room) {
    seg.flags &= ~FIN;
    if (seg.len > room) seg.len = Math.max(room, 0);
  }
}

/**
 * SYN-RECEIVED, and the peer's SYN once more. RFC 9293 has an ACK sent; we send the SYN,ACK again, as
 * Linux does, because the likely reason is that the first was lost and a bare ACK means nothing to a peer in
 * SYN-SENT. When the repeated SYN acknowledges ours (both ends opened at once), it counts as that ACK.
 */
function repeatedSyn(c: Connection, seg: Segment): boolean {
  if ((seg.flags & (ACK | RST)) === ACK && seqGt(seg.ack, c.snd.iss) && seqLe(seg.ack, c.snd.nxt)) {
    seg.flags &= ~SYN;
    seg.seq = (seg.seq + 1) | 0;
    c.ackNow = true;
    return true;
  }
  if ((seg.flags & (ACK | RST)) === 0 && c.snd.nxt !== c.snd.iss) {
    // It asks for ECN no more: the path, or the peer, does not like that (RFC 3168 §6.1.1.1).
    if ((seg.flags & (ECE | CWR)) === 0) c.ecn = null;
    c.board?.markLost(0);
  }
  return false;
}

/** Second, check the RST bit, with the exactness of RFC 5961 §3. */
function secondCheckRst(c: Connection, seg: Segment): boolean {
  if ((seg.flags & RST) === 0) return true;
  if (c.state === 'TIME-WAIT' && c.env.profile.timeWaitIgnoresRst) {
    c.env.drop('tcp-time-wait-rst', c);
    return false;
  }
  if (seg.seq !== c.rcv.nxt && !c.env.profile.resetInWindow) {
    c.env.drop('tcp-rst-not-exact', c);
    challenge(c);
    return false;
  }
  const late = c.state === 'CLOSING' || c.state === 'LAST-ACK';
  if (c.state === 'TIME-WAIT' || (late && !c.env.profile.lateResetTells)) {
    // Both sides had said goodbye: nothing is lost, so the program hears no error.
    c.finish('rcv RST', null);
  } else {
    // In SYN-RECEIVED of an active open the peer refused, in every later state it reset.
    c.fail(c.state === 'SYN-RECEIVED' && !c.passive ? 'ECONNREFUSED' : 'ECONNRESET', 'rcv RST');
  }
  return false;
}

/**
 * Fourth, check the SYN bit: a challenge ACK (RFC 5961 §4, RFC 9293 §3.10.7.4), never a reset. RFC 9293 would
 * send a passive SYN-RECEIVED back to LISTEN; a blind SYN could then unmake an opening, so it is challenged too.
 */
function fourthCheckSyn(c: Connection, seg: Segment): boolean {
  if ((seg.flags & SYN) === 0) return true;
  c.env.drop('tcp-syn-in-window', c);
  if (c.env.profile.synInWindowResets && c.state !== 'TIME-WAIT') {
    c.resetDue = true;
    c.fail('ECONNRESET', 'ABORT');
    return false;
  }
  if (challenge(c)) c.env.counts.synChallenges++;
  return false;
}

/** Fifth, check the ACK field. */
function fifthCheckAck(c: Connection, seg: Segment): boolean {
  if ((seg.flags & ACK) === 0) {
    c.env.drop('tcp-no-ack', c);
    return false;
  }
  const { snd } = c;
  c.ackAt = Math.floor(c.env.now) | 0;
  if (c.state === 'SYN-RECEIVED') {
    if (!(seqLt(snd.una, seg.ack) && seqLe(seg.ack, snd.nxt))) {
      c.env.drop('tcp-ack-too-new', c);
      c.resetOutOfBlue(seg.ack);
      return false;
    }
    becomeEstablished(c, seg, 'rcv ACK of SYN');
    return true;
  }
  if (seqGt(seg.ack, snd.nxt)) {
    c.env.drop('tcp-ack-too-new', c);
    if (c.env.profile.answerUnsentAck) refuse(c, segLen(seg) === 0);
    return false;
  }
  // RFC 5961 §5: older than anything the peer can have had in mind.
  if (seqLt(seg.ack, (snd.una - snd.maxWnd) | 0)) {
    c.env.drop('tcp-ack-too-old', c);
    challenge(c);
    return false;
  }
  processAck(c, seg);
  return afterAck(c);
}

/** What the acknowledgement of our FIN means, state by state (RFC 9293 §3.10.7.4, fifth). */
function afterAck(c: Connection): boolean {
  if (!c.finAcked) return true;
  switch (c.state) {
    case 'CLOSING':
      c.enter('TIME-WAIT', 'rcv ACK of FIN');
      return false;
    case 'LAST-ACK':
      c.finish('rcv ACK of FIN', null);
      return false;
    default:
      // FIN-WAIT-1 moves on in the eighth step, where it is known whether the same segment brings the peer's
      // FIN: with it the way leads to TIME-WAIT directly (three waves), without it to FIN-WAIT-2.
      return true;
  }
}

/** FIN-WAIT-1 and no FIN of the peer in this segment: the acknowledgement of ours leads to FIN-WAIT-2. */
function finalAck(c: Connection): void {
  if (c.state === 'FIN-WAIT-1' && c.finAcked) c.enter('FIN-WAIT-2', 'rcv ACK of FIN');
}

/**
 * Sixth, check the URG bit: the program is told that the pointer, which names the octet behind the urgent ones, has
 * advanced. The octets stay where they are in the stream (RFC 6093 §4), so a pointer that lies does no harm.
 */
function sixthCheckUrg(c: Connection, up: number): void {
  const { rcv, state } = c;
  if (state !== 'ESTABLISHED' && state !== 'FIN-WAIT-1' && state !== 'FIN-WAIT-2') return;
  if (rcv.hasUp && seqLe(up, rcv.up)) return;
  if (seqLe(up, (rcv.nxt - c.readable) | 0)) return;
  rcv.up = up;
  rcv.hasUp = true;
  c.announce(EVENT_URGENT);
}

/** Seventh, process the segment text. */
function seventhText(c: Connection, seg: Segment): void {
  const { rcv } = c;
  switch (c.state) {
    case 'ESTABLISHED':
    case 'FIN-WAIT-1':
    case 'FIN-WAIT-2':
      break;
    default:
      // The peer has ended its direction; "this should not occur ... ignore the segment text".
      if (seg.len > 0) c.env.drop('tcp-after-close', c);
      return;
  }
  if ((seg.flags & FIN) !== 0 && !rcv.finSeen) {
    rcv.finSeen = true;
    rcv.finSeq = (seg.seq + seg.len) | 0;
    const end = seqDiff(rcv.finSeq, rcv.nxt);
    if (end > 0) c.ackNow = true;
    // Text beyond a FIN is a lie of one of the two, and RCV.NXT must not run past the FIN over it. Nothing of it was
    // acknowledged: what is true of it comes again.
    const buffer = c.receiveBuffer;
    if (buffer !== null && buffer.ranges > 0 && buffer.rangeTo(buffer.ranges - 1) > end) buffer.dropPending();
  }
  if (rcv.finSeen) {
    const room = seqDiff(rcv.finSeq, seg.seq);
    if (seg.len > room) seg.len = Math.max(room, 0);
  }
  if (seg.len === 0) return;
  if (c.orphan) {
    // RFC 9293 §3.6.1: the program has closed and cannot read it; Linux resets, and so does every BSD. With the number
    // the peer expects, since it may not have all that was sent, and believes no other (RFC 5961 §3.2).
    c.env.drop('tcp-after-close', c);
    c.env.counts.abortedOnData++;
    c.resetOutOfBlue(seg.ack);
    c.finish('ABORT', null);
    return;
  }
  ecnOfText(c, seg);
  processText(c, seg);
}

/** Eighth, check the FIN bit: it takes effect when everything before it has arrived. */
function eighthCheckFin(c: Connection, seg: Segment): void {
  const { rcv, state } = c;
  const reached = rcv.finSeen && !rcv.finished && rcv.nxt === rcv.finSeq;
  if (!reached) {
    finalAck(c);
    if (rcv.finished && (seg.flags & FIN) !== 0 && seqGe(rcv.nxt, seg.seq)) c.ackNow = true;
    return;
  }
  rcv.nxt = (rcv.nxt + 1) | 0;
  rcv.finished = true;
  if (!c.ackNow && mayDelayFinAck(c))
    c.arm().delayedAck = Math.min(c.timers.delayedAck, c.env.now + c.env.profile.delayedAck);
  else c.ackNow = true;
  c.announceReadable();
  switch (state) {
    case 'ESTABLISHED':
      c.enter('CLOSE-WAIT', 'rcv FIN');
      break;
    case 'FIN-WAIT-1':
      if (c.finAcked) c.enter('TIME-WAIT', 'rcv FIN,ACK of FIN');
      else c.enter('CLOSING', 'rcv FIN');
      break;
    case 'FIN-WAIT-2':
      c.enter('TIME-WAIT', 'rcv FIN');
      break;
    default:
  }
}

/** The ACK of the FIN is no more urgent than one of data, once the two ends are in a dialogue. */
function mayDelayFinAck(c: Connection): boolean {
  if (!c.env.profile.delayFinAck || c.state !== 'ESTABLISHED') return false;
  return c.lastTextAt !== Number.NEGATIVE_INFINITY;
}

/** Answers a segment that is not acceptable; `limited` says that an answer might be answered in turn. */
function refuse(c: Connection, limited: boolean): void {
  const { now, profile } = c.env;
  if (limited) {
    if (now - c.rare.lastRefusal < profile.outOfWindowAckInterval) return;
    c.ownRare().lastRefusal = now;
  }
  c.ackNow = true;
}

/**
 * A challenge ACK, so many at once and then one per interval and connection (RFC 5961 §7; CVE-2016-5696 was a limit that
 * all connections shared). `lastChallenge` runs ahead of the clock by an interval for each that came early.
 */
function challenge(c: Connection): boolean {
  const { now, profile, counts } = c.env;
  const { challengeAckInterval: interval, challengeAcks: most } = profile;
  const { lastChallenge } = c.rare;
  if (now - lastChallenge < interval * (2 - most)) return false;
  c.ownRare().lastChallenge = Math.max(now, lastChallenge + interval);
  c.ackNow = true;
  counts.challenges++;
  return true;
}
