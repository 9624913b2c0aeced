// Runs bench/lib/memory.mjs in a process of its own.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('memory.mjs', import.meta.url));

/** One measurement: `{ octets, rss, seconds, timers, answered }`. */
export function memoryOf(mode, count) {
  const flags = ['--expose-gc', '--max-old-space-size=8192'];
  const child = spawnSync(process.execPath, [...flags, PROGRAM, mode, String(count)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}
