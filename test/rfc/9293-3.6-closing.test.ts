// RFC 9293 §3.6, closing a connection: the four waves, three of them, and both at once.

import { describe, expect, test } from 'vitest';
import { established, octets, Peer } from './peer.ts';

const TIME_WAIT = 60_000;

describe('this end closes first', () => {
  test('ESTABLISHED: CLOSE sends FIN,ACK, which uses one number, and enters FIN-WAIT-1', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    expect(a.connection!.state).toBe('FIN-WAIT-1');
    expect(p.out()).toEqual(['F. 1 ack=1']);
  });

  test('a FIN travels with the last octets, behind them', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(10), 0, 10);
    a.connection!.shutdown();
    expect(p.out()).toEqual(['FP. 1:10 ack=1']);
    p.send('. 1 ack=12');
    expect(a.connection!.state).toBe('FIN-WAIT-2');
  });

  test('FIN-WAIT-1: the ACK of data alone does not count for the FIN', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(10), 0, 10);
    a.connection!.shutdown();
    p.out();
    p.send('. 1 ack=11');
    expect(a.connection!.state).toBe('FIN-WAIT-1');
  });

  test('FIN-WAIT-2: the other side sends as long as it likes, and is acknowledged (half-close)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('. 1 ack=2');
    expect(a.connection!.state).toBe('FIN-WAIT-2');
    p.advance(3_600_000);
    for (let k = 0; k < 100; k++) p.send(`. ${1 + k * 1000}:1000 ack=2`);
    expect(p.out().length).toBeGreaterThanOrEqual(50);
    expect(a.read).toEqual(octets(1, 100_001));
    expect(a.connection!.state).toBe('FIN-WAIT-2');
  });

  test('FIN-WAIT-2: FIN leads to TIME-WAIT, ACK w+1, and after 2MSL to CLOSED with nothing left (row 63 MUST-13)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('. 1 ack=2');
    p.send('F. 1 ack=2');
    expect(p.out()).toEqual(['. 2 ack=2']);
    expect(a.connection!.state).toBe('TIME-WAIT');
    expect(a.log).toEqual(['accept', 'ended', 'closed']);
    expect(p.advance(TIME_WAIT - 1)).toEqual([]);
    expect(a.connection!.state).toBe('TIME-WAIT');
    expect(p.advance(1)).toEqual([]);
    expect(a.connection!.state).toBe('CLOSED');
    expect([p.host.connectionCount, p.host.timersArmed, p.host.portsInUse]).toEqual([0, 0, 0]);
    expect(a.log).toEqual(['accept', 'ended', 'closed']);
  });

  test('TIME-WAIT: a lost last ACK brings the FIN again; it is answered again and 2MSL starts anew', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('. 1 ack=2');
    p.send('F. 1 ack=2');
    p.out();
    p.advance(TIME_WAIT - 10);
    p.send('F. 1 ack=2');
    expect(p.out()).toEqual(['. 2 ack=2']);
    p.advance(TIME_WAIT - 1);
    expect(a.connection!.state).toBe('TIME-WAIT');
    p.advance(1);
    expect(a.connection!.state).toBe('CLOSED');
    const waits = p.trace.filter((e) => e.type === 'time-wait');
    expect(waits.map((e) => e.again)).toEqual([false, true]);
  });

  test('three waves: FIN and the ACK of ours in one segment lead from FIN-WAIT-1 to TIME-WAIT directly', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('F. 1 ack=2');
    expect(p.out()).toEqual(['. 2 ack=2']);
    expect(a.connection!.state).toBe('TIME-WAIT');
    const way = p.trace.filter((e) => e.type === 'state').map((e) => e.to);
    expect(way).not.toContain('FIN-WAIT-2');
  });

  test('2MSL is a setting', () => {
    const p = new Peer({ profile: { timeWait: 500 } });
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('F. 1 ack=2');
    p.out();
    p.advance(499);
    expect(a.connection!.state).toBe('TIME-WAIT');
    p.advance(1);
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('a FIN that is lost is sent again, on the retransmission timer, with its number', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    expect(p.out()).toEqual(['F. 1 ack=1']);
    // The handshake measured a round trip of 0 ms, so the timeout is the least one, and doubles.
    expect(p.advance(1500)).toEqual(['@200 F. 1 ack=1', '@600 F. 1 ack=1', '@1400 F. 1 ack=1']);
  });
});

