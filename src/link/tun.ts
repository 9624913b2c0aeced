// A Linux TUN or TAP device as a link: the kernel is the peer.
//
// One descriptor, one thread: packets are read until there are none (at most 64 a turn, so that the event loop breathes)
// and written one per call, as the driver wants it.

import { release } from 'node:os';
import { NetError } from '../base/errors.ts';
import { type Link, type LinkCaps, type LinkPort, type Medium, PLAIN_LINK } from '../base/link.ts';
import { Loan } from '../base/loan.ts';
import { RxMeta, TxMeta } from '../base/packet.ts';
import { type PacketBuffer, PacketPool } from '../base/pool.ts';
import { type Ffi, koffiFfi } from './ffi.ts';
import { TunError, tunError } from './tun-error.ts';
import { type Device, openDevice } from './tun-setup.ts';
import { readVnet, VNET_HEADER, writeVnet } from './vnet.ts';
import { createPollWake, createWake, type Wake } from './wake.ts';

export type { Ffi } from './ffi.ts';
export type { TunCall, TunErrorCode } from './tun-error.ts';
export { TunError } from './tun-error.ts';

/** How a device is opened. */
export interface TunOptions {
  /** The device: `'synfin0'`; with `%d` in it the kernel chooses a number. At most 15 octets. */
  readonly name: string;
  /** `'tun'` carries IP packets (the default), `'tap'` Ethernet frames. */
  readonly mode?: 'tun' | 'tap';
  /** Make the device when it does not exist, which takes CAP_NET_ADMIN; true when absent. */
  readonly create?: boolean;
  /**
   * Offloads: super-segments up to 64 KiB and unfinished checksums both ways, which makes bulk transfer several times
   * faster; true when absent. Without, every packet is as it would be on a wire.
   */
  readonly vnet?: boolean;
  /**
   * Octets of the largest super-segment that is written, with offloads: `[65535, 262144]`, 65535 when absent. Larger ones save
   * calls where the peer is this machine, and take IPv4 and Linux 6.3 or later, which calls them BIG TCP; with an older one,
   * and over IPv6, the limit stays 65535.
   */
  readonly superSegment?: number;
  /** For a device that is made: the MTU of the kernel's side, octets, `[68, 65521]`; 1500 when absent. */
  readonly mtu?: number;
  /** For a device that is made: the kernel's addresses on it, as in `['10.77.0.1/24', 'fd77::1/64']`. */
  readonly kernelAddresses?: readonly string[];
  /** For a device that is made: packets that the kernel queues for us and drops beyond; 10000 when absent (Linux: 500). */
  readonly queue?: number;
  /** Our Ethernet address on a TAP device; a random, locally administered one when absent. */
  readonly mac?: Uint8Array;
  /** How C is called; koffi when absent. */
  readonly ffi?: Ffi;
  /** Who waits for packets: `'poll'` forces the thread that is otherwise only a fallback. */
  readonly wake?: 'auto' | 'poll';
}

/** What passed and what did not. */
export interface TunCounters {
  /** Packets read and written. */
  read: number;
  written: number;
  /** Packets that the kernel refused as malformed (EINVAL) or took in part. */
  refused: number;
  /** Times the device was full. */
  full: number;
}

/** Packets read before the event loop, and so other links, get their chance. */
const BATCH = 64;
/**
 * Octets read before the program gets its turn: what it reads is in the processor's cache then, and 64 super-segments
 * would be more than the receive buffers keep memory for.
 */
const BATCH_OCTETS = 262_144;
/**
 * Octets written in one go after which answers are looked for at once: the kernel takes them and acknowledges them inside
 * of `write`, and to be told so by the event loop takes longer than all the rest.
 */
const BULK = 32_768;
/** Such looks in a row before the event loop gets its turn. */
const LOOKS = 32;
/** The largest packet whose header can say so. */
const LARGEST = 65_535;
/** The largest super-segment that an option may ask for. */
const MOST_SUPER = 262_144;
/** Room for the largest packet the driver hands over, with both headers. */
const BUFFER = 65_664;
/** Such buffers that are made at a time: as many as three blocks of packet memory hold. */
const SLOTS = 5;
/** Least octets of text that are written from where they lie. A call with several parts takes longer than one with one. */
const GATHER = 16_384;
const ETHERNET_HEADER = 14;
/** How long one wait for room takes at most, ms. */
const ROOM_MS = 100;
const POLLOUT = 4;
const EINTR = 4;
const EAGAIN = 11;
const ENOMEM = 12;
const EINVAL = 22;
const ENOBUFS = 105;

