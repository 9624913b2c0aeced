// A free list of equal packet buffers, for links that keep packets until later.

/** A buffer that a link lends to `port.transmit` and keeps until the packet has left. */
export interface PacketBuffer {
  readonly bytes: Uint8Array;
}

/** Buffers of one size, made when none is free and kept for ever: a fresh one costs more than a segment does. */
export class PacketPool {
  readonly #size: number;
  readonly #free: PacketBuffer[] = [];

  /** @param size octets of each buffer */
  constructor(size: number) {
    this.#size = size;
  }

  /** A buffer with arbitrary content. */
  take(): PacketBuffer {
    return this.#free.pop() ?? { bytes: new Uint8Array(this.#size) };
  }

  /** Gives a buffer back; nobody may use it afterwards. */
  release(buffer: PacketBuffer): void {
    this.#free.push(buffer);
  }
}
