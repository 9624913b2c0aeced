// RFC 9293 §3.10.7.1, SEGMENT ARRIVES in CLOSED: every segment but a reset is answered by a reset.

import { describe, expect, test } from 'vitest';
import { type App, app, listening, Peer } from './peer.ts';

describe('no connection and no listener', () => {
  test('CLOSED: a segment with ACK earns <SEQ=SEG.ACK><CTL=RST> (§3.10.7.1)', () => {
    const p = new Peer();
    p.send('. 100 ack=777');
    expect(p.out()).toEqual(['R 777']);
    expect(p.host.counters.resetsOut).toBe(1);
  });

  test('CLOSED: a segment without ACK earns <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> (§3.10.7.1)', () => {
    const p = new Peer();
    p.send('P 100:10');
    // The host has no ISS here: relative to 0, the reset's number is the RFC's literal 0.
    expect(p.out()).toEqual(['R. 0 ack=110']);
  });

  test('CLOSED: the SYN counts in SEG.LEN (§3.10.7.1)', () => {
    const p = new Peer();
    p.send('S 100 mss=1000');
    expect(p.out()).toEqual(['R. 0 ack=101']);
  });

  test('CLOSED: the FIN counts in SEG.LEN (§3.10.7.1)', () => {
    const p = new Peer();
    p.send('F 100:5');
    expect(p.out()).toEqual(['R. 0 ack=106']);
  });

  test('CLOSED: SYN,ACK earns a reset at its acknowledgement number (§3.5.2, rule 1)', () => {
    const p = new Peer();
    p.send('S. 100 ack=5');
    expect(p.out()).toEqual(['R 5']);
  });

  test.each(['R 100', 'R. 100 ack=5', 'RF. 100 ack=5', 'RS 100'])('CLOSED: %s earns silence (§3.10.7.1)', (text) => {
    const p = new Peer();
    p.send(text);
    expect(p.out()).toEqual([]);
    expect(p.host.counters.resetsOut).toBe(0);
    expect(p.drops('tcp-no-connection')).toBe(1);
  });

  test('CLOSED: a segment with both SYN and FIN earns silence, and is counted', () => {
    const p = new Peer();
    p.send('SF 100');
    expect(p.out()).toEqual([]);
    expect(p.drops('tcp-syn-fin')).toBe(1);
  });

  test('CLOSED: port 0 names nobody: silence, and counted', () => {
    const p = new Peer();
    p.hostPort = 0;
    p.send('S 100');
    p.hostPort = 80;
    p.peerPort = 0;
    p.send('S 100');
    expect(p.out()).toEqual([]);
    expect(p.drops('tcp-port-zero')).toBe(2);
  });

  test('CLOSED: the sequence number of the reset wraps as all do (§3.4)', () => {
    const p = new Peer({ peerIss: -5 });
    p.send('P 0:10');
    expect(p.out()).toEqual(['R. 0 ack=10']);
  });
});

describe('a connection that is gone', () => {
  function gone(p: Peer): App {
    const a = listening(p);
    p.send('S 0 mss=1000');
    p.out();
    p.send('. 1 ack=1');
    a.connection!.abort();
    expect(p.out()).toEqual(['R. 1 ack=1']);
    return a;
  }

  test('CLOSED: what was on its way when we aborted earns a reset where the listener sees its ACK (§3.10.7.2)', () => {
    const p = new Peer();
    const a = gone(p);
    p.send('P. 1:10 ack=1');
    expect(p.out()).toEqual(['R 1']);
    expect(a.log).toEqual(['accept', 'closed']);
  });

  test('CLOSED: and so it does when the listener is gone too', () => {
    const p = new Peer();
    const a = gone(p);
    a.listener!.close();
    p.send('P. 1:10 ack=1');
    expect(p.out()).toEqual(['R 1']);
  });

  test('CLOSED: nobody is told twice', () => {
    const p = new Peer();
    const a = app();
    const c = p.host.connect({ address: '10.0.0.2', port: 4000 });
    a.attach(c);
    p.hostPort = c.localPort;
    p.out();
    p.send('R. 0 ack=1');
    p.send('R. 0 ack=1');
    c.abort();
    p.out();
    expect(a.log).toEqual(['closed ECONNREFUSED']);
  });
});
