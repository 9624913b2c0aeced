// SHA-256 (FIPS 180-4), plain: a transfer proves with it, in every runtime alike, that what came is what went.
//
// The platforms' own are faster but differ in name, and Web Crypto's answers later; the core has no ambient names.

// biome-ignore format: eight to a row, as §4.2.2 prints them, so that the two can be held side by side
/** Fractional parts of the cube roots of the first 64 primes (§4.2.2). */
const K: Int32Array = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);
/** Fractional parts of the square roots of the first 8 primes (§5.3.3). */
const H: Int32Array = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Message schedule of the block being compressed: filled anew for each, so all hashes share it. */
const W: Int32Array = new Int32Array(64);

/**
 * A running SHA-256.
 *
 * @example
 * const sha = new Sha256();
 * sha.update(bytes, 0, bytes.length);
 * sha.hex(); // 64 hexadecimal digits
 */
export class Sha256 {
  #state: Int32Array = H.slice();
  readonly #block: Uint8Array = new Uint8Array(64);
  /** Octets in `#block`. */
  #filled = 0;
  /** Octets added so far. */
  #length = 0;

  /** Adds the octets of `bytes[from, to)`. */
  update(bytes: Uint8Array, from: number, to: number): void {
    this.#length += to - from;
    let at = from;
    if (this.#filled > 0) {
      const n = Math.min(64 - this.#filled, to - at);
      for (let i = 0; i < n; i++) this.#block[this.#filled + i] = bytes[at + i]!;
      this.#filled += n;
      at += n;
      if (this.#filled < 64) return;
      compress(this.#state, this.#block, 0);
      this.#filled = 0;
    }
    for (; to - at >= 64; at += 64) compress(this.#state, bytes, at);
    for (; at < to; at++) this.#block[this.#filled++] = bytes[at]!;
  }

  /** The hash of what was added so far, 64 lower-case hexadecimal digits. More may be added afterwards. */
  hex(): string {
    const state = this.#state.slice();
    const block = this.#block.slice();
    // §5.1.1: a one bit, zeros, and the length in bits as a 64-bit number at the end of a block.
    block[this.#filled] = 0x80;
    block.fill(0, this.#filled + 1);
    if (this.#filled >= 56) {
      compress(state, block, 0);
      block.fill(0);
    }
    const high = Math.floor(this.#length / 0x20000000);
    const low = this.#length << 3;
    for (let i = 0; i < 4; i++) {
      block[56 + i] = high >>> (24 - 8 * i);
      block[60 + i] = low >>> (24 - 8 * i);
    }
    compress(state, block, 0);
    let text = '';
    for (const word of state) text += (word >>> 0).toString(16).padStart(8, '0');
    return text;
  }
}

/** Takes the 64 octets of `bytes` from `at` on into the state (§6.2.2). */
function compress(state: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0, p = at; i < 16; i++, p += 4) {
    W[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
  }
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15]!;
    const y = W[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = (W[i - 16]! + s0 + W[i - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + (g ^ (e & (f ^ g))) + K[i]! + W[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}
