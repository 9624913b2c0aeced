// Packet buffers that are used again: a fresh `Uint8Array` per packet costs more than all work on a segment.
//
//   slab 0: | slot | slot | slot | ...      each slot begins at a multiple of 64 octets,
//   slab 1: :| slot | slot | slot | ...     each slab 64 octets later than the one before
//
// A slot is a span of its slab, and a view of it is made only for calls into C: the word views of the checksum
// (`checksum.ts`), kept per buffer, serve all slots, and in the kernel's memory (`packet-memory.ts`) all slabs are spans of
// one array. Slabs are staggered so that slots of different slabs have different offsets: headers do not compete for the
// same cache lines, and the views of `copy.ts`, found by offset, do not compete either.

import { StateError } from './errors.ts';
import { BLOCK, takeSlab } from './packet-memory.ts';

/** Slots begin at multiples of a cache line. */
const ALIGN = 64;
/** What released octets become in debug mode: odd enough to be recognized in a dump. */
const POISON = 0xdb;

/** A slot of a pool. Whoever took it owns it until it is released, and must not touch it afterwards. */
export class PacketBuffer {
  /** What the slot lies in, with others: it is `bytes[at, at + slotSize)`. */
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Taken and not yet released. Set by the pool. */
  inUse = false;
  /** The pool it goes back to. */
  readonly pool: PacketPool;
  #view: Uint8Array | null = null;

  constructor(bytes: Uint8Array, at: number, pool: PacketPool) {
    this.bytes = bytes;
    this.at = at;
    this.pool = pool;
  }

  /** The slot as an array of its own, for who takes no offset. */
  get view(): Uint8Array {
    this.#view ??= this.bytes.subarray(this.at, this.at + this.pool.slotSize);
    return this.#view;
  }
}

/**
 * Buffers of one size, made a slab at a time and never given back to the platform: a pool is as large as it
 * ever had to be.
 *
 * @example
 * const pool = new PacketPool(2048);
 * const packet = pool.take();
 * const length = port.transmit(packet.bytes, packet.at, meta);
 * // ... when the packet has left:
 * pool.release(packet);
 */
export class PacketPool {
  /** Octets of every buffer. */
  readonly slotSize: number;
  /**
   * Debug mode: released buffers are overwritten, so that who still reads one notices, and `take` checks
   * that nobody wrote to one. Costs a pass over the buffer each time.
   */
  poison = false;
  /** Buffers taken and not released. */
  inUse = 0;
  /** Buffers made so far. */
  slots = 0;
  readonly #slotsPerSlab: number;
  readonly #free: PacketBuffer[] = [];

  /**
   * @param slotSize octets of a buffer, an integer of at least 1
   * @param slotsPerSlab buffers made at a time; by default as many as a block of 128 KiB holds, and at least 4
   */
  constructor(slotSize: number, slotsPerSlab = 0) {
    if (!Number.isInteger(slotSize) || slotSize < 1) throw new RangeError(`no buffers of ${slotSize} octets`);
    this.slotSize = slotSize;
    this.#slotsPerSlab = slotsPerSlab > 0 ? slotsPerSlab : Math.max(4, Math.floor(BLOCK / stride(slotSize)) - 1);
  }

  /** A buffer with any content, the one released last when there is one: it is likeliest to be in the cache. */
  take(): PacketBuffer {
    if (this.#free.length === 0) this.#addSlab();
    const buffer = this.#free.pop()!;
    if (this.poison && !isPoisoned(buffer)) {
      throw new StateError('a packet buffer was written to after its release');
    }
    buffer.inUse = true;
    this.inUse++;
    return buffer;
  }

  /** Takes a buffer back. Throws a `StateError` when it is not in use, or is another pool's. */
  release(buffer: PacketBuffer): void {
    if (buffer.pool !== this) throw new StateError('a packet buffer was released to a pool that is not its own');
    if (!buffer.inUse) throw new StateError('a packet buffer was released twice');
    buffer.inUse = false;
    this.inUse--;
    if (this.poison) poison(buffer);
    this.#free.push(buffer);
  }

  #addSlab(): void {
    const step = stride(this.slotSize);
    const start = ((this.slots / this.#slotsPerSlab) * ALIGN) % step;
    const { bytes, at } = takeSlab(start + step * this.#slotsPerSlab, this);
    // Pushed from the end, so that they are taken from the start.
    for (let i = this.#slotsPerSlab - 1; i >= 0; i--) {
      const buffer = new PacketBuffer(bytes, at + start + i * step, this);
      if (this.poison) poison(buffer);
      this.#free.push(buffer);
    }
    this.slots += this.#slotsPerSlab;
  }
}

function stride(slotSize: number): number {
  return Math.ceil(slotSize / ALIGN) * ALIGN;
}

function poison({ bytes, at, pool }: PacketBuffer): void {
  bytes.fill(POISON, at, at + pool.slotSize);
}

function isPoisoned({ bytes, at, pool }: PacketBuffer): boolean {
  for (let i = at; i < at + pool.slotSize; i++) if (bytes[i] !== POISON) return false;
  return true;
}
