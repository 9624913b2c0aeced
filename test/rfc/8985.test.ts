// RFC 8985: RACK, losses found by time, and the tail loss probe; RFC 9937: how the window falls meanwhile.

import { describe, expect, test } from 'vitest';
import { Peer, synSent } from './peer.ts';

const RTT = 100;

/** An open connection with SACK, a round trip of 100 ms measured, and nothing in flight. */
function open(p: Peer, mss = 1000): ReturnType<typeof synSent> {
  const a = synSent(p);
  p.advance(RTT);
  p.send(`S. 0 ack=1 mss=${mss} sackOK`);
  p.out();
  return a;
}

function write(a: ReturnType<typeof synSent>, octets: number): void {
  a.connection.send(new Uint8Array(octets), 0, octets);
}

const bare = (lines: string[]): string[] => lines.map((l) => l.replace(/^@\d+ /, ''));

describe('RACK (§6.2)', () => {
  test('three segments beyond a hole: it is lost at once while the path has not reordered', () => {
    const p = new Peer({ profile: { timestamps: false } });
    const a = open(p);
    write(a, 10_000);
    expect(p.out().length).toBe(10);
    p.advance(RTT);
    p.send('. 1 ack=1 sack=1001-4001');
    expect(p.out()[0]).toBe('. 1:1000 ack=1');
    expect(a.connection.recovery.active).toBe(true);
  });

  test('one segment beyond a hole: a quarter of a round trip is waited for it, then it is lost', () => {
    const p = new Peer({ profile: { timestamps: false, tailLossProbe: false } });
    const a = open(p);
    write(a, 4000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=1 sack=1001-2001');
    expect(p.out()).toEqual([]);
    const lines = p.advance(30);
    expect(lines).toEqual(['@25 . 1:1000 ack=1']);
  });

  test('the late segment arrives in time: nothing is sent again, and the window stays', () => {
    const p = new Peer({ profile: { timestamps: false, tailLossProbe: false } });
    const a = open(p);
    write(a, 4000);
    p.out();
    p.advance(RTT);
    const before = a.connection.cc.cwnd;
    p.send('. 1 ack=1 sack=1001-2001');
    p.advance(10);
    p.send('. 1 ack=2001');
    expect(p.advance(80)).toEqual([]);
    expect(a.connection.cc.cwnd).toBeGreaterThanOrEqual(before);
    expect(a.connection.rack.reordering).toBe(true);
  });

  test('a path that reorders gets its window even with many segments beyond the hole', () => {
    const p = new Peer({ profile: { timestamps: false, tailLossProbe: false } });
    const a = open(p);
    a.connection.arm().rack.reordering = true;
    write(a, 10_000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=1 sack=1001-6001');
    expect(p.out().filter((l) => l.includes('1:1000'))).toEqual([]);
    expect(bare(p.advance(26))).toContain('. 1:1000 ack=1');
  });

  test('a copy that is lost too is found lost again, without a timeout', () => {
    const p = new Peer({ profile: { timestamps: false, tailLossProbe: false } });
    const a = open(p);
    write(a, 20_000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=1 sack=1001-4001');
    expect(p.out()[0]).toBe('. 1:1000 ack=1');
    p.send('. 1 ack=1 sack=1001-9001');
    const later = p.out();
    expect(later.length).toBeGreaterThan(0);
    p.advance(RTT);
    // What was sent after the copy arrives: the copy must be lost.
    p.send('. 1 ack=1 sack=1001-13001');
    expect(bare(p.advance(30))).toContain('. 1:1000 ack=1');
    expect(p.trace.some((e) => e.type === 'timer' && e.timer === 'retransmit')).toBe(false);
  });

  test('a report of a duplicate widens the window for reordering', () => {
    const p = new Peer({ profile: { timestamps: false } });
    const a = open(p);
    write(a, 10_000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=1 sack=1001-4001');
    p.out();
    expect(a.connection.rack.quarters).toBe(1);
    p.send('. 1 ack=4001');
    p.send('. 1 ack=4001 sack=1-1001');
    expect(a.connection.rack.quarters).toBe(2);
  });

  test('sixteen recoveries without another such report bring it back', () => {
    const p = new Peer({ profile: { timestamps: false, tailLossProbe: false } });
    const a = open(p);
    const { connection } = a;
    const widths: number[] = [];
    for (let n = 0; n < 18; n++) {
      // Two segments, of which the first is lost, or seems to be.
      const from = 2000 * n + 1;
      write(a, 2000);
      p.out();
      p.advance(RTT);
      p.send(`. 1 ack=${from} sack=${from + 1000}-${from + 2000}`);
      expect(bare(p.advance(60))).toEqual([`. ${from}:1000 ack=1`]);
      p.advance(RTT - 60);
      p.send(n === 0 ? '. 1 ack=2001 sack=1-1001' : `. 1 ack=${from + 2000}`);
      expect(connection.recovery.guarded).toBe(false);
      widths.push(connection.rack.quarters);
    }
    expect(widths).toEqual([...Array.from({ length: 16 }, () => 2), 1, 1]);
  });
});

describe('proportional rate reduction (RFC 9937)', () => {
  test('one loss in a window of ten: the window comes down to half, and sending never stops for long', () => {
    const p = new Peer({ profile: { timestamps: false } });
    const a = open(p);
    write(a, 100_000);
    expect(p.out().length).toBe(10);
    p.advance(RTT);
    let sent = 0;
    for (let k = 2; k <= 10; k++) {
      p.send(`. 1 ack=1 sack=1001-${k * 1000 + 1}`);
      sent += p.out().length;
    }
    expect(a.connection.cc.ssthresh).toBe(5000);
    // One copy, and about one segment for every second that arrived.
    expect(sent).toBeGreaterThanOrEqual(4);
    expect(sent).toBeLessThanOrEqual(6);
    p.advance(RTT);
    p.send('. 1 ack=10001');
    const state = a.connection;
    p.out();
    expect(state.inFlight).toBeLessThanOrEqual(5000);
    p.send(`. 1 ack=${(state.snd.nxt - state.snd.iss) | 0}`);
    expect(state.recovery.active).toBe(false);
    expect(state.cc.cwnd).toBeGreaterThanOrEqual(5000);
  });

  test('losses of one round trip are one reason to slow down', () => {
    const p = new Peer({ profile: { timestamps: false } });
    const a = open(p);
    write(a, 10_000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=1 sack=3001-6001');
    p.out();
    const { ssthresh } = a.connection.cc;
    p.send('. 1 ack=1 sack=7001-10001,3001-6001');
    p.out();
    expect(a.connection.cc.ssthresh).toBe(ssthresh);
  });
});

describe('the tail loss probe (§7)', () => {
  test('the last segment lost: it is sent again after two round trips, long before the timeout', () => {
    const p = new Peer({ profile: { timestamps: false, rtoMin: 2000 } });
    const a = open(p);
    write(a, 3000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=2001');
    const lines = p.advance(1000);
    expect(lines).toEqual(['@400 P. 2001:1000 ack=1']);
    expect(a.connection.retries).toBe(0);
  });

  test('with something unsent the probe is new text', () => {
    const p = new Peer({ profile: { timestamps: false, rtoMin: 2000, nagle: true } });
    const a = open(p);
    write(a, 1500);
    expect(p.out()).toEqual(['. 1:1000 ack=1']);
    expect(p.advance(1000)).toEqual(['@400 P. 1001:500 ack=1']);
    p.send('. 1 ack=1501');
    expect(a.connection.rack.probing).toBe(false);
  });

  test('a probe that repaired a loss costs what a loss costs', () => {
    const p = new Peer({ profile: { timestamps: false, rtoMin: 2000 } });
    const a = open(p);
    write(a, 10_000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=9001');
    expect(bare(p.advance(500))).toEqual(['P. 9001:1000 ack=1']);
    p.send('. 1 ack=10001');
    write(a, 1000);
    p.out();
    const before = a.connection.cc.ssthresh;
    p.send('. 1 ack=11001');
    expect(a.connection.cc.ssthresh).toBeLessThan(before);
  });

  test('a probe that repeated what had arrived is reported as a duplicate and costs nothing', () => {
    const p = new Peer({ profile: { timestamps: false, rtoMin: 2000 } });
    const a = open(p);
    write(a, 10_000);
    p.out();
    p.advance(RTT);
    p.send('. 1 ack=9001');
    p.advance(500);
    const before = a.connection.cc.ssthresh;
    p.send('. 1 ack=10001 sack=9001-10001');
    write(a, 1000);
    p.out();
    p.send('. 1 ack=11001');
    expect(a.connection.cc.ssthresh).toBe(before);
  });

  test('one probe, then the timeout', () => {
    const p = new Peer({ profile: { timestamps: false, mtuProbing: 'off' } });
    const a = open(p);
    write(a, 1000);
    p.out();
    const lines = p.advance(3000);
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(p.trace.filter((e) => e.type === 'timer' && e.timer === 'retransmit').length).toBe(lines.length - 1);
  });
});
