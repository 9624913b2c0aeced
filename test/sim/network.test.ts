import { describe, expect, it } from 'vitest';
import type { TraceEvent } from '../../src/base/trace.ts';
import type { Impairments } from '../../src/sim/impairments.ts';
import type { CapturedPacket } from '../../src/sim/link.ts';
import { Network, type NetworkOptions } from '../../src/sim/network.ts';
import { DROP } from '../../src/sim/rules.ts';
import { ToyHost } from './toy.ts';

function toys(impairments: Partial<Impairments> = { delay: 10 }, options: Partial<NetworkOptions> = {}) {
  const network = new Network({ seed: 1, ...options });
  const a = network.add('a', new ToyHost(), ['10.0.0.1/24']);
  const b = network.add('b', new ToyHost(), ['10.0.0.2/24']);
  const link = network.connect(a, b, impairments);
  return { network, a, b, link };
}

/** 20 octets of something. */
const packet = (n: number): number[] => Array.from({ length: 20 }, () => n);

describe('Network', () => {
  it('carries packets between hosts in virtual time', () => {
    const { network, a, b } = toys();
    b.onPacket = () => b.send(...packet(2));
    a.send(...packet(1));
    expect(network.run()).toBe(2);
    expect(b.arrivals.map((x) => [x.at, x.id, x.bytes[0]])).toEqual([[10, 1, 1]]);
    expect(a.arrivals.map((x) => [x.at, x.id, x.bytes[0]])).toEqual([[20, 2, 2]]);
    expect(network.now).toBe(20);
    expect(network.inFlight).toBe(0);
  });

  it('gives every interface its addresses, and Ethernet ends different MAC addresses', () => {
    const network = new Network({ seed: 1 });
    const [a, b, c] = ['a', 'b', 'c'].map((name) =>
      network.add(name, new ToyHost(), [`10.0.0.${name.charCodeAt(0)}/24`]),
    );
    network.connect(a!, b!, {}, { medium: 'ethernet', mtu: 9000 });
    network.connect(a!, c!, {}, { addressesA: ['10.1.0.1/24'] });
    expect(a!.specs.map((s) => [s.addresses, s.mtu, s.medium])).toEqual([
      [['10.0.0.97/24'], 9000, 'ethernet'],
      [['10.1.0.1/24'], 1500, 'ip'],
    ]);
    const macs = [a!.specs[0]!.mac!, b!.specs[0]!.mac!];
    expect(macs[0]).not.toEqual(macs[1]);
    // Locally administered, not multicast.
    for (const mac of macs) expect(mac[0]! & 3).toBe(2);
    expect(a!.specs[1]!.mac).toBeNull();
  });

  it('has impairments for each direction', () => {
    const network = new Network({ seed: 1 });
    const a = network.add('a', new ToyHost());
    const b = network.add('b', new ToyHost());
    network.connect(a, b, { aToB: { delay: 3 }, bToA: { delay: 40 } });
    b.onPacket = () => b.send(...packet(2));
    a.send(...packet(1));
    network.run();
    expect([b.arrivals[0]?.at, a.arrivals[0]?.at]).toEqual([3, 43]);
  });

  it('steps one event at a time, to the next wake-up', () => {
    const { network, a, b } = toys();
    a.send(...packet(1));
    b.deadline = 4;
    expect(network.step()).toBe(true);
    expect([network.now, b.fired, b.arrivals.length]).toEqual([4, [4], 0]);
    expect(network.step()).toBe(true);
    expect([network.now, b.arrivals.length]).toEqual([10, 1]);
    expect(network.step()).toBe(false);
    expect(network.now).toBe(10);
  });

  it('at one instant: arrivals and calls in the order of scheduling, then timers in the order of hosts', () => {
    const { network, a, b } = toys();
    const log: string[] = [];
    b.deadline = 10;
    a.deadline = 10;
    for (const host of [a, b]) {
      host.onTimer = () => {
        log.push(host === a ? 'timer a' : 'timer b');
        host.deadline = Number.POSITIVE_INFINITY;
      };
    }
    b.onPacket = () => log.push('arrival');
    network.at(10, () => log.push('call 1'));
    a.send(...packet(1));
    network.run({ until: 5 });
    network.at(10, () => log.push('call 2'));
    network.run();
    expect(log).toEqual(['call 1', 'arrival', 'call 2', 'timer a', 'timer b']);
  });

  it('a timer that is late fires now, not in the past', () => {
    const { network, a } = toys();
    network.run({ until: 50 });
    a.deadline = 20;
    network.run();
    expect(a.fired).toEqual([50]);
  });

  it('stops where it is told to: at a time, or when something is true', () => {
    const { network, b } = toys();
    network.at(100, () => b.send(...packet(1)));
    expect(network.run({ until: 50 })).toBe(0);
    expect(network.now).toBe(50);
    network.run({ when: () => network.now >= 100 });
    expect(network.now).toBe(100);
    expect(network.run({ idle: true })).toBe(1);
    expect(network.now).toBe(110);
  });

  it('lets the callbacks of promises run before time moves', async () => {
    const { network, a } = toys();
    const log: string[] = [];
    const wait = (ms: number): Promise<void> => new Promise((resolve) => network.after(ms, resolve));
    const program = async (name: string, ms: number): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await wait(ms);
        await null;
        log.push(`${name} ${network.now}`);
      }
      a.send(...packet(1));
    };
    const programs = Promise.all([program('x', 10), program('y', 15)]);
    await network.runAsync();
    await programs;
    expect(log).toEqual(['x 10', 'y 15', 'x 20', 'y 30', 'x 30', 'y 45']);
    expect(network.now).toBe(55);
  });

  it('tells every host the time before anything happens', () => {
    const { network, a, b } = toys();
    let seen = -1;
    network.at(7, () => {
      seen = a.now;
    });
    network.run();
    expect([seen, b.now]).toEqual([7, 7]);
  });

  it('calls can be called off', () => {
    const { network } = toys();
    let called = 0;
    const off = network.after(5, () => called++);
    network.after(6, () => called++);
    off();
    network.run();
    expect(called).toBe(1);
    expect(() => network.at(1, () => {})).toThrow(RangeError);
  });

  it('throws when a run does not end', () => {
    const { network, a, b } = toys();
    a.onPacket = () => a.send(...packet(1));
    b.onPacket = () => b.send(...packet(1));
    a.send(...packet(1));
    expect(() => network.run({ maxEvents: 500 })).toThrow(/not ended after 500 events, at 5000 ms/);
  });

  it('throws when time stands still', () => {
    const { network, a } = toys();
    a.deadline = 3;
    a.onTimer = () => {};
    expect(() => network.run()).toThrow(/time stands still at 3 ms: .*a wants 3 ms/);
  });

  it('throws when a host never stops sending', () => {
    const { network, a } = toys({ loss: 1 });
    a.transmit = (_i, out) => out.fill(0, 0, 20) && 20;
    expect(() => network.run()).toThrow(/a never stops sending at 0 ms/);
  });

  it('cannot be run from inside its own run', () => {
    const { network } = toys();
    network.at(1, () => network.step());
    expect(() => network.run()).toThrow(/inside its own run/);
  });

  it('calls hooks after every event, with hosts settled', () => {
    const { network, a, b } = toys();
    const log: number[] = [];
    b.onPacket = () => b.send(...packet(2));
    const off = network.onEvent(() => log.push(network.now, network.packets));
    a.send(...packet(1));
    network.run();
    expect(log).toEqual([10, 2, 20, 2]);
    off();
    a.send(...packet(1));
    network.run();
    expect(log.length).toBe(4);
  });

  it('spoils bytes that a host kept past the call', () => {
    const { network, a, b } = toys();
    a.send(...packet(1));
    network.run();
    expect(b.arrivals[0]?.bytes[0]).toBe(1);
    expect(b.kept[0]?.[0]).toBe(0xdb);
  });

  it('shows captures what was sent and what arrived, damage included', () => {
    const { network, a, link } = toys({ delay: 1 });
    const seen: [number, CapturedPacket['point'], string, number, boolean, number][] = [];
    network.capture((p) => seen.push([p.at, p.point, p.path, p.id, p.corrupted, p.bytes[p.from]!]));
    a.send(...packet(1));
    network.run();
    const guard = link.addRule(() => DROP);
    a.send(...packet(2));
    network.run();
    guard.remove();
    link.impair({ corrupt: 1 });
    a.send(...packet(0));
    network.run();
    expect(seen.slice(0, 3)).toEqual([
      [0, 'sender', 'a>b', 1, false, 1],
      [1, 'receiver', 'a>b', 1, false, 1],
      [1, 'sender', 'a>b', 2, false, 2],
    ]);
    expect(seen.slice(3).map((s) => [s[1], s[3], s[4]])).toEqual([
      ['sender', 3, false],
      ['receiver', 3, true],
    ]);
    expect(guard.hits).toBe(1);
  });

  it('lets a test put packets of its own on the wire', () => {
    const { network, a, b, link } = toys();
    link.inject('b', Uint8Array.from([1, 2, 3]));
    link.inject('a', Uint8Array.from([4]));
    network.run();
    expect([b.arrivals[0]?.bytes, a.arrivals[0]?.bytes]).toEqual([Uint8Array.from([1, 2, 3]), Uint8Array.from([4])]);
    expect(() => link.inject('a', new Uint8Array(3000))).toThrow(RangeError);
  });

  it('passes path events to the tracer', () => {
    const events: TraceEvent[] = [];
    const { network, a } = toys({ delay: 1, loss: 1 }, { trace: (e) => events.push(e) });
    a.send(...packet(1));
    network.run();
    expect(events).toEqual([{ type: 'path', at: 0, link: 'a>b', packet: 1, verdict: 'lost' }]);
  });

  it('has the same digest for the same run, and another for any other', () => {
    const chatter = (seed: number, octet: number, knobs: Partial<Impairments> = {}): string => {
      const { network, a, b } = toys({ delay: 3, jitter: 2, loss: 0.1, ...knobs }, { seed });
      for (const host of [a, b]) host.onPacket = (bytes) => bytes[1]! < 50 && host.send(octet, bytes[1]! + 1, 0);
      for (let i = 0; i < 20; i++) a.send(octet, 1, i);
      network.run();
      return network.digest;
    };
    expect(chatter(1, 7)).toMatch(/^[0-9a-f]{16}$/);
    expect(chatter(1, 7)).toBe(chatter(1, 7));
    expect(new Set([chatter(1, 7), chatter(2, 7), chatter(1, 8), chatter(1, 7, { loss: 0.3 })]).size).toBe(4);
  });

  it('refuses strangers and doubles', () => {
    const { network, a } = toys();
    expect(() => network.connect(a, new ToyHost())).toThrow(RangeError);
    expect(() => network.add('a', new ToyHost())).toThrow(/'a'/);
  });
});
