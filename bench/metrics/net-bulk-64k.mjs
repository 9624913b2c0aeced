// Metric net.bulk.64k: octets a second through sockets of synfin/net in writes of 64 KiB, over the loopback of one host, default
// settings; every octet is compared. The notes tell what a link between two hosts costs, and where the time goes.

import { bulkMetric } from '../lib/our-net.mjs';

export const name = 'net.bulk.64k';
export const unit = 'MB/s';
export const better = 'higher';

const metric = bulkMetric(1024 * 1024 * 1024, 65_536);

export const run = () => metric.run();
export const peers = { 'node:net over loopback': () => metric.nodes() };
export const notes = () => metric.notes();
