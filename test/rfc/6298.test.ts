// RFC 6298, the retransmission timer: computing RTO, Karn’s rule, back-off, giving up (RFC 9293 §3.8.1, §3.8.3).

import { describe, expect, test } from 'vitest';
import { DEFAULT_PROFILE } from '../../src/base/profile.ts';
import { RttEstimator } from '../../src/tcp/rtt.ts';
import { type App, established, Peer, type PeerOptions, synSent } from './peer.ts';

/** A peer and an established connection whose handshake took `rtt` ms. */
function withRtt(rtt: number, options: PeerOptions = {}): { p: Peer; a: App } {
  const p = new Peer(options);
  const a = synSent(p);
  p.advance(rtt);
  p.send('S. 0 ack=1 mss=1000');
  expect(p.out()).toEqual(['. 1 ack=1']);
  return { p, a };
}

function write(a: App, octets: number): void {
  a.connection!.send(new Uint8Array(octets), 0, octets);
}

describe('computing RTO (§2)', () => {
  test('before a measurement RTO is 1 s (§2.1)', () => {
    expect(new RttEstimator(DEFAULT_PROFILE).timeout(DEFAULT_PROFILE)).toBe(1000);
  });

  test('the first measurement R: SRTT=R, RTTVAR=R/2, RTO=SRTT+max(G,4*RTTVAR) (§2.2)', () => {
    const r = new RttEstimator(DEFAULT_PROFILE);
    r.measure(400, DEFAULT_PROFILE);
    expect([r.srtt, r.rttvar, r.rto]).toEqual([400, 200, 1200]);
  });

  test('the next R’: RTTVAR is 3/4 RTTVAR + 1/4 |SRTT-R’|, then SRTT is 7/8 SRTT + 1/8 R’ (§2.3)', () => {
    const r = new RttEstimator(DEFAULT_PROFILE);
    r.measure(400, DEFAULT_PROFILE);
    r.measure(800, DEFAULT_PROFILE);
    expect([r.srtt, r.rttvar, r.rto]).toEqual([450, 250, 1450]);
    r.measure(450, DEFAULT_PROFILE);
    expect([r.srtt, r.rttvar, r.rto]).toEqual([450, 187.5, 1200]);
  });

  test('RTO is never under the least, nor over the greatest (§2.4, §2.5)', () => {
    const r = new RttEstimator(DEFAULT_PROFILE);
    r.measure(1, DEFAULT_PROFILE);
    expect(r.rto).toBe(200);
    const slow = new RttEstimator(DEFAULT_PROFILE);
    slow.measure(100_000, DEFAULT_PROFILE);
    expect(slow.timeout(DEFAULT_PROFILE)).toBe(120_000);
  });

  test('a steady path: the variation dies out, the granularity G stays (§2.3)', () => {
    const profile = { ...DEFAULT_PROFILE, rtoMin: 0, clockGranularity: 5 };
    const r = new RttEstimator(profile);
    for (let n = 0; n < 100; n++) r.measure(300, profile);
    expect(r.rto).toBeCloseTo(305, 6);
  });

  test('on the wire: a handshake of 300 ms gives an RTO of 900 ms to the first data', () => {
    const { p, a } = withRtt(300);
    write(a, 10);
    p.out();
    expect(p.advance(1000)).toEqual(['@900 P. 1:10 ack=1']);
  });

  test('later segments are measured too: RTO follows the path', () => {
    const { p, a } = withRtt(300);
    for (let n = 0; n < 40; n++) {
      write(a, 10);
      p.out();
      p.advance(300);
      p.send(`. 1 ack=${11 + n * 10}`);
    }
    expect(a.connection!.rtt.srtt).toBeCloseTo(300, 3);
    write(a, 10);
    p.out();
    expect(p.advance(330)).toEqual(['@301 P. 401:10 ack=1']);
  });
});

describe('Karn’s rule (§3)', () => {
  test('the ACK of a segment that was sent again is no measurement (row 68 MUST-18)', () => {
    const { p, a } = withRtt(100);
    const { rtt } = a.connection!;
    write(a, 10);
    p.out();
    p.advance(310);
    const before = [rtt.srtt, rtt.rttvar];
    p.send('. 1 ack=11');
    expect([rtt.srtt, rtt.rttvar]).toEqual(before);
  });

  test('a SYN that was sent again is no measurement', () => {
    const p = new Peer();
    const a = synSent(p);
    p.advance(1200);
    p.send('S. 0 ack=1 mss=1000');
    expect(a.connection.rtt.srtt).toBe(-1);
  });

  test('the backed-off RTO stays until a segment that was sent once is acknowledged', () => {
    const { p, a } = withRtt(100);
    write(a, 10);
    p.out();
    expect(p.advance(1000)).toEqual(['@300 P. 1:10 ack=1', '@900 P. 1:10 ack=1']);
    p.send('. 1 ack=11');
    // 300 ms doubled twice. Without this a path slower than RTO would be sent everything twice, for ever.
    write(a, 10);
    p.out();
    expect(p.advance(1300)).toEqual(['@1200 P. 11:10 ack=1']);
    p.send('. 1 ack=21');
    write(a, 10);
    p.out();
    p.advance(100);
    p.send('. 1 ack=31');
    // Now it was measured: 100 ms again.
    write(a, 10);
    p.out();
    expect(p.advance(400)).toHaveLength(1);
  });
});

