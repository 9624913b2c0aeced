// CUBIC in the arithmetic of Linux, and its HyStart: the controller by itself.

import { describe, expect, test } from 'vitest';
import { Cubic } from '../../src/tcp/congestion/cubic.ts';
import { IntegerCubic } from '../../src/tcp/congestion/cubic-integer.ts';

const MSS = 1000;
const RTT = 100;

/** A controller with numbers of segments instead of octets. */
class Flow {
  readonly cc: IntegerCubic = new IntegerCubic();
  now = 1000;
  una = 0;

  constructor(segments: number) {
    this.cc.opened(MSS, segments);
  }

  get cwnd(): number {
    return this.cc.cwnd / MSS;
  }

  get ssthresh(): number {
    return this.cc.ssthresh / MSS;
  }

  /** `segments` are acknowledged `gap` ms later, with a delay of `rtt`. */
  ack(segments: number, gap: number, rtt: number = RTT): void {
    this.now += gap;
    this.una += segments;
    this.cc.sampled(rtt, this.una, this.una + this.cwnd, this.now);
    this.cc.acked(segments * MSS, true, this.now);
  }

  /** Out of slow start, at 717/1024 of `segments`. */
  static afterLoss(segments: number): Flow {
    const flow = new Flow(segments);
    flow.cc.reduce();
    flow.cc.cwnd = flow.cc.ssthresh;
    return flow;
  }
}

describe('CUBIC of whole segments', () => {
  test('a loss leaves 717/1024 of the window, in whole segments, two at least', () => {
    expect([10, 100, 1000, 2].map((n) => Flow.afterLoss(n).ssthresh)).toEqual([7, 70, 700, 2]);
  });

  test('slow start grows by what is acknowledged, up to the threshold', () => {
    const flow = new Flow(10);
    flow.cc.ssthresh = 13 * MSS;
    flow.ack(2, 1);
    expect(flow.cwnd).toBe(12);
    flow.ack(2, 1);
    expect(flow.cwnd).toBe(13);
  });

  test('before any loss the window grows by one for every 20 segments acknowledged, however flat the curve is', () => {
    const flow = new Flow(50);
    flow.cc.ssthresh = 50 * MSS;
    const seen: number[] = [];
    for (let k = 0; k < 42; k++) {
      flow.ack(1, 1);
      seen.push(flow.cwnd);
    }
    expect([seen[18], seen[19], seen[38], seen[39]]).toEqual([50, 51, 51, 52]);
  });

  test('the window never grows by more than one for every two segments acknowledged', () => {
    const flow = new Flow(50);
    flow.cc.ssthresh = 50 * MSS;
    flow.ack(1, 1);
    // Far out on the convex side.
    flow.now += 20_000;
    flow.ack(2, 100);
    flow.ack(2, 100);
    const before = flow.cwnd;
    for (let k = 0; k < 10; k++) flow.ack(2, 100);
    expect(flow.cwnd).toBe(before + 10);
  });

  test('it is back at the old maximum after K, as the curve with fractions is', () => {
    const whole = Flow.afterLoss(1000);
    const fractions = new Cubic();
    fractions.opened(MSS, 1000);
    fractions.reduce(1000 * MSS);
    fractions.cwnd = fractions.ssthresh;
    for (let t = 0; t < 120; t++) {
      const [a, b] = [Math.floor(whole.cwnd / 20), Math.floor(fractions.cwnd / MSS / 20)];
      for (let k = 0; k < 20; k++) whole.ack(a, RTT / 20);
      for (let k = 1; k <= 20; k++) {
        const now = t * RTT + (k * RTT) / 20;
        fractions.sampled(RTT, k, k + 1);
        fractions.acked(b * MSS, true, now);
      }
      // The one aims at where the curve is in a round trip and pauses between two looks: a little behind at most.
      expect(Math.abs(whole.cwnd - fractions.cwnd / MSS)).toBeLessThan(15);
    }
    expect(whole.cwnd).toBeGreaterThan(1000);
  });

  test('where Reno would be ahead it goes with Reno, in eighths', () => {
    const flow = Flow.afterLoss(20);
    // 14 segments: Reno gains one for every 26 acknowledged (15/8 of a window), the curve needs seconds.
    for (let k = 0; k < 280; k++) flow.ack(1, 1, 14);
    expect(flow.cwnd).toBeGreaterThanOrEqual(20);
    expect(flow.cwnd).toBeLessThanOrEqual(24);
  });

  test('fast convergence: a loss below the old maximum aims lower than the window was', () => {
    const flow = Flow.afterLoss(100);
    flow.cc.cwnd = 80 * MSS;
    flow.cc.reduce();
    flow.cc.cwnd = flow.cc.ssthresh;
    expect(flow.cwnd).toBe(56);
    // The plateau is at 80 * 1741/2048 = 68 now.
    for (let k = 0; k < 1600; k++) flow.ack(1, 2.2);
    expect(Math.abs(flow.cwnd - 68)).toBeLessThanOrEqual(1);
  });

  test('a timeout forgets the old maximum: behind the threshold it goes by 20s again', () => {
    const flow = Flow.afterLoss(10);
    flow.cc.timedOut(10 * MSS, true);
    expect([flow.cwnd, flow.ssthresh]).toEqual([1, 4]);
    for (let k = 0; k < 3; k++) flow.ack(1, 1);
    expect(flow.cwnd).toBe(4);
    for (let k = 0; k < 19; k++) flow.ack(1, 0.1);
    expect(flow.cwnd).toBe(4);
    flow.ack(1, 0.1);
    expect(flow.cwnd).toBe(5);
  });

  test('time without anything in flight is not time on the curve', () => {
    const [busy, idle] = [Flow.afterLoss(100), Flow.afterLoss(100)];
    for (const flow of [busy, idle]) for (let k = 0; k < 70; k++) flow.ack(1, 1);
    idle.now += 10_000;
    idle.cc.resumed(10_000, idle.now);
    for (const flow of [busy, idle]) for (let k = 0; k < 700; k++) flow.ack(1, 1);
    expect(idle.cwnd).toBe(busy.cwnd);
  });

  test('undo gives back the window and the threshold', () => {
    const flow = new Flow(100);
    flow.cc.reduce();
    flow.cc.cwnd = flow.cc.ssthresh;
    flow.cc.undo();
    expect([flow.cwnd, flow.cc.ssthresh]).toEqual([100, 0x3fffffff]);
  });

  test('a window that was not used does not grow', () => {
    const flow = new Flow(10);
    flow.cc.acked(2 * MSS, false, flow.now);
    expect(flow.cwnd).toBe(10);
  });
});

