// Sockets of the shape of node:net, both ends in this process: Node's own over the kernel's loopback, the peer of most
// metrics, or others that are told by `ends`.

import net from 'node:net';
import { spanAt, Verifier } from './bulk.mjs';
import { deferred, timed } from './measure.mjs';

/** The modules of both ends, and the server's address. */
const LOOPBACK = { client: net, server: net, address: '127.0.0.1' };

/** A connected pair of sockets and the server they came from. */
export async function pair(options = {}, ends = LOOPBACK) {
  const accepted = deferred();
  const server = ends.server.createServer({ noDelay: true, ...options }, accepted.resolve);
  await new Promise((listening) => server.listen(0, ends.address, listening));
  const client = ends.client.connect({ port: server.address().port, host: ends.address, noDelay: true, ...options });
  client.on('error', accepted.reject);
  await new Promise((connected) => client.once('connect', connected));
  const far = await accepted.promise;
  const close = () => {
    client.destroy();
    far.destroy();
    server.close();
  };
  return { client, far, server, close };
}

const kept = new Set();

/**
 * Opens a pair of a kind of sockets that stays open, once, as a program has some. When all sockets of a class have died, V8
 * forgets their shapes and the code that was made for them: see `keepFirst` in `measure.mjs`.
 */
async function keepPair(ends) {
  if (kept.has(ends.client)) return;
  kept.add(ends.client);
  const { client, far, server } = await pair({}, ends);
  for (const [from, to] of [
    [client, far],
    [far, client],
  ]) {
    const arrived = new Promise((resolve) => to.once('data', resolve));
    from.write('x');
    await arrived;
  }
  for (const one of [client, far, server]) one.unref();
}

/** Times `octets` from one end to the other in writes of `size`, every octet compared. */
export async function bulk(octets, size, ends = LOOPBACK) {
  await keepPair(ends);
  const { client, far, close } = await pair({}, ends);
  const verifier = new Verifier();
  const { promise, resolve, reject } = deferred();
  client.on('error', reject);
  far.on('error', reject).on('data', (bytes) => {
    try {
      verifier.take(bytes);
      if (verifier.received === octets) resolve();
    } catch (error) {
      reject(error);
    }
  });
  let sent = 0;
  const write = () => {
    while (sent < octets) {
      const bytes = spanAt(sent, Math.min(size, octets - sent));
      sent += bytes.length;
      if (!client.write(bytes)) return;
    }
  };
  const times = await timed(async () => {
    client.on('drain', write);
    write();
    await promise;
  });
  close();
  return times;
}

/** Times `count` round trips of one octet. */
export async function pingpong(count, ends = LOOPBACK) {
  await keepPair(ends);
  const { client, far, close } = await pair({}, ends);
  const { promise, resolve, reject } = deferred();
  let trips = 0;
  const check = (bytes) => {
    if (bytes.length === 1 && bytes[0] === (trips & 255)) return true;
    reject(new Error(`wrong octet in round trip ${trips}`));
    return false;
  };
  far.on('data', (bytes) => {
    if (check(bytes)) far.write(bytes);
  });
  client.on('data', (bytes) => {
    if (!check(bytes)) return;
    if (++trips === count) resolve();
    else client.write(Uint8Array.of(trips & 255));
  });
  const times = await timed(() => {
    client.write(Uint8Array.of(0));
    return promise;
  });
  close();
  return times;
}

/** Times `count` connections, one after the other: opened, ended by the client, ended by the server. */
export async function connections(count, ends = LOOPBACK) {
  await keepPair(ends);
  let ended = 0;
  const server = ends.server.createServer((socket) => {
    socket.on('end', () => ended++).resume();
  });
  await new Promise((listening) => server.listen(0, ends.address, listening));
  const { port } = server.address();
  const times = await timed(async () => {
    for (let i = 0; i < count; i++) {
      await new Promise((resolve, reject) => {
        const socket = ends.client.connect(port, ends.address, () => socket.end());
        socket.on('close', resolve).on('error', reject).resume();
      });
    }
  });
  server.close();
  if (ended !== count) throw new Error(`${ended} of ${count} connections ended`);
  return times;
}
