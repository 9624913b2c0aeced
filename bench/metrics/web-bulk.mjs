// Metric web.bulk: octets a second through Web streams at both ends, 64 KiB a chunk, over the loopback of one host,
// default settings; every octet is compared.

import { Duplex } from 'node:stream';
import { createHost } from 'synfin';
import { createWeb } from 'synfin/web';
import { spanAt, Verifier } from '../lib/bulk.mjs';
import { keepFirst, megabytes, timed } from '../lib/measure.mjs';
import { pair } from '../lib/node-net.mjs';
import { timeOf } from '../lib/where.mjs';

/** Enough that compiling is not what is measured. */
const OCTETS = 1024 * 1024 * 1024;
const WARM = 8 * 1024 * 1024;
const CHUNK = 65_536;

export const name = 'web.bulk';
export const unit = 'MB/s';
export const better = 'higher';

async function write(writable, octets) {
  const writer = writable.getWriter();
  for (let sent = 0; sent < octets; sent += CHUNK) {
    await writer.ready;
    const chunk = spanAt(sent, Math.min(CHUNK, octets - sent));
    // Its promise is the stream's business: `ready` holds us back, and a failure shows at the reader.
    writer.write(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)).catch(() => undefined);
  }
}

async function read(readable, octets) {
  const verifier = new Verifier();
  const reader = readable.getReader();
  while (verifier.received < octets) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${verifier.received} octets arrived of ${octets}`);
    verifier.take(value);
  }
}

const move = ({ near, far }, octets) => Promise.all([write(near.writable, octets), read(far.readable, octets)]);

let web = null;
let runtime = null;

/** A connection of the one host to itself; the first one, once it has been used, stays open: see `keepFirst`. */
async function open() {
  if (web === null) {
    const made = createHost();
    web = createWeb(made.host);
    runtime = made.runtime;
    const first = await open();
    await move(first, WARM);
    keepFirst('web', first);
  }
  runtime.ref();
  const listener = web.listen({ port: 80 });
  const near = web.connect({ hostname: '127.0.0.1', port: 80 });
  const { value: far } = await listener.next();
  await near.opened;
  listener.close();
  const close = async () => {
    await Promise.all([near.close(), far.close()]);
    // TIME-WAIT does not hold the process up.
    runtime.unref();
  };
  return { near, far, close };
}

/** One round of ours. */
export async function run() {
  const pair = await open();
  const times = await timed(() => move(pair, OCTETS));
  await pair.close();
  return megabytes(OCTETS, times);
}

async function node() {
  const { client, far, close } = await pair();
  const ends = { near: Duplex.toWeb(client), far: Duplex.toWeb(far) };
  const times = await timed(() => move(ends, OCTETS));
  close();
  return megabytes(OCTETS, times);
}

export const peers = { 'node:net over loopback, Duplex.toWeb': node };

/** Where the time of ours goes. */
export async function notes() {
  const pair = await open();
  const lines = await timeOf(() => move(pair, OCTETS));
  await pair.close();
  return lines;
}
