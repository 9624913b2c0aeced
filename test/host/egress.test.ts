// Who sends next: connections in turn, control segments first, and deadlines that are exact.

import { describe, expect, test } from 'vitest';
import { TxMeta } from '../../src/base/packet.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { parseTcp, Segment } from '../../src/wire/tcp.ts';
import { drain, type End, end, feed, program, run } from './wire.ts';

/** Two ends with `count` connections that are ESTABLISHED. */
function bulk(count: number): { a: End; b: End; all: Connection[] } {
  const a = end('a', '10.0.0.1/24');
  const b = end('b', '10.0.0.2/24');
  b.host.listen({ port: 80 }, (s) => program(s));
  const all: Connection[] = [];
  for (let n = 0; n < count; n++) all.push(a.host.connect({ address: '10.0.0.2', port: 80 }));
  run(a, b, 10);
  expect(all.map((c) => c.state)).toEqual(Array(count).fill('ESTABLISHED'));
  return { a, b, all };
}

/** Source port and payload octets of each packet. */
function segments(packets: readonly Uint8Array[]): { port: number; len: number; flags: number }[] {
  const seg = new Segment();
  return packets.map((packet) => {
    expect(parseTcp(packet, 20, packet.length, seg)).toBe(null);
    return { port: seg.srcPort, len: seg.len, flags: seg.flags };
  });
}

describe('fairness', () => {
  test('two bulk connections alternate, segment by segment', () => {
    const { a, all } = bulk(2);
    for (const c of all) c.send(new Uint8Array(100_000), 0, 100_000);
    const ports = segments(drain(a)).map((s) => s.port);
    expect(ports).toHaveLength(20);
    for (let k = 2; k < ports.length; k++) expect(ports[k]).toBe(ports[k - 2]);
    expect(ports[0]).not.toBe(ports[1]);
  });

  test('ten connections get the same share, whoever began', () => {
    const { a, all } = bulk(10);
    all[0]!.send(new Uint8Array(200_000), 0, 200_000);
    const out = new Uint8Array(2000);
    const meta = new TxMeta();
    a.host.transmit(a.iface, out, 0, meta, a.host.now);
    for (const c of all.slice(1)) c.send(new Uint8Array(200_000), 0, 200_000);
    const share = new Map<number, number>();
    for (const s of segments(drain(a).slice(0, 50))) share.set(s.port, (share.get(s.port) ?? 0) + 1);
    expect(share.size).toBe(10);
    expect(Math.max(...share.values()) - Math.min(...share.values())).toBeLessThanOrEqual(1);
  });

  test('control segments go before data', () => {
    const { a, all } = bulk(3);
    all[0]!.send(new Uint8Array(100_000), 0, 100_000);
    all[1]!.send(new Uint8Array(100_000), 0, 100_000);
    all[2]!.abort();
    expect(segments(drain(a))[0]!.flags & 4).toBe(4);
  });
});

describe('deadlines', () => {
  test('nothing to do: Infinity; something to send: now; a timer: exactly when', () => {
    const { a, b, all } = bulk(1);
    expect(a.host.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    all[0]!.send(new Uint8Array(10), 0, 10);
    expect(a.host.nextDeadline()).toBe(a.host.now);
    drain(a);
    expect(a.host.nextDeadline()).toBe(a.host.now + 200);
    expect(b.host.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('a link that is full: what waits does not count as due, timers do', () => {
    const { a, all } = bulk(1);
    all[0]!.send(new Uint8Array(10), 0, 10);
    a.iface.full = true;
    expect(a.host.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    a.iface.full = false;
    expect(a.host.nextDeadline()).toBe(a.host.now);
  });

  test('timers that fire too early, twice or for nothing change nothing', () => {
    const { a, all } = bulk(1);
    all[0]!.send(new Uint8Array(10), 0, 10);
    const first = drain(a);
    expect(first).toHaveLength(1);
    for (let n = 0; n < 5; n++) a.host.timersFire(a.host.now + 30);
    expect(drain(a)).toEqual([]);
    a.host.timersFire(a.host.now + 100);
    a.host.timersFire(a.host.now);
    expect(drain(a)).toHaveLength(1);
    expect(all[0]!.retransmissions).toBe(1);
  });

  test('a command between inputs wakes the owner; an input does not', () => {
    const { a, b, all } = bulk(1);
    let wakes = 0;
    a.host.onWake = () => wakes++;
    a.host.nextDeadline();
    all[0]!.send(new Uint8Array(10), 0, 10);
    expect(wakes).toBe(1);
    const [packet] = drain(a);
    feed(b, packet!);
    run(a, b, 100);
    expect(wakes).toBe(1);
  });

  test('the time never goes back', () => {
    const { a } = bulk(1);
    a.host.tick(5000);
    a.host.tick(3);
    expect(a.host.now).toBe(5000);
  });
});

describe('super-segments', () => {
  test('a link that cuts them gets them, whole segments and a rest, with the sum left to it', () => {
    const b = end('b', '10.0.0.2/24');
    const base = end('a', '10.0.0.1/24');
    const iface = base.host.addInterface({
      medium: 'ip',
      mtu: 1500,
      addresses: ['10.9.0.1/24'],
      caps: { txChecksum: true, tso: 65_535 },
    });
    const a: End = { host: base.host, iface, trace: base.trace };
    expect(b.host.interfaces).toHaveLength(1);
    const c = a.host.connect({ address: '10.9.0.2', port: 80 });
    const out = new Uint8Array(70_000);
    const meta = new TxMeta();
    a.host.transmit(iface, out, 0, meta, 0);
    const seg = new Segment();
    parseTcp(out, 20, 40, seg);
    expect(c.state).toBe('SYN-SENT');
    expect([meta.checksum, meta.gsoType]).toEqual([2, 0]);
    expect([meta.csumStart, meta.csumOffset]).toEqual([20, 16]);
  });
});
