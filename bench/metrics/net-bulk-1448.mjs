// Metric net.bulk.1448: octets a second through sockets of synfin/net in writes of 1448 octets, two hosts in one process over
// a memory link of MTU 1500, default settings; every octet is compared.

import { megabytes } from '../lib/measure.mjs';
import { bulk } from '../lib/node-net.mjs';
import { between, timeBetween } from '../lib/our-net.mjs';

const OCTETS = 64 * 1024 * 1024;
const WRITE = 1448;

export const name = 'net.bulk.1448';
export const unit = 'MB/s';
export const better = 'higher';

/** One round of ours. */
export const run = async () => megabytes(OCTETS, await between((ends) => bulk(OCTETS, WRITE, ends)));

export const peers = { 'node:net over loopback': async () => megabytes(OCTETS, await bulk(OCTETS, WRITE)) };

/** Where the time of ours goes. */
export const notes = () => timeBetween((ends) => bulk(2 * OCTETS, WRITE, ends));
