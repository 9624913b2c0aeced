// The measured half of tun.rx and tun.tx: bulk between a server in this process and a kernel socket in another one.
//
//   unshare --net node bench/lib/tun.mjs tun|tun-large|tun-plain|loopback rx|tx OCTETS [WARM]
//
// The namespace is this process' own: it and the device are gone with it. `tun` is a synfin host over a TUN device with
// offloads, `tun-large` one whose super-segments may have 256 KiB, `tun-plain` one without, `loopback` is Node's own
// server; the other end is the same program each time, a node:net client. Every octet is compared by whoever gets it. Of
// the one transfer WARM octets go first, as other metrics have a round first: V8 compiles meanwhile. Prints {"wall","cpu"}
// in seconds, of this process alone, for the rest.

import { execFileSync, fork } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { spanAt, Verifier } from './bulk.mjs';

const PORT = 5001;
const WRITE = 65_536;
const [what, direction, octetsText, warmText = '0'] = process.argv.slice(2);
const warm = Number(warmText);
const octets = warm + Number(octetsText);

/** Writes the pattern to a socket as fast as it takes it, then ends it. */
function pour(socket, watch = null) {
  let sent = 0;
  const write = () => {
    while (sent < octets) {
      const bytes = spanAt(sent, Math.min(WRITE, octets - sent));
      sent += bytes.length;
      watch?.passed(sent);
      if (!socket.write(bytes)) return;
    }
    socket.end();
  };
  socket.on('drain', write);
  write();
}

/** Resolves when a socket has brought all octets of the pattern. */
function drink(socket, watch = null) {
  const verifier = new Verifier();
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      try {
        verifier.take(bytes);
        watch?.passed(verifier.received);
      } catch (error) {
        reject(error);
      }
    });
    socket.on('end', () => (verifier.received === octets ? resolve() : reject(new Error('cut short'))));
  });
}

/** The kernel's end: a program that has nothing of ours in it but the pattern. */
async function counterpart(address) {
  const socket = net.connect({ port: PORT, host: address, noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  if (direction === 'tx') {
    await drink(socket);
    socket.end();
  } else {
    pour(socket);
    socket.resume();
    await new Promise((resolve, reject) => socket.once('close', resolve).once('error', reject));
  }
}

/** Node's own server; resolves with what it took. */
async function nodeServer(start) {
  const server = net.createServer({ noDelay: true });
  await new Promise((listening) => server.listen(PORT, '127.0.0.1', listening));
  start('127.0.0.1');
  const socket = await new Promise((accept) => server.once('connection', accept));
  const watch = new Stopwatch();
  if (direction === 'rx') await drink(socket, watch);
  else {
    pour(socket.resume(), watch);
    await new Promise((resolve) => socket.once('end', resolve));
  }
  const times = watch.times();
  socket.end();
  server.close();
  return times;
}

/** A synfin host over a TUN device; the same. */
async function synfinServer(start) {
  const { createHost } = await import('synfin');
  const { openTun } = await import('synfin/link/tun');
  const { host, runtime } = createHost();
  const device = { name: 'bench0', kernelAddresses: ['10.78.0.1/24'], vnet: what !== 'tun-plain' };
  if (what === 'tun-large') device.superSegment = 262_144;
  runtime.attach(openTun(device), { addresses: ['10.78.0.2/24'] });
  const times = await new Promise((resolve, reject) => {
    host.listen({ port: PORT }, (stream) => {
      const watch = new Stopwatch();
      const verifier = new Verifier();
      let sent = 0;
      const write = () => {
        while (sent < octets) {
          const bytes = spanAt(sent, Math.min(WRITE, octets - sent));
          const taken = stream.send(bytes, 0, bytes.length);
          sent += taken;
          watch.passed(sent);
          if (taken < bytes.length) return;
        }
        stream.shutdown();
      };
      const read = () => {
        while (stream.readable > 0) {
          const bytes = stream.peek();
          verifier.take(bytes);
          stream.consume(bytes.length);
        }
        watch.passed(verifier.received);
        if (!stream.ended) return;
        if (direction === 'rx' && verifier.received !== octets) reject(new Error('cut short'));
        resolve(watch.times());
        stream.shutdown();
      };
      stream.handler = { onReadable: read, onWritable: write, onClose: (_, error) => error && reject(error) };
      if (direction === 'tx') write();
    });
    start('10.78.0.2');
  });
  setTimeout(() => runtime.close(), 200);
  return times;
}

/** Wall and processor time of this process from when enough has passed. */
class Stopwatch {
  #cpu = null;
  #began = 0n;

  constructor() {
    this.passed(0);
  }

  /** So many octets have passed by now. */
  passed(count) {
    if (this.#cpu !== null || count < warm) return;
    this.#cpu = process.cpuUsage();
    this.#began = process.hrtime.bigint();
  }

  /** Seconds since then. */
  times() {
    const wall = Number(process.hrtime.bigint() - this.#began) / 1e9;
    const { user, system } = process.cpuUsage(this.#cpu);
    return { wall, cpu: (user + system) / 1e6 };
  }
}

if (process.send === undefined) {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  let child;
  const start = (address) => {
    child = fork(fileURLToPath(import.meta.url), [what, direction, octetsText, warmText, address]);
  };
  const times = await (what === 'loopback' ? nodeServer : synfinServer)(start);
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== 0) throw new Error('the kernel’s end failed');
  process.stdout.write(JSON.stringify(times), () => process.exit(0));
} else {
  await counterpart(process.argv[6]);
  process.disconnect();
}
