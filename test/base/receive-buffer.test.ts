// The receive buffer against a naive array of octets, and its bounds.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEND_FROM, Loan } from '../../src/base/loan.ts';
import { PacketPool } from '../../src/base/pool.ts';
import { CHUNK_SIZE, ChunkPool, ReceiveBuffer, SMALL_CHUNK } from '../../src/base/receive-buffer.ts';

function octets(from: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = (from + i) % 251;
  return bytes;
}

function fresh(): { pool: ChunkPool; buffer: ReceiveBuffer } {
  const pool = new ChunkPool();
  return { pool, buffer: new ReceiveBuffer(pool) };
}

function drain(buffer: ReceiveBuffer): string {
  const out = new Uint8Array(buffer.readable);
  expect(buffer.read(out, 0, out.length)).toBe(out.length);
  return Buffer.from(out).toString('latin1');
}

function text(s: string): Uint8Array {
  return new Uint8Array(Buffer.from(s, 'latin1'));
}

function rangesOf(buffer: ReceiveBuffer): number[][] {
  return Array.from({ length: buffer.ranges }, (_, i) => [buffer.rangeFrom(i), buffer.rangeTo(i)]);
}

describe('receive buffer, in order', () => {
  it('gives back what was appended, in spans and in copies', () => {
    const { buffer } = fresh();
    for (let at = 0; at < 100_000; at += 1460) buffer.append(octets(at - 3, 1470), 3, 1463);
    let seen = 0;
    while (buffer.readable > 50_000) {
      const span = buffer.peek();
      expect(Buffer.compare(span, octets(seen, span.length))).toBe(0);
      const n = Math.min(span.length, 9000);
      buffer.consume(n);
      seen += n;
    }
    const rest = new Uint8Array(60_000);
    const n = buffer.read(rest, 7, 60_000);
    expect(Buffer.compare(rest.subarray(7, 7 + n), octets(seen, n))).toBe(0);
    expect([buffer.readable, buffer.peek().length]).toEqual([0, 0]);
  });

  it('gives back segments of any size that cross from chunk to chunk, and leaves what was looked at as it was', () => {
    for (const size of [513, 1448, 1460, 2047, 2048, 2049, 9000]) {
      const { buffer } = fresh();
      let sent = 0;
      for (let seen = 0; seen < 200_000; ) {
        const looked: [Uint8Array, number][] = [];
        for (let n = 0; n < 40; n++, sent += size) {
          buffer.append(octets(sent - 5, size + 9), 5, size + 5);
          if (n === 3) looked.push([buffer.peek(), seen]);
        }
        for (const [span, at] of looked) expect(Buffer.compare(span, octets(at, span.length))).toBe(0);
        const some = new Uint8Array(buffer.readable - (seen % 777));
        buffer.read(some, 0, some.length);
        expect(Buffer.compare(some, octets(seen, some.length))).toBe(0);
        seen += some.length;
      }
    }
  });

  it('a segment that crosses to a chunk with octets out of order leaves those alone', () => {
    const { buffer } = fresh();
    const all = octets(0, 40_000);
    buffer.append(all, 0, CHUNK_SIZE - 500);
    buffer.insert(1500, all, CHUNK_SIZE + 1000, CHUNK_SIZE + 2000, 4);
    buffer.append(all, CHUNK_SIZE - 500, CHUNK_SIZE + 960);
    buffer.append(all, CHUNK_SIZE + 960, CHUNK_SIZE + 1000);
    expect(drain(buffer)).toBe(Buffer.from(all.subarray(0, CHUNK_SIZE + 2000)).toString('latin1'));
  });

  it('keeps no chunk once it is drained', () => {
    const { pool, buffer } = fresh();
    expect(buffer.memory).toBe(0);
    buffer.append(octets(0, 40_000), 0, 40_000);
    expect([buffer.memory, pool.inUse]).toEqual([3 * CHUNK_SIZE, 3]);
    buffer.consume(CHUNK_SIZE);
    expect(pool.inUse).toBe(2);
    buffer.consume(40_000 - CHUNK_SIZE);
    expect([buffer.memory, pool.inUse, pool.spare]).toEqual([0, 0, 3]);
  });

  it('refuses to consume more than it has', () => {
    const { buffer } = fresh();
    buffer.append(octets(0, 10), 0, 10);
    expect(() => buffer.consume(11)).toThrow(RangeError);
    expect(() => buffer.consume(-1)).toThrow(RangeError);
    expect(buffer.read(new Uint8Array(5), 5, 5)).toBe(0);
  });
});

