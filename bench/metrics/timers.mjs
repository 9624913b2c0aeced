// Metric timers: what a segment costs one busy connection while 100,000 others are alive with a timer armed each, over
// what it costs it alone. Round trips of one octet between two hosts in virtual time; every one moves two timers.

import { Crowd } from '../lib/crowd.mjs';
import { median } from '../lib/measure.mjs';

/** Each round has so many turns of so many round trips; the median turn counts. */
const TURNS = 7;
const TRIPS = 3000;
const SIZES = [1, 10_000, 100_000];

/** Made at their first use, and kept. */
const crowds = new Map();
const found = new Map(SIZES.map((size) => [size, []]));

function crowd(size) {
  if (!crowds.has(size)) crowds.set(size, new Crowd(size));
  return crowds.get(size);
}

export const name = 'timers';
export const unit = 'x';
export const better = 'lower';
export const rounds = 2;
export const warm = false;

/** One round: all sizes in turn. */
export async function run() {
  const costs = new Map(SIZES.map((size) => [size, { value: [], cpu: [] }]));
  for (const size of SIZES) crowd(size).arm();
  globalThis.gc();
  for (let turn = 0; turn < TURNS; turn++) {
    for (const size of SIZES) {
      const { value, cpu } = await crowd(size).first(TRIPS);
      costs.get(size).value.push(value);
      costs.get(size).cpu.push(cpu);
    }
  }
  for (const size of SIZES) found.get(size).push(median(costs.get(size).cpu));
  const times = (kind) => median(costs.get(100_000)[kind]) / median(costs.get(1)[kind]);
  return { value: times('value'), cpu: times('cpu') };
}

export const peers = {};

/** The cost itself, and what it is when all connections are busy in turn: then memory decides, not timers. */
export async function notes() {
  const lines = SIZES.map(
    (size) => `${median(found.get(size)).toFixed(0)} ns of processor time a segment beside ${size}`,
  );
  for (const size of SIZES) {
    crowd(size).disarm();
    const costs = [];
    for (let i = 0; i < 3; i++) costs.push((await crowd(size).all(TRIPS)).cpu);
    lines.push(`${median(costs).toFixed(0)} ns a segment when all ${size} are busy in turn`);
  }
  return lines;
}
