// Reads capture files: pcapng of either byte order with any number of sections, and classic pcap.
//
// A damaged file never throws. What could be read is returned, and each problem names its offset.

import { utf8Decode } from './utf8.ts';

/** What can be wrong with a capture file. */
export type CaptureProblemReason =
  | 'not-a-capture'
  | 'header-truncated'
  | 'unknown-version'
  | 'block-truncated'
  | 'block-bad-length'
  | 'block-trailer-mismatch'
  | 'section-truncated'
  | 'interface-truncated'
  | 'interface-unknown'
  | 'option-truncated'
  | 'packet-truncated';

/** One problem of a file. */
export interface CaptureProblem {
  /** Where in the file, octets. */
  readonly offset: number;
  readonly reason: CaptureProblemReason;
}

/** A place at which packets were captured. */
export interface CaptureInterface {
  /** Its name in the file; empty when the file has none. */
  readonly name: string;
  /** LINKTYPE_ number: 1 is Ethernet, 101 bare IP. */
  readonly linkType: number;
}

/** One packet of a file: a view of the file's bytes. */
export interface CapturedPacket {
  /** Where its record starts in the file, octets. */
  readonly offset: number;
  /** Index into `interfaces`. */
  readonly interfaceId: number;
  /** Whole seconds since 1970; 0 for packets without a time stamp. */
  readonly seconds: number;
  /** And the nanoseconds that go with them, `[0, 1e9)`. */
  readonly nanoseconds: number;
  /** The captured octets are `bytes[from, to)` of the file. */
  readonly from: number;
  readonly to: number;
  /** Octets of the packet on the wire: more than `to - from` when the capture cut it. */
  readonly wireLength: number;
  /** The comment in the file; empty when there is none. */
  readonly comment: string;
}

/** What a capture file holds. */
export interface Capture {
  readonly interfaces: readonly CaptureInterface[];
  readonly packets: readonly CapturedPacket[];
  /** Empty when the file is whole. */
  readonly problems: readonly CaptureProblem[];
}

const BLOCK_SECTION = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_PACKET = 2;
const BLOCK_SIMPLE_PACKET = 3;
const BLOCK_ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const PCAP_MICROSECONDS = 0xa1b2c3d4;
const PCAP_NANOSECONDS = 0xa1b23c4d;
/** Guards against a length field that damage has made huge: no packet is longer. */
const LONGEST_PACKET = 0x1000000;

/** An interface with what is needed to read its packets. */
interface OpenInterface extends CaptureInterface {
  readonly snapLength: number;
  /** Time stamp units per second. */
  readonly unitsPerSecond: number;
  /** Seconds to add to every time stamp (if_tsoffset). */
  readonly offset: number;
}

/** The state of reading: one file. */
class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly interfaces: OpenInterface[] = [];
  readonly packets: CapturedPacket[] = [];
  readonly problems: CaptureProblem[] = [];
  little = true;
  /** Index of the current section's first interface. */
  section = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.view.getUint16(at, this.little);
  }

  u32(at: number): number {
    return this.view.getUint32(at, this.little);
  }

  problem(offset: number, reason: CaptureProblemReason): void {
    this.problems.push({ offset, reason });
  }
}

/**
 * Reads a capture file of either kind.
 *
 * @param bytes the whole file; the packets of the result are views of it
 * @returns what could be read, and what is wrong with the rest
 */
export function readCapture(bytes: Uint8Array): Capture {
  const reader = new Reader(bytes);
  if (bytes.length < 4) reader.problem(0, 'not-a-capture');
  else if (reader.view.getUint32(0, true) === BLOCK_SECTION) readBlocks(reader);
  else readClassic(reader);
  return {
    interfaces: reader.interfaces.map((i) => ({ name: i.name, linkType: i.linkType })),
    packets: reader.packets,
    problems: reader.problems,
  };
}

