// Metric tcp.connect.timewait: as tcp.connect, with 100,000 connections in TIME-WAIT all the time; the same with a
// thousand stands beside it as a peer.

import { Turnstile } from '../lib/connect.mjs';
import { rate, timed } from '../lib/measure.mjs';

const COUNT = 20_000;
const MANY = 100_000;
const FEW = 1000;

/** Made at their first use, and kept: making 100,000 takes longer than measuring. */
const turnstiles = new Map();

async function pass(waiting) {
  if (!turnstiles.has(waiting)) turnstiles.set(waiting, new Turnstile(waiting));
  const turnstile = turnstiles.get(waiting);
  const result = rate(COUNT, await timed(() => turnstile.pass(COUNT)));
  if (Math.abs(turnstile.waiting - waiting) > 2) throw new Error(`${turnstile.waiting} are in TIME-WAIT`);
  return result;
}

export const name = 'tcp.connect.timewait';
export const unit = 'connections/s';
export const better = 'higher';

/** One round of ours. */
export const run = () => pass(MANY);

export const peers = { 'synfin with 1,000 in TIME-WAIT': () => pass(FEW) };
