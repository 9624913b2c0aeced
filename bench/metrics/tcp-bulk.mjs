// Metric tcp.bulk.mss1460: octets a second through one connection between two hosts in one process; memory link, MTU
// 1500, default settings, checksums computed and verified, every octet compared at the far end.

import net from 'node:net';
import { Bulk, spanAt, Verifier } from '../lib/bulk.mjs';
import { timeOf } from '../lib/where.mjs';

const OCTETS = 256 * 1024 * 1024;
/** What the kernel's TCP puts in a segment at MTU 1500, with timestamps. */
const WRITE = 1448;

const megabytesPerSecond = (octets, nanoseconds) => (octets * 1000) / Number(nanoseconds);

export const name = 'tcp.bulk.mss1460';
export const unit = 'MB/s';
export const better = 'higher';

/** One round of ours: the clock runs from the first octet to the last one verified. */
export async function run() {
  const bulk = await Bulk.open();
  const began = process.hrtime.bigint();
  await bulk.transfer(OCTETS);
  const took = process.hrtime.bigint() - began;
  await bulk.close();
  return megabytesPerSecond(OCTETS, took);
}

/** Node's own sockets over the kernel's loopback, both ends in this process, in writes of a segment's size. */
async function nodeNet() {
  const verifier = new Verifier();
  const { promise, resolve, reject } = deferred();
  const server = net.createServer((socket) => {
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      try {
        verifier.take(bytes);
        if (verifier.received === OCTETS) resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const socket = net.connect(server.address().port, '127.0.0.1').on('error', reject);
  await new Promise((connected) => socket.once('connect', connected));
  let sent = 0;
  const write = () => {
    while (sent < OCTETS) {
      const bytes = spanAt(sent, Math.min(WRITE, OCTETS - sent));
      sent += bytes.length;
      if (!socket.write(bytes)) return;
    }
  };
  const began = process.hrtime.bigint();
  socket.on('drain', write);
  write();
  await promise;
  const took = process.hrtime.bigint() - began;
  socket.destroy();
  server.close();
  return megabytesPerSecond(OCTETS, took);
}

/** `Promise.withResolvers` for Node 20. */
function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

export const peers = { 'node:net over loopback, 1448 B writes': nodeNet };

/** Where the time of ours goes. */
export async function notes() {
  const bulk = await Bulk.open();
  await bulk.transfer(OCTETS / 4);
  const lines = await timeOf(() => bulk.transfer(OCTETS));
  await bulk.close();
  return lines;
}
