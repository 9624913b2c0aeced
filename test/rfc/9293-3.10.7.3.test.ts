// RFC 9293 §3.10.7.3, SEGMENT ARRIVES in SYN-SENT: ACK, RST, SYN, in that order; every branch.

import { describe, expect, test } from 'vitest';
import { app, Peer, synSent } from './peer.ts';

describe('first, check the ACK bit', () => {
  test.each([
    ['S. 0 ack=0', 'R 0'],
    ['. 0 ack=0', 'R 0'],
    ['. 0 ack=2', 'R 2'],
    ['S. 0 ack=2 mss=1000', 'R 2'],
    ['P. 0:9 ack=2147483640', 'R 2147483640'],
    ['F. 0 ack=0', 'R 0'],
  ])('SYN-SENT: %s acknowledges what was not sent: %s, and SYN-SENT stays (§3.10.7.3 first)', (text, answer) => {
    const p = new Peer();
    const a = synSent(p);
    p.send(text);
    expect(p.out()).toEqual([answer]);
    expect(a.connection.state).toBe('SYN-SENT');
    expect(a.log).toEqual([]);
    expect(p.drops('tcp-syn-sent-bad-ack')).toBe(1);
    // And the right answer still opens.
    p.send('S. 0 ack=1 mss=1000');
    expect(a.connection.state).toBe('ESTABLISHED');
  });

  test('SYN-SENT: a RST with an unacceptable ACK is dropped, silently (§3.10.7.3 first, RFC 5961 §3.2)', () => {
    const p = new Peer();
    const a = synSent(p);
    for (const ack of [0, 2, 1000]) p.send(`R. 0 ack=${ack}`);
    expect(p.out()).toEqual([]);
    expect(a.connection.state).toBe('SYN-SENT');
  });

  test('SYN-SENT: before our SYN has gone out no ACK is acceptable', () => {
    const p = new Peer();
    const a = app();
    const c = p.host.connect({ address: '10.0.0.2', port: 4000 });
    a.attach(c);
    p.hostPort = c.localPort;
    p.hostIss = c.snd.iss;
    p.send('S. 0 ack=1 mss=1000');
    expect(c.state).toBe('SYN-SENT');
    expect(p.out().sort()).toEqual(['R 1', 'S 0 mss=1460 ws=4']);
  });
});

describe('second, check the RST bit', () => {
  test('SYN-SENT: RST that acknowledges our SYN refuses the connection: ECONNREFUSED (§3.10.7.3 second)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('R. 0 ack=1');
    expect(p.out()).toEqual([]);
    expect(a.connection.state).toBe('CLOSED');
    expect(a.log).toEqual(['closed ECONNREFUSED']);
    const { error } = a.connection;
    expect([error!.syscall, error!.address, error!.port]).toEqual(['connect', '10.0.0.2', 4000]);
    expect([p.host.connectionCount, p.host.portsInUse, p.host.timersArmed]).toEqual([0, 0, 0]);
  });

  test('SYN-SENT: RST without ACK is dropped, silently (§3.10.7.3 second)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('R 0');
    expect(p.out()).toEqual([]);
    expect(a.connection.state).toBe('SYN-SENT');
    expect(p.drops('tcp-no-ack')).toBe(1);
  });
});

describe('fourth, check the SYN bit', () => {
  test('SYN-SENT: SYN,ACK of ISS+1: SND.UNA advances, ACK goes out, ESTABLISHED (§3.10.7.3 fourth)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S. 40 ack=1 mss=1000 win=30000');
    expect(p.out()).toEqual(['. 1 ack=41']);
    const { snd, rcv } = a.connection;
    expect(a.connection.state).toBe('ESTABLISHED');
    expect([(snd.una - p.hostIss) | 0, (snd.nxt - p.hostIss) | 0, snd.wnd]).toEqual([1, 1, 30_000]);
    expect([(rcv.irs - p.peerIss) | 0, (rcv.nxt - p.peerIss) | 0]).toEqual([40, 41]);
    expect([(snd.wl1 - p.peerIss) | 0, (snd.wl2 - p.hostIss) | 0]).toEqual([40, 1]);
    expect(p.host.timersArmed).toBe(0);
  });

  test('SYN-SENT: the window of the SYN,ACK is not scaled, the next one is (RFC 7323 §2.2)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S. 0 ack=1 mss=1000 win=1000 ws=7');
    p.out();
    expect(a.connection.snd.wnd).toBe(1000);
    p.send('. 1 ack=1 win=1000');
    expect(a.connection.snd.wnd).toBe(128_000);
  });

  test('SYN-SENT: text and FIN behind the SYN,ACK may come again: only the SYN is acknowledged (§3.10.7.3)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('SP. 0:10 ack=1 mss=1000');
    expect(p.out()).toEqual(['. 1 ack=1']);
    expect(a.read).toEqual([]);
    p.send('P. 1:10 ack=1');
    expect(a.read).toHaveLength(10);
  });

  test('SYN-SENT: SYN alone leads to SYN-RECEIVED and <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> (§3.10.7.3 fourth)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S 40 mss=1000');
    expect(p.out()).toEqual(['S. 0 ack=41 mss=1460']);
    expect(a.connection.state).toBe('SYN-RECEIVED');
    expect(a.connection.passive).toBe(false);
  });

  test('SYN-SENT: SYN with an acceptable RST bit refuses all the same', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('RS. 0 ack=1');
    expect(a.log).toEqual(['closed ECONNREFUSED']);
  });

  test('SYN-RECEIVED of an active open: an exact RST refuses: ECONNREFUSED (row 52 MUST-11, §3.10.7.4 second)', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('S 0 mss=1000');
    p.out();
    p.send('R 1');
    expect(a.log).toEqual(['closed ECONNREFUSED']);
    expect(p.host.connectionCount).toBe(0);
  });
});

describe('fifth, neither SYN nor RST', () => {
  test.each(['. 0 ack=1', 'F. 0 ack=1', 'P. 0:5 ack=1', 'P 0:5', 'F 0'])(
    'SYN-SENT: %s is dropped, silently (§3.10.7.3 fifth)',
    (text) => {
      const p = new Peer();
      const a = synSent(p);
      p.send(text);
      expect(p.out()).toEqual([]);
      expect(a.connection.state).toBe('SYN-SENT');
      expect(a.read).toEqual([]);
    },
  );
});

describe('the program in SYN-SENT', () => {
  test('SYN-SENT: ABORT deletes the connection and sends nothing (§3.10.5)', () => {
    const p = new Peer();
    const a = synSent(p);
    a.connection.abort();
    expect(p.out()).toEqual([]);
    expect(a.log).toEqual(['closed']);
    expect([p.host.connectionCount, p.host.portsInUse, p.host.timersArmed]).toEqual([0, 0, 0]);
    // The answer that was on its way finds nobody, and is refused.
    p.send('S. 0 ack=1 mss=1000');
    expect(p.out()).toEqual(['R 1']);
  });

  test('SYN-SENT: octets are queued, not sent; more than the send buffer is not taken (§3.10.2)', () => {
    const p = new Peer({ profile: { sendBuffer: 1000 } });
    const a = synSent(p);
    expect(a.connection.send(new Uint8Array(1500), 0, 1500)).toBe(1000);
    expect(p.out()).toEqual([]);
    expect(a.connection.writable).toBe(0);
  });
});
