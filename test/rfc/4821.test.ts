// RFC 4821 and RFC 8899, packetization layer path MTU discovery: the search that asks no router.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import type { PathMtuEvent, TraceEvent } from '../../src/base/trace.ts';
import { restore, snapshot } from '../../src/host/snapshot.ts';
import { type Connection, connectPair, type Pair, type PairOptions, pair } from '../../src/sim/pair.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { established, Peer, synSent } from './peer.ts';

/** A transfer from the client that never ends, and what was seen of it. */
interface Transfer {
  readonly p: Pair;
  readonly client: Connection;
  /** Octets that the server has read, and whether all were what they should be. */
  readonly read: { octets: number; intact: boolean };
  readonly trace: TraceEvent[];
  /** Lets `ms` of virtual time pass. */
  run(ms: number): void;
  /** The program writes nothing for `ms`. */
  rest(ms: number): void;
  /** Sizes that `snd.mss` had from here on, in order. */
  sizes(): number[];
}

/** Octet k of what is sent is `PATTERN[k & 0xffff]`. */
const PATTERN: Uint8Array = Uint8Array.from(
  { length: 0x18000 },
  (_, k) => ((k & 0xffff) * 7 + ((k & 0xffff) >>> 8)) & 0xff,
);

/** A path without a queue, which loses nothing: the send buffer says how fast it is used. */
const SLOW = { delay: 40 };
const BUFFER = { sendBuffer: 32_000, sendBufferMax: 32_000 };

function transfer(options: PairOptions = {}): Transfer {
  const trace: TraceEvent[] = [];
  const p = pair({
    seed: 11,
    impairments: SLOW,
    ...options,
    profile: { ...BUFFER, ...options.profile },
    trace: (e) => {
      if (e.type === 'congestion' || e.type === 'path-mtu') trace.push(e);
    },
  });
  const { client, server } = connectPair(p);
  const read = { octets: 0, intact: true };
  server.handler = {
    onReadable: (s) => {
      while (s.readable > 0) {
        const span = s.peek();
        for (let k = 0; k < span.length; k += 97) {
          if (span[k] !== PATTERN[(read.octets + k) & 0xffff]) read.intact = false;
        }
        read.octets += span.length;
        s.consume(span.length);
      }
    },
  };
  let written = 0;
  let resting = false;
  const fill = (): void => {
    if (resting) return;
    for (let n = 0; n < 1000; n++) {
      const at = written & 0xffff;
      const taken = client.send(PATTERN, at, at + 16_384);
      written += taken;
      if (taken < 16_384) return;
    }
  };
  client.handler = { onWritable: fill };
  fill();
  return {
    p,
    client,
    read,
    trace,
    run: (ms) => p.network.run({ until: p.network.now + ms }),
    rest: (ms) => {
      resting = true;
      p.network.run({ until: p.network.now + ms });
      resting = false;
      fill();
    },
    sizes: () => trace.filter((e): e is PathMtuEvent => e.type === 'path-mtu').map((e) => e.mss),
  };
}

const reductions = (trace: readonly TraceEvent[]): number =>
  trace.filter((e) => e.type === 'congestion' && (e.why === 'fast-retransmit' || e.why === 'rto')).length;

