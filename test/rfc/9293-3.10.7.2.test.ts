// RFC 9293 §3.10.7.2, SEGMENT ARRIVES in LISTEN: RST, ACK, SYN, anything else, in that order.

import { describe, expect, test } from 'vitest';
import { listening, Peer } from './peer.ts';

describe('first, check for a RST', () => {
  test.each(['R 0', 'R. 0 ack=9', 'RS 0', 'RS. 0 ack=9'])('LISTEN: %s is ignored (§3.10.7.2 first)', (text) => {
    const p = new Peer();
    listening(p);
    p.send(text);
    expect(p.out()).toEqual([]);
    expect(p.host.connectionCount).toBe(0);
  });
});

describe('second, check for an ACK', () => {
  test.each(['. 10 ack=9', 'S. 10 ack=9', 'F. 10 ack=9', 'P. 10:4 ack=9'])(
    'LISTEN: %s earns <SEQ=SEG.ACK><CTL=RST> (§3.10.7.2 second)',
    (text) => {
      const p = new Peer();
      const a = listening(p);
      p.send(text);
      expect(p.out()).toEqual(['R 9']);
      expect(p.host.connectionCount).toBe(0);
      expect(a.log).toEqual([]);
    },
  );
});

describe('third, check for a SYN', () => {
  test('LISTEN: RCV.NXT is SEG.SEQ+1, IRS is SEG.SEQ, SND.NXT is ISS+1, SND.UNA is ISS (§3.10.7.2 third)', () => {
    const p = new Peer();
    listening(p);
    p.send('S 40 mss=1000');
    expect(p.out()).toEqual(['S. 0 ack=41 mss=1460']);
    const c = p.host.connections()[0]!;
    expect(c.rcv.irs).toBe((p.peerIss + 40) | 0);
    expect(c.rcv.nxt).toBe((p.peerIss + 41) | 0);
    expect([(c.snd.nxt - c.snd.iss) | 0, (c.snd.una - c.snd.iss) | 0]).toEqual([1, 0]);
    expect(c.passive).toBe(true);
  });

  test('LISTEN: the listener stays, and other peers open connections of their own (§3.10.7.2 third)', () => {
    const p = new Peer();
    const a = listening(p);
    for (let n = 0; n < 3; n++) {
      p.peerPort = 4000 + n;
      p.send('S 0 mss=1000');
    }
    expect(p.out()).toHaveLength(3);
    expect(p.host.connections().map((c) => c.state)).toEqual(['SYN-RECEIVED', 'SYN-RECEIVED', 'SYN-RECEIVED']);
    expect(new Set(p.host.connections().map((c) => c.remotePort))).toEqual(new Set([4000, 4001, 4002]));
    expect(a.listener!.listening).toBe(true);
    expect(a.listener!.pending).toBe(3);
  });

  test('LISTEN: one listener per port does not keep others from listening on other ports', () => {
    const p = new Peer();
    listening(p);
    const other = p.host.listen({ port: 81 }, () => undefined);
    expect(other.port).toBe(81);
    p.hostPort = 81;
    p.send('S 0 mss=1000');
    expect(other.pending).toBe(1);
  });

  test('LISTEN: PSH and URG on the SYN change nothing', () => {
    const p = new Peer();
    listening(p);
    p.send('SPU 0 mss=1000 urg=9');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
  });
});

describe('fourth, other data or control', () => {
  test.each(['F 10', 'P 10:10', 'U 10 urg=3'])(
    'LISTEN: %s, without SYN or ACK, is dropped and counted (§3.10.7.2 fourth)',
    (text) => {
      const p = new Peer();
      listening(p);
      p.send(text);
      expect(p.out()).toEqual([]);
      expect(p.drops('tcp-listen-not-syn')).toBe(1);
      expect(p.host.connectionCount).toBe(0);
    },
  );
});

describe('SYN-RECEIVED that comes of it', () => {
  test('SYN-RECEIVED: a reset returns to LISTEN: the half-open connection is forgotten, silently (row 52 MUST-11)', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1000');
    p.out();
    p.send('R 1');
    expect(p.out()).toEqual([]);
    expect(p.host.connectionCount).toBe(0);
    expect(a.listener!.pending).toBe(0);
    expect(a.log).toEqual([]);
    // And the listener takes the next.
    p.send('S 900 mss=1000');
    expect(p.out()).toHaveLength(1);
  });

  test('the backlog bounds half-open connections: without cookies, further SYNs are dropped and counted (trap 38)', () => {
    const p = new Peer({ profile: { synCookies: 'never' } });
    p.host.listen({ port: 80, backlog: 2 }, () => undefined);
    for (let n = 0; n < 5; n++) {
      p.peerPort = 4000 + n;
      p.send('S 0 mss=1000');
    }
    expect(p.out()).toHaveLength(2);
    expect(p.drops('listen-backlog')).toBe(3);
    expect(p.host.connectionCount).toBe(2);
  });

  test('a half-open connection that dies makes room in the backlog (trap 38)', () => {
    const p = new Peer({ profile: { synAckRetries: 1 } });
    p.host.listen({ port: 80, backlog: 1 }, () => undefined);
    p.send('S 0 mss=1000');
    p.advance(10_000);
    expect(p.host.connectionCount).toBe(0);
    p.peerPort = 4001;
    p.send('S 0 mss=1000');
    expect(p.out()).toHaveLength(1);
  });

  test('a connection handed to the program leaves the backlog', () => {
    const p = new Peer();
    const l = p.host.listen({ port: 80, backlog: 1 }, () => undefined);
    p.send('S 0 mss=1000');
    p.out();
    p.send('. 1 ack=1');
    expect(l.pending).toBe(0);
    p.peerPort = 4001;
    p.send('S 0 mss=1000');
    expect(p.out()).toHaveLength(1);
  });

  test('closing the listener resets what the program was not given, and leaves alone what it was', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1000');
    p.out();
    p.send('. 1 ack=1');
    p.peerPort = 4001;
    p.send('S 0 mss=1000');
    p.out();
    a.listener!.close();
    expect(p.out()[0]).toMatch(/^R\. /);
    expect(p.out()).toEqual([]);
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(p.host.connectionCount).toBe(1);
    p.peerPort = 4002;
    p.send('S 7 mss=1000');
    expect(p.out()).toHaveLength(1);
    expect(p.host.connectionCount).toBe(1);
  });
});
