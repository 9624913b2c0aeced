// Two flows over one queue, in virtual time: each gets its share, whatever the arithmetic and the bursts of the other.

import { describe, expect, test } from 'vitest';
import type { RxMeta, TxMeta } from '../../src/base/packet.ts';
import type { Profile } from '../../src/base/profile.ts';
import type { Host } from '../../src/host/host.ts';
import { Network } from '../../src/sim/network.ts';
import type { HostLike, InterfaceSpec } from '../../src/sim/owner.ts';
import { integerCubic } from '../../src/tcp/congestion/cubic-integer.ts';

/** 20 Mbit/s by 20 ms, a bandwidth-delay product of queue. */
const RATE = 2_500_000;
const DELAY = 10;
const QUEUE = 50_000;
/**
 * Each flow comes to the queue over a way of its own that varies by some milliseconds: where nothing varies, drops fall
 * in step with acknowledgements and hit one flow for minutes (phase effects).
 */
const VARIATION = 4;
/** Seconds until the windows of slow start are forgotten, and seconds of counting. */
const SETTLE = 10;
const SECONDS = 60;

/** CUBIC as Linux computes it and in the bursts in which it leaves Linux, which waits for some of the window. */
const AS_LINUX: Partial<Profile> = {
  congestionControl: integerCubic,
  superSegment: 65_215,
  superSegmentDivisor: 3,
};

/** Sends every packet out at the interface whose third octet is that of the destination. */
class Router implements HostLike {
  readonly #networks: number[] = [];
  readonly #out: Uint8Array[][] = [];

  tick(): void {}

  addInterface(spec: InterfaceSpec): number {
    this.#networks.push(Number(spec.addresses[0]!.split('.')[2]));
    return this.#out.push([]) - 1;
  }

  receive(_i: number, bytes: Uint8Array, from: number, to: number, _meta: RxMeta): void {
    this.#out[this.#networks.indexOf(bytes[from + 18]!)]!.push(bytes.slice(from, to));
  }

  transmit(i: number, out: Uint8Array, at: number, _meta: TxMeta): number {
    const packet = this.#out[i]!.shift();
    if (packet === undefined) return 0;
    out.set(packet, at);
    return packet.length;
  }

  nextDeadline(): number {
    return Number.POSITIVE_INFINITY;
  }

  timersFire(): void {}

  deliver(): boolean {
    return false;
  }
}

/** What a flow of `one` delivers for each octet of a flow of `other`, and the part of the rate that both together fill. */
function beside(seed: number, one: Partial<Profile>, other: Partial<Profile>): { share: number; used: number } {
  const network = new Network({ seed });
  const router = network.add('router', new Router());
  const server = network.host('server', { addresses: ['10.0.3.2/8'] });
  const flows = [one, other].map((profile, n) => {
    const host = network.host(`client${n + 1}`, { addresses: [`10.0.${n + 1}.2/8`], profile });
    network.connect(host, router, { aToB: { jitter: VARIATION } }, { addressesB: [`10.0.${n + 1}.1/24`] });
    return { host, octets: 0, before: 0 };
  });
  const bottleneck = { aToB: { rate: RATE, delay: DELAY, queue: QUEUE }, bToA: { rate: RATE, delay: DELAY } };
  network.connect(router, server, bottleneck, { addressesA: ['10.0.3.1/24'] });
  server.listen({ port: 80 }, (stream) => {
    const flow = flows[stream.remoteAddress === '10.0.1.2' ? 0 : 1]!;
    stream.handler = {
      onReadable: (s) => {
        flow.octets += s.readable;
        s.consume(s.readable);
      },
    };
  });
  for (const { host } of flows) send(host);
  network.run({ until: SETTLE * 1000 });
  for (const flow of flows) flow.before = flow.octets;
  network.run({ until: (SETTLE + SECONDS) * 1000 });
  const [a, b] = flows.map((flow) => flow.octets - flow.before);
  return { share: a! / b!, used: (a! + b!) / SECONDS / (RATE * (1448 / 1500)) };
}

/** Sends without end. */
function send(host: Host): void {
  const stream = host.connect({ address: '10.0.3.2', port: 80 });
  const chunk = new Uint8Array(65_536);
  const fill = (): void => {
    while (stream.send(chunk, 0, chunk.length) === chunk.length);
  };
  stream.handler = { onOpen: fill, onWritable: fill };
}

describe('two flows over a queue of one bandwidth-delay product', () => {
  const SEEDS = [1, 2, 3];

  test.each(SEEDS)(
    'share it alike when both are ours, seed %i',
    (seed) => {
      const { share, used } = beside(seed, {}, {});
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1.25);
      expect(used).toBeGreaterThan(0.97);
    },
    120_000,
  );

  test.each(SEEDS)(
    'share it alike when one has the arithmetic and the bursts of Linux, seed %i',
    (seed) => {
      const { share, used } = beside(seed, {}, AS_LINUX);
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1.25);
      expect(used).toBeGreaterThan(0.97);
    },
    120_000,
  );
});
