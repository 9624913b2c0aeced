// A host that speaks to itself: 127/8, ::1 and its own addresses, without a link and without re-entry.

import { describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.ts';
import { ping } from '../../src/host/ping.ts';
import { udp } from '../../src/host/udp.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { drain, end, feed, program } from './wire.ts';

const KEY = new Uint8Array(16).fill(3);

function selfish(): Host {
  const host = new Host({ name: 'self', key: KEY });
  host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.1/24', 'fd00::1/64'] });
  return host;
}

/** The owner's loop for a host without links: until nothing is due before `until`. */
function run(host: Host, until = host.now): void {
  for (let n = 0; n < 100_000; n++) {
    for (let turns = 0; host.deliver(); turns++) if (turns > 100_000) throw new Error('deliver never ends');
    const at = host.nextDeadline();
    if (at > until) {
      host.tick(until);
      return;
    }
    host.timersFire(at);
  }
  throw new Error('the host spins');
}

describe('connections to itself', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.9.8.7', '127.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['fd00::1', 'fd00::1'],
  ])('to %s from %s: octets both ways, and the whole life', (address, from) => {
    const host = selfish();
    const served: ReturnType<typeof program>[] = [];
    host.listen({ port: 80 }, (s) => served.push(program(s, true)));
    const c = host.connect({ address, port: 80 });
    const p = program(c);
    const octets = Uint8Array.from({ length: 300_000 }, (_, k) => (k * 7 + (k >> 8)) & 0xff);
    expect(c.send(octets, 0, octets.length)).toBe(octets.length);
    c.shutdown();
    run(host, 10);
    expect(c.localAddress).toBe(from);
    expect(Uint8Array.from(served[0]!.read)).toEqual(octets);
    expect([p.log, served[0]!.log]).toEqual([
      ['open', 'ended', 'closed'],
      ['ended', 'closed'],
    ]);
    run(host, 100_000);
    expect([host.connectionCount, host.portsInUse, host.timersArmed, host.chunks.inUse]).toEqual([0, 0, 0, 0]);
  });

  test('a host without interfaces has itself', () => {
    const host = new Host({ key: KEY });
    const got: string[] = [];
    host.listen({ port: 80, address: '127.0.0.1' }, (s) => got.push(s.remoteAddress));
    host.connect({ address: '127.0.0.1', port: 80 });
    run(host, 10);
    expect(got).toEqual(['127.0.0.1']);
  });

  test('where nobody listens: ECONNREFUSED', () => {
    const host = selfish();
    const p = program(host.connect({ address: '127.0.0.1', port: 80 }));
    run(host, 10);
    expect(p.log).toEqual(['closed ECONNREFUSED']);
  });

  test('a listener on one address is not reached by another', () => {
    const host = selfish();
    host.listen({ port: 80, address: '127.0.0.1' }, () => undefined);
    const p = program(host.connect({ address: '10.0.0.1', port: 80 }));
    run(host, 10);
    expect(p.log).toEqual(['closed ECONNREFUSED']);
  });

  test('nothing happens inside a call: neither connect nor send runs a handler or moves the peer', () => {
    const host = selfish();
    let accepted: Connection | null = null;
    host.listen({ port: 80 }, (s) => {
      accepted = s;
    });
    const c = host.connect({ address: '127.0.0.1', port: 80 });
    expect([c.state, accepted, host.connectionCount]).toEqual(['SYN-SENT', null, 1]);
    run(host);
    expect(c.state).toBe('ESTABLISHED');
    c.send(new Uint8Array(5), 0, 5);
    expect(accepted!.readable).toBe(0);
    run(host);
    expect(accepted!.readable).toBe(5);
  });

  test('the chosen port is never the one that is called: no connection with itself', () => {
    for (let n = 0; n < 16; n++) {
      const key = new Uint8Array(16).fill(n >> 1);
      const host = new Host({ key, profile: { ephemeralFrom: 50_000, ephemeralTo: 50_002 } });
      const c = host.connect({ address: '127.0.0.1', port: 50_000 + (n & 1) });
      expect(c.localPort).not.toBe(c.remotePort);
      c.abort();
      run(host);
    }
  });

  test('what is only known inside does not go out', () => {
    const host = selfish();
    const p = program(host.connect({ address: '10.0.0.2', port: 80, localAddress: '127.0.0.1' }));
    run(host);
    expect(p.log).toEqual(['closed EADDRNOTAVAIL']);
  });
});