describe('receive buffer, out of order', () => {
  it('joins what was early once the hole closes, and says by how much it grew', () => {
    const { buffer } = fresh();
    expect(buffer.insert(4, text('efgh'), 0, 4, 9)).toBe(0);
    expect([buffer.readable, buffer.pending, buffer.lastRange]).toEqual([0, 4, 0]);
    expect(buffer.insert(10, text('kl'), 0, 2, 9)).toBe(0);
    expect(rangesOf(buffer)).toEqual([
      [4, 8],
      [10, 12],
    ]);
    expect(buffer.lastRange).toBe(1);
    expect(buffer.insert(0, text('abcd'), 0, 4, 9)).toBe(8);
    expect(rangesOf(buffer)).toEqual([[2, 4]]);
    expect([buffer.lastRange, buffer.pending]).toEqual([0, 2]);
    expect(buffer.insert(0, text('ij'), 0, 2, 9)).toBe(4);
    expect([buffer.ranges, buffer.pending, buffer.lastRange]).toEqual([0, 0, -1]);
    expect(drain(buffer)).toBe('abcdefghijkl');
  });

  it('keeps the first copy when a repetition overlaps with other content', () => {
    const { buffer } = fresh();
    buffer.insert(2, text('BB'), 0, 2, 9);
    buffer.insert(6, text('CC'), 0, 2, 9);
    buffer.insert(1, text('xxxxxxxx'), 0, 8, 9);
    expect(rangesOf(buffer)).toEqual([[1, 9]]);
    expect(buffer.insert(0, text('yyyyyyyyyyyy'), 0, 12, 9)).toBe(12);
    expect(drain(buffer)).toBe('yxBBxxCCxyyy');
  });

  it('names the range of the latest segment even when that brought nothing new', () => {
    const { buffer } = fresh();
    buffer.insert(10, text('ab'), 0, 2, 9);
    buffer.insert(20, text('cd'), 0, 2, 9);
    buffer.insert(30, text('ef'), 0, 2, 9);
    expect(buffer.insert(20, text('c'), 0, 1, 9)).toBe(0);
    expect([buffer.lastRange, buffer.pending]).toEqual([1, 6]);
    buffer.insert(12, text('xxxxxxxx'), 0, 8, 9);
    expect(rangesOf(buffer)).toEqual([
      [10, 22],
      [30, 32],
    ]);
    expect(buffer.lastRange).toBe(0);
  });

  it('refuses a range too many and takes nothing of it, yet still fills and extends', () => {
    const { buffer } = fresh();
    buffer.insert(2, text('c'), 0, 1, 2);
    buffer.insert(4, text('e'), 0, 1, 2);
    expect(buffer.insert(6, text('g'), 0, 1, 2)).toBe(-1);
    expect(rangesOf(buffer)).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(buffer.insert(5, text('f'), 0, 1, 2)).toBe(0);
    expect(buffer.insert(3, text('d'), 0, 1, 2)).toBe(0);
    expect(buffer.insert(0, text('ab'), 0, 2, 0)).toBe(6);
    expect(drain(buffer)).toBe('abcdef');
  });

  it('refuses the excess of 100,000 one-octet islands and stays within its bounds', () => {
    const { buffer, pool } = fresh();
    const one = text('x');
    let refused = 0;
    for (let i = 0; i < 100_000; i++) if (buffer.insert(1 + 2 * (i % 250_000), one, 0, 1, 512) < 0) refused++;
    expect([refused, buffer.ranges, buffer.pending]).toEqual([100_000 - 512, 512, 512]);
    expect(pool.inUse).toBe(1);
    buffer.clear();
    expect([pool.inUse, buffer.ranges, buffer.pending, buffer.lastRange]).toEqual([0, 0, 0, -1]);
  });

  it('takes chunks only where something was written', () => {
    const { buffer } = fresh();
    buffer.insert(10 * CHUNK_SIZE, text('far'), 0, 3, 9);
    expect(buffer.memory).toBe(SMALL_CHUNK);
    buffer.append(text('near'), 0, 4);
    expect([buffer.readable, buffer.memory]).toEqual([4, 2 * SMALL_CHUNK]);
    expect(rangesOf(buffer)).toEqual([[10 * CHUNK_SIZE - 4, 10 * CHUNK_SIZE - 1]]);
    expect(drain(buffer)).toBe('near');
    expect([buffer.readable, buffer.ranges]).toEqual([0, 1]);
  });
});

