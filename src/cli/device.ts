// What the verbs that talk to the kernel share: their options, the device, and a host on it.

import { DEFAULT_PROFILE, type Profile } from '../base/profile.ts';
import type { Tracer } from '../base/trace.ts';
import type { Host } from '../host/host.ts';
import type { Interface } from '../host/interface.ts';
import { openTun, type TunError, type TunLink } from '../link/tun.ts';
import { createHost } from '../run/create-host.ts';
import type { Runtime } from '../run/runtime.ts';
import { LiveLadder } from '../trace/live.ts';
import { Address, address4, type Prefix, parsePrefix } from '../wire/address.ts';
import { type CliIo, Misuse } from './io.ts';

/** Options of every verb that uses a device, for `parseArgs`. */
export const DEVICE_OPTIONS = {
  tun: { type: 'string', default: 'synfin0' },
  addr: { type: 'string', default: '10.77.0.2/24' },
  mtu: { type: 'string', default: '1500' },
  plain: { type: 'boolean', default: false },
  trace: { type: 'boolean', default: false },
  profile: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  lang: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** The values of `DEVICE_OPTIONS`. */
export interface DeviceValues {
  readonly tun: string;
  readonly addr: string;
  readonly mtu: string;
  readonly plain: boolean;
  readonly trace: boolean;
  readonly profile?: readonly string[] | undefined;
}

/** Lines of `--help` for `DEVICE_OPTIONS`. */
export const DEVICE_HELP: Readonly<Record<CliIo['lang'], string>> = {
  en: `  --tun NAME       the TUN device (synfin0); made when it does not exist, which needs root
  --addr ADDR/LEN  our address on it (10.77.0.2/24); a device made here gives the kernel the
                   first other address of that network (10.77.0.1)
  --mtu N          MTU of a device made here (1500)
  --plain          no offloads: every packet as on a wire
  --trace          print the live ladder of every segment on stderr (implies --plain)
  --profile K=V    change a constant of the stack, such as synRetries=2 (repeatable)
  --json           one JSON object a line
  --lang en|zh     language

Linux only. Root is needed to make a device. Without root, attach to one that root made once:
  sudo ip tuntap add dev synfin0 mode tun user $USER
  sudo ip addr add 10.77.0.1/24 dev synfin0 && sudo ip link set synfin0 up
and /dev/net/tun must be open to you (sudo chmod 0666 /dev/net/tun). koffi calls the kernel from
Node: npm install koffi.
`,
  zh: `  --tun NAME       TUN 设备(synfin0)；不存在时创建，创建需要 root
  --addr ADDR/LEN  我们在其上的地址(10.77.0.2/24)；此处创建的设备给内核该网络的
                   第一个其他地址(10.77.0.1)
  --mtu N          此处创建的设备的 MTU(1500)
  --plain          不用卸载：每个包都和线路上一样
  --trace          在 stderr 上实时打印每个段的梯形图(隐含 --plain)
  --profile K=V    改变协议栈的一个常数，如 synRetries=2(可重复)
  --json           每行一个 JSON 对象
  --lang en|zh     语言

仅限 Linux。创建设备需要 root。没有 root 时，可使用由 root 一次性创建的设备：
  sudo ip tuntap add dev synfin0 mode tun user $USER
  sudo ip addr add 10.77.0.1/24 dev synfin0 && sudo ip link set synfin0 up
并且 /dev/net/tun 必须对您开放(sudo chmod 0666 /dev/net/tun)。Node 通过 koffi 调用内核：
npm install koffi。
`,
};

/** A host on a device. */
export interface DeviceHost {
  readonly host: Host;
  readonly runtime: Runtime<Interface>;
  readonly link: TunLink;
  /** Our address, without its prefix length. */
  readonly address: string;
  /** The kernel's address on the device, when it is made here, and the way to everything else. */
  readonly kernel: string;
}

/** Reads a whole number option. */
export function wholeNumber(option: string, text: string, from: number, to: number): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : -1;
  if (value < from || value > to) throw new Misuse(`--${option} ${text}: not a whole number from ${from} to ${to}`);
  return value;
}

