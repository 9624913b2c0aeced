// The timer wheel against a sorted list.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerWheel } from '../../src/base/wheel.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function expireAll(wheel: TimerWheel, now: number): number[] {
  const due: number[] = [];
  for (let h = wheel.expire(now); h >= 0; h = wheel.expire(now)) due.push(h);
  return due;
}

/** The same with nothing clever in it. */
class Sorted {
  entries = new Map<number, { deadline: number; order: number }>();
  order = 0;
  arm(h: number, deadline: number): void {
    this.entries.set(h, { deadline, order: this.order++ });
  }
  earliest(): [number, number] {
    const sorted = [...this.entries].sort((a, b) => a[1].deadline - b[1].deadline || a[1].order - b[1].order);
    return sorted.length === 0 ? [-1, Infinity] : [sorted[0]![0], sorted[0]![1].deadline];
  }
  expire(now: number): number {
    const [h, deadline] = this.earliest();
    if (deadline > now) return -1;
    this.entries.delete(h);
    return h;
  }
}

describe('timer wheel', () => {
  it('tells the earliest deadline exactly, fractions included', () => {
    const wheel = new TimerWheel();
    const [a, b] = [wheel.alloc(), wheel.alloc()];
    expect(wheel.next()).toBe(Infinity);
    wheel.arm(a, 200.25);
    wheel.arm(b, 200.125);
    expect([wheel.next(), wheel.armed]).toEqual([200.125, 2]);
    expect(wheel.expire(200.124)).toBe(-1);
    expect(wheel.expire(200.2)).toBe(b);
    expect(wheel.expire(200.2)).toBe(-1);
    expect([wheel.next(), wheel.armed, wheel.deadlineOf(b)]).toEqual([200.25, 1, Infinity]);
  });

  it('bounds the earliest deadline from below without looking for it: a moved one counts as it was', () => {
    const wheel = new TimerWheel();
    const h = wheel.alloc();
    expect(wheel.bound()).toBe(Infinity);
    wheel.arm(h, 200);
    wheel.arm(h, 300);
    expect(wheel.bound()).toBe(200);
    expect([wheel.next(), wheel.bound()]).toEqual([300, 300]);
    wheel.arm(h, 250);
    expect(wheel.bound()).toBe(250);
  });

  it('lets equal deadlines expire in the order in which they were armed, whatever was armed before', () => {
    const wheel = new TimerWheel();
    const h = [0, 1, 2, 3].map(() => wheel.alloc());
    for (const x of h) wheel.arm(x, 50);
    wheel.arm(h[2]!, 70);
    wheel.arm(h[0]!, 70);
    wheel.arm(h[1]!, 90);
    wheel.arm(h[1]!, 70);
    wheel.arm(h[3]!, 70);
    expect(expireAll(wheel, 70)).toEqual([h[2], h[0], h[1], h[3]]);
  });

  it('moves a deadline forth and back, and takes it away', () => {
    const wheel = new TimerWheel();
    const [a, b] = [wheel.alloc(), wheel.alloc()];
    wheel.arm(a, 1000);
    wheel.arm(b, 5000);
    wheel.arm(a, 9000);
    expect(wheel.next()).toBe(5000);
    wheel.arm(a, 100);
    expect(wheel.next()).toBe(100);
    wheel.disarm(a);
    wheel.disarm(a);
    expect([wheel.next(), wheel.armed]).toEqual([5000, 1]);
    expect(expireAll(wheel, 4999)).toEqual([]);
    expect(expireAll(wheel, 5000)).toEqual([b]);
  });

  it('expires what was armed for the past at once, in order', () => {
    const wheel = new TimerWheel();
    const [a, b, c] = [wheel.alloc(), wheel.alloc(), wheel.alloc()];
    wheel.arm(a, 10_000);
    expect(wheel.expire(8000)).toBe(-1);
    wheel.arm(b, 7000);
    wheel.arm(c, 3);
    expect(wheel.next()).toBe(3);
    expect(expireAll(wheel, 8000)).toEqual([c, b]);
    expect(wheel.next()).toBe(10_000);
  });

  it('keeps deadlines beyond 2^31 ms, beyond its levels, and on a clock that counts from 1970', () => {
    const wheel = new TimerWheel();
    const far = [2 ** 31 + 5.5, 2 ** 33, 2 ** 40 + 0.5, 2 ** 52];
    const h = far.map(() => wheel.alloc());
    far.forEach((deadline, i) => {
      wheel.arm(h[far.length - 1 - i]!, far[far.length - 1 - i]!);
      expect(deadline).toBeGreaterThan(0);
    });
    for (let i = 0; i < far.length; i++) {
      expect(wheel.next()).toBe(far[i]);
      expect(wheel.expire(far[i]! - 0.5)).toBe(-1);
      expect(wheel.expire(far[i]!)).toBe(h[i]);
    }
    const dated = new TimerWheel(1.8e12);
    const [a, b] = [dated.alloc(), dated.alloc()];
    dated.arm(b, 1.8e12 + DAY + 0.25);
    dated.arm(a, 1.8e12 + 200);
    expect(expireAll(dated, 1.8e12 + HOUR)).toEqual([a]);
    expect(dated.next()).toBe(1.8e12 + DAY + 0.25);
  });

  it('keeps the order of what was armed before and after the clock came to the very same moment', () => {
    // At the first moment of slots of every level, the highest included.
    for (const moment of [4, 128, 4096, 2 ** 17, 2 ** 22, 2 ** 27, 2 ** 32, 2 ** 32 + 2 ** 27]) {
      for (const past of [0, 2, 3_600_000]) {
        if (past > moment) continue;
        const wheel = new TimerWheel();
        const [a, b, c] = [wheel.alloc(), wheel.alloc(), wheel.alloc()];
        expect(wheel.expire(past)).toBe(-1);
        wheel.arm(a, moment + 1);
        expect(wheel.expire(moment)).toBe(-1);
        wheel.arm(b, moment + 3);
        wheel.arm(c, moment + 2);
        expect(wheel.next()).toBe(moment + 1);
        expect(expireAll(wheel, moment + 3)).toEqual([a, c, b]);
      }
    }
  });

  it('recycles handles, and refuses one that is not in use', () => {
    const wheel = new TimerWheel();
    const h = Array.from({ length: 40 }, () => wheel.alloc());
    expect(new Set(h).size).toBe(40);
    wheel.arm(h[7]!, 10);
    wheel.free(h[7]!);
    expect([wheel.next(), wheel.armed]).toEqual([Infinity, 0]);
    expect(() => wheel.arm(h[7]!, 10)).toThrow(RangeError);
    expect(() => wheel.free(h[7]!)).toThrow(RangeError);
    expect(() => wheel.disarm(40)).toThrow(RangeError);
    expect(wheel.alloc()).toBe(h[7]);
    expect(wheel.deadlineOf(h[7]!)).toBe(Infinity);
    for (const bad of [NaN, Infinity, -1]) expect(() => wheel.arm(h[1]!, bad)).toThrow(RangeError);
  });

  it('holds 100,000 timers of one far moment without searching them', () => {
    // A search per call would be 10^10 steps here and not end within the time limit of a test.
    const wheel = new TimerWheel();
    const n = 100_000;
    for (let i = 0; i < n; i++) wheel.arm(wheel.alloc(), 7_200_000 + (i % 7) / 8);
    for (let i = 0; i < n; i++) {
      const first = wheel.next();
      wheel.arm((i * 7) % n, 7_200_100 + i / 1024);
      if (i % 3 === 0) wheel.disarm((i * 11) % n);
      if (first > wheel.next()) throw new Error('an earlier deadline came up');
    }
    let last = 0;
    const count = wheel.armed;
    let expired = 0;
    for (let next = wheel.next(); wheel.expire(8e6) >= 0; next = wheel.next()) {
      if (next < last) throw new Error('out of order');
      last = next;
      expired++;
    }
    expect([expired, wheel.armed]).toEqual([count, 0]);
  });

  const spans: Readonly<Record<string, fc.Arbitrary<number>>> = {
    'a few ticks': fc.integer({ min: -20, max: 240 }).map((x) => x / 8),
    'a second': fc.integer({ min: -80, max: 8000 }).map((x) => x / 8),
    'moments and years': fc.oneof(
      fc.integer({ min: -40, max: 40 }),
      fc.constantFrom(0, 40, 200, 1000, 60_000),
      fc.nat(1000).map((x) => x / 8),
      fc.nat(100_000),
      fc.nat(3 * HOUR),
      fc.nat(60 * DAY),
      fc.nat(500).map((x) => x * DAY),
    ),
  };
  it.each(Object.keys(spans))('agrees with a sorted list under any arms, disarms, frees and jumps of %s', (name) => {
    const delay = spans[name]!;
    const step = fc.record({
      op: fc.constantFrom(...'arm arm arm arm arm arm arm arm disarm free next pass run run'.split(' ')),
      h: fc.nat(39),
      delay,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 250, size: 'max' }), (steps) => {
        const wheel = new TimerWheel();
        const naive = new Sorted();
        const handles = Array.from({ length: 40 }, () => wheel.alloc());
        let now = 0;
        for (const { op, h: which, delay } of steps) {
          const h = handles[which]!;
          if (op === 'arm') {
            const deadline = Math.max(0, now + delay);
            wheel.arm(h, deadline);
            naive.arm(h, deadline);
          } else if (op === 'disarm') {
            wheel.disarm(h);
            naive.entries.delete(h);
          } else if (op === 'free') {
            wheel.free(h);
            naive.entries.delete(h);
            handles[which] = wheel.alloc();
          } else if (op === 'next') {
            expect(wheel.next()).toBe(naive.earliest()[1]);
          } else {
            // Either some time passes, or exactly as much as is needed for the earliest.
            const next = naive.earliest()[1];
            now = op === 'run' && next < Infinity ? Math.max(now, next) : now + Math.max(delay, 0);
            for (;;) {
              const due = wheel.expire(now);
              expect(due).toBe(naive.expire(now));
              if (due < 0) break;
              expect(wheel.deadlineOf(due)).toBe(Infinity);
            }
          }
          expect(wheel.armed).toBe(naive.entries.size);
          expect(wheel.bound()).toBeLessThanOrEqual(naive.earliest()[1]);
        }
        expect(wheel.next()).toBe(naive.earliest()[1]);
        const all = [...naive.entries]
          .sort((a, b) => a[1].deadline - b[1].deadline || a[1].order - b[1].order)
          .map(([h]) => h);
        expect(expireAll(wheel, 2 ** 53)).toEqual(all);
      }),
      { seed: 3, numRuns: 80 },
    );
  });
});
