// The receive buffer: one store for octets in order and out of order, written where they belong.
//
//            front           in-order end
//            |   readable    |     hole     |range 0|  hole  | range 1 |
//   | chunk 0 (16 KiB)  | chunk 1           | (none) | chunk 3         |
//
// A segment out of order is copied once, to the place where it will be read; when the hole before it
// closes, only the in-order end moves. What remains to be kept of the out-of-order data is a sorted list
// of ranges, bounded in number by the caller (CVE-2018-5390 was such a list without a bound). Chunks ahead
// of the in-order end are taken when something is written to them, and all go back to the pool when the
// buffer is drained, so an idle connection holds none. A little at the front of a chunk lies in a small one until there
// is more: one unread octet does not hold 16 KiB.
//
// Positions are counted from the first octet of chunk 0 and moved down when chunk 0 is used up: they stay
// small integers however much flows.

import { copyBytes, copyPacket } from './copy.ts';
import type { KeptPackets, PacketLender } from './packet.ts';

/** Octets in a chunk of a receive buffer. */
export const CHUNK_SIZE = 16_384;
const SHIFT = 14;
const MASK = CHUNK_SIZE - 1;

const NOTHING: Uint8Array = new Uint8Array(0);
/** Shared by the buffers that have had no ranges, which are most. */
const NO_RANGES: Int32Array = new Int32Array(0);
/** A drained buffer keeps a list of ranges up to this length: 64 octets live inside the view itself. */
const KEEP_RANGES = 16;
/** A drained buffer keeps its list of chunks, all null, up to this length. */
const KEEP_PLACES = 8;

/** Octets in a small chunk, and the longest write that begins one. */
export const SMALL_CHUNK = 1024;
const SMALL_WRITE = 512;
/** Small chunks kept for reuse. */
const SMALL_KEPT = 256;

/**
 * A segment in order that crosses from one chunk to the next is put together here with what is in front of it and what
 * is behind: `SEAM` octets of either chunk, copied through views that are kept. Cutting it in two would make a view for
 * each half, 200 octets of heap for each chunk of a bulk transfer.
 */
const SEAM = 2048;
const seam: Uint8Array = new Uint8Array(2 * SEAM);
const seamLeft: Uint8Array = seam.subarray(0, SEAM);
const seamRight: Uint8Array = seam.subarray(SEAM);

/** Memory of a receive buffer: `CHUNK_SIZE` or `SMALL_CHUNK` octets. */
class Chunk {
  readonly bytes: Uint8Array;
  /** The last `SEAM` octets; none of a small one. */
  readonly tail: Uint8Array;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.tail = size > SEAM ? this.bytes.subarray(size - SEAM) : NOTHING;
  }
}

/** The chunks that the receive buffers of one host share, and how much memory all of them may take. */
export class ChunkPool {
  /** Chunks in use, and their octets. */
  inUse = 0;
  octets = 0;
  /** Octets that may be in use before new data is refused; three quarters of it are pressure. */
  readonly limit: number;
  /** Chunks free and kept. */
  get spare(): number {
    return this.#free.length;
  }
  #free: Chunk[] = [];
  #freeSmall: Chunk[] = [];
  readonly #keep: number;

  /**
   * @param keep free chunks kept for reuse at most; others are left to the collector
   * @param limit octets that may be in use
   */
  constructor(keep = 128, limit: number = Number.POSITIVE_INFINITY) {
    this.#keep = keep;
    this.limit = limit;
  }

  /** Memory is getting scarce: nobody should ask for more than it needs. */
  get pressed(): boolean {
    return this.octets > 0.75 * this.limit;
  }

  /** No memory is left for more. */
  get exhausted(): boolean {
    return this.octets >= this.limit;
  }

  /** A chunk of `CHUNK_SIZE` octets with any content. */
  take(): Chunk {
    this.inUse++;
    this.octets += CHUNK_SIZE;
    return this.#free.pop() ?? new Chunk(CHUNK_SIZE);
  }

  /** A chunk of `SMALL_CHUNK` octets with any content. */
  takeSmall(): Chunk {
    this.inUse++;
    this.octets += SMALL_CHUNK;
    return this.#freeSmall.pop() ?? new Chunk(SMALL_CHUNK);
  }

  /** A chunk is given up that somebody may still look at: it is the collector's, and not used again. */
  leave(chunk: Chunk): void {
    this.inUse--;
    this.octets -= chunk.bytes.length;
  }

