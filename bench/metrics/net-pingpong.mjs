// Metric net.pingpong: round trips of one octet a second through sockets of synfin/net, over the loopback of one host,
// default settings; every octet is compared.

import { rate } from '../lib/measure.mjs';
import { pingpong } from '../lib/node-net.mjs';
import { notesOf, within } from '../lib/our-net.mjs';

/** So many that compiling does not decide: of 30,000 it takes a third of the time, in the third round still. */
const COUNT = 150_000;
const NODE_COUNT = 50_000;

export const name = 'net.pingpong';
export const unit = 'round trips/s';
export const better = 'higher';

const work = (ends) => pingpong(COUNT, ends);
const figure = (times) => rate(COUNT, times);

/** One round of ours. */
export const run = async () => figure(await within(work));

export const peers = { 'node:net over loopback': async () => rate(NODE_COUNT, await pingpong(NODE_COUNT)) };

/** What a link between two hosts costs, and where the time goes. */
export const notes = () => notesOf(work, figure, unit);
