// Plain segments take a short way (src/tcp/plain.ts, src/host/plain.ts). Here the same traffic runs twice, with that way
// and without, each with modules of its own, and after every event all that both ends know has to be the same.

import { afterAll, describe, expect, it, vi } from 'vitest';
import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Profile } from '../../src/base/profile.ts';
import { integerCubic } from '../../src/tcp/congestion/cubic-integer.ts';
import type { Connection } from '../../src/tcp/connection.ts';

type HostClass = typeof import('../../src/host/host.ts').Host;
type SuperSegments = import('../../src/tcp/trains.ts').SuperSegments;
type Info = typeof import('../../src/tcp/info.ts').tcpInfo;

/** The stack with or without the short way, and how many segments took it. */
interface Stack {
  readonly Host: HostClass;
  readonly superSegments: SuperSegments;
  readonly tcpInfo: Info;
  readonly taken: { packets: number; in: number; out: number };
}

async function stack(short: boolean): Promise<Stack> {
  vi.resetModules();
  const taken = { packets: 0, in: 0, out: 0 };
  const counted =
    <A extends unknown[], R extends number | boolean>(key: keyof typeof taken, way: (...args: A) => R, none: R) =>
    (...args: A): R => {
      const result = short ? way(...args) : none;
      if (result) taken[key]++;
      return result;
    };
  vi.doMock('../../src/tcp/plain.ts', async (original) => {
    const real = await original<typeof import('../../src/tcp/plain.ts')>();
    return {
      arrivesPlain: counted('in', real.arrivesPlain, false),
      plainToSend: counted('out', real.plainToSend, 0),
    };
  });
  vi.doMock('../../src/host/plain.ts', async (original) => {
    const real = await original<typeof import('../../src/host/plain.ts')>();
    return { takesPlain: counted('packets', real.takesPlain, false) };
  });
  const { Host } = await import('../../src/host/host.ts');
  const { tcpInfo } = await import('../../src/tcp/info.ts');
  const { superSegments } = await import('../../src/tcp/trains.ts');
  return { Host, superSegments, tcpInfo, taken };
}

/** What a path does to packets, in hundredths. */
interface Path {
  readonly loss: number;
  readonly twice: number;
  readonly late: number;
  readonly damage: number;
}

/** Everything a connection knows, private parts told by what they answer. */
function known(c: Connection): string {
  const board: number[] = [];
  for (let i = 0; c.board !== null && i < c.board.count; i++) {
    board.push(c.board.from(i), c.board.to(i), c.board.flags(i), c.board.sentAt(i));
  }
  const buffer = c.receiveBuffer;
  const ranges: number[] = [];
  for (let i = 0; buffer !== null && i < buffer.ranges; i++) ranges.push(buffer.rangeFrom(i), buffer.rangeTo(i));
  const own = JSON.stringify(c, (key, value: unknown) => {
    if (key === 'env' || key === 'addressing') return undefined;
    if (key === 'receiveBuffer') return [c.readable, ranges];
    if (key === 'sendQueue') return [c.queued, c.unsent];
    return typeof value === 'number' ? String(value) : value;
  });
  return `${c.state} ${own} ${board.join()}`;
}

