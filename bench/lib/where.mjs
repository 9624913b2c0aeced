// Where time and memory go: profiles of the running process, added up by place.

import { Session } from 'node:inspector/promises';

/** `base/checksum.js onesSum`: the place of a call frame, short. */
function place(frame) {
  const file = frame.url
    .replace(/^node:/, 'node/')
    .split('/')
    .slice(-2)
    .join('/');
  return file === '' ? frame.functionName : `${file} ${frame.functionName || '(top)'}`;
}

/** The greatest shares, as `12 % base/checksum.js sumWords`. */
function greatest(shares, count, format) {
  return [...shares]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([name, value]) => `${format(value)} ${name}`);
}

/**
 * Where the time of `work` goes, by the processor's sampling profile: self time per function.
 *
 * @param {() => Promise<void>} work
 * @returns {Promise<string[]>} the ten greatest shares
 */
export async function timeOf(work) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const shares = new Map();
  let all = 0;
  for (const node of profile.nodes) {
    const name = place(node.callFrame);
    if (name === '(idle)') continue;
    shares.set(name, (shares.get(name) ?? 0) + node.hitCount);
    all += node.hitCount;
  }
  return greatest(shares, 10, (hits) => `${((100 * hits) / all).toFixed(0).padStart(3)} %`);
}

/**
 * Which functions allocate during `work`, by the heap's sampling profile, collected objects included.
 *
 * @param {() => Promise<number>} work returns the number of segments
 * @returns {Promise<string[]>} the eight greatest, in octets a segment
 */
export async function allocationsOf(work) {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.enable');
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 1024,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  const segments = await work();
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  const shares = new Map();
  const walk = (node, caller) => {
    const own = place(node.callFrame);
    // A built-in has no place of its own: its caller has.
    const name = node.callFrame.url === '' ? `${own} in ${caller}` : own;
    shares.set(name, (shares.get(name) ?? 0) + node.selfSize / segments);
    for (const child of node.children) walk(child, own);
  };
  walk(profile.head, '');
  return greatest(shares, 8, (octets) => `${octets.toFixed(1).padStart(6)} B`);
}
