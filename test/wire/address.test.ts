import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Address,
  addressFromBytes,
  formatAddress,
  formatMac,
  inPrefix,
  Prefix,
  parseAddress,
  parseMac,
  parsePrefix,
} from '../../src/wire/address.ts';
import { SEEDED } from './support.ts';

const word = fc.oneof(fc.constantFrom(0, 0xffff, -65536, -1, 1), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
const words = fc.tuple(word, word, word, word);

describe('text of addresses', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['fe80::0202:b3ff:fe1e:8329', 'fe80::202:b3ff:fe1e:8329'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:192.0.2.33', '1:2:3:4:5:6:c000:221'],
    ['::ffff:192.0.2.33', '192.0.2.33'],
  ])('%s is read and written as %s (RFC 5952)', (text, canonical) => {
    expect(String(parseAddress(text))).toBe(canonical);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '1..3.4',
    '-1.2.3.4',
    '0x1.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    '12345::',
    'g::',
    ':1::',
    '1::2:',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    'fe80::1%eth0',
    '::'.repeat(10_000),
    '1.'.repeat(10_000),
  ])('%j is no address', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test('every address survives its text and its octets', () => {
    fc.assert(
      fc.property(words, ([w0, w1, w2, w3]) => {
        const a = new Address(w0, w1, w2, w3);
        const back = parseAddress(a.toString());
        expect(back?.equals(a)).toBe(true);
        expect(back?.family).toBe(a.family);
        expect(formatAddress(w0, w1, w2, w3)).toBe(a.toString());
        const out = new Uint8Array(20);
        expect(a.bytesInto(out, 2)).toBe(a.family === 4 ? 6 : 18);
        expect(addressFromBytes(out, 2, a.family).equals(a)).toBe(true);
      }),
      SEEDED,
    );
  });

  test('every IPv4 address is family 4 and survives its text', () => {
    fc.assert(
      fc.property(word, (w3) => {
        const a = new Address(0, 0, 0xffff, w3);
        expect(a.family).toBe(4);
        expect(parseAddress(a.toString())?.w3).toBe(w3);
      }),
      SEEDED,
    );
  });

  test('the text is what JSON shows', () => {
    expect(JSON.stringify({ a: parseAddress('10.0.0.1') })).toBe('{"a":"10.0.0.1"}');
  });
});

describe('kinds of addresses', () => {
  test.each([
    ['0.0.0.0', 'isUnspecified'],
    ['::', 'isUnspecified'],
    ['224.0.0.1', 'isMulticast'],
    ['239.255.255.255', 'isMulticast'],
    ['ff02::1', 'isMulticast'],
    ['255.255.255.255', 'isBroadcast'],
    ['127.0.0.1', 'isLoopback'],
    ['127.255.0.1', 'isLoopback'],
    ['::1', 'isLoopback'],
    ['10.0.0.1', ''],
    ['::2', ''],
    ['::7f00:1', ''],
    ['::e000:1', ''],
    ['fe80::1', ''],
    ['240.0.0.1', ''],
    ['223.255.255.255', ''],
    ['128.0.0.1', ''],
  ])('%s: %s', (text, kind) => {
    const a = parseAddress(text)!;
    for (const k of ['isUnspecified', 'isMulticast', 'isBroadcast', 'isLoopback'] as const) {
      expect(a[k], k).toBe(k === kind);
    }
  });
});

