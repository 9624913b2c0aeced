// What was written, in the pieces in which it leaves: where PSH belongs, what may not be joined, and how much is taken.
//
//   SND.NXT                                            end of what was written
//   | piece (closed)  | piece (closed) | open piece ... |
//                     ^ PSH             ^ a record ends (MSG_EOR)
//
// A piece is what Linux calls a buffer of the send queue: a write fills the open piece up to the size of a
// super-segment and then begins another. Where a profile has no super-segments, everything is one open piece, except
// where the program says that a record ends.

import { seqDiff, seqGe, seqGt } from '../base/seq.ts';
import { WRITE_ENDS, WRITE_MORE } from '../base/stream.ts';
import { sendLimit } from './autotune.ts';
import type { Connection } from './connection.ts';
import { burstSize } from './super-segments.ts';

/** Flags of a piece: its last segment carries PSH; nothing written later may join it. */
export const PUSH = 1;
export const ENDS = 2;

const FEW = 8;

/** The pieces of one connection that have not wholly been sent. */
export class Pieces {
  /** Closed pieces. */
  count = 0;
  /** The open piece: its flags, and its first number, which counts only where super-segments bound it. */
  flags = 0;
  from = 0;
  /** End of what was last marked with PSH. */
  pushed: number;
  #head = 0;
  #ends: Int32Array = new Int32Array(FEW);
  #flags: Uint8Array = new Uint8Array(FEW);

  constructor(start: number) {
    this.from = start;
    this.pushed = start;
  }

  /** Number past the first piece; `dataEnd` when that is the open one. */
  firstEnd(dataEnd: number): number {
    return this.count === 0 ? dataEnd : this.#ends[this.#head]!;
  }

  /** Flags of the first piece. */
  get firstFlags(): number {
    return this.count === 0 ? this.flags : this.#flags[this.#head]!;
  }

  /** Nothing closed goes beyond `seq`. */
  isOpenAt(seq: number): boolean {
    if (this.count === 0) return true;
    const last = (this.#head + this.count - 1) & (this.#ends.length - 1);
    return seqGe(seq, this.#ends[last]!);
  }

  /** The open piece ends at `end`, and another begins there. */
  close(end: number): void {
    if (this.count === this.#ends.length) this.#grow();
    const slot = (this.#head + this.count++) & (this.#ends.length - 1);
    this.#ends[slot] = end;
    this.#flags[slot] = this.flags;
    this.begin(end);
  }

  /** The open piece is empty and begins at `start`. */
  begin(start: number): void {
    this.flags = 0;
    this.from = start;
  }

  /** Everything before `nxt` was sent. */
  sent(nxt: number): void {
    while (this.count > 0 && seqGe(nxt, this.#ends[this.#head]!)) {
      this.#head = (this.#head + 1) & (this.#ends.length - 1);
      this.count--;
    }
  }

  #grow(): void {
    const ends = new Int32Array(this.#ends.length * 2);
    const flags = new Uint8Array(ends.length);
    for (let i = 0; i < this.count; i++) {
      const slot = (this.#head + i) & (this.#ends.length - 1);
      ends[i] = this.#ends[slot]!;
      flags[i] = this.#flags[slot]!;
    }
    this.#ends = ends;
    this.#flags = flags;
    this.#head = 0;
  }
}

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
export function sendMemory(c: Connection, more = 0): number {
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
export function takePieces(c: Connection, offered: number, write: number): number {
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

/** Where nothing bounds a piece: `count` octets behind `end` are about to be queued; `waits` when more were offered. */
export function noteWrite(c: Connection, count: number, waits: boolean, write: number): void {
  c.pieces ??= new Pieces(c.dataEnd);
  const { pieces } = c;
  if (count > 0 && (pieces.flags & ENDS) !== 0) closeOpen(c, pieces, c.dataEnd);
  finishWrite(c, pieces, count, waits, (c.dataEnd + count) | 0, write);
}

/** What the open piece holds, if anything, ends at `end`. */
function closeOpen(c: Connection, pieces: Pieces, end: number): void {
  if (seqGt(end, pieces.count > 0 ? pieces.from : c.isSynchronised() ? c.snd.nxt : c.snd.base)) pieces.close(end);
  else pieces.begin(end);
}

/** The write is over, or waits for room: what it leaves in the open piece. */
function finishWrite(c: Connection, pieces: Pieces, taken: number, waits: boolean, end: number, write: number): void {
  const more = !waits && (write & WRITE_MORE) !== 0;
  c.moreFollows = more;
  if (taken === 0) return;
  if (!waits && (write & WRITE_ENDS) !== 0) pieces.flags |= ENDS;
  if (!more || pushesHalf(c, pieces, end)) push(pieces, end);
  // Nothing can be added while the program waits for room, so there is nothing to hold a small segment back for.
  if (waits) c.releasedTo = end;
}

function push(pieces: Pieces, end: number): void {
  pieces.flags |= PUSH;
  pieces.pushed = end;
}

/** More than half of the largest window was written since PSH was last set. */
function pushesHalf(c: Connection, pieces: Pieces, end: number): boolean {
  return c.env.profile.superSegment > 0 && seqDiff(end, pieces.pushed) > c.snd.maxWnd >> 1;
}

/** Whether another piece may be begun: by memory, and by what was not sent yet (TCP_NOTSENT_LOWAT). */
function hasRoom(c: Connection, unsent: number, taken: number, limit: number): boolean {
  return sendMemory(c, taken) < limit && (c.notSentLowWater < 0 || unsent < c.notSentLowWater);
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
