// Ethernet: nothing leaves, and nothing advances, before the neighbour is known; and what happens when it never is.

import { describe, expect, test } from 'vitest';
import { ethernet } from '../../src/host/ethernet.ts';
import { Host } from '../../src/host/host.ts';
import { ping } from '../../src/host/ping.ts';
import { drain, type End, end, feed, program, run } from './wire.ts';

const MAC_A = Uint8Array.of(2, 0, 0, 0, 0, 1);
const MAC_B = Uint8Array.of(2, 0, 0, 0, 0, 2);

const ends = (): [End, End] => [end('a', '10.0.0.1/24', {}, MAC_A), end('b', '10.0.0.2/24', {}, MAC_B)];

/** 'arp?' and 'arp!' for requests and replies, 'ip' for the rest. */
function kinds(frames: readonly Uint8Array[]): string[] {
  return frames.map((f) => (f[12] === 8 && f[13] === 6 ? (f[21] === 1 ? 'arp?' : 'arp!') : 'ip'));
}

describe('an interface of medium ethernet', () => {
  const options = { medium: 'ethernet', mtu: 1500, addresses: ['10.0.0.1/24'], mac: MAC_A } as const;
  const key = new Uint8Array(16);

  test('is refused in one sentence by a host that was made without Ethernet, and leaves nothing behind', () => {
    const host = new Host({ key });
    expect(() => host.addInterface(options)).toThrow(
      expect.objectContaining({
        name: 'StateError',
        message: "this host was made without `ethernet` of 'synfin': new Host({ ethernet, ... })",
      }),
    );
    expect(host.interfaces).toEqual([]);
    expect(() => host.listen({ port: 80, address: '10.0.0.1' }, () => {})).toThrow(/EADDRNOTAVAIL/);
  });

  test('needs a MAC address of 6 octets, and no IPv6', () => {
    const host = new Host({ key, ethernet });
    expect(() => host.addInterface({ ...options, mac: null })).toThrow(RangeError);
    expect(() => host.addInterface({ ...options, mac: new Uint8Array(5) })).toThrow(/MAC address of 6 octets/);
    expect(() => host.addInterface({ ...options, addresses: ['fd00::1/64'] })).toThrow(/not supported yet/);
    expect(host.interfaces).toEqual([]);
    expect(host.addInterface(options).neighbours?.size).toBe(0);
  });
});