describe('a connection of a profile that trusts no path', () => {
  const always: Partial<Profile> = { mtuProbing: 'always' };

  test('begins small, and one probe of full size is enough where the path carries it', () => {
    const t = transfer({ profile: always });
    expect(t.client.snd.mss).toBe(1024);
    t.run(2000);
    expect(t.sizes()).toEqual([1448]);
    expect(t.p.client.counters.tcp.mtuProbesPassed).toBe(1);
    expect(t.client.mtu).toBe(null);
  });

  test('finds to within the threshold what a path carries that says nothing of it', () => {
    for (const [mtu, options] of [
      [1280, {}],
      [1100, {}],
      [1492, {}],
      [1280, { ipv6: true }],
      [1300, { profile: { ...always, sack: false, timestamps: false } }],
    ] as const) {
      const t = transfer({ profile: always, impairments: { ...SLOW, mtu }, ...options });
      t.run(4000);
      const v6 = 'ipv6' in options;
      const headers = (v6 ? 60 : 40) + (t.client.snd.tsOk ? 12 : 0);
      expect(t.client.snd.mss).toBeLessThanOrEqual(mtu - headers);
      expect(t.client.snd.mss).toBeGreaterThan(mtu - headers - 8);
      expect(t.read.intact).toBe(true);
      // Nothing but probes was lost.
      expect(reductions(t.trace)).toBe(0);
      expect(t.p.client.counters.tcp.mtuProbesFailed).toBeGreaterThanOrEqual(v6 ? 0 : 3);
    }
  });

  test('a lost probe leaves the congestion window as it is, with SACK and without', () => {
    for (const sack of [true, false]) {
      const t = transfer({ profile: { ...always, sack }, impairments: { ...SLOW, delay: 50, mtu: 1400 } });
      let least = t.client.cc.cwnd;
      for (let n = 0; n < 400; n++) {
        t.run(10);
        expect(t.client.cc.cwnd).toBeGreaterThanOrEqual(least);
        least = t.client.cc.cwnd;
      }
      expect(t.p.client.counters.tcp.mtuProbesFailed).toBeGreaterThanOrEqual(3);
      expect(reductions(t.trace)).toBe(0);
      expect(t.p.client.counters.tcp.timeouts).toBe(0);
    }
  });

  test('as many losses of one size as the profile says make it too large', () => {
    for (const mtuTries of [1, 3]) {
      const t = transfer({
        profile: { ...always, mtuTries, mtuThreshold: 424 },
        impairments: { ...SLOW, mtu: 1400 },
      });
      t.run(3000);
      // Only the full size is tried: below it the threshold leaves nothing.
      expect(t.p.client.counters.tcp.mtuProbesFailed).toBe(mtuTries);
      expect(t.sizes()).toEqual([]);
    }
  });

  test('losses beside that of the probe are congestion, and say nothing of the size', () => {
    const t = transfer({ profile: always, impairments: SLOW });
    let probes = 0;
    let after = 0;
    t.p.link.aToB.addRule((packet) => {
      const size = packet.to - packet.from;
      if (size > 1100) probes++;
      // The first probe, and two segments behind it.
      if (probes === 1 && after < 3) {
        after++;
        return { kind: 'drop' };
      }
      return { kind: 'pass' };
    });
    t.run(3000);
    expect(after).toBe(3);
    expect(reductions(t.trace)).toBe(1);
    expect(t.p.client.counters.tcp.mtuProbesFailed).toBe(0);
    expect(t.sizes()).toEqual([1448]);
  });

  test('a program that writes little at a time is not probed with', () => {
    const p = new Peer({ profile: { ...always, timestamps: false } });
    const a = established(p, { mss: 1460 });
    expect(a.connection!.snd.mss).toBe(1024);
    a.connection!.setNoDelay(true);
    for (let n = 0; n < 20; n++) {
      a.connection!.send(new Uint8Array(3000), 0, 3000);
      const sizes = p.out().map((l) => Number(/:(\d+) /.exec(l)?.[1] ?? 0));
      expect(Math.max(...sizes)).toBe(1024);
      p.send(`. 1 ack=${1 + 3000 * (n + 1)}`);
      p.out();
    }
    expect(a.connection!.mtu).not.toBe(null);
  });

  test('a probe is one segment on the wire, with text that follows in order', () => {
    const p = new Peer({ profile: { ...always, timestamps: false, initialWindow: 10 } });
    const a = established(p, { mss: 1460 });
    a.connection!.send(new Uint8Array(30_000), 0, 30_000);
    const lines = p.out();
    expect(lines.slice(0, 3)).toEqual(['. 1:1460 ack=1', '. 1461:1024 ack=1', '. 2485:1024 ack=1']);
    // One at a time.
    expect(lines.filter((l) => l.includes(':1460'))).toHaveLength(1);
    expect(tcpInfo(a.connection!).tcpi_segs_out).toBe(1 + lines.length);
  });

  test('the copy of a lost probe is cut, and goes out before anything new', () => {
    const p = new Peer({ profile: { ...always, timestamps: false } });
    const a = established(p, { mss: 1460, syn: 'sackOK' });
    const c = a.connection!;
    c.send(new Uint8Array(60_000), 0, 60_000);
    p.out();
    const { cwnd } = c.cc;
    p.advance(50);
    p.send('. 1 ack=1 sack=1461-4533');
    p.send('. 1 ack=1 sack=1461-5557');
    expect(p.out().slice(0, 2)).toEqual(['. 1:1024 ack=1', '. 1025:436 ack=1']);
    expect(c.cc.cwnd).toBe(cwnd);
    expect(c.recovery.active).toBe(false);
  });

  test('a copy that is lost as well is congestion', () => {
    const t = transfer({ profile: always, impairments: SLOW });
    let first = -1;
    let dropped = 0;
    t.p.link.aToB.addRule((packet) => {
      if (first < 0 && packet.to - packet.from > 1100) first = packet.seq;
      const hit = packet.seq === first && dropped < 2;
      if (hit) dropped++;
      return { kind: hit ? 'drop' : 'pass' };
    });
    t.run(3000);
    expect(dropped).toBe(2);
    expect(reductions(t.trace)).toBeGreaterThan(0);
    expect(t.read.intact).toBe(true);
  });
});

