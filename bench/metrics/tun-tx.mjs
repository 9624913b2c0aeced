// Metric tun.tx: bulk from a synfin host to the kernel over a TUN device with offloads; the peer is Node's own server over
// loopback. Either server has a process and a namespace of its own, and the same kernel socket in another process.

import { tun } from '../lib/tun-run.mjs';

export const name = 'tun.tx';
export const unit = 'MB/s';
export const better = 'higher';
export const warm = false;

/** One round of ours. */
export const run = () => tun('tun', 'tx');

export const peers = {
  'node:net over loopback': () => tun('loopback', 'tx'),
  'synfin, super-segments of 256 KiB': () => tun('tun-large', 'tx'),
};

/** What the offloads are worth, and how the first octets of a process fare, while V8 compiles. */
export function notes() {
  const rate = (what, warm) => tun(what, 'tx', warm).value.toFixed(0);
  const first = `the first GiB of a process: ${rate('tun', 0)} MB/s, node:net ${rate('loopback', 0)}`;
  return [`without offloads: ${rate('tun-plain', undefined)} MB/s`, first];
}
