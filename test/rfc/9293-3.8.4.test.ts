// RFC 9293 §3.8.4, keep-alive, and the user timeout of §3.8.3.

import { describe, expect, test } from 'vitest';
import { established, Peer, synSent } from './peer.ts';

const bare = (lines: string[]): string[] => lines.map((l) => l.replace(/^@\d+ /, ''));

describe('keep-alive', () => {
  test('ESTABLISHED: nothing is asked unless the program wants it (MUST-24)', () => {
    const p = new Peer();
    established(p);
    expect(p.advance(86_400_000)).toEqual([]);
    expect(p.host.timersArmed).toBe(0);
  });

  test('two hours by default (MUST-28), then a number already acknowledged and no octet', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true);
    expect(p.advance(7_200_000 - 1)).toEqual([]);
    expect(p.advance(1)).toEqual(['@1 . 0 ack=1']);
  });

  test('an answer starts the idle time again; ten of them leave the stream as it was (trap 48)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    for (let k = 0; k < 10; k++) {
      expect(bare(p.advance(1000))).toEqual(['. 0 ack=1']);
      p.send('. 1 ack=1');
    }
    p.send('P. 1:3 ack=1');
    expect(a.read).toEqual([1, 2, 3]);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('a peer that is silent for all probes is gone: ETIMEDOUT and a RST', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    const lines = p.advance(2000);
    expect(bare(lines)).toEqual(['. 0 ack=1', '. 0 ack=1', '. 0 ack=1', 'R. 1 ack=1']);
    expect(lines.at(-1)!.startsWith('@1300 ')).toBe(true);
    expect(a.log).toEqual(['accept', 'closed ETIMEDOUT']);
  });

  test('any segment from the peer counts as life', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    p.advance(900);
    p.send('. 1:10 ack=1');
    p.advance(100);
    expect(bare(p.advance(799))).toEqual([]);
    expect(bare(p.advance(101))).toEqual(['. 0 ack=11']);
  });

  test('data in flight is question enough', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    a.connection!.send(new Uint8Array(10), 0, 10);
    p.out();
    const lines = bare(p.advance(5000));
    expect(lines.every((l) => l === 'P. 1:10 ack=1')).toBe(true);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('turned off again, it stays silent', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    a.connection!.setKeepAlive(false);
    expect(p.advance(10_000)).toEqual([]);
  });
});

describe('the user timeout', () => {
  test('ESTABLISHED: data unacknowledged for that long ends it with ETIMEDOUT, on time', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setUserTimeout(5000);
    a.connection!.send(new Uint8Array(10), 0, 10);
    p.out();
    p.advance(4999);
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.advance(1);
    expect(a.log.at(-1)).toBe('closed ETIMEDOUT');
  });

  test('progress starts it anew', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setUserTimeout(5000);
    a.connection!.send(new Uint8Array(10), 0, 10);
    p.out();
    p.advance(4000);
    p.send('. 1 ack=6');
    p.advance(4000);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('SYN-SENT: an opening is bound by it too', () => {
    const p = new Peer();
    const a = synSent(p);
    a.connection.setUserTimeout(2500);
    p.advance(2499);
    expect(a.connection.state).toBe('SYN-SENT');
    p.advance(1);
    expect(a.log).toEqual(['closed ETIMEDOUT']);
  });

  test('a shut window whose probes nobody answers ends by it; answered ones never do (trap 24)', () => {
    for (const answers of [false, true]) {
      const p = new Peer();
      const a = established(p);
      a.connection!.setUserTimeout(10_000);
      p.send('. 1 ack=1 win=0');
      a.connection!.send(new Uint8Array(10), 0, 10);
      p.out();
      for (let k = 0; k < 100; k++) {
        if (p.advance(1000).length > 0 && answers) p.send('. 1 ack=1 win=0');
      }
      expect(a.connection!.state).toBe(answers ? 'ESTABLISHED' : 'CLOSED');
    }
  });
});
