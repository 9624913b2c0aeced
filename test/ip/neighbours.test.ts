import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NEIGHBOUR_FAILED,
  NEIGHBOUR_PENDING,
  NEIGHBOUR_READY,
  NeighbourCache,
  NO_REQUEST,
} from '../../src/ip/neighbours.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { garbage } from '../wire/support.ts';

const PROFILE = { arpInterval: 1000, arpTries: 3, arpLifetime: 60_000 };
const A = parseAddress('10.0.0.1')!.w3;
const B = parseAddress('10.0.0.2')!.w3;
const MAC_A = Uint8Array.of(2, 0, 0, 0, 0, 0xa);
const MAC_B = Uint8Array.of(2, 0, 0, 0, 0, 0xb);

/** The MAC the cache would send to, or null. */
function macOf(cache: NeighbourCache, address: number): Uint8Array | null {
  const out = new Uint8Array(10).fill(0xee);
  if (!cache.macInto(address, out, 2)) {
    expect(out).toEqual(new Uint8Array(10).fill(0xee));
    return null;
  }
  expect([out[0], out[1], out[8], out[9]]).toEqual([0xee, 0xee, 0xee, 0xee]);
  return out.slice(2, 8);
}

/** Lets time pass exactly from deadline to deadline until `until`; returns the requests sent, with their times. */
function run(cache: NeighbourCache, until: number): [number, number][] {
  const sent: [number, number][] = [];
  for (let spins = 0; cache.nextDeadline() <= until; spins++) {
    expect(spins, 'the deadline does not move').toBeLessThan(10_000);
    const now = cache.nextDeadline();
    cache.timersFire(now);
    for (let a = cache.nextRequest(now); a !== NO_REQUEST; a = cache.nextRequest(now)) sent.push([now, a]);
  }
  return sent;
}

describe('an unknown neighbour', () => {
  test('is pending, asked for at once, and ready when it answers', () => {
    const cache = new NeighbourCache(PROFILE);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(cache.resolve(A, 5)).toBe(NEIGHBOUR_PENDING);
    expect(cache.resolve(A, 5)).toBe(NEIGHBOUR_PENDING);
    expect(macOf(cache, A)).toBeNull();
    expect(cache.nextDeadline()).toBe(5);
    expect(cache.nextRequest(5)).toBe(A);
    expect(cache.nextRequest(5)).toBe(NO_REQUEST);
    expect(cache.nextDeadline()).toBe(1005);
    const before = cache.changes;
    expect(cache.learn(A, MAC_A, 0, 7, true)).toBe(true);
    expect(cache.changes).toBe(before + 1);
    expect(cache.resolve(A, 7)).toBe(NEIGHBOUR_READY);
    expect(macOf(cache, A)).toEqual(MAC_A);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('is asked for arpTries times, arpInterval apart, then fails for a while, then is asked for again', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.resolve(A, 0);
    expect(run(cache, 2999)).toEqual([
      [0, A],
      [1000, A],
      [2000, A],
    ]);
    expect(cache.resolve(A, 2999)).toBe(NEIGHBOUR_PENDING);
    const before = cache.changes;
    expect(run(cache, 3000)).toEqual([]);
    expect(cache.changes).toBe(before + 1);
    expect(cache.resolve(A, 3000)).toBe(NEIGHBOUR_FAILED);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(cache.resolve(A, 3999)).toBe(NEIGHBOUR_FAILED);
    expect(cache.resolve(A, 4000)).toBe(NEIGHBOUR_PENDING);
    expect(run(cache, 4000)).toEqual([[4000, A]]);
  });

  test('that failed is ready as soon as it is heard', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.resolve(A, 0);
    run(cache, 3000);
    const before = cache.changes;
    expect(cache.learn(A, MAC_A, 0, 3100, false)).toBe(true);
    expect(cache.changes).toBe(before + 1);
    expect(cache.resolve(A, 3100)).toBe(NEIGHBOUR_READY);
  });

  test('a jump of the clock does not use up tries that were not sent', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.resolve(A, 0);
    expect(cache.nextRequest(0)).toBe(A);
    cache.timersFire(3_600_000);
    expect(cache.resolve(A, 3_600_000)).toBe(NEIGHBOUR_PENDING);
    expect(cache.nextRequest(3_600_000)).toBe(A);
    expect(cache.nextRequest(3_600_000)).toBe(NO_REQUEST);
  });

  test('two are asked for independently', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.resolve(A, 0);
    cache.resolve(B, 300);
    expect(run(cache, 1999)).toEqual([
      [0, A],
      [300, B],
      [1000, A],
      [1300, B],
    ]);
    cache.learn(B, MAC_B, 0, 1500, true);
    expect(run(cache, 10_000)).toEqual([[2000, A]]);
    expect(cache.resolve(A, 3500)).toBe(NEIGHBOUR_FAILED);
    expect(cache.resolve(B, 3500)).toBe(NEIGHBOUR_READY);
  });

  test.each(['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'])(
    '%s is nobody: not asked for and not learned',
    (text) => {
      const cache = new NeighbourCache(PROFILE);
      const address = parseAddress(text)!.w3;
      expect(cache.resolve(address, 0)).toBe(NEIGHBOUR_FAILED);
      expect(cache.learn(address, MAC_A, 0, 0, true)).toBe(false);
      expect(cache.size).toBe(0);
      expect(cache.nextRequest(0)).toBe(NO_REQUEST);
    },
  );
});

