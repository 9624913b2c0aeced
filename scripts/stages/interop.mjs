// Our stack against the kernel's, over TUN devices in network namespaces that the tests make and remove.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../lib/build.mjs';
import { skip, vitest } from '../lib/cases.mjs';
import { ROOT, run } from '../lib/proc.mjs';
import { isRoot, lacking } from './system.mjs';

/** Why this machine has no TUN devices in network namespaces, or an empty string. */
export async function obstacle() {
  if (process.platform !== 'linux') return 'TUN devices are for Linux';
  if (!isRoot()) return 'needs root for network namespaces';
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun here';
  const missing = lacking(['ip']);
  if (missing !== '') return missing;
  // Containers may deny what root elsewhere may do. `unshare` leaves nothing behind.
  const probe = await run('unshare', ['--net', 'ip', 'tuntap', 'add', 'dev', 'synfin-probe', 'mode', 'tun']);
  return probe.code === 0 ? '' : `no TUN device in a network namespace: ${probe.output.trim()}`;
}

/** The stage: one file at a time. */
export async function interop(context) {
  const tests = filesBelow(join(ROOT, 'test', 'interop')).filter((path) => path.endsWith('.test.ts'));
  if (tests.length === 0) return [];
  const reason = await obstacle();
  return reason === '' ? vitest(['--mode', 'interop'], context) : [skip('synfin against the kernel', reason)];
}