describe('owners', () => {
  test('two programs that never stop talking let the owner have its turn', () => {
    const host = selfish();
    let rounds = 0;
    const talk = {
      onReadable: (c: Connection) => {
        const octet = new Uint8Array(1);
        if (c.read(octet, 0, 1) === 1) c.send(octet, 0, 1);
        rounds++;
      },
    };
    host.listen({ port: 80 }, (s) => {
      s.handler = talk as never;
    });
    const c = host.connect({ address: '127.0.0.1', port: 80 });
    c.handler = talk as never;
    c.send(new Uint8Array(1), 0, 1);
    let turns = 0;
    while (host.deliver() && turns < 1e6) turns++;
    expect(turns).toBeLessThan(1e6);
    expect(rounds).toBeGreaterThan(100);
    // And it goes on, as soon as the owner asks what is next.
    expect(host.nextDeadline()).toBe(host.now);
    const before = rounds;
    host.deliver();
    expect(rounds).toBeGreaterThan(before);
  });

  test('a command wakes the owner, and what it made is due at once', () => {
    const host = selfish();
    let woken = 0;
    host.onWake = () => woken++;
    run(host);
    host.connect({ address: '127.0.0.1', port: 80 });
    expect([woken > 0, host.nextDeadline()]).toEqual([true, 0]);
  });
});

describe('besides TCP', () => {
  test.each(['127.0.0.1', '10.0.0.1', '::1', 'fd00::1'])('ping %s', (address) => {
    const host = selfish();
    const told: (string | number)[] = [];
    ping(host, { address }, (error, rtt) => told.push(error?.code ?? rtt));
    run(host, 10);
    expect(told).toEqual([0]);
  });

  test('UDP, and the error where no socket is', () => {
    const host = selfish();
    const told: string[] = [];
    const server = udp(host, { port: 53 });
    const client = udp(host);
    server.handler = {
      onMessage: (_s, bytes, address, port) => told.push(`${bytes.length} of ${address} ${port === client.port}`),
    };
    client.handler = { onError: (_s, error) => told.push(error.code) };
    client.connect('127.0.0.1', 54);
    expect(client.send(new Uint8Array(3), '127.0.0.1', 53)).toBeNull();
    expect(client.send(new Uint8Array(3))).toBeNull();
    run(host, 10);
    expect(told).toEqual(['3 of 127.0.0.1 true', 'ECONNREFUSED']);
  });
});

describe('from a wire', () => {
  test('a packet to or from 127/8, or from ourselves, is not taken', () => {
    const [a, b] = [end('a', '10.0.0.1/24'), end('b', '10.0.0.2/24')];
    ping(a.host, { address: '10.0.0.2' }, () => undefined);
    const [request] = drain(a);
    const forged = (at: number, ...address: number[]): Uint8Array => {
      const packet = request!.slice();
      packet.set(address, at);
      packet.set([0, 0], 10);
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!;
      sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
      packet.set([sum >> 8, sum & 0xff], 10);
      return packet;
    };
    feed(b, forged(16, 127, 0, 0, 1));
    feed(b, forged(12, 127, 0, 0, 1));
    feed(b, forged(12, 10, 0, 0, 2));
    expect(drain(b)).toEqual([]);
    expect(b.host.counters.drops).toEqual({ 'not-for-us': 1, 'ip-bad-source': 2 });
  });
});
