// A whole connection over bare IPv6, and what its addresses and sizes change.

import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/wire/address.ts';
import { pseudoSum6, writeIpv6 } from '../../src/wire/ipv6.ts';
import { finishTcp, parseTcp, Segment, writeTcp } from '../../src/wire/tcp.ts';
import { drain, type End, end, feed, program, run } from './wire.ts';

const pair = (one = 'fd00::1', two = 'fd00::2'): [End, End] => [end('a', `${one}/64`), end('b', `${two}/64`)];

function syn(src: string, dst: string): Uint8Array {
  const s = parseAddress(src)!;
  const d = parseAddress(dst)!;
  const b = new Uint8Array(60);
  writeTcp(b, 40, 4000, 80, 1, 0, 2, 1000, 0, 0);
  finishTcp(b, 40, 20, pseudoSum6(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, 6, 20));
  writeIpv6(b, 0, 20, 6, 64, 0, 0, s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3);
  return b;
}

describe('a connection', () => {
  test.each([
    ['fd00::1', 'fd00::2'],
    ['fd00::ffff:1:1', 'fd00::ffff:1:2'],
  ])('%s and %s: three shakes, 100 KB each way, four waves, nothing left', (one, two) => {
    const [a, b] = pair(one, two);
    const data = new Uint8Array(100_000).map((_, k) => k * 7);
    let served = 0;
    let got = 0;
    const closes: (string | null)[] = [];
    b.host.listen({ port: 80 }, (s) => {
      let left = data.length;
      const push = (): void => {
        while (left > 0) {
          const n = s.send(data, data.length - left, data.length);
          if (n === 0) return;
          left -= n;
        }
        s.shutdown();
      };
      s.handler = {
        onReadable: () => {
          while (s.readable > 0) {
            for (const octet of s.peek()) if (octet === data[served]) served++;
            s.consume(s.peek().length);
          }
        },
        onWritable: push,
        onClose: (_s, error) => closes.push(error === null ? null : error.code),
      };
      push();
    });
    const c = a.host.connect({ address: two, port: 80 });
    c.handler = {
      onReadable: () => {
        while (c.readable > 0) {
          for (const octet of c.peek()) if (octet === data[got]) got++;
          c.consume(c.peek().length);
        }
      },
      onClose: (_s, error) => closes.push(error === null ? null : error.code),
    };
    c.send(data, 0, data.length);
    c.shutdown();
    expect([c.localAddress, c.remoteAddress]).toEqual([one, two]);
    run(a, b, 200_000);
    expect([served, got]).toEqual([100_000, 100_000]);
    expect(closes).toEqual([null, null]);
    expect([a.host.connectionCount, b.host.connectionCount, a.host.timersArmed, b.host.timersArmed]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('our MSS is the MTU less 60; without the option 1220 is assumed (MUST-15, MUST-67)', () => {
    const [a, b] = pair();
    a.host.connect({ address: 'fd00::2', port: 80 });
    const [packet] = drain(a);
    const seg = new Segment();
    expect(parseTcp(packet!, 40, packet!.length, seg)).toBe(null);
    expect(seg.mss).toBe(1440);
    b.host.listen({ port: 80 }, () => undefined);
    feed(b, syn('fd00::9', 'fd00::2'));
    expect(b.host.connections()[0]!.snd.mss).toBe(1220);
  });

  test('a port where nobody listens refuses: ECONNREFUSED', () => {
    const [a, b] = pair();
    const c = a.host.connect({ address: 'fd00::2', port: 80 });
    const p = program(c);
    run(a, b, 1000);
    expect(p.log).toEqual(['closed ECONNREFUSED']);
  });

  test('no route: ENETUNREACH', () => {
    const [a] = pair();
    const p = program(a.host.connect({ address: '2001:db8::1', port: 80 }));
    drain(a);
    expect(p.log).toEqual(['closed ENETUNREACH']);
  });
});

describe('addresses that are nobody', () => {
  test.each(['::', '::1', 'ff02::1', 'fd00::2'])('a SYN from %s is dropped (trap 49, MUST-63)', (src) => {
    const [, b] = pair();
    b.host.listen({ port: 80 }, () => undefined);
    feed(b, syn(src, 'fd00::2'));
    expect(drain(b)).toEqual([]);
    expect(b.host.counters.drops['ip-bad-source']).toBe(1);
  });

  test.each(['ff02::1', 'fd00::3'])('a SYN to %s is dropped (MUST-57)', (dst) => {
    const [, b] = pair();
    b.host.listen({ port: 80 }, () => undefined);
    feed(b, syn('fd00::9', dst));
    expect(drain(b)).toEqual([]);
    expect(b.host.counters.drops['not-for-us']).toBe(1);
  });

  test('mapped addresses inside IPv6 are not IPv4: a host with 10.0.0.1 does not hear them', () => {
    const e = end('a', '10.0.0.1/24');
    e.host.listen({ port: 80 }, () => undefined);
    const packet = syn('fd00::9', 'fd00::2');
    // ::ffff:10.0.0.2 to ::ffff:10.0.0.1; the sums of both pseudo headers are equal.
    const mapped = (last: number): number[] => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, last];
    packet.set(mapped(2), 8);
    packet.set(mapped(1), 24);
    finishTcp(packet, 40, 20, pseudoSum6(0, 0, 0xffff, 0x0a000002, 0, 0, 0xffff, 0x0a000001, 6, 20));
    feed(e, packet);
    expect(e.host.connectionCount).toBe(0);
    expect(drain(e)).toEqual([]);
  });
});
