// The send queue against a plain array, and what it holds in memory.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketBody } from '../../src/base/packet.ts';
import { SendQueue } from '../../src/base/send-queue.ts';

/** Octets that tell where they came from: position modulo a prime. */
function octets(from: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = (from + i) % 251;
  return bytes;
}

function slice(queue: SendQueue, offset: number, count: number): Uint8Array {
  const out = new Uint8Array(count + 10).fill(0xee);
  queue.copyTo(offset, count, out, 5);
  expect([...out.subarray(0, 5), ...out.subarray(5 + count)]).toEqual(new Array(10).fill(0xee));
  return out.slice(5, 5 + count);
}

describe('send queue', () => {
  it('gives back what was pushed, across chunks of every size', () => {
    const queue = new SendQueue();
    let pushed = 0;
    for (const size of [1, 100, 4095, 4096, 4097, 20_000, 65_536, 200_001, 3]) {
      const padded = new Uint8Array(size + 7);
      padded.set(octets(pushed, size), 4);
      queue.push(padded, 4, 4 + size);
      padded.fill(0);
      pushed += size;
    }
    expect(queue.length).toBe(pushed);
    expect(Buffer.compare(slice(queue, 0, pushed), octets(0, pushed))).toBe(0);
    for (let at = 0; at + 1460 <= pushed; at += 1460) {
      expect(Buffer.compare(slice(queue, at, 1460), octets(at, 1460))).toBe(0);
    }
    expect(slice(queue, 3, 5000)).toEqual(octets(3, 5000));
  });

  it('holds no chunk when it is empty, and at most twice its octets otherwise', () => {
    const queue = new SendQueue();
    expect(queue.memory).toBe(0);
    for (const size of [1, 3000, 4096, 17_000, 50_000, 70_000, 524_288]) {
      queue.push(octets(0, size), 0, size);
      // A chunk is taken when a write fills half of it, the smallest always.
      expect(queue.memory).toBeLessThanOrEqual(2 * queue.length + 4096);
    }
    queue.drop(queue.length);
    expect(queue.memory).toBe(0);
    queue.push(octets(0, 5), 0, 5);
    queue.clear();
    expect([queue.length, queue.memory]).toEqual([0, 0]);
  });

  it('puts small writes into larger chunks the more of them wait', () => {
    const queue = new SendQueue();
    const added: number[] = [];
    let memory = 0;
    for (let i = 0; i < 60; i++) {
      queue.push(octets(0, 1024), 0, 1024);
      if (queue.memory > memory) added.push(queue.memory - memory);
      memory = queue.memory;
    }
    expect(added).toEqual([1024, 1024, 4096, 4096, 16_384, 16_384, 65_536]);
  });

  it.each([
    [1, 1024],
    [1024, 1024],
    [1025, 4096],
  ])('holds a single write of %i octets in a chunk of %i', (size, memory) => {
    const queue = new SendQueue();
    queue.push(octets(0, size), 0, size);
    expect(queue.memory).toBe(memory);
  });

  it('lets acknowledged chunks go while later ones stay', () => {
    const queue = new SendQueue();
    for (let i = 0; i < 100; i++) queue.push(octets(0, 65_536), 0, 65_536);
    queue.drop(99 * 65_536 + 1);
    expect(queue.memory).toBe(65_536);
  });

  it('gives back a long stream that never lets it become empty', () => {
    const queue = new SendQueue();
    let from = 0;
    let to = 0;
    for (let round = 0; round < 200; round++) {
      while (to - from < 150_000) {
        const n = 1 + ((to * 31) % 9000);
        queue.push(octets(to, n), 0, n);
        to += n;
      }
      for (const offset of [0, 5000, 100_000]) {
        expect(Buffer.compare(slice(queue, offset, 3000), octets(from + offset, 3000))).toBe(0);
      }
      queue.drop(40_000 + round);
      from += 40_000 + round;
    }
    expect(to).toBeGreaterThan(8_000_000);
  });

  it('refuses to read or drop what it does not hold', () => {
    const queue = new SendQueue();
    queue.push(octets(0, 10), 0, 10);
    expect(() => queue.copyTo(5, 6, new Uint8Array(20), 0)).toThrow(RangeError);
    expect(() => queue.copyTo(-1, 2, new Uint8Array(20), 0)).toThrow(RangeError);
    expect(() => queue.lend(5, 6, new PacketBody())).toThrow(RangeError);
    expect(() => queue.drop(11)).toThrow(RangeError);
    queue.copyTo(10, 0, new Uint8Array(0), 0);
  });

  it('lends what it would copy, where it lies, and fills chunks as it does for a copy', () => {
    const body = new PacketBody();
    const [copied, lent] = [new SendQueue(), new SendQueue()];
    for (const queue of [copied, lent]) {
      queue.grain = 1448;
      queue.push(octets(0, 65_536), 0, 65_536);
    }
    copied.copyTo(0, 1000, new Uint8Array(1000), 0);
    expect(lent.lend(0, 1000, body)).toBe(true);
    const borrowed = body.bytes[0]!;
    for (const queue of [copied, lent]) queue.push(octets(65_536, 200_000), 0, 200_000);
    // A segment of 1000 octets moved the ends of all later ones, and both queues cut their chunks to meet them.
    const ends = [copied, lent].map((queue) => {
      const all = new PacketBody();
      expect(queue.lend(0, 265_536, all)).toBe(true);
      return all.to;
    });
    expect(ends[1]).toEqual(ends[0]);
    body.clear();
    expect(lent.lend(1000, 45 * 1448, body)).toBe(true);
    expect([body.count, body.bytes[0], body.from[0], body.to[0]]).toEqual([2, borrowed, 1000, 45 * 1448]);
    const out = new Uint8Array(body.length + 2);
    body.copyTo(out, 1);
    expect(Buffer.compare(out.subarray(1, -1), octets(1000, 45 * 1448))).toBe(0);
    body.clear();
    expect([body.length, body.count, body.bytes[0]]).toEqual([0, 0, null]);
  });

  it('lends nothing that lies in more pieces than a call takes', () => {
    const queue = new SendQueue();
    for (let i = 0; i < 20; i++) queue.push(octets(0, 65_536), 0, 65_536);
    const body = new PacketBody();
    expect([queue.lend(0, 8 * 65_536, body), body.count]).toEqual([true, 8]);
    body.clear();
    expect([queue.lend(0, 8 * 65_536 + 1, body), body.count, body.length]).toEqual([false, 0, 0]);
  });

  it('fills chunks with whole segments when it knows their size, and is right when that changes', () => {
    const queue = new SendQueue();
    for (const grain of [1460, 1448, 0, 5000, 1460]) {
      queue.grain = grain;
      for (let round = 0; round < 3; round++) {
        queue.push(octets(0, 200_000), 0, 200_000);
        for (let at = 0; at + 1460 <= 200_000; at += 1460) {
          expect(Buffer.compare(slice(queue, at, 1460), octets(at, 1460))).toBe(0);
        }
        queue.grain = 1400;
        expect(Buffer.compare(slice(queue, 14_000, 1400), octets(14_000, 1400))).toBe(0);
        queue.grain = grain;
        queue.drop(200_000);
      }
    }
  });

  it('agrees with a plain array under any sequence of pushes, reads and drops', () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('push'), n: fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(70_000)), x: fc.nat() }),
      fc.record({ op: fc.constant('read'), n: fc.nat(), x: fc.nat() }),
      fc.record({ op: fc.constant('next'), n: fc.nat(3000), x: fc.nat() }),
      fc.record({ op: fc.constant('drop'), n: fc.nat(), x: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 50, 536, 1460), (steps, grain) => {
        const queue = new SendQueue();
        queue.grain = grain;
        let first = 0;
        let end = 0;
        let nextRead = 0;
        for (const { op, n, x } of steps) {
          if (op === 'push') {
            queue.push(octets(end, n), 0, n);
            end += n;
          } else if (op === 'drop') {
            const count = x === 0 ? end - first : n % Math.min(end - first + 1, 40_000);
            queue.drop(count);
            first += count;
          } else {
            const held = end - first;
            const from = op === 'next' ? Math.min(Math.max(nextRead - first, 0), held) : n % (held + 1);
            const count =
              op === 'next' ? Math.min(x % 3 === 0 ? n : grain, held - from) : x % Math.min(held - from + 1, 10_000);
            const out = new Uint8Array(count);
            const body = new PacketBody();
            if (x % 2 === 0 && queue.lend(from, count, body)) {
              expect(body.length).toBe(count);
              body.copyTo(out, 0);
            } else {
              expect(body.length).toBe(0);
              queue.copyTo(from, count, out, 0);
            }
            expect(Buffer.compare(out, octets(first + from, count))).toBe(0);
            nextRead = first + from + count;
          }
          expect(queue.length).toBe(end - first);
          expect(queue.memory === 0).toBe(end === first);
        }
      }),
      { seed: 1, numRuns: 150 },
    );
  });
});
