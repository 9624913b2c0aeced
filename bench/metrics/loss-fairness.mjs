// Our CUBIC beside one flow of the kernel's CUBIC over one bottleneck: what we get for each octet that it gets.
//
// The peer is a second flow of the kernel in our place. Neither is exactly 1: two flows that begin at the same moment
// leave slow start at different windows, and the path forgets that slowly.

import { LossLab, obstacle } from '../lib/loss.mjs';
import { ratioOf } from '../lib/ratio.mjs';

export const name = 'loss.fairness';
export const unit = 'share';
export const better = 'lower';
export const rounds = 5;
export const warm = false;

/** 100 Mbit/s by 20 ms, with a bandwidth-delay product of queue. */
const PATH = { rate: 12_500_000, delay: 10, queue: 250_000 };
const SETTLE = 10_000;
const TIME = 30_000;

const pairs = { ours: [], kernel: [] };
let why = null;

async function share(baseline) {
  why ??= obstacle();
  if (why !== '') return null;
  const lab = new LossLab();
  try {
    const group = { flows: 2, data: PATH, acks: { ...PATH, queue: 1_000_000 }, shared: true, baseline };
    const [found] = await lab.run([group], { settle: SETTLE, time: TIME });
    pairs[baseline ? 'kernel' : 'ours'].push(...found);
    return ratioOf(found).ratio;
  } finally {
    await lab.close();
  }
}

export const run = async () => share(false);

export const peers = { Linux: async () => share(true) };

export async function notes() {
  if (pairs.ours.length === 0) return [`cannot run here: ${why}`];
  return Object.entries(pairs).map(([who, found]) => {
    const { ratio, low, high } = ratioOf(found);
    const shares = found.map((p) => (p.ours / p.kernel).toFixed(2)).sort();
    return `${who}: ${ratio.toFixed(3)}, with 95 % in ${low.toFixed(3)}..${high.toFixed(3)}; by pair ${shares.join(' ')}`;
  });
}
