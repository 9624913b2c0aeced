// 100,000 connections of `synfin/net` opened and closed in virtual time: nothing of them is left.

import { once } from 'node:events';
import type { Server } from 'node:net';
import timers from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { expect, it } from 'vitest';
import { createNet, type NetOptions } from '../../src/node/net.ts';
import { Network } from '../../src/sim/network.ts';

const ROUNDS = 4;
const BATCHES = 25;
const BATCH = 1000;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

/** Lets the network and the programs go on, by turns, until neither does anything. */
async function settle(network: Network): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const before = network.events;
    network.run();
    await timers.setImmediate();
    quiet = network.events === before ? quiet + 1 : 0;
  }
}

it('hosts, timers, heap and process are as they were after 100,000 connections', async () => {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  const network = new Network({ seed: 5 });
  const a = network.host('a', { addresses: ['10.0.0.1/24'] });
  const b = network.host('b', { addresses: ['10.0.0.2/24'] });
  network.connect(a, b, { delay: 5, loss: 0.001 });
  const clock: NonNullable<NetOptions['clock']> = {
    now: () => network.now,
    setTimer: (fire, delay) => network.after(delay, fire),
    clearTimer: (undo) => (undo as () => void)(),
    holdTimer: () => undefined,
    soon: (run) => queueMicrotask(run),
  };
  const [client, server] = [createNet(a, { clock }), createNet(b, { clock })];
  const alive = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = alive();
  const listener: Server = server.createServer((socket) => socket.setTimeout(30_000).pipe(socket)).listen(80);
  await once(listener, 'listening');
  const ends = { closed: 0, wrong: 0 };
  const heaps: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let batch = 0; batch < BATCHES; batch++) {
      for (let n = 0; n < BATCH; n++) {
        const socket = client.connect(80, '10.0.0.2').setTimeout(30_000);
        socket
          .on('data', () => undefined)
          .on('close', (hadError) => {
            ends.closed++;
            if (hadError || socket.bytesRead !== 5) ends.wrong++;
          });
        socket.end('hello');
      }
      await settle(network);
    }
    collect();
    heaps.push(process.memoryUsage().heapUsed);
    expect([a.connectionCount, b.connectionCount, a.portsInUse, b.portsInUse, network.inFlight]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect([a.timersArmed, b.timersArmed]).toEqual([0, 0]);
  }
  listener.close();
  await once(listener, 'close');
  process.off('unhandledRejection', onRejection);
  expect(ends).toEqual({ closed: ROUNDS * BATCHES * BATCH, wrong: 0 });
  expect(rejections).toEqual([]);
  // The runner's own timer may have fired meanwhile.
  expect(alive()).toBeLessThanOrEqual(before);
  // The first round fills pools; from then on less than 40 octets a connection, which is noise.
  const slope = (heaps.at(-1)! - heaps[1]!) / ((ROUNDS - 2) * BATCHES * BATCH);
  console.log(`heap after each round, MB: ${heaps.map((octets) => (octets / 1e6).toFixed(1)).join(' ')}`);
  expect(slope).toBeLessThan(40);
});
