// Metric tcp.bulk.mss1460: octets a second through one connection between two hosts in one process; memory link, MTU
// 1500, default settings, checksums computed and verified, every octet compared at the far end.

import { Bulk } from '../lib/bulk.mjs';
import { lwip } from '../lib/lwip.mjs';
import { megabytes, timed } from '../lib/measure.mjs';
import { bulk as nodeBulk } from '../lib/node-net.mjs';
import { timeOf } from '../lib/where.mjs';

const OCTETS = 256 * 1024 * 1024;
/** What the kernel's TCP puts in a segment at MTU 1500, with timestamps. */
const WRITE = 1448;

export const name = 'tcp.bulk.mss1460';
export const unit = 'MB/s';
export const better = 'higher';

/** One round of ours: the clock runs from the first octet to the last one verified. */
export async function run() {
  const bulk = await Bulk.open();
  const times = await timed(() => bulk.transfer(OCTETS));
  await bulk.close();
  return megabytes(OCTETS, times);
}

async function native() {
  const times = lwip('bulk', OCTETS);
  return times === null ? null : megabytes(OCTETS, times);
}

export const peers = {
  'node:net over loopback, 1448 B writes': async () => megabytes(OCTETS, await nodeBulk(OCTETS, WRITE)),
  'lwIP, native': native,
};

/** Where the time of ours goes. */
export async function notes() {
  const bulk = await Bulk.open();
  await bulk.transfer(OCTETS / 4);
  const lines = await timeOf(() => bulk.transfer(OCTETS));
  await bulk.close();
  return lines;
}
