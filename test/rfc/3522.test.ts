// RFC 3522 and RFC 4015, Eifel: a timeout or a recovery for nothing is found out by the echoed timestamp and undone.

import { describe, expect, test } from 'vitest';
import { Peer, synSent } from './peer.ts';

const RTT = 100;

/** Ten segments are in flight, all sent at this moment of the host's clock. */
function flying(p: Peer, syn: string): { a: ReturnType<typeof synSent>; sentAt: number } {
  const a = synSent(p);
  p.advance(RTT);
  p.send(`S. 0 ack=1 mss=1000 ${syn}`);
  p.out();
  a.connection.send(new Uint8Array(50_000), 0, 50_000);
  p.out();
  return { a, sentAt: p.now };
}

const resent = (lines: string[]): number => lines.filter((l) => / 1:\d+ /.test(l)).length;

describe('a delay that grows suddenly (trap 44)', () => {
  test('three seconds without a loss: one segment repeated, and the window as it was', () => {
    const p = new Peer({ profile: { rtoMin: 1000 } });
    const { a, sentAt } = flying(p, 'ts=7:1000');
    const { cwnd, ssthresh } = a.connection.cc;
    const again = p.advance(1500);
    expect(resent(again)).toBe(1);
    expect(a.connection.cc.cwnd).toBeLessThan(cwnd);
    // The answers to the originals arrive: their echo is older than the copy.
    p.send(`. 1 ack=1977 ts=9:${sentAt}`);
    expect(a.connection.cc.cwnd).toBeGreaterThanOrEqual(cwnd);
    expect(a.connection.cc.ssthresh).toBe(ssthresh);
    const seqs = p.out().map((l) => Number(l.split(' ')[1]!.split(':')[0]));
    // What follows is new, not a repetition of the window.
    expect(Math.min(...seqs)).toBeGreaterThan(9000);
    expect(p.trace.some((e) => e.type === 'congestion' && e.why === 'undo')).toBe(true);
  });

  test('an answer to the copy undoes nothing', () => {
    const p = new Peer({ profile: { rtoMin: 1000 } });
    const { a } = flying(p, 'ts=7:1000');
    const { cwnd } = a.connection.cc;
    p.advance(1500);
    p.send(`. 1 ack=989 ts=9:${p.now - 10}`);
    expect(a.connection.cc.cwnd).toBeLessThan(cwnd);
  });

  test('without timestamps nobody can tell, and nothing is undone', () => {
    const p = new Peer({ profile: { rtoMin: 1000 } });
    const { a } = flying(p, '');
    const { cwnd } = a.connection.cc;
    p.advance(1500);
    p.send('. 1 ack=2001');
    expect(a.connection.cc.cwnd).toBeLessThan(cwnd);
  });
});

describe('reordering taken for loss (trap 45)', () => {
  test('the late segment is acknowledged by its own echo: recovery ends and the window comes back', () => {
    const p = new Peer();
    const { a, sentAt } = flying(p, 'sackOK ts=7:1000');
    const { cwnd } = a.connection.cc;
    p.advance(RTT);
    p.send(`. 1 ack=1 ts=8:${sentAt} sack=989-3953`);
    expect(p.out()[0]).toMatch(/^\. 1:988 /);
    expect(a.connection.recovery.active).toBe(true);
    p.advance(5);
    p.send(`. 1 ack=3953 ts=9:${sentAt}`);
    expect(a.connection.recovery.active).toBe(false);
    expect(a.connection.cc.cwnd).toBeGreaterThanOrEqual(cwnd);
    expect(a.connection.rack.reordering).toBe(true);
  });

  test('CUBIC forgets the loss as well (RFC 9438 §4.9)', () => {
    const p = new Peer({ profile: { congestionControl: null } });
    const { a, sentAt } = flying(p, 'sackOK ts=7:1000');
    const before = a.connection.cc.cwnd;
    p.advance(RTT);
    p.send(`. 1 ack=1 ts=8:${sentAt} sack=989-3953`);
    p.out();
    p.advance(5);
    p.send(`. 1 ack=3953 ts=9:${sentAt}`);
    expect(a.connection.cc.cwnd).toBeGreaterThanOrEqual(before);
    expect(a.connection.cc.ssthresh).toBe(0x3fffffff);
  });
});
