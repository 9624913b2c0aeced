import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Route, RouteTable } from '../../src/ip/routes.ts';
import { Address, parseAddress, parsePrefix } from '../../src/wire/address.ts';

const prefix = (text: string) => parsePrefix(text)!;
const find = (table: RouteTable, text: string): Route | null => {
  const a = parseAddress(text)!;
  return table.lookup(a.w0, a.w1, a.w2, a.w3);
};

test('the longest prefix that contains the destination wins, whatever the order of adding', () => {
  const orders = [
    [0, 1, 2, 3, 4],
    [4, 3, 2, 1, 0],
    [2, 0, 4, 1, 3],
  ];
  const texts = ['0.0.0.0/0', '10.0.0.1/8', '10.1.0.0/16', '10.1.2.3/32', '::/0'];
  for (const order of orders) {
    const table = new RouteTable();
    for (const i of order) table.add(prefix(texts[i]!), i, null);
    expect(find(table, '9.9.9.9')?.interfaceIndex).toBe(0);
    expect(find(table, '10.200.0.1')?.interfaceIndex).toBe(1);
    expect(find(table, '10.1.99.1')?.interfaceIndex).toBe(2);
    expect(find(table, '10.1.2.3')?.interfaceIndex).toBe(3);
    expect(find(table, 'fd00::1')?.interfaceIndex).toBe(4);
  }
});

test('without a route that contains it, a destination has none', () => {
  const table = new RouteTable();
  expect(find(table, '10.0.0.1')).toBeNull();
  table.add(prefix('10.0.0.0/24'), 0, null);
  table.add(prefix('::/0'), 0, null);
  expect(find(table, '10.0.1.1')).toBeNull();
});

test('of two equal prefixes the first wins, and the second takes over when its interface is removed', () => {
  const table = new RouteTable();
  table.add(prefix('0.0.0.0/0'), 1, parseAddress('10.0.0.1'));
  table.add(prefix('0.0.0.0/0'), 2, parseAddress('10.9.0.1'));
  table.add(prefix('10.0.0.0/24'), 1, null);
  expect(String(find(table, '1.1.1.1')?.gateway)).toBe('10.0.0.1');
  const before = table.changes;
  table.removeInterface(1);
  expect(table.changes).toBe(before + 1);
  expect(String(find(table, '1.1.1.1')?.gateway)).toBe('10.9.0.1');
  expect(String(find(table, '10.0.0.7')?.gateway)).toBe('10.9.0.1');
  table.removeInterface(1);
  expect(table.changes).toBe(before + 1);
});

test('one route can be removed', () => {
  const table = new RouteTable();
  const route = table.add(prefix('10.0.0.0/24'), 1, null);
  expect(table.list()).toEqual([route]);
  table.remove(route);
  table.remove(route);
  expect(table.list()).toEqual([]);
  expect(find(table, '10.0.0.1')).toBeNull();
});

test('a gateway of the other family is a TypeError', () => {
  expect(() => new RouteTable().add(prefix('0.0.0.0/0'), 0, parseAddress('fe80::1'))).toThrow(TypeError);
});

test('looking up agrees with trying every route', () => {
  const word = fc.constantFrom(0, 0xffff, 0x0a000000, 0x0a010000, -1, 1);
  const address = fc.tuple(word, word, fc.constantFrom(0, 0xffff), word).map((w) => new Address(...w));
  const some = fc.array(fc.tuple(address, fc.integer({ min: 0, max: 128 })), { maxLength: 12 });
  fc.assert(
    fc.property(some, address, (routes, to) => {
      const table = new RouteTable();
      let best = -1;
      routes.forEach(([a, length], i) => {
        const own = a.family === 4 ? length % 33 : length;
        const p = prefix(`${a}/${own}`);
        table.add(p, i, null);
        if (!p.contains(to.w0, to.w1, to.w2, to.w3)) return;
        const held = best < 0 ? -1 : table.list().find((r) => r.interfaceIndex === best)!.prefix.length;
        if (own > held) best = i;
      });
      expect(table.lookup(to.w0, to.w1, to.w2, to.w3)?.interfaceIndex ?? -1).toBe(best);
    }),
    { seed: 20261122, numRuns: 300 },
  );
});
