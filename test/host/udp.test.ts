import { describe, expect, test } from 'vitest';

import type { NetError } from '../../src/base/errors.ts';
import { RxMeta } from '../../src/base/packet.ts';
import { REPLY_LIMIT } from '../../src/host/replies.ts';
import { UDP_RECEIVE_LIMIT, type UdpSocket, udp } from '../../src/host/udp.ts';
import { drain, type End, end, feed, run } from './wire.ts';

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const bytes = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** Writes down what a socket is told. */
function log(socket: UdpSocket): string[] {
  const told: string[] = [];
  socket.handler = {
    onMessage: (_, b, address, port) => told.push(`${text(b)} from ${address} ${port}`),
    onError: (_, e) => told.push(e.message),
    onClose: (_, e) => told.push(`closed ${e === null ? 'well' : e.code}`),
  };
  return told;
}

const FAMILIES = [
  ['IPv4', '10.0.0.1', '10.0.0.2', '/24', 28],
  ['IPv6', 'fd00::1', 'fd00::2', '/64', 48],
] as const;

describe.each(FAMILIES)('UDP over %s', (_, one, two, prefix, headers) => {
  const pair = (): [End, End] => [end('a', one + prefix), end('b', two + prefix)];

  test('a datagram and its answer travel whole, an empty one too', () => {
    const [a, b] = pair();
    const client = udp(a.host);
    const server = udp(b.host, { port: 53 });
    const told = log(client);
    server.handler = { onMessage: (s, m, address, port) => s.send(bytes(`<${text(m)}>`), address.toString(), port) };
    expect(client.send(bytes('who'), two, 53)).toBeNull();
    expect(client.send(new Uint8Array(0), two, 53)).toBeNull();
    run(a, b, 10);
    expect(told).toEqual([`<who> from ${two} 53`, `<> from ${two} 53`]);
    expect([a.host.counters.datagramsOut, b.host.counters.datagramsIn]).toEqual([2, 2]);
  });

  test('the largest datagram fits the MTU exactly; one octet more is EMSGSIZE and nothing is sent', () => {
    const [a, b] = pair();
    const socket = udp(a.host);
    const told = log(udp(b.host, { port: 9 }));
    expect(socket.send(new Uint8Array(1500 - headers + 1), two, 9)?.code).toBe('EMSGSIZE');
    expect(drain(a)).toEqual([]);
    expect(socket.send(new Uint8Array(1500 - headers), two, 9)).toBeNull();
    run(a, b, 10);
    expect(told).toHaveLength(1);
  });

  test('nobody there: a connected socket and an unconnected one are both told, and live on', () => {
    const [a, b] = pair();
    const connected = udp(a.host);
    connected.connect(two, 9);
    const told = log(connected);
    const other = log(udp(a.host, { port: 777 }));
    connected.send(bytes('x'));
    run(a, b, 10);
    expect(told).toEqual([`read ECONNREFUSED ${two}:9`]);
    expect(other).toEqual([]);
    expect(connected.open).toBe(true);
    const late = log(udp(b.host, { port: 9 }));
    connected.send(bytes('again'));
    run(a, b, 10);
    expect(late).toEqual([`again from ${one} ${connected.port}`]);
  });

  test('a connected socket hears its peer alone, before others of the same port', () => {
    const [a, b] = pair();
    const all = udp(b.host, { port: 7, reuseAddress: true });
    const mine = udp(b.host, { port: 7, reuseAddress: true });
    const x = udp(a.host, { port: 1000 });
    const y = udp(a.host, { port: 2000 });
    mine.connect(one, 1000);
    const [toAll, toMine] = [log(all), log(mine)];
    x.send(bytes('x'), two, 7);
    y.send(bytes('y'), two, 7);
    run(a, b, 10);
    expect(toMine).toEqual([`x from ${one} 1000`]);
    expect(toAll).toEqual([`y from ${one} 2000`]);
    mine.disconnect();
    x.send(bytes('z'), two, 7);
    run(a, b, 10);
    // Of equals the one that was bound last.
    expect(toMine).toEqual([`x from ${one} 1000`, `z from ${one} 1000`]);
  });

  test('the address a socket is bound to is the source, and outranks the wildcard', () => {
    const [a, b] = pair();
    const wild = log(udp(b.host, { port: 7, reuseAddress: true }));
    const bound = log(udp(b.host, { port: 7, address: two, reuseAddress: true }));
    udp(a.host, { address: one, port: 4000 }).send(bytes('q'), two, 7);
    run(a, b, 10);
    expect(wild).toEqual([]);
    expect(bound).toEqual([`q from ${one} 4000`]);
  });

  test('a socket keeps no more than its limit; the rest is dropped, counted, and room comes back', () => {
    const [a, b] = pair();
    const socket = udp(b.host, { port: 7 });
    const sender = udp(a.host);
    const each = 1000;
    const fits = Math.floor(UDP_RECEIVE_LIMIT / (each + 256));
    for (let n = 0; n < fits + 5; n++) {
      sender.send(new Uint8Array(each), two, 7);
      for (const p of drain(a)) feed(b, p);
    }
    expect(socket.readable).toBe(fits * each);
    expect(b.host.counters.drops['udp-queue-full']).toBe(5);
    const told = log(socket);
    sender.send(bytes('x'), two, 7);
    for (const p of drain(a)) feed(b, p);
    sender.send(bytes('y'), two, 7);
    for (const p of drain(a)) feed(b, p);
    drain(b);
    expect(told.at(-1)).toBe(`y from ${one} ${sender.port}`);
  });
});

