import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksumOf } from '../../src/base/checksum.ts';
import { Ipv4Header, parseIpv4, pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { Ipv6Header, isExtensionHeader, parseIpv6, pseudoSum6, writeIpv6 } from '../../src/wire/ipv6.ts';
import { check, FUZZ_TIMEOUT, fuzz, hex, SEEDED, toHex, WALL, walled } from './support.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const octet = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 65535 });

/** A header from 10.77.0.1 to 10.77.0.2, written by hand: 60 octets, DF, TTL 64, ECT(0). */
const V4 = hex('45 02 003c 1c46 4000 40 06 09d8 0a4d0001 0a4d0002');

function parse4(packet: Uint8Array, verify = true): { reason: string | null; header: Ipv4Header } {
  const header = new Ipv4Header();
  return { reason: parseIpv4(walled(packet, 0xff), WALL, WALL + packet.length, header, verify), header };
}

function fixed4(change: (packet: Uint8Array) => void, length = 60): Uint8Array {
  const packet = new Uint8Array(length);
  packet.set(V4.subarray(0, length));
  change(packet);
  packet[10] = 0;
  packet[11] = 0;
  const ihl = Math.min((packet[0]! & 15) * 4, length);
  const sum = checksumOf(packet, 0, ihl, 0);
  packet[10] = sum >> 8;
  packet[11] = sum & 255;
  return packet;
}

describe('IPv4', () => {
  test('a header is read octet by octet', () => {
    const { reason, header } = parse4(Uint8Array.from([...V4, ...new Uint8Array(40)]));
    expect(reason).toBeNull();
    expect(header).toEqual(
      Object.assign(new Ipv4Header(), {
        ihl: 20,
        totalLength: 60,
        id: 0x1c46,
        df: true,
        mf: false,
        fragmentOffset: 0,
        ttl: 64,
        protocol: 6,
        tos: 2,
        ecn: 2,
        src: 0x0a4d0001,
        dst: 0x0a4d0002,
        payloadFrom: WALL + 20,
        payloadTo: WALL + 60,
      }),
    );
  });

  test('the header written is the vector, checksum included', () => {
    const out = new Uint8Array(24).fill(0xee);
    expect(writeIpv4(out, 2, 40, 0x1c46, 64, 6, 2, 0x0a4d0001, 0x0a4d0002, true)).toBe(22);
    expect(toHex(out)).toBe(`eeee${toHex(V4)}eeee`);
  });

  test('the checksum of a published example comes out (RFC 1071 by hand: b861)', () => {
    const out = new Uint8Array(20);
    writeIpv4(out, 0, 0x73 - 20, 0, 64, 17, 0, 0xc0a80001 | 0, 0xc0a800c7 | 0, true);
    expect(toHex(out)).toBe('4500007300004000' + '4011b861' + 'c0a80001c0a800c7');
  });

  test('padding behind the total length is not payload', () => {
    const { reason, header } = parse4(fixed4((p) => p.set([0, 28], 2)));
    expect(reason).toBeNull();
    expect(header.payloadTo - header.payloadFrom).toBe(8);
  });

  test('options are skipped and summed', () => {
    const packet = fixed4((p) => {
      p[0] = 0x46;
      p.set([1, 2, 3, 4], 20);
    });
    const { reason, header } = parse4(packet);
    expect(reason).toBeNull();
    expect(header.ihl).toBe(24);
    expect(header.payloadFrom).toBe(WALL + 24);
    packet[21]! ^= 1;
    expect(parse4(packet).reason).toBe('ip-bad-checksum');
    expect(parse4(packet, false).reason).toBeNull();
  });

  test('a fragment is told by its offset in octets and its flag', () => {
    const { reason, header } = parse4(fixed4((p) => p.set([0x20, 0xb9], 6)));
    expect(reason).toBeNull();
    expect([header.mf, header.df, header.fragmentOffset]).toEqual([true, false, 185 * 8]);
    expect(parse4(fixed4((p) => p.set([0x1f, 0xff], 6))).header.fragmentOffset).toBe(65528);
  });

  test.each<[string, (p: Uint8Array) => void, number]>([
    ['ip-truncated', () => {}, 19],
    ['ip-truncated', () => {}, 0],
    ['ip-truncated', (p) => p.set([0x4f, 0, 0, 40], 0), 40],
    ['ip-bad-version', (p) => p.set([0x65]), 60],
    ['ip-bad-version', (p) => p.set([0x05]), 60],
    ['ip-bad-header-length', (p) => p.set([0x44]), 60],
    ['ip-bad-header-length', (p) => p.set([0x40]), 60],
    ['ip-bad-total-length', (p) => p.set([0, 61], 2), 60],
    ['ip-bad-total-length', (p) => p.set([0, 19], 2), 60],
    ['ip-bad-total-length', (p) => p.set([0, 0], 2), 60],
    ['ip-bad-total-length', (p) => p.set([0x46, 0, 0, 20], 0), 60],
  ])('%s (%#)', (reason, change, length) => {
    const packet = length < 20 ? V4.slice(0, length) : fixed4(change, length);
    expect(parse4(packet).reason).toBe(reason);
  });

  test('any single bit turned in the header is caught by the checksum or before it', () => {
    const good = fixed4(() => {});
    for (let bit = 0; bit < 160; bit++) {
      const bad = good.slice();
      bad[bit >> 3]! ^= 128 >> (bit & 7);
      expect(parse4(bad).reason, `bit ${bit}`).not.toBeNull();
    }
  });

  test('what is written is read back', () => {
    const fields = fc.tuple(fc.nat(1500), u16, octet, octet, octet, int32, int32, fc.boolean());
    fc.assert(
      fc.property(fields, fc.nat(8), ([length, id, ttl, protocol, tos, src, dst, df], at) => {
        const bytes = new Uint8Array(at + 20 + length + 8).fill(0xaa);
        expect(writeIpv4(bytes, at, length, id, ttl, protocol, tos, src, dst, df)).toBe(at + 20);
        const header = new Ipv4Header();
        expect(parseIpv4(bytes, at, bytes.length, header)).toBeNull();
        expect(header).toMatchObject({ id, ttl, protocol, tos, ecn: tos & 3, src, dst, df, mf: false });
        expect([header.ihl, header.totalLength, header.fragmentOffset]).toEqual([20, 20 + length, 0]);
        expect([header.payloadFrom, header.payloadTo]).toEqual([at + 20, at + 20 + length]);
      }),
      SEEDED,
    );
  });

  test(
    '100,000 random, mutated and truncated packets: no throw, nothing read outside',
    () => {
      const header = new Ipv4Header();
      for (const verify of [true, false]) {
        const samples = [fixed4(() => {}), fixed4((p) => p.set([0x47], 0)), fixed4((p) => p.set([0x20, 1], 6))];
        const seen = fuzz(samples, 50_000, (bytes, from, to) => {
          const reason = parseIpv4(bytes, from, to, header, verify);
          if (reason !== null) return [reason];
          check(header.payloadFrom >= from + 20 && header.payloadFrom <= header.payloadTo, 'the payload is behind');
          check(header.payloadTo <= to, 'the payload is inside');
          return [reason, ...Object.values(header)];
        });
        expect(Object.keys(seen).sort()).toEqual(
          ['ip-bad-header-length', 'ip-bad-total-length', 'ip-bad-version', 'ip-truncated', 'null']
            .concat(verify ? ['ip-bad-checksum'] : [])
            .sort(),
        );
      }
    },
    FUZZ_TIMEOUT,
  );
});

const V6 = hex('6a b 12345 0014 06 40 fd000000000000000000000000000001 fd0000000000000080000000ffff0002');
const V6_PACKET = Uint8Array.from([...V6, ...new Uint8Array(20).fill(7)]);

function parse6(packet: Uint8Array): { reason: string | null; header: Ipv6Header } {
  const header = new Ipv6Header();
  return { reason: parseIpv6(walled(packet, 0xff), WALL, WALL + packet.length, header), header };
}

describe('IPv6', () => {
  test('a header is read octet by octet', () => {
    const { reason, header } = parse6(V6_PACKET);
    expect(reason).toBeNull();
    expect(header).toEqual(
      Object.assign(new Ipv6Header(), {
        trafficClass: 0xab,
        ecn: 3,
        flowLabel: 0x12345,
        payloadLength: 20,
        nextHeader: 6,
        hopLimit: 64,
        src0: 0xfd000000 | 0,
        src3: 1,
        dst0: 0xfd000000 | 0,
        dst2: 0x80000000 | 0,
        dst3: 0xffff0002 | 0,
        payloadFrom: WALL + 40,
        payloadTo: WALL + 60,
      }),
    );
  });

  test.each<[string, (p: Uint8Array) => Uint8Array]>([
    ['ip-truncated', (p) => p.subarray(0, 39)],
    ['ip-bad-version', (p) => p.fill(0x4a, 0, 1)],
    ['ip-bad-total-length', (p) => p.fill(21, 5, 6)],
    ['ip-bad-total-length', (p) => p.subarray(0, 59)],
    ['ip-extension-header', (p) => p.fill(0, 6, 7)],
    ['ip-extension-header', (p) => p.fill(44, 6, 7)],
    ['ip-bad-source', (p) => p.fill(0, 8, 18).fill(255, 18, 20)],
    ['not-for-us', (p) => p.fill(0, 24, 34).fill(255, 34, 36)],
  ])('%s (%#)', (reason, change) => {
    expect(parse6(change(V6_PACKET.slice())).reason).toBe(reason);
  });

  test('with an extension header the rest is filled in, for an answer', () => {
    const { header } = parse6(V6_PACKET.slice().fill(60, 6, 7));
    expect(header).toMatchObject({ nextHeader: 60, src3: 1, payloadFrom: WALL + 40, payloadTo: WALL + 60 });
  });

  test('"no next header" is none of the extension headers; padding is not payload', () => {
    const packet = Uint8Array.from([...V6_PACKET.slice().fill(59, 6, 7), 0, 0, 0]);
    const { reason, header } = parse6(packet);
    expect(reason).toBeNull();
    expect(header.payloadTo).toBe(WALL + 60);
  });

  test('what is written is read back', () => {
    const words = fc.array(int32, { minLength: 8, maxLength: 8 });
    const fields = fc.tuple(fc.nat(1500), octet, octet, octet, fc.nat(0xfffff), words);
    fc.assert(
      fc.property(fields, fc.nat(8), ([length, next, hops, tc, flow, w], at) => {
        fc.pre(!isExtensionHeader(next));
        const [s0, s1, s2, s3, d0, d1, d2, d3] = w as [number, number, number, number, number, number, number, number];
        const bytes = new Uint8Array(at + 40 + length + 8).fill(0xaa);
        expect(writeIpv6(bytes, at, length, next, hops, tc, flow, s0, s1, s2, s3, d0, d1, d2, d3)).toBe(at + 40);
        const header = new Ipv6Header();
        expect(parseIpv6(bytes, at, bytes.length, header)).toBeNull();
        expect(header).toMatchObject({ trafficClass: tc, ecn: tc & 3, flowLabel: flow, payloadLength: length });
        expect(header).toMatchObject({ nextHeader: next, hopLimit: hops });
        expect([header.src0, header.src1, header.src2, header.src3]).toEqual(w.slice(0, 4));
        expect([header.dst0, header.dst1, header.dst2, header.dst3]).toEqual(w.slice(4));
        expect([header.payloadFrom, header.payloadTo]).toEqual([at + 40, at + 40 + length]);
      }),
      SEEDED,
    );
  });

  test(
    '100,000 random, mutated and truncated packets: no throw, nothing read outside',
    () => {
      const header = new Ipv6Header();
      const mapped = V6_PACKET.slice().fill(0, 8, 18).fill(255, 18, 20);
      const mappedTo = V6_PACKET.slice().fill(0, 24, 34).fill(255, 34, 36);
      const seen = fuzz([V6_PACKET, V6_PACKET, V6_PACKET, mapped, mappedTo], 100_000, (bytes, from, to) => {
        const reason = parseIpv6(bytes, from, to, header);
        if (reason !== null && reason !== 'ip-extension-header') return [reason];
        check(header.payloadFrom === from + 40 && header.payloadFrom <= header.payloadTo, 'the payload is behind');
        check(header.payloadTo <= to, 'the payload is inside');
        return [reason, ...Object.values(header)];
      });
      expect(Object.keys(seen).sort()).toEqual([
        'ip-bad-source',
        'ip-bad-total-length',
        'ip-bad-version',
        'ip-extension-header',
        'ip-truncated',
        'not-for-us',
        'null',
      ]);
    },
    FUZZ_TIMEOUT,
  );
});

describe('pseudo headers', () => {
  const laidOut = (...parts: [number, number][]): Uint8Array => {
    const bytes: number[] = [];
    for (const [value, octets] of parts) {
      for (let i = octets - 1; i >= 0; i--) bytes.push(Math.floor(value / 256 ** i) % 256);
    }
    return Uint8Array.from(bytes);
  };
  const message = Uint8Array.of(1, 2, 3, 4, 5);

  test('sum to the same as when laid out in memory (RFC 9293 §3.1, RFC 8200 §8.1)', () => {
    const length = fc.oneof(u16, fc.integer({ min: 65536, max: 2 ** 20 }));
    fc.assert(
      fc.property(fc.array(int32, { minLength: 8, maxLength: 8 }), octet, length, (w, protocol, octets) => {
        const [s0, s1, s2, s3, d0, d1, d2, d3] = w as [number, number, number, number, number, number, number, number];
        const u = w.map((x) => [x >>> 0, 4] as [number, number]);
        const six = laidOut(...u, [octets, 4], [0, 3], [protocol, 1]);
        expect(checksumOf(message, 0, 5, pseudoSum6(s0, s1, s2, s3, d0, d1, d2, d3, protocol, octets))).toBe(
          checksumOf(Uint8Array.from([...six, ...message]), 0, six.length + 5, 0),
        );
        const four = laidOut(u[0]!, u[1]!, [0, 1], [protocol, 1], [octets & 0xffff, 2]);
        expect(checksumOf(message, 0, 5, pseudoSum4(s0, s1, protocol, octets & 0xffff))).toBe(
          checksumOf(Uint8Array.from([...four, ...message]), 0, four.length + 5, 0),
        );
      }),
      SEEDED,
    );
  });

  test('stay within what they promise', () => {
    expect(pseudoSum4(-1, -1, 255, 0xffffffff)).toBeLessThan(2 ** 20);
    expect(pseudoSum6(-1, -1, -1, -1, -1, -1, -1, -1, 255, 0xffffffff)).toBeLessThan(2 ** 22);
  });
});
