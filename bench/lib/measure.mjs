// Time, by the wall and by the processor, and what a round of a metric returns.
//
// A round returns a number, or `{ value, cpu }` where `cpu` is the same figure by processor time (user and system, all
// threads of the process, the collector's included). On a shared machine the second is the steadier one.

/** Wall and processor time of `work`, seconds. */
export async function timed(work) {
  const cpu = process.cpuUsage();
  const began = process.hrtime.bigint();
  await work();
  const wall = Number(process.hrtime.bigint() - began) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, cpu: (user + system) / 1e6 };
}

/** `count` in so many seconds, as a round returns it: `count` divided by both times. */
export const rate = (count, { wall, cpu }) => ({ value: count / wall, cpu: count / cpu });

/** Octets a second, in MB/s. */
export const megabytes = (octets, times) => rate(octets / 1e6, times);

/** `Promise.withResolvers` for Node 20. */
export function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

/** Octets in use: the heap and what it owns outside of it (array buffers, WASM memory). Collects first. */
export function memoryInUse() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The middle of the values. */
export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const kept = new Map();

/**
 * Keeps the first object of a kind alive. When all objects of a class die, V8 forgets their shape, and the next ones get
 * a new one: after four such generations every access to them is slow, 2.5 times in round trips. A program has a host
 * that lives; rounds that each made and dropped their own would measure something else.
 */
export function keepFirst(kind, object) {
  if (!kept.has(kind)) kept.set(kind, object);
}
