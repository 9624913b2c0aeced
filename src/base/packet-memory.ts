// Where packet buffers lie: in memory that a kernel of the platform can sum quickly, when one was handed in.
//
//   the kernel's memory: | 128 KiB | 128 KiB | ...   blocks, given out in runs, never grown
//
// JavaScript sums a segment in about the time it spends on all the rest of it; a few SIMD instructions need a sixth,
// but only see octets in a memory of their own (`run/kernel.ts`). So packets are put there from the start, and when it
// is full, or there is none, they lie in ordinary buffers and nothing else changes.

/** What a platform hands in: a memory, and what can be done with octets in it. */
export interface PacketMemory {
  /**
   * The whole memory, for ever: one that grows would take its views with it. All packets in it are handed on as spans of
   * this one array, so that whether octets lie here is one comparison; asking a view for its buffer and its offset takes
   * V8 as long as the sum.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Ones' complement sum of the little-endian 16-bit words of `bytes[at, at + length)`, an odd last octet padded with
   * zero; folded to 16 bits.
   */
  sum(at: number, length: number): number;
}

/** A run of octets for packets: `bytes[at, at + length asked for)`. */
export interface Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A multiple of 8. */
  readonly at: number;
}

/** Octets of a block. */
export const BLOCK = 131_072;
/** The memory in use; `null` for none. Read on the way of every packet, so it is a binding and not a call. */
export let packetMemory: PacketMemory | null = null;
/** By block: 1 while somebody has it. */
let taken: Uint8Array = new Uint8Array(0);

/** Blocks come back when their owner is gone: what a closed link left behind serves the next. */
const owners: FinalizationRegistry<{ first: number; end: number }> = /* @__PURE__ */ new FinalizationRegistry(
  ({ first, end }) => taken.fill(0, first, end),
);

/**
 * Packets made from now on lie in `memory`. The first one stays: buffers made in it live on, and two memories would
 * have two owners for one sum.
 *
 * @returns whether it was taken
 */
export function usePacketMemory(memory: PacketMemory): boolean {
  if (packetMemory !== null) return false;
  packetMemory = memory;
  taken = new Uint8Array(Math.floor(memory.bytes.length / BLOCK));
  return true;
}

/**
 * Room for packets, in the kernel's memory where it has any left.
 *
 * @param octets at least 1
 * @param owner whoever holds the buffers: the room may be used again once it is garbage, so nobody may touch the room
 *   who does not hold it
 */
export function takeSlab(octets: number, owner: object): Slab {
  if (packetMemory === null) return { bytes: new Uint8Array(octets), at: 0 };
  const blocks = Math.ceil(octets / BLOCK);
  const first = firstFree(blocks);
  if (first < 0) return { bytes: new Uint8Array(octets), at: 0 };
  taken.fill(1, first, first + blocks);
  owners.register(owner, { first, end: first + blocks });
  return { bytes: packetMemory.bytes, at: first * BLOCK };
}

/** The first of so many free blocks in a row; -1 when there are none. Slabs are made rarely: a scan will do. */
function firstFree(blocks: number): number {
  let free = 0;
  for (let i = 0; i < taken.length; i++) {
    free = taken[i] === 0 ? free + 1 : 0;
    if (free === blocks) return i + 1 - blocks;
  }
  return -1;
}
