// Packets that belong to no connection and wait for their link: resets, ICMP, echo replies, datagrams.
//
// Bounded: what does not fit is dropped and counted, as a router in trouble would. Buffers are reused.

import type { SegmentEvent } from '../base/trace.ts';

/** A whole IP packet to send. */
export class Reply {
  bytes: Uint8Array = new Uint8Array(128);
  length = 0;
  /** Next hop on an Ethernet link, int32; ignored elsewhere. */
  nextHop = 0;
  /** Told to the trace when it is sent; `null` for what is no segment. */
  event: SegmentEvent | null = null;
}

/** Most replies that wait on one interface. */
export const REPLY_LIMIT = 64;
/** Most datagrams of UDP sockets that wait on one interface. */
export const DATAGRAM_LIMIT = 256;

/** Packets of one kind that wait on one interface. */
export class ReplyQueue {
  /** Packets waiting. */
  length = 0;
  /** Every packet that waits does so for its neighbour. */
  stuck = false;
  readonly #limit: number;
  readonly #ring: Reply[] = [];
  #head = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A reply with room for `size` octets at the end of the queue, to be filled; `null` when it is full. */
  claim(size: number): Reply | null {
    if (this.length === this.#limit) return null;
    const index = (this.#head + this.length) % this.#limit;
    let reply = this.#ring[index];
    if (reply === undefined) {
      reply = new Reply();
      // Slots are claimed in order, so a new one is always the next.
      this.#ring.push(reply);
    }
    if (reply.bytes.length < size) reply.bytes = new Uint8Array(size);
    this.length++;
    return reply;
  }

  /** The first waiting reply; the queue must not be empty. */
  first(): Reply {
    return this.#ring[this.#head]!;
  }

  /** Drops the first waiting reply. */
  drop(): void {
    this.#head = (this.#head + 1) % this.#limit;
    this.length--;
  }

  /** Puts the first waiting reply behind the others: its neighbour is not known yet. */
  defer(): void {
    const index = (this.#head + this.length) % this.#limit;
    const reply = this.#ring[this.#head]!;
    const other = this.#ring[index];
    if (index !== this.#head) {
      // The slot behind the last is free: the two buffers change places.
      this.#ring[index] = reply;
      this.#ring[this.#head] = other ?? new Reply();
    }
    this.#head = (this.#head + 1) % this.#limit;
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#head = 0;
    this.length = 0;
    this.stuck = false;
  }
}
