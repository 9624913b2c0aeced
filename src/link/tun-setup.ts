// Making, addressing and raising the kernel's side of a TUN or TAP device.
//
// By `ioctl` rather than by the `ip` command: no other program is needed (containers often lack iproute2), each step
// gives an exact error number to make a sentence of, and nothing is left half done by a killed child.

import { closeSync, openSync, writeSync } from 'node:fs';
import { type Prefix, parsePrefix } from '../wire/address.ts';
import type { Ffi } from './ffi.ts';
import { type TunCall, TunError, tunError } from './tun-error.ts';

const O_RDWR = 2;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const SIOCGIFINDEX = 0x8933;
const SIOCSIFTXQLEN = 0x8943;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const IFF_UP = 1;
const IFF_TUN = 1;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** CSUM | TSO4 | TSO6: what `LinkCaps` can say today. */
const OFFLOADS = 0x7;
const ENODEV = 19;

/** What to open. */
export interface DeviceOptions {
  /** `'synfin0'`; a `%d` in it is a number that the kernel chooses. At most 15 octets. */
  readonly name: string;
  readonly tap: boolean;
  readonly vnet: boolean;
  /** Make the device when it does not exist. */
  readonly create: boolean;
  /** For a device that is made: its MTU, octets. */
  readonly mtu: number;
  /** For a device that is made: packets the kernel queues for us before it drops. */
  readonly queue: number;
  /** For a device that is made: the kernel's addresses on it, `'10.77.0.1/24'`. */
  readonly kernelAddresses: readonly string[];
}

/** An attached device. */
export interface Device {
  readonly fd: number;
  readonly name: string;
  /** The MTU the kernel's side has. */
  readonly mtu: number;
  /** It did not exist before and vanishes when `fd` is closed. */
  readonly created: boolean;
}

/** A `struct ifreq` of 40 octets: the name, then whatever the request wants. */
function ifreq(name: string): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(40);
  for (let i = 0; i < name.length && i < 15; i++) bytes[i] = name.charCodeAt(i);
  return { bytes, view: new DataView(bytes.buffer) };
}

function nameIn(bytes: Uint8Array): string {
  let name = '';
  for (let i = 0; i < 16 && bytes[i] !== 0; i++) name += String.fromCharCode(bytes[i]!);
  return name;
}

/** Calls `ioctl` and turns a failure into its sentence. */
function must(result: number, call: TunCall, name: string): number {
  if (result < 0) throw tunError(call, name, -result);
  return result;
}

/**
 * Opens or makes a device and, when it was made, sets up the kernel's side. A device that was made is gone
 * once the descriptor is closed, also when the process is killed: it is never made persistent.
 *
 * @throws TunError
 */
export function openDevice(ffi: Ffi, options: DeviceOptions): Device {
  const { name } = options;
  if (!/^[!-.0-~]{1,15}$/.test(name))
    throw new RangeError(`tun: ${JSON.stringify(name)} is not a device name of 1 to 15 octets`);
  const control = must(ffi.socket(AF_INET, SOCK_DGRAM | O_CLOEXEC), 'open', name);
  let fd = -1;
  try {
    const exists = !name.includes('%') && deviceExists(ffi, control, name);
    if (!exists && !options.create) throw new TunError('ERR_NO_DEVICE', name);
    fd = must(ffi.open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC), 'open', name);
    const request = ifreq(name);
    request.view.setUint16(
      16,
      (options.tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI | (options.vnet ? IFF_VNET_HDR : 0),
      LITTLE,
    );
    must(ffi.ioctl(fd, TUNSETIFF, request.bytes), 'TUNSETIFF', name);
    const actual = nameIn(request.bytes);
    setOffloads(ffi, fd, actual, options.vnet);
    if (!exists) configure(ffi, control, actual, options);
    const mtu = ifreq(actual);
    must(ffi.ioctl(control, SIOCGIFMTU, mtu.bytes), 'mtu', actual);
    const device = { fd, name: actual, mtu: mtu.view.getInt32(16, LITTLE), created: !exists };
    fd = -1;
    return device;
  } finally {
    ffi.close(control);
    if (fd >= 0) ffi.close(fd);
  }
}

