// RFC 9293 §3.8.4, keep-alive, and the user timeout of §3.8.3.

import { describe, expect, test } from 'vitest';
import { type App, established, Peer, synSent } from './peer.ts';

const bare = (lines: string[]): string[] => lines.map((l) => l.replace(/^@\d+ /, ''));

describe('keep-alive', () => {
  test('ESTABLISHED: nothing is asked unless the program wants it (row 91 MUST-25)', () => {
    const p = new Peer();
    established(p);
    expect(p.advance(86_400_000)).toEqual([]);
    expect(p.host.timersArmed).toBe(0);
  });

  test('two hours by default (row 94 MUST-28), then a probe (row 89 MAY-5) with no octet (row 96 SHLD-12)', () => {
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

  test('any segment from the peer counts as life (row 92 MUST-26)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    p.advance(900);
    p.send('. 1:10 ack=1');
    p.advance(100);
    expect(bare(p.advance(799))).toEqual([]);
    expect(bare(p.advance(101))).toEqual(['. 0 ack=11']);
  });

  test('data in flight is question enough (row 92 MUST-26)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    a.connection!.send(new Uint8Array(10), 0, 10);
    p.out();
    const lines = bare(p.advance(5000));
    expect(lines.every((l) => l === 'P. 1:10 ack=1')).toBe(true);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('turned off again, it stays silent (row 90 MUST-24)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 3);
    a.connection!.setKeepAlive(false);
    expect(p.advance(10_000)).toEqual([]);
  });
});

describe('keep-alive, as the program sets it', () => {
  test('ESTABLISHED: one connection has it and another has not (row 90 MUST-24)', () => {
    const p = new Peer();
    const a = established(p);
    p.peerPort = 4001;
    p.hostIss = 0;
    p.send('S 0 mss=1000');
    p.out();
    const other = p.host.connections().find((c) => c.remotePort === 4001)!;
    p.hostIss = other.snd.iss;
    p.send('. 1 ack=1');
    expect(other.state).toBe('ESTABLISHED');
    other.setKeepAlive(true, 5000, 100, 100);
    expect(p.advance(5000)).toEqual(['@5000 . 0 ack=1']);
    other.setKeepAlive(false);
    a.connection!.setKeepAlive(true, 5000, 100, 100);
    p.hostIss = a.connection!.snd.iss;
    expect(p.advance(5000)).toEqual(['@5000 . 0 ack=1']);
  });

  test.each([1000, 60_000, 86_400_000])('ESTABLISHED: the idle time is a setting: %d ms (row 93 MUST-27)', (idle) => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, idle);
    expect(p.advance(idle - 1)).toEqual([]);
    expect(p.advance(1)).toEqual(['@1 . 0 ack=1']);
  });

  test('ESTABLISHED: answers that are lost prove nothing: any later one keeps it alive (row 95 MUST-29)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true, 1000, 100, 4);
    for (let round = 0; round < 5; round++) {
      expect(bare(p.advance(1000 + 3 * 100))).toHaveLength(4);
      expect(a.connection!.state).toBe('ESTABLISHED');
      p.send('. 1 ack=1');
    }
    expect(a.log).toEqual(['accept']);
  });

  test('ESTABLISHED: one probe without an answer is never enough by default (row 95 MUST-29)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setKeepAlive(true);
    expect(p.advance(7_200_000 + 8 * 75_000)).toHaveLength(9);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });
});

describe('the user timeout', () => {
  test('ESTABLISHED: data unacknowledged for that long ends it with ETIMEDOUT, on time (row 83 MUST-21)', () => {
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

  test('the profile has one for all; a connection of its own mind goes before it, and 0 is none', () => {
    for (const [own, ends] of [
      [null, 3000],
      [8000, 8000],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      const p = new Peer({ profile: { userTimeout: 3000 } });
      const a = established(p);
      if (own !== null) a.connection!.setUserTimeout(own);
      a.connection!.send(new Uint8Array(10), 0, 10);
      p.out();
      p.advance(Math.min(ends, 20_000) - 1);
      expect(a.connection!.state).toBe('ESTABLISHED');
      p.advance(1);
      expect(a.connection!.state).toBe(ends > 20_000 ? 'ESTABLISHED' : 'CLOSED');
    }
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

test('traces tell of the probes of keep-alive by number, and of the user timeout that ends a connection', () => {
  const fired = (prepare: (c: NonNullable<App['connection']>) => void): string[] => {
    const p = new Peer();
    prepare(established(p).connection!);
    const start = p.now;
    p.advance(20_000);
    return p.trace.flatMap((e) =>
      e.type === 'timer' && e.timer !== 'retransmit' ? `${e.at - start} ${e.timer} ${e.count}` : [],
    );
  };
  const alive = ['1000 keepalive 1', '1100 keepalive 2', '1200 keepalive 3'];
  expect(fired((c) => c.setKeepAlive(true, 1000, 100, 3))).toEqual(alive);
  const both = fired((c) => {
    c.setKeepAlive(true, 1000, 100, 3);
    c.setUserTimeout(1150);
  });
  expect(both).toEqual([...alive.slice(0, 2), '1200 user-timeout 1']);
  const unanswered = fired((c) => {
    c.setUserTimeout(5000);
    c.send(new Uint8Array(10), 0, 10);
  });
  expect(unanswered).toEqual(['5000 user-timeout 1']);
});
