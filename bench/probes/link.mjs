// Probe: what does a packet cost on each kind of link? A dumb sender and a dumb sink over the memory pipe, a TUN device
// (plain and with offloads, in a network namespace that is made for it and removed) and a link shaped like a WebSocket.
//
//   node bench/probes/link.mjs [--json] [--runs 7] [--only pipe,tun,websocket]

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPipe } from 'synfin/link/pipe';
import { openTun } from 'synfin/link/tun';
import { createWebSocketLink } from 'synfin/link/websocket';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '7' },
    only: { type: 'string', default: 'pipe,tun,websocket' },
    inside: { type: 'boolean', default: false },
  },
});
const RUNS = Number(options.runs);
const SELF = fileURLToPath(import.meta.url);
const now = () => Number(process.hrtime.bigint());

/** Writes one row: nanoseconds a packet and MB/s. `samples` are nanoseconds a packet. */
function report(metric, octets, samples) {
  samples.sort((a, b) => a - b);
  const [min, median, max] = [samples[0], samples[samples.length >> 1], samples[samples.length - 1]];
  const rate = (octets / median) * 1000;
  if (options.json) {
    const round = (x) => Math.round(x * 10) / 10;
    const row = { metric, unit: 'ns/packet', better: 'lower', ours: round(median), min: round(min), max: round(max) };
    console.log(JSON.stringify({ ...row, octets, mbPerSecond: Math.round(rate) }));
    return;
  }
  const cells = [min, median, max].map((x) => x.toFixed(0).padStart(8)).join('');
  console.log(`${metric.padEnd(38)}${String(octets).padStart(7)} B${cells} ns${rate.toFixed(0).padStart(8)} MB/s`);
}

/** A port that sends `count` copies of a packet and counts what comes. */
class DumbPort {
  left = 0;
  received = 0;
  sum = 0;
  describe = null;
  whenDown = (error) => {
    throw error;
  };
  constructor(packet, link) {
    this.packet = packet;
    this.link = link;
  }
  transmit(out, at, meta) {
    if (this.left === 0) return 0;
    this.left--;
    out.set(this.packet, at);
    if (this.describe !== null) this.describe(meta);
    return this.packet.length;
  }
  receive(bytes, from, to) {
    this.received++;
    this.sum = (this.sum + bytes[from] + bytes[to - 1]) | 0;
  }
  turn() {}
  writable() {
    this.link.pump();
  }
  down(error) {
    this.whenDown(error);
  }
}

const COUNT = { 60: 400_000, 1500: 200_000, 65535: 10_000 };

/** Measures `run(count)`; the first run warms up and is not counted. */
async function sample(count, run) {
  const samples = [];
  for (let i = 0; i <= RUNS; i++) {
    const start = now();
    await run(count);
    if (i > 0) samples.push((now() - start) / count);
  }
  return samples;
}

/** A pipe in which every packet gets a fresh array: what the pool saves. */
function freshPipe(size) {
  const queue = [];
  const meta = { id: 0, checksum: 0, csumStart: 0, csumOffset: 0, gsoType: 0, gsoSize: 0 };
  const a = {
    open: (port) => {
      a.port = port;
    },
    pump: () => {
      while (queue.length < 256) {
        const bytes = new Uint8Array(size + 14);
        const length = a.port.transmit(bytes, 0, meta);
        if (length === 0) return;
        queue.push({ bytes, length, meta: { ...meta } });
      }
    },
  };
  const b = {
    open: (port) => {
      b.port = port;
    },
  };
  const deliverPending = () => {
    for (const { bytes, length, meta } of queue.splice(0)) b.port.receive(bytes, 0, length, meta);
    a.port.writable();
  };
  return { a, b, deliverPending };
}

async function probePipe() {
  const measure = async (metric, octets, make) => {
    const run = (count) =>
      new Promise((resolve) => {
        const pipe = make(resolve);
        const sender = new DumbPort(new Uint8Array(octets).fill(69), pipe.a);
        const sink = new DumbPort(null, pipe.b);
        pipe.a.open(sender);
        pipe.b.open(sink);
        sender.left = count;
        sink.turn = () => {
          if (sink.received === count) resolve();
        };
        pipe.a.pump();
        if (pipe.drive) {
          while (sink.received < count) pipe.deliverPending();
          resolve();
        }
      });
    report(metric, octets, await sample(COUNT[octets], run));
  };
  for (const octets of [60, 1500, 65_535]) {
    const mtu = Math.max(octets, 1500);
    await measure('link.pipe.pooled', octets, () => Object.assign(createPipe({ mtu }), { drive: true }));
    await measure('link.pipe.fresh', octets, () => Object.assign(freshPipe(mtu), { drive: true }));
  }
  const mtu = 1500;
  for (const capacity of [16, 64, 1024]) {
    const make = () => Object.assign(createPipe({ mtu, capacity }), { drive: true });
    await measure(`link.pipe.capacity-${capacity}`, 1500, make);
  }
  await measure('link.pipe.microtask', 1500, () => createPipe({ mtu, schedule: queueMicrotask }));
  await measure('link.pipe.immediate', 1500, () => createPipe({ mtu, schedule: setImmediate }));
}

/** A pair of socket-shaped objects over a message channel: every message is handed over later, by the event loop. */
function socketPair() {
  const { port1, port2 } = new MessageChannel();
  const make = (port) => {
    const socket = { binaryType: '', bufferedAmount: 0, readyState: 1, onmessage: null, onclose: null, peer: null };
    socket.send = (data) => {
      socket.bufferedAmount += data.length;
      port.postMessage(data.buffer, [data.buffer]);
    };
    port.onmessage = (event) => {
      socket.peer.bufferedAmount -= event.data.byteLength;
      socket.onmessage?.(event);
    };
    socket.close = () => port.close();
    return socket;
  };
  const [a, b] = [make(port1), make(port2)];
  a.peer = b;
  b.peer = a;
  return [a, b];
}

