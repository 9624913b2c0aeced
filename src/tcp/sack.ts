// What we tell the peer of data that came out of order: SACK blocks, the newest first (RFC 2018 §4), and a report of
// what came twice (RFC 2883).

import { seqDiff } from '../base/seq.ts';
import type { Connection } from './connection.ts';

/** Blocks that fit beside timestamps, and without them (RFC 2018 §3). */
const MOST_WITH_TIMESTAMPS = 3;
const MOST = 4;

/** Remembers which ranges grew most recently. Exists only while something is out of order. */
export class SackMemory {
  /** A number inside of each range that grew lately, newest first. */
  readonly recent: Int32Array = new Int32Array(MOST);
  count = 0;

  /** Text at `seq` was taken out of order. */
  note(seq: number): void {
    for (let i = Math.min(this.count, MOST - 1); i > 0; i--) this.recent[i] = this.recent[i - 1]!;
    this.recent[0] = seq;
    if (this.count < MOST) this.count++;
  }
}

/** The blocks of the next ACK. Reused. */
export class SackBlocks {
  count = 0;
  readonly left: Int32Array = new Int32Array(MOST);
  readonly right: Int32Array = new Int32Array(MOST);

  #add(left: number, right: number): void {
    for (let i = 0; i < this.count; i++) if (this.left[i] === left) return;
    this.left[this.count] = left;
    this.right[this.count] = right;
    this.count++;
  }

  /**
   * Gathers the blocks that a segment with room for `octets` of options more would carry.
   *
   * @returns octets of options they take, padding included; 0 for none
   */
  gather(c: Connection, octets: number): number {
    this.count = 0;
    const { snd, rare } = c;
    if (!snd.sackOk) return 0;
    const limit = Math.min(snd.tsOk ? MOST_WITH_TIMESTAMPS : MOST, (octets - 4) >> 3);
    if (limit <= 0) return 0;
    const buffer = c.receiveBuffer;
    if (rare.dsackFrom !== rare.dsackTo) this.#add(rare.dsackFrom, rare.dsackTo);
    const memory = c.sackMemory;
    if (buffer !== null && memory !== null) {
      for (let m = 0; m < memory.count && this.count < limit; m++) this.#addRangeWith(c, memory.recent[m]!);
    }
    return this.count === 0 ? 0 : 4 + 8 * this.count;
  }

  #addRangeWith(c: Connection, seq: number): void {
    const buffer = c.receiveBuffer;
    if (buffer === null) return;
    const { nxt } = c.rcv;
    const i = buffer.rangeAt(seqDiff(seq, nxt));
    if (i >= 0) this.#add((nxt + buffer.rangeFrom(i)) | 0, (nxt + buffer.rangeTo(i)) | 0);
  }
}
