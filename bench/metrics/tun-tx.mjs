// Metric tun.tx: bulk from a synfin host to the kernel over a TUN device with offloads; the peer is Node's own server over
// loopback. Either server has a process and a namespace of its own, and the same kernel socket in another process.

import { tun } from '../lib/tun-run.mjs';

export const name = 'tun.tx';
export const unit = 'MB/s';
export const better = 'higher';
export const warm = false;

/** One round of ours. */
export const run = () => tun('tun', 'tx');

export const peers = { 'node:net over loopback': () => tun('loopback', 'tx') };

/** What the offloads are worth. */
export function notes() {
  return [`without offloads: ${tun('tun-plain', 'tx').value.toFixed(0)} MB/s`];
}
