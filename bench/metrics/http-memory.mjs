// Metric http.memory: keep-alive requests a second, 'hello' through `serve`, 50 connections, client and server in one
// process over a memory link. Peers: Node's http over the kernel's loopback, whose client sends and counts the same octets
// over node:net; and ours once more, with a handler that answers by the platform's `Response` instead of `synfin/web`'s.

import { nodes, ours } from '../lib/keep-alive.mjs';
import { timeOf } from '../lib/where.mjs';

const REQUESTS = 50_000;

export const name = 'http.memory';
export const unit = 'requests/s';
export const better = 'higher';

/** One round of ours. */
export const run = () => ours(REQUESTS);

export const peers = {
  'node:http over loopback': () => nodes(REQUESTS),
  "synfin, the platform's Response": () => ours(REQUESTS, Response),
};

/** Where the time of ours goes. */
export const notes = () => timeOf(() => ours(REQUESTS));