describe('HyStart with trains and delays', () => {
  /** One round of `segments`, two for each ACK. */
  function round(flow: Flow, segments: number, gap: number, rtt: number): void {
    for (let k = 0; k < segments; k += 2) flow.ack(2, gap, rtt);
  }

  test('delays an eighth above the least, in eight samples and one more, end it', () => {
    const flow = new Flow(20);
    round(flow, 22, 3, 200);
    expect(flow.cwnd).toBe(42);
    for (let k = 0; k < 8; k++) flow.ack(2, 3, 225);
    expect(flow.ssthresh).toBeGreaterThan(1000);
    flow.ack(2, 3, 225);
    // What is acknowledged with the ninth sample does not count any more as slow start.
    expect([flow.cwnd, flow.ssthresh]).toEqual([58, 58]);
  });

  test('one low delay in the round says that there is no queue', () => {
    const flow = new Flow(20);
    round(flow, 22, 3, 200);
    flow.ack(2, 3, 200);
    for (let k = 0; k < 15; k++) flow.ack(2, 3, 230);
    expect(flow.ssthresh).toBeGreaterThan(1000);
  });

  test('a delay that falls below the least one is no growth', () => {
    const flow = new Flow(20);
    round(flow, 22, 3, 200);
    for (let k = 0; k < 8; k++) flow.ack(2, 3, 201);
    flow.ack(2, 3, 29);
    expect(flow.ssthresh).toBeGreaterThan(1000);
  });

  test('a train of ACKs as long as half of the least round trip ends it', () => {
    const flow = new Flow(100);
    // 50 ms of ACKs no more than 2 ms apart, on a path of 100 ms.
    let acks = 0;
    for (; acks < 90 && flow.ssthresh > 1000; acks++) flow.ack(1, 1.5);
    expect(acks).toBe(35);
  });

  test('ACKs further apart make no train', () => {
    const flow = new Flow(100);
    for (let k = 0; k < 90; k++) flow.ack(1, 2.5);
    expect(flow.ssthresh).toBeGreaterThan(1000);
  });

  test('windows of fewer than 16 segments are not looked at', () => {
    const [small, large] = [new Flow(15), new Flow(16)];
    for (const { cc } of [small, large]) for (let k = 0; k < 12; k++) cc.sampled(k === 0 ? 100 : 200, 1, 20, 3 * k);
    for (const { cc } of [small, large]) for (let k = 0; k < 12; k++) cc.sampled(200, 21, 40, 100 + 3 * k);
    expect(small.ssthresh).toBeGreaterThan(1000);
    expect(large.ssthresh).toBe(16);
  });
});
