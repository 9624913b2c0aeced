// Our CUBIC beside one flow of the kernel's CUBIC over one bottleneck: what we get for each octet that it gets.
//
// The peer is a second flow of the kernel in our place. Neither is exactly 1: two flows that begin at the same moment
// leave slow start at different windows, which the path forgets in tens of seconds; after that every loss moves the
// share for some seconds. So the shares are also told slice by slice, from the first second on.

import { LossLab, obstacle } from '../lib/loss.mjs';
import { ratioOf } from '../lib/ratio.mjs';

export const name = 'loss.fairness';
export const unit = 'share';
export const better = 'lower';
export const rounds = 5;
export const warm = false;

/** 100 Mbit/s by 20 ms, the mean of `ACCESS` included, with a bandwidth-delay product of queue. */
const PATH = { rate: 12_500_000, delay: 9, queue: 250_000 };
const ACKS = { rate: 12_500_000, delay: 10, queue: 1_000_000 };
/**
 * What each flow crosses alone before the queue: up to 2 ms, in order. Without it the drops of a full queue fall in step
 * with the acknowledgements, always on the same flow (phase effects): our host, which lives in the process of the
 * emulator, answers at another moment of its turn than the kernel does, and nearly all of the drops were ours.
 */
const ACCESS = { delay: 0, jitter: 2 };
/** Pairs at one time, and ms: of a slice, of the slices that are not counted, and of all. */
const PAIRS = 2;
const SLICE = 10_000;
const SETTLE = 20_000;
const TIME = 60_000;

const pairs = { ours: [], kernel: [] };
const lateness = { ours: [], kernel: [] };
let why = null;

async function share(baseline) {
  why ??= obstacle();
  if (why !== '') return null;
  const lab = new LossLab();
  try {
    const group = { flows: PAIRS, data: PATH, acks: ACKS, access: ACCESS, shared: true, baseline };
    const [found] = await lab.run([group], { time: TIME, slice: SLICE });
    const settled = found.map(({ slices }) => total(slices.slice(SETTLE / SLICE)));
    const who = baseline ? 'kernel' : 'ours';
    for (const [n, { slices }] of found.entries()) pairs[who].push({ ...settled[n], slices });
    lateness[who].push(lab.lateness);
    return ratioOf(settled).ratio;
  } finally {
    await lab.close();
  }
}

/** The sums of both flows over slices. */
function total(slices) {
  return { ours: add(slices, 'ours'), kernel: add(slices, 'kernel') };
}

const add = (records, field) => records.reduce((sum, record) => sum + record[field], 0);

export const run = async () => share(false);

export const peers = { Linux: async () => share(true) };

export async function notes() {
  if (pairs.ours.length === 0) return [`cannot run here: ${why}`];
  const measured = Object.entries(pairs).filter(([, found]) => found.length > 0);
  return measured.flatMap(([who, found]) => {
    const { ratio, low, high } = ratioOf(found);
    const shares = found.map((pair) => pair.ours / pair.kernel).sort((a, b) => a - b);
    const median = (shares[(shares.length - 1) >> 1] + shares[shares.length >> 1]) / 2;
    const slices = found[0].slices.map((_, k) => total(found.map((pair) => pair.slices[k])));
    const late = (100 * add(lateness[who], 'late')) / add(lateness[who], 'handed');
    const worst = Math.max(...lateness[who].map((run) => run.worst));
    const listed = (values) => values.map((value) => value.toFixed(2)).join(' ');
    return [
      `${who}: median of the pairs ${median.toFixed(3)}: ${listed(shares)}`,
      `${who}: of the sums ${ratio.toFixed(3)}, with 95 % in ${low.toFixed(3)}..${high.toFixed(3)}`,
      `${who}: by slices of ${SLICE / 1000} s from the start ${listed(slices.map((slice) => slice.ours / slice.kernel))}`,
      `${who}: the emulator was late by more than 1 ms with ${late.toFixed(1)} % of the packets, at worst by ${worst.toFixed(0)} ms`,
    ];
  });
}
