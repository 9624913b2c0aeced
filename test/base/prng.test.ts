// The generator against its published algorithm, written again in BigInt.

import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';

const M = 0xffffffffn;
const rotl = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & M;

function* splitmix(seed: bigint): Generator<bigint, never> {
  let state = seed & M;
  for (;;) {
    state = (state + 0x9e3779b9n) & M;
    let z = state;
    z = ((z ^ (z >> 16n)) * 0x85ebca6bn) & M;
    z = ((z ^ (z >> 13n)) * 0xc2b2ae35n) & M;
    yield z ^ (z >> 16n);
  }
}

/** xoshiro128** 1.1 as its authors publish it. */
function* xoshiro(s: bigint[]): Generator<number, never> {
  for (;;) {
    yield Number(BigInt.asIntN(32, (rotl((s[1]! * 5n) & M, 7n) * 9n) & M));
    const t = (s[1]! << 9n) & M;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotl(s[3]!, 11n);
  }
}

function reference(seed: bigint): Generator<number, never> {
  const seeds = splitmix(seed);
  return xoshiro([seeds.next().value, seeds.next().value, seeds.next().value, seeds.next().value]);
}

describe('prng', () => {
  it('is xoshiro128** seeded by splitmix32', () => {
    for (const seed of [0, 1, 7, -1, 0x7fffffff, 0xdeadbeef, 2 ** 32 + 7]) {
      const prng = new Prng(seed);
      const expected = reference(BigInt(seed));
      for (let i = 0; i < 200; i++) expect(prng.nextInt32()).toBe(expected.next().value);
    }
    expect(new Prng(2 ** 32 + 7).nextInt32()).toBe(new Prng(7).nextInt32());
  });

  it('starts xoshiro128** from the state 1, 2, 3, 4 with its known outputs', () => {
    // Worked out by hand from the definition: rotl(2 * 5, 7) * 9 = 11520; then s1 = 0, so 0.
    const outputs = xoshiro([1n, 2n, 3n, 4n]);
    expect([outputs.next().value, outputs.next().value]).toEqual([11520, 0]);
  });

  it('draws floats in [0, 1) from 53 bits, evenly', () => {
    const prng = new Prng(1);
    const bits = reference(1n);
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const x = prng.nextFloat();
      const high = BigInt.asUintN(32, BigInt(bits.next().value)) >> 6n;
      const low = BigInt.asUintN(32, BigInt(bits.next().value)) >> 5n;
      if (x >= 1 || x !== Number((high << 27n) | low) / 2 ** 53) expect.fail(`draw ${i} is ${x}`);
      bins[Math.floor(x * 10)]!++;
    }
    for (const n of bins) expect(Math.abs(n - 1000)).toBeLessThan(150);
  });

  it('draws integers below n without favour, and refuses what is no n', () => {
    const prng = new Prng(2);
    // With plain remainders of 32 bits, a third of [0, 3 * 2^30) would come twice as often.
    const n = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 30_000; i++) {
      const x = prng.below(n);
      if (!(Number.isInteger(x) && x >= 0 && x < n)) expect.fail(`draw ${i} is ${x}`);
      if (x < 2 ** 30) low++;
    }
    expect(Math.abs(low - 10_000)).toBeLessThan(500);
    expect(new Set(Array.from({ length: 100 }, () => prng.below(4)))).toEqual(new Set([0, 1, 2, 3]));
    expect([prng.below(1), prng.below(2 ** 32) < 2 ** 32]).toEqual([0, true]);
    for (const bad of [0, -1, 1.5, NaN, 2 ** 32 + 1]) expect(() => prng.below(bad)).toThrow(RangeError);
  });

  it('is never or always lucky at the ends, and takes the same steps whatever the probability', () => {
    const [a, b] = [new Prng(3), new Prng(3)];
    for (let i = 0; i < 100; i++) {
      expect(a.chance(0)).toBe(false);
      expect(b.chance(1)).toBe(true);
    }
    expect(a.nextInt32()).toBe(b.nextInt32());
    let hits = 0;
    for (let i = 0; i < 10_000; i++) if (a.chance(0.2)) hits++;
    expect(Math.abs(hits - 2000)).toBeLessThan(200);
  });

  it('fills any length with the octets of its words, low octet first', () => {
    for (let length = 0; length < 11; length++) {
      const bytes = new Uint8Array(length);
      new Prng(4).fill(bytes);
      const words = new Prng(4);
      const expected = new Uint8Array(12);
      const view = new DataView(expected.buffer);
      for (let i = 0; i < 12; i += 4) view.setInt32(i, words.nextInt32(), true);
      expect(bytes).toEqual(expected.slice(0, length));
    }
  });

  it('forks streams that depend on its state and the label and leave it undisturbed', () => {
    const [a, b] = [new Prng(5), new Prng(5)];
    const forks = [a.fork(0), a.fork(1), a.fork(-1)];
    expect(a.nextInt32()).toBe(b.nextInt32());
    forks.push(a.fork(0));
    const first = forks.map((p) => p.nextInt32());
    expect(new Set(first).size).toBe(4);
    expect(new Prng(5).fork(1).nextInt32()).toBe(first[1]);
  });
});