/** Linux's structures are in the machine's byte order. */
const LITTLE: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function deviceExists(ffi: Ffi, control: number, name: string): boolean {
  return ffi.ioctl(control, SIOCGIFINDEX, ifreq(name).bytes) !== -ENODEV;
}

function setOffloads(ffi: Ffi, fd: number, name: string, vnet: boolean): void {
  // A device that somebody else attached before keeps that one's offloads: they are set in both modes.
  must(ffi.ioctlValue(fd, TUNSETOFFLOAD, vnet ? OFFLOADS : 0), 'TUNSETOFFLOAD', name);
  if (!vnet) return;
  const size = new Uint8Array(4);
  new DataView(size.buffer).setInt32(0, 10, LITTLE);
  must(ffi.ioctl(fd, TUNSETVNETHDRSZ, size), 'TUNSETOFFLOAD', name);
}

function configure(ffi: Ffi, control: number, name: string, options: DeviceOptions): void {
  const mtu = ifreq(name);
  mtu.view.setInt32(16, options.mtu, LITTLE);
  must(ffi.ioctl(control, SIOCSIFMTU, mtu.bytes), 'mtu', name);
  const queue = ifreq(name);
  queue.view.setInt32(16, options.queue, LITTLE);
  must(ffi.ioctl(control, SIOCSIFTXQLEN, queue.bytes), 'mtu', name);
  quiet(name);
  let label = '';
  for (let n = 0; n < options.kernelAddresses.length; n++) {
    addAddress(ffi, control, name, label, options.kernelAddresses[n]!);
    // A second IPv4 address would take the first one's place without a label of its own.
    label = `:${n + 1}`;
  }
  const flags = ifreq(name);
  must(ffi.ioctl(control, SIOCGIFFLAGS, flags.bytes), 'up', name);
  flags.view.setInt16(16, flags.view.getInt16(16, LITTLE) | IFF_UP, LITTLE);
  must(ffi.ioctl(control, SIOCSIFFLAGS, flags.bytes), 'up', name);
}

function addAddress(ffi: Ffi, control: number, name: string, label: string, text: string): void {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new RangeError(`tun: ${JSON.stringify(text)} is not an address with a prefix length`);
  if (prefix.address.family === 6) {
    addAddress6(ffi, control, name, prefix);
    return;
  }
  // sockaddr_in at 16: family, port, address
  const address = ifreq(name + label);
  address.view.setUint16(16, AF_INET, LITTLE);
  prefix.address.bytesInto(address.bytes, 20);
  must(ffi.ioctl(control, SIOCSIFADDR, address.bytes), 'address', name);
  const mask = ifreq(name + label);
  mask.view.setUint16(16, AF_INET, LITTLE);
  mask.view.setInt32(20, prefix.length === 0 ? 0 : -1 << (32 - prefix.length), false);
  must(ffi.ioctl(control, SIOCSIFNETMASK, mask.bytes), 'address', name);
}

function addAddress6(ffi: Ffi, control: number, name: string, prefix: Prefix): void {
  const index = ifreq(name);
  must(ffi.ioctl(control, SIOCGIFINDEX, index.bytes), 'address', name);
  // struct in6_ifreq { struct in6_addr; u32 prefixlen; int ifindex; }
  const request = new Uint8Array(24);
  const view = new DataView(request.buffer);
  prefix.address.bytesInto(request, 0);
  view.setUint32(16, prefix.length, LITTLE);
  view.setInt32(20, index.view.getInt32(16, LITTLE), LITTLE);
  const control6 = must(ffi.socket(AF_INET6, SOCK_DGRAM | O_CLOEXEC), 'address', name);
  try {
    must(ffi.ioctl(control6, SIOCSIFADDR, request), 'address', name);
  } finally {
    ffi.close(control6);
  }
}

/**
 * Asks the kernel not to make a link-local address of its own: router solicitations and listener reports would
 * otherwise be the first packets on every new device. A kernel without IPv6, or a read-only /proc, has its way.
 */
function quiet(name: string): void {
  let fd = -1;
  try {
    fd = openSync(`/proc/sys/net/ipv6/conf/${name}/addr_gen_mode`, 'w');
    writeSync(fd, '1');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}