/** The same, octet by octet: -1 is a hole. */
class Naive {
  cells: number[] = [];
  readable = 0;
  insert(offset: number, bytes: Uint8Array): number {
    const before = this.readable;
    bytes.forEach((b, k) => {
      const at = before + offset + k;
      while (this.cells.length <= at) this.cells.push(-1);
      if (this.cells[at]! < 0) this.cells[at] = b;
    });
    while (this.readable < this.cells.length && this.cells[this.readable]! >= 0) this.readable++;
    return this.readable - before;
  }
  get ranges(): number[][] {
    const found: number[][] = [];
    for (let i = this.readable; i < this.cells.length; i++) {
      if (this.cells[i]! < 0) continue;
      const last = found.at(-1);
      if (last && last[1] === i - this.readable) last[1]!++;
      else found.push([i - this.readable, i - this.readable + 1]);
    }
    return found;
  }
}

describe('receive buffer and packets that are given away', () => {
  it('leaves what comes in order in its packet, and gives it back when the last octet was read', () => {
    const { buffer } = fresh();
    const packets = new PacketPool(70_000);
    const loan = new Loan();
    const put = (from: number): Uint8Array => {
      const slot = packets.take();
      slot.view.set(octets(from, 50_000), 62);
      buffer.append(slot.bytes, slot.at + 62, slot.at + 50_062, loan.offer(slot, 50_062));
      if (loan.buffer !== null) packets.release(slot);
      return slot.view;
    };
    const first = put(0);
    put(50_000);
    expect([buffer.readable, buffer.memory, packets.inUse]).toEqual([100_000, 140_000, 2]);
    expect([buffer.peek().buffer === first.buffer, buffer.peek().byteOffset]).toEqual([true, first.byteOffset + 62]);
    buffer.consume(49_999);
    expect([buffer.peek()[0], buffer.peek().length, packets.inUse]).toEqual([49_999 % 251, 1, 2]);
    buffer.append(octets(100_000, 10), 0, 10);
    put(100_010);
    expect(packets.inUse).toBe(2);
    const all = new Uint8Array(100_011);
    expect(buffer.read(all, 0, all.length)).toBe(100_011);
    expect(Buffer.compare(all, octets(49_999, 100_011))).toBe(0);
    expect([buffer.readable, buffer.memory, packets.inUse]).toEqual([0, 0, 0]);
  });

  it('copies what is small, what comes after a hole, and what comes when many are given away', () => {
    const { buffer } = fresh();
    const packets = new PacketPool(40_000);
    const loan = new Loan();
    const slot = packets.take();
    expect(loan.offer(slot, LEND_FROM - 1) === null).toBe(true);
    buffer.insert(50_000, octets(0, 10), 0, 10, 4);
    buffer.append(slot.view, 0, 40_000, loan.offer(slot, 40_000));
    expect([loan.buffer === slot, buffer.readable]).toEqual([true, 40_000]);
    buffer.clear();
    let lent = 0;
    for (let i = 0; i < 100; i++) {
      const next = packets.take();
      const lender = loan.offer(next, 40_000);
      if (lender === null) packets.release(next);
      else lent++;
    }
    expect(lent).toBe(31);
  });
});

describe('receive buffer against a naive one', () => {
  for (const [scale, runs] of [
    [40, 400],
    [60_000, 60],
  ] as const) {
    it(`agrees on every step with offsets and lengths up to ${scale}`, () => {
      const step = fc.record({
        op: fc.constantFrom('insert', 'insert', 'insert', 'next', 'append', 'append', 'read', 'clear', 'drop'),
        offset: fc.nat(scale),
        length: fc.nat(scale >> 2),
        fill: fc.nat(255),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 6 }), (steps, maxRanges) => {
          const { buffer, pool } = fresh();
          const packets = new PacketPool(scale);
          const loan = new Loan();
          let naive = new Naive();
          for (const { op, offset, length, fill } of steps) {
            if (op === 'clear' && fill < 60) {
              buffer.clear();
              naive = new Naive();
            } else if (op === 'read') {
              const n = Math.min(offset, naive.readable);
              const out = new Uint8Array(n);
              if (fill & 1) expect(buffer.read(out, 0, n)).toBe(n);
              else {
                for (let got = 0; got < n; ) {
                  const span = buffer.peek().subarray(0, n - got);
                  out.set(span, got);
                  got += span.length;
                  buffer.consume(span.length);
                }
              }
              expect(Buffer.compare(out, Uint8Array.from(naive.cells.splice(0, n)))).toBe(0);
              naive.readable -= n;
            } else if (op === 'drop') {
              buffer.dropPending();
              naive.cells.length = naive.readable;
            } else if (op === 'append') {
              const slot = packets.take();
              slot.view.set(octets(fill, length), 7);
              const lender = fill % 3 === 0 || length === 0 ? null : loan.offer(slot, LEND_FROM);
              buffer.append(slot.bytes, slot.at + 7, slot.at + 7 + length, lender);
              naive.insert(0, octets(fill, length));
              if (lender === null || loan.buffer !== null) packets.release(slot);
            } else {
              const at = op === 'next' ? 0 : offset;
              const bytes = octets(fill, length);
              const touches = naive.ranges.some(([a, b]) => a! <= at + length && b! >= at);
              const refused = length > 0 && at > 0 && !touches && naive.ranges.length >= maxRanges;
              const grew = buffer.insert(at, bytes, 0, length, maxRanges);
              expect(grew).toBe(refused ? -1 : naive.insert(at, bytes));
            }
            expect(buffer.readable).toBe(naive.readable);
            expect(rangesOf(buffer)).toEqual(naive.ranges);
            expect(buffer.pending).toBe(naive.ranges.reduce((sum, [a, b]) => sum + b! - a!, 0));
            expect(buffer.lastRange).toBeLessThan(Math.max(buffer.ranges, 0));
            expect(pool.octets).toBe(buffer.memory);
            const all = new Uint8Array(naive.readable);
            const from = fill % (naive.readable + 1);
            buffer.copyTo(from, naive.readable - from, all, from);
            expect(Buffer.compare(all.subarray(from), Uint8Array.from(naive.cells.slice(from, naive.readable)))).toBe(
              0,
            );
            if (naive.readable === 0 && naive.ranges.length === 0 && op !== 'insert') expect(buffer.memory).toBe(0);
          }
          buffer.clear();
          expect([packets.inUse, pool.octets, pool.inUse]).toEqual([0, 0, 0]);
        }),
        { seed: 2, numRuns: runs },
      );
    });
  }
});

