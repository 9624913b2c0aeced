import { describe, expect, it } from 'vitest';
import type { Pair } from '../../src/sim/index.ts';
import { DROP, PASS, type Path } from '../../src/sim/index.ts';
import { type CloseOrder, type TransferOptions, type TransferResult, transfer } from './transfer.ts';

const SIZE = 100 * 1024;
const ORDERS: readonly CloseOrder[] = ['client', 'server', 'both'];

type Way = 'toServer' | 'toClient';

const pathOf = (p: Pair, way: Way): Path => (way === 'toServer' ? p.link.aToB : p.link.bToA);

/** The connection whose segments are dropped; the delay lets many be in flight at once. */
const plain = (close: CloseOrder): TransferOptions => ({ seed: 1, size: SIZE, close, impairments: { delay: 10 } });

/** Runs the connection without packet `index` of one way, and shows that it was dropped. */
function without(options: TransferOptions, way: Way, index: number): TransferResult {
  let dropped = 0;
  try {
    return transfer({
      ...options,
      prepare: (p) => {
        pathOf(p, way).addRule((packet) => {
          if (packet.index !== index) return PASS;
          dropped++;
          return DROP;
        });
      },
    });
  } catch (error) {
    throw new Error(`packet ${index} ${way} dropped: ${(error as Error).message}`, { cause: error });
  } finally {
    expect(dropped).toBe(1);
  }
}

describe('a connection of 100 KiB each way, with one segment dropped', () => {
  for (const close of ORDERS) {
    for (const way of ['toServer', 'toClient'] as const) {
      it(`survives the loss of any one segment ${way}; ${close} ends first`, { timeout: 120_000 }, () => {
        const whole = transfer(plain(close));
        // At least the data segments; pure ACKs, SYN and FIN come on top.
        expect(whole[way]).toBeGreaterThan(SIZE / 1460);
        expect(whole.retransmissions).toBe(0);
        for (let index = 0; index < whole[way]; index++) without(plain(close), way, index);
      });
    }
  }

  for (const way of ['toServer', 'toClient'] as const) {
    it(`survives the loss of any one segment ${way} and of its retransmission`, { timeout: 120_000 }, () => {
      const whole = transfer(plain('client'));
      let again = 0;
      for (let index = 0; index < whole[way]; index++) {
        let seq = 0;
        let length = 0;
        let drops = 0;
        transfer({
          ...plain('client'),
          prepare: (p) => {
            pathOf(p, way).addRule((packet) => {
              const octets = packet.payload + (packet.flags & 3 ? 1 : 0);
              if (packet.index === index) {
                seq = packet.seq;
                length = octets;
                drops = 1;
                return DROP;
              }
              if (drops !== 1 || length === 0 || octets === 0 || packet.seq !== seq) return PASS;
              drops = 2;
              return DROP;
            });
          },
        });
        if (drops === 2) again++;
      }
      // Everything that takes up sequence numbers is sent again when it is lost; pure ACKs are not.
      expect(again).toBeGreaterThan(SIZE / 1460);
    });
  }

  it('survives the loss of any one segment of a connection that repairs other losses, retransmissions included', {
    timeout: 120_000,
  }, () => {
    const lossy: TransferOptions = { ...plain('server'), impairments: { delay: 10, loss: 0.05, reorder: 0.05 } };
    const whole = transfer(lossy);
    expect(whole.retransmissions).toBeGreaterThan(2);
    for (const way of ['toServer', 'toClient'] as const) {
      for (let index = 0; index < whole[way]; index++) {
        transfer({
          ...lossy,
          prepare: (p) => {
            pathOf(p, way).addRule((packet) => (packet.index === index ? DROP : PASS));
          },
        });
      }
    }
  });
});
