// `BlockList` and `SocketAddress` of pages, beside Node's own: the same answers and the same errors.

import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { BlockList, SocketAddress } from '../../src/node/block-list.ts';

/** Code and message of what `run` throws, or what it returns. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException;
    return [name, code, message];
  }
}

describe.each([
  ["Node's own", net.BlockList, net.SocketAddress],
  ['that of pages', BlockList as unknown as typeof net.BlockList, SocketAddress as unknown as typeof net.SocketAddress],
])('%s', (_, List, Place) => {
  it('tells addresses, ranges and subnets of both families, the last rule first', () => {
    const list = new List();
    list.addAddress('1.2.3.4');
    list.addRange('10.0.0.1', '10.0.0.9');
    list.addSubnet('fc00::', 7, 'ipv6');
    list.addSubnet('172.16.0.0', 12);
    list.addAddress('FE80:0::1', 'ipv6');
    list.addRange('2001:db8::1', '2001:db8::ffff', 'ipv6');
    list.addAddress(new Place({ address: '9.9.9.9', port: 7 }));
    expect(list.rules).toEqual([
      'Address: IPv4 9.9.9.9',
      'Range: IPv6 2001:db8::1-2001:db8::ffff',
      'Address: IPv6 fe80::1',
      'Subnet: IPv4 172.16.0.0/12',
      'Subnet: IPv6 fc00::/7',
      'Range: IPv4 10.0.0.1-10.0.0.9',
      'Address: IPv4 1.2.3.4',
    ]);
    const checked = (family: 'ipv4' | 'ipv6', ...addresses: string[]): string[] =>
      addresses.filter((address) => list.check(address, family));
    const four = ['1.2.3.4', '1.2.3.5', '10.0.0.0', '10.0.0.1', '10.0.0.5', '10.0.0.9', '10.0.0.10', '172.15.255.255'];
    expect(checked('ipv4', ...four, '172.16.0.0', '172.31.255.255', '172.32.0.0', 'zz', '::1')).toEqual([
      ...['1.2.3.4', '10.0.0.1', '10.0.0.5', '10.0.0.9', '172.16.0.0', '172.31.255.255'],
    ]);
    const six = ['fbff::1', 'fc00::', 'fdff::1', 'fe00::', 'fe80::1', '2001:db8::', '2001:db8::1', '2001:db8::fffe'];
    expect(checked('ipv6', ...six, '2001:db8::1:0', '::ffff:1.2.3.4', '::ffff:10.0.0.10')).toEqual([
      ...['fc00::', 'fdff::1', 'fe80::1', '2001:db8::1', '2001:db8::fffe', '::ffff:1.2.3.4'],
    ]);
    expect(list.check(new Place({ address: '9.9.9.9' }))).toBe(true);
  });

  it('finds IPv4 inside of IPv6, and nowhere else', () => {
    const list = new List();
    list.addSubnet('::ffff:1.2.3.0', 120, 'ipv6');
    list.addRange('::1', '2000::', 'ipv6');
    expect([list.check('1.2.3.9'), list.check('::ffff:1.2.3.9', 'ipv6'), list.check('1.2.4.1')]).toEqual([
      ...[true, true, false],
    ]);
    expect(list.rules[1]).toBe('Subnet: IPv6 ::ffff:1.2.3.0/120');
    const all = new List();
    all.addSubnet('0.0.0.0', 0);
    expect([all.check('255.255.255.255'), all.check('::1', 'ipv6')]).toEqual([true, false]);
    const six = new List();
    six.addSubnet('::', 0, 'ipv6');
    expect([six.check('1.2.3.4'), six.check('::ffff:1.2.3.4', 'ipv6')]).toEqual([true, true]);
    const wide = new List();
    wide.addRange('100.0.0.0', '200.0.0.0');
    expect(['99.0.0.0', '150.0.0.0', '201.0.0.0'].map((address) => wide.check(address))).toEqual([false, true, false]);
  });

  it('says what is wrong with its arguments', () => {
    const list = new List();
    const any = list as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(
      [
        () => list.addAddress('x'),
        () => list.addAddress('1.2.3.4', 'ipv6'),
        () => any['addAddress']!(7),
        () => list.addSubnet('1.2.3.4', 33),
        () => list.addSubnet('::', 129, 'ipv6'),
        () => list.addSubnet('1.2.3.4', -1),
        () => any['addSubnet']!('1.2.3.4', '8'),
        () => any['addSubnet']!('1.2.3.4'),
        () => any['check']!(1),
        () => any['addAddress']!('1.2.3.4', 'v4'),
        () => list.check('x'),
        () => list.rules,
      ].map(outcome),
    ).toEqual([
      ['Error', 'ERR_INVALID_ADDRESS', 'Invalid socket address'],
      ['Error', 'ERR_INVALID_ADDRESS', 'Invalid socket address'],
      ['TypeError', 'ERR_INVALID_ARG_TYPE', expect.stringContaining('"address" argument must be of type string')],
      ['RangeError', 'ERR_OUT_OF_RANGE', expect.stringContaining('It must be >= 0 && <= 32. Received 33')],
      ['RangeError', 'ERR_OUT_OF_RANGE', expect.stringContaining('It must be >= 0 && <= 128. Received 129')],
      ['RangeError', 'ERR_OUT_OF_RANGE', expect.stringContaining('"prefix" is out of range')],
      ['TypeError', 'ERR_INVALID_ARG_TYPE', expect.stringContaining(`type string ('8')`)],
      ['TypeError', 'ERR_INVALID_ARG_TYPE', expect.stringContaining('"prefix" argument must be of type number')],
      ['TypeError', 'ERR_INVALID_ARG_TYPE', expect.stringContaining('type number (1)')],
      ['TypeError', 'ERR_INVALID_ARG_VALUE', "The property 'options.family' is invalid. Received 'v4'"],
      false,
      [],
    ]);
    expect((outcome(() => list.addRange('10.0.0.9', '10.0.0.1')) as string[])[1]).toBe('ERR_INVALID_ARG_VALUE');
  });

  it('keeps an address with all that belongs to it', () => {
    expect(JSON.parse(JSON.stringify(new Place({})))).toEqual({
      address: '127.0.0.1',
      port: 0,
      family: 'ipv4',
      flowlabel: 0,
    });
    const six = new Place({ family: 'ipv6', port: 7, flowlabel: 9 });
    expect([six.address, six.port, six.family, six.flowlabel]).toEqual(['::', 7, 'ipv6', 9]);
    expect(new Place({ address: 'FE80:0::1', family: 'IPv6' as 'ipv6' }).address).toBe('fe80::1');
    const wrong = [{ address: 'x' }, { family: 'x' }, { port: 70_000 }, { flowlabel: -1 }, { address: 1 }, 1, null];
    expect(wrong.map((options) => (outcome(() => new Place(options as never)) as string[])[1])).toEqual([
      ...['ERR_INVALID_ADDRESS', 'ERR_INVALID_ARG_VALUE', 'ERR_SOCKET_BAD_PORT', 'ERR_OUT_OF_RANGE'],
      ...['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE'],
    ]);
  });
});

// What only later versions of Node have than the oldest supported.
it('reads addresses with ports, and writes and reads its rules', () => {
  const { parse } = SocketAddress;
  expect(parse('1.2.3.4:80')?.toJSON()).toMatchObject({ address: '1.2.3.4', port: 80, family: 'ipv4' });
  expect(parse('[fe80::1]')?.toJSON()).toMatchObject({ address: 'fe80::1', port: 0, family: 'ipv6' });
  expect(['1.2.3.4:70000', '::1', 'x:1', '[1.2.3.4]:1', ''].map((text) => parse(text))).toEqual(
    Array(5).fill(undefined),
  );
  const list = new BlockList();
  list.addAddress('1.2.3.4');
  list.addRange('::1', '::9', 'ipv6');
  list.addSubnet('10.0.0.0', 8);
  const copy = new BlockList();
  copy.fromJSON(JSON.stringify(list));
  expect([copy.rules, copy.check('10.9.9.9')]).toEqual([list.rules, true]);
  expect(() => copy.fromJSON(['Address: IPv5 1'])).toThrow('is no rule');
  expect([BlockList.isBlockList(copy), BlockList.isBlockList({})]).toEqual([true, false]);
});
