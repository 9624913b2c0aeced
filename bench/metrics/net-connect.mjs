// Metric net.connect: connections a second through synfin/net, one after the other: opened, ended by the client, ended by the
// server, counted at both ends; two hosts in one process over a memory link in real time.

import { rate } from '../lib/measure.mjs';
import { connections } from '../lib/node-net.mjs';
import { between, timeBetween } from '../lib/our-net.mjs';

const COUNT = 4000;
/** Few: the kernel keeps each one's port for a minute. */
const NODE_COUNT = 1000;

export const name = 'net.connect';
export const unit = 'connections/s';
export const better = 'higher';

/** One round of ours. */
export const run = async () => rate(COUNT, await between((ends) => connections(COUNT, ends)));

export const peers = { 'node:net over loopback': async () => rate(NODE_COUNT, await connections(NODE_COUNT)) };

/** Where the time of ours goes. */
export const notes = () => timeBetween((ends) => connections(2 * COUNT, ends));
