// The send queue: octets written by the program and not yet acknowledged by the peer.
//
//   oldest (SND.UNA)                                        newest
//   |  dropped | ########## | ################## | ####......|
//              ^ first chunk   chunk of 64 KiB     ^ tail: small writes fill it before another is taken
//
// A list of chunks and no ring: a ring of the size of the send buffer is slower and pins that buffer for
// every connection, a list pins what is unacknowledged plus at most one tail's rest. Chunks come in four
// sizes, each with a small free list, so that a bulk transfer recycles its memory and a small request
// costs no allocation. A write takes the largest size that it, or what waits before it, fills by half, and one of the
// two small sizes for its end when little waits.

import { copyBytes } from './copy.ts';
import type { PacketBody } from './packet.ts';

/** Octets of the smallest chunk, which a request or an answer fits in, and of the one small writes share. */
const TINY = 1024;
const SMALL = 4096;
const MEDIUM = 16_384;
const LARGE = 65_536;

/** Grains smaller than this get no views: there would be many, and each costs 96 octets. */
const VIEW_FROM = 512;

/** Memory of a queue, with the views through which whole segments leave it. */
class Chunk {
  readonly bytes: Uint8Array;
  /** Octets each of `views` spans; `views[i]` begins at `i * grain`. They outlive a chunk's stay in a queue. */
  grain = 0;
  readonly views: Uint8Array[] = [];

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
}

/**
 * Free chunks, shared by all queues of the process: at most 256 KiB + 128 KiB + 256 KiB + 1 MiB, so a
 * burst of connections does not leave its memory here. The tiny ones are kept for a few hundred connections that each
 * have one request or answer on its way. Old content stays in them and is never read: a queue reads
 * only what was pushed after it took the chunk.
 */
const spareTiny: Chunk[] = [];
const spareSmall: Chunk[] = [];
const spareMedium: Chunk[] = [];
const spareLarge: Chunk[] = [];
const KEEP_TINY = 256;
const KEEP_SMALL = 32;
const KEEP_MEDIUM = 16;
const KEEP_LARGE = 16;

/**
 * Takes the chunk that a write of `count` more octets is to begin: the largest that it fills by half, since what it
 * leaves free is for the next write; the tiny one only for what fits in it.
 */
function takeChunk(count: number): Chunk {
  if (count >= LARGE >> 1) return spareLarge.pop() ?? new Chunk(LARGE);
  if (count >= MEDIUM >> 1) return spareMedium.pop() ?? new Chunk(MEDIUM);
  if (count > TINY) return spareSmall.pop() ?? new Chunk(SMALL);
  return spareTiny.pop() ?? new Chunk(TINY);
}

function giveChunk(chunk: Chunk): void {
  const size = chunk.bytes.length;
  if (size === TINY) {
    if (spareTiny.length < KEEP_TINY) spareTiny.push(chunk);
  } else if (size === SMALL) {
    if (spareSmall.length < KEEP_SMALL) spareSmall.push(chunk);
  } else if (size === MEDIUM) {
    if (spareMedium.length < KEEP_MEDIUM) spareMedium.push(chunk);
  } else if (spareLarge.length < KEEP_LARGE) {
    spareLarge.push(chunk);
  }
}

/** Copies `count` octets of a chunk from `from` on, through a kept view when they are one of its grains. */
function copyOut(chunk: Chunk, from: number, count: number, grain: number, out: Uint8Array, at: number): void {
  if (count !== grain || grain < VIEW_FROM || from % grain !== 0) {
    copyBytes(chunk.bytes, from, from + count, out, at);
    return;
  }
  if (chunk.grain !== grain) {
    chunk.grain = grain;
    chunk.views.length = 0;
  }
  const i = from / grain;
  // Filled in order, so that the array never has holes.
  while (chunk.views.length <= i) {
    const start = chunk.views.length * grain;
    chunk.views.push(chunk.bytes.subarray(start, start + grain));
  }
  out.set(chunk.views[i]!, at);
}

