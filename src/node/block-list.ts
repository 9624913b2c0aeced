// `net.BlockList` and `net.SocketAddress` where there is no Node.

import { Address, parseAddress } from '../wire/address.ts';
import { errors } from './browser-errors.ts';
import { badPort, coded, outOfRange, wrongType, wrongValue } from './errors.ts';

type Family = 'ipv4' | 'ipv6';

/** What a `SocketAddress` is made with. */
export interface SocketAddressOptions {
  readonly address?: string;
  readonly family?: string;
  readonly port?: number;
  readonly flowlabel?: number;
}

const MOST_FLOW = 0xffff_ffff;
/** By how much a prefix is longer among the addresses of IPv6. */
const MAPPED_BITS = 96;

/** An address with its family, port and flow label; it never changes. */
export class SocketAddress {
  readonly #address: Address;
  readonly #family: Family;
  readonly #port: number;
  readonly #flowlabel: number;

  /** Throws Node's errors: ERR_INVALID_ADDRESS for an address that is none of the family's. */
  constructor(options: SocketAddressOptions = {}) {
    if (typeof options !== 'object' || options === null) throw wrongType(errors, 'options', ['object'], options);
    const { family: given = 'ipv4', port = 0, flowlabel = 0 } = options;
    const family = typeof given === 'string' ? given.toLowerCase() : given;
    if (family !== 'ipv4' && family !== 'ipv6') throw wrongValue(errors, 'options.family', given);
    const { address = family === 'ipv4' ? '127.0.0.1' : '::' } = options;
    if (typeof address !== 'string') throw wrongType(errors, 'options.address', ['string'], address);
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw badPort(errors, 'options.port', port);
    if (!Number.isInteger(flowlabel) || flowlabel < 0 || flowlabel > MOST_FLOW) {
      throw outOfRange(errors, 'options.flowlabel', `>= 0 && <= ${MOST_FLOW}`, flowlabel);
    }
    const parsed = address.includes(':') === (family === 'ipv6') ? parseAddress(address) : null;
    if (parsed === null) throw coded(Error, 'ERR_INVALID_ADDRESS', 'Invalid socket address');
    this.#address = parsed;
    this.#family = family;
    this.#port = port;
    this.#flowlabel = flowlabel;
  }

  get address(): string {
    // An IPv4 address inside of IPv6 keeps that shape.
    return this.#family === 'ipv6' && this.#address.family === 4 ? `::ffff:${this.#address}` : `${this.#address}`;
  }

  get family(): Family {
    return this.#family;
  }

  get port(): number {
    return this.#port;
  }

  get flowlabel(): number {
    return this.#flowlabel;
  }

  toJSON(): { address: string; port: number; family: Family; flowlabel: number } {
    const { address, port, family, flowlabel } = this;
    return { address, port, family, flowlabel };
  }

  /** @internal The words to compare by. */
  get _words(): Address {
    return this.#address;
  }

  static isSocketAddress(value: unknown): value is SocketAddress {
    return typeof value === 'object' && value !== null && #address in value;
  }

  /** `1.2.3.4:80` or `[::1]:80`, each without a port too; `undefined` for anything else. */
  static parse(input: string): SocketAddress | undefined {
    if (typeof input !== 'string') throw wrongType(errors, 'input', ['string'], input);
    const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(input);
    if (match === null) return undefined;
    const [, six, four, port = '0'] = match;
    try {
      const place = six === undefined ? { address: four!, family: 'ipv4' } : { address: six, family: 'ipv6' };
      return new SocketAddress({ ...place, port: Number(port) });
    } catch {
      return undefined;
    }
  }
}

/** One rule: what it says of itself, and whether it holds for an address of a family. */
interface Rule {
  readonly text: string;
  matches(address: Address, family: Family): boolean;
}

type Place = string | SocketAddress;

/** Addresses, ranges and subnets to look addresses up in. */
export class BlockList {
  /** The last one first. */
  #rules: Rule[] = [];

