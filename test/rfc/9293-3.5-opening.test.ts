// RFC 9293 §3.5, establishing a connection: the three shakes.

import { describe, expect, test } from 'vitest';
import { app, established, listening, Peer, synSent } from './peer.ts';

describe('active open', () => {
  test('CLOSED: OPEN sends SYN, seq=x, with MSS and window scale, and enters SYN-SENT', () => {
    const p = new Peer();
    const c = p.host.connect({ address: '10.0.0.2', port: 4000 });
    expect(c.state).toBe('SYN-SENT');
    expect(p.out()).toEqual(['S 0 mss=1460 ws=4']);
    expect(p.out()).toEqual([]);
  });

  test('SYN-SENT: SYN,ACK of x+1 is answered by ACK x+1, y+1 and ESTABLISHED on this end at once', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S. 0 ack=1 mss=1460 ws=3');
    expect(p.out()).toEqual(['. 1 ack=1']);
    expect(a.connection.state).toBe('ESTABLISHED');
    expect(a.log).toEqual(['open']);
  });

  test('the third ACK may carry data, and does when data was queued before', () => {
    const p = new Peer();
    const a = synSent(p);
    a.connection.send(new Uint8Array(78), 0, 78);
    expect(p.out()).toEqual([]);
    p.send('S. 0 ack=1 mss=1460');
    expect(p.out()).toEqual(['P. 1:78 ack=1']);
  });

  test('an empty third ACK uses no number: the next segment starts at x+1 again', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S. 0 ack=1 mss=1460');
    expect(p.out()).toEqual(['. 1 ack=1']);
    a.connection.send(new Uint8Array(5), 0, 5);
    expect(p.out()).toEqual(['P. 1:5 ack=1']);
  });

  test('a program that connects, writes and ends in one breath has its octets delivered, then FIN', () => {
    const p = new Peer();
    const a = synSent(p);
    a.connection.send(new Uint8Array(3), 0, 3);
    a.connection.shutdown();
    expect(p.out()).toEqual([]);
    p.send('S. 0 ack=1 mss=1460');
    expect(p.out()).toEqual(['FP. 1:3 ack=1']);
    expect(a.connection.state).toBe('FIN-WAIT-1');
  });

  test('a lost SYN is sent again after 1 s, 2 s, 4 s with the same number', () => {
    const p = new Peer();
    synSent(p);
    expect(p.advance(7500)).toEqual(['@1000 S 0 mss=1460 ws=4', '@3000 S 0 mss=1460 ws=4', '@7000 S 0 mss=1460 ws=4']);
  });
});

describe('passive open', () => {
  test('LISTEN: SYN is answered by SYN,ACK of x+1; the connection is SYN-RECEIVED and the program not told', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1460 ws=7');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460 ws=4']);
    expect(p.host.connections()[0]!.state).toBe('SYN-RECEIVED');
    expect(a.log).toEqual([]);
  });

  test('SYN-RECEIVED: the third ACK makes it ESTABLISHED and hands it to the program', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1460');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    p.send('. 1 ack=1');
    expect(p.out()).toEqual([]);
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(a.log).toEqual(['accept']);
  });

  test('SYN-RECEIVED: data on the third ACK is taken', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1460');
    p.out();
    p.send('P. 1:5 ack=1');
    expect(a.read).toEqual([1, 2, 3, 4, 5]);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('SYN-RECEIVED: a FIN on the third ACK leads on to CLOSE-WAIT', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1460');
    p.out();
    p.send('F. 1 ack=1');
    expect(p.out()).toEqual(['. 1 ack=2']);
    expect(a.connection!.state).toBe('CLOSE-WAIT');
    expect(a.log).toEqual(['accept', 'ended']);
  });

  test('window scaling is not offered in the SYN,ACK when the SYN did not (RFC 7323 §2.2)', () => {
    const p = new Peer();
    listening(p);
    p.send('S 0 mss=1460');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
  });

  test('the window of a SYN,ACK is not scaled; later ones are (RFC 7323 §2.2, §2.3)', () => {
    const p = new Peer();
    p.showWindow = true;
    listening(p);
    p.send('S 0 mss=1460 ws=0');
    expect(p.out()).toEqual(['S. 0 ack=1 win=65535 mss=1460 ws=4']);
    p.send('. 1 ack=1');
    p.send('P. 1:1460 ack=1');
    // 512 KiB in units of 16; the octet read has been given back.
    expect(p.advance(100)).toEqual([`@40 . 1 ack=1461 win=${524_288 / 16}`]);
  });

  test('a SYN with text has only its SYN acknowledged: the text comes again', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0:10 mss=1460');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    p.send('. 1:10 ack=1');
    expect(a.read.length).toBe(10);
  });
});

