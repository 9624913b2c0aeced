// RFC 9293 §3.9, interfaces: what the program can ask for (§3.9.1), and what is asked of IP (§3.9.2).

import { describe, expect, test } from 'vitest';
import { RxMeta } from '../../src/base/packet.ts';
import { Host } from '../../src/host/host.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { Ipv4Header, parseIpv4, pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { finishTcp, verifyTcp, writeTcp } from '../../src/wire/tcp.ts';
import { drain, type End } from '../host/wire.ts';
import { app, established, listening, octets, Peer, synSent } from './peer.ts';

function header(packet: Uint8Array): Ipv4Header {
  const ip = new Ipv4Header();
  expect(parseIpv4(packet, 0, packet.length, ip)).toBe(null);
  return ip;
}

describe('OPEN (§3.9.1.1)', () => {
  const twoHomes = (): End => {
    const host = new Host({ key: new Uint8Array(16).fill(1) });
    const iface = host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.1/24', '10.0.0.7/24'] });
    return { host, iface, trace: [] };
  };

  test('without a local address the one of the route is used (row 55 MUST-44), with one that one is (row 123 MUST-43)', () => {
    const e = twoHomes();
    const route = e.host.connect({ address: '10.0.0.2', port: 80 });
    const asked = e.host.connect({ address: '10.0.0.2', port: 80, localAddress: '10.0.0.7' });
    expect([route.localAddress, asked.localAddress]).toEqual(['10.0.0.1', '10.0.0.7']);
    const sources = drain(e).map((packet) => header(packet).src & 0xff);
    expect(sources.sort()).toEqual([1, 7]);
  });

  test('a listener may be bound to one address: SYNs to others of ours are refused', () => {
    const p = new Peer();
    p.host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.1.0.1/24'] });
    p.host.listen({ port: 80, address: '10.1.0.1' }, () => undefined);
    p.send('S 0 mss=1000');
    expect(p.out()).toEqual(['R. 0 ack=1']);
  });

  test('a port can be listened on while connections with it open, actively and passively (row 54 MUST-42)', () => {
    const p = new Peer();
    const active = p.host.connect({ address: '10.0.0.2', port: 4000, localPort: 80 });
    p.out();
    expect(active.state).toBe('SYN-SENT');
    const a = listening(p);
    p.peerPort = 4001;
    p.send('S 0 mss=1000');
    expect(p.out()).toHaveLength(1);
    const passive = p.host.connections().find((c) => c !== active)!;
    expect(passive.state).toBe('SYN-RECEIVED');
    // The one port has a connection in each state and a listener; a second, on another port, is no trouble either.
    expect([a.listener!.port, active.localPort, passive.localPort]).toEqual([80, 80, 80]);
    a.listener!.close();
    p.host.listen({ port: 80 }, () => undefined);
    p.peerPort = 4002;
    p.send('S 0 mss=1000');
    expect(p.out().some((l) => l.startsWith('S. '))).toBe(true);
    expect(active.state).toBe('SYN-SENT');
  });

  test('of a listener for all addresses and an open connection neither disturbs the other (row 53 MUST-41)', () => {
    const p = new Peer();
    const a = established(p);
    const again = app();
    p.peerPort = 4001;
    p.send('S 0 mss=1000');
    p.peerPort = 4000;
    p.out();
    p.send('P. 1:4 ack=1');
    expect(a.read).toEqual(octets(1, 5));
    expect(again.log).toEqual([]);
  });
});

