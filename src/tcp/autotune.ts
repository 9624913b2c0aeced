// Buffers that grow with the path: a window's worth per round trip is all that a connection can carry.
//
// The receiver watches how much the program takes in a round trip and offers twice that, so that a sender whose window
// doubles each round trip is never held back by ours (what Linux calls dynamic right-sizing). The sender keeps room for
// twice its congestion window. Both stop at a maximum, and neither ever shrinks.

import { seqLt } from '../base/seq.ts';
import type { Segment } from '../wire/tcp.ts';
import { type Connection, EVENT_WRITABLE } from './connection.ts';

/**
 * Least round-trip time, ms, at which buffers grow. Below it the first buffer carries hundreds of megabytes a second, and
 * a larger one only falls out of the processor's cache: measured on a memory link, twice the time per segment.
 */
const WORTHWHILE = 2;

/** The program has taken octets: once per round trip, the receive buffer may grow. */
export function growReceiveBuffer(c: Connection): void {
  const { env, rtt, statistics: s } = c;
  const { now, profile } = env;
  if (s === null || env.chunks.pressed) return;
  if (
    c.receiveFixed ||
    !profile.receiveAutotune ||
    c.receiveLimit >= profile.receiveBufferMax ||
    rtt.least < WORTHWHILE
  )
    return;
  if (now - s.measuredAt < rtt.srtt) return;
  const taken = c.delivered - s.deliveredThen;
  const first = s.measuredAt === Number.NEGATIVE_INFINITY;
  s.measuredAt = now;
  s.deliveredThen = c.delivered;
  if (first) return;
  // Sixteen segments on top, so that a small window gets off the ground.
  const wanted = 2 * taken + 16 * c.rcv.mss;
  if (wanted > c.receiveLimit) c.receiveLimit = Math.min(wanted, profile.receiveBufferMax);
}

/**
 * A round-trip time as a receiver sees it, which may send nothing to measure one by: from the echo of our timestamp on a
 * full segment, or the time in which a whole window came, which is that or more.
 */
export function measureReceiver(c: Connection, seg: Segment): void {
  const { rcv, env } = c;
  const s = c.count();
  if (c.snd.tsOk) {
    if (!seg.hasTs || seg.tsEcr === s.rttMark || seg.len < rcv.mss) return;
    s.rttMark = seg.tsEcr;
    const sample = (c.timestamp() - seg.tsEcr) | 0;
    if (sample >= 0 && sample < env.profile.rtoMax)
      s.receiverRtt = s.receiverRtt < 0 ? sample : s.receiverRtt + (sample - s.receiverRtt) / 8;
    return;
  }
  if (s.rttAt >= 0) {
    if (seqLt(rcv.nxt, s.rttMark)) return;
    const sample = env.now - s.rttAt;
    if (s.receiverRtt < 0 || sample < s.receiverRtt) s.receiverRtt = sample;
  }
  s.rttAt = env.now;
  s.rttMark = rcv.adv;
}

/** Octets that the send buffer of a connection may hold now. */
export function sendLimit(c: Connection): number {
  const { profile } = c.env;
  if (c.rare.sendFixed >= 0) return c.rare.sendFixed;
  if (profile.pieceOverhead > 0) return Math.max(profile.sendBuffer, c.rare.sendGrown);
  if (c.rtt.least < WORTHWHILE) return profile.sendBuffer;
  return Math.max(profile.sendBuffer, Math.min(2 * c.cc.cwnd, profile.sendBufferMax));
}

/** Octets that what was written and is not acknowledged takes of the send buffer, as the profile counts. */
export function sendMemory(c: Connection): number {
  const { superSegments } = c.env;
  return superSegments === null ? c.queued : superSegments.memory(c, 0);
}

/** Room enough in the send buffer, and little enough unsent, that a program that waits is told. */
export function isRoomy(c: Connection): boolean {
  const low = c.notSentLowWater;
  if (low >= 0 && 2 * c.unsent >= low) return false;
  const limit = sendLimit(c);
  const taken = sendMemory(c);
  const room = limit - taken;
  // Linux tells at a third, which it also lets a write exceed; where the limit is strict, half saves wake-ups.
  if (c.env.superSegments !== null) return room >= taken >> 1;
  // With nearly all of it in flight, the window may be waiting for what comes next.
  return room * 2 >= limit || (room * 8 >= limit && c.unsent * 4 <= limit);
}

/** Octets were acknowledged or sent: a program that waits for room is told when there is enough. */
export function tellOfRoom(c: Connection): void {
  if (!c.wantsWritable) return;
  c.env.superSegments?.grow(c);
  if (!isRoomy(c)) return;
  c.wantsWritable = false;
  c.announce(EVENT_WRITABLE);
}
