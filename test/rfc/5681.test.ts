// RFC 5681 and RFC 6582, congestion control: slow start, avoidance, fast retransmit and recovery, NewReno, restarts.

import { describe, expect, test } from 'vitest';
import { type App, established, Peer, type PeerOptions } from './peer.ts';

const MSS = 1000;

/** An established connection with plenty to send; `out` holds what went out at once. */
function sending(octets: number, options: PeerOptions = {}): { p: Peer; a: App; first: string[] } {
  const p = new Peer(options);
  const a = established(p, { mss: MSS });
  a.connection!.send(new Uint8Array(octets), 0, octets);
  return { p, a, first: p.out() };
}

/** Numbers of the segments in lines, in units of MSS: `. 2001:1000` is 2. */
function units(lines: readonly string[]): number[] {
  return lines.map(
    (l) =>
      (Number(
        l
          .replace(/^@\d+ /, '')
          .split(' ')[1]!
          .split(':')[0],
      ) -
        1) /
      MSS,
  );
}

/** Acknowledges everything up to unit `n`. */
function ack(p: Peer, n: number): string[] {
  p.send(`. 1 ack=${1 + n * MSS}`);
  return p.out();
}

describe('slow start (RFC 5681 §3.1)', () => {
  test('the initial window is 10 segments (RFC 6928), or what the profile says', () => {
    expect(sending(100_000).first).toHaveLength(10);
    expect(sending(100_000, { profile: { initialWindow: 3 } }).first).toHaveLength(3);
  });

  test('each segment acknowledged sends two: cwnd doubles per round trip (row 66 MUST-19)', () => {
    const { p, a } = sending(100_000);
    let acked = 0;
    for (const expected of [20, 40]) {
      const flight = a.connection!.flightSize / MSS;
      let sent = 0;
      for (let k = 0; k < flight; k++) sent += ack(p, ++acked).length;
      expect(sent).toBe(expected);
    }
  });

  test('ssthresh starts arbitrarily high (RFC 5681 §3.1)', () => {
    const { a } = sending(1);
    expect(a.connection!.cc.ssthresh).toBeGreaterThan(2 ** 29);
  });

  test('1000 ACKs of one octet each grow cwnd by no more than the octets they acknowledge (trap 43, RFC 3465)', () => {
    const { p, a } = sending(100_000);
    const before = a.connection!.cc.cwnd;
    for (let k = 1; k <= MSS; k++) {
      p.send(`. 1 ack=${1 + k}`);
      p.out();
    }
    expect(a.connection!.cc.cwnd - before).toBeLessThanOrEqual(MSS);
    expect(a.connection!.cc.cwnd).toBeGreaterThan(before);
  });

  test('a program that does not fill the window does not grow it (RFC 7661)', () => {
    const p = new Peer();
    const a = established(p, { mss: MSS });
    const before = a.connection!.cc.cwnd;
    for (let n = 0; n < 100; n++) {
      a.connection!.send(new Uint8Array(MSS), 0, MSS);
      p.out();
      ack(p, n + 1);
    }
    expect(a.connection!.cc.cwnd).toBe(before);
  });

  test('a window that has room for less than a segment is full: nothing small is sent, and ACKs grow it', () => {
    const p = new Peer();
    const a = established(p, { mss: MSS });
    const { cc } = a.connection!;
    a.connection!.setNoDelay(true);
    a.connection!.send(new Uint8Array(50_000), 0, 50_000);
    cc.cwnd = 2500;
    expect(units(p.out())).toEqual([0, 1]);
    ack(p, 1);
    expect(cc.cwnd).toBe(3500);
  });

  test('an ACK of what was never sent leaves cwnd alone (trap 42)', () => {
    const { p, a } = sending(100_000);
    const { cwnd } = a.connection!.cc;
    p.send(`. 1 ack=${1 + 11 * MSS}`);
    expect(p.out()).toEqual([`. ${1 + 10 * MSS} ack=1`]);
    expect([a.connection!.cc.cwnd, a.connection!.flightSize]).toEqual([cwnd, 10 * MSS]);
  });
});

