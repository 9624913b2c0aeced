// Copies are right whatever views are kept from earlier ones.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyBytes, copyPacket } from '../../src/base/copy.ts';
import { PacketPool } from '../../src/base/pool.ts';

describe('copying', () => {
  for (const [name, copy] of [
    ['copyBytes', copyBytes],
    ['copyPacket', copyPacket],
  ] as const) {
    it(`${name} copies the span and nothing else, from buffers that take turns at the same places`, () => {
      const pool = new PacketPool(2048, 3);
      const plain = [...Array.from({ length: 3 }, () => new Uint8Array(2048)), new Uint8Array(400_000)];
      const sources = [
        ...Array.from({ length: 7 }, () => pool.take()).map(({ bytes, at }) => ({ bytes, start: at, size: 2048 })),
        ...plain.map((bytes) => ({ bytes, start: 0, size: bytes.length })),
      ];
      sources.forEach(({ bytes, start, size }, k) => {
        for (let i = 0; i < size; i++) bytes[start + i] = i * 13 + k * 101;
      });
      const span = fc.tuple(
        fc.nat(sources.length - 1),
        fc.constantFrom(0, 1, 40, 54),
        fc.constantFrom(0, 9, 32, 700, 1460),
      );
      fc.assert(
        fc.property(fc.array(span, { minLength: 1, maxLength: 40 }), fc.nat(5), (copies, at) => {
          for (const [which, offset, length] of copies) {
            const { bytes, start } = sources[which]!;
            const from = start + offset;
            const out = new Uint8Array(length + 10).fill(0xee);
            const expected = out.slice();
            for (let i = 0; i < length; i++) expected[at + i] = bytes[from + i]!;
            copy(bytes, from, from + length, out, at);
            expect(Buffer.compare(out, expected)).toBe(0);
          }
        }),
        { seed: 8, numRuns: 300 },
      );
    });
  }
});
