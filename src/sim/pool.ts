// Packet buffers that are used again: every packet in flight holds one of its own until it has arrived.

/** What a released buffer is filled with, so that whoever kept a view of it is found out. */
const POISON = 0xdb;

/**
 * Buffers of one size. A released buffer is overwritten: bytes given to `receive` are borrowed until the
 * call returns (`base/link.ts`, rule 2), and a host that keeps them must see rubbish, not luck.
 */
export class BufferPool {
  /** Octets of each buffer. */
  readonly size: number;
  #free: Uint8Array[] = [];
  #lent = 0;

  /** @param size octets of each buffer */
  constructor(size: number) {
    this.size = size;
  }

  /** Buffers lent and not yet released. */
  get lent(): number {
    return this.#lent;
  }

  /** Lends a buffer; its content is undefined. */
  lend(): Uint8Array {
    this.#lent++;
    return this.#free.pop() ?? new Uint8Array(this.size);
  }

  /** Takes a buffer back. The caller must not touch it again. */
  release(buffer: Uint8Array): void {
    if (this.#lent === 0 || buffer.length !== this.size) throw new RangeError('not a buffer of this pool');
    this.#lent--;
    buffer.fill(POISON);
    this.#free.push(buffer);
  }
}
