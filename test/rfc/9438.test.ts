// RFC 9438, CUBIC, and RFC 9406, HyStart++: the controllers by themselves.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cubic, cubeRoot } from '../../src/tcp/congestion/cubic.ts';
import { SlowStart } from '../../src/tcp/congestion/slow-start.ts';

const MSS = 1000;
const RTT = 100;

/** Out of slow start with a window of `segments`, after a loss at that window. */
function lossAt(segments: number): Cubic {
  const cubic = new Cubic();
  cubic.opened(MSS, segments);
  cubic.reduce(segments * MSS);
  cubic.cwnd = cubic.ssthresh;
  return cubic;
}

/** One round trip: the whole window is acknowledged, segment by segment, evenly over the time. */
function round(cubic: Cubic, start: number, rtt: number = RTT): void {
  const segments = Math.floor(cubic.cwnd / MSS);
  for (let k = 1; k <= segments; k++) {
    cubic.sampled(rtt, k, k + segments);
    cubic.acked(MSS, true, start + (k * rtt) / segments);
  }
}

describe('CUBIC', () => {
  test('a loss leaves 0.7 of the window, at least two segments (§4.6, row 126 MAY-18)', () => {
    expect(lossAt(100).ssthresh).toBe(70_000);
    expect(lossAt(2).ssthresh).toBe(2 * MSS);
  });

  test('it is back at the old maximum after K = cbrt(0.3 Wmax / 0.4) seconds, flat there, and then speeds up (§4.2)', () => {
    const cubic = lossAt(1000);
    const k = Math.cbrt((0.3 * 1000) / 0.4);
    const seen: number[] = [];
    for (let t = 0; t < 2.2 * k * 1000; t += RTT) {
      round(cubic, t);
      seen.push(cubic.cwnd);
    }
    const at = (seconds: number): number => seen[Math.round((seconds * 1000) / RTT) - 1]!;
    expect(Math.abs(at(k) - 1_000_000)).toBeLessThan(20_000);
    const early = at(k / 4) - at(k / 4 - 0.5);
    const middle = at(k) - at(k - 0.5);
    const late = at(2 * k) - at(2 * k - 0.5);
    expect(early).toBeGreaterThan(5 * middle);
    expect(late).toBeGreaterThan(5 * middle);
  });

  test('where Reno would be ahead, it goes with Reno (§4.3)', () => {
    // A short path: the cube has hardly begun while Reno has had many round trips.
    const cubic = lossAt(20);
    for (let t = 0; t < 200; t += 1) round(cubic, t, 1);
    // Reno with beta 0.7 gains 0.53 segments a round trip up to the old window, and one beyond.
    expect(cubic.cwnd).toBeGreaterThan(100 * MSS);
  });

  test('fast convergence: a loss below the old maximum lowers it further (§4.7)', () => {
    const roomy = lossAt(100);
    const tight = lossAt(100);
    tight.cwnd = 80 * MSS;
    tight.reduce(80 * MSS);
    tight.cwnd = tight.ssthresh;
    for (let t = 0; t < 20_000; t += RTT) {
      round(roomy, t);
      if (t < 4000) round(tight, t);
    }
    expect(tight.cwnd).toBeLessThan(80 * MSS);
  });

  test('a timeout leaves one segment; slow start goes to 0.7 of what was, then a curve without a plateau (§4.8)', () => {
    const cubic = new Cubic();
    cubic.opened(MSS, 100);
    cubic.timedOut(100 * MSS, true);
    expect([cubic.cwnd, cubic.ssthresh]).toEqual([MSS, 70 * MSS]);
    let now = 0;
    for (; cubic.cwnd < cubic.ssthresh; now += RTT) round(cubic, now);
    const before = cubic.cwnd;
    for (let k = 0; k < 10; k++, now += RTT) round(cubic, now);
    expect(cubic.cwnd).toBeGreaterThan(before);
    expect(cubic.cwnd).toBeLessThan(before + 12 * MSS);
  });

  test('the second timeout for the same data does not lower ssthresh again', () => {
    const cubic = new Cubic();
    cubic.opened(MSS, 100);
    cubic.timedOut(100 * MSS, true);
    cubic.timedOut(100 * MSS, false);
    expect(cubic.ssthresh).toBe(70 * MSS);
  });

  test('while the program is the limit, the curve waits (§5.8)', () => {
    const busy = lossAt(100);
    const idle = lossAt(100);
    for (let t = 0; t < 1000; t += RTT) {
      round(busy, t);
      round(idle, t);
    }
    idle.acked(MSS, false, 61_000);
    const before = idle.cwnd;
    round(idle, 61_000);
    round(busy, 1000);
    expect(idle.cwnd - before).toBeLessThan(3 * MSS);
    expect(Math.abs(idle.cwnd - busy.cwnd)).toBeLessThan(3 * MSS);
  });

  test('the window never shrinks by an acknowledgement, nor grows beyond half of itself in a round trip', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5000 }), fc.integer({ min: 1, max: 1000 }), (segments, rtt) => {
        const cubic = lossAt(segments);
        for (let r = 0; r < 30; r++) {
          const before = cubic.cwnd;
          cubic.sampled(rtt, 1, 2);
          cubic.acked(before, true, r * rtt);
          expect(cubic.cwnd).toBeGreaterThanOrEqual(before);
          expect(cubic.cwnd).toBeLessThanOrEqual(1.5 * before + MSS);
          expect(Number.isInteger(cubic.cwnd)).toBe(true);
        }
      }),
      { numRuns: 200, seed: 9438 },
    );
  });

  test('cube roots are right to the last bits', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (x) => {
        const root = cubeRoot(x);
        expect(Math.abs((root * root * root - x) / x)).toBeLessThan(1e-14);
      }),
      { numRuns: 1000, seed: 3 },
    );
    expect([cubeRoot(0), cubeRoot(27), cubeRoot(1)]).toEqual([0, 3, 1]);
  });
});

