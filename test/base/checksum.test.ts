// The Internet checksum against its definition, for every alignment and length that could go wrong.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksumOf, fold, onesSum } from '../../src/base/checksum.ts';

/** RFC 1071 §1 word by word. */
function naive(bytes: Uint8Array, from: number, to: number, sum: number): number {
  let total = BigInt(sum);
  for (let i = from; i < to; i += 2) total += BigInt((bytes[i]! << 8) | (i + 1 < to ? bytes[i + 1]! : 0));
  while (total > 0xffffn) total = (total & 0xffffn) + (total >> 16n);
  return Number(total);
}

function noise(length: number, seed: number): Uint8Array {
  let x = seed;
  return Uint8Array.from({ length }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    return x >>> 24;
  });
}

describe('internet checksum', () => {
  it("sums RFC 1071's own example to ddf2", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(fold(onesSum(bytes, 0, 8, 0))).toBe(0xddf2);
    expect(checksumOf(bytes, 0, 8, 0)).toBe(0x220d);
  });

  it('is 0 over a header that holds its right checksum', () => {
    const header = new Uint8Array([0x45, 0, 0, 0x54, 0, 0, 0x40, 0, 0x40, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    const sum = checksumOf(header, 0, 20, 0);
    header[10] = sum >> 8;
    header[11] = sum & 0xff;
    expect(checksumOf(header, 0, 20, 0)).toBe(0);
    header[15]! ^= 4;
    expect(checksumOf(header, 0, 20, 0)).not.toBe(0);
  });

  it('is right for every alignment and every length up to 200', () => {
    const slab = noise(300, 1).buffer;
    for (let offset = 0; offset < 8; offset++) {
      const bytes = new Uint8Array(slab, offset, 280);
      for (let from = 0; from < 5; from++) {
        for (let length = 0; length <= 200; length++) {
          if (fold(onesSum(bytes, from, from + length, 0x1fffe)) !== naive(bytes, from, from + length, 0x1fffe)) {
            expect.fail(`byteOffset ${offset}, from ${from}, length ${length}`);
          }
        }
      }
    }
  });

  it('is right at the very end of a buffer whose length is no multiple of four', () => {
    for (const length of [65, 66, 67, 68, 1499]) {
      const bytes = noise(length, length);
      for (const from of [0, 1, 2, 3]) {
        expect(fold(onesSum(bytes, from, length, 0))).toBe(naive(bytes, from, length, 0));
      }
    }
  });

  it('does not overflow on a message of 0xff, however long, and stays below 2^17', () => {
    const bytes = new Uint8Array(3_000_001).fill(0xff);
    for (const length of [63, 64, 95, 96, 1460, 65_535, 131_072, 3_000_000, 3_000_001]) {
      const sum = onesSum(bytes, 0, length, 0x7fffffff);
      expect(sum).toBeLessThan(0x20000);
      expect(fold(sum)).toBe(naive(bytes, 0, length, 0x7fffffff));
    }
  });

  it('may be summed in pieces of even length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.nat(3),
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.nat(0xffff),
        (data, shift, cuts, start) => {
          const bytes = new Uint8Array(data.length + shift);
          bytes.set(data, shift);
          const ends = cuts.map((c) => shift + 2 * Math.floor((c % (data.length + 1)) / 2)).sort((a, b) => a - b);
          let sum = start;
          let at = shift;
          for (const end of [...ends, bytes.length]) {
            sum = onesSum(bytes, at, end, sum);
            at = end;
          }
          expect(fold(sum)).toBe(naive(bytes, shift, bytes.length, start));
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });

  it('tells buffers apart whose views take turns in its cache', () => {
    const slabs = Array.from({ length: 9 }, (_, i) => noise(2000, i + 1));
    for (let round = 0; round < 5; round++) {
      slabs.forEach((bytes, i) => {
        bytes[100]! += i + round;
        expect(fold(onesSum(bytes, 1, 1999, 0))).toBe(naive(bytes, 1, 1999, 0));
      });
    }
  });
});
