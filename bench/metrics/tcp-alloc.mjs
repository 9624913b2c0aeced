// Metric tcp.alloc: octets allocated per data segment in steady state, both ends, both directions and the loop
// around them together.
//
// Method: a process with a young generation so large that nothing is collected in the window. The heap is collected,
// then its growth (heap and external memory) over a window of a warm transfer is divided by the segments sent in it. A
// window in which the collector ran after all is thrown away, since it would hide allocations.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Bulk } from '../lib/bulk.mjs';
import { allocationsOf } from '../lib/where.mjs';

const FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];

export const name = 'tcp.alloc';
export const unit = 'B/segment';
export const better = 'lower';
export const peers = {};

/** One round: a process of its own. */
export async function run() {
  const child = spawnSync(process.execPath, [...FLAGS, fileURLToPath(new URL('../lib/alloc.mjs', import.meta.url))], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout).median;
}

/** Who allocates. */
export async function notes() {
  const bulk = await Bulk.open();
  await bulk.transfer(128 * 1024 * 1024);
  const lines = await allocationsOf(async () => {
    const before = bulk.packets;
    await bulk.transfer(32 * 1024 * 1024);
    return bulk.packets - before;
  });
  await bulk.close();
  return lines;
}
