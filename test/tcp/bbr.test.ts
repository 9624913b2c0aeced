// BBR (draft-ietf-ccwg-bbr) in virtual time: the rate that random losses leave, its states, and its queue.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import type { Impairments } from '../../src/sim/impairments.ts';
import { connectPair, pair } from '../../src/sim/pair.ts';
import { Bbr, bbr } from '../../src/tcp/congestion/bbr.ts';
import { DeliveryRate } from '../../src/tcp/congestion/delivery-rate.ts';
import { flood } from './flood.ts';

/** 20 Mbit/s by 40 ms, a bandwidth-delay product of queue. */
const RATE = 2_500_000;
const PATH: Partial<Impairments> = { delay: 20, rate: RATE, queue: 100_000 };

interface Run {
  /** Text delivered after the first second, by what the path carries of text. */
  readonly share: number;
  /** States in the order in which they were first seen. */
  readonly states: string[];
  /** The mean round trip after the first second, ms. */
  readonly rtt: number;
  readonly lost: number;
}

function bulk(profile: Partial<Profile>, path: Partial<Impairments>, seconds: number, seed = 11): Run {
  const p = pair({
    seed,
    clientProfile: { congestionControl: bbr, timerSlack: 0, ...profile },
    impairments: { aToB: { ...PATH, ...path }, bToA: PATH },
  });
  const { client, server } = connectPair(p);
  const flow = flood(client, server);
  const states: string[] = [];
  const start = p.network.now;
  let before = 0;
  let sum = 0;
  for (let t = 10; t <= seconds * 1000; t += 10) {
    p.network.run({ until: start + t });
    const { cc } = client;
    if (cc instanceof Bbr && !states.includes(cc.state)) states.push(cc.state);
    if (t === 1000) before = flow.received;
    if (t > 1000) sum += client.rtt.latest;
  }
  const { lost, queueFull } = p.link.aToB.counters;
  return {
    share: (flow.received - before) / (seconds - 1) / (RATE * (1448 / 1500)),
    states,
    rtt: sum / (100 * (seconds - 1)),
    lost: lost + queueFull,
  };
}

describe('BBR', () => {
  test('1 % random loss leaves 0.9 of the bottleneck, PROBE-RTT included', () => {
    const { share, states, lost } = bulk({}, { loss: 0.01 }, 15);
    expect(lost).toBeGreaterThan(100);
    expect(share).toBeGreaterThan(0.9);
    expect(states.slice(0, 2)).toEqual(['startup', 'drain']);
    expect([...states].sort()).toEqual(['cruise', 'down', 'drain', 'probe-rtt', 'refill', 'startup', 'up']);
  });

  test('CUBIC on the same path has less than half of it', () => {
    expect(bulk({ congestionControl: null }, { loss: 0.01 }, 8).share).toBeLessThan(0.5);
  });

  test('without losses the path is full, and the queue shorter than with CUBIC', () => {
    const { share, rtt } = bulk({}, {}, 8);
    expect(share).toBeGreaterThan(0.9);
    expect(rtt).toBeLessThan(55);
    expect(bulk({ congestionControl: null }, {}, 8).rtt).toBeGreaterThan(60);
  });

  test('a queue of an eighth of the path leaves most of it', () => {
    expect(bulk({}, { queue: 12_500 }, 8).share).toBeGreaterThan(0.7);
  });

  test('without SACK and timestamps it works as well', () => {
    expect(bulk({ sack: false, timestamps: false }, { queue: 500_000 }, 6).share).toBeGreaterThan(0.85);
  });
});

describe('the delivery rate (§4.1)', () => {
  test('what was delivered since a segment left, by the time that took', () => {
    const rate = new DeliveryRate();
    for (let k = 0; k < 10; k++) rate.sent(1000 * (k + 1), 1000, false, 1000 * (k + 1), k);
    rate.deliver(1000, 0, 1000, 0, 100);
    for (let k = 1; k < 10; k++) rate.deliver(1000, k, 1000 * (k + 1), 0, 100 + 2 * k);
    // Since the last one left nothing was delivered: all ten came after it, one every 2 ms behind the first 100.
    expect(rate.sample.rate).toBeCloseTo(10_000 / 118, 9);
  });

  test('acknowledgements that come at once look no faster than the sending was', () => {
    const rate = new DeliveryRate();
    for (let k = 0; k < 9; k++) rate.sent(1000 * (k + 1), 1000, false, 1000 * (k + 1), 50 * k);
    rate.deliver(8000, 350, 8000, 0, 449);
    rate.sent(10_000, 1000, false, 2000, 450);
    // Two segments in 11 ms, which had left in 100.
    rate.deliver(2000, 450, 10_000, 0, 460);
    expect(rate.sample.rate).toBeCloseTo(2000 / 100, 9);
  });

  test('a flight that the program cut short is marked', () => {
    const rate = new DeliveryRate();
    rate.sent(1000, 1000, false, 1000, 0);
    rate.appLimited(1000);
    rate.sent(2000, 1000, false, 2000, 1);
    rate.deliver(1000, 0, 1000, 0, 10);
    expect(rate.sample.appLimited).toBe(false);
    rate.deliver(1000, 1, 2000, 0, 11);
    expect(rate.sample.appLimited).toBe(true);
    rate.sent(3000, 1000, false, 1000, 12);
    rate.deliver(1000, 12, 3000, 0, 22);
    expect(rate.sample.appLimited).toBe(false);
  });

  test('copies count as losses of what was in flight meanwhile, and numbers may wrap', () => {
    const rate = new DeliveryRate();
    rate.sent(0x7ffffff0 | 0, 1000, false, 1000, 0);
    rate.sent((0x7ffffff0 + 1000) | 0, 1000, false, 2000, 1);
    rate.sent(0x7ffffff0 | 0, 1000, true, 2000, 20);
    rate.deliver(1000, 1, (0x7ffffff0 + 1000) | 0, 0, 21);
    expect(rate.sample.lost).toBe(1000);
    expect(rate.sample.rate).toBeGreaterThan(0);
  });
});
