// Metric net.bulk.1448: octets a second through sockets of synfin/net in writes of 1448 octets, over the loopback of one host, default
// settings; every octet is compared. The notes tell what a link between two hosts costs, and where the time goes.

import { bulkMetric } from '../lib/our-net.mjs';

export const name = 'net.bulk.1448';
export const unit = 'MB/s';
export const better = 'higher';

const metric = bulkMetric(128 * 1024 * 1024, 1448);

export const run = () => metric.run();
export const peers = { 'node:net over loopback': () => metric.nodes() };
export const notes = () => metric.notes();