describe('congestion avoidance (RFC 5681 §3.1)', () => {
  test('above ssthresh a full window acknowledged adds one segment (row 66 MUST-19)', () => {
    const { p, a } = sending(300_000);
    const { cc } = a.connection!;
    cc.ssthresh = 10 * MSS;
    let acked = 0;
    for (let round = 0; round < 3; round++) {
      const before = cc.cwnd;
      const flight = Math.round(a.connection!.flightSize / MSS);
      for (let k = 0; k < flight; k++) ack(p, ++acked);
      expect(cc.cwnd - before).toBe(MSS);
    }
  });

  test('slow start stops at ssthresh, and does not jump over it', () => {
    const { p, a } = sending(300_000);
    const { cc } = a.connection!;
    cc.ssthresh = 10 * MSS + 500;
    ack(p, 1);
    expect(cc.cwnd).toBe(10 * MSS + 500);
  });
});

describe('duplicate ACKs (RFC 5681 §2, §3.2)', () => {
  test('the first two send one new segment each (limited transmit, RFC 3042), cwnd unchanged', () => {
    const { p, a } = sending(100_000);
    const { cwnd } = a.connection!.cc;
    expect(units(ack(p, 0))).toEqual([10]);
    expect(units(ack(p, 0))).toEqual([11]);
    expect(a.connection!.cc.cwnd).toBe(cwnd);
  });

  test('without limited transmit they send nothing', () => {
    const { p } = sending(100_000, { profile: { limitedTransmit: false } });
    expect([...ack(p, 0), ...ack(p, 0)]).toEqual([]);
  });

  test('the third sends the first segment again: ssthresh is half of FlightSize, cwnd that plus three', () => {
    const { p, a } = sending(100_000, { profile: { limitedTransmit: false } });
    ack(p, 0);
    ack(p, 0);
    expect(ack(p, 0)).toEqual(['. 1:1000 ack=1']);
    const { cc } = a.connection!;
    expect([cc.ssthresh, cc.cwnd]).toEqual([5 * MSS, 8 * MSS]);
  });

  test('each further one inflates cwnd by a segment, and new data follow when it allows', () => {
    const { p, a } = sending(100_000, { profile: { limitedTransmit: false } });
    for (let k = 0; k < 3; k++) ack(p, 0);
    const sent: number[] = [];
    for (let k = 0; k < 6; k++) sent.push(...units(ack(p, 0)));
    expect(a.connection!.cc.cwnd).toBe(14 * MSS);
    expect(sent).toEqual([10, 11, 12, 13]);
  });

  test('the ACK of everything ends recovery with cwnd no larger than ssthresh (RFC 6582 §3.2 step 3)', () => {
    const { p, a } = sending(20_000, { profile: { limitedTransmit: false } });
    for (let k = 0; k < 9; k++) ack(p, 0);
    ack(p, 14);
    const { cc, recovery } = a.connection!;
    expect(recovery.active).toBe(false);
    expect(cc.cwnd).toBeLessThanOrEqual(cc.ssthresh);
    expect(cc.cwnd).toBeGreaterThanOrEqual(2 * MSS);
  });

  test('they are only those of RFC 5681 §2: with text, another window or nothing in flight they do not count', () => {
    const { p, a } = sending(100_000);
    for (let k = 0; k < 5; k++) {
      p.send(`P. ${1 + k * 10}:10 ack=1`);
      p.out();
    }
    for (let k = 0; k < 5; k++) {
      p.send(`. 51 ack=1 win=${60_000 + k}`);
      p.out();
    }
    expect(a.connection!.recovery.dupAcks).toBe(0);
    const q = new Peer();
    const b = established(q);
    for (let k = 0; k < 5; k++) q.send('. 1 ack=1');
    expect(b.connection!.recovery.dupAcks).toBe(0);
    expect(q.out()).toEqual([]);
  });

  test('ssthresh is never under two segments (RFC 5681 equation 4)', () => {
    const { p, a } = sending(3000);
    for (let k = 0; k < 3; k++) ack(p, 0);
    expect(a.connection!.cc.ssthresh).toBe(2 * MSS);
  });
});

