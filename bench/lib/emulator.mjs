// A path in real time: paths of synfin/sim between TUN devices in network namespaces and a host of ours.
//
// Packets are routed by their address and impaired by their port: a port names a pair of paths, one each way, and
// several ports may name the same pair. What is emulated is one process, so whoever is measured over it has the same
// clock, the same lag and, by the seed, the same drops.
//
// When the machine lets it wait, the emulator catches up slice by slice: what answers the packets of a slice enters the
// path at the time of that slice. Handing over everything at once would turn the lag into bursts, and whoever answers
// first, which is our host in the same process, would find the queue empty and leave it full for the others.

import { RxMeta, TxMeta } from 'synfin';
import { openTun } from 'synfin/link/tun';
import { BufferPool, Path, Prng, Scheduler } from 'synfin/sim';

const MTU = 1500;
/** Time that is caught up with at once, ms. */
const SLICE = 0.5;
/** Longest doze between two looks, ms: timers of Node are no finer than one. */
const DOZE = 0.2;
const asleep = new Int32Array(new SharedArrayBuffer(4));

const address4 = (text) => text.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0);

/** The router of all paths. */
export class Emulator {
  #pool = new BufferPool(2048);
  #due = new Scheduler();
  #forward = new Map();
  #back = new Map();
  #sinks = new Map();
  #links = [];
  #timer = null;
  #spinning = false;
  #packets = 0;
  #closed = false;
  /** The time of the slice in hand while the emulator catches up; `NaN` when it is in time. */
  #slice = Number.NaN;
  /** Packets that arrived more than 1 ms late, and the worst, ms: the emulator could not keep up. */
  late = 0;
  worst = 0;

  /** A TUN device, made in a namespace; the address is the kernel's, the rest of the world lies behind it. */
  addDevice(name, namespace, address, ip) {
    const link = openTun({ name, vnet: false, mtu: MTU });
    ip(['link', 'set', 'dev', name, 'netns', namespace]);
    ip(['-n', namespace, 'addr', 'add', `${address}/32`, 'dev', name]);
    ip(['-n', namespace, 'link', 'set', 'dev', name, 'mtu', `${MTU}`, 'txqueuelen', '10000', 'up']);
    // By route: in a namespace of its own the setting takes only what the machine allows everybody.
    ip(['-n', namespace, 'route', 'add', 'default', 'dev', name, 'congctl', 'cubic']);
    const out = [];
    const meta = new RxMeta();
    const port = {
      receive: (bytes, from, to) => this.#take(bytes, from, to),
      transmit: (buffer, at) => {
        const packet = out.shift();
        if (packet === undefined) return 0;
        buffer.set(packet.buffer.subarray(0, packet.length), at);
        packet.path.release(packet);
        return packet.length;
      },
      turn: () => this.#run(),
      writable: () => link.pump(),
      refused: () => {},
      down: (error) => {
        if (!this.#closed) throw error;
      },
    };
    link.open(port);
    this.#links.push(link);
    this.#sinks.set(address4(address), { meta, take: (flight) => out.push(flight), flush: () => link.pump() });
  }

  /** A link for a runtime of ours, whose host has this address. */
  addLink(address) {
    let port = null;
    const [rx, tx] = [new RxMeta(), new TxMeta()];
    this.#sinks.set(address4(address), {
      take: (flight) => {
        rx.reset();
        port?.receive(flight.buffer, 0, flight.length, rx);
        flight.path.release(flight);
      },
      flush: () => port?.turn(),
    });
    return {
      medium: 'ip',
      mtu: MTU,
      caps: { txChecksum: false, tso: 0 },
      mac: null,
      open: (given) => {
        port = given;
      },
      pump: () => {
        for (;;) {
          const buffer = this.#pool.lend();
          tx.reset();
          const length = port.transmit(buffer, 0, tx);
          if (length === 0) {
            this.#pool.release(buffer);
            break;
          }
          this.#route(buffer, length, this.#now());
        }
        this.#arm();
      },
      close: () => {
        port = null;
      },
    };
  }

  /** A pair of paths for the ports: `data` towards them, `acks` away from them. */
  addPath(ports, seed, data, acks) {
    const make = (name, impairments, n) =>
      new Path({ name, medium: 'ip', impairments, prng: new Prng(seed).fork(n), pool: this.#pool, queue: this.#due });
    const [to, from] = [make('data', data, 1), make('acks', acks, 2)];
    for (const port of ports) {
      this.#forward.set(port, to);
      this.#back.set(port, from);
    }
    return to;
  }

  #take(bytes, from, to) {
    if (bytes[from] >> 4 !== 4 || to - from > 2048) return;
    const buffer = this.#pool.lend();
    buffer.set(bytes.subarray(from, to));
    this.#route(buffer, to - from, this.#now());
  }

  #route(buffer, length, now) {
    const at = (buffer[0] & 15) * 4;
    const path =
      this.#forward.get((buffer[at + 2] << 8) | buffer[at + 3]) ?? this.#back.get((buffer[at] << 8) | buffer[at + 1]);
    if (path === undefined) this.#pool.release(buffer);
    else path.send(buffer, length, this.#packets++, now);
  }

  #now() {
    return Number.isNaN(this.#slice) ? performance.now() : this.#slice;
  }

  /** Hands over what is due, no more than a slice of it. */
  #run() {
    const now = performance.now();
    const until = Math.min(now, this.#due.nextAt + SLICE);
    this.#slice = until < now ? until : Number.NaN;
    const touched = new Set();
    while (this.#due.nextAt <= until) {
      const flight = this.#due.pop();
      const lag = now - flight.at;
      if (lag > 1) this.late++;
      if (lag > this.worst) this.worst = lag;
      const b = flight.buffer;
      const sink = this.#sinks.get((b[16] << 24) | (b[17] << 16) | (b[18] << 8) | b[19]);
      if (sink === undefined) flight.path.release(flight);
      else {
        sink.take(flight);
        touched.add(sink);
      }
    }
    for (const sink of touched) sink.flush();
    this.#arm();
  }

  #arm() {
    if (this.#spinning || this.#closed || this.#due.size === 0) return;
    const wait = this.#due.nextAt - performance.now();
    if (wait > 1.2) {
      this.#timer ??= setTimeout(
        () => {
          this.#timer = null;
          this.#run();
        },
        Math.floor(wait - 0.2),
      );
      return;
    }
    this.#spinning = true;
    // In between descriptors are read and timers fire; a short doze leaves the processor to the ends.
    if (wait > 0) Atomics.wait(asleep, 0, 0, Math.min(wait, DOZE));
    setImmediate(() => {
      this.#spinning = false;
      this.#run();
    });
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const link of this.#links) link.close();
  }
}
