// Full segments that leave one after the other: a host without a tracer writes them from one header, a host with one
// writes each from the beginning. Both must say and know the same.

import { expect, test } from 'vitest';
import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import type { Profile } from '../../src/base/profile.ts';
import { Host } from '../../src/host/host.ts';
import type { Interface } from '../../src/host/interface.ts';
import { udp } from '../../src/host/udp.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { inspect } from '../../src/tcp/inspect.ts';
import { superSegments } from '../../src/tcp/trains.ts';

/** A number in `[0, n)`, the same for the same seed. */
type Draw = (n: number) => number;

function drawing(seed: number): Draw {
  let x = seed | 1;
  return (n) => {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    return (x >>> 8) % n;
  };
}

const OCTETS = Uint8Array.from({ length: 100_000 }, (_, k) => (k * 7 + (k >> 8)) & 0xff);

/** One of the two hosts, and what is on its way to it. */
class End {
  readonly host: Host;
  readonly iface: Interface;
  readonly incoming: Uint8Array[] = [];
  /** Packets that were written from the header of another. */
  followed = 0;

  constructor(name: string, secret: number, addresses: string[], profile: Partial<Profile>, traced: boolean) {
    const trace = traced ? { trace: () => undefined } : {};
    this.host = new Host({ name, key: new Uint8Array(16).fill(secret), superSegments, profile, ...trace });
    this.iface = this.host.addInterface({ medium: 'ip', mtu: 1500, addresses });
  }
}

/** Two hosts with connections, and a log of everything that can be seen of them. */
class World {
  readonly log: string[] = [];
  readonly a: End;
  readonly b: End;
  readonly connections: Connection[] = [];
  now = 1.25;
  readonly #out = new Uint8Array(2000);
  readonly #tx = new TxMeta();
  readonly #rx = new RxMeta();

  constructor(v6: boolean, profile: Partial<Profile>, traced: boolean) {
    this.a = new End('a', 1, v6 ? ['fd00::1/64'] : ['10.0.0.1/24'], profile, traced);
    this.b = new End('b', 2, v6 ? ['fd00::2/64'] : ['10.0.0.2/24'], profile, traced);
    this.b.host.listen({ port: 80 }, (c) => this.connections.push(c));
    const address = v6 ? 'fd00::2' : '10.0.0.2';
    for (let n = 0; n < 2; n++) this.connections.push(this.a.host.connect({ address, port: 80 }));
    for (let n = 0; n < 3; n++) {
      this.pull(this.a, this.b, 9, () => false);
      this.pull(this.b, this.a, 9, () => false);
      for (const to of [this.b, this.a]) this.arrive(to, 9);
    }
    expect(this.connections.map((c) => c.state)).toEqual(Array(4).fill('ESTABLISHED'));
  }

