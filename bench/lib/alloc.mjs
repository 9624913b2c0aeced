// The measured half of the metric tcp.alloc; run by it with the flags it needs.

import { PerformanceObserver } from 'node:perf_hooks';
import { Bulk } from './bulk.mjs';

const WARM_UP = 128 * 1024 * 1024;
const WINDOW = 32 * 1024 * 1024;
const WINDOWS = 9;

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ['gc'] });

/** Lets the observer hear of collections that have happened. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

const bulk = await Bulk.open();
await bulk.transfer(WARM_UP);
const found = [];
for (let i = 0; i < WINDOWS * 2 && found.length < WINDOWS; i++) {
  globalThis.gc();
  await settle();
  const seen = collections;
  const segments = bulk.packets;
  const before = process.memoryUsage();
  await bulk.transfer(WINDOW);
  const after = process.memoryUsage();
  const sent = bulk.packets - segments;
  await settle();
  if (collections !== seen) continue;
  found.push((after.heapUsed - before.heapUsed + after.external - before.external) / sent);
}
await bulk.close();
if (found.length === 0) throw new Error('the collector ran in every window');
found.sort((a, b) => a - b);
console.log(
  JSON.stringify({ min: found[0], median: found[found.length >> 1], max: found.at(-1), windows: found.length }),
);
