// Segment text: into the receive buffer, in order or not, and when to acknowledge (RFC 9293 §3.10.7.4 seventh).

import { ReceiveBuffer } from '../base/receive-buffer.ts';
import { seqDiff } from '../base/seq.ts';
import type { Segment } from '../wire/tcp.ts';
import { measureReceiver } from './autotune.ts';
import type { Connection } from './connection.ts';
import { SackMemory } from './sack.ts';
import { OFF } from './timers.ts';

/** Duplicate ACKs owed at most: three make the peer act, more only help its window along. */
const MOST_OWED = 64;

/** Takes the text of a segment that was trimmed to the window; `seg.len > 0`. */
export function processText(c: Connection, seg: Segment): void {
  const { rcv, env } = c;
  c.receiveBuffer ??= new ReceiveBuffer(env.chunks);
  const buffer = c.receiveBuffer;
  const offset = seqDiff(seg.seq, rcv.nxt);
  const s = c.count();
  s.dataSegmentsIn += seg.gsoSize > 0 ? Math.ceil(seg.len / seg.gsoSize) : 1;
  if (env.chunks.pressed && !hasMemory(c, buffer, offset)) {
    env.drop('memory-budget', c);
    c.ackNow = true;
    return;
  }
  if (offset === 0) c.textAt = Math.floor(env.now) | 0;
  if (offset === 0 && buffer.ranges === 0) {
    buffer.append(seg.bytes, seg.at, seg.at + seg.len, seg.lender);
    rcv.nxt = (rcv.nxt + seg.len) | 0;
    if (seg.len > rcv.mss) rcv.mss = seg.gsoSize > 0 ? seg.gsoSize : seg.len;
    measureReceiver(c, seg);
    c.announceReadable();
    acknowledgeSoon(c, seg.len);
    return;
  }
  // Out of order, or filling a hole: acknowledged at once, so that the sender learns of the hole and of its end
  // (RFC 5681 §4.2).
  c.ackNow = true;
  const held = buffer.pending;
  const grown = buffer.insert(offset, seg.bytes, seg.at, seg.at + seg.len, env.profile.reassemblyRanges);
  if (grown < 0) {
    env.drop('reassembly-budget', c);
  } else if (grown > 0) {
    rcv.nxt = (rcv.nxt + grown) | 0;
    if (buffer.ranges === 0) c.sackMemory = null;
    c.announceReadable();
    return;
  } else {
    s.outOfOrder++;
    env.counts.outOfOrder++;
    noteOutOfOrder(c, seg, held === buffer.pending);
  }
  // Without SACK the peer counts duplicates, so it gets one for each; with it, one ACK says everything.
  c.acksOwed = c.snd.sackOk ? 1 : Math.min(c.acksOwed + 1, MOST_OWED);
}

/**
 * The host is short of memory: whether it has some for text `offset` octets beyond RCV.NXT. What is out of order is not
 * put aside, and has to go when nothing is left: it was reported, never acknowledged (RFC 2018 §8). A connection that holds
 * nothing may go on all the same, so that no flood of others brings it to a halt.
 */
function hasMemory(c: Connection, buffer: ReceiveBuffer, offset: number): boolean {
  const { chunks, counts } = c.env;
  if (offset > 0) return false;
  if (!chunks.exhausted) return true;
  counts.prunes++;
  if (buffer.ranges > 0) {
    counts.prunedAside++;
    buffer.dropPending();
    c.sackMemory = null;
    if (!chunks.exhausted) return true;
  }
  return buffer.readable === 0;
}

/** Text was put aside: the next ACK reports it first, or says that it came twice (RFC 2018 §4, RFC 2883 §4). */
function noteOutOfOrder(c: Connection, seg: Segment, twice: boolean): void {
  if (!c.snd.sackOk) return;
  c.sackMemory ??= new SackMemory();
  c.sackMemory.note(seg.seq);
  if (twice && c.env.profile.dsack) {
    const rare = c.ownRare();
    rare.dsackFrom = seg.seq;
    rare.dsackTo = (seg.seq + seg.len) | 0;
  }
}

/** The delayed ACK: every second full-sized segment, and never later than the timer (RFC 9293 §3.8.6.3). */
function acknowledgeSoon(c: Connection, octets: number): void {
  const { profile, now } = c.env;
  c.ackPending += octets;
  const quick = profile.quickAcks > 0 && acknowledgesQuickly(c);
  const second = profile.ackOnSecond && (c.timers.delayedAck !== OFF || octets > c.addressing.localMss);
  if (quick || second || c.ackPending >= profile.ackEvery * c.rcv.mss || profile.delayedAck <= 0) {
    c.ackNow = true;
  } else if (c.timers.delayedAck === OFF) {
    c.arm().delayedAck = now + profile.delayedAck;
  }
}

/**
 * Data that begins, or begins again after a timeout's time, is acknowledged at once for a while: the peer's window is
 * small then and grows with our ACKs. Once we answer data with data, our own segments carry the ACKs (as Linux does).
 */
function acknowledgesQuickly(c: Connection): boolean {
  const { rcv, env } = c;
  if (env.now - c.lastTextAt > c.rtt.timeout(env.profile)) {
    const half = Math.floor(rcv.wnd / (2 * rcv.mss));
    c.quickAcks = Math.max(c.quickAcks, Math.min(Math.max(half, 2), env.profile.quickAcks));
  }
  c.count().lastTextAt = env.now;
  return c.quickAcks > 0 && !c.dialogue;
}
