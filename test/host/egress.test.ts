// Who sends next: connections in turn, control segments first, and deadlines that are exact.

import { describe, expect, test } from 'vitest';
import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import { Host } from '../../src/host/host.ts';
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

  test('asked for what comes before a time: that time when nothing does, never when nothing comes at all', () => {
    const { a, all } = bulk(1);
    expect(a.host.nextDeadline(a.host.now + 50)).toBe(Number.POSITIVE_INFINITY);
    all[0]!.send(new Uint8Array(10), 0, 10);
    expect(a.host.nextDeadline(a.host.now + 50)).toBe(a.host.now);
    drain(a);
    expect(a.host.nextDeadline(a.host.now + 50)).toBe(a.host.now + 50);
    expect(a.host.nextDeadline(a.host.now + 300)).toBe(a.host.now + 200);
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
    expect(wakes).toBeGreaterThan(0);
    const woken = wakes;
    const [packet] = drain(a);
    feed(b, packet!);
    run(a, b, 100);
    expect(wakes).toBe(woken);
  });

  test('the time never goes back', () => {
    const { a } = bulk(1);
    a.host.tick(5000);
    a.host.tick(3);
    expect(a.host.now).toBe(5000);
  });
});

describe('super-segments', () => {
  test('a link that would take text where it lies gets whole packets as long as their sums are ours', () => {
    const { a, all } = bulk(1);
    all[0]!.send(new Uint8Array(5000), 0, 5000);
    const meta = new TxMeta();
    meta.gather = 1;
    expect(a.host.transmit(a.iface, new Uint8Array(2000), 0, meta, a.host.now)).toBe(1500);
    expect([meta.checksum, meta.body.length]).toEqual([0, 0]);
  });

  test.each([
    ['whole', 0],
    ['in parts when they are long', 20_000],
  ])(
    'a link that cuts them gets them %s: whole segments and a rest, sums left to it; the octets arrive',
    (_, gather) => {
      const lent: number[] = [];
      const caps = { txChecksum: true, tso: 65_535 };
      const make = (name: string, address: string): End => {
        const host = new Host({ name, key: new Uint8Array(16).fill(9) });
        return { host, iface: host.addInterface({ medium: 'ip', mtu: 1500, addresses: [address], caps }), trace: [] };
      };
      const a = make('a', '10.0.0.1/24');
      const b = make('b', '10.0.0.2/24');
      const out = new Uint8Array(70_000);
      const meta = new TxMeta();
      meta.gather = gather;
      const sizes: number[] = [];
      const rx = new RxMeta();
      const pass = (from: End, to: End): boolean => {
        while (from.host.deliver());
        let any = false;
        for (;;) {
          meta.reset();
          out.fill(0xee, 52, 53);
          const length = from.host.transmit(from.iface, out, 0, meta, 0);
          if (length === 0) return any;
          any = true;
          if (meta.body.length > 0) {
            expect(meta.body.length).toBe(length - 52);
            expect(out[52]).toBe(0xee);
            lent.push(meta.body.length);
            meta.body.copyTo(out, 52);
          }
          expect([meta.checksum, meta.csumStart, meta.csumOffset]).toEqual([2, 20, 16]);
          if (meta.gsoType !== 0) {
            expect([meta.gsoType, meta.gsoSize, meta.headerLength]).toEqual([1, 1448, 52]);
            sizes.push(length - 52);
          } else expect(length).toBeLessThanOrEqual(1500);
          rx.reset();
          rx.checksum = meta.checksum;
          rx.gsoSize = meta.gsoSize;
          to.host.receive(to.iface, out, 0, length, rx, 0);
        }
      };
      let told: { read: number[] } = { read: [] };
      b.host.listen({ port: 80 }, (s) => {
        told = program(s);
      });
      const c = a.host.connect({ address: '10.0.0.2', port: 80 });
      const data = new Uint8Array(200_000).map((_, k) => k % 251);
      c.send(data, 0, data.length);
      while (pass(a, b) || pass(b, a));
      expect(told.read.length).toBe(200_000);
      expect(told.read.findIndex((octet, k) => octet !== k % 251)).toBe(-1);
      expect(Math.max(...sizes)).toBeGreaterThan(10_000);
      expect(lent).toEqual(gather === 0 ? [] : sizes.filter((size) => size >= gather));
      for (const size of sizes) expect(size === sizes.at(-1) || size % 1448 === 0).toBe(true);
    },
  );
});

describe('super-segments of more than 64 KiB', () => {
  /** The largest packet of a bulk to a host that takes its octets but for the length field. */
  function largest(v6: boolean): Uint8Array {
    const [near, far] = v6 ? ['fd00::1', 'fd00::2'] : ['10.0.0.1', '10.0.0.2'];
    const make = (name: string, address: string) => {
      const host = new Host({ key: new Uint8Array(16), name, profile: { initialWindow: 400, receiveBuffer: 1 << 20 } });
      const caps = { txChecksum: true, tso: 200_000 };
      const addresses = [`${address}${v6 ? '/64' : '/24'}`];
      return { host, iface: host.addInterface({ medium: 'ip', mtu: 1500, caps, addresses }) };
    };
    const a = make('a', near);
    const b = make('b', far);
    b.host.listen({ port: 80 }, (s) => program(s));
    const c = a.host.connect({ address: far, port: 80 });
    const out = new Uint8Array(200_000);
    const meta = new TxMeta();
    const seen = new RxMeta();
    seen.checksum = 1;
    let most = new Uint8Array(0);
    const pass = (from: typeof a, to: typeof a) => {
      for (;;) {
        meta.reset();
        const length = from.host.transmit(from.iface, out, 0, meta, 1);
        if (length > most.length) most = out.slice(0, length);
        if (length === 0) return;
        if (length < 65_536) to.host.receive(to.iface, out, 0, length, seen, 1);
      }
    };
    for (let n = 0; n < 8; n++) {
      if (n === 2) c.send(new Uint8Array(400_000), 0, 400_000);
      pass(a, b);
      pass(b, a);
      while (a.host.deliver() || b.host.deliver());
    }
    return most;
  }

  test('IPv4 says 0 for their length', () => {
    const packet = largest(false);
    expect(packet.length).toBeGreaterThan(150_000);
    expect([packet[2], packet[3]]).toEqual([0, 0]);
    // The sum of the header is right, with what it says.
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!;
    expect((sum & 0xffff) + (sum >>> 16)).toBe(0xffff);
  });

  test('IPv6 has none', () => {
    const packet = largest(true);
    expect(packet.length).toBeLessThanOrEqual(65_535);
    expect(packet.length).toBeGreaterThan(60_000);
    expect((packet[4]! << 8) | packet[5]!).toBe(packet.length - 40);
  });
});