describe('SEND, RECEIVE, CLOSE, ABORT as the program calls them (§3.9.1.2 to §3.9.1.8)', () => {
  test('send after shutdown is a mistake of the program, and thrown; after the end it takes nothing', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.shutdown();
    expect(() => a.connection!.send(new Uint8Array(1), 0, 1)).toThrow(/after shutdown/);
    const q = new Peer();
    const b = established(q);
    q.send('R 1');
    expect(b.connection!.send(new Uint8Array(1), 0, 1)).toBe(0);
    expect(b.connection!.writable).toBe(0);
  });

  test('send takes as much as there is room for, and onWritable follows when there is room again', () => {
    const p = new Peer({ profile: { sendBuffer: 4000 } });
    const a = established(p);
    expect(a.connection!.send(new Uint8Array(5000), 0, 5000)).toBe(4000);
    p.out();
    expect(a.log).toEqual(['accept']);
    p.send('. 1 ack=4001');
    expect(a.log).toEqual(['accept', 'writable']);
    expect(a.connection!.writable).toBe(4000);
  });

  test('what the program gave is copied: it may use its buffer again at once', () => {
    const p = new Peer();
    const a = established(p);
    const mine = new Uint8Array(10).fill(5);
    a.connection!.send(mine, 0, 10);
    mine.fill(9);
    p.out();
    expect([...p.payload.values()]).toEqual(Array(10).fill(5));
  });

  test('the program that aborts is told once, and its peer by RST with the right numbers (§3.9.1.6)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(10), 0, 10);
    p.out();
    a.connection!.abort();
    expect(p.out()).toEqual(['R. 11 ack=1']);
    expect(a.log).toEqual(['accept', 'closed']);
  });

  test('reading piece by piece gives the same octets as reading all', () => {
    const p = new Peer();
    const a = established(p, { reads: false });
    p.send('P. 1:1000 ack=1');
    const c = a.connection!;
    const into = new Uint8Array(2000);
    expect(c.read(into, 0, 10)).toBe(10);
    expect([...c.peek().subarray(0, 3)]).toEqual([11, 12, 13]);
    c.consume(90);
    expect(c.read(into, 100, 2000)).toBe(900);
    expect([...into.subarray(100, 1000)]).toEqual(octets(101, 1001));
    expect(c.read(into, 0, 10)).toBe(0);
    expect(() => c.consume(1)).toThrow(RangeError);
  });
});

describe('IP (§3.9.2)', () => {
  test('the TTL is a setting, 64 by default (row 77 MUST-49)', () => {
    for (const ttl of [64, 3]) {
      const p = new Peer({ profile: { ttl } });
      synSent(p);
      expect(header(p.packets[0]!).ttl).toBe(ttl);
    }
  });

  test('segments are sent with "don’t fragment" and a checksum that is right (row 46 MUST-2)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(5000).fill(0xff), 0, 5000);
    a.connection!.shutdown();
    p.out();
    for (const packet of p.packets) {
      const ip = header(packet);
      expect(packet[6]! & 0x40).toBe(0x40);
      const sum = pseudoSum4(ip.src, ip.dst, 6, ip.payloadTo - ip.payloadFrom);
      expect(verifyTcp(packet, ip.payloadFrom, ip.payloadTo, sum)).toBe(true);
    }
    expect(p.packets.length).toBeGreaterThan(5);
  });

  test('IP options are skipped: the segment behind them is found (row 98 MUST-50)', () => {
    const p = new Peer();
    listening(p);
    const b = new Uint8Array(48);
    const src = parseAddress('10.0.0.2')!.w3;
    const dst = parseAddress('10.0.0.1')!.w3;
    // Two words of options: record route with room for one address, and the end.
    b.set([0x47, 0, 0, 48, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 7, 7, 4, 0, 0, 0, 0, 0]);
    let sum = 0;
    for (let k = 0; k < 28; k += 2) sum += (b[k]! << 8) | b[k + 1]!;
    sum = (sum & 0xffff) + (sum >> 16);
    b[10] = (~sum >> 8) & 0xff;
    b[11] = ~sum & 0xff;
    writeTcp(b, 28, 4000, 80, p.peerIss, 0, 2, 1000, 0, 0);
    finishTcp(b, 28, 20, pseudoSum4(src, dst, 6, 20));
    p.inject(b, 48);
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
  });

  test('identifications of packets differ, so that their fragments cannot be confused', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(10_000), 0, 10_000);
    p.out();
    const ids = p.packets.map((packet) => (packet[4]! << 8) | packet[5]!);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a checksum that the link has verified is not looked at again', () => {
    const p = new Peer();
    listening(p);
    const b = new Uint8Array(40);
    writeTcp(b, 20, 4000, 80, p.peerIss, 0, 2, 1000, 0, 0);
    writeIpv4(b, 0, 20, 1, 64, 6, 0, parseAddress('10.0.0.2')!.w3, parseAddress('10.0.0.1')!.w3, true);
    const meta = new RxMeta();
    p.host.receive(p.iface, b, 0, 40, meta, p.now);
    expect(p.host.connectionCount).toBe(0);
    meta.checksum = 1;
    p.host.receive(p.iface, b, 0, 40, meta, p.now);
    expect(p.host.connectionCount).toBe(1);
  });
});
