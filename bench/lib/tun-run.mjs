// Starts bench/lib/tun.mjs in a network namespace of its own, and reads what it measured.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { megabytes } from './measure.mjs';

const PROGRAM = fileURLToPath(new URL('tun.mjs', import.meta.url));
const OCTETS = 1024 * 1024 * 1024;
const LONGEST = 120_000;

/**
 * One round: `what` is tun, tun-plain or loopback, `direction` rx (the kernel sends) or tx (we send). As many octets as are
 * measured go before, unless the first ones of a process are what is asked for.
 */
export function tun(what, direction, warm = OCTETS) {
  if (process.platform !== 'linux' || process.getuid() !== 0) throw new Error('TUN devices need Linux and root');
  const args = ['--net', process.execPath, PROGRAM, what, direction, String(OCTETS), String(warm)];
  const child = spawnSync('unshare', args, { encoding: 'utf8', timeout: LONGEST, killSignal: 'SIGKILL' });
  if (child.status !== 0) throw new Error(`${what} ${direction}: ${child.stderr || child.signal}`);
  return megabytes(OCTETS, JSON.parse(child.stdout));
}