describe('HyStart++ (RFC 9406)', () => {
  /** One round of samples; true when slow start ended in it. */
  function samples(s: SlowStart, roundNumber: number, rtt: number, count = 10): boolean {
    let over = false;
    for (let k = 0; k < count; k++) over = s.sampled(rtt, roundNumber * 100 + k + 1, (roundNumber + 1) * 100) || over;
    return over;
  }

  test('a steady delay doubles the window each round, for ever', () => {
    const s = new SlowStart();
    for (let r = 0; r < 50; r++) expect(samples(s, r, 100)).toBe(false);
    expect(s.growth(8000, MSS)).toBe(8000);
  });

  test('a delay that grows by an eighth slows it to a quarter, and five such rounds end it (§4.2)', () => {
    const s = new SlowStart();
    samples(s, 0, 100);
    samples(s, 1, 113);
    expect(s.growth(8000, MSS)).toBe(2000);
    for (let r = 2; r < 6; r++) expect(samples(s, r, 113)).toBe(false);
    expect(samples(s, 6, 113)).toBe(true);
  });

  test('a delay that comes down again was no queue: full speed resumes', () => {
    const s = new SlowStart();
    samples(s, 0, 100);
    samples(s, 1, 113);
    samples(s, 2, 100);
    expect(s.growth(8000, MSS)).toBe(8000);
  });

  test('on short paths less than 4 ms more is noise, on long ones 16 ms is enough', () => {
    const short = new SlowStart();
    samples(short, 0, 1);
    samples(short, 1, 4.9);
    expect(short.growth(8000, MSS)).toBe(8000);
    const long = new SlowStart();
    samples(long, 0, 400);
    samples(long, 1, 416);
    expect(long.growth(8000, MSS)).toBe(2000);
  });

  test('fewer than eight samples prove nothing', () => {
    const s = new SlowStart();
    samples(s, 0, 100);
    samples(s, 1, 200, 7);
    expect(s.growth(8000, MSS)).toBe(8000);
  });
});
