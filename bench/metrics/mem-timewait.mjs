// Metric mem.timewait: octets that a connection in TIME-WAIT keeps, 100,000 of them in one process. The program has
// forgotten them; the host has not.

import { lwip } from '../lib/lwip.mjs';
import { memoryOf } from '../lib/memory-of.mjs';

const COUNT = 100_000;
const NATIVE_COUNT = 2000;

export const name = 'mem.timewait';
export const unit = 'B/entry';
export const better = 'lower';
/** It repeats to a fraction of an octet. */
export const rounds = 1;
export const warm = false;

/** One round. */
export const run = async () => memoryOf('timewait', COUNT).octets;

export const peers = { 'lwIP, native (2,000)': async () => lwip('timewait', NATIVE_COUNT)?.octets ?? null };