  /** The link asks for at most `count` packets; the path may lose some. */
  pull(from: End, to: End, count: number, lost: () => boolean): void {
    for (let n = 0; n < count; n++) {
      const { left } = from.host.stencil;
      const length = from.host.transmit(from.iface, this.#out, 0, this.#tx, this.now);
      if (length === 0) return;
      if (left > 0 && from.host.stencil.left === left - 1) from.followed++;
      this.log.push(Buffer.from(this.#out.subarray(0, length)).toString('latin1'));
      if (!lost()) to.incoming.push(this.#out.slice(0, length));
    }
  }

  arrive(to: End, count: number): void {
    for (const packet of to.incoming.splice(0, count)) {
      to.host.receive(to.iface, packet, 0, packet.length, this.#rx, this.now);
    }
    while (to.host.deliver());
  }

  /** One thing that may happen; the same draws make the same thing. */
  step(draw: Draw): void {
    const turned = draw(4) === 0;
    const [from, to] = turned ? [this.b, this.a] : [this.a, this.b];
    // Mostly one connection is busy in one direction, as runs need it.
    const c = this.connections[draw(12) < 9 ? 0 : draw(4)]!;
    const lossy = draw(8) === 0;
    switch (draw(16)) {
      case 0:
      case 1:
      case 2:
        if (c.isSynchronised() && !c.snd.finQueued)
          c.send(OCTETS, 0, [60_000, draw(6000), draw(9) * 1448, draw(9) * 1460][draw(4)]!);
        break;
      case 3:
      case 4:
      case 5:
      case 6:
        this.pull(from, to, 1 + draw(draw(3) === 0 ? 1 : 30), () => lossy && draw(6) === 0);
        break;
      case 7:
      case 8:
      case 9:
      case 10:
        this.arrive(to, 1 + draw(60));
        break;
      case 11:
        for (const reader of this.connections)
          reader.consume(Math.min(reader.readable, reader.peek().length, draw(9000)));
        break;
      case 12:
        if (draw(3) === 0) this.now += draw(40) / 16;
        else this.wait(draw(2) === 0 ? draw(400) : draw(40) / 16);
        break;
      case 13:
        if (draw(3) === 0) c.setDiffserv(draw(64));
        else if (draw(2) === 0) c.setCork(draw(2) === 0);
        else c.setNoDelay(draw(2) === 0);
        break;
      case 14:
        if (draw(40) === 0) c.shutdown();
        else if (draw(4) === 0) this.datagram(from);
        break;
      default:
        this.log.push(`next ${from.host.nextDeadline()} ${to.host.nextDeadline()}`);
    }
  }

  datagram(from: End): void {
    const socket = udp(from.host);
    const { localAddress, remoteAddress } = this.connections[0]!;
    socket.send(OCTETS.subarray(0, 100), from === this.a ? remoteAddress : localAddress, 9);
    socket.close();
  }

  wait(milliseconds: number): void {
    this.now += milliseconds;
    for (const { host } of [this.a, this.b]) {
      host.timersFire(this.now);
      while (host.deliver());
    }
  }

  /** What the hosts and their connections know of themselves. */
  state(): string {
    const known = this.connections.map((c) => ({ ...inspect(c), ...tcpInfo(c) }));
    return JSON.stringify([known, this.a.host.counters, this.b.host.counters]);
  }
}

const PROFILES: readonly Partial<Profile>[] = [
  {},
  { timestamps: false },
  { sack: false },
  { ecn: 'ask' },
  { pacing: true },
  { superSegment: 65_536, pushBursts: true },
  { initialWindow: 40 },
];

test('what leaves, and what is known afterwards, is the same as when each segment is decided on its own', () => {
  let followed = 0;
  for (let seed = 1; seed <= 36; seed++) {
    const profile = PROFILES[seed % PROFILES.length]!;
    const [plain, quick] = [true, false].map((traced) => new World(seed % 3 === 0, profile, traced));
    const [one, other] = [drawing(seed), drawing(seed)];
    for (let n = 1; n <= 600; n++) {
      plain!.step(one);
      quick!.step(other);
      const where = `seed ${seed}, step ${n}`;
      if (quick!.log.join() !== plain!.log.join()) expect(quick!.log, where).toEqual(plain!.log);
      if (n % 20 === 0) expect(quick!.state(), where).toBe(plain!.state());
      plain!.log.length = 0;
      quick!.log.length = 0;
    }
    expect([plain!.a.followed, plain!.b.followed]).toEqual([0, 0]);
    followed += quick!.a.followed + quick!.b.followed;
  }
  expect(followed).toBeGreaterThan(3000);
});

test('a deadline that moves with the second segment is known, though the host was asked for it after the first', () => {
  const [plain, quick] = [true, false].map((traced) => {
    const world = new World(false, {}, traced);
    world.connections[0]!.send(OCTETS, 0, 60_000);
    world.pull(world.a, world.b, 1, () => false);
    const during = world.a.host.nextDeadline();
    world.pull(world.a, world.b, 100, () => false);
    return [during, world.a.host.nextDeadline(), world.log.length, world.a.followed > 0];
  });
  expect([quick![3], plain![3]]).toEqual([true, false]);
  expect(quick!.slice(0, 3)).toEqual(plain!.slice(0, 3));
});