/** Splits a time stamp in units of an interface into seconds and nanoseconds, without losing a bit. */
function splitTime(high: number, low: number, unitsPerSecond: number): { seconds: number; nanoseconds: number } {
  // Long division in base 2^16: every partial dividend stays below 2^53.
  const digits = [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff];
  let seconds = 0;
  let rest = 0;
  for (const digit of digits) {
    const dividend = rest * 65536 + digit;
    seconds = seconds * 65536 + Math.floor(dividend / unitsPerSecond);
    rest = dividend % unitsPerSecond;
  }
  const nanoseconds = Math.floor(unitsPerSecond <= 1e6 ? (rest * 1e9) / unitsPerSecond : rest / (unitsPerSecond / 1e9));
  return { seconds, nanoseconds: Math.min(nanoseconds, 999_999_999) };
}

// --- pcapng ---

function readBlocks(reader: Reader): void {
  const { bytes } = reader;
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 12) {
      reader.problem(at, 'block-truncated');
      return;
    }
    const isSection = reader.view.getUint32(at, true) === BLOCK_SECTION;
    if (isSection && !openSection(reader, at)) return;
    const length = reader.u32(at + 4);
    if (length < 12 || (length & 3) !== 0) {
      reader.problem(at + 4, 'block-bad-length');
      return;
    }
    if (length > bytes.length - at) {
      // What is left of a last packet may still be wanted, but it cannot be trusted: it is not given.
      reader.problem(at, 'block-truncated');
      return;
    }
    if (reader.u32(at + length - 4) !== length) {
      reader.problem(at + length - 4, 'block-trailer-mismatch');
      return;
    }
    const end = at + length - 4;
    const type = reader.u32(at);
    if (type === BLOCK_INTERFACE) readInterface(reader, at, end);
    else if (type === BLOCK_ENHANCED_PACKET || type === BLOCK_PACKET) readPacket(reader, at, end, type);
    else if (type === BLOCK_SIMPLE_PACKET) readSimplePacket(reader, at, end);
    at += length;
  }
}

/** Takes the byte order of a section; returns false when the section cannot be read. */
function openSection(reader: Reader, at: number): boolean {
  if (reader.bytes.length - at < 28) {
    reader.problem(at, 'section-truncated');
    return false;
  }
  reader.little = reader.view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
  if (reader.u32(at + 8) !== BYTE_ORDER_MAGIC) {
    reader.problem(at + 8, 'not-a-capture');
    return false;
  }
  if (reader.u16(at + 12) !== 1) {
    reader.problem(at + 12, 'unknown-version');
    return false;
  }
  reader.section = reader.interfaces.length;
  return true;
}

/** Calls `each` with every option of `bytes[from, to)`. */
function readOptions(
  reader: Reader,
  from: number,
  to: number,
  each: (code: number, at: number, length: number) => void,
): void {
  let at = from;
  while (to - at >= 4) {
    const code = reader.u16(at);
    const length = reader.u16(at + 2);
    if (code === 0) return;
    if (length > to - at - 4) {
      reader.problem(at, 'option-truncated');
      return;
    }
    each(code, at + 4, length);
    at += 4 + ((length + 3) & ~3);
  }
}

function readInterface(reader: Reader, at: number, end: number): void {
  if (end - at < 16) {
    reader.problem(at, 'interface-truncated');
    // It keeps its number, so that the packets of the others stay with theirs.
    reader.interfaces.push({ name: '', linkType: -1, snapLength: 0, unitsPerSecond: 1e6, offset: 0 });
    return;
  }
  let name = '';
  let unitsPerSecond = 1e6;
  let offset = 0;
  readOptions(reader, at + 16, end, (code, from, length) => {
    if (code === 2) name = utf8Decode(reader.bytes, from, from + length);
    else if (code === 9 && length >= 1) unitsPerSecond = resolution(reader.bytes[from]!);
    else if (code === 14 && length >= 8) {
      const low = reader.u32(reader.little ? from : from + 4);
      const high = reader.u32(reader.little ? from + 4 : from) | 0;
      offset = high * 4294967296 + low;
    }
  });
  reader.interfaces.push({
    name,
    linkType: reader.u16(at + 8),
    snapLength: reader.u32(at + 12),
    unitsPerSecond,
    offset,
  });
}

