// Addresses as four int32 words: IPv4 and IPv6 in one shape, prefixes, and their text.
//
// An IPv4 address is kept v4-mapped (0, 0, 0xffff, address; RFC 4291 §2.5.5.2), so tables need one key
// and one compare for both families. The price: a v4-mapped address cannot be told from IPv4, which is
// why `parseIpv6` refuses such addresses on the wire.

import { get32, put32 } from './bytes.ts';

/** Third word of a v4-mapped address; the first two are 0. */
export const V4_MAPPED = 0xffff;

/** An IP address of either family. Immutable; its text is made once, when first asked for. */
export class Address {
  /** 4 when the words are v4-mapped, 6 otherwise. */
  readonly family: 4 | 6;
  /** The words, int32, most significant first; IPv4 is (0, 0, 0xffff, address). */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  #text = '';

  /** From four words, taken modulo 2^32. */
  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
    this.family = isV4Mapped(this.w0, this.w1, this.w2) ? 4 : 6;
  }

  /** Dotted quad, or the canonical text of RFC 5952. */
  toString(): string {
    if (this.#text === '') this.#text = formatAddress(this.w0, this.w1, this.w2, this.w3);
    return this.#text;
  }

  /** The text, so that an address in a JSON document reads as one. */
  toJSON(): string {
    return this.toString();
  }

  /** True when `o` is the same address. */
  equals(o: Address): boolean {
    return this.w0 === o.w0 && this.w1 === o.w1 && this.w2 === o.w2 && this.w3 === o.w3;
  }

  /** 0.0.0.0 or `::`. */
  get isUnspecified(): boolean {
    return this.w3 === 0 && this.w0 === 0 && this.w1 === 0 && (this.family === 4 || this.w2 === 0);
  }

  /** 224.0.0.0/4 or ff00::/8. */
  get isMulticast(): boolean {
    return isMulticast(this.w0, this.w1, this.w2, this.w3);
  }

  /** 255.255.255.255. Directed broadcasts need the prefix: `Prefix.isBroadcast`. */
  get isBroadcast(): boolean {
    return this.family === 4 && this.w3 === -1;
  }

  /** 127.0.0.0/8 or ::1. */
  get isLoopback(): boolean {
    return isLoopback(this.w0, this.w1, this.w2, this.w3);
  }

  /** Writes the 4 or 16 octets at `out[at]`; returns the offset past them. */
  bytesInto(out: Uint8Array, at: number): number {
    if (this.family === 4) {
      put32(out, at, this.w3);
      return at + 4;
    }
    put32(out, at, this.w0);
    put32(out, at + 4, this.w1);
    put32(out, at + 8, this.w2);
    put32(out, at + 12, this.w3);
    return at + 16;
  }
}

/** 0.0.0.0 */
export const UNSPECIFIED4: Address = new Address(0, 0, V4_MAPPED, 0);
/** `::` */
export const UNSPECIFIED6: Address = new Address(0, 0, 0, 0);

/** Writes the nine words of a four-tuple at `words[at]`: our address, the peer's, and both ports. */
export function putTuple(
  words: Int32Array,
  at: number,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
): void {
  words[at] = local.w0;
  words[at + 1] = local.w1;
  words[at + 2] = local.w2;
  words[at + 3] = local.w3;
  words[at + 4] = remote.w0;
  words[at + 5] = remote.w1;
  words[at + 6] = remote.w2;
  words[at + 7] = remote.w3;
  words[at + 8] = (localPort << 16) | remotePort;
}

/** True when words `w0`, `w1`, `w2` are those of an IPv4 address. */
export function isV4Mapped(w0: number, w1: number, w2: number): boolean {
  return w2 === V4_MAPPED && w0 === 0 && w1 === 0;
}

/** True for 127.0.0.0/8 and ::1, given as the words of an `Address`. */
export function isLoopback(w0: number, w1: number, w2: number, w3: number): boolean {
  return isV4Mapped(w0, w1, w2) ? w3 >>> 24 === 127 : (w0 | w1 | w2) === 0 && w3 === 1;
}

/** True for 224.0.0.0/4 and ff00::/8, given as words. */
export function isMulticast(w0: number, w1: number, w2: number, w3: number): boolean {
  return isV4Mapped(w0, w1, w2) ? w3 >>> 28 === 14 : w0 >>> 24 === 255;
}

/** The IPv4 address with the given int32. */
export function address4(w3: number): Address {
  return new Address(0, 0, V4_MAPPED, w3);
}

/** The address in `bytes[at, at + 4)` or, for family 6, `bytes[at, at + 16)`; the octets must be there. */
export function addressFromBytes(bytes: Uint8Array, at: number, family: 4 | 6): Address {
  if (family === 4) return address4(get32(bytes, at));
  return new Address(get32(bytes, at), get32(bytes, at + 4), get32(bytes, at + 8), get32(bytes, at + 12));
}

/** Text of an address given as words: dotted quad, or RFC 5952 §4. */
export function formatAddress(w0: number, w1: number, w2: number, w3: number): string {
  if (isV4Mapped(w0, w1, w2)) return formatQuad(w3);
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff, w3 >>> 16, w3 & 0xffff];
  // RFC 5952 §4.2: the longest run of zero groups becomes `::`, the first of equals, never a single group.
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = end + 1;
  }
  const hex = groups.map((g) => g.toString(16));
  if (start < 0) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function formatQuad(w3: number): string {
  return `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`;
}

/**
 * Reads an address: a dotted quad of four decimal numbers without leading zeros (which some programs
 * take as octal), or any text form of RFC 4291 §2.2, without a zone.
 *
 * @returns `null` when `text` is no address
 */
