// RFC 6675, RFC 5827, RFC 3708, RFC 6937: losses by what has arrived above them, early retransmit, and duplicates that
// prove a reduction wrong. Profiles choose among these and RFC 8985.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { Peer, synSent } from './peer.ts';

const RTT = 100;

interface Open {
  readonly p: Peer;
  readonly c: ReturnType<typeof synSent>['connection'];
}

/** An open connection with SACK, `octets` in flight for a round trip of 100 ms. */
function flying(octets: number, profile: Partial<Profile> = {}): Open {
  const p = new Peer({ profile: { timestamps: false, tailLossProbe: false, ...profile } });
  const c = synSent(p).connection;
  p.advance(RTT);
  p.send('S. 0 ack=1 mss=1000 sackOK');
  p.out();
  c.send(new Uint8Array(octets), 0, octets);
  p.out();
  p.advance(RTT);
  return { p, c };
}

/** What the peer says, and the numbers of what is sent in answer. */
function says(p: Peer, text: string): number[] {
  p.send(text);
  return p.out().map((l) => Number(/ (\d+)/.exec(l)![1]));
}

describe('losses by what has arrived above them (RFC 6675 §4)', () => {
  const SACK: Partial<Profile> = { lossDetection: 'sack' };

  test('two segments above prove nothing, however late; the third does', () => {
    const { p } = flying(10_000, SACK);
    expect(says(p, '. 1 ack=1 sack=1001-2001')).toEqual([]);
    expect(says(p, '. 1 ack=1 sack=1001-3001')).toEqual([]);
    expect(p.advance(80)).toEqual([]);
    expect(says(p, '. 1 ack=1 sack=1001-4001')[0]).toBe(1);
  });

  test('each hole is judged by what lies above itself', () => {
    const { p, c } = flying(10_000, SACK);
    says(p, '. 1 ack=1 sack=1001-2001');
    says(p, '. 1 ack=1 sack=1001-2001,3001-5001');
    // Below 1001 there are three above; below 3001 only two.
    expect(c.board!.lostCount).toBe(1);
    says(p, '. 1 ack=1 sack=1001-2001,3001-6001');
    expect(c.board!.lostCount).toBe(2);
  });

  test('with nothing lost and nothing new, what lies below the highest arrival is sent in its turn (NextSeg rule 3)', () => {
    const { p } = flying(7000, SACK);
    says(p, '. 1 ack=1001');
    says(p, '. 1 ack=1001 sack=3001-4001');
    says(p, '. 1 ack=1001 sack=3001-4001,5001-6001');
    expect(says(p, '. 1 ack=1001 sack=3001-4001,5001-7001')).toEqual([1001]);
    // 4001 has only two above it.
    expect(says(p, '. 1 ack=2001 sack=3001-4001,5001-7001')).toEqual([2001, 4001]);
  });

  test('counting forward, the distance to the highest arrival is enough, until the path reorders', () => {
    const { p, c } = flying(10_000, { lossDetection: 'fack' });
    expect(says(p, '. 1 ack=1 sack=3001-4001')[0]).toBe(1);
    expect(c.board!.lostCount).toBe(1);
    const other = flying(10_000, { lossDetection: 'fack' });
    other.c.arm().rack.reordering = true;
    expect(says(other.p, '. 1 ack=1 sack=3001-4001')).toEqual([]);
  });
});

describe('early retransmit (RFC 5827)', () => {
  test('quick: of two segments the second has arrived, and nothing follows: the first is sent again at once', () => {
    for (const lossDetection of ['rack', 'sack'] as const) {
      const { p } = flying(2000, { lossDetection, earlyRetransmit: 'quick' });
      expect(says(p, '. 1 ack=1 sack=1001-2001')).toEqual([1]);
    }
  });

  test('with something new to send, the three duplicates may still come', () => {
    const { p, c } = flying(2000, { lossDetection: 'sack', earlyRetransmit: 'quick', initialWindow: 2 });
    c.send(new Uint8Array(5000), 0, 5000);
    p.out();
    expect(says(p, '. 1 ack=1 sack=1001-2001')).not.toContain(1);
  });

  test('delayed: after a quarter of a round trip, counted from the last duplicate', () => {
    const { p } = flying(3000, { lossDetection: 'sack', earlyRetransmit: 'delayed' });
    expect(says(p, '. 1 ack=1 sack=1001-2001')).toEqual([]);
    p.advance(10);
    expect(says(p, '. 1 ack=1 sack=1001-3001')).toEqual([]);
    expect(p.advance(24)).toEqual([]);
    expect(p.advance(2)).toEqual(['@1 . 1:1000 ack=1']);
  });

  test('four in flight are enough for three duplicates', () => {
    const { p } = flying(4000, { lossDetection: 'sack', earlyRetransmit: 'quick' });
    expect(says(p, '. 1 ack=1 sack=1001-2001')).toEqual([]);
  });
});

