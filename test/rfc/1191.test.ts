// RFC 1191 and RFC 8201, path MTU discovery, and RFC 4821 against paths that drop and say nothing.

import { describe, expect, test } from 'vitest';
import { address4, parseAddress } from '../../src/wire/address.ts';
import { ICMP_UNREACHABLE, writeIcmpError } from '../../src/wire/icmp.ts';
import { writeIpv4 } from '../../src/wire/ipv4.ts';
import { writeTcp } from '../../src/wire/tcp.ts';
import { Peer, synSent } from './peer.ts';

const HOST = parseAddress('10.0.0.1')!;
const ROUTER = parseAddress('10.0.0.9')!;

/** "Fragmentation needed" about the segment with this sequence number on the page. */
function tooBig(p: Peer, seq: number, mtu: number): void {
  const quoted = new Uint8Array(40);
  writeIpv4(quoted, 0, 1480, 1, 63, 6, 0, HOST.w3, parseAddress('10.0.0.2')!.w3, true);
  writeTcp(quoted, 20, p.hostPort, p.peerPort, (p.hostIss + seq) | 0, 0, 16, 0, 0, 0);
  const out = new Uint8Array(200);
  const end = writeIcmpError(out, 20, ICMP_UNREACHABLE, 4, mtu, quoted, 0, quoted.length);
  writeIpv4(out, 0, end - 20, 7, 64, 1, 0, ROUTER.w3, address4(HOST.w3).w3, false);
  p.inject(out, end);
}

function flying(p: Peer): ReturnType<typeof synSent> {
  const a = synSent(p);
  p.advance(100);
  p.send('S. 0 ack=1 mss=1460');
  p.out();
  a.connection.send(new Uint8Array(14_600), 0, 14_600);
  expect(p.out().length).toBe(10);
  return a;
}

describe('a router says that a packet was too large', () => {
  test('ESTABLISHED: what cannot pass is sent again, cut, and the window stays', () => {
    const p = new Peer();
    const a = flying(p);
    const before = a.connection.cc.cwnd;
    tooBig(p, 1, 1000);
    const lines = p.out();
    expect(lines[0]).toBe('. 1:960 ack=1');
    expect(lines[1]).toBe('. 961:500 ack=1');
    expect(lines.every((l) => Number(l.split(':')[1]!.split(' ')[0]) <= 960)).toBe(true);
    expect(a.connection.cc.cwnd).toBe(before);
    expect(a.connection.retries).toBe(0);
  });

  test('the whole transfer arrives in segments that pass', () => {
    const p = new Peer();
    const a = flying(p);
    tooBig(p, 1, 1000);
    for (let n = 0; n < 200 && a.connection.queued > 0; n++) {
      p.out();
      p.send(`. 1 ack=${(a.connection.snd.nxt - a.connection.snd.iss) | 0}`);
    }
    expect(a.connection.queued).toBe(0);
    expect(p.payload.size).toBe(14_600);
  });

  test('an absurd MTU is raised to the floor (trap 36)', () => {
    const p = new Peer();
    const a = flying(p);
    tooBig(p, 1, 68);
    expect(a.connection.snd.mss).toBe(552 - 40);
    tooBig(p, 1, 0);
    expect(a.connection.snd.mss).toBe(552 - 40);
  });

  test('a quote of what is not in flight is not believed', () => {
    const p = new Peer();
    const a = flying(p);
    tooBig(p, 900_000, 600);
    tooBig(p, 0, 600);
    expect(a.connection.snd.mss).toBe(1460);
    expect(p.drops('icmp-unmatched')).toBe(2);
  });

  test('a larger MTU than ours changes nothing', () => {
    const p = new Peer();
    const a = flying(p);
    tooBig(p, 1, 9000);
    expect(a.connection.snd.mss).toBe(1460);
    expect(p.out()).toEqual([]);
  });

  test('the next connection to the same peer begins with it, for ten minutes', () => {
    const p = new Peer();
    flying(p);
    tooBig(p, 1, 1000);
    p.out();
    const next = (): number => {
      const c = p.host.connect({ address: '10.0.0.2', port: 4001 });
      p.hostPort = c.localPort;
      p.peerPort = 4001;
      p.out();
      p.hostIss = c.snd.iss;
      p.send('S. 0 ack=1 mss=1460');
      const { mss } = c.snd;
      c.abort();
      p.out();
      return mss;
    };
    expect(next()).toBe(960);
    p.advance(600_001);
    expect(next()).toBe(1460);
  });
});

describe('a path that drops what is large and says nothing (trap 37)', () => {
  test('after three retransmissions of a full segment, smaller ones are tried', () => {
    const p = new Peer();
    const a = flying(p);
    const sizes = new Set<number>();
    // Everything above 1,000 octets is dropped; what is smaller is acknowledged when it is next in order.
    let acked = 1;
    for (let n = 0; n < 400 && a.connection.queued > 0; n++) {
      for (const line of p.advance(250)) {
        const [seq, len] = line
          .replace(/^@\d+ /, '')
          .split(' ')[1]!
          .split(':')
          .map(Number);
        if (len === undefined) continue;
        sizes.add(len);
        if (len <= 1000 && seq === acked) acked += len;
      }
      p.send(`. 1 ack=${acked}`);
    }
    expect(a.connection.queued).toBe(0);
    expect(sizes.has(1460)).toBe(true);
    expect(a.connection.snd.mss).toBe(512);
  });

  test('it can be turned off', () => {
    const p = new Peer({ profile: { mtuProbing: 'off' } });
    const a = flying(p);
    p.advance(30_000);
    expect(a.connection.snd.mss).toBe(1460);
  });
});