/** One run: what both ends know, and every packet, after each event. */
function play(stack: Stack, seed: number, profile: Partial<Profile>, path: Path, address: readonly string[]): string[] {
  const dice = new Prng(seed);
  const chance = (hundredths: number): boolean => dice.below(100) < hundredths;
  const diary: string[] = [];
  const ends = [0, 1].map((n) => {
    const key = new Uint8Array(16).fill(n + 1);
    const host = new stack.Host({ name: `h${n}`, key, superSegments: stack.superSegments, profile });
    const i = host.addInterface({ medium: 'ip', mtu: 1500, addresses: [address[n]!] });
    return { host, i, c: null as Connection | null, wire: [] as { at: number; bytes: Uint8Array }[] };
  });
  const [client, server] = ends as [(typeof ends)[0], (typeof ends)[0]];
  server.host.listen({ port: 80 }, (c) => {
    server.c = c;
  });
  client.c = client.host.connect({ address: address[1]!.split('/')[0]!, port: 80 });
  let now = 0;
  const out = new Uint8Array(2000);
  const pump = (): void => {
    for (const end of ends) {
      while (end.host.deliver());
      for (;;) {
        const length = end.host.transmit(end.i, out, 0, new TxMeta(), now);
        if (length === 0) break;
        const bytes = out.slice(0, length);
        diary.push(`${end.host.name} ${now} ${Buffer.from(bytes).toString('hex')}`);
        const far = end === client ? server : client;
        if (chance(path.loss)) continue;
        if (chance(path.damage)) bytes[dice.below(length)]! ^= 1 << dice.below(8);
        for (let copies = chance(path.twice) ? 2 : 1; copies > 0; copies--) {
          far.wire.push({ at: now + 5 + (chance(path.late) ? dice.below(12) : 0), bytes });
        }
      }
    }
  };
  const text = new Uint8Array(4000).map((_, n) => n);
  for (let step = 0; step < 500; step++) {
    const end = ends[dice.below(2)]!;
    const { c } = end;
    const choice = dice.below(100);
    if (choice < 40) {
      // The next packet of either wire.
      const due = ends.flatMap((e) => e.wire.map((w) => ({ e, w }))).sort((a, b) => a.w.at - b.w.at)[0];
      if (due !== undefined) {
        due.e.wire.splice(due.e.wire.indexOf(due.w), 1);
        now = Math.max(now, due.w.at);
        due.e.host.receive(due.e.i, due.w.bytes, 0, due.w.bytes.length, new RxMeta(), now);
      }
    } else if (choice < 62 && c !== null && !c.snd.finQueued) {
      const small = chance(70);
      c.send(text, 0, small ? 1 + dice.below(40) : dice.below(4000));
    } else if (choice < 80 && c !== null) {
      c.read(new Uint8Array(5000), 0, 1 + dice.below(5000));
    } else if (choice < 90) {
      now += dice.below(30) / 4;
      for (const { host } of ends) host.timersFire(now);
    } else if (choice < 92) {
      now = Math.max(now, Math.min(...ends.map(({ host }) => host.nextDeadline()), now + 400));
      for (const { host } of ends) host.timersFire(now);
    } else if (choice < 94 && c !== null) c.setNoDelay(chance(50));
    else if (choice === 95 && c !== null) c.setCork(chance(30));
    else if (choice === 96 && c !== null && chance(50)) c.setKeepAlive(true, 1000, 1000, 3);
    else if (choice === 97 && step > 420 && c !== null) c.shutdown();
    pump();
    for (const { host, c: one } of ends) {
      if (one !== null) diary.push(`${step} ${host.name} ${known(one)} ${JSON.stringify(stack.tcpInfo(one))}`);
      diary.push(JSON.stringify([host.counters, host.counts, host.nextDeadline()]));
    }
  }
  return diary;
}

const V4 = ['10.0.0.1/24', '10.0.0.2/24'];
const V6 = ['fd00::1/64', 'fd00::2/64'];
const CLEAN: Path = { loss: 0, twice: 0, late: 0, damage: 0 };
const ROUGH: Path = { loss: 4, twice: 2, late: 10, damage: 2 };

describe('plain segments by the short way', () => {
  afterAll(() => {
    vi.doUnmock('../../src/tcp/plain.ts');
    vi.doUnmock('../../src/host/plain.ts');
    vi.resetModules();
  });

  const cases: readonly (readonly [string, Partial<Profile>, Path, readonly string[]])[] = [
    ['over a clean path', {}, CLEAN, V4],
    ['over a rough path', {}, ROUGH, V4],
    ['over a rough path of IPv6', {}, ROUGH, V6],
    ['without timestamps', { timestamps: false }, ROUGH, V4],
    ['without SACK', { sack: false }, ROUGH, V4],
    ['with other policies', { nagle: false, quickAcks: 16, ackOnSecond: true, idleRestart: 'halve' }, ROUGH, V4],
    ['with every acknowledgement measured', { rttEveryAck: true, growWhenHalfUsed: true }, ROUGH, V4],
    ['with congestion marks agreed on', { ecn: 'ask' }, ROUGH, V4],
    ['with pacing', { pacing: true }, ROUGH, V4],
    ['with super-segments', { superSegment: 65_536, pushBursts: true }, CLEAN, V4],
    ["with Linux's CUBIC, which counts segments", { congestionControl: integerCubic, countSegments: true }, ROUGH, V4],
    ["with Linux's CUBIC, which counts octets", { congestionControl: integerCubic }, ROUGH, V4],
  ];
  for (const [name, profile, path, address] of cases) {
    it(`leave both ends, their counters and the wire as the general way does, ${name}`, async () => {
      for (let seed = 1; seed <= 2; seed++) {
        const short = await stack(true);
        const with_ = play(short, seed, profile, path, address);
        const without = play(await stack(false), seed, profile, path, address);
        const first = with_.findIndex((line, n) => line !== without[n]);
        const [a = '', b = ''] = [with_[first], without[first]];
        const at = Math.max([...a].findIndex((letter, n) => letter !== b[n]) - 40, 0);
        expect(a.slice(at, at + 120), `seed ${seed}, event ${first} ${a.slice(0, 30)}`).toBe(b.slice(at, at + 120));
        expect(with_.length, `seed ${seed}`).toBe(without.length);
      }
    });
  }

  it('are most of a conversation over a clean path', async () => {
    const { taken, ...short } = await stack(true);
    const packets = play({ taken, ...short }, 1, {}, CLEAN, V4).filter((line) => line.startsWith('h')).length;
    expect(taken.out / packets).toBeGreaterThan(0.5);
    expect(taken.packets / packets).toBeGreaterThan(0.5);
    expect(taken.in).toBeGreaterThanOrEqual(taken.packets);
  });
});