export function parseAddress(text: string): Address | null {
  if (text.indexOf(':') >= 0) return parseAddress6(text);
  const quad = parseQuad(text);
  return quad < 0 ? null : address4(quad | 0);
}

/** The quad as a number in `[0, 2^32)`, or -1. */
function parseQuad(text: string): number {
  const parts = text.split('.', 5);
  if (parts.length !== 4) return -1;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return -1;
    const octet = Number(part);
    if (octet > 255) return -1;
    value = value * 256 + octet;
  }
  return value;
}

function parseAddress6(text: string): Address | null {
  if (text.length > 45) return null;
  const halves = text.split('::', 3);
  if (halves.length > 2) return null;
  const groups: number[] = [];
  if (!pushGroups(halves[0]!, groups, halves.length === 1)) return null;
  if (halves.length === 2) {
    const tail: number[] = [];
    if (!pushGroups(halves[1]!, tail, true)) return null;
    // `::` stands for at least one group (RFC 4291 §2.2).
    if (groups.length + tail.length > 7) return null;
    while (groups.length + tail.length < 8) groups.push(0);
    groups.push(...tail);
  }
  if (groups.length !== 8) return null;
  const word = (i: number): number => (groups[i]! << 16) | groups[i + 1]!;
  return new Address(word(0), word(2), word(4), word(6));
}

/** Appends the groups of one side of `::`; a dotted quad may close the `last` side. */
function pushGroups(text: string, groups: number[], last: boolean): boolean {
  if (text === '') return true;
  const parts = text.split(':', 9);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const quad = last && i === parts.length - 1 ? parseQuad(part) : -1;
    if (quad < 0) return false;
    groups.push(quad >>> 16, quad & 0xffff);
  }
  return true;
}

/** An address with the length of its network part; host bits are kept and ignored by `contains`. */
export class Prefix {
  /** The address as it was given, host bits included. */
  readonly address: Address;
  /** Network bits of the address's own family: 0 to 32, or 0 to 128. */
  readonly length: number;
  readonly #m0: number;
  readonly #m1: number;
  readonly #m2: number;
  readonly #m3: number;

  /** Throws a `RangeError` when `length` is no whole number within the family's bits. */
  constructor(address: Address, length: number) {
    const bits = address.family === 4 ? 32 : 128;
    if (!Number.isInteger(length) || length < 0 || length > bits) {
      throw new RangeError(`prefix length ${length} is not in 0..${bits}`);
    }
    this.address = address;
    this.length = length;
    const mapped = address.family === 4 ? length + 96 : length;
    this.#m0 = maskWord(mapped);
    this.#m1 = maskWord(mapped - 32);
    this.#m2 = maskWord(mapped - 64);
    this.#m3 = maskWord(mapped - 96);
  }

  /** True when the address given as words lies in the prefix. `::/0` does not contain IPv4. */
  contains(w0: number, w1: number, w2: number, w3: number): boolean {
    const a = this.address;
    if (((w3 ^ a.w3) & this.#m3) !== 0 || ((w2 ^ a.w2) & this.#m2) !== 0) return false;
    if (((w1 ^ a.w1) & this.#m1) !== 0 || ((w0 ^ a.w0) & this.#m0) !== 0) return false;
    return a.family === 4 || !isV4Mapped(w0, w1, w2);
  }

  /** The directed broadcast address, or `null`: IPv6 has none, and neither have /31 (RFC 3021) and /32. */
  get broadcast(): Address | null {
    return this.address.family === 4 && this.length < 31 ? address4(this.address.w3 | ~this.#m3) : null;
  }

  /** True when the IPv4 address `w3` is this network's directed broadcast. */
  isBroadcast(w3: number): boolean {
    return this.address.family === 4 && this.length < 31 && w3 === (this.address.w3 | ~this.#m3);
  }

  /** True when the IPv4 address `w3` names the network itself: host part zero, once a broadcast too (RFC 1122 §3.3.6). */
  isNetwork(w3: number): boolean {
    return this.address.family === 4 && this.length < 31 && w3 === (this.address.w3 & this.#m3);
  }

  /** As in `10.0.0.1/24`. */
  toString(): string {
    return `${this.address}/${this.length}`;
  }
}

/** The mask of one word of which the first `bits` bits are network; any number of bits, clamped to 0..32. */
function maskWord(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : ~(-1 >>> bits);
}

/** True when the address given as words lies in `prefix`. */
export function inPrefix(w0: number, w1: number, w2: number, w3: number, prefix: Prefix): boolean {
  return prefix.contains(w0, w1, w2, w3);
}

/** Reads `10.0.0.1/24` or `fd00::1/64`; `null` when it is none. Without a slash, all bits are network. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = address.family === 4 ? 32 : 128;
  if (slash < 0) return new Prefix(address, bits);
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(digits)) return null;
  const length = Number(digits);
  return length > bits ? null : new Prefix(address, length);
}

/** Reads six hexadecimal octets with `:` or `-` between them; `null` when `text` is no MAC address. */
export function parseMac(text: string): Uint8Array | null {
  if (!/^[0-9a-fA-F]{2}(([:-])[0-9a-fA-F]{2})(\2[0-9a-fA-F]{2}){4}$/.test(text)) return null;
  const mac = new Uint8Array(6);
  for (let i = 0; i < 6; i++) mac[i] = Number.parseInt(text.slice(i * 3, i * 3 + 2), 16);
  return mac;
}

/** Text of the MAC address in `bytes[at, at + 6)`, as in `02:00:00:00:00:01`. */
export function formatMac(bytes: Uint8Array, at = 0): string {
  let text = '';
  for (let i = 0; i < 6; i++) {
    const octet = bytes[at + i]!;
    text += `${i === 0 ? '' : ':'}${octet < 16 ? '0' : ''}${octet.toString(16)}`;
  }
  return text;
}
