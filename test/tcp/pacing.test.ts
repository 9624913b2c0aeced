// Pacing, in virtual time: how many segments leave at once, and that the path stays full.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import type { TraceEvent } from '../../src/base/trace.ts';
import { type Connection, connectPair, type Pair, pair } from '../../src/sim/pair.ts';
import { DROP, PASS } from '../../src/sim/rules.ts';
import { listening, Peer } from '../rfc/peer.ts';
import { flood } from './flood.ts';

/** 100 Mbit/s by 100 ms. */
const RATE = 12_500_000;
const DELAY = 50;

interface Sent {
  /** Segments that left at one moment, the most of them. */
  readonly burst: number;
  /** Octets delivered in a second of the second half, by the rate. */
  readonly share: number;
}

/** A bulk transfer; after the first second, one of `ackEvery` acknowledgements arrives. */
function bulk(profile: Partial<Profile>, ackEvery: number, seconds: number): Sent {
  let burst = 0;
  let run = 0;
  let last = -1;
  const trace = (e: TraceEvent): void => {
    if (e.type !== 'segment' || e.dir !== 'out' || e.host !== 'client' || e.len === 0) return;
    run = e.at === last ? run + 1 : 1;
    last = e.at;
    burst = Math.max(burst, run);
  };
  const path = { delay: DELAY, rate: RATE, queue: 1_250_000 };
  const p: Pair = pair({ seed: 3, clientProfile: profile, impairments: path, trace });
  const { client, server } = connectPair(p);
  let acks = 0;
  const opens = p.network.now + 1000;
  p.link.bToA.addRule(() => (p.network.now < opens || acks++ % ackEvery === 0 ? PASS : DROP));
  const flow = flood(client, server);
  const half = p.network.now + seconds * 500;
  p.network.run({ until: half });
  const before = flow.received;
  p.network.run({ until: half + seconds * 500 });
  return { burst, share: (flow.received - before) / (seconds / 2) / RATE };
}

const EXACT: Partial<Profile> = { pacing: true, timerSlack: 0 };

describe('pacing (RFC 9002 §7.7)', () => {
  test('bursts stay under 10 segments where one acknowledgement in sixteen arrives, and the path is full', () => {
    const { burst, share } = bulk(EXACT, 16, 4);
    expect(burst).toBeLessThan(10);
    expect(share).toBeGreaterThan(0.85);
  });

  test('without pacing the same acknowledgements let out bursts of thirty and more', () => {
    expect(bulk({}, 16, 3).burst).toBeGreaterThan(30);
  });

  test('with pacing a path without faults is as full as without', () => {
    expect(bulk(EXACT, 1, 3).share).toBeGreaterThan(0.9);
  });
});

/** A connection whose only measurement is the handshake: 100 ms. */
function opened(profile: Partial<Profile>): { p: Peer; c: Connection; send: (octets: number) => string[] } {
  const p = new Peer({ profile: { pacing: true, ...profile } });
  const a = listening(p);
  p.send('S 0 mss=1000');
  p.advance(100);
  p.send('. 1 ack=1');
  p.out();
  const c = a.connection!;
  return {
    p,
    c,
    send: (octets) => {
      c.send(new Uint8Array(octets), 0, octets);
      return p.out();
    },
  };
}

/** Time passes, and timers fire only at its end. */
function late(p: Peer, ms: number): string[] {
  p.now += ms;
  p.host.timersFire(p.now);
  return p.out();
}

describe('the bucket', () => {
  test('the first flight leaves by its depth, the rest at two windows a round trip', () => {
    const { p, send } = opened({ pacingBurst: 4, timerSlack: 0 });
    expect(send(10_000)).toHaveLength(4);
    // 10 segments by 100 ms, twice as fast: one every 5 ms.
    expect(p.advance(4.9)).toHaveLength(0);
    expect(p.advance(0.2)).toHaveLength(1);
    expect(p.advance(24.9)).toHaveLength(4);
    expect(p.advance(0.2)).toHaveLength(1);
    expect(p.advance(50)).toHaveLength(0);
  });

  test('a late timer costs nothing: what it missed leaves at once, up to the slack', () => {
    const { p, send } = opened({ pacingBurst: 1, timerSlack: 15 });
    // 15 ms bring 3 segments.
    expect(send(10_000)).toHaveLength(3);
    expect(late(p, 40)).toHaveLength(3);
  });

  test('a small segment waits for its own octets only', () => {
    const { p, send } = opened({ pacingBurst: 2, timerSlack: 0, nagle: false });
    expect(send(2500)).toHaveLength(2);
    expect(p.advance(2.4)).toHaveLength(0);
    expect(p.advance(0.2)).toHaveLength(1);
  });

  test('what an acknowledgement asks for is not held back', () => {
    const { p, send } = opened({ pacingBurst: 2, timerSlack: 0 });
    send(10_000);
    p.send('P. 1:1000 ack=1');
    p.send('P. 1001:1000 ack=1');
    expect(p.out()).toEqual(['. 2001 ack=2001']);
  });

  test('beyond half of the threshold it is 1.2 windows a round trip', () => {
    const { p, c, send } = opened({ pacingBurst: 1, timerSlack: 0 });
    c.cc.ssthresh = 10_000;
    expect(send(10_000)).toHaveLength(1);
    expect(p.advance(8.2)).toHaveLength(0);
    expect(p.advance(0.3)).toHaveLength(1);
  });
});