describe('the other side closes first', () => {
  test('ESTABLISHED: FIN is acknowledged with w+1 and leads to CLOSE-WAIT; the program learns of the end once', () => {
    const p = new Peer();
    const a = established(p);
    p.send('F. 1 ack=1');
    expect(p.out()).toEqual(['. 1 ack=2']);
    expect(a.connection!.state).toBe('CLOSE-WAIT');
    expect(a.log).toEqual(['accept', 'ended']);
    p.send('F. 1 ack=1');
    expect(p.out()).toEqual(['. 1 ack=2']);
    expect(a.log).toEqual(['accept', 'ended']);
  });

  test('FIN with n octets of text is acknowledged with u+n+1', () => {
    const p = new Peer();
    const a = established(p);
    p.send('FP. 1:9 ack=1');
    expect(p.out()).toEqual(['. 1 ack=11']);
    expect(a.read.length).toBe(9);
  });

  test('CLOSE-WAIT: this end sends as long as it likes, hours later', () => {
    const p = new Peer();
    const a = established(p);
    p.send('F. 1 ack=1');
    p.out();
    p.advance(7_200_000);
    a.connection!.send(new Uint8Array(20), 0, 20);
    expect(p.out()).toEqual(['P. 1:20 ack=2']);
    expect(a.connection!.state).toBe('CLOSE-WAIT');
  });

  test('CLOSE-WAIT: CLOSE sends FIN and enters LAST-ACK; its ACK closes at once, without TIME-WAIT', () => {
    const p = new Peer();
    const a = established(p);
    p.send('F. 1 ack=1');
    p.out();
    a.connection!.shutdown();
    expect(a.connection!.state).toBe('LAST-ACK');
    expect(p.out()).toEqual(['F. 1 ack=2']);
    p.send('. 2 ack=2');
    expect(a.connection!.state).toBe('CLOSED');
    expect(p.host.connectionCount).toBe(0);
    expect(a.log).toEqual(['accept', 'ended', 'closed']);
  });

  test('LAST-ACK: the FIN goes out again until it is acknowledged', () => {
    const p = new Peer();
    const a = established(p, { shutsDownAtEnd: true });
    p.send('F. 1 ack=1');
    expect(p.out()).toEqual(['F. 1 ack=2']);
    expect(p.advance(700).length).toBeGreaterThanOrEqual(1);
    p.send('. 2 ack=2');
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('a program with nothing left makes it three waves: one segment carries ACK and FIN', () => {
    const p = new Peer();
    established(p, { shutsDownAtEnd: true });
    p.send('F. 1 ack=1');
    expect(p.out()).toEqual(['F. 1 ack=2']);
  });
});

describe('both at once', () => {
  test('FIN-WAIT-1: FIN without the ACK of ours leads to CLOSING, then the ACK to TIME-WAIT', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    expect(p.out()).toEqual(['F. 1 ack=1']);
    p.send('F. 1 ack=1');
    expect(a.connection!.state).toBe('CLOSING');
    expect(p.out()).toEqual(['. 2 ack=2']);
    p.send('. 2 ack=2');
    expect(a.connection!.state).toBe('TIME-WAIT');
    p.advance(TIME_WAIT);
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('CLOSING: our FIN is sent again when its ACK does not come', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('F. 1 ack=1');
    p.out();
    expect(p.advance(300).map((l) => l.replace(/^@\d+ /, ''))).toEqual(['F. 1 ack=2']);
    expect(a.connection!.state).toBe('CLOSING');
  });
});

describe('FIN out of order', () => {
  test('segments 3 (with FIN), 1, 2: the end comes after the octets of 2, CLOSE-WAIT exactly once', () => {
    const p = new Peer();
    const a = established(p);
    p.send('F. 201:50 ack=1');
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.send('. 1:100 ack=1');
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.send('. 101:100 ack=1');
    expect(a.connection!.state).toBe('CLOSE-WAIT');
    expect(a.read).toEqual(octets(1, 251));
    expect(p.out().at(-1)).toBe('. 1 ack=252');
    expect(a.log).toEqual(['accept', 'ended']);
  });

  test('text beyond a FIN that was seen is not taken', () => {
    const p = new Peer();
    const a = established(p);
    p.send('F. 11:10 ack=1');
    p.send('. 21:10 ack=1');
    p.send('. 1:10 ack=1');
    expect(a.read).toEqual(octets(1, 21));
    expect(a.connection!.state).toBe('CLOSE-WAIT');
  });
});

describe('how it ended (§3.6)', () => {
  test('the program is told whether the peer closed in good order or aborted (row 60 MUST-12)', () => {
    const told = (end: (p: Peer) => void): (string | undefined)[] => {
      const p = new Peer();
      const a = established(p);
      a.connection!.shutdown();
      p.out();
      p.send('. 1 ack=2');
      end(p);
      return a.log.slice(1);
    };
    expect(told((p) => p.send('F. 1 ack=2'))).toEqual(['ended', 'closed']);
    expect(told((p) => p.send('R 1'))).toEqual(['closed ECONNRESET']);
  });

  test('before this end has closed as well (row 60 MUST-12)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('F. 1 ack=1');
    expect(a.log).toEqual(['accept', 'ended']);
    const q = new Peer();
    const b = established(q);
    q.send('R. 1 ack=1');
    expect(b.log).toEqual(['accept', 'closed ECONNRESET']);
    expect(b.connection!.ended).toBe(false);
  });
});

describe('commands', () => {
  test('shutdown twice is one FIN; send after it is a StateError at the caller’s line', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    a.connection!.shutdown();
    expect(p.out()).toEqual(['F. 1 ack=1']);
    expect(() => a.connection!.send(new Uint8Array(1), 0, 1)).toThrow(/shutdown/);
  });

  test('TIME-WAIT: a SYN with a later number opens a new connection where somebody listens', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('F. 1 ack=2');
    p.out();
    p.send('S 1000 mss=1460');
    expect(p.out().length).toBe(1);
    expect(p.host.connections().map((c) => c.state)).toEqual(['SYN-RECEIVED']);
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('TIME-WAIT: a SYN with an old number is only acknowledged', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('F. 1 ack=2');
    p.out();
    p.send('S 0 mss=1460');
    expect(p.out()).toEqual(['. 2 ack=2']);
    expect(a.connection!.state).toBe('TIME-WAIT');
  });
});
