// Metric size.http: octets of a browser bundle, minified and compressed, of a program that connects and listens, with
// Web streams, `fetch` and `serve`.

import { sizeOf } from '../lib/size.mjs';

const PROGRAM = `export { createRuntime, Host, randomKey } from 'synfin'; export { createWeb } from 'synfin/web';`;

export const name = 'size.http';
export const unit = 'B';
export const better = 'lower';
export const rounds = 1;
export const warm = false;

/** One round. */
export const run = async () => (await sizeOf(PROGRAM)).gzip;

export const peers = {};

/** Which rooms they are. */
export const notes = async () => (await sizeOf(PROGRAM)).notes;
