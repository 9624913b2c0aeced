// DNS messages (RFC 1035 §4): questions written, answers read.
//
// Names are the trap: a pointer may only lead backwards and only so often (RFC 9267), labels and names have their limits, and
// what a name may not be in a program's text (a dot inside of a label) is no name here.

import { type Address, addressFromBytes } from './address.ts';
import { get16, get32, put16 } from './bytes.ts';

/** Octets of the header (RFC 1035 §4.1.1). */
export const DNS_HEADER = 12;
/** Types of records that are read (RFC 1035 §3.2.2, RFC 3596 §2.1). */
export const DNS_TYPES = { A: 1, NS: 2, CNAME: 5, PTR: 12, AAAA: 28 } as const;
/** One of the types, by name. */
export type DnsType = keyof typeof DNS_TYPES;

/** The class of the Internet. */
const CLASS_IN = 1;
const LABEL_MAX = 63;
/** Octets of a name on the wire, the root label included (RFC 1035 §2.3.4). */
const NAME_MAX = 255;
/** Pointers of one name; each leads backwards, so there cannot be a loop. */
const JUMPS_MAX = 128;
/** Records that are read of one message. */
const RECORDS_MAX = 256;

/** Why a message is not taken. */
export type DnsFault = 'dns-short' | 'dns-bad-name' | 'dns-bad-pointer' | 'dns-bad-record' | 'dns-too-many';

/** A record of an answer; `data` is an address, or a name for CNAME, NS and PTR. */
export interface DnsRecord {
  /** In lower case, without the dot at its end. */
  readonly name: string;
  readonly type: DnsType;
  /** Seconds. */
  readonly ttl: number;
  readonly data: string;
}

/** A message, as far as a resolver needs it. */
export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  /** The rest is to be asked for over TCP. */
  readonly truncated: boolean;
  /** 0 no error, 2 the server failed, 3 there is no such name, 5 refused. */
  readonly rcode: number;
  /** The question, in lower case; empty when there is not exactly one. */
  readonly question: string;
  readonly questionType: number;
  readonly answers: readonly DnsRecord[];
}

/**
 * A question for one name, with the wish for recursion.
 *
 * @param id `[0, 65535]`, hard to guess (RFC 5452 §4.3)
 * @returns the message, or `null` for a text that is no name of the DNS
 */
export function writeDnsQuery(id: number, name: string, type: DnsType): Uint8Array | null {
  const labels = name.replace(/\.$/, '').split('.');
  const size = labels.reduce((sum, label) => sum + label.length + 1, 1);
  const good = labels.every((label) => label.length > 0 && label.length <= LABEL_MAX && /^[\x21-\x7e]+$/.test(label));
  if (!good || size > NAME_MAX) return null;
  const out = new Uint8Array(DNS_HEADER + size + 4);
  put16(out, 0, id);
  out[2] = 1;
  put16(out, 4, 1);
  let at = DNS_HEADER;
  for (const label of labels) {
    out[at++] = label.length;
    for (let i = 0; i < label.length; i++) out[at++] = label.charCodeAt(i);
  }
  put16(out, at + 1, DNS_TYPES[type]);
  put16(out, at + 3, CLASS_IN);
  return out;
}

/** Reads the message in `bytes`: its question, and those of its answers that have a type of ours. */
export function parseDns(bytes: Uint8Array): DnsMessage | DnsFault {
  if (bytes.length < DNS_HEADER) return 'dns-short';
  const questions = get16(bytes, 4);
  const count = get16(bytes, 6);
  if (count > RECORDS_MAX || questions > 1) return 'dns-too-many';
  const cursor = new Cursor(bytes);
  let question = '';
  let questionType = 0;
  if (questions === 1) {
    question = cursor.name();
    if (cursor.fault === '' && cursor.at + 4 > bytes.length) return 'dns-short';
    if (cursor.fault !== '') return cursor.fault;
    questionType = get16(bytes, cursor.at);
    cursor.at += 4;
  }
  const answers: DnsRecord[] = [];
  for (let i = 0; i < count; i++) {
    const record = cursor.record();
    if (cursor.fault !== '') return cursor.fault;
    if (record !== null) answers.push(record);
  }
  return {
    ...{ id: get16(bytes, 0), isResponse: bytes[2]! >= 128, truncated: (bytes[2]! & 2) !== 0, rcode: bytes[3]! & 15 },
    ...{ question, questionType, answers },
  };
}

