// The SIMD kernel against the sums of JavaScript, and what happens where there is none.

import { execFileSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checksumOf, fold, onesSum } from '../../src/base/checksum.ts';
import { BLOCK, packetMemory, takeSlab, usePacketMemory } from '../../src/base/packet-memory.ts';
import { PacketPool } from '../../src/base/pool.ts';
import { createKernel, installKernel } from '../../src/run/kernel.ts';

/** Octets from a fixed generator. */
function fillWithNoise(bytes: Uint8Array, seed: number): void {
  let x = seed;
  for (let i = 0; i < bytes.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    bytes[i] = x >>> 24;
  }
}

afterEach(() => vi.unstubAllGlobals());

describe('the SIMD kernel', () => {
  it('is what its text says', () => {
    execFileSync(process.execPath, ['scripts/kernel.mjs', '--check']);
  });

  it('sums as JavaScript does, for every alignment and every length up to 300, and for long ones', () => {
    const kernel = createKernel();
    if (kernel === null) throw new Error('this platform has no SIMD');
    const there = kernel.bytes.subarray(64, 64 + 70_000);
    fillWithNoise(there, 7);
    const here = there.slice();
    const sum = (from: number, length: number): number => {
      const words = kernel.sum(64 + from, length);
      return ((words & 0xff) << 8) | (words >>> 8);
    };
    for (let from = 0; from < 17; from++) {
      for (let length = 0; length <= 300; length++) {
        if (sum(from, length) !== fold(onesSum(here, from, from + length, 0))) {
          expect.fail(`from ${from}, length ${length}`);
        }
      }
    }
    for (const length of [1460, 1461, 9000, 65_535, 69_990]) {
      expect(sum(3, length)).toBe(fold(onesSum(here, 3, 3 + length, 0)));
    }
  });

  it('loses no carry: all ones, the largest sum a packet can have', () => {
    const kernel = createKernel();
    if (kernel === null) throw new Error('this platform has no SIMD');
    kernel.bytes.fill(0xff);
    for (const length of [2, 64, 65_534, 65_536, 131_072]) expect(kernel.sum(0, length)).toBe(0xffff);
    expect(kernel.sum(1, 65_535)).toBe(0xff);
  });

  it('is refused kindly: without WebAssembly, by a policy, without address space', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(createKernel()).toBeNull();
    const refuse = class {
      constructor() {
        throw new Error('refused by a policy');
      }
    };
    vi.stubGlobal('WebAssembly', { Memory: class {}, Module: refuse, Instance: refuse });
    expect(createKernel()).toBeNull();
    vi.stubGlobal('WebAssembly', { Memory: refuse, Module: class {}, Instance: class {} });
    expect(createKernel()).toBeNull();
  });
});

describe('packet memory', () => {
  it('is ordinary memory until there is a kernel, and the kernel’s from then on; sums are equal', () => {
    const before = new PacketPool(1600).take();
    expect(packetMemory).toBeNull();
    installKernel();
    const memory = packetMemory;
    if (memory === null) throw new Error('this platform has no SIMD');
    const after = new PacketPool(1600).take();
    expect(before.bytes).not.toBe(memory.bytes);
    expect(after.bytes).toBe(memory.bytes);
    const octets = before.bytes.subarray(before.at, before.at + 1600);
    fillWithNoise(octets, 3);
    after.bytes.set(octets, after.at);
    for (const [from, to] of [
      [0, 1600],
      [1, 20],
      [34, 1534],
      [7, 8],
      [9, 9],
    ] as const) {
      const sum = checksumOf(before.bytes, before.at + from, before.at + to, 0x1fffe);
      expect(checksumOf(after.bytes, after.at + from, after.at + to, 0x1fffe)).toBe(sum);
    }
    // A second kernel would be a second owner.
    expect(usePacketMemory({ bytes: new Uint8Array(8), sum: () => 0 })).toBe(false);
    expect(packetMemory).toBe(memory);
  });

  it('gives every pool room of its own, and ordinary memory when it is full', () => {
    installKernel();
    const memory = packetMemory;
    if (memory === null) throw new Error('this platform has no SIMD');
    // Owners that live to the end of the test: their room is not given out again.
    const kept: object[] = [];
    const runs = new Set<number>();
    let last = takeSlab(1, {});
    for (let n = 0; n < 200 && last.bytes === memory.bytes; n++) {
      const owner = {};
      kept.push(owner);
      last = takeSlab(2 * BLOCK - 5, owner);
      if (last.bytes !== memory.bytes) break;
      expect(runs.has(last.at)).toBe(false);
      runs.add(last.at);
      expect(last.at + 2 * BLOCK).toBeLessThanOrEqual(memory.bytes.length);
    }
    expect(runs.size).toBeGreaterThan(10);
    expect(last.bytes).not.toBe(memory.bytes);
    expect(last.bytes.length).toBe(2 * BLOCK - 5);
    expect(new PacketPool(1600).take().bytes).not.toBe(memory.bytes);
    expect(kept.length).toBeGreaterThan(runs.size - 1);
  });

  it('takes the room of what is garbage back', async () => {
    installKernel();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let inside = 0;
    // The blocks serve many times as many pools as there is room for at once.
    for (let n = 0; n < 400; n++) {
      if (new PacketPool(1600).take().bytes === packetMemory?.bytes) inside++;
      if (n % 20 !== 19) continue;
      collect();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(inside).toBeGreaterThan(300);
  });
});
