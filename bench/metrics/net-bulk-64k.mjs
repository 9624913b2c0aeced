// Metric net.bulk.64k: octets a second through sockets of synfin/net in writes of 64 KiB, over the loopback of one host, default
// settings; every octet is compared.

import { megabytes } from '../lib/measure.mjs';
import { bulk } from '../lib/node-net.mjs';
import { notesOf, within } from '../lib/our-net.mjs';

const OCTETS = 512 * 1024 * 1024;
const WRITE = 65_536;

export const name = 'net.bulk.64k';
export const unit = 'MB/s';
export const better = 'higher';

const work = (ends) => bulk(OCTETS, WRITE, ends);
const figure = (times) => megabytes(OCTETS, times);

/** One round of ours. */
export const run = async () => figure(await within(work));

export const peers = { 'node:net over loopback': async () => figure(await work()) };

/** What a link between two hosts costs, and where the time goes. */
export const notes = () => notesOf(work, figure, unit);
