// Writes and segments planned in super-segments: what Linux hands to a link as one, whatever the link.
//
// The rest of the room knows this file by its types alone, so that programs without such a profile are not made of it.

import { seqDiff, seqGt } from '../base/seq.ts';
import { sendLimit } from './autotune.ts';
import type { Connection } from './connection.ts';
import { congestionRoom, heldBack } from './output.ts';
import { closeOpen, ENDS, finishWrite, Pieces, PUSH, push, pushesHalf } from './pieces.ts';
import { burstSize, defers } from './super-segments.ts';

/** Headers before a segment's text, and the record of it, in the memory that Linux counts for one. */
const SEGMENT_HEADERS = 640;
const SEGMENT_RECORD = 256;

/** How a connection writes and sends by a profile with `superSegment`. */
export interface SuperSegments {
  /** Takes a write of `offered` octets as far as there is room, whole pieces at once; returns how much that is. */
  take(c: Connection, offered: number, write: number): number;
  /** Plans what leaves together of a piece of `size` octets, which is the last one if `tail`; false for nothing now. */
  plan(c: Connection, size: number, tail: boolean): boolean;
  /** Octets of the send buffer that are taken, with `more` not yet queued. */
  memory(c: Connection, more: number): number;
  /** The program waits for room: the send buffer may grow. */
  grow(c: Connection): void;
}

/**
 * Super-segments, for `new Host({ superSegments })`: what a profile needs whose `superSegment` is not 0. `createHost` hands
 * it in.
 */
export const superSegments: SuperSegments = {
  take: takePieces,
  plan: planTrain,
  memory: memoryOf,
  grow: growSendBuffer,
};

/** Octets that a piece may hold: whole segments, no more than a super-segment and half of the largest window. */
function pieceSize(c: Connection): number {
  const { snd, env } = c;
  const { superSegment, defaultMss4 } = env.profile;
  const half = snd.maxWnd > defaultMss4 ? snd.maxWnd >> 1 : snd.maxWnd;
  const most = half > 0 ? Math.min(superSegment, half) : superSegment;
  return Math.max(Math.floor(most / snd.mss), 1) * snd.mss;
}

/**
 * Memory that what was written and is not acknowledged takes by the profile's account, octets; with `more` octets not
 * yet queued.
 */
function memoryOf(c: Connection, more: number): number {
  const { env, board, pieces } = c;
  const { pieceOverhead } = env.profile;
  if (pieceOverhead === 0) return c.queued + more;
  const open = c.unsent + more > 0 ? 1 : 0;
  const count = (board === null ? 0 : board.trains) + (pieces === null ? 0 : pieces.count) + open;
  return c.queued + more + count * pieceOverhead;
}

/**
 * A write of `offered` octets is cut into pieces of the size of a super-segment, as far as there is room: a piece may
 * be begun while any is left, and is then taken whole.
 *
 * What Linux hands to the link while the write still goes on, a pull model sends after it; so this keeps in mind how
 * far the windows would have let it come by then.
 *
 * @returns octets taken; the caller queues them
 */
function takePieces(c: Connection, offered: number, write: number): number {
  const { snd } = c;
  const limit = sendLimit(c);
  c.pieces ??= new Pieces(c.dataEnd);
  const { pieces } = c;
  const size = pieceSize(c);
  let gone = c.isSynchronised() ? snd.nxt : snd.base;
  let end = c.dataEnd;
  let taken = 0;
  while (taken < offered) {
    let held = seqDiff(end, pieces.count > 0 && seqGt(pieces.from, gone) ? pieces.from : gone);
    if (held <= 0 || held >= size || (pieces.flags & ENDS) !== 0) {
      if (!hasRoom(c, seqDiff(end, gone), taken, limit)) break;
      closeOpen(c, pieces, end);
      held = 0;
    }
    const count = Math.min(size - held, offered - taken);
    if (taken === 0) pieces.flags &= ~PUSH;
    taken += count;
    end = (end + count) | 0;
    if (taken === offered || held + count < size) continue;
    if (pushesHalf(c, pieces, end)) {
      push(pieces, end);
      gone = wouldGo(c, gone, end, 0);
    } else if (pieces.isOpenAt(gone)) {
      gone = wouldGo(c, gone, end, burstSize(c) * snd.mss);
    }
  }
  finishWrite(c, pieces, taken, taken < offered, end, write);
  return taken;
}