describe('a path that reorders', () => {
  test('the degree grows to the distance by which a segment was overtaken, and is told', () => {
    const { p, c } = flying(10_000);
    says(p, '. 1 ack=1 sack=7001-8001');
    expect(tcpInfo(c).tcpi_reordering).toBe(3);
    says(p, '. 1 ack=1 sack=1001-2001,7001-8001');
    expect(tcpInfo(c).tcpi_reordering).toBe(7);
    expect(tcpInfo(c).tcpi_reord_seen).toBe(1);
  });

  test('two blocks of one acknowledgement have not overtaken each other', () => {
    const { p, c } = flying(10_000);
    says(p, '. 1 ack=1 sack=7001-8001,1001-2001');
    expect(tcpInfo(c).tcpi_reord_seen).toBe(0);
  });

  test('no more than the profile believes; and a timeout among many duplicates takes it back', () => {
    const { p, c } = flying(10_000, { maxReordering: 5, lossDetection: 'sack' });
    says(p, '. 1 ack=1 sack=8001-10001');
    says(p, '. 1 ack=1 sack=1001-2001,8001-10001');
    expect(tcpInfo(c).tcpi_reordering).toBe(5);
    p.advance(2000);
    expect(tcpInfo(c).tcpi_reordering).toBe(3);
  });
});

describe('duplicates that prove a reduction wrong (RFC 3708)', () => {
  /** Three duplicates, a fast retransmit of the first segment. */
  function reduced(profile: Partial<Profile> = {}): Open & { before: number } {
    const o = flying(10_000, profile);
    const before = o.c.cc.cwnd;
    expect(says(o.p, '. 1 ack=1 sack=1001-4001')[0]).toBe(1);
    expect(o.c.cc.cwnd).toBeLessThan(before);
    return { ...o, before };
  }

  test('the copy is reported to have come twice: the window is as it was', () => {
    const { p, c, before } = reduced();
    says(p, '. 1 ack=10001 sack=1-1001');
    expect(c.cc.cwnd).toBe(before);
    expect(c.recovery.active).toBe(false);
    expect(p.trace.some((e) => e.type === 'congestion' && e.why === 'undo')).toBe(true);
  });

  test('also when the report was overtaken by another acknowledgement, and nothing is in flight any more', () => {
    const { p, c, before } = reduced();
    says(p, '. 1 ack=10001');
    expect(c.cc.cwnd).toBeLessThan(before);
    says(p, '. 1 ack=9001 sack=1-1001');
    expect(c.cc.cwnd).toBe(before);
  });

  test('two copies and one report: not yet', () => {
    const { p, c } = flying(10_000);
    const before = c.cc.cwnd;
    says(p, '. 1 ack=1 sack=2001-5001');
    says(p, '. 1 ack=1 sack=2001-6001');
    says(p, '. 1 ack=1 sack=2001-7001');
    expect(c.retransmissions).toBe(2);
    says(p, '. 1 ack=7001 sack=1-1001');
    expect(c.cc.cwnd).toBeLessThan(before);
    says(p, '. 1 ack=10001 sack=1001-2001');
    expect(c.cc.cwnd).toBe(before);
  });

  test('a report of what was sent again before the reduction says nothing of it', () => {
    const { p, c, before } = reduced();
    says(p, '. 1 ack=10001');
    c.recovery.undoFrom = (c.snd.una - 1000) | 0;
    says(p, '. 1 ack=9001 sack=1-1001');
    expect(c.cc.cwnd).toBeLessThan(before);
  });
});

describe('an acknowledgement that was overtaken (RFC 2018 §4)', () => {
  test('its SACK blocks count, its window does not', () => {
    const { p, c } = flying(10_000);
    says(p, '. 1 ack=4001');
    const { wnd } = c.snd;
    says(p, '. 1 ack=3001 sack=5001-7001 win=1000');
    expect(c.board!.sackedCount).toBe(2);
    expect(c.snd.wnd).toBe(wnd);
  });

  test('what it reports below SND.UNA is cut off', () => {
    const { p, c } = flying(10_000);
    says(p, '. 1 ack=4001');
    says(p, '. 1 ack=1001 sack=3001-6001');
    expect(c.board!.sackedOctets).toBe(2000);
  });
});