describe('shakes that are lost', () => {
  test('SYN-RECEIVED: the SYN,ACK is sent again when nothing answers, and given up after its retries', () => {
    const p = new Peer({ profile: { synAckRetries: 2 } });
    const a = listening(p);
    p.send('S 0 mss=1460');
    p.out();
    expect(p.advance(60_000)).toEqual(['@1000 S. 0 ack=1 mss=1460', '@3000 S. 0 ack=1 mss=1460']);
    expect(p.host.connectionCount).toBe(0);
    expect(a.listener!.pending).toBe(0);
    expect(a.log).toEqual([]);
  });

  test('SYN-RECEIVED: the SYN once more means that the SYN,ACK was lost: it is sent again at once', () => {
    const p = new Peer();
    listening(p);
    p.send('S 0 mss=1460');
    p.out();
    p.send('S 0 mss=1460');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
  });

  test('SYN-RECEIVED: the same when the SYN carries text', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0:10 mss=1460');
    p.out();
    p.send('S 0:10 mss=1460');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    p.send('. 1:10 ack=1');
    expect(a.read).toHaveLength(10);
  });

  test('SYN-RECEIVED of both at once: a SYN,ACK with text opens, and the text is taken, up to the window', () => {
    const p = new Peer({ profile: { receiveBuffer: 1000 } });
    const a = synSent(p);
    p.send('S 0 mss=1460');
    p.out();
    p.send('S. 0:1200 ack=1 mss=1460');
    expect(a.connection.state).toBe('ESTABLISHED');
    expect(a.read).toHaveLength(1000);
  });

  test('the third ACK lost leaves ESTABLISHED here: the SYN,ACK once more is acknowledged again, and heals', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S. 0 ack=1 mss=1460');
    expect(p.out()).toEqual(['. 1 ack=1']);
    p.send('S. 0 ack=1 mss=1460');
    expect(p.out()).toEqual(['. 1 ack=1']);
    expect(a.connection.state).toBe('ESTABLISHED');
  });

  test('the third ACK lost leaves SYN-RECEIVED there: data that acknowledges y+1 heals it', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1460');
    p.out();
    p.send('P. 1:3 ack=1');
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(a.read).toEqual([1, 2, 3]);
  });

  test('a SYN that had to be repeated starts data with an RTO of 3 s (RFC 6298 §5.7) and one segment (RFC 6928 §2)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.advance(1500);
    p.send('S. 0 ack=1 mss=1000');
    p.out();
    a.connection.send(new Uint8Array(3000), 0, 3000);
    expect(p.out()).toEqual(['. 1:1000 ack=1']);
    expect(p.advance(3500)).toEqual(['@3000 . 1:1000 ack=1']);
  });
});

describe('both ends at once (§3.5, figure 8)', () => {
  test('SYN-SENT: a SYN without ACK leads to SYN-RECEIVED and SYN,ACK with the same number', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S 0 mss=1460 ws=2');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460 ws=4']);
    expect(a.connection.state).toBe('SYN-RECEIVED');
    expect(a.log).toEqual([]);
  });

  test('SYN-RECEIVED: the peer’s SYN,ACK opens it, once (row 51 MUST-10)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S 0 mss=1460');
    p.out();
    p.send('S. 0 ack=1 mss=1460');
    expect(a.connection.state).toBe('ESTABLISHED');
    expect(a.log).toEqual(['open']);
    expect(p.out()).toEqual(['. 1 ack=1']);
    a.connection.send(new Uint8Array(4), 0, 4);
    expect(p.out()).toEqual(['P. 1:4 ack=1']);
  });

  test('SYN-RECEIVED: a bare ACK opens it just as well', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S 0 mss=1460');
    p.out();
    p.send('. 1 ack=1');
    expect(a.connection.state).toBe('ESTABLISHED');
  });

  test('no connection of a host that opened actively needs a listener', () => {
    const p = new Peer();
    const a = app();
    const c = p.host.connect({ address: '10.0.0.2', port: 4000 });
    a.attach(c);
    expect(c.passive).toBe(false);
  });
});

describe('a segment with both SYN and FIN', () => {
  test('LISTEN: it is dropped and counted', () => {
    const p = new Peer();
    listening(p);
    p.send('SF 0 mss=1460');
    expect(p.out()).toEqual([]);
    expect(p.drops('tcp-syn-fin')).toBe(1);
    expect(p.host.connectionCount).toBe(0);
  });

  test('ESTABLISHED: it is dropped and counted', () => {
    const p = new Peer();
    const a = established(p);
    p.send('SF. 1 ack=1');
    expect(p.out()).toEqual([]);
    expect(p.drops('tcp-syn-fin')).toBe(1);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });
});
