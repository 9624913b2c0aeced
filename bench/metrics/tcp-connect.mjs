// Metric tcp.connect: connections a second, opened and closed both ways one after the other, 16 client addresses, two
// hosts in virtual time, with about a thousand in TIME-WAIT. Seven segments each.

import { Turnstile } from '../lib/connect.mjs';
import { lwip } from '../lib/lwip.mjs';
import { rate, timed } from '../lib/measure.mjs';
import { connections } from '../lib/node-net.mjs';
import { allocationsOf, timeOf } from '../lib/where.mjs';

const COUNT = 40_000;
/** Few: the kernel keeps each one's port for a minute. */
const NODE_COUNT = 1000;
const WAITING = 1000;

export const name = 'tcp.connect';
export const unit = 'connections/s';
export const better = 'higher';

/** One round of ours. */
export async function run() {
  const turnstile = new Turnstile(WAITING);
  return rate(COUNT, await timed(() => turnstile.pass(COUNT)));
}

async function native() {
  const times = lwip('connect', COUNT);
  return times === null ? null : rate(COUNT, times);
}

export const peers = {
  'node:net over loopback': async () => rate(NODE_COUNT, await connections(NODE_COUNT)),
  'lwIP, native, TIME-WAIT cut short': native,
};

/** Where the time of ours goes, and who allocates. */
export async function notes() {
  const turnstile = new Turnstile(WAITING);
  const time = await timeOf(async () => turnstile.pass(2 * COUNT));
  const octets = await allocationsOf(async () => {
    turnstile.pass(COUNT);
    return COUNT;
  });
  return [...time, 'octets allocated for a connection, both ends:', ...octets];
}
