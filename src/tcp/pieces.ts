// What was written, in the pieces in which it leaves: where PSH belongs, and what may not be joined. How much is taken where
// super-segments bound a piece: `trains.ts`.
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
import type { Connection } from './connection.ts';

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

/** Where nothing bounds a piece: `count` octets behind `end` are about to be queued; `waits` when more were offered. */
export function noteWrite(c: Connection, count: number, waits: boolean, write: number): void {
  c.pieces ??= new Pieces(c.dataEnd);
  const { pieces } = c;
  if (count > 0 && (pieces.flags & ENDS) !== 0) closeOpen(c, pieces, c.dataEnd);
  finishWrite(c, pieces, count, waits, (c.dataEnd + count) | 0, write);
}

/** What the open piece holds, if anything, ends at `end`. */
export function closeOpen(c: Connection, pieces: Pieces, end: number): void {
  if (seqGt(end, pieces.count > 0 ? pieces.from : c.isSynchronised() ? c.snd.nxt : c.snd.base)) pieces.close(end);
  else pieces.begin(end);
}

/** The write is over, or waits for room: what it leaves in the open piece. */
export function finishWrite(
  c: Connection,
  pieces: Pieces,
  taken: number,
  waits: boolean,
  end: number,
  write: number,
): void {
  const more = !waits && (write & WRITE_MORE) !== 0;
  c.moreFollows = more;
  if (taken === 0) return;
  if (!waits && (write & WRITE_ENDS) !== 0) pieces.flags |= ENDS;
  if (!more || pushesHalf(c, pieces, end)) push(pieces, end);
  // Nothing can be added while the program waits for room, so there is nothing to hold a small segment back for.
  if (waits) c.releasedTo = end;
}

/** What the open piece holds ends with PSH. */
export function push(pieces: Pieces, end: number): void {
  pieces.flags |= PUSH;
  pieces.pushed = end;
}

/** More than half of the largest window was written since PSH was last set. */
export function pushesHalf(c: Connection, pieces: Pieces, end: number): boolean {
  return c.env.profile.superSegment > 0 && seqDiff(end, pieces.pushed) > c.snd.maxWnd >> 1;
}