/** Units per second of an `if_tsresol` octet; anything finer than we can divide by counts as microseconds. */
function resolution(octet: number): number {
  const exponent = octet & 0x7f;
  if (exponent > ((octet & 0x80) === 0 ? 11 : 36)) return 1e6;
  let units = 1;
  for (let k = 0; k < exponent; k++) units *= (octet & 0x80) === 0 ? 10 : 2;
  return units;
}

/** An enhanced packet, or a packet of the obsolete block type, which differs in its first fields only. */
function readPacket(reader: Reader, at: number, end: number, type: number): void {
  if (end - at < 28) {
    reader.problem(at, 'packet-truncated');
    return;
  }
  const number = type === BLOCK_PACKET ? reader.u16(at + 8) : reader.u32(at + 8);
  const interfaceId = reader.section + number;
  const iface = reader.interfaces[interfaceId];
  if (iface === undefined) {
    reader.problem(at + 8, 'interface-unknown');
    return;
  }
  const length = reader.u32(at + 20);
  if (length > end - at - 28) {
    reader.problem(at + 20, 'packet-truncated');
    return;
  }
  let comment = '';
  readOptions(reader, at + 28 + ((length + 3) & ~3), end, (code, from, size) => {
    if (code === 1 && comment === '') comment = utf8Decode(reader.bytes, from, from + size);
  });
  const time = splitTime(reader.u32(at + 12), reader.u32(at + 16), iface.unitsPerSecond);
  reader.packets.push({
    offset: at,
    interfaceId,
    seconds: time.seconds + iface.offset,
    nanoseconds: time.nanoseconds,
    from: at + 28,
    to: at + 28 + length,
    wireLength: reader.u32(at + 24),
    comment,
  });
}

/** A simple packet: no interface number (it is the section's first), no time stamp. */
function readSimplePacket(reader: Reader, at: number, end: number): void {
  const iface = reader.interfaces[reader.section];
  if (iface === undefined || end - at < 12) {
    reader.problem(at, iface === undefined ? 'interface-unknown' : 'packet-truncated');
    return;
  }
  const wireLength = reader.u32(at + 8);
  const length = iface.snapLength === 0 ? wireLength : Math.min(wireLength, iface.snapLength);
  if (length > end - at - 12) {
    reader.problem(at + 8, 'packet-truncated');
    return;
  }
  reader.packets.push({
    offset: at,
    interfaceId: reader.section,
    seconds: 0,
    nanoseconds: 0,
    from: at + 12,
    to: at + 12 + length,
    wireLength,
    comment: '',
  });
}

// --- classic pcap ---

function readClassic(reader: Reader): void {
  const { bytes, view } = reader;
  const magic = view.getUint32(0, true);
  reader.little = magic === PCAP_MICROSECONDS || magic === PCAP_NANOSECONDS;
  const kind = reader.u32(0);
  if (kind !== PCAP_MICROSECONDS && kind !== PCAP_NANOSECONDS) {
    reader.problem(0, 'not-a-capture');
    return;
  }
  if (bytes.length < 24) {
    reader.problem(0, 'header-truncated');
    return;
  }
  if (reader.u16(4) !== 2) {
    reader.problem(4, 'unknown-version');
    return;
  }
  // The upper bits of the link type hold the length of a frame check sequence.
  const linkType = reader.u32(20) & 0x0fffffff;
  reader.interfaces.push({ name: '', linkType, snapLength: reader.u32(16), unitsPerSecond: 1e6, offset: 0 });
  const toNanoseconds = kind === PCAP_NANOSECONDS ? 1 : 1000;
  let at = 24;
  while (at < bytes.length) {
    if (bytes.length - at < 16) {
      reader.problem(at, 'packet-truncated');
      return;
    }
    const length = reader.u32(at + 8);
    if (length > bytes.length - at - 16 || length > LONGEST_PACKET) {
      reader.problem(at + 8, 'packet-truncated');
      return;
    }
    reader.packets.push({
      offset: at,
      interfaceId: 0,
      seconds: reader.u32(at),
      nanoseconds: reader.u32(at + 4) * toNanoseconds,
      from: at + 16,
      to: at + 16 + length,
      wireLength: reader.u32(at + 12),
      comment: '',
    });
    at += 16 + length;
  }
}