  addAddress(address: Place, family = 'ipv4'): void {
    const one = placeOf(address, family, 'address');
    this.#rules.unshift({
      text: `Address: ${spelled(one)} ${one.address}`,
      matches: (other) => one._words.equals(other),
    });
  }

  addRange(start: Place, end: Place, family = 'ipv4'): void {
    const first = placeOf(start, family, 'start');
    const last = placeOf(end, family, 'end');
    if (compared(first._words, last._words) > 0) throw wrongValue(errors, 'start', start, 'must come before end');
    this.#rules.unshift({
      text: `Range: ${spelled(first)} ${first.address}-${last.address}`,
      matches: (other, of) =>
        comparable(first, of) &&
        comparable(last, of) &&
        compared(first._words, other) <= 0 &&
        compared(other, last._words) <= 0,
    });
  }

  addSubnet(net: Place, prefix: number, family = 'ipv4'): void {
    const network = placeOf(net, family, 'network');
    const most = network.family === 'ipv4' ? 32 : 128;
    if (typeof prefix !== 'number') throw wrongType(errors, 'prefix', ['number'], prefix);
    if (!Number.isInteger(prefix)) throw outOfRange(errors, 'prefix', 'an integer', prefix);
    if (prefix < 0 || prefix > most) throw outOfRange(errors, 'prefix', `>= 0 && <= ${most}`, prefix);
    const bits = network.family === 'ipv4' ? prefix + MAPPED_BITS : prefix;
    const own = masked(network._words, bits);
    this.#rules.unshift({
      text: `Subnet: ${spelled(network)} ${network.address}/${prefix}`,
      matches: (other) => masked(other, bits).equals(own),
    });
  }

  /** Whether a rule holds for an address; false for what is none. */
  check(address: Place, family = 'ipv4'): boolean {
    if (!SocketAddress.isSocketAddress(address)) {
      if (typeof address !== 'string') throw wrongType(errors, 'address', ['string'], address);
      if (typeof family !== 'string') throw wrongType(errors, 'family', ['string'], family);
    }
    let place: SocketAddress;
    try {
      place = placeOf(address, family, 'address');
    } catch {
      return false;
    }
    return this.#rules.some((rule) => rule.matches(place._words, place.family));
  }

  get rules(): string[] {
    return this.#rules.map(({ text }) => text);
  }

  toJSON(): string[] {
    return this.rules;
  }

  /** Adds rules as `toJSON` gives them, or as a JSON text of them. Throws for what is no rule. */
  fromJSON(value: string | readonly string[]): void {
    const rules: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    if (!Array.isArray(rules)) throw wrongType(errors, 'value', ['string', 'Array'], value);
    for (const rule of [...rules].reverse()) {
      const [, kind, version, text] = /^(Address|Range|Subnet): (IPv[46]) (\S+)$/.exec(String(rule)) ?? [];
      if (kind === undefined || text === undefined) throw wrongValue(errors, 'value', rule, 'is no rule');
      const family = version === 'IPv6' ? 'ipv6' : 'ipv4';
      const [first = '', second = ''] = text.split(/[-/]/);
      if (kind === 'Address') this.addAddress(first, family);
      else if (kind === 'Range') this.addRange(first, second, family);
      else this.addSubnet(first, Number(second), family);
    }
  }

  static isBlockList(value: unknown): value is BlockList {
    return typeof value === 'object' && value !== null && #rules in value;
  }
}

function placeOf(place: Place, family: string, name: string): SocketAddress {
  if (SocketAddress.isSocketAddress(place)) return place;
  if (typeof place !== 'string') throw wrongType(errors, name, ['string'], place);
  if (typeof family !== 'string') throw wrongType(errors, 'family', ['string'], family);
  return new SocketAddress({ address: place, family });
}

const spelled = ({ family }: SocketAddress): string => (family === 'ipv4' ? 'IPv4' : 'IPv6');

/** IPv4 lies in a range of IPv6 only where both of its ends say so (RFC 4291 §2.5.5.2). */
const comparable = (rule: SocketAddress, of: Family): boolean => of === 'ipv6' || rule._words.family === 4;

/** Below 0, 0 or above: the order of two addresses. */
function compared(a: Address, b: Address): number {
  const words = [
    [a.w0, b.w0],
    [a.w1, b.w1],
    [a.w2, b.w2],
    [a.w3, b.w3],
  ] as const;
  for (const [one, other] of words) if (one !== other) return (one >>> 0) - (other >>> 0);
  return 0;
}

/** The first `bits` of an address, `[0, 128]`. */
function masked(address: Address, bits: number): Address {
  const cut = (word: number, at: number): number => {
    const left = Math.min(Math.max(bits - at, 0), 32);
    return left === 0 ? 0 : word & (-1 << (32 - left));
  };
  return new Address(cut(address.w0, 0), cut(address.w1, 32), cut(address.w2, 64), cut(address.w3, 96));
}
