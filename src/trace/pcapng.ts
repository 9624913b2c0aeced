// Writes capture files in the pcapng format (draft-ietf-opsawg-pcapng), the same bytes for the same packets.
//
// Nothing of the machine or of the wall clock enters a file: two runs with one seed give one file.

import type { Medium } from '../base/link.ts';
import { utf8Encode } from './utf8.ts';

/** LINKTYPE_ETHERNET and LINKTYPE_RAW: Ethernet frames, and bare IPv4 or IPv6 packets. */
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;

/** Which way a packet went past the capture point, as the low bits of `epb_flags`. */
export const DIRECTION_UNKNOWN = 0;
export const DIRECTION_IN = 1;
export const DIRECTION_OUT = 2;

const BLOCK_SECTION = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const OPTION_COMMENT = 1;
const OPTION_SECTION_APPLICATION = 4;
const OPTION_INTERFACE_NAME = 2;
const OPTION_INTERFACE_RESOLUTION = 9;
const OPTION_PACKET_FLAGS = 2;

const TWO_TO_32 = 4294967296;

/** How a capture is written. */
export interface PcapngOptions {
  /** Unit of the time stamps; microseconds when absent. */
  readonly resolution?: 'us' | 'ns';
  /** Receives each block as soon as it is complete; without it `finish` returns the whole file. */
  readonly sink?: (block: Uint8Array) => void;
  /** Added to every time, milliseconds: 0 puts the start of a simulation at 1970-01-01 00:00 UTC. */
  readonly epoch?: number;
}

/** Octets of one option with its padding. */
function optionLength(value: Uint8Array): number {
  return 4 + ((value.length + 3) & ~3);
}

/**
 * Writes one section of a capture: interfaces first or as they appear, then packets in any order.
 *
 * @example
 * const capture = new PcapngWriter();
 * const wire = capture.interface('client', 'ip');
 * capture.packet(wire, 0, packet, 0, packet.length);
 * const file = capture.finish();
 */
export class PcapngWriter {
  readonly #sink: ((block: Uint8Array) => void) | null;
  readonly #unitsPerMs: number;
  readonly #resolution: number;
  readonly #epoch: number;
  #blocks: Uint8Array[] = [];
  #interfaces = 0;
  #packets = 0;

  constructor(options: PcapngOptions = {}) {
    this.#sink = options.sink ?? null;
    this.#resolution = options.resolution === 'ns' ? 9 : 6;
    this.#unitsPerMs = options.resolution === 'ns' ? 1e6 : 1e3;
    this.#epoch = options.epoch ?? 0;
    const application = utf8Encode('synfin');
    const length = 28 + optionLength(application) + 4;
    const { bytes, view } = block(BLOCK_SECTION, length);
    view.setUint32(8, BYTE_ORDER_MAGIC, true);
    view.setUint16(12, 1, true);
    view.setUint16(14, 0, true);
    // Section length -1: not said, so that a section can be written as it grows.
    view.setUint32(16, 0xffffffff, true);
    view.setUint32(20, 0xffffffff, true);
    option(bytes, view, 24, OPTION_SECTION_APPLICATION, application);
    this.#emit(bytes);
  }

  /** Packets written so far. */
  get packets(): number {
    return this.#packets;
  }

  /**
   * Declares a place at which packets are captured.
   *
   * @param name shown by readers as the interface's name
   * @param medium what its packets are: Ethernet frames or bare IP
   * @returns the number to give to `packet`
   */
  interface(name: string, medium: Medium): number {
    const label = utf8Encode(name);
    const { bytes, view } = block(BLOCK_INTERFACE, 16 + optionLength(label) + 8 + 4 + 4);
    view.setUint16(8, medium === 'ethernet' ? LINKTYPE_ETHERNET : LINKTYPE_RAW, true);
    // Snap length 0: packets are never cut.
    view.setUint32(12, 0, true);
    let at = option(bytes, view, 16, OPTION_INTERFACE_NAME, label);
    at = option(bytes, view, at, OPTION_INTERFACE_RESOLUTION, Uint8Array.of(this.#resolution));
    this.#emit(bytes);
    return this.#interfaces++;
  }

  /**
   * Writes one packet; the bytes are copied.
   *
   * @param id the interface, as `interface` returned it; a `RangeError` when there is none such
   * @param at when it passed, milliseconds (fractions are kept to the unit of the file), not negative
   * @param from offset of the packet's first octet in `bytes`
   * @param to offset past its last octet
   * @param comment shown by readers beside the packet; none when empty
   * @param direction `DIRECTION_IN`, `DIRECTION_OUT` or `DIRECTION_UNKNOWN`
   */
  packet(
    id: number,
    at: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    comment = '',
    direction: number = DIRECTION_UNKNOWN,
  ): void {
    if (!(id >= 0 && id < this.#interfaces)) throw new RangeError(`capture interface ${id} was not declared`);
    const length = to - from;
    const note = utf8Encode(comment);
    let options = 0;
    if (comment !== '') options += optionLength(note);
    if (direction !== DIRECTION_UNKNOWN) options += 8;
    if (options > 0) options += 4;
    const padded = (length + 3) & ~3;
    const made = block(BLOCK_ENHANCED_PACKET, 32 + padded + options);
    const time = Math.round((at + this.#epoch) * this.#unitsPerMs);
    made.view.setUint32(8, id, true);
    made.view.setUint32(12, Math.floor(time / TWO_TO_32), true);
    made.view.setUint32(16, time % TWO_TO_32, true);
    made.view.setUint32(20, length, true);
    made.view.setUint32(24, length, true);
    made.bytes.set(bytes.subarray(from, to), 28);
    let here = 28 + padded;
    if (comment !== '') here = option(made.bytes, made.view, here, OPTION_COMMENT, note);
    if (direction !== DIRECTION_UNKNOWN) {
      option(made.bytes, made.view, here, OPTION_PACKET_FLAGS, Uint8Array.of(direction, 0, 0, 0));
    }
    this.#packets++;
    this.#emit(made.bytes);
  }

  /** The file: everything written so far that no sink has taken. */
  finish(): Uint8Array {
    let length = 0;
    for (const part of this.#blocks) length += part.length;
    const file = new Uint8Array(length);
    let at = 0;
    for (const part of this.#blocks) {
      file.set(part, at);
      at += part.length;
    }
    this.#blocks = [];
    return file;
  }

  #emit(bytes: Uint8Array): void {
    if (this.#sink !== null) this.#sink(bytes);
    else this.#blocks.push(bytes);
  }
}

/** An empty block of `length` octets in all, with its type and both length fields. */
function block(type: number, length: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  view.setUint32(length - 4, length, true);
  return { bytes, view };
}

/** Writes an option at `at` and returns the offset behind its padding. */
function option(bytes: Uint8Array, view: DataView, at: number, code: number, value: Uint8Array): number {
  view.setUint16(at, code, true);
  view.setUint16(at + 2, value.length, true);
  bytes.set(value, at + 4);
  return at + optionLength(value);
}