describe('NewReno (RFC 6582)', () => {
  test('a partial ACK sends the next hole again at once, one per round trip, and recovery goes on', () => {
    const { p, a } = sending(10_000);
    for (let k = 0; k < 3; k++) ack(p, 0);
    expect(a.connection!.recovery.active).toBe(true);
    expect(units(ack(p, 3))[0]).toBe(3);
    expect(a.connection!.recovery.active).toBe(true);
    expect(units(ack(p, 7))[0]).toBe(7);
    ack(p, 10);
    expect(a.connection!.recovery.active).toBe(false);
    expect(a.connection!.flightSize).toBe(0);
  });

  test('a partial ACK deflates cwnd by what it acknowledges, and adds a segment back', () => {
    const { p, a } = sending(10_000);
    for (let k = 0; k < 5; k++) ack(p, 0);
    const before = a.connection!.cc.cwnd;
    ack(p, 3);
    expect(a.connection!.cc.cwnd).toBe(before - 3 * MSS + MSS);
  });

  test('several losses in one window halve cwnd once', () => {
    const { p, a } = sending(10_000);
    for (let k = 0; k < 3; k++) ack(p, 0);
    const { ssthresh } = a.connection!.cc;
    ack(p, 3);
    for (let k = 0; k < 5; k++) ack(p, 3);
    ack(p, 7);
    expect(a.connection!.cc.ssthresh).toBe(ssthresh);
    expect(p.trace.filter((e) => e.type === 'congestion' && e.why === 'fast-retransmit')).toHaveLength(1);
  });

  test('after a timeout, duplicates of what was sent before it start no fast retransmit (RFC 6582 §4)', () => {
    const { p, a } = sending(10_000);
    p.advance(201);
    for (let k = 0; k < 4; k++) ack(p, 2);
    expect(a.connection!.recovery.active).toBe(false);
    expect(p.trace.some((e) => e.type === 'congestion' && e.why === 'fast-retransmit')).toBe(false);
  });
});

describe('the timeout (RFC 5681 §3.1)', () => {
  test('cwnd falls to one segment, ssthresh to half of FlightSize, and slow start goes on from the loss', () => {
    // F-RTO would send something new first (test/rfc/5682.test.ts).
    const { p, a } = sending(100_000, { profile: { frto: false } });
    expect(p.advance(201)).toEqual(['@200 . 1:1000 ack=1']);
    const { cc } = a.connection!;
    expect([cc.cwnd, cc.ssthresh]).toEqual([MSS, 5 * MSS]);
    expect(units(ack(p, 1))).toEqual([1, 2]);
    expect(units(ack(p, 2))).toEqual([3, 4]);
  });

  test('slow start grows the window by what was lost and comes through, though the peer takes nothing new', () => {
    // What is in flight fills the peer's window, never the congestion window, and stays there for the holes.
    const p = new Peer({ profile: { initialWindow: 30 } });
    const a = established(p, { mss: MSS, ack: `win=${10 * MSS}` });
    a.connection!.send(new Uint8Array(100_000), 0, 100_000);
    p.out();
    p.advance(201);
    for (let k = 1; k <= 3; k++) {
      p.send(`. 1 ack=${1 + k * MSS} win=${(10 - k) * MSS}`);
      p.out();
    }
    expect(a.connection!.cc.cwnd).toBe(4 * MSS);
  });

  test('the second timeout of the same data leaves ssthresh alone', () => {
    const { p, a } = sending(100_000);
    p.advance(201);
    const { ssthresh } = a.connection!.cc;
    p.advance(2000);
    expect(a.connection!.cc.ssthresh).toBe(ssthresh);
    expect(a.connection!.cc.cwnd).toBe(MSS);
  });

  test('one ACK that jumps over a filled hole after a timeout does not open the window by what it jumps (RFC 3465 §2.3)', () => {
    const { p, a } = sending(100_000);
    p.advance(201);
    ack(p, 9);
    expect(a.connection!.cc.cwnd).toBeLessThanOrEqual(2 * MSS);
  });
});

