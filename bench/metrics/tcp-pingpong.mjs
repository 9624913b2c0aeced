// Metric tcp.pingpong: round trips of one octet a second, two hosts in one process over a memory link in real time.

import { lwip } from '../lib/lwip.mjs';
import { rate, timed } from '../lib/measure.mjs';
import { pingpong as nodePingPong } from '../lib/node-net.mjs';
import { PingPong } from '../lib/pingpong.mjs';
import { timeOf } from '../lib/where.mjs';

const TRIPS = 200_000;
const NODE_TRIPS = 20_000;

export const name = 'tcp.pingpong';
export const unit = 'round trips/s';
export const better = 'higher';

/** One round of ours. */
export async function run() {
  const game = await PingPong.open();
  const times = await timed(() => game.play(TRIPS));
  game.close();
  return rate(TRIPS, times);
}

async function native() {
  const times = lwip('pingpong', TRIPS);
  return times === null ? null : rate(TRIPS, times);
}

export const peers = {
  'node:net over loopback': async () => rate(NODE_TRIPS, await nodePingPong(NODE_TRIPS)),
  'lwIP, native': native,
};

/** Where the time of ours goes. */
export async function notes() {
  const game = await PingPong.open();
  await game.play(TRIPS / 4);
  const lines = await timeOf(() => game.play(2 * TRIPS));
  game.close();
  return lines;
}
