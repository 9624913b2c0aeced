// Large packets whose memory changes hands: the receive queue keeps the buffer instead of a copy of what is in it.
//
// A link that has buffers to spare offers the one a packet lies in (`RxMeta.lender`). Whoever takes in most of the packet
// in order may keep it until the program has read it, and then it goes back to the pool it is from. One copy of three is
// saved so in a bulk transfer; for small packets a copy costs less than the memory that they would hold.

import type { KeptPackets, PacketLender } from './packet.ts';
import type { PacketBuffer } from './pool.ts';

/** Least octets of a packet that is offered. */
export const LEND_FROM = 32_768;
/** Buffers of one link that are out of its hands, at most: 2 MiB; beyond, packets are copied. */
const MOST_LENT = 32;

/** What a link offers. It has one, and asks it after each packet whether the buffer is gone. */
export class Loan implements PacketLender {
  /** The buffer of the packet in hand; `null` once it was taken over. */
  buffer: PacketBuffer | null = null;

  /**
   * Offers `buffer`, in which a packet of `length` octets lies.
   *
   * @returns what belongs in `RxMeta.lender`: `null` when the packet is too small for it or too many are lent
   */
  offer(buffer: PacketBuffer, length: number): PacketLender | null {
    this.buffer = buffer;
    return length >= LEND_FROM && buffer.pool.inUse <= MOST_LENT ? this : null;
  }

  keep(kept: KeptPackets | null, from: number, to: number): KeptPackets {
    const queue = kept ?? new KeptQueue();
    if (this.buffer !== null) queue.push(this.buffer, from, to);
    this.buffer = null;
    return queue;
  }
}

/** Buffers in the order in which they came. There are few: places move up when the first is done with. */
class KeptQueue implements KeptPackets {
  length = 0;
  memory = 0;
  readonly #buffers: PacketBuffer[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  push(buffer: PacketBuffer, from: number, to: number): void {
    this.#buffers.push(buffer);
    this.#from.push(from);
    this.#to.push(to);
    this.length += to - from;
    this.memory += buffer.pool.slotSize;
  }

  peek(): Uint8Array {
    return this.#buffers[0]!.bytes.subarray(this.#from[0]!, this.#to[0]!);
  }

  copyTo(offset: number, count: number, out: Uint8Array, at: number): void {
    let skip = offset;
    let left = count;
    for (let i = 0; left > 0; i++) {
      const from = this.#from[i]! + skip;
      const n = Math.min(left, this.#to[i]! - from);
      if (n > 0) {
        out.set(this.#buffers[i]!.bytes.subarray(from, from + n), at + count - left);
        left -= n;
      }
      skip = Math.max(0, -n);
    }
  }

  drop(count: number): void {
    let left = count;
    this.length -= count;
    while (left > 0) {
      const n = this.#to[0]! - this.#from[0]!;
      if (left < n) {
        this.#from[0]! += left;
        return;
      }
      left -= n;
      this.#from.shift();
      this.#to.shift();
      const buffer = this.#buffers.shift()!;
      this.memory -= buffer.pool.slotSize;
      buffer.pool.release(buffer);
    }
  }
}
