// Keyed hashes of a few words: SipHash-2-4 for what must not be guessed, HalfSipHash-1-3 for hash tables.
//
// Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012); HalfSipHash is its variant on 32-bit words.
// SipHash computes on 64-bit words, which JavaScript has only as BigInt, so each is kept as two int32 halves.

/** Little-endian word of `bytes` at `at`. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** A secret key of 128 bits, taken apart once, and the high half of the last hash made with it. */
export class SipKey {
  /** High 32 bits of the latest `sip24` with this key, as an int32. */
  high = 0;
  /** The key as four little-endian words. */
  readonly k0: number;
  readonly k1: number;
  readonly k2: number;
  readonly k3: number;

  /** @param key at least 16 octets of secret, of which the first 16 are used; a `RangeError` when shorter */
  constructor(key: Uint8Array) {
    if (key.length < 16) throw new RangeError(`a key of ${key.length} octets is too short, 16 are needed`);
    this.k0 = word(key, 0);
    this.k1 = word(key, 4);
    this.k2 = word(key, 8);
    this.k3 = word(key, 12);
  }
}

/** Carry out of the low halves of a 64-bit addition: `sum` is what `a` plus something gave, mod 2^32. */
function carry(sum: number, a: number): number {
  return sum >>> 0 < a >>> 0 ? 1 : 0;
}

// The state of both hashes is in local variables: int32 values kept outside a function would be boxed on engines
// whose small integers have 31 bits.

/**
 * SipHash-2-4 of the octets of `words[0, count)`, each little-endian.
 *
 * @param key the secret; its `high` is set to the hash's high half
 * @param words the message; not kept
 * @returns the low 32 bits of the hash, as an int32
 */
export function sip24(key: SipKey, words: Int32Array, count: number): number {
  let v0l = key.k0 ^ 0x70736575;
  let v0h = key.k1 ^ 0x736f6d65;
  let v1l = key.k2 ^ 0x6e646f6d;
  let v1h = key.k3 ^ 0x646f7261;
  let v2l = key.k0 ^ 0x6e657261;
  let v2h = key.k1 ^ 0x6c796765;
  let v3l = key.k2 ^ 0x79746573;
  let v3h = key.k3 ^ 0x74656462;
  // The block after the message is what finalization makes of it (§2.4): no message, 0xff, four rounds.
  const blocks = (count >> 1) + 1;
  for (let block = 0; block <= blocks; block++) {
    const at = 2 * block;
    const rounds = block === blocks ? 4 : 2;
    const low = at < count ? words[at]! : 0;
    // The last block of the message has its length in octets, modulo 256, in the highest octet.
    const high = at + 1 < count ? words[at + 1]! : block < blocks ? count << 26 : 0;
    if (block === blocks) v2l ^= 0xff;
    v3l ^= low;
    v3h ^= high;
    for (let r = 0; r < rounds; r++) {
      // SipRound (§2.2), its two columns one after the other; a rotation by 32 exchanges the halves.
      let t = (v0l + v1l) | 0;
      v0h = (v0h + v1h + carry(t, v0l)) | 0;
      v0l = t;
      t = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = t;
      t = (v2l + v3l) | 0;
      v2h = (v2h + v3h + carry(t, v2l)) | 0;
      v2l = t;
      t = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = t;
      t = (v0h + v3l) | 0;
      const u = (v0l + v3h + carry(t, v0h)) | 0;
      v0l = t;
      v0h = u;
      t = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = t;
      t = (v2l + v1l) | 0;
      v2h = (v2h + v1h + carry(t, v2l)) | 0;
      const w = ((v1l << 17) | (v1h >>> 15)) ^ t;
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = w;
      v2l = v2h;
      v2h = t;
    }
    v0l ^= low;
    v0h ^= high;
  }
  key.high = v0h ^ v1h ^ v2h ^ v3h;
  return v0l ^ v1l ^ v2l ^ v3l;
}

/**
 * HalfSipHash-1-3 of five words under the first 64 bits of the key: a hash for tables whose keys a peer
 * chooses (a 4-tuple is five words or fewer), so that it cannot choose collisions. Not for secrets that
 * must hold for long.
 *
 * @returns 32 bits, as an int32
 */
export function halfSip13(key: SipKey, w0: number, w1: number, w2: number, w3: number, w4: number): number {
  let v0 = key.k0;
  let v1 = key.k1;
  let v2 = key.k0 ^ 0x6c796765;
  let v3 = key.k1 ^ 0x74656462;
  // Five words, a block with nothing but the length (20), and three rounds of finalization.
  for (let i = 0; i < 9; i++) {
    const m = i === 0 ? w0 : i === 1 ? w1 : i === 2 ? w2 : i === 3 ? w3 : i === 4 ? w4 : i === 5 ? 20 << 24 : 0;
    if (i === 6) v2 ^= 0xff;
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
  }
  return v1 ^ v3;
}