describe('a neighbour that is not known (trap 60)', () => {
  test('SYN-SENT: a request goes out and no segment; SND.NXT stays ISS and no timer of the connection runs', () => {
    const [a] = ends();
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    const frames = drain(a);
    expect(kinds(frames)).toEqual(['arp?']);
    expect([...frames[0]!.subarray(0, 6)]).toEqual([255, 255, 255, 255, 255, 255]);
    expect(c.state).toBe('SYN-SENT');
    expect(c.snd.nxt).toBe(c.snd.iss);
    expect(a.host.timersArmed).toBe(0);
    expect(a.host.nextDeadline()).toBe(1000);
  });

  test('the answer lets the SYN out, to the MAC it names', () => {
    const [a, b] = ends();
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    feed(b, drain(a)[0]!);
    const [reply] = drain(b);
    expect(kinds([reply!])).toEqual(['arp!']);
    feed(a, reply!);
    const [syn, ...more] = drain(a);
    expect(more).toEqual([]);
    expect([...syn!.subarray(0, 12)]).toEqual([...MAC_B, ...MAC_A]);
    expect(c.flightSize).toBe(1);
  });

  test('the whole life of a connection over Ethernet', () => {
    const [a, b] = ends();
    let served: ReturnType<typeof program> | null = null;
    b.host.listen({ port: 80 }, (s) => {
      served = program(s, true);
    });
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    const p = program(c);
    c.send(Uint8Array.of(1, 2, 3), 0, 3);
    c.shutdown();
    run(a, b, 100_000);
    expect(served!.read).toEqual([1, 2, 3]);
    expect([p.log, served!.log]).toEqual([
      ['open', 'ended', 'closed'],
      ['ended', 'closed'],
    ]);
    expect([a.host.connectionCount, b.host.connectionCount, a.host.timersArmed, b.host.timersArmed]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('SYN-SENT: it never answers: EHOSTUNREACH after the tries of the profile, told once', () => {
    const [a, b] = ends();
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    const p = program(c);
    const sent: string[] = [];
    run(a, b, 60_000, (from, frame) => {
      if (from === a) sent.push(...kinds([frame]));
      return true;
    });
    expect(sent).toEqual(['arp?', 'arp?', 'arp?']);
    expect(p.log).toEqual(['closed EHOSTUNREACH']);
    expect(c.error!.syscall).toBe('connect');
    expect([a.host.connectionCount, a.host.portsInUse, a.host.timersArmed]).toEqual([0, 0, 0]);
    expect(a.host.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('many that wait for one neighbour ask once, and all go when it answers', () => {
    const [a, b] = ends();
    for (let n = 0; n < 50; n++) a.host.connect({ address: '10.0.0.2', port: 1000 + n });
    const frames = drain(a);
    expect(kinds(frames)).toEqual(['arp?']);
    feed(b, frames[0]!);
    feed(a, drain(b)[0]!);
    expect(kinds(drain(a))).toEqual(Array(50).fill('ip'));
  });

  test('one neighbour that is not known holds up nobody else', () => {
    const [a, b] = ends();
    const stuck = a.host.connect({ address: '10.0.0.77', port: 80 });
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    b.host.listen({ port: 80 }, () => undefined);
    run(a, b, 500);
    expect(c.state).toBe('ESTABLISHED');
    expect([stuck.state, stuck.snd.nxt]).toEqual(['SYN-SENT', stuck.snd.iss]);
  });

  test('a program that writes on while its neighbour is asked for piles nothing up in the host', () => {
    const [a, b] = ends();
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    for (let n = 0; n < 1000; n++) {
      c.send(Uint8Array.of(1), 0, 1);
      drain(a);
    }
    expect(a.iface.ethernet!.waiting.length).toBeLessThanOrEqual(1);
    b.host.listen({ port: 80 }, () => undefined);
    run(a, b, 5000);
    expect(c.state).toBe('ESTABLISHED');
    expect(c.queued).toBe(0);
  });

  test('a reply that belongs to no connection waits for its neighbour as well', () => {
    const [a, b] = ends();
    a.host.connect({ address: '10.0.0.2', port: 9 });
    feed(b, drain(a)[0]!);
    feed(a, drain(b)[0]!);
    const [syn] = drain(a);
    // b has forgotten a since.
    b.iface.neighbours!.clear();
    feed(b, syn!);
    expect(kinds(drain(b))).toEqual(['arp?']);
    b.host.interfaceUp(b.iface);
  });

  test('ESTABLISHED: a neighbour that goes away is a soft error first; the connection outlives a short absence', () => {
    const [a, b] = ends();
    b.host.listen({ port: 80 }, (s) => program(s, true));
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    const p = program(c);
    run(a, b, 100);
    a.iface.neighbours!.clear();
    c.send(new Uint8Array(100), 0, 100);
    run(a, b, 3200, () => true);
    expect(c.state).toBe('ESTABLISHED');
    // Nothing is in flight and nobody asks: what waits is tried again by itself.
    expect(a.host.nextDeadline()).toBe(4100);
    run(a, b, 60_000);
    expect([c.state, c.queued]).toEqual(['ESTABLISHED', 0]);
    expect(p.log).toEqual(['open']);
  });
});

describe('packets of no connection', () => {
  test('a ping to a neighbour that never answers is told once, ETIMEDOUT, and nothing spins meanwhile', () => {
    const [a, b] = ends();
    const told: string[] = [];
    ping(a.host, { address: '10.0.0.77', timeout: 2500 }, (error) => told.push(error?.code ?? 'answered'));
    let frames = 0;
    run(a, b, 60_000, (from) => {
      if (from === a) frames++;
      return true;
    });
    expect(told).toEqual(['ETIMEDOUT']);
    expect(frames).toBe(3);
    expect(a.host.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('one that waits for its neighbour does not hold up those behind it', () => {
    const [a, b] = ends();
    const told: string[] = [];
    ping(a.host, { address: '10.0.0.77', timeout: 2500 }, () => told.push('77'));
    ping(a.host, { address: '10.0.0.2', timeout: 2500 }, (error) => told.push(error?.code ?? 'answered'));
    run(a, b, 100);
    expect(told).toEqual(['answered']);
  });
});

describe('a neighbour that was known', () => {
  test('is asked alone first when its time is up, and everybody when it does not answer (RFC 1122 §2.3.2.1)', () => {
    const [a, b] = ends();
    b.host.listen({ port: 80 }, () => undefined);
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    run(a, b, 100);
    a.host.tick(70_000);
    const asked: number[][] = [];
    const hear = (from: End, frame: Uint8Array): boolean => {
      if (from === a && kinds([frame])[0] === 'arp?') asked.push([...frame.subarray(0, 6)]);
      return kinds([frame])[0] !== 'ip';
    };
    c.send(new Uint8Array(1), 0, 1);
    run(a, b, 3000, hear);
    expect(asked).toEqual([[...MAC_B], [255, 255, 255, 255, 255, 255], [255, 255, 255, 255, 255, 255]]);
  });

  test('is not asked again when it answers the first time', () => {
    const [a, b] = ends();
    b.host.listen({ port: 80 }, () => undefined);
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    run(a, b, 100);
    a.host.tick(70_000);
    const asked: number[][] = [];
    c.send(new Uint8Array(1), 0, 1);
    run(a, b, 3000, (from, frame) => {
      if (from === a && kinds([frame])[0] === 'arp?') asked.push([...frame.subarray(0, 6)]);
      return false;
    });
    expect(asked).toEqual([[...MAC_B]]);
  });
});

describe('a neighbour that is gone for good', () => {
  test('ESTABLISHED: EHOSTUNREACH, told once, and not before 100 s have passed (MUST-56, SHLD-11)', () => {
    const [a, b] = ends();
    b.host.listen({ port: 80 }, () => undefined);
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    const p = program(c);
    run(a, b, 100);
    a.iface.neighbours!.clear();
    c.send(new Uint8Array(100), 0, 100);
    run(a, b, 100_000, () => true);
    expect(p.log).toEqual(['open']);
    run(a, b, 3_600_000, () => true);
    expect(p.log).toEqual(['open', 'closed EHOSTUNREACH']);
    expect([a.host.connectionCount, a.host.timersArmed, a.host.nextDeadline()]).toEqual([
      0,
      0,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test('writing on does not use up the patience: what counts is how often the neighbour was asked for', () => {
    const [a, b] = ends();
    b.host.listen({ port: 80 }, () => undefined);
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    run(a, b, 100);
    a.iface.neighbours!.clear();
    for (let n = 0; n < 500; n++) {
      c.send(new Uint8Array(1), 0, 1);
      run(a, b, 10, () => true);
    }
    expect(c.state).toBe('ESTABLISHED');
  });
});

describe('frames', () => {
  test('a frame for another MAC is dropped; one for all is not, but TCP in it is', () => {
    const [a, b] = ends();
    a.host.connect({ address: '10.0.0.2', port: 80 });
    feed(b, drain(a)[0]!);
    feed(a, drain(b)[0]!);
    const [syn] = drain(a);
    b.host.listen({ port: 80 }, () => undefined);
    const other = syn!.slice();
    other[5] = 9;
    feed(b, other);
    const all = syn!.slice();
    all.fill(255, 0, 6);
    feed(b, all);
    expect(b.host.connectionCount).toBe(0);
    expect(b.host.counters.drops['not-for-us']).toBe(2);
    feed(b, syn!);
    expect(b.host.connectionCount).toBe(1);
  });

  test('an unknown type and a frame too short are dropped and counted', () => {
    const [, b] = ends();
    const frame = new Uint8Array(60);
    frame.set(MAC_B);
    frame[12] = 0x88;
    feed(b, frame);
    feed(b, frame.slice(0, 13));
    expect([b.host.counters.drops['unknown-ethertype'], b.host.counters.drops['frame-truncated']]).toEqual([1, 1]);
    expect(drain(b)).toEqual([]);
  });

  test('a request for an address that is not ours is not answered', () => {
    const [a, b] = ends();
    a.host.connect({ address: '10.0.0.3', port: 80 });
    feed(b, drain(a)[0]!);
    expect(drain(b)).toEqual([]);
  });
});
