// The few C calls that a TUN device needs, behind one interface, and koffi's form of it for Node.
//
// Bun (`bun:ffi`) and Deno (`Deno.dlopen`) can fill the same interface: it is handed to `openTun` by option.

import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { MOST_PIECES, type PacketBody } from '../base/packet.ts';
import { TunError } from './tun-error.ts';

/** Calls into the C library. Every call returns what C returns, or `-errno` instead of -1. */
export interface Ffi {
  /** `open(path, flags)` */
  open(path: string, flags: number): number;
  /** `socket(domain, type, 0)`: a handle for the `SIOC...` requests. */
  socket(domain: number, type: number): number;
  close(fd: number): number;
  /** `ioctl(fd, request, pointer to argument)` */
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  /** `ioctl(fd, request, value)` */
  ioctlValue(fd: number, request: number, value: number): number;
  /** Reads one packet to `buffer[0, ...)`. */
  read(fd: number, buffer: Uint8Array): number;
  /** Writes `buffer[0, length)` as one packet. */
  write(fd: number, buffer: Uint8Array, length: number): number;
  /**
   * Writes `head[0, length)` and then `body` as one packet. Where it is absent, packets are made whole before they are
   * written.
   */
  writev?(fd: number, head: Uint8Array, length: number, body: PacketBody): number;
  /**
   * `poll` of one descriptor, off the main thread.
   *
   * @param events POLLIN 1, POLLOUT 4
   * @param timeout ms
   * @param done gets the events that came, 0 after the timeout, or `-errno`
   */
  poll(fd: number, events: number, timeout: number, done: (result: number) => void): void;
}

/** What is used of koffi; written down here because it is an optional peer, absent from many installations. */
interface Koffi {
  load(path: string | null): {
    func(name: string, result: string, args: string[]): KoffiFunction;
  };
  errno(): number;
  address(bytes: Uint8Array): bigint;
  sizeof(type: string): number;
}
interface KoffiFunction {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

let cached: Ffi | null = null;

/**
 * The C library by koffi.
 *
 * @throws TunError `ERR_NO_FFI` when koffi is not installed or does not run here
 */
export function koffiFfi(): Ffi {
  if (cached !== null) return cached;
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
    cached = bind(koffi);
  } catch (cause) {
    throw new TunError('ERR_NO_FFI', cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause));
  }
  return cached;
}

function bind(koffi: Koffi): Ffi {
  const c = koffi.load(null);
  // koffi knows no `ssize_t`; `intptr_t` is as wide on every Linux.
  const open = c.func('open', 'int', ['const char *', 'int']);
  const socket = c.func('socket', 'int', ['int', 'int', 'int']);
  const close = c.func('close', 'int', ['int']);
  const ioctl = c.func('ioctl', 'int', ['int', 'unsigned long', 'void *']);
  const ioctlValue = c.func('ioctl', 'int', ['int', 'unsigned long', 'intptr_t']);
  // Addresses as numbers: to have koffi look at an array takes a third of such a call.
  const addressOf = bindAddresses(koffi);
  const read = c.func('read', 'intptr_t', ['int', 'uintptr_t', 'size_t']);
  const write = c.func('write', 'intptr_t', ['int', 'uintptr_t', 'size_t']);
  const poll = c.func('poll', 'int', ['void *', 'unsigned long', 'int']);
  const settle = (result: number): number => (result < 0 ? -koffi.errno() : result);
  const ffi: Ffi = {
    open: (path, flags) => settle(open(path, flags)),
    socket: (domain, type) => settle(socket(domain, type, 0)),
    close: (fd) => settle(close(fd)),
    ioctl: (fd, request, argument) => settle(ioctl(fd, request, argument)),
    ioctlValue: (fd, request, value) => settle(ioctlValue(fd, request, value)),
    read: (fd, buffer) => settle(read(fd, addressOf(buffer), buffer.length)),
    write: (fd, buffer, length) => settle(write(fd, addressOf(buffer), length)),
    poll: (fd, events, timeout, done) => {
      // struct pollfd { int fd; short events; short revents; }
      const pollfd = new Uint8Array(8);
      const view = new DataView(pollfd.buffer);
      view.setInt32(0, fd, true);
      view.setInt16(4, events, true);
      poll.async(pollfd, 1, timeout, (error: unknown, result: number) => {
        // The error number of another thread is out of reach; EINTR is the only one that a live descriptor gives.
        if (error !== null && error !== undefined) done(-4);
        else done(result > 0 ? view.getInt16(6, true) : result);
      });
    },
  };
  // Addresses of 8 octets, the low ones first; elsewhere packets are made whole.
  if (koffi.sizeof('void *') === 8 && endianness() === 'LE') {
    const writev = bindWritev(c, addressOf);
    ffi.writev = (fd, head, length, body) => settle(writev(fd, head, length, body));
  }
  return ffi;
}

/** Where the octets of packet buffers are. An array of more than a few octets stays there for as long as it lives. */
function bindAddresses(koffi: Koffi): (bytes: Uint8Array) => number {
  const addresses = new WeakMap<Uint8Array, number>();
  return (bytes) => {
    let address = addresses.get(bytes);
    if (address === undefined) {
      address = Number(koffi.address(bytes));
      addresses.set(bytes, address);
    }
    return address;
  };
}

/** `writev` with its `struct iovec` made here: to have koffi fill one takes longer than the copy that is saved. */
function bindWritev(
  c: ReturnType<Koffi['load']>,
  addressOf: (bytes: Uint8Array) => number,
): NonNullable<Ffi['writev']> {
  const writev = c.func('writev', 'intptr_t', ['int', 'uintptr_t', 'int']);
  // struct iovec { void *base; size_t length; }
  const iovec = new Uint32Array(4 * (MOST_PIECES + 1));
  const iovecAt = addressOf(new Uint8Array(iovec.buffer));
  const put = (i: number, bytes: Uint8Array, from: number, to: number): void => {
    const address = addressOf(bytes) + from;
    iovec[4 * i] = address;
    iovec[4 * i + 1] = address / 2 ** 32;
    iovec[4 * i + 2] = to - from;
  };
  return (fd, head, length, body) => {
    put(0, head, 0, length);
    for (let i = 0; i < body.count; i++) put(i + 1, body.bytes[i]!, body.from[i]!, body.to[i]!);
    return writev(fd, iovecAt, body.count + 1);
  };
}
