// Metric http.tun: `wrk -c 64` through a TUN device to `serve`, server on one core and load on the other; the peers are
// Node's http behind a veth pair and over loopback, the same way, and ours with the platform's `Response`.

import { requestsPerSecond } from '../lib/http-tun.mjs';

export const name = 'http.tun';
export const unit = 'requests/s';
export const better = 'higher';
export const rounds = 3;
export const warm = false;

/** One round of ours. */
export const run = () => requestsPerSecond('tun');

export const peers = {
  'node:http over loopback': () => requestsPerSecond('loopback'),
  'node:http behind veth': () => requestsPerSecond('veth'),
  "synfin, the platform's Response": () => requestsPerSecond('platform'),
};
