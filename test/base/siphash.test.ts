// The keyed hashes: the vector printed in the SipHash paper, and both algorithms written again in BigInt.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halfSip13, SipKey, sip24 } from '../../src/base/siphash.ts';

/** SipHash and HalfSipHash differ in the width of a word, six rotations and the constants. */
interface Kind {
  readonly bits: bigint;
  readonly rotations: readonly [bigint, bigint, bigint, bigint, bigint, bigint];
  readonly constants: readonly [bigint, bigint, bigint, bigint];
}
const SIP: Kind = {
  bits: 64n,
  rotations: [13n, 32n, 16n, 21n, 17n, 32n],
  constants: [0x736f6d6570736575n, 0x646f72616e646f6dn, 0x6c7967656e657261n, 0x7465646279746573n],
};
const HALF: Kind = { bits: 32n, rotations: [5n, 16n, 8n, 7n, 13n, 16n], constants: [0n, 0n, 0x6c796765n, 0x74656462n] };

function hash(kind: Kind, c: number, d: number, key: Uint8Array, message: Uint8Array): bigint[] {
  const size = Number(kind.bits / 8n);
  const mask = (1n << kind.bits) - 1n;
  const read = (bytes: Uint8Array, at: number): bigint => {
    let x = 0n;
    for (let i = size - 1; i >= 0; i--) x = (x << 8n) | BigInt(bytes[at + i] ?? 0);
    return x;
  };
  const [k0, k1] = [read(key, 0), read(key, size)];
  let [v0, v1, v2, v3] = kind.constants.map((x, i) => x ^ (i & 1 ? k1 : k0)) as [bigint, bigint, bigint, bigint];
  const rotl = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (kind.bits - n))) & mask;
  const [a, b, e, f, g, h] = kind.rotations;
  const rounds = (n: number): void => {
    for (let i = 0; i < n; i++) {
      v0 = (v0 + v1) & mask;
      v1 = rotl(v1, a) ^ v0;
      v0 = rotl(v0, b);
      v2 = (v2 + v3) & mask;
      v3 = rotl(v3, e) ^ v2;
      v0 = (v0 + v3) & mask;
      v3 = rotl(v3, f) ^ v0;
      v2 = (v2 + v1) & mask;
      v1 = rotl(v1, g) ^ v2;
      v2 = rotl(v2, h);
    }
  };
  const padded = new Uint8Array((Math.floor(message.length / size) + 1) * size);
  padded.set(message);
  padded[padded.length - 1] = message.length;
  for (let at = 0; at < padded.length; at += size) {
    const m = read(padded, at);
    v3 ^= m;
    rounds(c);
    v0 ^= m;
  }
  v2 ^= 0xffn;
  rounds(d);
  return [v0, v1, v2, v3];
}

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

function mine(key: SipKey, words: Int32Array, count: number): bigint {
  const low = sip24(key, words, count);
  return (BigInt.asUintN(32, BigInt(key.high)) << 32n) | BigInt.asUintN(32, BigInt(low));
}

describe('siphash', () => {
  it('is checked against a second writing that gives the value printed in the paper (appendix A)', () => {
    const message = Uint8Array.from({ length: 15 }, (_, i) => i);
    const [v0, v1, v2, v3] = hash(SIP, 2, 4, KEY, message) as [bigint, bigint, bigint, bigint];
    expect((v0 ^ v1 ^ v2 ^ v3).toString(16)).toBe('a129ca6149be45e5');
  });

  it('hashes messages of any number of words, under any key', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 20 }),
        fc.array(fc.integer(), { maxLength: 80 }),
        (k, list) => {
          const words = Int32Array.from(list);
          const [v0, v1, v2, v3] = hash(SIP, 2, 4, k, new Uint8Array(words.buffer)) as [bigint, bigint, bigint, bigint];
          expect(mine(new SipKey(k), words, words.length)).toBe(v0 ^ v1 ^ v2 ^ v3);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  it('looks at no word beyond the count', () => {
    const key = new SipKey(KEY);
    const words = Int32Array.of(1, 2, 3, 4, 5);
    for (let count = 0; count <= 5; count++) {
      expect(mine(key, words, count)).toBe(mine(key, words.slice(0, count), count));
      if (count > 0) expect(mine(key, words, count)).not.toBe(mine(key, words, count - 1));
    }
  });

  it('refuses a key that is too short', () => {
    expect(() => new SipKey(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('half siphash', () => {
  it('hashes five words as HalfSipHash-1-3 with 32 bits of output', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer(), fc.integer()),
        (k, w) => {
          const [, v1, , v3] = hash(HALF, 1, 3, k, new Uint8Array(Int32Array.from(w).buffer)) as bigint[];
          expect(halfSip13(new SipKey(k), ...w)).toBe(Number(BigInt.asIntN(32, v1! ^ v3!)));
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });
});
