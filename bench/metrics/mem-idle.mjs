// Metric mem.idle: octets (heap, array buffers and WASM memory) that an idle established end keeps; 100,000 pairs in one
// process, which never carried an octet. Afterwards one in 101 of them is asked something, and answers.

import { lwip } from '../lib/lwip.mjs';
import { memoryOf } from '../lib/memory-of.mjs';

const PAIRS = 100_000;
/** lwIP looks through all its connections for every port: more would take minutes. */
const NATIVE_PAIRS = 2000;

export const name = 'mem.idle';
export const unit = 'B/end';
export const better = 'lower';
/** It repeats to a fraction of an octet. */
export const rounds = 1;
export const warm = false;

let last = null;

/** One round. */
export async function run() {
  last = memoryOf('idle', PAIRS);
  return last.octets;
}

export const peers = {
  'synfin, ends that carried 4 B each way before': async () => memoryOf('used', PAIRS).octets,
  'lwIP, native (2,000 pairs)': async () => lwip('idle', NATIVE_PAIRS)?.octets ?? null,
};

/** What else the last round said. */
export async function notes() {
  const { rss, seconds, timers } = last;
  return [`${rss.toFixed(0)} B of RSS an end, ${timers} timers armed, ${seconds.toFixed(1)} s of processor time`];
}