describe('a path that swallows what is large', () => {
  test('1280 from one moment on, and no word of it: the transfer goes on, and the size is found', () => {
    const t = transfer();
    t.run(1000);
    t.p.link.impair({ mtu: 1280 });
    t.run(1000);
    const before = t.read.octets;
    t.run(4000);
    expect(t.sizes()[0]).toBe(1024);
    expect(t.client.snd.mss).toBeLessThanOrEqual(1228);
    expect(t.client.snd.mss).toBeGreaterThan(1220);
    expect(t.read.octets).toBeGreaterThan(before + 500_000);
    expect(t.read.intact).toBe(true);
  });

  test('when it carries more again, that is found ten minutes later and not before', () => {
    const t = transfer({ impairments: SLOW });
    t.run(1000);
    t.p.link.impair({ mtu: 1280 });
    t.run(4000);
    const found = t.client.snd.mss;
    const rests = t.client.mtu!.raiseAt - t.p.network.now;
    expect(rests).toBeLessThanOrEqual(600_000);
    t.p.link.impair({ mtu: Number.POSITIVE_INFINITY });
    t.rest(rests - 1000);
    t.run(500);
    expect(t.client.snd.mss).toBe(found);
    t.run(3000);
    expect(t.client.snd.mss).toBe(1448);
    expect(t.client.mtu).toBe(null);
    expect(t.read.intact).toBe(true);
  });

  test('narrower still: half and half again', () => {
    const t = transfer();
    t.run(500);
    t.p.link.impair({ mtu: 600 });
    t.run(10_000);
    expect(t.sizes().slice(0, 2)).toEqual([1024, 512]);
    expect(t.client.snd.mss).toBeLessThanOrEqual(548);
    expect(t.client.snd.mss).toBeGreaterThan(540);
  });

  test('IPv6 goes no lower than what every link carries', () => {
    const t = transfer({ ipv6: true });
    t.run(500);
    t.p.link.impair({ loss: 1 });
    t.run(8000);
    expect(t.sizes()).toEqual([1208]);
  });

  test('a path that was only down has its full size back with the first probe', () => {
    const t = transfer();
    t.run(500);
    t.p.link.impair({ loss: 1 });
    t.run(4000);
    t.p.link.impair({ loss: 0 });
    t.run(10_000);
    expect(t.sizes()).toEqual([1024, 512, 1448]);
  });

  test('the next connection to the peer begins with what was found', () => {
    const t = transfer();
    t.run(500);
    t.p.link.impair({ mtu: 1280 });
    t.run(4000);
    const found = t.client.snd.mss;
    t.client.abort();
    const next = connectPair(t.p, 81);
    expect(next.client.snd.mss).toBe(found);
    expect(next.client.mtu?.ceiling).toBe(1448);
  });

  test('without probing nothing of it happens', () => {
    const t = transfer({ profile: { mtuProbing: 'off' } });
    t.run(500);
    t.p.link.impair({ mtu: 1280 });
    t.run(8000);
    expect(t.sizes()).toEqual([]);
    expect(t.client.snd.mss).toBe(1448);
  });
});

