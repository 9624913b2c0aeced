// The table of connections, against a Map; the ring; the queue of replies; the choice of ports.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_PROFILE } from '../../src/base/profile.ts';
import { SipKey } from '../../src/base/siphash.ts';
import { Ports } from '../../src/host/ports.ts';
import { REPLY_LIMIT, ReplyQueue } from '../../src/host/replies.ts';
import { ConnectionRing } from '../../src/host/ring.ts';
import { ConnectionTable } from '../../src/host/table.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { Address } from '../../src/wire/address.ts';

const key = new SipKey(new Uint8Array(16).fill(3));

interface Tuple {
  readonly l3: number;
  readonly lp: number;
  readonly r3: number;
  readonly rp: number;
  readonly v6: boolean;
}

/** All that the table looks at. */
function fake(t: Tuple): Connection {
  const local = t.v6 ? new Address(0xfd00, 0, 1, t.l3) : new Address(0, 0, 0xffff, t.l3);
  const remote = t.v6 ? new Address(0xfd00, 0, t.r3, 5) : new Address(0, 0, 0xffff, t.r3);
  return {
    addressing: { local, localPort: t.lp, remote, remotePort: t.rp, pseudo: 0, localMss: 0 },
  } as unknown as Connection;
}

function find(table: ConnectionTable, c: Connection): Connection | null {
  const { local: l, localPort, remote: r, remotePort } = c.addressing;
  return table.find(l.w0, l.w1, l.w2, l.w3, localPort, r.w0, r.w1, r.w2, r.w3, remotePort);
}

/** Few values, so that tuples differ in one part only and removals hit. */
const tuple = fc.record({
  l3: fc.integer({ min: 1, max: 3 }),
  lp: fc.constantFrom(80, 81, 50_000, 65_535),
  r3: fc.integer({ min: 1, max: 6 }),
  rp: fc.constantFrom(1, 4000, 4001, 65_535),
  v6: fc.boolean(),
});

/** No four-tuple is in TIME-WAIT. */
const nobody = { has: () => false };

describe('ConnectionTable', () => {
  test('adds, finds and removes as a Map does', () => {
    const step = fc.record({ what: fc.constantFrom('add', 'add', 'remove', 'find'), t: tuple });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new ConnectionTable(key);
        const model = new Map<string, Connection>();
        for (const { what, t } of steps) {
          const name = JSON.stringify(t);
          const known = model.get(name);
          if (what === 'add' && known === undefined) {
            const c = fake(t);
            table.add(c);
            model.set(name, c);
          } else if (what === 'remove') {
            table.remove(known ?? fake(t));
            model.delete(name);
          }
          expect(find(table, fake(t))).toBe(model.get(name) ?? null);
          expect(table.size).toBe(model.size);
        }
        for (const c of model.values()) expect(find(table, c)).toBe(c);
        expect(new Set(table.list())).toEqual(new Set(model.values()));
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });

  test('10,000 connections, then none', () => {
    const table = new ConnectionTable(key);
    const all: Connection[] = [];
    for (let n = 0; n < 10_000; n++) all.push(fake({ l3: 1, lp: 80, r3: n >> 8, rp: 1 + (n & 255), v6: false }));
    for (const c of all) table.add(c);
    for (const c of all) expect(find(table, c)).toBe(c);
    for (const c of all) table.remove(c);
    expect(table.size).toBe(0);
    for (const c of all) if (find(table, c) !== null) throw new Error('found after it was removed');
  });

  test('every part of the four-tuple is compared', () => {
    const table = new ConnectionTable(key);
    const t: Tuple = { l3: 1, lp: 80, r3: 2, rp: 4000, v6: false };
    table.add(fake(t));
    for (const other of [
      { ...t, l3: 2 },
      { ...t, lp: 81 },
      { ...t, r3: 3 },
      { ...t, rp: 4001 },
      { ...t, v6: true },
    ]) {
      expect(find(table, fake(other))).toBe(null);
    }
  });
});

describe('ConnectionRing', () => {
  test('first in, first out, through growth and wrap', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (pushes) => {
        const ring = new ConnectionRing();
        const model: Connection[] = [];
        for (const push of pushes) {
          if (push || model.length === 0) {
            const c = {} as Connection;
            ring.push(c);
            model.push(c);
          } else {
            expect(ring.first()).toBe(model[0]);
            expect(ring.shift()).toBe(model.shift());
          }
          expect(ring.length).toBe(model.length);
        }
        while (model.length > 0) expect(ring.shift()).toBe(model.shift());
      }),
      { seed: 20_261, numRuns: 200 },
    );
  });
});

describe('ReplyQueue', () => {
  test('is bounded, keeps its order, and defers the first behind the last', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('claim', 'claim', 'claim', 'drop', 'defer', 'defer', 'clear'), {
          minLength: 200,
          maxLength: 600,
        }),
        (steps) => {
          const queue = new ReplyQueue(REPLY_LIMIT);
          let model: number[] = [];
          let next = 0;
          for (const step of steps) {
            if (step === 'claim') {
              const reply = queue.claim(4);
              expect(reply === null).toBe(model.length === REPLY_LIMIT);
              if (reply !== null) {
                reply.nextHop = next;
                model.push(next++);
              }
            } else if (step === 'clear') {
              if (next % 53 !== 52) continue;
              queue.clear();
              model = [];
            } else if (model.length > 0) {
              const first = model.shift()!;
              if (step === 'defer') {
                queue.defer();
                model.push(first);
              } else queue.drop();
            }
            expect(queue.length).toBe(model.length);
            if (model.length > 0) expect(queue.first().nextHop).toBe(model[0]);
          }
          for (const n of model) {
            expect(queue.first().nextHop).toBe(n);
            queue.drop();
          }
        },
      ),
      { seed: 20_262, numRuns: 200 },
    );
  });

  test('a reply has the room that was asked for, whatever was there before', () => {
    const queue = new ReplyQueue(REPLY_LIMIT);
    for (const size of [40, 1500, 20, 576, 9000]) {
      expect(queue.claim(size)!.bytes.length).toBeGreaterThanOrEqual(size);
      queue.drop();
    }
  });
});

describe('Ports', () => {
  test('ephemeral ports come from their range, one four-tuple after another, and depend on the peer', () => {
    const table = new ConnectionTable(key);
    const ports = new Ports(key, DEFAULT_PROFILE);
    const local = new Address(0, 0, 0xffff, 1);
    const starts = new Set<number>();
    for (let n = 0; n < 200; n++) {
      const port = ports.choose(table, nobody, local, new Address(0, 0, 0xffff, 1000 + n), 80, 0);
      expect(port).toBeGreaterThanOrEqual(49_152);
      expect(port).toBeLessThan(65_536);
      starts.add(port);
    }
    // As scattered as 200 throws into 16384 places: a counter would give neighbours.
    const sorted = [...starts].sort((a, b) => a - b);
    expect(sorted.at(-1)! - sorted[0]!).toBeGreaterThan(8000);
    expect(starts.size).toBeGreaterThan(150);
  });

  test('a port that somebody listens on is not given away', () => {
    const table = new ConnectionTable(key);
    const ports = new Ports(key, { ...DEFAULT_PROFILE, ephemeralFrom: 50_000, ephemeralTo: 50_002 });
    ports.bind({ port: 50_000, address: null } as never);
    const local = new Address(0, 0, 0xffff, 1);
    for (let n = 2; n < 30; n++) {
      expect(ports.choose(table, nobody, local, new Address(0, 0, 0xffff, n), 80, 0)).toBe(50_001);
    }
    expect(ports.free()).toBe(50_001);
  });
});