describe('what a loss reduces, and how quickly the rest is sent', () => {
  test('the window rather than what is in flight, where the profile says so', () => {
    const flight = flying(4000);
    says(flight.p, '. 1 ack=1 sack=1001-4001');
    expect(flight.c.cc.ssthresh).toBe(2000);
    const window = flying(4000, { reduceFrom: 'window' });
    says(window.p, '. 1 ack=1 sack=1001-4001');
    expect(window.c.cc.ssthresh).toBe(5000);
  });

  test('below ssthresh RFC 6937 adds a segment always, RFC 9937 only while nothing more is lost', () => {
    const sent = (prrBound: Profile['prrBound']): number => {
      const { p } = flying(10_000, { prrBound });
      p.send('. 1 ack=1 sack=1001-2001,3001-4001,5001-6001,7001-10001');
      return p.out().length;
    };
    // Six are delivered and four lost at once: all four may go, whatever the bound.
    expect([sent('ssrb'), sent('safe-ack')]).toEqual([4, 4]);
    const next = (prrBound: Profile['prrBound']): number => {
      const { p } = flying(20_000, { prrBound, initialWindow: 20, lossDetection: 'sack' });
      p.send('. 1 ack=1 sack=5001-6001');
      p.send('. 1 ack=1 sack=5001-7001');
      p.send('. 1 ack=1 sack=5001-8001');
      p.out();
      p.send('. 1 ack=1 sack=5001-8001,15001-20001');
      p.out();
      p.send('. 1 ack=1 sack=5001-9001,15001-20001');
      return p.out().length;
    };
    expect(next('ssrb')).toBe(next('safe-ack') + 1);
  });
});

describe('the round trip that RACK waits for', () => {
  test('is that of the segment sent last, or of the last one delivered', () => {
    const wait = (rackRttOfLast: boolean): number => {
      const { p, c } = flying(6000, { rackRttOfLast });
      p.send('. 1 ack=1 sack=1001-4001');
      p.out();
      p.advance(RTT);
      // The copy of the first, and with it a segment that was sent a round trip before.
      p.send('. 1 ack=5001');
      return c.rack.rtt;
    };
    expect(wait(false)).toBe(RTT);
    expect(wait(true)).toBe(2 * RTT);
  });
});

describe('a measurement with every acknowledgement', () => {
  test('the smoothed time follows each of them, the timeout keeps the least spread of the profile', () => {
    const { p, c } = flying(4000, { rttEveryAck: true, rtoVariationMin: 200 });
    expect(c.rtt.srtt).toBe(100);
    for (const [late, ack, srtt] of [
      [0, 1001, 100],
      [80, 2001, 110],
      [0, 3001, 118.75],
    ] as const) {
      p.advance(late);
      p.send(`. 1 ack=${ack}`);
      expect(c.rtt.srtt).toBeCloseTo(srtt, 10);
    }
    expect(c.rtt.rto).toBeCloseTo(c.rtt.srtt + Math.max(200, 4 * c.rtt.rttvar), 10);
  });

  test('what was sent again is no measurement (Karn), what SACK tells of is', () => {
    const { p, c } = flying(5000, { rttEveryAck: true });
    p.advance(40);
    p.send('. 1 ack=1 sack=1001-4001');
    p.out();
    expect(c.rtt.srtt).toBe(105);
    p.advance(60);
    p.send('. 1 ack=5001');
    expect(c.rtt.srtt).toBe(105);
    expect(c.rtt.latest).toBe(140);
  });

  test('a path that gets quicker does not make the timeout longer', () => {
    const spread = (late: number): number => {
      const p = new Peer({ profile: { rttEveryAck: true, rtoVariationMin: 0 } });
      const c = synSent(p).connection;
      p.advance(100);
      p.send('S. 0 ack=1 mss=1000');
      for (let n = 0, at = 1; n < 20; n++) {
        c.send(new Uint8Array(1000), 0, 1000);
        p.out();
        p.advance(n === 19 ? late : 100);
        at += 1000;
        p.send(`. 1 ack=${at}`);
      }
      return c.rtt.rttvar;
    };
    expect(spread(20)).toBeLessThan(spread(180));
  });
});