/** An attached TUN or TAP device. Made by `openTun`. */
export class TunLink implements Link {
  readonly medium: Medium;
  readonly mtu: number;
  readonly caps: LinkCaps;
  readonly mac: Uint8Array | null;
  /** The device's name, as the kernel says it. */
  readonly name: string;
  /** The device was made by us and vanishes with `close`, or with the process. */
  readonly created: boolean;
  readonly counters: TunCounters = { read: 0, written: 0, refused: 0, full: 0 };
  /** Why the device failed, once `port.down` was called. */
  failure: TunError | null = null;
  /** Told of the failure, after the port was. */
  onFailure: ((error: TunError) => void) | null = null;
  readonly #ffi: Ffi;
  readonly #fd: number;
  readonly #wake: Wake;
  readonly #vnet: boolean;
  /** First asked by `open`: by then a runtime has handed in the memory where packets are summed quickly. */
  readonly #pool = new PacketPool(BUFFER, SLOTS);
  readonly #loan = new Loan();
  /** Where the next packet is read to; `null` when the last one's was given away. */
  #in: PacketBuffer | null = null;
  /** Where packets are written from; `null` before `open`. */
  #out: PacketBuffer | null = null;
  readonly #rx = new RxMeta();
  readonly #tx = new TxMeta();
  #port: LinkPort | null = null;
  #looking = false;
  #looks = 0;
  #closed = false;
  /** Octets of a packet in `#out` that did not fit; 0 when there is none. */
  #stuck = 0;

  /** @internal */
  constructor(ffi: Ffi, device: Device, options: TunOptions) {
    const tap = options.mode === 'tap';
    this.#vnet = options.vnet ?? true;
    this.medium = tap ? 'ethernet' : 'ip';
    this.mtu = device.mtu;
    const most = takesLarge(release()) ? (options.superSegment ?? LARGEST) : LARGEST;
    this.caps = this.#vnet ? { txChecksum: true, tso: most } : PLAIN_LINK;
    this.mac = tap ? (options.mac ?? randomMac()) : null;
    this.name = device.name;
    this.created = device.created;
    this.#ffi = ffi;
    this.#fd = device.fd;
    if (this.#vnet && ffi.writev !== undefined) this.#tx.gather = GATHER;
    this.#wake = options.wake === 'poll' ? createPollWake(ffi, device.fd) : createWake(ffi, device.fd);
  }

  open(port: LinkPort): void {
    if (this.#closed) throw new TunError('ERR_NO_DEVICE', this.name);
    this.#port = port;
    const most = this.caps.tso;
    this.#out = most > LARGEST ? new PacketPool(most + BUFFER - LARGEST, 1).take() : this.#pool.take();
    this.#wake.start((first) => {
      this.#looks = 0;
      this.#ready(first);
    });
  }

  /** Waiting for packets keeps the process alive (the default). */
  ref(): void {
    if (!this.#closed) this.#wake.hold(true);
  }

  /** Waiting for packets does not keep the process alive. */
  unref(): void {
    if (!this.#closed) this.#wake.hold(false);
  }

  #ready(first: Uint8Array | null): void {
    let left = BATCH;
    let octets = 0;
    if (first !== null) {
      this.#take(first, 0, first.length, null);
      octets = first.length;
      left--;
    }
    while (left-- > 0 && this.#port !== null) {
      this.#in ??= this.#pool.take();
      const { bytes, at, view } = this.#in;
      const result = this.#ffi.read(this.#fd, view);
      if (result > 0) {
        this.#take(bytes, at, result, this.#in);
        octets += result;
        if (octets < BATCH_OCTETS) continue;
        this.#port.turn();
        octets = 0;
      } else if (result === -EAGAIN || result === 0) break;
      else if (result !== -EINTR) {
        this.#fail('read', -result);
        return;
      }
    }
    if (octets > 0) this.#port?.turn();
  }

  /** Hands over the packet in `bytes[at, at + length)`, which may keep `slot` when it lies there. */
  #take(bytes: Uint8Array, at: number, length: number, slot: PacketBuffer | null): void {
    const meta = this.#rx;
    let from = at;
    if (this.#vnet) {
      if (length <= VNET_HEADER) return;
      readVnet(bytes, at, meta);
      from += VNET_HEADER;
    } else meta.reset();
    this.counters.read++;
    if (slot !== null) meta.lender = this.#loan.offer(slot, length);
    this.#port?.receive(bytes, from, at + length, meta);
    if (slot !== null) this.#in = this.#loan.buffer;
  }

