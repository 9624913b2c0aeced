// Metric start: milliseconds from the start of a Node program to the first octet that went to a server and back, over
// those of a program that does nothing: importing the package, two hosts, a link, a connection.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../lib/measure.mjs';

const PROGRAM = fileURLToPath(new URL('../lib/start.mjs', import.meta.url));
const STARTS = 5;

function start(what) {
  const began = process.hrtime.bigint();
  const child = spawnSync(process.execPath, [PROGRAM, what], { encoding: 'utf8' });
  const wall = Number(process.hrtime.bigint() - began) / 1e6;
  if (child.status !== 0) throw new Error(child.stderr);
  return { wall, cpu: JSON.parse(child.stdout).cpu };
}

/** The median of some starts of `what`, each less a bare one beside it. */
async function over(what) {
  const wall = [];
  const cpu = [];
  for (let i = 0; i < STARTS; i++) {
    const bare = start('bare');
    const full = start(what);
    wall.push(full.wall - bare.wall);
    cpu.push(full.cpu - bare.cpu);
  }
  return { value: median(wall), cpu: median(cpu) };
}

export const name = 'start';
export const unit = 'ms';
export const better = 'lower';
export const rounds = 3;
export const warm = false;

/** One round of ours. */
export const run = () => over('synfin');

export const peers = { 'node:net over loopback': () => over('node') };