const two = '10.0.0.2';
const pair = (): [End, End] => [end('a', '10.0.0.1/24'), end('b', `${two}/24`)];

test('a port is taken once, unless both say that they share it', () => {
  const [a] = pair();
  udp(a.host, { port: 7, address: '10.0.0.1' });
  expect(() => udp(a.host, { port: 7 })).toThrow('bind EADDRINUSE');
  expect(() => udp(a.host, { port: 7, reuseAddress: true })).toThrow('bind EADDRINUSE');
  // The families are apart where one asks for IPv6 alone.
  expect(udp(a.host, { port: 7, address: '::', ipv6Only: true }).port).toBe(7);
  expect(() => udp(a.host, { port: 8, address: '10.9.9.9' })).toThrow('bind EADDRNOTAVAIL 10.9.9.9:8');
  expect(() => udp(a.host, { port: 70_000 })).toThrow('port 70000 is not in 0..65535');
});

test('a closed socket is told once, gives its port back, and hears nothing more', () => {
  const [a, b] = pair();
  const socket = udp(b.host, { port: 7 });
  const told = log(socket);
  udp(a.host).send(bytes('late'), two, 7);
  for (const p of drain(a)) b.host.receive(b.iface, p, 0, p.length, new RxMeta(), 0);
  socket.close();
  socket.close();
  drain(b);
  expect(told).toEqual(['closed well']);
  expect(b.host.datagrams?.count).toBe(0);
  expect(() => socket.send(bytes('x'), '10.0.0.1', 1)).toThrow('the socket is closed');
  expect(udp(b.host, { port: 7 }).port).toBe(7);
});

test('the end of the host ends its sockets with ECONNABORTED', () => {
  const [a] = pair();
  const told = log(udp(a.host));
  a.host.close();
  drain(a);
  expect(told).toEqual(['closed ECONNABORTED']);
});

test('no way to the peer: ENETUNREACH; neither to a group nor to the other family', () => {
  const [a] = pair();
  const socket = udp(a.host);
  for (const address of ['192.0.2.1', 'fd00::9', '224.0.0.1', '0.0.0.0']) {
    const error = socket.send(bytes('x'), address, 9) as NetError;
    expect([address, error?.code, error?.syscall]).toEqual([address, 'ENETUNREACH', 'send']);
  }
  expect(udp(a.host, { address: '::', ipv6Only: true }).send(bytes('x'), two, 9)?.code).toBe('ENETUNREACH');
});

