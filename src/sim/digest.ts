// A running fingerprint of a simulation: equal digests mean that every packet and event was equal.

import type { TraceEvent } from '../base/trace.ts';

const scratch = new DataView(new ArrayBuffer(8));

/**
 * 64 bits over everything fed to it, in order. Not cryptographic: it finds accidents, not adversaries.
 *
 * Int32 arithmetic and the bits of IEEE doubles only, so that every engine gets the same value.
 */
export class Digest {
  #a = 0x243f6a88;
  #b = 0x13198a2e;

  /** Feeds a 32-bit integer. */
  int32(value: number): void {
    const w = value | 0;
    let a = Math.imul(this.#a ^ w, 0x5bd1e995 | 0);
    a ^= a >>> 15;
    let b = Math.imul(this.#b + w, 0x27d4eb2f | 0);
    b = (b << 13) | (b >>> 19);
    // Each lane is stirred with the other, so that swapping two words changes both.
    this.#a = (a + b) | 0;
    this.#b = b ^ a;
  }

  /** Feeds a number of any kind by its 64 bits. */
  number(value: number): void {
    scratch.setFloat64(0, value);
    this.int32(scratch.getInt32(0));
    this.int32(scratch.getInt32(4));
  }

  /** Feeds a text, its length first. */
  text(value: string): void {
    this.int32(value.length);
    for (let i = 0; i < value.length; i++) this.int32(value.charCodeAt(i));
  }

  /** Feeds `bytes[from, to)`, their number first. */
  bytes(bytes: Uint8Array, from: number, to: number): void {
    this.int32(to - from);
    let i = from;
    for (; i + 4 <= to; i += 4) {
      this.int32(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    }
    for (; i < to; i++) this.int32(bytes[i]!);
  }

  /** Feeds a trace event: every field by name, in the order in which the event was built. */
  event(event: TraceEvent): void {
    for (const [name, value] of Object.entries(event)) {
      this.text(name);
      if (typeof value === 'number') this.number(value);
      else this.text(String(value));
    }
  }

  /** The digest so far: 16 hexadecimal digits. Feeding may go on afterwards. */
  get hex(): string {
    const a = this.#a ^ (this.#b >>> 13);
    const b = Math.imul(this.#b ^ (a >>> 16), 0x85ebca6b | 0);
    return hex32(a) + hex32(b);
  }
}

/** An int32 for a name, with which a stream of chance is forked: FNV-1a over its UTF-16 units. */
export function labelOf(name: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