describe('a known neighbour', () => {
  const known = (): NeighbourCache => {
    const cache = new NeighbourCache(PROFILE);
    cache.learn(A, MAC_A, 0, 0, true);
    return cache;
  };

  test('made by a packet meant for us costs no request', () => {
    const cache = known();
    expect(cache.resolve(A, 0)).toBe(NEIGHBOUR_READY);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('is used beyond arpLifetime while it is asked for again', () => {
    const cache = known();
    expect(cache.resolve(A, 59_999)).toBe(NEIGHBOUR_READY);
    expect(cache.lookup(A)?.state).toBe('reachable');
    expect(cache.resolve(A, 60_000)).toBe(NEIGHBOUR_READY);
    expect(cache.lookup(A)?.state).toBe('stale');
    expect(cache.nextRequest(60_000)).toBe(A);
    cache.learn(A, MAC_B, 0, 60_001, true);
    expect(macOf(cache, A)).toEqual(MAC_B);
    expect(cache.lookup(A)?.state).toBe('reachable');
    expect(cache.resolve(A, 120_000)).toBe(NEIGHBOUR_READY);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('that does not answer when asked again fails', () => {
    const cache = known();
    cache.resolve(A, 60_000);
    expect(run(cache, 70_000)).toHaveLength(3);
    expect(cache.resolve(A, 63_000)).toBe(NEIGHBOUR_FAILED);
    expect(macOf(cache, A)).toBeNull();
  });

  test('nobody wants costs no timer and no request', () => {
    const cache = known();
    expect(run(cache, 1e9)).toEqual([]);
  });

  test('is not asked for again while other means confirm it', () => {
    const cache = known();
    cache.confirm(A, 50_000);
    cache.resolve(A, 109_999);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    cache.resolve(A, 110_000);
    expect(cache.nextDeadline()).toBe(110_000);
    cache.confirm(A, 110_001);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    cache.confirm(B, 0);
    expect(cache.lookup(B)).toBeNull();
  });
});

describe('gratuitous packets', () => {
  test('make no entry', () => {
    const cache = new NeighbourCache(PROFILE);
    expect(cache.learn(A, MAC_A, 0, 0, false)).toBe(false);
    expect(cache.size).toBe(0);
  });

  test('answer an open question, and are asked about at the next use', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.resolve(A, 0);
    cache.learn(A, MAC_A, 0, 1, false);
    expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(cache.resolve(A, 1)).toBe(NEIGHBOUR_READY);
    expect(cache.nextRequest(1)).toBe(A);
  });

  test('move a known neighbour, and are asked about at the next use', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.learn(A, MAC_A, 0, 0, true);
    expect(cache.learn(A, MAC_B, 0, 1, false)).toBe(true);
    expect(macOf(cache, A)).toEqual(MAC_B);
    expect(cache.resolve(A, 1)).toBe(NEIGHBOUR_READY);
    expect(cache.nextRequest(1)).toBe(A);
  });

  test('that repeat what is known do not prolong it', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.learn(A, MAC_A, 0, 0, true);
    expect(cache.learn(A, MAC_A, 0, 59_000, false)).toBe(false);
    cache.resolve(A, 60_000);
    expect(cache.lookup(A)?.state).toBe('stale');
  });

  test('with a group or zero MAC are not believed, solicited or not', () => {
    const cache = new NeighbourCache(PROFILE);
    cache.resolve(A, 0);
    expect(cache.learn(A, Uint8Array.of(255, 255, 255, 255, 255, 255), 0, 0, true)).toBe(false);
    expect(cache.learn(A, Uint8Array.of(1, 0, 0x5e, 0, 0, 1), 0, 0, true)).toBe(false);
    expect(cache.learn(A, new Uint8Array(6), 0, 0, true)).toBe(false);
    expect(cache.resolve(A, 0)).toBe(NEIGHBOUR_PENDING);
  });
});

describe('a full table', () => {
  const address = (i: number): number => (A & ~0xffff) | (256 + i);

  test('evicts the neighbour that was used longest ago', () => {
    const cache = new NeighbourCache(PROFILE, 4);
    for (let i = 0; i < 4; i++) cache.learn(address(i), MAC_A, 0, i, true);
    cache.resolve(address(0), 10);
    cache.learn(address(4), MAC_A, 0, 11, true);
    expect(cache.size).toBe(4);
    expect(cache.lookup(address(0))).not.toBeNull();
    expect(cache.lookup(address(1))).toBeNull();
  });

  test('evicts one that failed before one that is known', () => {
    const cache = new NeighbourCache(PROFILE, 4);
    cache.learn(address(0), MAC_A, 0, 0, true);
    cache.resolve(address(1), 1);
    run(cache, 5000);
    cache.learn(address(2), MAC_A, 0, 5000, true);
    cache.learn(address(3), MAC_A, 0, 5000, true);
    cache.learn(address(4), MAC_A, 0, 5000, true);
    expect(cache.lookup(address(0))).not.toBeNull();
    expect(cache.lookup(address(1))).toBeNull();
  });

  test('of open questions refuses new ones and keeps those that are known', () => {
    const cache = new NeighbourCache(PROFILE, 1024);
    for (let i = 0; i < 512; i++) cache.learn(address(i), MAC_A, 0, 0, true);
    const answers = Array.from({ length: 5000 }, (_, i) => cache.resolve(address(1000 + i), 1));
    expect(answers.filter((a) => a === NEIGHBOUR_PENDING)).toHaveLength(512);
    expect(answers.filter((a) => a === NEIGHBOUR_FAILED)).toHaveLength(4488);
    expect(cache.size).toBe(1024);
    for (let i = 0; i < 512; i++) expect(cache.resolve(address(i), 2)).toBe(NEIGHBOUR_READY);
    run(cache, 5000);
    expect(cache.resolve(address(9000), 5000)).toBe(NEIGHBOUR_PENDING);
  });

  test('needs room for two', () => {
    expect(() => new NeighbourCache(PROFILE, 1)).toThrow(RangeError);
  });
});

test('an interface that goes down forgets everybody and asks for nobody', () => {
  const cache = new NeighbourCache(PROFILE);
  cache.learn(A, MAC_A, 0, 0, true);
  cache.resolve(A, 0);
  cache.resolve(B, 0);
  const before = cache.changes;
  cache.clear();
  expect(cache.changes).toBeGreaterThan(before);
  expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  expect(macOf(cache, A)).toBeNull();
  expect(cache.resolve(A, 1)).toBe(NEIGHBOUR_PENDING);
});

test('whatever happens: bounded, deadlines move, pending is being asked for, ready has a MAC', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 2, max: 9 }), (seed, capacity) => {
      const random = garbage(seed);
      const cache = new NeighbourCache(PROFILE, capacity);
      let now = 0;
      let changes = 0;
      for (let step = 0; step < 200; step++) {
        now += random(3) === 0 ? random(40_000) : random(700);
        const address = (A & ~255) | (1 + random(14));
        const mac = Uint8Array.of(2, 0, 0, 0, 0, 1 + random(2));
        const was = cache.resolve(address, now);
        if (was === NEIGHBOUR_PENDING) {
          expect(cache.lookup(address)).toMatchObject({ state: 'incomplete', probing: true });
          expect(cache.nextDeadline()).toBeLessThan(Number.POSITIVE_INFINITY);
        }
        expect(macOf(cache, address) !== null).toBe(was === NEIGHBOUR_READY);
        if (random(3) === 0) cache.learn(address, mac, 0, now, random(2) === 0);
        if (random(9) === 0) cache.confirm(address, now);
        if (random(3) === 0) run(cache, now);
        expect(cache.size).toBeLessThanOrEqual(capacity);
        expect(cache.changes).toBeGreaterThanOrEqual(changes);
        changes = cache.changes;
      }
      run(cache, now + 10_000);
      expect(cache.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    }),
    { seed: 20261122, numRuns: 40 },
  );
});
