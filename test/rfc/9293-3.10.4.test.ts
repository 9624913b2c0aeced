// RFC 9293 §3.10.4, the CLOSE call of a program that is done with both directions.

import { describe, expect, test } from 'vitest';
import { established, Peer, synSent } from './peer.ts';

describe('close', () => {
  test('SYN-SENT: the connection is deleted, and nothing is sent', () => {
    const p = new Peer();
    const a = synSent(p);
    a.connection.close();
    expect(p.advance(10_000)).toEqual([]);
    expect(a.log).toEqual(['closed']);
    expect(p.host.connectionCount).toBe(0);
  });

  test('ESTABLISHED: what was written goes out, then FIN', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(10), 0, 10);
    a.connection!.close();
    expect(p.out()).toEqual(['FP. 1:10 ack=1']);
    expect(a.connection!.state).toBe('FIN-WAIT-1');
  });

  test('ESTABLISHED: with octets unread it is a RST, so that the peer knows they were lost (row 62 SHLD-3, RFC 2525 §2.17)', () => {
    const p = new Peer();
    const a = established(p, { reads: false });
    p.send('P. 1:10 ack=1');
    p.advance(100);
    a.connection!.close();
    expect(p.out()).toEqual(['R. 1 ack=11']);
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('FIN-WAIT-2: octets that come after close are answered with a RST (row 61 MAY-1, row 62 SHLD-3)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.close();
    p.out();
    p.send('. 1 ack=2');
    expect(a.connection!.state).toBe('FIN-WAIT-2');
    p.send('P. 1:10 ack=2');
    expect(p.out()).toEqual(['R 2']);
    expect(a.connection!.state).toBe('CLOSED');
    expect(p.drops('tcp-after-close')).toBe(1);
  });

  test('FIN-WAIT-1: they are answered with a RST at the number the peer expects, who may not have the FIN (RFC 5961 §3.2)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.close();
    p.out();
    p.send('P. 1:10 ack=1');
    expect(p.out()).toEqual(['R 1']);
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('FIN-WAIT-2: after close it lasts a minute at most, after shutdown for ever', () => {
    for (const closes of [true, false]) {
      const p = new Peer();
      const a = established(p);
      if (closes) a.connection!.close();
      else a.connection!.shutdown();
      p.out();
      p.send('. 1 ack=2');
      p.advance(59_999);
      expect(a.connection!.state).toBe('FIN-WAIT-2');
      p.advance(3_600_000);
      expect(a.connection!.state).toBe(closes ? 'CLOSED' : 'FIN-WAIT-2');
      expect(p.host.timersArmed).toBe(0);
    }
  });

  test('FIN-WAIT-2: closing later, when shutdown came first, starts that minute', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    p.out();
    p.send('. 1 ack=2');
    p.advance(100_000);
    a.connection!.close();
    p.advance(60_000);
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('the four waves after close are those after shutdown', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.close();
    expect(p.out()).toEqual(['F. 1 ack=1']);
    p.send('F. 1 ack=2');
    expect(p.out()).toEqual(['. 2 ack=2']);
    expect(a.connection!.state).toBe('TIME-WAIT');
  });

  test('a closed connection that nobody answers is given up earlier', () => {
    const p = new Peer({ profile: { orphanRetries: 3 } });
    const a = established(p);
    a.connection!.close();
    p.out();
    expect(p.advance(60_000).length).toBe(3);
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('abort-on-close drops what is unsent and resets', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.setAbortOnClose(true);
    a.connection!.send(new Uint8Array(10), 0, 10);
    a.connection!.close();
    expect(p.out()).toEqual(['R. 1 ack=1']);
  });
});