describe('a probe among other things', () => {
  const always: Partial<Profile> = { mtuProbing: 'always' };

  test('is paced like any segment', () => {
    const t = transfer({
      profile: { ...always, pacing: true, pacingBurst: 2, timerSlack: 0 },
      impairments: { ...SLOW, delay: 25, mtu: 1300 },
    });
    t.run(4000);
    expect(t.client.snd.mss).toBeGreaterThan(1240);
    expect(reductions(t.trace)).toBe(0);
    expect(t.read.intact).toBe(true);
  });

  test('is one segment where others leave as super-segments, and where segments are counted', () => {
    for (const profile of [
      { superSegment: 65_215, pushBursts: true, superSegmentDivisor: 3 },
      { superSegment: 65_215, countSegments: true, pieceOverhead: 1280, nagleMinshall: true },
    ]) {
      const t = transfer({ profile: { ...always, ...profile }, impairments: { ...SLOW, mtu: 1300 } });
      t.run(4000);
      expect(t.client.snd.mss).toBeLessThanOrEqual(1248);
      expect(t.client.snd.mss).toBeGreaterThan(1240);
      expect(reductions(t.trace)).toBe(0);
      expect(t.read.intact).toBe(true);
    }
  });

  test('ends in nothing when the timer fires meanwhile, and is sent again later', () => {
    const p = new Peer({ profile: { ...always, timestamps: false, tailLossProbe: false, frto: false } });
    const a = established(p, { mss: 1460 });
    const c = a.connection!;
    c.send(new Uint8Array(60_000), 0, 60_000);
    p.out();
    p.advance(1100);
    expect(c.mtu!.probe).toBe(0);
    p.send(`. 1 ack=${(c.snd.nxt - c.snd.iss) | 0}`);
    expect(c.snd.mss).toBe(1024);
    expect(p.host.counters.tcp.mtuProbesPassed + p.host.counters.tcp.mtuProbesFailed).toBe(0);
    // Slow start leaves the window too small for it at first.
    for (let n = 0; n < 10 && c.queued > 0; n++) {
      p.out();
      p.advance(50);
      p.send(`. 1 ack=${(c.snd.nxt - c.snd.iss) | 0}`);
    }
    expect(c.snd.mss).toBe(1460);
  });

  test('goes on in another host', () => {
    const t = transfer({ profile: always, impairments: { ...SLOW, mtu: 1300 } });
    t.run(200);
    const { high, failures, probe } = t.client.mtu!;
    const bytes = snapshot(t.p.client, t.client);
    const again = restore(t.p.client, bytes);
    expect(again.mtu).toMatchObject({ ceiling: 1448, high, failures, probe });
  });
});

test('a router that tells of less is believed, and the path is tried for more after ten minutes', () => {
  const p = new Peer({ profile: { timestamps: false } });
  const a = synSent(p);
  p.advance(100);
  p.send('S. 0 ack=1 mss=1460');
  p.out();
  const c = a.connection;
  p.host.pathMtuIs(c, 1000);
  expect(c.snd.mss).toBe(960);
  const send = (): string[] => {
    c.send(new Uint8Array(20_000), 0, 20_000);
    const lines: string[] = [];
    for (let n = 0; n < 10 && c.queued > 0; n++) {
      lines.push(...p.out());
      p.advance(20);
      p.send(`. 1 ack=${(c.snd.nxt - c.snd.iss) | 0}`);
    }
    return lines;
  };
  expect(send().some((l) => l.includes(':1460'))).toBe(false);
  p.advance(600_000);
  expect(send().some((l) => l.includes(':1460'))).toBe(true);
  expect(c.snd.mss).toBe(1460);
});

test('a router that refuses the probe names its successor', () => {
  const p = new Peer({ profile: { mtuProbing: 'always', timestamps: false } });
  const a = established(p, { mss: 1460 });
  const c = a.connection!;
  c.send(new Uint8Array(60_000), 0, 60_000);
  expect(p.out()[0]).toBe('. 1:1460 ack=1');
  p.host.pathMtuIs(c, 1400);
  p.host.touch(c);
  // Its text goes out again, cut; the segments behind it are none of the router's business.
  const lines = p.out();
  expect(lines.slice(0, 2)).toEqual(['. 1:1024 ack=1', '. 1025:436 ack=1']);
  for (let n = 0; n < 6 && c.snd.mss === 1024; n++) {
    p.advance(20);
    p.send(`. 1 ack=${(c.snd.nxt - c.snd.iss) | 0}`);
    p.out();
  }
  expect(c.snd.mss).toBe(1360);
});