  pump(): void {
    if (this.#stuck > 0) return;
    const before = this.#vnet ? VNET_HEADER : 0;
    const { bytes, at } = this.#out!;
    const meta = this.#tx;
    let written = 0;
    for (;;) {
      const port = this.#port;
      if (port === null) return;
      meta.reset();
      const length = port.transmit(bytes, at + before, meta);
      if (length === 0) break;
      written += length;
      if (this.#vnet) writeVnet(bytes, at, meta);
      if (!this.#write(before + length)) break;
    }
    if (written >= BULK) this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#looking || this.#looks === LOOKS) return;
    this.#looking = true;
    this.#looks++;
    queueMicrotask(() => {
      this.#looking = false;
      if (this.#port !== null) this.#ready(null);
    });
  }

  /** Writes the packet of `length` octets in the buffer and in `#tx.body`; false when the link is full or has failed. */
  #write(length: number): boolean {
    const { body } = this.#tx;
    const { view } = this.#out!;
    const headers = length - body.length;
    for (;;) {
      const result =
        body.length === 0 ? this.#ffi.write(this.#fd, view, length) : this.#ffi.writev!(this.#fd, view, headers, body);
      if (result === length) {
        this.counters.written++;
        return true;
      }
      if (result === -EINTR) continue;
      if (result === -EAGAIN || result === -ENOBUFS || result === -ENOMEM) {
        // The packet is built and cannot be given back: it goes first when there is room.
        this.counters.full++;
        this.#stuck = length;
        // The text is only lent, and may be acknowledged and gone by then.
        body.copyTo(view, headers);
        body.clear();
        this.#ffi.poll(this.#fd, POLLOUT, ROOM_MS, () => this.#retry());
        return false;
      }
      if (result >= 0 || result === -EINVAL) {
        // A packet is taken whole or not at all; the rest of one would be nonsense. It counts as lost.
        this.counters.refused++;
        this.#port?.refused();
        return true;
      }
      this.#fail('write', -result);
      return false;
    }
  }

  #retry(): void {
    if (this.#port === null) return;
    const length = this.#stuck;
    this.#stuck = 0;
    if (this.#write(length)) this.#port?.writable();
  }

  #fail(call: 'read' | 'write', errno: number): void {
    const port = this.#port;
    if (port === null) return;
    this.failure = tunError(call, this.name, errno);
    this.close();
    port.down(new NetError('ENETDOWN', call));
    this.onFailure?.(this.failure);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port = null;
    // Closes the descriptor too, and with it a device that was made here.
    this.#wake.close();
  }
}

/** Whether a kernel takes IPv4 super-segments of more than 64 KiB, whose header says 0: Linux from 6.3 on. */
export function takesLarge(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 3);
}

/** An address of our own making: the bit for "locally administered" set, the one for groups clear. */
function randomMac(): Uint8Array {
  const mac = globalThis.crypto.getRandomValues(new Uint8Array(6));
  mac[0] = (mac[0]! & 0xfc) | 2;
  return mac;
}

/**
 * Attaches to a TUN or TAP device, or makes it.
 *
 * An existing device is taken as it is. A new one gets its MTU, its queue and the kernel's addresses, is set up, and is
 * gone when the link is closed or the process ends in whatever way.
 *
 * @throws TunError with a sentence that says what to do
 * @throws RangeError when an option is out of range
 * @example
 * ```ts
 * const link = openTun({ name: 'synfin0', kernelAddresses: ['10.77.0.1/24'] });
 * runtime.attach(link, { addresses: ['10.77.0.2/24'] });
 * ```
 */
export function openTun(options: TunOptions): TunLink {
  const mtu = options.mtu ?? 1500;
  const largest = LARGEST - ETHERNET_HEADER;
  const { superSegment = LARGEST } = options;
  if (!(Number.isInteger(superSegment) && superSegment >= LARGEST && superSegment <= MOST_SUPER)) {
    throw new RangeError(`tun: super-segments of ${superSegment} octets are not in [${LARGEST}, ${MOST_SUPER}]`);
  }
  if (!(Number.isInteger(mtu) && mtu >= 68 && mtu <= largest)) {
    throw new RangeError(`tun: mtu ${mtu} is not in [68, ${largest}]`);
  }
  if (options.ffi === undefined && process.platform !== 'linux') throw new TunError('ERR_NOT_LINUX', process.platform);
  const ffi = options.ffi ?? koffiFfi();
  const device = openDevice(ffi, {
    name: options.name,
    tap: options.mode === 'tap',
    vnet: options.vnet ?? true,
    create: options.create ?? true,
    mtu,
    queue: options.queue ?? 10_000,
    kernelAddresses: options.kernelAddresses ?? [],
  });
  return new TunLink(ffi, device, options);
}