/** Whether another piece may be begun: by memory, and by what was not sent yet (TCP_NOTSENT_LOWAT). */
function hasRoom(c: Connection, unsent: number, taken: number, limit: number): boolean {
  return memoryOf(c, taken) < limit && (c.notSentLowWater < 0 || unsent < c.notSentLowWater);
}

/** How far the windows let out what ends at `end`, when everything before `gone` has gone; `most` octets, or 0 for all. */
function wouldGo(c: Connection, gone: number, end: number, most: number): number {
  const { snd, cc } = c;
  if (!c.isSynchronised()) return gone;
  const room = cc.cwnd - c.inFlight - seqDiff(gone, snd.nxt);
  const usable = seqDiff((snd.una + snd.wnd) | 0, gone);
  const waiting = seqDiff(end, gone);
  let count = Math.min(waiting, room, usable);
  if (most > 0) count = Math.min(count, most);
  if (count < waiting) count -= count % snd.mss;
  return (gone + Math.max(count, 0)) | 0;
}

/** A super-segment of a piece of `size` octets: whole segments, as many as the windows and the rate let out at once. */
function planTrain(c: Connection, size: number, tail: boolean): boolean {
  const { snd, pieces } = c;
  const { plan } = c.env;
  const { mss } = snd;
  const usable = seqDiff((snd.una + snd.wnd) | 0, snd.nxt);
  const idle = c.flightSize === 0;
  const room = congestionRoom(c);
  if (room < c.chargeOf(Math.min(size, mss))) {
    plan.congested = true;
    return false;
  }
  const first = Math.min(size, mss);
  if (usable < first || (size < mss && tail && heldBack(c))) {
    // Silly windows and small segments wait for the timer, and then go as far as the window does.
    plan.waiting = idle;
    plan.train = Math.min(first, usable);
    return idle && c.overrideDue && plan.train > 0;
  }
  plan.train = size;
  if (size <= mss) return true;
  const most = burstSize(c);
  const ends = pieces === null || snd.finQueued || (pieces.firstFlags & ENDS) !== 0;
  if (defers(c, size, room, usable, most, tail, ends)) {
    plan.congested = room < usable;
    return false;
  }
  // No more than half of the window at once, so that its acknowledgements come spread out.
  const half = Math.max(Math.floor(c.cc.cwnd / mss) >> 1, 1);
  const quota = Math.min(Math.max(Math.floor(room / mss), 1), half, most) * mss;
  if ((quota <= usable && !tail) || quota <= Math.min(size, usable)) {
    plan.train = Math.min(size, quota);
    return true;
  }
  const needed = Math.min(size, usable);
  const partial = needed % mss;
  plan.train = partial !== 0 && heldBack(c) ? needed - partial : needed;
  return true;
}

/** The buffer was what held the program back: from now on it takes two windows of segments, each with what it costs. */
function growSendBuffer(c: Connection): void {
  const { cc, snd, env } = c;
  if (env.profile.pieceOverhead === 0 || c.rare.sendFixed >= 0 || c.inFlight >= cc.cwnd) return;
  let memory = 1;
  while (memory < snd.mss + SEGMENT_HEADERS) memory *= 2;
  const segments = Math.max(Math.floor(cc.cwnd / snd.mss), env.profile.initialWindow);
  const wanted = 2 * segments * (memory + SEGMENT_RECORD);
  c.ownRare().sendGrown = Math.max(c.rare.sendGrown, Math.min(wanted, env.profile.sendBufferMax));
}
