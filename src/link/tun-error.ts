// Every way in which opening or using a TUN device fails, as one sentence that names the cure.

/** Error numbers of Linux that a TUN device gives, by name. */
const NAMES: Readonly<Record<number, TunErrorCode>> = {
  1: 'EPERM',
  2: 'ENOENT',
  5: 'EIO',
  6: 'ENXIO',
  13: 'EACCES',
  16: 'EBUSY',
  17: 'EEXIST',
  19: 'ENODEV',
  22: 'EINVAL',
  77: 'EBADFD',
  99: 'EADDRNOTAVAIL',
};

/** What went wrong with a TUN device: Linux's own names, and three of ours. */
export type TunErrorCode =
  | 'EPERM'
  | 'ENOENT'
  | 'EIO'
  | 'ENXIO'
  | 'EACCES'
  | 'EBUSY'
  | 'EEXIST'
  | 'ENODEV'
  | 'EINVAL'
  | 'EBADFD'
  | 'EADDRNOTAVAIL'
  | 'EUNKNOWN'
  /** There is no way to call C here. */
  | 'ERR_NO_FFI'
  /** This is not Linux. */
  | 'ERR_NOT_LINUX'
  /** The device does not exist and was not to be created. */
  | 'ERR_NO_DEVICE';

/** The call that failed. */
export type TunCall = 'open' | 'TUNSETIFF' | 'TUNSETOFFLOAD' | 'address' | 'mtu' | 'up' | 'read' | 'write' | '';

/** A TUN device could not be opened, made or used. The message is one sentence that says what to do. */
export class TunError extends Error {
  override readonly name = 'TunError';
  readonly code: TunErrorCode;
  /** The Linux error number, negated as in Node; 0 for codes that begin with `ERR_`. */
  readonly errno: number;
  /** The call that failed; empty for codes that begin with `ERR_`. */
  readonly call: TunCall;

  /** @param detail goes into the sentence: the device's name, or what koffi said */
  constructor(code: TunErrorCode, detail: string, call: TunCall = '', errno = 0) {
    super(sentence(code, call, detail, errno));
    this.code = code;
    this.call = call;
    this.errno = errno === 0 ? 0 : -errno;
  }
}

/** The error for error number `errno` of `call` on device `name`. */
export function tunError(call: TunCall, name: string, errno: number): TunError {
  return new TunError(NAMES[errno] ?? 'EUNKNOWN', name, call, errno);
}

/** How someone with root rights makes a device that everyone may use. */
export function cureByRoot(name: string): string {
  return `sudo ip tuntap add dev ${name} mode tun user $USER && sudo ip addr add 10.77.0.1/24 dev ${name} && sudo ip link set ${name} up`;
}

function sentence(code: TunErrorCode, call: TunCall, detail: string, errno: number): string {
  switch (code) {
    case 'ERR_NO_FFI':
      return `TUN needs koffi to call the kernel from Node, and it is not usable here (${detail}): npm install koffi`;
    case 'ERR_NOT_LINUX':
      return `TUN devices are attached on Linux only, and this is ${detail}: use a simulated network, a pipe or a WebSocket link here`;
    case 'ERR_NO_DEVICE':
      return `there is no device ${detail}: make it once as root: ${cureByRoot(detail)}`;
    default:
      return call === 'open' ? openSentence(code, errno) : deviceSentence(code, call, detail, errno);
  }
}

function openSentence(code: TunErrorCode, errno: number): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return '/dev/net/tun may not be opened by this user (its mode is 0600 here): run as root, or as root once: chmod 0666 /dev/net/tun';
    case 'ENOENT':
      return '/dev/net/tun does not exist: as root: mkdir -p /dev/net && mknod /dev/net/tun c 10 200 && chmod 0666 /dev/net/tun';
    case 'ENODEV':
    case 'ENXIO':
      return 'the kernel has no TUN driver loaded: as root: modprobe tun';
    default:
      return `/dev/net/tun cannot be opened (errno ${errno}): check that it is character device 10,200`;
  }
}

function deviceSentence(code: TunErrorCode, call: TunCall, name: string, errno: number): string {
  switch (code) {
    case 'EPERM':
      return call === 'TUNSETIFF'
        ? `this user may not attach ${name}: run as root, or give the device to the user once: ${cureByRoot(name)}`
        : `this user may not configure ${name} (${call}): run as root, or configure the kernel's side once with ip addr and ip link`;
    case 'EINVAL':
      return call === 'TUNSETIFF'
        ? `${name} exists but is of another kind (a tap, a multi-queue or no tun device at all): choose another name; ip -d link show ${name} tells what it is`
        : `the kernel refused ${call} of ${name} as invalid: check the addresses and the MTU`;
    case 'EBUSY':
      return `${name} is attached already, by another process: stop that one, or choose another name`;
    case 'EEXIST':
      return `${name} has that address already: leave the address away, or choose another`;
    case 'EIO':
      return `${name} is down: sudo ip link set ${name} up`;
    case 'EBADFD':
      return `${name} was deleted while it was attached: make it again and start anew`;
    case 'ENODEV':
      return `${name} is gone: make it again: ${cureByRoot(name)}`;
    case 'EADDRNOTAVAIL':
      return `the kernel does not take that address for ${name}: choose a unicast address`;
    default:
      return `${call === '' ? 'a call' : call} on ${name} failed with errno ${errno}: see errno(3) for its meaning`;
  }
}
