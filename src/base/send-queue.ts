// The send queue: octets written by the program and not yet acknowledged by the peer.
//
//   oldest (SND.UNA)                                        newest
//   |  dropped | ########## | ################## | ####......|
//              ^ first chunk   chunk of 64 KiB     ^ tail: small writes fill it before another is taken
//
// A list of chunks and no ring: a ring of the size of the send buffer is slower and pins that buffer for
// every connection, a list pins what is unacknowledged plus at most one tail's rest. Chunks come in three
// sizes, each with a small free list, so that a bulk transfer recycles its memory and a small request
// costs no allocation of 4 KiB. A write takes the largest size it fills and the 4 KiB size for its end.

import { copyBytes } from './copy.ts';

/** Octets of the smallest chunk, the one small writes share. */
const SMALL = 4096;
const MEDIUM = 16_384;
const LARGE = 65_536;

/**
 * Free chunks, shared by all queues of the process: at most 128 KiB + 256 KiB + 1 MiB, so a burst of
 * connections does not leave its memory here. Old content stays in them and is never read: a queue reads
 * only what was pushed after it took the chunk.
 */
const spareSmall: Uint8Array[] = [];
const spareMedium: Uint8Array[] = [];
const spareLarge: Uint8Array[] = [];
const KEEP_SMALL = 32;
const KEEP_MEDIUM = 16;
const KEEP_LARGE = 16;

/** Takes the chunk that a write of `count` more octets is to begin. */
function takeChunk(count: number): Uint8Array {
  if (count >= LARGE) return spareLarge.pop() ?? new Uint8Array(LARGE);
  if (count >= MEDIUM) return spareMedium.pop() ?? new Uint8Array(MEDIUM);
  return spareSmall.pop() ?? new Uint8Array(SMALL);
}

function giveChunk(chunk: Uint8Array): void {
  if (chunk.length === SMALL) {
    if (spareSmall.length < KEEP_SMALL) spareSmall.push(chunk);
  } else if (chunk.length === MEDIUM) {
    if (spareMedium.length < KEEP_MEDIUM) spareMedium.push(chunk);
  } else if (spareLarge.length < KEEP_LARGE) {
    spareLarge.push(chunk);
  }
}

/**
 * Octets written and not yet acknowledged. An offset counts from the oldest octet held, so offset 0 is
 * what `SND.UNA` stands for as long as neither SYN nor FIN is unacknowledged.
 *
 * `push` at one end and `drop` at the other cost what they copy; `copyTo` finds its chunk in O(1) when
 * offsets follow each other (output does that) and in O(log n) otherwise (retransmission does).
 */
export class SendQueue {
  /** Octets held. */
  length = 0;
  /** Chunks in order; those before `#first` are gone (null) and are cut off now and then. */
  #chunks: (Uint8Array | null)[] = [];
  /**
   * Position of the first octet of each chunk, counted from the first octet ever pushed since the queue
   * was last empty; a double is exact to 2^53.
   */
  #starts: number[] = [];
  #first = 0;
  /** Position of the oldest octet held, and of the next to be pushed. */
  #from = 0;
  #to = 0;
  /** Octets free at the end of the last chunk. */
  #room = 0;
  /** Index of the chunk that the last `copyTo` ended in. */
  #cursor = 0;

  /** Octets of memory held in chunks. */
  get memory(): number {
    let sum = 0;
    for (let i = this.#first; i < this.#chunks.length; i++) sum += this.#chunks[i]!.length;
    return sum;
  }

  /**
   * Appends a copy of `bytes[from, to)`. Bounding the queue is the caller's work.
   *
   * @param bytes the program's octets; not kept
   */
  push(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#room === 0) {
        const chunk = takeChunk(to - at);
        this.#chunks.push(chunk);
        this.#starts.push(this.#to);
        this.#room = chunk.length;
      }
      const tail = this.#chunks[this.#chunks.length - 1]!;
      const n = Math.min(this.#room, to - at);
      copyBytes(bytes, at, at + n, tail, tail.length - this.#room);
      this.#room -= n;
      this.#to += n;
      this.length += n;
      at += n;
    }
  }

  /**
   * Copies the `count` octets that begin `offset` octets after the oldest to `out[at..]`.
   *
   * Throws a `RangeError` when they are not all held: sending them would send another's memory.
   */
  copyTo(offset: number, count: number, out: Uint8Array, at: number): void {
    if (offset < 0 || count < 0 || offset + count > this.length) {
      throw new RangeError(`octets [${offset}, ${offset + count}) are not in a send queue of ${this.length}`);
    }
    if (count === 0) return;
    let position = this.#from + offset;
    let index = this.#find(position);
    let left = count;
    let o = at;
    for (;;) {
      const chunk = this.#chunks[index]!;
      const a = position - this.#starts[index]!;
      const n = Math.min(left, chunk.length - a);
      copyBytes(chunk, a, a + n, out, o);
      left -= n;
      if (left === 0) break;
      position += n;
      o += n;
      index++;
    }
    this.#cursor = index;
  }

  /**
   * Forgets the oldest `count` octets: they are acknowledged. Throws a `RangeError` when fewer are held.
   */
  drop(count: number): void {
    if (count < 0 || count > this.length) {
      throw new RangeError(`${count} octets cannot leave a send queue of ${this.length}`);
    }
    if (count === this.length) {
      this.clear();
      return;
    }
    this.#from += count;
    this.length -= count;
    const chunks = this.#chunks;
    const starts = this.#starts;
    let first = this.#first;
    // The chunk after `first` exists as long as octets are held beyond `first`.
    while (first + 1 < chunks.length && starts[first + 1]! <= this.#from) {
      giveChunk(chunks[first]!);
      chunks[first] = null;
      first++;
    }
    // Cutting half of the list at a time costs each chunk O(1) over its life.
    if (first >= 16 && first * 2 >= chunks.length) {
      chunks.splice(0, first);
      starts.splice(0, first);
      this.#cursor = Math.max(0, this.#cursor - first);
      first = 0;
    }
    this.#first = first;
  }

  /** Forgets everything and gives every chunk back. */
  clear(): void {
    for (let i = this.#first; i < this.#chunks.length; i++) giveChunk(this.#chunks[i]!);
    this.#chunks.length = 0;
    this.#starts.length = 0;
    this.#first = 0;
    this.#from = 0;
    this.#to = 0;
    this.#room = 0;
    this.#cursor = 0;
    this.length = 0;
  }

  /** Index of the chunk that holds `position`, which is held. */
  #find(position: number): number {
    const starts = this.#starts;
    const cursor = this.#cursor;
    const last = starts.length - 1;
    if (cursor >= this.#first && cursor <= last && starts[cursor]! <= position) {
      if (cursor === last || position < starts[cursor + 1]!) return cursor;
      if (cursor + 1 === last || position < starts[cursor + 2]!) return cursor + 1;
    }
    let lo = this.#first;
    let hi = last;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (starts[mid]! <= position) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  }
}