describe('restart after idleness (RFC 5681 §4.1)', () => {
  test('after more than an RTO without sending cwnd is at most the initial window', () => {
    const { p, a } = sending(30_000);
    for (let k = 1; k <= 30; k++) ack(p, k);
    const { cc } = a.connection!;
    expect(cc.cwnd).toBeGreaterThan(10 * MSS);
    p.advance(10_000);
    a.connection!.send(new Uint8Array(60_000), 0, 60_000);
    expect(p.out()).toHaveLength(10);
    expect(cc.cwnd).toBe(10 * MSS);
  });

  test('a profile may keep the window over idle times', () => {
    const { p, a } = sending(30_000, { profile: { idleRestart: 'none' } });
    for (let k = 1; k <= 30; k++) ack(p, k);
    const { cwnd } = a.connection!.cc;
    p.advance(10_000);
    a.connection!.send(new Uint8Array(60_000), 0, 60_000);
    p.out();
    expect(a.connection!.cc.cwnd).toBe(cwnd);
  });

  test('a short pause leaves it', () => {
    const { p, a } = sending(30_000);
    for (let k = 1; k <= 30; k++) ack(p, k);
    const { cwnd } = a.connection!.cc;
    p.advance(50);
    a.connection!.send(new Uint8Array(60_000), 0, 60_000);
    p.out();
    expect(a.connection!.cc.cwnd).toBe(cwnd);
  });
});

describe('a window that is not used (RFC 2861)', () => {
  const HALVE: PeerOptions = { profile: { idleRestart: 'halve', growWhenHalfUsed: true } };

  /** Slow start up to 40 segments, everything acknowledged. */
  function grown(): { p: Peer; a: App } {
    const { p, a } = sending(30_000, HALVE);
    for (let k = 1; k <= 30; k++) ack(p, k);
    expect(a.connection!.cc.cwnd).toBe(40 * MSS);
    return { p, a };
  }

  test.each([
    [150, 40],
    [201, 20],
    [399, 20],
    [401, 10],
    [60_000, 10],
  ])('%d ms of idleness leave %d segments: half for each RTO, the initial window at least', (idle, left) => {
    const { p, a } = grown();
    p.advance(idle);
    a.connection!.send(new Uint8Array(1000), 0, 1000);
    expect(a.connection!.cc.cwnd).toBe(left * MSS);
  });

  test('ssthresh remembers three quarters of what was', () => {
    const { p, a } = grown();
    a.connection!.cc.ssthresh = 5 * MSS;
    p.advance(1000);
    a.connection!.send(new Uint8Array(1000), 0, 1000);
    expect(a.connection!.cc.ssthresh).toBe(30 * MSS);
  });

  test('a window that opens after an idle time is no reason to send all of the old one', () => {
    const { p, a } = grown();
    p.send(`. 1 ack=${1 + 30 * MSS} win=0`);
    p.advance(100);
    a.connection!.send(new Uint8Array(60_000), 0, 60_000);
    expect(a.connection!.cc.cwnd).toBe(40 * MSS);
    p.advance(5000);
    p.out();
    p.send(`. 1 ack=${1 + 30 * MSS} win=60000`);
    expect(p.out().filter((l) => l.includes(':1000'))).toHaveLength(10);
  });

  test('a program that sends little for an RTO loses half of what it leaves unused', () => {
    const { p, a } = grown();
    const { cc } = a.connection!;
    cc.ssthresh = 40 * MSS;
    let at = 30;
    for (let ms = 0; ms < 400; ms += 100) {
      a.connection!.send(new Uint8Array(12 * MSS), 0, 12 * MSS);
      p.out();
      p.advance(100);
      at += 12;
      ack(p, at);
    }
    expect(cc.cwnd).toBe(26 * MSS);
  });
});
