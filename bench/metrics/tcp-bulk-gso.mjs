// Metric tcp.bulk.gso: as tcp.bulk.mss1460, over a link that takes super-segments of 64 KiB and leaves checksums to the
// other side, as a TUN device does. Every octet is compared at the far end.

import { Bulk } from '../lib/bulk.mjs';
import { megabytes, timed } from '../lib/measure.mjs';
import { bulk as nodeBulk } from '../lib/node-net.mjs';
import { timeOf } from '../lib/where.mjs';

const OCTETS = 1024 * 1024 * 1024;
const CAPS = { txChecksum: true, tso: 65_535 };

export const name = 'tcp.bulk.gso';
export const unit = 'MB/s';
export const better = 'higher';

/** One round of ours. */
export async function run() {
  const bulk = await Bulk.open(CAPS);
  const times = await timed(() => bulk.transfer(OCTETS));
  await bulk.close();
  return megabytes(OCTETS, times);
}

export const peers = {
  'node:net over loopback, 64 KiB writes': async () => megabytes(OCTETS, await nodeBulk(OCTETS, 65_536)),
};

/** Octets in a packet, and where the time of ours goes. */
export async function notes() {
  const bulk = await Bulk.open(CAPS);
  await bulk.transfer(OCTETS / 8);
  const before = bulk.packets;
  const lines = await timeOf(() => bulk.transfer(OCTETS));
  const each = OCTETS / (bulk.packets - before);
  await bulk.close();
  return [`${each.toFixed(0)} octets in a packet`, ...lines];
}
