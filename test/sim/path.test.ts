import { describe, expect, it } from 'vitest';
import type { Medium } from '../../src/base/link.ts';
import { Prng } from '../../src/base/prng.ts';
import type { PathEvent } from '../../src/base/trace.ts';
import type { Impairments } from '../../src/sim/impairments.ts';
import { type Flight, Path } from '../../src/sim/path.ts';
import { BufferPool } from '../../src/sim/pool.ts';
import { corrupt, DROP, DUPLICATE, deliver, PASS } from '../../src/sim/rules.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';

function setUp(impairments: Partial<Impairments> = {}, seed = 1, medium: Medium = 'ip') {
  const queue = new Scheduler<Flight>();
  const pool = new BufferPool(1514);
  const events: PathEvent[] = [];
  const path = new Path({
    name: 'a>b',
    medium,
    impairments,
    prng: new Prng(seed),
    pool,
    queue,
    trace: (event) => events.push(event as PathEvent),
  });
  let id = 0;
  const send = (now: number, length = 100, fill = 0): void => {
    const buffer = pool.lend();
    buffer.fill(fill, 0, length);
    path.send(buffer, length, ++id, now);
  };
  const arrivals = (): { id: number; at: number; length: number; corrupted: boolean; bytes: Uint8Array }[] => {
    const result = [];
    for (let f = queue.pop(); f !== null; f = queue.pop()) {
      result.push({ id: f.id, at: f.at, length: f.length, corrupted: f.corrupted, bytes: f.buffer.slice(0, f.length) });
      f.path.release(f);
    }
    return result;
  };
  return { path, pool, events, send, arrivals };
}

const ones = (bytes: Uint8Array): number => {
  let count = 0;
  for (const octet of bytes) for (let bit = 0; bit < 8; bit++) count += (octet >> bit) & 1;
  return count;
};

describe('Path without chance', () => {
  it('delivers after the delay, in order, and gives every buffer back', () => {
    const t = setUp({ delay: 20 });
    for (let i = 0; i < 5; i++) t.send(i);
    expect(t.pool.lent).toBe(5);
    expect(t.arrivals().map((a) => [a.id, a.at])).toEqual([
      [1, 20],
      [2, 21],
      [3, 22],
      [4, 23],
      [5, 24],
    ]);
    expect(t.pool.lent).toBe(0);
    expect(t.events).toEqual([]);
  });

  it('serialises at the rate, and drops what finds no room to wait', () => {
    const t = setUp({ delay: 5, rate: 100_000, queue: 350 });
    // 100 octets take 1 ms. The first is being sent, two may wait, the fourth finds no room.
    for (let i = 0; i < 4; i++) t.send(0);
    t.send(2.5);
    expect(t.arrivals().map((a) => [a.id, a.at])).toEqual([
      [1, 6],
      [2, 7],
      [3, 8],
      [5, 9],
    ]);
    expect(t.path.counters.queueFull).toBe(1);
    expect(t.events.map((e) => [e.packet, e.verdict])).toEqual([[4, 'queue-full']]);
  });

  it('swallows packets over its MTU without a word', () => {
    const t = setUp({ mtu: 1400 });
    t.send(0, 1400);
    t.send(0, 1401);
    expect(t.arrivals().map((a) => a.id)).toEqual([1]);
    expect(t.events.map((e) => e.verdict)).toEqual(['lost']);
  });

  it('counts the MTU above layer 2 on Ethernet', () => {
    const t = setUp({ mtu: 1400 }, 1, 'ethernet');
    t.send(0, 1414);
    t.send(0, 1415);
    expect(t.arrivals().map((a) => a.id)).toEqual([1]);
  });

  it('lets knobs be turned in mid-flight, and leaves what is on its way alone', () => {
    const t = setUp({ delay: 100 });
    t.send(0);
    t.path.impair({ delay: 1 });
    t.send(10);
    expect(t.arrivals().map((a) => [a.id, a.at])).toEqual([
      [2, 11],
      [1, 100],
    ]);
  });

  it('refuses knobs that mean nothing', () => {
    const t = setUp();
    expect(() => t.path.impair({ loss: 1.5 })).toThrow(/loss/);
    expect(() => t.path.impair({ delay: -1 })).toThrow(/delay/);
    expect(() => t.path.impair({ delay: Number.POSITIVE_INFINITY })).toThrow(RangeError);
    expect(() => t.path.impair({ lost: 0.5 } as Partial<Impairments>)).toThrow(/lost/);
    expect(t.path.impairments.loss).toBe(0);
  });
});

