// The digest of a run, and SHA-256 against the platform's.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Digest } from '../../src/base/digest.ts';
import { Sha256 } from '../../src/base/sha256.ts';

function digest(feed: (d: Digest) => void): string {
  const d = new Digest();
  feed(d);
  return d.hex();
}

describe('digest', () => {
  it('has the values it had: a change here breaks every recorded digest', () => {
    expect(digest(() => {})).toBe('7f4efbe982b82521e0b4a4956b30001a');
    expect(
      digest((d) => {
        d.text('SYN-SENT');
        d.int32(-2);
        d.float(40.125);
        d.bytes(Uint8Array.of(9, 1, 2, 3, 4, 5, 9), 1, 6);
      }),
    ).toBe('e252a8725185747393b836c9d209072c');
  });

  it('tells apart what differs in value, order, length, sign of zero, or place', () => {
    const feeds: ((d: Digest) => void)[] = [
      () => {},
      (d) => d.int32(0),
      (d) => d.float(0),
      (d) => d.float(-0),
      (d) => d.float(NaN),
      (d) => d.text(''),
      (d) => d.text('a'),
      (d) => d.text('ab'),
      (d) => d.text('ba'),
      (d) => d.text('abc'),
      (d) => d.bytes(new Uint8Array(0), 0, 0),
      (d) => d.bytes(new Uint8Array(3), 0, 3),
      (d) => d.bytes(new Uint8Array(4), 0, 4),
      (d) => d.bytes(Uint8Array.of(0, 0, 0, 1), 0, 4),
      (d) => d.bytes(Uint8Array.of(1, 0, 0, 0), 0, 4),
    ];
    for (let i = 0; i < 32; i++) feeds.push((d) => d.int32(1 << i));
    for (let i = 1; i < 40; i++) feeds.push((d) => again(d, i));
    expect(new Set(feeds.map(digest)).size).toBe(feeds.length);
  });

  it('changes about half of its bits, in every word, when one bit of one word changes', () => {
    for (let place = 0; place < 8; place++) {
      const [a, b] = [0, 1].map((flip) =>
        digest((d) => {
          for (let i = 0; i < 8; i++) d.int32(i === place ? flip << (place * 3) : i);
        }),
      );
      for (let w = 0; w < 32; w += 8) {
        const x = parseInt(a!.slice(w, w + 8), 16) ^ parseInt(b!.slice(w, w + 8), 16);
        const bits = (x >>> 0).toString(2).replaceAll('0', '').length;
        expect(bits).toBeGreaterThan(5);
        expect(bits).toBeLessThan(27);
      }
    }
  });

  it('has no two alike among 100,000 short runs', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      seen.add(
        digest((d) => {
          d.int32(i % 317);
          d.int32((i / 317) | 0);
        }),
      );
    }
    expect(seen.size).toBe(100_000);
  });

  it('may be read in between', () => {
    const d = new Digest();
    d.int32(1);
    const once = d.hex();
    expect(d.hex()).toBe(once);
    d.int32(2);
    expect(d.hex()).toBe(
      digest((e) => {
        e.int32(1);
        e.int32(2);
      }),
    );
  });
});

/** Feeds the same word `n + 1` times. */
function again(d: Digest, n: number): void {
  for (let i = 0; i <= n; i++) d.int32(5);
}

function platform(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('sha256', () => {
  it('hashes every length around the ends of its blocks', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + length);
      const sha = new Sha256();
      sha.update(bytes, 0, length);
      expect(sha.hex()).toBe(platform(bytes));
    }
  });

  it('may be fed in any pieces and read in between', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 12 }), (pieces) => {
        const sha = new Sha256();
        let all = new Uint8Array(0);
        for (const piece of pieces) {
          sha.update(Uint8Array.of(1, ...piece, 2), 1, piece.length + 1);
          all = Uint8Array.of(...all, ...piece);
          expect(sha.hex()).toBe(platform(all));
        }
      }),
      { seed: 7, numRuns: 100 },
    );
  });
});
