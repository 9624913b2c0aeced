// Packets that are not for us, or from nobody: dropped before a connection sees them, counted, never answered.

import { describe, expect, test } from 'vitest';
import type { DropReason } from '../../src/base/trace.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { finishTcp, writeTcp } from '../../src/wire/tcp.ts';
import { drain, type End, end, feed } from './wire.ts';

const w = (text: string): number => parseAddress(text)!.w3;

/** A SYN to port 80, with addresses of choice. */
function syn(src: string, dst: string, srcPort = 4000): Uint8Array {
  const b = new Uint8Array(40);
  writeTcp(b, 20, srcPort, 80, 1, 0, 2, 1000, 0, 0);
  finishTcp(b, 20, 20, pseudoSum4(w(src), w(dst), 6, 20));
  writeIpv4(b, 0, 20, 1, 64, 6, 0, w(src), w(dst), true);
  return b;
}

function listener(): End {
  const e = end('a', '10.0.0.1/24');
  e.host.listen({ port: 80 }, () => undefined);
  return e;
}

function drops(e: End, reason: DropReason): number {
  return e.host.counters.drops[reason] ?? 0;
}

/** Feeds one packet and expects silence, no connection, and this reason counted once. */
function dropped(packet: Uint8Array, reason: DropReason): void {
  const e = listener();
  feed(e, packet);
  expect(drain(e)).toEqual([]);
  expect(e.host.connectionCount).toBe(0);
  expect([reason, drops(e, reason), e.host.counters.dropped]).toEqual([reason, 1, 1]);
  expect(e.trace.filter((t) => t.type === 'drop').map((t) => t.reason)).toEqual([reason]);
}

describe('sources that are nobody', () => {
  test('LAND: our own address as the source: dropped (trap 49, CVE-1999-0016)', () => {
    dropped(syn('10.0.0.1', '10.0.0.1', 80), 'ip-bad-source');
  });

  test.each(['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'])(
    '%s as the source: dropped (trap 49, MUST-63)',
    (src) => {
      dropped(syn(src, '10.0.0.1'), 'ip-bad-source');
    },
  );

  test('the broadcast address of our subnet as the source: dropped (trap 49, MUST-63)', () => {
    dropped(syn('10.0.0.255', '10.0.0.1'), 'ip-bad-source');
  });

  test('a loopback source from a wire: dropped (RFC 1122 §3.2.1.3 (g))', () => {
    dropped(syn('127.0.0.1', '10.0.0.1'), 'ip-bad-source');
  });
});

describe('destinations that are not ours', () => {
  test('another host: dropped', () => {
    dropped(syn('10.0.0.2', '10.0.0.3'), 'not-for-us');
  });

  test.each(['10.0.0.255', '255.255.255.255', '224.0.0.1'])('a SYN to %s: dropped silently (MUST-57)', (dst) => {
    dropped(syn('10.0.0.2', dst), 'not-for-us');
  });

  test('port 81, where nobody listens, is answered: the same SYN to us alone', () => {
    const e = end('a', '10.0.0.1/24');
    feed(e, syn('10.0.0.2', '10.0.0.1'));
    expect(drain(e)).toHaveLength(1);
  });
});

describe('packets that are broken', () => {
  const spoiled = (change: (b: Uint8Array) => void): Uint8Array => {
    const b = syn('10.0.0.2', '10.0.0.1');
    change(b);
    return b;
  };
  /** Rewrites the IP checksum after a change. */
  const sum = (b: Uint8Array): void => {
    b[10] = 0;
    b[11] = 0;
    let s = 0;
    for (let i = 0; i < 20; i += 2) s += (b[i]! << 8) | b[i + 1]!;
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    b[10] = (~s >> 8) & 0xff;
    b[11] = ~s & 0xff;
  };
  const cases: readonly (readonly [string, DropReason, Uint8Array])[] = [
    ['an IP checksum that is wrong', 'ip-bad-checksum', spoiled((b) => (b[8]! ^= 1))],
    ['version 5', 'ip-bad-version', spoiled((b) => (b[0] = 0x55))],
    ['a header length of 4 words', 'ip-bad-header-length', spoiled((b) => (b[0] = 0x44))],
    [
      'a total length beyond the packet',
      'ip-bad-total-length',
      spoiled((b) => {
        b[3] = 200;
        sum(b);
      }),
    ],
    [
      'a fragment',
      'ip-fragment',
      spoiled((b) => {
        b[6] = 0x20;
        sum(b);
      }),
    ],
    ['an empty packet', 'ip-truncated', new Uint8Array(0)],
    ['half a header', 'ip-truncated', syn('10.0.0.2', '10.0.0.1').slice(0, 12)],
    ['a TCP checksum that is wrong', 'tcp-bad-checksum', spoiled((b) => (b[24]! ^= 1))],
  ];
  test.each(cases)('%s: dropped as %s', (_name, reason, packet) => {
    dropped(packet, reason);
  });

  test('octets behind the IP packet, as short Ethernet frames have them, are not part of it', () => {
    const e = listener();
    const padded = new Uint8Array(46).fill(0xee);
    padded.set(syn('10.0.0.2', '10.0.0.1'));
    feed(e, padded);
    expect(e.host.connectionCount).toBe(1);
  });

  test('a packet may lie anywhere in its buffer, which may be used again at once (trap 53)', () => {
    const e = listener();
    const big = new Uint8Array(200);
    big.set(syn('10.0.0.2', '10.0.0.1'), 77);
    e.host.receive(e.iface, big, 77, 117, { id: 0, checksum: 0, gsoSize: 0 } as never, 0);
    big.fill(0xaa);
    expect(e.host.connections().map((c) => c.remoteAddress)).toEqual(['10.0.0.2']);
    expect(drain(e)).toHaveLength(1);
  });

  test('an unknown protocol is answered by ICMP protocol unreachable', () => {
    const e = listener();
    feed(
      e,
      spoiled((b) => {
        b[9] = 132;
        sum(b);
      }),
    );
    const [answer] = drain(e);
    expect([answer![9], answer![20], answer![21]]).toEqual([1, 3, 2]);
    expect(drops(e, 'ip-unknown-protocol')).toBe(1);
  });
});