describe('prefixes', () => {
  const has = (prefix: string, address: string): boolean => {
    const a = parseAddress(address)!;
    return parsePrefix(prefix)!.contains(a.w0, a.w1, a.w2, a.w3);
  };

  test.each([
    ['10.0.0.1/24', '10.0.0.255', true],
    ['10.0.0.1/24', '10.0.1.0', false],
    ['10.0.0.1/32', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.0', false],
    ['10.0.0.1/31', '10.0.0.0', true],
    ['0.0.0.0/0', '255.1.2.3', true],
    ['0.0.0.0/0', '::', false],
    ['0.0.0.0/0', 'fe80::1', false],
    ['::/0', 'fe80::1', true],
    ['::/0', '10.0.0.1', false],
    ['fd00::1/64', 'fd00::ffff:0:0:1', true],
    ['fd00::1/64', 'fd00:0:0:1::1', false],
    ['fd00::1/33', 'fd00:0:7fff::', true],
    ['fd00::1/33', 'fd00:0:8000::', false],
    ['fd00::1/128', 'fd00::1', true],
    ['fd00::1/127', 'fd00::2', false],
  ])('%s contains %s: %s', (prefix, address, expected) => {
    expect(has(prefix, address)).toBe(expected);
  });

  test('containing agrees with comparing bit by bit', () => {
    const bits = (a: Address): string =>
      [a.w0, a.w1, a.w2, a.w3].map((w) => (w >>> 0).toString(2).padStart(32, '0')).join('');
    fc.assert(
      fc.property(words, fc.integer({ min: 0, max: 128 }), fc.integer({ min: 0, max: 127 }), (w, length, flip) => {
        const a = new Address(...w);
        const own = a.family === 4 ? Math.min(length, 32) : length;
        const prefix = new Prefix(a, own);
        const other = new Uint8Array(16);
        for (let i = 0; i < 16; i++) other[i] = w[i >> 2]! >> (24 - 8 * (i & 3));
        other[flip >> 3]! ^= 128 >> (flip & 7);
        const b = addressFromBytes(other, 0, 6);
        const network = a.family === 4 ? own + 96 : own;
        const expected = a.family === b.family && bits(a).slice(0, network) === bits(b).slice(0, network);
        expect(inPrefix(b.w0, b.w1, b.w2, b.w3, prefix)).toBe(expected);
        expect(inPrefix(a.w0, a.w1, a.w2, a.w3, prefix)).toBe(true);
      }),
      SEEDED,
    );
  });

  test('keep the host bits they were given and name the directed broadcast', () => {
    const p = parsePrefix('10.1.2.3/20')!;
    expect(String(p)).toBe('10.1.2.3/20');
    expect(String(p.broadcast)).toBe('10.1.15.255');
    expect(p.isBroadcast(parseAddress('10.1.15.255')!.w3)).toBe(true);
    expect(p.isBroadcast(parseAddress('10.1.15.254')!.w3)).toBe(false);
    expect(p.isNetwork(parseAddress('10.1.0.0')!.w3)).toBe(true);
    expect(p.isNetwork(parseAddress('10.1.1.0')!.w3)).toBe(false);
    expect(String(parsePrefix('1.2.3.4/0')!.broadcast)).toBe('255.255.255.255');
  });

  test.each(['10.0.0.0/31', '10.0.0.1/32', 'fd00::/64'])('%s has no directed broadcast', (text) => {
    const p = parsePrefix(text)!;
    expect(p.broadcast).toBeNull();
    expect(p.isBroadcast(p.address.w3)).toBe(false);
    expect(p.isNetwork(p.address.w3)).toBe(false);
  });

  test('without a slash every bit is network', () => {
    expect(parsePrefix('10.0.0.1')?.length).toBe(32);
    expect(parsePrefix('fd00::1')?.length).toBe(128);
  });

  test.each([
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/-1',
    '10.0.0.1/024',
    '10.0.0.1/8/8',
    '/8',
    '::/129',
    '::/1.5',
    'x/1',
  ])('%j is no prefix', (text) => {
    expect(parsePrefix(text)).toBeNull();
  });

  test('a length outside the family is a RangeError', () => {
    expect(() => new Prefix(parseAddress('10.0.0.1')!, 33)).toThrow(RangeError);
    expect(() => new Prefix(parseAddress('::')!, -1)).toThrow(RangeError);
    expect(() => new Prefix(parseAddress('::')!, 0.5)).toThrow(RangeError);
  });
});

describe('MAC addresses', () => {
  test('survive their text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (mac) => {
        expect(parseMac(formatMac(mac))).toEqual(mac);
      }),
      SEEDED,
    );
    expect(parseMac('02-00-5E-10-00-ff')).toEqual(Uint8Array.of(2, 0, 0x5e, 0x10, 0, 0xff));
    expect(formatMac(Uint8Array.of(9, 9, 2, 0, 0, 0, 0, 1), 2)).toBe('02:00:00:00:00:01');
  });

  test.each(['', '02:00:00:00:00', '02:00:00:00:00:01:02', '2:0:0:0:0:1', '02:00-00:00:00:01', '02:00:00:00:00:0g'])(
    '%j is none',
    (text) => {
      expect(parseMac(text)).toBeNull();
    },
  );
});
