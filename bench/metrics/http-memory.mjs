// Metric http.memory: keep-alive requests a second, 'hello' through `serve`, 50 connections, client and server in one
// process over a memory link; the peer is Node's http over the kernel's loopback, with the same client over node:net.

import { nodes, ours } from '../lib/keep-alive.mjs';
import { timeOf } from '../lib/where.mjs';

const REQUESTS = 50_000;

export const name = 'http.memory';
export const unit = 'requests/s';
export const better = 'higher';

/** One round of ours. */
export const run = () => ours(REQUESTS);

export const peers = { 'node:http over loopback': () => nodes(REQUESTS) };

/** Where the time of ours goes. */
export const notes = () => timeOf(() => ours(REQUESTS));
