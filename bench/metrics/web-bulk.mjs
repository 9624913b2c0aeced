// Metric web.bulk: octets a second through Web streams at both ends, 64 KiB a chunk, two hosts in one process over a
// memory link of MTU 1500, default settings; every octet is compared.

import { Duplex } from 'node:stream';
import { createRuntime, Host } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { createWeb } from 'synfin/web';
import { spanAt, Verifier } from '../lib/bulk.mjs';
import { keepFirst, megabytes, timed } from '../lib/measure.mjs';
import { pair } from '../lib/node-net.mjs';
import { timeOf } from '../lib/where.mjs';

const OCTETS = 128 * 1024 * 1024;
const CHUNK = 65_536;

export const name = 'web.bulk';
export const unit = 'MB/s';
export const better = 'higher';

async function write(writable) {
  const writer = writable.getWriter();
  for (let sent = 0; sent < OCTETS; sent += CHUNK) {
    await writer.ready;
    const chunk = spanAt(sent, Math.min(CHUNK, OCTETS - sent));
    // Its promise is the stream's business: `ready` holds us back, and a failure shows at the reader.
    writer.write(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)).catch(() => undefined);
  }
}

async function read(readable) {
  const verifier = new Verifier();
  const reader = readable.getReader();
  while (verifier.received < OCTETS) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${verifier.received} octets arrived of ${OCTETS}`);
    verifier.take(value);
  }
}

/** Two hosts and a connection between them. */
async function open() {
  // The event loop gets its chance after every batch, as it does with a real link.
  const pipe = createPipe({ schedule: (deliver) => setImmediate(deliver) });
  const runtimes = [];
  const [client, server] = [pipe.a, pipe.b].map((link, i) => {
    const host = new Host({ key: new Uint8Array(16).fill(i + 1) });
    const runtime = createRuntime({ host });
    runtime.attach(link, { addresses: [`10.0.0.${i + 1}/24`] });
    runtimes.push(runtime);
    return createWeb(host);
  });
  const listener = server.listen({ port: 80 });
  const near = client.connect({ hostname: '10.0.0.2', port: 80 });
  const far = await listener.next();
  await near.opened;
  const close = () => {
    for (const runtime of runtimes) runtime.close();
  };
  const opened = { near, far: far.value, close };
  keepFirst('web', opened);
  return opened;
}

/** One round of ours. */
export async function run() {
  const { near, far, close } = await open();
  const times = await timed(() => Promise.all([write(near.writable), read(far.readable)]));
  close();
  return megabytes(OCTETS, times);
}

async function node() {
  const { client, far, close } = await pair();
  const near = Duplex.toWeb(client);
  const times = await timed(() => Promise.all([write(near.writable), read(Duplex.toWeb(far).readable)]));
  close();
  return megabytes(OCTETS, times);
}

export const peers = { 'node:net over loopback, Duplex.toWeb': node };

/** Where the time of ours goes. */
export async function notes() {
  const { near, far, close } = await open();
  const lines = await timeOf(() => Promise.all([write(near.writable), read(far.readable)]));
  close();
  return lines;
}