describe('a little', () => {
  const octets = (length: number): Uint8Array => Uint8Array.from({ length }, (_, k) => (k * 3) & 0xff);

  it('lies in a small chunk, and moves to a large one when there is more; what was looked at stays as it was', () => {
    const pool = new ChunkPool();
    const buffer = new ReceiveBuffer(pool);
    const all = octets(3000);
    buffer.append(all, 0, 1);
    const seen = buffer.peek();
    expect([buffer.memory, pool.octets, pool.inUse]).toEqual([SMALL_CHUNK, SMALL_CHUNK, 1]);
    buffer.append(all, 1, 500);
    expect(buffer.memory).toBe(SMALL_CHUNK);
    buffer.append(all, 500, 1500);
    expect([buffer.memory, pool.octets, pool.inUse]).toEqual([CHUNK_SIZE, CHUNK_SIZE, 1]);
    // Another buffer of the host does not get the small chunk that somebody still looks at.
    const other = new ReceiveBuffer(pool);
    other.append(octets(9).fill(0xee), 0, 9);
    expect([...seen]).toEqual([all[0]]);
    const into = new Uint8Array(1500);
    expect([buffer.read(into, 0, 1500), into]).toEqual([1500, all.slice(0, 1500)]);
    other.clear();
    expect([buffer.memory, pool.octets, pool.inUse]).toEqual([0, 0, 0]);
  });

  it('a full segment begins with a large one: bulk data are not copied twice', () => {
    const buffer = new ReceiveBuffer(new ChunkPool());
    buffer.append(octets(1448), 0, 1448);
    expect(buffer.memory).toBe(CHUNK_SIZE);
  });

  it('what was put aside gives its chunks back when it is dropped, and what is in order stays', () => {
    const pool = new ChunkPool();
    const buffer = new ReceiveBuffer(pool);
    buffer.append(octets(100), 0, 100);
    buffer.insert(40_000, octets(1000), 0, 1000, 9);
    expect(pool.inUse).toBe(2);
    buffer.dropPending();
    expect([pool.inUse, buffer.readable, buffer.ranges]).toEqual([1, 100, 0]);
    expect(buffer.insert(0, octets(50), 0, 50, 9)).toBe(50);
  });

  it('a pool says when it is short, and when it has nothing left', () => {
    const pool = new ChunkPool(8, 4 * CHUNK_SIZE);
    const taken = [pool.take(), pool.take(), pool.take()];
    expect([pool.pressed, pool.exhausted]).toEqual([false, false]);
    taken.push(pool.take());
    expect([pool.pressed, pool.exhausted]).toEqual([true, true]);
    for (const chunk of taken) pool.give(chunk);
    expect([pool.pressed, pool.octets]).toEqual([false, 0]);
  });

  it('the range around an octet is found among many', () => {
    const buffer = new ReceiveBuffer(new ChunkPool());
    for (let k = 0; k < 300; k++) buffer.insert(10 + 10 * k, octets(3), 0, 3, 400);
    for (let k = 0; k < 300; k++) {
      expect([9, 10, 12, 13].map((d) => buffer.rangeAt(10 * k + d))).toEqual([-1, k, k, -1]);
    }
  });
});