  /** Takes a chunk back. The caller must not touch it, or a view of it, afterwards. */
  give(chunk: Chunk): void {
    this.leave(chunk);
    if (chunk.bytes.length === SMALL_CHUNK) {
      if (this.#freeSmall.length < SMALL_KEPT) this.#freeSmall.push(chunk);
    } else if (this.#free.length < this.#keep) {
      this.#free.push(chunk);
    }
  }
}

/**
 * Octets received and not yet read, in order and out of order.
 *
 * Bounding is shared work: the caller never writes beyond the window it has offered, which bounds the
 * memory, and names the greatest number of ranges, which bounds the time. `insert` costs O(log n) to
 * find its place among n ranges, a move of the ranges behind it, and the copy.
 */
export class ReceiveBuffer {
  readonly #pool: ChunkPool;
  /** Chunks by place; null where nothing was written yet. One place to begin with: a push would make it 17. */
  #chunks: (Chunk | null)[] = [null];
  /** Octets of the chunks that are not null. */
  #held = 0;
  /** What was left in the packets it came in, `#kept` octets of it: in front of everything in chunks. */
  #packets: KeptPackets | null = null;
  #kept = 0;
  /** Positions of the first unread octet in chunks and past the last one in order. */
  #front = 0;
  #end = 0;
  /** Sorted ranges `[at[2i], at[2i+1])` of positions beyond the in-order end, apart from each other. */
  #at: Int32Array = NO_RANGES;
  #count = 0;
  #pending = 0;
  #last = -1;

  /** @param pool where chunks come from and go back to */
  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  /** Octets that can be read: contiguous, from the front. */
  get readable(): number {
    return this.#kept + this.#end - this.#front;
  }

  /** Number of out-of-order ranges. */
  get ranges(): number {
    return this.#count;
  }

  /** Octets held out of order. */
  get pending(): number {
    return this.#pending;
  }

  /** Octets of memory held in chunks and packets. */
  get memory(): number {
    return this.#packets === null ? this.#held : this.#held + this.#packets.memory;
  }

  /**
   * Index of the range that the latest out-of-order `insert` fell into, even when it brought nothing new:
   * the range RFC 2018 §4 wants as the first SACK block. -1 when there is none, or it has become readable.
   */
  get lastRange(): number {
    return this.#last;
  }

  /** First octet of range `i` in ascending order, counted from the in-order end. `0 <= i < ranges`. */
  rangeFrom(i: number): number {
    return this.#at[2 * i]! - this.#end;
  }

  /** The range that holds the octet `offset` octets after the in-order end, or -1. */
  rangeAt(offset: number): number {
    const position = this.#end + offset;
    const i = this.#firstEndingFrom(position + 1);
    return i < this.#count && this.#at[2 * i]! <= position ? i : -1;
  }

  /** Octet past the last of range `i`, counted from the in-order end. */
  rangeTo(i: number): number {
    return this.#at[2 * i + 1]! - this.#end;
  }