test('a broadcast needs leave, reaches every socket of the port that is bound to no address, and is never refused', () => {
  const mac = (n: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, n);
  const a = end('a', '10.0.0.1/24', {}, mac(1));
  const b = end('b', '10.0.0.2/24', {}, mac(2));
  const sender = udp(a.host, { port: 68 });
  expect(sender.send(bytes('x'), '10.0.0.255', 67)?.code).toBe('EACCES');
  sender.broadcast = true;
  const logs = [
    log(udp(b.host, { port: 67, reuseAddress: true })),
    log(udp(b.host, { port: 67, reuseAddress: true })),
    log(udp(b.host, { port: 67, address: two, reuseAddress: true })),
  ];
  for (const address of ['10.0.0.255', '255.255.255.255']) {
    expect(sender.send(bytes(address), address, 67)).toBeNull();
    const frames = drain(a);
    expect(frames.map((f) => [...f.subarray(0, 6)])).toEqual([[255, 255, 255, 255, 255, 255]]);
    for (const f of frames) feed(b, f);
  }
  const both = ['10.0.0.255 from 10.0.0.1 68', '255.255.255.255 from 10.0.0.1 68'];
  expect(logs).toEqual([both, both, []]);
  sender.send(bytes('x'), '10.0.0.255', 99);
  for (const f of drain(a)) feed(b, f);
  expect(drain(b)).toEqual([]);
  expect(b.host.counters.drops['udp-no-port']).toBe(1);
});

test('over Ethernet a datagram waits for its neighbour; one that is not found costs no other', () => {
  const mac = (n: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, n);
  const a = end('a', '10.0.0.1/24', {}, mac(1));
  const b = end('b', '10.0.0.2/24', {}, mac(2));
  const sender = udp(a.host);
  const told = log(udp(b.host, { port: 7 }));
  sender.send(bytes('lost'), '10.0.0.77', 7);
  sender.send(bytes('here'), two, 7);
  run(a, b, 10_000);
  expect(told).toEqual([`here from 10.0.0.1 ${sender.port}`]);
  expect(a.host.counters.drops['neighbour-unresolved']).toBe(1);
});

test('what waits for the link is bounded: ENOBUFS, and replies have a queue of their own', () => {
  const [a] = pair();
  const sender = udp(a.host);
  const results = Array.from({ length: 300 }, () => sender.send(bytes('x'), two, 7)?.code ?? 'queued');
  expect(results.filter((r) => r === 'queued')).toHaveLength(256);
  expect(results.at(-1)).toBe('ENOBUFS');
  expect(REPLY_LIMIT).toBeLessThan(256);
  expect(drain(a)).toHaveLength(256);
  expect(sender.send(bytes('x'), two, 7)).toBeNull();
});

test('a flood of datagrams and a bulk of segments share the link in turns', () => {
  const [a, b] = pair();
  b.host.listen({ port: 80 }, () => undefined);
  const c = a.host.connect({ address: two, port: 80 });
  run(a, b, 100);
  c.send(new Uint8Array(8 * 1460), 0, 8 * 1460);
  const sender = udp(a.host);
  for (let n = 0; n < 8; n++) sender.send(new Uint8Array(100), two, 7);
  const kinds = drain(a).map((p) => p[9]);
  expect(kinds.slice(0, 10).filter((k) => k === 17)).toHaveLength(5);
  expect(kinds.filter((k) => k === 17)).toHaveLength(8);
});

test('ephemeral ports differ, and none that is taken is chosen', () => {
  const [a] = pair();
  const ports = new Set(Array.from({ length: 200 }, () => udp(a.host).port));
  expect(ports.size).toBe(200);
  const { ephemeralFrom, ephemeralTo } = a.host.profile;
  for (const p of ports) expect(p >= ephemeralFrom && p < ephemeralTo).toBe(true);
});
