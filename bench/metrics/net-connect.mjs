// Metric net.connect: connections a second through synfin/net, one after the other: opened, ended by the client, ended
// by the server, counted at both ends; over the loopback of one host, default settings.

import { rate } from '../lib/measure.mjs';
import { connections } from '../lib/node-net.mjs';
import { notesOf, within } from '../lib/our-net.mjs';

const COUNT = 4000;
/** Few: the kernel keeps each one's port for a minute. */
const NODE_COUNT = 1000;

export const name = 'net.connect';
export const unit = 'connections/s';
export const better = 'higher';

const work = (ends) => connections(COUNT, ends);
const figure = (times) => rate(COUNT, times);

/** One round of ours. */
export const run = async () => figure(await within(work));

export const peers = { 'node:net over loopback': async () => rate(NODE_COUNT, await connections(NODE_COUNT)) };

/** What a link between two hosts costs, and where the time goes. */
export const notes = () => notesOf(work, figure, unit);
