// A digest of a run: 128 bits that say whether two simulations went the same way.
//
// Made for speed and for being the same on every engine (int32 arithmetic only); it is not cryptographic, and
// someone who wants two runs with the same digest will find them. Proofs of content use `sha256.ts`.

/** Scratch for the bits of a double. */
const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);
const LOW: number = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

/** Keeps the lengths of octets and of text apart from each other and from most numbers. */
const OCTETS = 0x5ac10000;
const TEXT = 0x37be0000;

function rotate(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

/** Spreads every bit of `x` over all of them. */
function avalanche(x: number): number {
  let z = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}

/**
 * A running digest. What is fed is not delimited by itself, except that octets and text carry their length: feed
 * records of a known shape, or begin each with a tag.
 */
export class Digest {
  #a = 0x243f6a88;
  #b = 0x85a308d3 | 0;
  #c = 0x13198a2e;
  #d = 0x03707344;
  #count = 0;

  /** Adds a number's low 32 bits. */
  int32(n: number): void {
    // Four lanes in turn; each takes the word, and what its neighbour has come to.
    const k = Math.imul(rotate(Math.imul(n, 0x9e3779b1), 15), 0x85ebca77);
    const a = (Math.imul(rotate(this.#a ^ k, 13), 5) + this.#b + 0x561ccd1b) | 0;
    this.#a = this.#b;
    this.#b = this.#c;
    this.#c = this.#d;
    this.#d = a;
    this.#count = (this.#count + 1) | 0;
  }

  /** Adds a double by its bits; 0 and -0 differ, all NaN are one. */
  float(n: number): void {
    float[0] = n;
    const nan = Number.isNaN(n);
    this.int32(nan ? 0 : halves[LOW]!);
    this.int32(nan ? 0x7ff80000 : halves[1 - LOW]!);
  }

  /** Adds the octets of `bytes[from, to)` and their number. */
  bytes(bytes: Uint8Array, from: number, to: number): void {
    this.int32((to - from) ^ OCTETS);
    let i = from;
    for (const whole = to - 3; i < whole; i += 4) {
      this.int32(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    }
    if (i < to) {
      let last = 0;
      for (let shift = 0; i < to; i++, shift += 8) last |= bytes[i]! << shift;
      this.int32(last);
    }
  }

  /** Adds a string's UTF-16 units, two to a word, and their number. */
  text(text: string): void {
    this.int32(text.length ^ TEXT);
    let i = 0;
    for (; i + 1 < text.length; i += 2) this.int32(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    if (i < text.length) this.int32(text.charCodeAt(i));
  }

  /** The digest of what was added so far, 32 lower-case hexadecimal digits. More may be added afterwards. */
  hex(): string {
    let a = avalanche(this.#a ^ this.#count);
    let b = avalanche(this.#b + a);
    let c = avalanche(this.#c + b);
    const d = avalanche(this.#d + c);
    // A second time around, so that the first lanes know of the last.
    a = avalanche(a + d);
    b = avalanche(b + a);
    c = avalanche(c + b);
    return hex32(a) + hex32(b) + hex32(c) + hex32(avalanche(d + c));
  }
}

function hex32(n: number): string {
  return (n >>> 0).toString(16).padStart(8, '0');
}
