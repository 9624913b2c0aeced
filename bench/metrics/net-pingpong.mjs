// Metric net.pingpong: round trips of one octet a second through sockets of synfin/net, two hosts in one process over a
// memory link in real time; every octet is compared.

import { rate } from '../lib/measure.mjs';
import { pingpong } from '../lib/node-net.mjs';
import { between, timeBetween } from '../lib/our-net.mjs';

const COUNT = 30_000;
const NODE_COUNT = 20_000;

export const name = 'net.pingpong';
export const unit = 'round trips/s';
export const better = 'higher';

/** One round of ours. */
export const run = async () => rate(COUNT, await between((ends) => pingpong(COUNT, ends)));

export const peers = { 'node:net over loopback': async () => rate(NODE_COUNT, await pingpong(NODE_COUNT)) };

/** Where the time of ours goes. */
export const notes = () => timeBetween((ends) => pingpong(2 * COUNT, ends));
