import { describe, expect, it } from 'vitest';
import { DROP, PASS } from '../../src/sim/index.ts';
import { type CloseOrder, type TransferOptions, type TransferResult, transfer } from './transfer.ts';

/** Few octets in small segments: about 20 packets from SYN to the last ACK. */
const SIZE = 3000;

const short = (close: CloseOrder): TransferOptions => ({
  seed: 1,
  size: SIZE,
  close,
  impairments: { delay: 10 },
  mtu: 576,
});

/** Runs the connection without the packets of these numbers, counted over both ways in the order of sending. */
function without(close: CloseOrder, drops: readonly number[]): TransferResult {
  let count = 0;
  let dropped = 0;
  try {
    return transfer({
      ...short(close),
      prepare: (p) => {
        p.link.addRule(() => {
          if (!drops.includes(count++)) return PASS;
          dropped++;
          return DROP;
        });
      },
    });
  } catch (error) {
    throw new Error(`packets ${drops.join(' and ')} dropped: ${(error as Error).message}`, { cause: error });
  } finally {
    expect(dropped).toBe(drops.length);
  }
}

describe('a connection of about 20 segments, with two dropped', () => {
  for (const close of ['client', 'server', 'both'] as const) {
    it(`survives the loss of any pair, retransmissions included; ${close} ends first`, { timeout: 120_000 }, () => {
      const whole = transfer(short(close));
      const packets = whole.toServer + whole.toClient;
      expect(packets).toBeGreaterThanOrEqual(16);
      expect(packets).toBeLessThanOrEqual(30);
      let pairs = 0;
      for (let first = 0; first < packets; first++) {
        // What repairs the first loss can be lost as well, so the second is counted in the repaired run.
        const repaired = without(close, [first]);
        for (let second = first + 1; second < repaired.toServer + repaired.toClient; second++) {
          without(close, [first, second]);
          pairs++;
        }
      }
      expect(pairs).toBeGreaterThanOrEqual((packets * (packets - 1)) / 2);
    });
  }
});
