// Two hosts on a perfect wire, then on one that loses: the whole life of a connection, and both ends at once.

import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/tcp/connection.ts';
import { type End, end, run } from '../host/wire.ts';

const pair = (): [End, End] => [end('a', '10.0.0.1/24'), end('b', '10.0.0.2/24')];

/** What one end of a transfer sends and gets. */
class Side {
  got = 0;
  wrong = 0;
  closes: (string | null)[] = [];
  readonly #seed: number;
  readonly #expected: number;
  #sent = 0;
  readonly #size: number;

  constructor(seed: number, expected: number, size: number) {
    this.#seed = seed;
    this.#expected = expected;
    this.#size = size;
  }

  attach(c: Connection): void {
    const push = (): void => {
      const chunk = new Uint8Array(8192);
      while (this.#sent < this.#size) {
        const n = Math.min(chunk.length, this.#size - this.#sent);
        for (let k = 0; k < n; k++) chunk[k] = ((this.#sent + k) * this.#seed) >> 3;
        const took = c.send(chunk, 0, n);
        this.#sent += took;
        if (took < n) return;
      }
      c.shutdown();
    };
    c.handler = {
      onOpen: push,
      onWritable: push,
      onReadable: () => {
        while (c.readable > 0) {
          const span = c.peek();
          for (let k = 0; k < span.length; k++) {
            if (span[k] !== ((((this.got + k) * this.#expected) >> 3) & 0xff)) this.wrong++;
          }
          this.got += span.length;
          c.consume(span.length);
        }
      },
      onClose: (_s, error) => this.closes.push(error === null ? null : error.code),
    };
    if (c.state !== 'SYN-SENT') push();
  }
}

function transfer(size: number, lose: (n: number) => boolean): void {
  const [a, b] = pair();
  const one = new Side(7, 11, size);
  const two = new Side(11, 7, size);
  b.host.listen({ port: 80 }, (c) => two.attach(c));
  one.attach(a.host.connect({ address: '10.0.0.2', port: 80 }));
  let n = 0;
  run(a, b, 3_600_000, () => lose(n++));
  expect([one.got, two.got, one.wrong, two.wrong]).toEqual([size, size, 0, 0]);
  expect([one.closes, two.closes]).toEqual([[null], [null]]);
  for (const e of [a, b]) {
    expect([e.host.connectionCount, e.host.timersArmed, e.host.portsInUse, e.host.chunks.inUse]).toEqual([0, 0, 0, 0]);
  }
}

describe('a transfer both ways at once', () => {
  test('300 KB on a perfect wire', () => transfer(300_000, () => false));
  test('nothing at all: three shakes, three or four waves', () => transfer(0, () => false));
  test('one octet', () => transfer(1, () => false));
  test.each([3, 5, 7, 11, 13])('100 KB, every %dth packet lost', (k) => transfer(100_000, (n) => n % k === k - 1));
  test('100 KB, bursts of 40 packets lost', () => transfer(100_000, (n) => n % 200 >= 160));
});

describe('both ends at once', () => {
  test('two active opens that cross become one connection, without a reset (trap 18, MUST-10)', () => {
    const [a, b] = pair();
    const one = new Side(7, 11, 1000);
    const two = new Side(11, 7, 1000);
    one.attach(a.host.connect({ address: '10.0.0.2', port: 5000, localPort: 6000 }));
    two.attach(b.host.connect({ address: '10.0.0.1', port: 6000, localPort: 5000 }));
    run(a, b, 600_000);
    expect([one.got, two.got]).toEqual([1000, 1000]);
    expect([one.closes, two.closes]).toEqual([[null], [null]]);
    const ways = [a, b].map((e) => e.trace.filter((t) => t.type === 'state').map((t) => t.to));
    for (const way of ways) expect(way.filter((s) => s === 'SYN-RECEIVED')).toHaveLength(1);
    for (const e of [a, b]) {
      expect(e.host.counters.resetsOut).toBe(0);
      expect(e.trace.some((t) => t.type === 'segment' && (t.flags & 4) !== 0)).toBe(false);
    }
  });

  test('two closes that cross: both ends go through CLOSING and TIME-WAIT (trap 19)', () => {
    const [a, b] = pair();
    const server: Connection[] = [];
    b.host.listen({ port: 80 }, (c) => {
      c.handler = {};
      server.push(c);
    });
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    c.handler = {};
    run(a, b, 100);
    c.shutdown();
    server[0]!.shutdown();
    run(a, b, 100_000);
    for (const e of [a, b]) {
      const way = e.trace.filter((t) => t.type === 'state').map((t) => t.to);
      expect(way.slice(-4)).toEqual(['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT', 'CLOSED']);
      expect(e.host.connectionCount).toBe(0);
    }
  });

  test('an end that was rebooted: SYN into the old connection, challenge ACK, reset, and the next SYN opens (trap 39)', () => {
    const [a, b] = pair();
    const told: (string | null)[] = [];
    b.host.listen({ port: 80 }, (s) => {
      s.handler = { onClose: (_s, error) => told.push(error === null ? null : error.code) };
    });
    a.host.connect({ address: '10.0.0.2', port: 80, localPort: 7000 });
    run(a, b, 100);
    const reborn = end('c', '10.0.0.1/24');
    reborn.host.tick(a.host.now);
    const c = reborn.host.connect({ address: '10.0.0.2', port: 80, localPort: 7000 });
    run(reborn, b, 5000);
    expect(c.state).toBe('ESTABLISHED');
    expect(told).toEqual(['ECONNRESET']);
    expect(b.host.connectionCount).toBe(1);
  });
});
