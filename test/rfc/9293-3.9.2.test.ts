// RFC 9293 §3.9.2.2, ICMP messages about a connection, and §3.9.2.3 and §3.9.1.1, addresses that are nobody's.

import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/wire/address.ts';
import { pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { finishTcp, writeTcp } from '../../src/wire/tcp.ts';
import { icmpError } from '../host/wire.ts';
import { app, established, listening, octets, Peer, type PeerOptions, synSent } from './peer.ts';

/** A router reports an ICMP error about packet `which` of the host, the latest by default. */
function icmp(p: Peer, type: number, code: number, which = -1): void {
  const packet = icmpError(type, code, p.packets.at(which)!, '10.0.0.254', '10.0.0.1');
  p.inject(packet, packet.length);
}

/** An open connection with five octets in flight. */
function inFlight(options: PeerOptions = {}): { p: Peer; a: ReturnType<typeof established> } {
  const p = new Peer(options);
  const a = established(p);
  a.connection!.send(new Uint8Array(5), 0, 5);
  p.out();
  return { p, a };
}

/** Reports the error, and shows that the connection does not mind: the data are sent again and the stream goes on. */
function survives(type: number, code: number): void {
  const { p, a } = inFlight();
  icmp(p, type, code);
  expect(p.out()).toEqual([]);
  expect([a.connection!.state, a.log]).toEqual(['ESTABLISHED', ['accept']]);
  expect(p.advance(250)).toEqual(['@200 P. 1:5 ack=1']);
  p.send('P. 1:3 ack=6');
  expect([a.connection!.queued, a.read]).toEqual([0, octets(1, 4)]);
}

describe('ICMP (§3.9.2.2)', () => {
  test('SYN-SENT: an error reaches the connection whose segment it quotes, and no other (row 105 MUST-54)', () => {
    const p = new Peer();
    const first = synSent(p);
    const second = synSent(p);
    icmp(p, 3, 3, -2);
    expect([first.log, second.log]).toEqual([['closed ECONNREFUSED'], []]);
    icmp(p, 3, 3);
    expect(second.log).toEqual(['closed ECONNREFUSED']);
  });

  test.each([
    [0, 'ENETUNREACH'],
    [1, 'EHOSTUNREACH'],
    [5, 'ENETUNREACH'],
  ])(
    'ESTABLISHED: unreachable, code %d, is told as %s when the connection then fails (row 106 SHLD-25)',
    (code, name) => {
      const { p, a } = inFlight({ profile: { dataRetries: 2 } });
      icmp(p, 3, code);
      expect(a.log).toEqual(['accept']);
      p.advance(100_000);
      expect(a.log).toEqual(['accept', `closed ${name}`]);
    },
  );

  test.each([0, 1, 5])('ESTABLISHED: unreachable, code %d, aborts nothing (row 107 MUST-56)', (code) => {
    survives(3, code);
  });

  test.each([0, 1])('ESTABLISHED: time exceeded, code %d, aborts nothing (row 110 MUST-56)', (code) => {
    survives(11, code);
  });

  test('ESTABLISHED: a parameter problem aborts nothing (row 111 MUST-56)', () => {
    survives(12, 0);
  });

  test('SYN-SENT: time exceeded (row 110 MUST-56) and a parameter problem (row 111 MUST-56) abort nothing', () => {
    const p = new Peer();
    const a = synSent(p);
    for (const type of [11, 12]) icmp(p, type, 0);
    p.send('S. 0 ack=1 mss=1000');
    expect(a.log).toEqual(['open']);
  });

  test('ESTABLISHED: source quench is discarded in silence: neither state nor window changes (row 109 MUST-55)', () => {
    const { p, a } = inFlight();
    const { cwnd, ssthresh } = a.connection!.cc;
    icmp(p, 4, 0);
    expect(p.out()).toEqual([]);
    expect([a.connection!.cc.cwnd, a.connection!.cc.ssthresh]).toEqual([cwnd, ssthresh]);
    survives(4, 0);
  });

  test.each([2, 3])('SYN-SENT: unreachable, code %d, is final: the opening is given up (row 108 SHLD-26)', (code) => {
    const p = new Peer();
    const a = synSent(p);
    icmp(p, 3, code);
    expect(a.log).toEqual(['closed ECONNREFUSED']);
    expect(p.advance(10_000)).toEqual([]);
  });

  test.each([2, 3])('ESTABLISHED: unreachable, code %d, is not: it is forged too easily (RFC 5927 §5.2)', (code) => {
    survives(3, code);
  });
});

const w = (text: string): number => parseAddress(text)!.w3;

/** A segment to port 80 with addresses of choice; true when the host took notice of it in any way. */
function noticed(p: Peer, flags: number, src: string, dst: string): boolean {
  const b = new Uint8Array(44);
  const before = p.host.connectionCount;
  writeTcp(b, 20, 4000, 80, p.peerIss, 0, flags, 1000, 0, 0);
  finishTcp(b, 20, 24, pseudoSum4(w(src), w(dst), 6, 24));
  writeIpv4(b, 0, 24, 1, 64, 6, 0, w(src), w(dst), true);
  p.inject(b, b.length);
  return p.out().length > 0 || p.host.connectionCount !== before;
}

const GROUPS = ['10.0.0.255', '255.255.255.255', '224.0.0.1', '239.255.255.250'];

describe('addresses (§3.9.1.1, §3.9.2.3)', () => {
  test('LISTEN: a SYN from a host to our address is noticed: what the next ones are compared with', () => {
    const p = new Peer();
    listening(p);
    expect(noticed(p, 2, '10.0.0.2', '10.0.0.1')).toBe(true);
  });

  test.each(GROUPS)('LISTEN: a SYN to %s is discarded in silence (row 114 MUST-57)', (dst) => {
    const p = new Peer();
    listening(p);
    expect(noticed(p, 2, '10.0.0.2', dst)).toBe(false);
  });

  test.each(GROUPS)('CLOSED and LISTEN: no segment to %s is answered, whatever it is (row 58 MUST-57)', (dst) => {
    for (const flags of [0, 1, 2, 16, 17, 18, 24]) {
      const p = new Peer();
      expect(noticed(p, flags, '10.0.0.2', dst)).toBe(false);
      listening(p);
      expect(noticed(p, flags, '10.0.0.2', dst)).toBe(false);
    }
  });

  test.each([...GROUPS, '0.0.0.0', '127.0.0.1', '240.0.0.1', '10.0.0.1'])(
    'LISTEN: a SYN from %s is ignored (row 113 MUST-63)',
    (src) => {
      const p = new Peer();
      listening(p);
      expect(noticed(p, 2, src, '10.0.0.1')).toBe(false);
    },
  );

  test.each([...GROUPS, '0.0.0.0', '::', 'ff02::1'])(
    'CLOSED: OPEN to %s is an error, and nothing is sent (row 57 MUST-46, row 112 MUST-46)',
    (address) => {
      const p = new Peer();
      const a = app();
      a.attach(p.host.connect({ address, port: 80 }));
      expect(p.advance(10_000)).toEqual([]);
      expect(a.log).toEqual(['closed ENETUNREACH']);
    },
  );

  test('every segment of a connection has the local address that its first one had (row 56 MUST-45)', () => {
    const p = new Peer();
    p.host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.7/24'] });
    const { a } = { a: established(p) };
    a.connection!.send(new Uint8Array(3000), 0, 3000);
    p.send('. 1 ack=1001');
    p.advance(2000);
    p.send('P. 1:10 ack=3001');
    a.connection!.shutdown();
    p.send('F. 11 ack=3002');
    p.out();
    expect(p.packets.length).toBeGreaterThan(6);
    expect(new Set(p.packets.map((packet) => packet.subarray(12, 16).join('.')))).toEqual(new Set(['10.0.0.1']));
  });
});
