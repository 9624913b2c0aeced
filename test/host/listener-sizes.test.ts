// What a listener and an active open say of their own connections' sizes, beside what the profile says.

import { describe, expect, test } from 'vitest';
import { Peer } from '../rfc/peer.ts';

describe('sizes of a listener', () => {
  test('its SYN,ACK offers its window and its segments, and sends no larger ones; other listeners keep the profile', () => {
    const p = new Peer({ profile: { receiveBuffer: 50_000, receiveBufferMax: 4_000_000 } });
    p.showWindow = true;
    let sent = 0;
    p.host.listen({ port: 80, receiveBuffer: 3000, maxSegment: 700 }, (c) => {
      sent = c.send(new Uint8Array(1400), 0, 1400);
    });
    p.host.listen({ port: 81 }, () => {});
    p.send('S 0 mss=1460 ws=7');
    expect(p.out()).toEqual(['S. 0 ack=1 win=3000 mss=700 ws=0']);
    p.send('. 1 ack=1');
    expect(p.out().map((l) => l.split(' ')[1])).toEqual(['1:700', '701:700']);
    expect(sent).toBe(1400);
    p.hostPort = 81;
    p.peerPort = 4001;
    p.send('S 0 mss=1460 ws=7');
    expect(p.out()[0]).toMatch(/win=50000 mss=1460 ws=6$/);
  });

  test('a cookie keeps them as well', () => {
    const p = new Peer({ profile: { receiveBuffer: 50_000, synCookies: 'always' } });
    p.showWindow = true;
    p.host.listen({ port: 80, receiveBuffer: 3000, maxSegment: 700 }, (c) => {
      expect(c.receiveLimit).toBe(3000);
      expect(c.snd.mss).toBeLessThanOrEqual(700);
    });
    p.send('S 0 mss=1460');
    expect(p.out()).toEqual(['S. 0 ack=1 win=3000 mss=700']);
    p.send('. 1 ack=1');
    p.out();
    expect.assertions(3);
  });

  test('sizes that are none are refused', () => {
    const p = new Peer();
    expect(() => p.host.listen({ port: 80, receiveBuffer: 0 }, () => {})).toThrow(RangeError);
    expect(() => p.host.connect({ address: '10.0.0.2', port: 9, maxSegment: 10 })).toThrow(RangeError);
  });
});

test('an active open offers its own sizes, and its FIN-WAIT-2 may be its own', () => {
  const p = new Peer({ profile: { receiveBuffer: 50_000 } });
  p.showWindow = true;
  const c = p.host.connect({ address: '10.0.0.2', port: 4000, receiveBuffer: 3000, maxSegment: 700 });
  p.hostPort = c.localPort;
  expect(p.out()).toEqual(['S 0 win=3000 mss=700 ws=0']);
  p.send('S. 0 ack=1 mss=1000');
  p.out();
  c.ownRare().finWaitTime = 5000;
  c.close();
  p.out();
  p.send('. 1 ack=2');
  expect(c.state).toBe('FIN-WAIT-2');
  p.advance(4999);
  expect(c.state).toBe('FIN-WAIT-2');
  p.advance(2);
  expect(c.state).toBe('CLOSED');
});