  /**
   * Appends `bytes[from, to)` to the octets in order: the fast path.
   *
   * @param lender gives the memory away: what comes after nothing in chunks stays there, anything else is copied
   */
  append(bytes: Uint8Array, from: number, to: number, lender: PacketLender | null = null): void {
    if (this.#count !== 0) {
      this.insert(0, bytes, from, to, this.#count);
      return;
    }
    const length = to - from;
    if (lender !== null && this.#front === this.#end) {
      this.#pool.octets -= this.#packets === null ? 0 : this.#packets.memory;
      this.#packets = lender.keep(this.#packets, from, to);
      this.#pool.octets += this.#packets.memory;
      this.#kept += length;
      return;
    }
    const a = this.#end & MASK;
    if (a + length > CHUNK_SIZE && length > SMALL_WRITE && length <= SEAM) this.#writeAcross(a, bytes, from, to);
    else this.#write(this.#end, bytes, from, to);
    this.#end += length;
  }

  /**
   * Puts a copy of `bytes[from, to)` `offset` octets after the in-order end. Octets that are there already
   * stay: the first copy wins, whatever a repetition says.
   *
   * @param offset `>= 0`; what lies before the in-order end is the caller's to trim
   * @param maxRanges ranges there may be afterwards; only data that would begin a further one is refused
   * @returns octets by which `readable` grew (0 when it is out of order or brings nothing), or -1 when
   *   it was refused and nothing was taken
   */
  insert(offset: number, bytes: Uint8Array, from: number, to: number, maxRanges: number): number {
    const length = to - from;
    if (length <= 0) return 0;
    const start = this.#end + offset;
    const stop = start + length;
    // Ranges [i, j) overlap or touch [start, stop).
    const i = this.#firstEndingFrom(start);
    let j = i;
    while (j < this.#count && this.#at[2 * j]! <= stop) j++;
    if (i === j && offset !== 0 && this.#count >= maxRanges) return -1;

    let cursor = start;
    for (let k = i; k < j; k++) {
      const left = this.#at[2 * k]!;
      if (left > cursor) {
        this.#write(cursor, bytes, from + (cursor - start), from + (left - start));
        this.#pending += left - cursor;
      }
      cursor = Math.max(cursor, this.#at[2 * k + 1]!);
    }
    if (cursor < stop) {
      this.#write(cursor, bytes, from + (cursor - start), to);
      this.#pending += stop - cursor;
      cursor = stop;
    }
    if (offset === 0) return this.#advance(cursor, j);
    if (i === j) this.#openRange(i, start, stop);
    else this.#mergeRanges(i, j, Math.min(start, this.#at[2 * i]!), cursor);
    this.#last = i;
    return 0;
  }

  /**
   * The contiguous octets at the front, possibly fewer than `readable`; empty when there are none. A view,
   * valid until the next `consume`, `read` or `clear`.
   */
  peek(): Uint8Array {
    if (this.#kept > 0) return this.#packets!.peek();
    const stop = Math.min(this.#end, CHUNK_SIZE);
    if (this.#front >= stop) return NOTHING;
    const { bytes: chunk } = this.#chunks[0]!;
    return this.#front === 0 && stop === CHUNK_SIZE ? chunk : chunk.subarray(this.#front, stop);
  }

  /**
   * Copies `count` octets that begin `offset` octets after the first unread one to `out[at..]`, in order or out of order;
   * all of them must be there. Nothing is consumed.
   */
  copyTo(offset: number, count: number, out: Uint8Array, at: number): void {
    const kept = Math.max(0, Math.min(count, this.#kept - offset));
    if (kept > 0) this.#packets!.copyTo(offset, kept, out, at);
    let position = this.#front + offset + kept - this.#kept;
    let to = at + kept;
    let left = count - kept;
    while (left > 0) {
      const a = position & MASK;
      const n = Math.min(left, CHUNK_SIZE - a);
      const chunk = this.#chunks[position >> SHIFT];
      if (!chunk) throw new RangeError(`octets [${offset}, ${offset + count}) are not in the receive buffer`);
      copyBytes(chunk.bytes, a, a + n, out, to);
      position += n;
      to += n;
      left -= n;
    }
  }

  /** Drops `count` octets from the front. Throws a `RangeError` when fewer are readable. */
  consume(count: number): void {
    if (count < 0 || count > this.readable) {
      throw new RangeError(`${count} octets cannot be consumed of ${this.readable}`);
    }
    const kept = Math.min(count, this.#kept);
    if (kept > 0) this.#dropKept(kept);
    if (kept === count) return;
    this.#front += count - kept;
    if (this.#front === this.#end && this.#count === 0) {
      this.#release();
      return;
    }
    while (this.#front >= CHUNK_SIZE) this.#dropFirstChunk();
  }

  /** Copies up to `to - from` octets to `into[from, to)`, consumes them and returns their number. */
  read(into: Uint8Array, from: number, to: number): number {
    const count = Math.min(to - from, this.readable);
    if (count <= 0) return 0;
    this.copyTo(0, count, into, from);
    this.consume(count);
    return count;
  }

  /** Forgets everything, in order or not, and gives every chunk back. */
  clear(): void {
    this.#count = 0;
    this.#pending = 0;
    this.#last = -1;
    if (this.#kept > 0) this.#dropKept(this.#kept);
    this.#release();
  }

  /** Forgets what is out of order: nothing will come that could make it readable. */
  dropPending(): void {
    this.#count = 0;
    this.#pending = 0;
    this.#last = -1;
    if (this.#front === this.#end) {
      this.#release();
      return;
    }
    const chunks = this.#chunks;
    for (let i = ((this.#end - 1) >> SHIFT) + 1; i < chunks.length; i++) {
      const chunk = chunks[i]!;
      if (chunk === null) continue;
      this.#pool.give(chunk);
      this.#held -= chunk.bytes.length;
      chunks[i] = null;
    }
  }

  #dropKept(count: number): void {
    const packets = this.#packets!;
    this.#pool.octets -= packets.memory;
    packets.drop(count);
    this.#pool.octets += packets.memory;
    this.#kept -= count;
  }

  /** Copies `bytes[from, to)` to the positions from `position` on, taking the chunks that are missing. */
  #write(position: number, bytes: Uint8Array, from: number, to: number): void {
    let p = position;
    let at = from;
    while (at < to) {
      const place = p >> SHIFT;
      const a = p & MASK;
      const n = Math.min(to - at, CHUNK_SIZE - a);
      copyPacket(bytes, at, at + n, this.#chunkAt(place, a, n).bytes, a);
      p += n;
      at += n;
    }
  }

  /**
   * Appends `bytes[from, to)`, which begins `a` octets into a chunk and ends in the next one. Nothing may be held behind
   * it: what the seam says of there is old.
   */
  #writeAcross(a: number, bytes: Uint8Array, from: number, to: number): void {
    const place = this.#end >> SHIFT;
    const left = this.#chunkAt(place, a, CHUNK_SIZE - a);
    const right = this.#chunkAt(place + 1, 0, SEAM);
    seamLeft.set(left.tail);
    copyPacket(bytes, from, to, seam, a + SEAM - CHUNK_SIZE);
    left.tail.set(seamLeft);
    right.bytes.set(seamRight);
  }

  /** The chunk at `place`, with room for `count` octets at `at`. */
  #chunkAt(place: number, at: number, count: number): Chunk {
    const chunks = this.#chunks;
    while (chunks.length <= place) chunks.push(null);
    const held = chunks[place];
    if (held && held.bytes.length >= at + count) return held;
    const small = !held && count <= SMALL_WRITE && at + count <= SMALL_CHUNK;
    const chunk = small ? this.#pool.takeSmall() : this.#pool.take();
    if (held) {
      chunk.bytes.set(held.bytes);
      // The program may have a view of it, until it consumes.
      this.#pool.leave(held);
      this.#held -= held.bytes.length;
    }
    chunks[place] = chunk;
    this.#held += chunk.bytes.length;
    return chunk;
  }

  /** Index of the first range that ends at `position` or later: the first that could touch it. */
  #firstEndingFrom(position: number): number {
    let lo = 0;
    let hi = this.#count;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (this.#at[2 * mid + 1]! < position) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }

  /** Moves the in-order end to `end`, over the first `gone` ranges, and returns how far it moved. */
  #advance(end: number, gone: number): number {
    const grown = end - this.#end;
    this.#end = end;
    this.#pending -= grown;
    if (gone > 0) {
      this.#at.copyWithin(0, 2 * gone, 2 * this.#count);
      this.#count -= gone;
      this.#last = this.#last >= gone ? this.#last - gone : -1;
    }
    return grown;
  }

  #openRange(i: number, start: number, stop: number): void {
    if (2 * this.#count === this.#at.length) {
      const wider = new Int32Array(Math.max(8, 2 * this.#at.length));
      wider.set(this.#at);
      this.#at = wider;
    }
    this.#at.copyWithin(2 * i + 2, 2 * i, 2 * this.#count);
    this.#at[2 * i] = start;
    this.#at[2 * i + 1] = stop;
    this.#count++;
  }

  /** Makes one range `[start, stop)` of the ranges `[i, j)`. */
  #mergeRanges(i: number, j: number, start: number, stop: number): void {
    this.#at[2 * i] = start;
    this.#at[2 * i + 1] = stop;
    if (j - i > 1) {
      this.#at.copyWithin(2 * i + 2, 2 * j, 2 * this.#count);
      this.#count -= j - i - 1;
    }
  }

  /** Gives chunk 0 back, which has been read, and counts positions from the next one. */
  #dropFirstChunk(): void {
    const chunk = this.#chunks.shift();
    if (chunk) {
      this.#pool.give(chunk);
      this.#held -= chunk.bytes.length;
    }
    this.#front -= CHUNK_SIZE;
    this.#end -= CHUNK_SIZE;
    for (let i = 0; i < 2 * this.#count; i++) this.#at[i]! -= CHUNK_SIZE;
  }

  #release(): void {
    const chunks = this.#chunks;
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i]!;
      if (chunk === null) continue;
      this.#pool.give(chunk);
      chunks[i] = null;
    }
    // Emptying an array throws its storage away, which a connection that is read promptly would pay each time.
    if (chunks.length > KEEP_PLACES) chunks.length = 0;
    this.#held = 0;
    this.#front = 0;
    this.#end = 0;
    if (this.#at.length > KEEP_RANGES) this.#at = NO_RANGES;
  }
}
