// A path in real time: paths of synfin/sim between TUN devices in network namespaces and a host of ours.
//
// Packets are routed by their address and impaired by their port: a port names a pair of paths, one each way, and
// several ports may name the same pair. What is emulated is one process, so whoever is measured over it has the same
// clock, the same lag and, by the seed, the same drops.
//
// When the machine lets it wait, the emulator catches up slice by slice, and its time stands still meanwhile: what answers
// the packets of a slice enters a path before what is due next, however late that is. Handing over everything at once
// would turn the lag into bursts, and a packet that entered with the time of the clock would fill the queue for all
// that ought to have entered before it.

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
  /** From an access path to the path it leads to. */
  #onward = new Map();
  #back = new Map();
  #sinks = new Map();
  #links = [];
  #timer = null;
  #spinning = false;
  #packets = 0;
  #closed = false;
  /** Up to when everything due has been handed over. */
  #reached = 0;
  /** Packets handed over, those of them that were more than 1 ms late, and the worst, ms: the emulator could not keep up. */
  handed = 0;
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

  /**
   * A pair of paths for the ports: `data` towards them, `acks` away from them. With `access` each port has a way of its
   * own to the path towards it.
   */
  addPath(ports, seed, data, acks, access = null) {
    const make = (name, impairments, n) =>
      new Path({ name, medium: 'ip', impairments, prng: new Prng(seed).fork(n), pool: this.#pool, queue: this.#due });
    const [to, from] = [make('data', data, 1), make('acks', acks, 2)];
    for (const [n, port] of ports.entries()) {
      const first = access === null ? to : make('access', access, 3 + n);
      if (first !== to) this.#onward.set(first, to);
      this.#forward.set(port, first);
      this.#back.set(port, from);
    }
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

  /** The time of the paths: the clock's, but never past what is due and not yet handed over. */
  #now() {
    return Math.max(this.#reached, Math.min(performance.now(), this.#due.nextAt));
  }

  /** Hands over what is due, no more than a slice of it. */
  #run() {
    const now = performance.now();
    const until = Math.min(now, this.#due.nextAt + SLICE);
    this.#reached = Math.max(this.#reached, until);
    const touched = new Set();
    while (this.#due.nextAt <= until) {
      const flight = this.#due.pop();
      const b = flight.buffer;
      const onward = this.#onward.get(flight.path);
      if (onward !== undefined) {
        onward.send(b, flight.length, flight.id, flight.at);
        continue;
      }
      this.handed++;
      const lag = now - flight.at;
      if (lag > 1) this.late++;
      if (lag > this.worst) this.worst = lag;
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