describe('Path with chance', () => {
  const N = 20_000;

  it('loses about the fraction asked for, and tells of each loss', () => {
    const t = setUp({ loss: 0.2 });
    for (let i = 0; i < N; i++) t.send(i);
    const arrived = t.arrivals().length;
    expect(arrived).toBeGreaterThan(0.79 * N);
    expect(arrived).toBeLessThan(0.81 * N);
    expect(t.events.length).toBe(N - arrived);
    expect(t.path.counters).toMatchObject({ sent: N, lost: N - arrived, arrived });
    expect(t.pool.lent).toBe(0);
  });

  it('duplicates about the fraction asked for; the copy is clean', () => {
    const t = setUp({ duplicate: 0.1, corrupt: 1 });
    for (let i = 0; i < N; i++) t.send(i);
    const arrivals = t.arrivals();
    expect(arrivals.length).toBeGreaterThan(1.09 * N);
    expect(arrivals.length).toBeLessThan(1.11 * N);
    expect(arrivals.filter((a) => a.corrupted).length).toBe(N);
    expect(arrivals.filter((a) => !a.corrupted && ones(a.bytes) === 0).length).toBe(arrivals.length - N);
  });

  it('reorders about the fraction asked for, by at most the delay asked for', () => {
    const t = setUp({ delay: 10, reorder: 0.2, reorderDelay: 5 });
    for (let i = 0; i < N; i++) t.send(i);
    const late = t.arrivals().filter((a) => a.at !== a.id - 1 + 10);
    expect(late.length).toBeGreaterThan(0.19 * N);
    expect(late.length).toBeLessThan(0.21 * N);
    for (const a of late) expect(a.at - (a.id - 1 + 10)).toBeLessThanOrEqual(5);
    expect(t.path.counters.reordered).toBe(late.length);
  });

  it('jitters without reordering', () => {
    const t = setUp({ delay: 10, jitter: 50 });
    for (let i = 0; i < 1000; i++) t.send(i);
    const arrivals = t.arrivals();
    expect(arrivals.map((a) => a.id)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    expect(new Set(arrivals.map((a) => a.at)).size).toBeGreaterThan(20);
  });

  it('flips exactly one bit of a corrupted packet, anywhere in it', () => {
    const t = setUp({ corrupt: 0.01 });
    for (let i = 0; i < N; i++) t.send(i, 20);
    const hit = t.arrivals().filter((a) => a.corrupted);
    expect(hit.length).toBeGreaterThan(0.007 * N);
    expect(hit.length).toBeLessThan(0.013 * N);
    for (const a of hit) expect(ones(a.bytes)).toBe(1);
    const octets = new Set(hit.map((a) => a.bytes.findIndex((octet) => octet !== 0)));
    expect(octets.size).toBeGreaterThan(15);
  });

  it('never damages layer 2, nor ARP', () => {
    const t = setUp({ corrupt: 1 }, 1, 'ethernet');
    for (let i = 0; i < 500; i++) t.send(i, 34);
    for (const a of t.arrivals()) {
      expect(a.corrupted).toBe(true);
      expect(ones(a.bytes.subarray(0, 14))).toBe(0);
    }
    const arp = t.pool.lend();
    arp.fill(0);
    arp.set([0x08, 0x06], 12);
    t.path.send(arp, 42, 9999, 1000);
    expect(t.arrivals()[0]?.corrupted).toBe(false);
  });

  it('deals the same fate again from the same seed, and another from another', () => {
    const run = (seed: number): string => {
      const t = setUp({ delay: 5, jitter: 3, loss: 0.1, duplicate: 0.1, reorder: 0.1, corrupt: 0.1 }, seed);
      for (let i = 0; i < 500; i++) t.send(i);
      return JSON.stringify([t.arrivals(), t.events]);
    };
    expect(run(3)).toBe(run(3));
    expect(run(3)).not.toBe(run(4));
  });

  it('keeps the fate that other knobs deal when one knob or a rule changes', () => {
    const lost = (impairments: Partial<Impairments>, ruled: boolean): number[] => {
      const t = setUp({ loss: 0.1, ...impairments });
      if (ruled) t.path.addRule((packet) => (packet.index === 3 ? deliver(1) : PASS));
      for (let i = 0; i < 500; i++) t.send(i);
      return t.events.filter((e) => e.verdict === 'lost').map((e) => e.packet);
    };
    const plain = lost({}, false);
    expect(plain.length).toBeGreaterThan(20);
    expect(lost({ duplicate: 0.5, reorder: 0.5, corrupt: 0.5, jitter: 9 }, false)).toEqual(plain);
    expect(lost({}, true)).toEqual(plain.filter((id) => id !== 4));
  });
});

describe('Rules of a path', () => {
  it('come before chance, and the first that does not pass wins', () => {
    const t = setUp({ delay: 10, loss: 1 });
    const seen: number[] = [];
    const first = t.path.addRule((packet) => (packet.index === 1 ? deliver(3) : PASS));
    const second = t.path.addRule((packet) => {
      seen.push(packet.index);
      return DUPLICATE;
    });
    t.send(0);
    t.send(0);
    expect(t.arrivals().map((a) => [a.id, a.at])).toEqual([
      [2, 3],
      [1, 10],
      [1, 10],
    ]);
    expect(seen).toEqual([0]);
    expect([first.hits, second.hits]).toEqual([1, 1]);
    expect(t.events.map((e) => [e.packet, e.verdict])).toEqual([
      [1, 'duplicated'],
      [2, 'delayed'],
    ]);
  });

  it('are gone once their guard has removed them', () => {
    const t = setUp();
    const guard = t.path.addRule(() => DROP);
    t.send(0);
    guard.remove();
    guard.remove();
    t.send(0);
    expect(t.arrivals().map((a) => a.id)).toEqual([2]);
    expect(guard.hits).toBe(1);
    expect(t.events.map((e) => [e.packet, e.verdict])).toEqual([[1, 'lost']]);
  });

  it('can flip one bit of their choice, counted above layer 2', () => {
    const t = setUp({}, 1, 'ethernet');
    t.path.addRule(() => corrupt(9));
    t.send(0, 40);
    const [a] = t.arrivals();
    expect(a?.corrupted).toBe(true);
    expect(a?.bytes[15]).toBe(0x40);
    expect(ones(a!.bytes)).toBe(1);
    t.path.addRule(() => PASS);
    expect(() => t.send(0, 15)).toThrow(RangeError);
  });

  it('see the fields of a TCP segment', () => {
    const t = setUp();
    let told: number[] = [];
    t.path.addRule((p) => {
      told = [p.srcPort, p.dstPort, p.seq, p.ack, p.flags, p.payload];
      return PASS;
    });
    const buffer = t.pool.lend();
    buffer.fill(0, 0, 60);
    buffer.set([0x45, 0, 0, 57], 0);
    buffer[9] = 6;
    buffer.set([0, 80, 1, 0, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 5, 0x60, 0x18], 20);
    // Longer than the IP packet says: padding is no payload.
    t.path.send(buffer, 60, 1, 0);
    expect(told).toEqual([80, 256, -2, 5, 0x18, 13]);
    t.send(0, 60, 0x11);
    expect(told).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('BufferPool', () => {
  it('spoils what is given back, and takes only its own', () => {
    const pool = new BufferPool(4);
    const buffer = pool.lend();
    buffer.fill(1);
    pool.release(buffer);
    expect([...buffer]).toEqual([0xdb, 0xdb, 0xdb, 0xdb]);
    expect(() => pool.release(buffer)).toThrow(RangeError);
    pool.lend();
    expect(() => pool.release(new Uint8Array(5))).toThrow(RangeError);
  });
});