/** The name under which the names of an address are found (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: Address): string {
  const octets = new Uint8Array(16);
  const length = address.bytesInto(octets, 0);
  const own = [...octets.subarray(0, length)];
  if (length === 4) return `${own.reverse().join('.')}.in-addr.arpa`;
  const nibbles = own.flatMap((octet) => [octet >> 4, octet & 15]);
  return `${nibbles
    .reverse()
    .map((nibble) => nibble.toString(16))
    .join('.')}.ip6.arpa`;
}

/** Reads on from where it is, until something is wrong. */
class Cursor {
  at: number = DNS_HEADER;
  fault: DnsFault | '' = '';
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A name in lower case; behind it once it returns. */
  name(): string {
    const bytes = this.#bytes;
    const labels: string[] = [];
    let at = this.at;
    let lowest = at;
    let end = -1;
    let size = 1;
    for (let jumps = 0; ; ) {
      if (at >= bytes.length) return this.#stop('dns-short');
      const length = bytes[at]!;
      if (length >= 192) {
        if (at + 1 >= bytes.length) return this.#stop('dns-short');
        const target = ((length & 63) << 8) | bytes[at + 1]!;
        // Backwards only, and never to where this name has been: no loop can be made of it.
        if (target >= lowest || target < DNS_HEADER || ++jumps > JUMPS_MAX) return this.#stop('dns-bad-pointer');
        if (end < 0) end = at + 2;
        at = target;
        lowest = target;
        continue;
      }
      if (length > LABEL_MAX) return this.#stop('dns-bad-name');
      if (length === 0) break;
      size += length + 1;
      if (at + 1 + length > bytes.length) return this.#stop('dns-short');
      if (size > NAME_MAX) return this.#stop('dns-bad-name');
      const label = textOf(bytes, at + 1, at + 1 + length);
      if (label === '') return this.#stop('dns-bad-name');
      labels.push(label);
      at += length + 1;
    }
    this.at = end < 0 ? at + 1 : end;
    return labels.join('.');
  }

  /** A record; `null` for one of another type or class. */
  record(): DnsRecord | null {
    const bytes = this.#bytes;
    const name = this.name();
    if (this.fault !== '') return null;
    if (this.at + 10 > bytes.length) return this.#none('dns-short');
    const type = get16(bytes, this.at);
    const internet = get16(bytes, this.at + 2) === CLASS_IN;
    // RFC 2181 §8: with the highest bit set it counts as 0.
    const ttl = Math.max(0, get32(bytes, this.at + 4));
    const from = this.at + 10;
    const to = from + get16(bytes, this.at + 8);
    if (to > bytes.length) return this.#none('dns-short');
    const known = (Object.keys(DNS_TYPES) as DnsType[]).find((key) => DNS_TYPES[key] === type);
    if (known === undefined || !internet) {
      this.at = to;
      return null;
    }
    this.at = from;
    const data = known === 'A' || known === 'AAAA' ? this.#address(known, from, to) : this.name();
    if (this.fault === '' && (known === 'A' || known === 'AAAA')) this.at = to;
    if (this.fault !== '' || this.at !== to) return this.#none(this.fault || 'dns-bad-record');
    return { name, type: known, ttl, data };
  }

  #address(type: 'A' | 'AAAA', from: number, to: number): string {
    if (to - from !== (type === 'A' ? 4 : 16)) return this.#stop('dns-bad-record');
    return addressFromBytes(this.#bytes, from, type === 'A' ? 4 : 6).toString();
  }

  #stop(fault: DnsFault): string {
    this.fault = fault;
    return '';
  }

  #none(fault: DnsFault): null {
    this.fault = fault;
    return null;
  }
}

/** A label as text, in lower case; empty for one that no name of a program could spell. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) {
    const octet = bytes[i]!;
    if (octet <= 32 || octet >= 127 || octet === 46) return '';
    text += String.fromCharCode(octet);
  }
  return text.toLowerCase();
}