/** A list longer than this is not kept by an empty queue. */
const KEEP_LIST = 16;

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
  /**
   * Octets of a full segment, or 0. Chunks are then filled to a multiple of it, so that in a bulk transfer
   * segments do not straddle chunks and leave through views that are kept with the chunk: no allocation per
   * segment. A hint: everything is right with any value, at any time.
   */
  grain = 0;
  /**
   * The chunks `[#first, #count)`; the places around them are null and used again. Made with one place, which is enough
   * for most connections: the first push to an empty array would give it 17.
   */
  readonly #chunks: (Chunk | null)[] = [null];
  /** Position of the first octet of each chunk, counted from some earlier point of the stream. */
  readonly #starts: number[] = [0];
  #first = 0;
  #count = 0;
  /** Position of the oldest octet held, and of the next to be pushed. */
  #from = 0;
  #to = 0;
  /** Position just past the furthest octet ever handed out: where the next full segment begins. */
  #sent = 0;
  /** Where in the last chunk the next octet goes, and how many fit. */
  #tail = 0;
  #room = 0;
  /** Index of the chunk that the last `copyTo` or `lend` ended in. */
  #cursor = 0;

  /** Octets of memory held in chunks. */
  get memory(): number {
    let sum = 0;
    for (let i = this.#first; i < this.#count; i++) sum += this.#chunks[i]!.bytes.length;
    return sum;
  }

  /**
   * Appends a copy of `bytes[from, to)`. Bounding the queue is the caller's work.
   *
   * @param bytes the program's octets; not kept
   */
  push(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    if (this.#room > 0) this.#room = this.#whole(this.#room);
    while (at < to) {
      if (this.#room === 0) this.#addChunk(to - at);
      const n = Math.min(this.#room, to - at);
      copyBytes(bytes, at, at + n, this.#chunks[this.#count - 1]!.bytes, this.#tail);
      this.#tail += n;
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
    this.#check(offset, count);
    if (count === 0) return;
    const position = this.#from + offset;
    let index = this.#find(position);
    let a = position - this.#starts[index]!;
    let left = count;
    for (;;) {
      const chunk = this.#chunks[index]!;
      const n = Math.min(left, this.#stop(index) - this.#starts[index]! - a);
      copyOut(chunk, a, n, this.grain, out, at + count - left);
      left -= n;
      if (left === 0) break;
      a = 0;
      index++;
    }
    this.#went(index, position + count);
  }

  /**
   * Adds to `body` the octets that `copyTo` would copy, where they lie: borrowed until the next `push`, `drop` or `clear`.
   *
   * Throws a `RangeError` when they are not all held.
   *
   * @returns false when they lie in too many pieces; `body` is empty then
   */
  lend(offset: number, count: number, body: PacketBody): boolean {
    this.#check(offset, count);
    if (count === 0) return true;
    const position = this.#from + offset;
    let index = this.#find(position);
    let a = position - this.#starts[index]!;
    for (let left = count; ; ) {
      const n = Math.min(left, this.#stop(index) - this.#starts[index]! - a);
      if (!body.add(this.#chunks[index]!.bytes, a, a + n)) {
        body.clear();
        return false;
      }
      left -= n;
      if (left === 0) break;
      a = 0;
      index++;
    }
    this.#went(index, position + count);
    return true;
  }

  /** Position past the octets of chunk `index`. */
  #stop(index: number): number {
    return index + 1 < this.#count ? this.#starts[index + 1]! : this.#to;
  }

  /** Octets up to `position`, the last of them in chunk `index`, were handed out. */
  #went(index: number, position: number): void {
    this.#cursor = index;
    if (position > this.#sent) this.#sent = position;
  }

  #check(offset: number, count: number): void {
    if (offset < 0 || count < 0 || offset + count > this.length) {
      throw new RangeError(`octets [${offset}, ${offset + count}) are not in a send queue of ${this.length}`);
    }
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
    // Octets are held, so the chunk of the last of them stays.
    while (this.#first + 1 < this.#count && this.#starts[this.#first + 1]! <= this.#from) {
      giveChunk(this.#chunks[this.#first]!);
      this.#chunks[this.#first] = null;
      this.#first++;
    }
    // Cutting half of the list at a time costs each chunk O(1) over its life.
    if (this.#first >= 8 && this.#first * 2 >= this.#count) this.#cutList();
  }

  /** Forgets everything and gives every chunk back. */
  clear(): void {
    for (let i = this.#first; i < this.#count; i++) {
      giveChunk(this.#chunks[i]!);
      this.#chunks[i] = null;
    }
    if (this.#chunks.length > KEEP_LIST) {
      this.#chunks.length = 0;
      this.#starts.length = 0;
    }
    this.#first = 0;
    this.#count = 0;
    this.#from = 0;
    this.#to = 0;
    this.#sent = 0;
    this.#tail = 0;
    this.#room = 0;
    this.#cursor = 0;
    this.length = 0;
  }

  #addChunk(wanted: number): void {
    // Small writes one after the other are a bulk transfer too: what waits foretells what comes.
    const chunk = takeChunk(Math.max(wanted, this.length));
    const size = chunk.bytes.length;
    const n = this.#count++;
    if (n === this.#chunks.length) {
      this.#chunks.push(chunk);
      this.#starts.push(this.#to);
    } else {
      this.#chunks[n] = chunk;
      this.#starts[n] = this.#to;
    }
    this.#tail = 0;
    this.#room = this.#whole(size);
  }

  /**
   * Of `room` octets, as many as end where a full segment will end. A small segment in between (the program paused)
   * moves all later ends, and the chunk being filled is cut shorter to meet them.
   */
  #whole(room: number): number {
    if (this.grain <= 0 || this.grain > room) return room;
    return room - ((this.#to + room - this.#sent) % this.grain);
  }

  /** Moves the list to its beginning, and positions down with it, which keeps them small integers. */
  #cutList(): void {
    const first = this.#first;
    const base = this.#starts[first]!;
    const count = this.#count - first;
    for (let i = 0; i < count; i++) {
      this.#chunks[i] = this.#chunks[first + i]!;
      this.#starts[i] = this.#starts[first + i]! - base;
    }
    for (let i = count; i < this.#count; i++) this.#chunks[i] = null;
    this.#first = 0;
    this.#count = count;
    this.#from -= base;
    this.#to -= base;
    this.#sent -= base;
    this.#cursor = Math.max(0, this.#cursor - first);
  }

  /** Index of the chunk that holds `position`, which is held. */
  #find(position: number): number {
    const starts = this.#starts;
    const cursor = this.#cursor;
    const last = this.#count - 1;
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
