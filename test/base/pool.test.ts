// Packet buffers: where they lie, and what becomes of them.

import { describe, expect, it } from 'vitest';
import { PacketPool } from '../../src/base/pool.ts';

describe('packet pool', () => {
  it('hands out slots of the size asked for, 64-octet aligned, that share a slab and do not overlap', () => {
    const pool = new PacketPool(1530, 4);
    const taken = Array.from({ length: 8 }, () => pool.take());
    const slabs = new Map<unknown, number[]>();
    for (const { bytes, at, inUse } of taken) {
      expect([bytes.byteOffset, at % 64, inUse]).toEqual([0, 0, true]);
      expect(at + 1530).toBeLessThanOrEqual(bytes.length);
      slabs.set(bytes, [...(slabs.get(bytes) ?? []), at]);
    }
    expect([...slabs.values()]).toEqual([
      [0, 1536, 3072, 4608],
      [64, 1600, 3136, 4672],
    ]);
    expect([pool.slots, pool.inUse]).toEqual([8, 8]);
  });

  it('uses released buffers again before it makes others', () => {
    const pool = new PacketPool(2048);
    const first = pool.take();
    for (let i = 0; i < 1000; i++) {
      const b = pool.take();
      b.bytes[b.at] = i;
      pool.release(b);
    }
    pool.release(first);
    expect(pool.take()).toBe(first);
    expect(pool.slots).toBe(63);
  });

  it('refuses a second release, a foreign buffer and a size that is none', () => {
    const [pool, other] = [new PacketPool(64), new PacketPool(64)];
    const b = pool.take();
    expect(() => other.release(b)).toThrow('not its own');
    pool.release(b);
    expect(b.inUse).toBe(false);
    expect(() => pool.release(b)).toThrow('released twice');
    expect([pool.inUse, other.inUse]).toEqual([0, 0]);
    for (const bad of [0, -1, 1.5, NaN]) expect(() => new PacketPool(bad)).toThrow(RangeError);
  });

  it('poisons released buffers in debug mode, and finds out who wrote to one', () => {
    const pool = new PacketPool(100, 2);
    pool.poison = true;
    const b = pool.take();
    const other = pool.take();
    for (const { bytes, at } of [b, other]) bytes.fill(7, at, at + 100);
    pool.release(b);
    expect(b.bytes.subarray(b.at, b.at + 100).every((x) => x === 0xdb)).toBe(true);
    expect(other.bytes.subarray(other.at, other.at + 100).every((x) => x === 7)).toBe(true);
    expect(pool.take()).toBe(b);
    pool.release(b);
    b.bytes[b.at + 99] = 1;
    expect(() => pool.take()).toThrow('after its release');
  });
});