/** Reads `--profile KEY=VALUE`, each value of the kind its default has. */
export function readProfile(settings: readonly string[]): Partial<Profile> {
  const profile: Record<string, number | boolean> = {};
  for (const setting of settings) {
    const cut = setting.indexOf('=');
    const key = cut < 0 ? setting : setting.slice(0, cut);
    const text = cut < 0 ? '' : setting.slice(cut + 1);
    const known = Object.hasOwn(DEFAULT_PROFILE, key) ? DEFAULT_PROFILE[key as keyof Profile] : null;
    if (typeof known === 'number' && /^[0-9]{1,12}(\.[0-9]{1,6})?$/.test(text)) profile[key] = Number(text);
    else if (typeof known === 'boolean' && /^(true|false)$/.test(text)) profile[key] = text === 'true';
    else throw new Misuse(`--profile ${setting}: not KEY=NUMBER or KEY=true|false with a KEY of the profile`);
  }
  return profile as Partial<Profile>;
}

/** The first address of a network that is not ours: what the kernel's side is given. */
export function otherAddress(prefix: Prefix): Address {
  const ours = prefix.address;
  const bits = (ours.family === 4 ? 32 : 128) - prefix.length;
  if (bits < 1) throw new Misuse(`--addr ${prefix}: a network of one address has no room for the kernel's side`);
  // The lowest word is enough: networks of more than 2^32 addresses begin with the same one.
  const mask = bits >= 32 ? -1 : ~(-1 << bits);
  const network = ours.w3 & ~mask;
  // RFC 3021: a network of two addresses has neither a network nor a broadcast address.
  const first = bits === 1 ? network : network + 1;
  const w3 = first === ours.w3 ? (bits === 1 ? network + 1 : network + 2) : first;
  return ours.family === 4 ? address4(w3) : new Address(ours.w0, ours.w1, ours.w2, w3);
}

/**
 * Opens or makes the device and puts a host on it.
 *
 * @throws Misuse for options that make no sense; TunError when there is no device to be had
 */
export function openDevice(values: DeviceValues, io: CliIo, name: string): DeviceHost {
  const prefix = values.addr.includes('/') ? parsePrefix(values.addr) : null;
  if (prefix === null)
    throw new Misuse(`--addr ${values.addr}: not an address with a prefix length, as in 10.77.0.2/24`);
  const { address } = prefix;
  if (address.isUnspecified || address.isMulticast || prefix.isBroadcast(address.w3) || prefix.isNetwork(address.w3)) {
    throw new Misuse(`--addr ${values.addr}: not the address of a host`);
  }
  if (!/^[!-.0-~]{1,15}$/.test(values.tun))
    throw new Misuse(`--tun ${values.tun}: not a device name of 1 to 15 octets`);
  const kernel = otherAddress(prefix).toString();
  const mtu = wholeNumber('mtu', values.mtu, address.family === 4 ? 576 : 1280, 65_521);
  const profile = readProfile(values.profile ?? []);
  const link = openTun({
    name: values.tun,
    mtu,
    vnet: !values.plain && !values.trace,
    kernelAddresses: [`${kernel}/${prefix.length}`],
  });
  const trace = values.trace ? tracer(io) : null;
  const { host, runtime } = createHost({ name, profile, trace });
  runtime.attach(link, { addresses: [values.addr], gateways: [kernel], name: link.name });
  return { host, runtime, link, address: address.toString(), kernel };
}

function tracer(io: CliIo): Tracer {
  const ladder = new LiveLadder();
  return (event) => {
    for (const line of ladder.push(event)) io.stderr.write(`${line}\n`);
  };
}

/** Waits for Ctrl-C (or a polite request to end), or for the device to fail. */
export function untilInterrupted(link: TunLink): Promise<TunError | null> {
  return new Promise((resolve) => {
    const end = (error: TunError | null): void => {
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve(error);
    };
    const interrupted = (): void => end(null);
    process.on('SIGINT', interrupted);
    process.on('SIGTERM', interrupted);
    link.onFailure = end;
  });
}