async function probeWebSocket() {
  for (const octets of [60, 1500]) {
    for (const highWater of [16 * 1024, 256 * 1024, 4 * 1024 * 1024]) {
      const run = async (count) => {
        const [a, b] = socketPair();
        const near = createWebSocketLink(a, { medium: 'ip', highWater });
        const far = createWebSocketLink(b, { medium: 'ip' });
        const sender = new DumbPort(new Uint8Array(octets).fill(69), near);
        const sink = new DumbPort(null, far);
        near.open(sender);
        far.open(sink);
        sender.left = count;
        const done = new Promise((resolve) => {
          sink.turn = () => {
            if (sink.received === count) resolve();
          };
        });
        near.pump();
        await done;
        near.close();
        far.close();
      };
      report(`link.websocket.high-${highWater >> 10}k`, octets, await sample(20_000, run));
    }
  }
}

/** An IPv4 packet with a TCP header to an address that the kernel drops without a word. */
function packetTo(octets) {
  const packet = new Uint8Array(octets);
  packet.set([0x45, 0, octets >> 8, octets & 255, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 77, 0, 2, 10, 99, 0, 1]);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (packet[i] << 8) | packet[i + 1];
  while (sum > 65_535) sum = (sum & 65_535) + (sum >> 16);
  packet[10] = (~sum >> 8) & 255;
  packet[11] = ~sum & 255;
  packet.set([0, 9, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 255, 255], 20);
  return packet;
}

/** To the kernel: one write a packet. */
async function probeTunOut(vnet, octets, describe) {
  const link = openTun({ name: 'probe0', vnet, mtu: 1500, kernelAddresses: ['10.77.0.1/24'] });
  const sender = new DumbPort(packetTo(octets), link);
  sender.describe = describe;
  link.open(sender);
  const run = async (count) => {
    sender.left = count;
    link.pump();
  };
  const kind = vnet ? 'vnet' : 'plain';
  report(`link.tun.out.${kind}`, octets, await sample(octets > 1500 ? 4000 : 20_000, run));
  link.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

/** From the kernel: its queue is filled first, so that the reader alone is measured. */
async function probeTunIn(vnet, wake, octets) {
  const count = octets > 1500 ? 1000 : 8000;
  const samples = [];
  for (let i = 0; i <= RUNS; i++) {
    const mtu = Math.max(1500, octets);
    const link = openTun({ name: 'probe0', vnet, wake, mtu, kernelAddresses: ['10.77.0.1/24'] });
    const socket = createSocket('udp4');
    const datagram = new Uint8Array(octets - 28);
    for (let n = 0; n < count; n += 500) {
      const sent = [];
      for (let k = 0; k < 500; k++) sent.push(new Promise((resolve) => socket.send(datagram, 9, '10.77.0.3', resolve)));
      await Promise.all(sent);
    }
    socket.close();
    await once(socket, 'close');
    const sink = new DumbPort(null, link);
    const start = now();
    await new Promise((resolve) => {
      sink.turn = () => {
        if (sink.received >= count) resolve();
      };
      link.open(sink);
    });
    if (i > 0) samples.push((now() - start) / count);
    link.close();
    await new Promise((resolve) => setTimeout(resolve, wake === 'poll' ? 300 : 20));
  }
  report(`link.tun.in.${vnet ? 'vnet' : 'plain'}.${wake === 'poll' ? 'thread' : 'pipe'}`, octets, samples);
}

async function probeTunInside() {
  const partial = (meta) => {
    meta.checksum = 2;
    meta.csumStart = 20;
    meta.csumOffset = 16;
  };
  const gso = (meta) => {
    partial(meta);
    meta.gsoType = 1;
    meta.gsoSize = 1460;
    meta.headerLength = 40;
  };
  await probeTunOut(false, 60, null);
  await probeTunOut(false, 1500, null);
  await probeTunOut(true, 1500, partial);
  await probeTunOut(true, 64_280, gso);
  await probeTunIn(false, 'auto', 60);
  await probeTunIn(false, 'auto', 1500);
  await probeTunIn(false, 'poll', 1500);
  await probeTunIn(true, 'auto', 1500);
  await probeTunIn(false, 'auto', 65_000);
}

/** Makes a namespace, runs this probe again inside, removes the namespace. */
async function probeTun() {
  if (process.platform !== 'linux' || process.getuid() !== 0) {
    console.error('link.tun: skipped, needs Linux and root for a network namespace');
    return;
  }
  const name = `synfin-probe-${process.pid}`;
  execFileSync('ip', ['netns', 'add', name]);
  try {
    execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    const args = ['netns', 'exec', name, process.execPath, SELF, '--inside', '--runs', options.runs];
    const child = spawn('ip', options.json ? [...args, '--json'] : args, { stdio: 'inherit' });
    await once(child, 'exit');
  } finally {
    spawnSync('ip', ['netns', 'del', name]);
  }
}

if (options.inside) await probeTunInside();
else {
  const only = options.only.split(',');
  if (!options.json) console.log(`${'link'.padEnd(38)}   octets     min  median     max              median`);
  if (only.includes('pipe')) await probePipe();
  if (only.includes('tun')) await probeTun();
  if (only.includes('websocket')) await probeWebSocket();
}
