// The harsh paths: what a seed decides about path and programs, and the suite over a range of seeds.

import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { type CloseOrder, type TransferOptions, transfer } from './transfer.ts';

/** At least a megabyte each way. */
const SIZE = 1 << 20;

/** The greatest impairments, together; every tenth seed has all of them. */
const WORST = { loss: 0.2, duplicate: 0.1, reorder: 0.2, corrupt: 0.01 };

/** Everything that a seed decides. */
function scenario(seed: number): TransferOptions {
  const prng = new Prng(seed).fork(3);
  const worst = seed % 10 === 0;
  const part = (most: number): number => (worst ? most : prng.nextFloat() * most);
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const way = () => ({
    delay: pick([0, 0.5, 5, 20, 80]),
    jitter: pick([0, 0, 3, 15]),
    loss: part(WORST.loss),
    duplicate: part(WORST.duplicate),
    reorder: part(WORST.reorder),
    reorderDelay: pick([1, 10, 60]),
    corrupt: part(WORST.corrupt),
    rate: pick([0, 0, 1_000_000, 10_000_000]),
    queue: pick([20_000, 100_000, 1_000_000]),
  });
  const ipv6 = prng.nextFloat() < 0.3;
  return {
    seed,
    size: SIZE,
    // Client and server in turn, so that both orders meet every kind of path.
    close: (['client', 'server', 'client', 'server', 'both'] as const)[seed % 5] as CloseOrder,
    impairments: { aToB: way(), bToA: way() },
    ipv6,
    medium: !ipv6 && prng.nextFloat() < 0.4 ? 'ethernet' : 'ip',
    mtu: pick(ipv6 ? [1280, 1500, 9000] : [576, 1500, 1500, 9000]),
    writeSize: pick([700, 5000, 65_536, 400_000]),
    laziness: pick([0, 0, 0.02, 0.2]),
    profile: {
      receiveBuffer: pick([8192, 65_535, 262_144, 524_288]),
      sendBuffer: pick([16_384, 131_072, 524_288]),
    },
  };
}

function percent(x: number): string {
  return `${(100 * x).toFixed(1)}%`;
}

function title(options: TransferOptions): string {
  const { aToB } = options.impairments as { aToB: typeof WORST };
  const faults = `loss ${percent(aToB.loss)} dup ${percent(aToB.duplicate)} reorder ${percent(aToB.reorder)}`;
  const kind = `${options.ipv6 ? 'IPv6' : 'IPv4'} ${options.medium} mtu ${options.mtu}, ${options.close} ends first`;
  return `seed ${options.seed}: ${faults} corrupt ${percent(aToB.corrupt)}; ${kind}`;
}

/** One test for each seed in `[from, to]`. */
export function seedSuite(from: number, to: number): void {
  describe(`1 MiB each way at once over harsh paths, seeds ${from} to ${to}`, () => {
    for (let seed = from; seed <= to; seed++) {
      const options = scenario(seed);
      it(title(options), { timeout: 120_000 }, () => {
        const result = transfer(options);
        expect(result.checks).toBeGreaterThan(result.events);
      });
    }
  });
}