describe('managing the timer (§5)', () => {
  test('it runs while anything is in flight, and stops when nothing is (§5.1, §5.2)', () => {
    const { p, a } = withRtt(100);
    expect(p.host.timersArmed).toBe(0);
    write(a, 10);
    p.out();
    expect(p.host.timersArmed).toBe(1);
    p.send('. 1 ack=11');
    expect(p.host.timersArmed).toBe(0);
  });

  test('an ACK of new data starts it anew (§5.3)', () => {
    const { p, a } = withRtt(100);
    write(a, 2000);
    expect(p.out()).toHaveLength(2);
    p.advance(299);
    p.send('. 1 ack=1001');
    const rto = a.connection!.rtt.timeout(p.host.profile);
    expect(p.advance(rto + 1)).toEqual([`@${Math.round(rto)} P. 1001:1000 ack=1`]);
  });

  test('duplicate ACKs, window updates and text do not start it anew (trap 47)', () => {
    const { p, a } = withRtt(100, { profile: { dupThresh: 1000 } });
    write(a, 10);
    p.out();
    const lines: string[] = [];
    for (let n = 0; n < 29; n++) {
      lines.push(...p.advance(10));
      p.send(n % 3 === 0 ? `. ${1 + n} ack=1 win=${60_000 + n}` : n % 3 === 1 ? `P. ${1 + n}:0 ack=1` : '. 1 ack=1');
    }
    expect(lines).toEqual([]);
    expect(p.advance(15)).toEqual(['@10 P. 1:10 ack=1']);
  });

  test('RTO doubles with each firing, up to the greatest (§5.5, §5.7, row 66 MUST-19)', () => {
    const { p, a } = withRtt(100, { profile: { rtoMax: 2000 } });
    write(a, 10);
    p.out();
    const times = p.advance(12_000).map((l) => Number(l.slice(1).split(' ')[0]));
    expect(times).toEqual([300, 900, 2100, 4100, 6100, 8100, 10_100]);
  });

  test('the earliest segment is what is sent again (§5.4)', () => {
    const { p, a } = withRtt(100);
    write(a, 3000);
    p.out();
    expect(p.advance(301)).toEqual(['@300 . 1:1000 ack=1']);
  });
});

describe('giving up (RFC 9293 §3.8.3)', () => {
  test('ESTABLISHED: data unanswered: ETIMEDOUT after the retries of the profile, with nothing left (row 82 MUST-20)', () => {
    const { p, a } = withRtt(100, { profile: { dataRetries: 3 } });
    write(a, 10);
    p.out();
    const lines = p.advance(60_000);
    expect(lines).toHaveLength(3);
    expect(a.log).toEqual(['open', 'closed ETIMEDOUT']);
    expect(a.connection!.state).toBe('CLOSED');
    expect([p.host.connectionCount, p.host.timersArmed, p.host.portsInUse]).toEqual([0, 0, 0]);
  });

  test('ESTABLISHED: R2 is over 100 s by default (row 86 SHLD-11)', () => {
    const { p, a } = withRtt(1);
    write(a, 10);
    p.out();
    p.advance(100_000);
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.advance(3_600_000);
    expect(a.log).toEqual(['open', 'closed ETIMEDOUT']);
  });

  test('SYN-SENT: a SYN unanswered: ETIMEDOUT, syscall connect, after the retries of the profile (row 87 MUST-22)', () => {
    const p = new Peer({ profile: { synRetries: 2 } });
    const a = synSent(p);
    expect(p.advance(60_000)).toHaveLength(2);
    expect(a.log).toEqual(['closed ETIMEDOUT']);
    expect(a.connection.error!.syscall).toBe('connect');
    expect(a.connection.error!.address).toBe('10.0.0.2');
  });

  test('SYN-SENT: the retries can be set so that it lasts three minutes and more (row 88 MUST-23)', () => {
    const p = new Peer({ profile: { synRetries: 7 } });
    const a = synSent(p);
    expect(p.advance(180_000)).toHaveLength(7);
    expect(a.connection.state).toBe('SYN-SENT');
  });

  test('an answer in between starts the count anew', () => {
    const { p, a } = withRtt(100, { profile: { dataRetries: 3, rtoMax: 500 } });
    for (let n = 0; n < 5; n++) {
      write(a, 10);
      p.out();
      expect(p.advance(1200).length).toBeGreaterThanOrEqual(2);
      p.send(`. 1 ack=${11 + 10 * n}`);
    }
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('FIN-WAIT-1 and LAST-ACK: a FIN unanswered ends in ETIMEDOUT as well', () => {
    for (const peerFirst of [false, true]) {
      const p = new Peer({ profile: { dataRetries: 2 } });
      const a = established(p);
      if (peerFirst) p.send('F. 1 ack=1');
      a.connection!.shutdown();
      p.advance(60_000);
      expect(a.connection!.state).toBe('CLOSED');
      expect(a.log.at(-1)).toBe('closed ETIMEDOUT');
      expect(p.host.timersArmed).toBe(0);
    }
  });

  test('a clock that jumps hours is one firing, and no reason to give up (trap 55, trap 57)', () => {
    const { p, a } = withRtt(100);
    write(a, 10);
    p.out();
    for (let n = 1; n <= 3; n++) {
      p.now += 5 * 3_600_000;
      p.host.timersFire(p.now);
      expect(p.out()).toEqual(['P. 1:10 ack=1']);
    }
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(p.trace.filter((e) => e.type === 'timer')).toHaveLength(3);
    p.send('. 1 ack=11');
    expect(a.connection!.queued).toBe(0);
  });
});
