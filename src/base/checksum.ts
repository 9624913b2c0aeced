// The Internet checksum: ones' complement sums of 16-bit words (RFC 1071, RFC 793's and RFC 9293's alike).
//
// Two of its properties make it fast (RFC 1071 §2): it may be summed in wider words and folded afterwards,
// and summing in the wrong byte order gives the right sum with its octets swapped. So the middle of a range
// is read as native 32-bit words wherever it lies, and swapped at the end when order or parity ask for it.

import { packetMemory } from './packet-memory.ts';

/**
 * Below this many octets a byte loop is quicker than finding out where they lie (a call of 20 ns in V8); it also spares
 * typed arrays that V8 keeps inside its heap (up to 64 octets) from being given an ArrayBuffer of their own.
 */
const LOOP_BELOW = 96;

/** Words summed between two folds: 2^20 of at most 2^32 - 1 stay below 2^53, up to which doubles are exact. */
const BLOCK = 1 << 20;
const TWO_32 = 0x1_0000_0000;

const LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Word views of the buffers seen last. Making a view costs as much as summing 500 octets, and packets live in
 * few slabs. The four entries are strong references, which is harmless because only buffers of up to 1 MiB
 * are remembered: whatever a program hands in, at most 4 MiB outlive it, until four others come by.
 */
const WAYS = 4;
const REMEMBER_UP_TO = 1 << 20;
const NO_BUFFER: ArrayBufferLike = new ArrayBuffer(0);
const NO_WORDS: Uint32Array = new Uint32Array(NO_BUFFER as ArrayBuffer);
const buffers: ArrayBufferLike[] = new Array<ArrayBufferLike>(WAYS).fill(NO_BUFFER);
const views: Uint32Array[] = new Array<Uint32Array>(WAYS).fill(NO_WORDS);
let lastBuffer: ArrayBufferLike = NO_BUFFER;
let lastView: Uint32Array = NO_WORDS;
let victim = 0;

function wordsOf(buffer: ArrayBufferLike): Uint32Array {
  if (buffer === lastBuffer) return lastView;
  for (let i = 0; i < WAYS; i++) {
    if (buffers[i] === buffer) {
      lastBuffer = buffer;
      lastView = views[i]!;
      return lastView;
    }
  }
  const words = new Uint32Array(buffer, 0, buffer.byteLength >> 2);
  if (buffer.byteLength <= REMEMBER_UP_TO) {
    buffers[victim] = buffer;
    views[victim] = words;
    victim = (victim + 1) & (WAYS - 1);
    lastBuffer = buffer;
    lastView = words;
  }
  return words;
}

/**
 * Sum of the native 16-bit halves of `words[from, to)`, folded to 16 bits.
 *
 * Whole words are added as doubles and split once, at the end: in V8 three quarters of the time that splitting each
 * word takes, in JavaScriptCore less than half. Four sums, because an addition has to wait for the one before it.
 */
function sumWords(words: Uint32Array, from: number, to: number): number {
  let sum = 0;
  let i = from;
  while (i < to) {
    const stop = to - i > BLOCK ? i + BLOCK : to;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (const unrolled = stop - 15; i < unrolled; i += 16) {
      a += words[i]! + words[i + 1]! + words[i + 2]! + words[i + 3]!;
      b += words[i + 4]! + words[i + 5]! + words[i + 6]! + words[i + 7]!;
      c += words[i + 8]! + words[i + 9]! + words[i + 10]! + words[i + 11]!;
      d += words[i + 12]! + words[i + 13]! + words[i + 14]! + words[i + 15]!;
    }
    for (; i < stop; i++) a += words[i]!;
    const all = a + b + c + d;
    const carries = Math.floor(all / TWO_32);
    const rest = all - carries * TWO_32;
    sum += (carries & 0xffff) + (carries >>> 16) + (rest >>> 16) + (rest & 0xffff);
  }
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}

/** Sum of `bytes[from, to)` as big-endian 16-bit words, an odd last octet padded with zero; not folded. */
function sumBytes(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  let i = from;
  for (const pairs = to - 1; i < pairs; i += 2) sum = (sum + ((bytes[i]! << 8) | bytes[i + 1]!)) | 0;
  return i < to ? sum + (bytes[i]! << 8) : sum;
}

/**
 * Adds the 16-bit big-endian words of `bytes[from, to)` to a partial sum (RFC 1071 §1). An odd last octet
 * is padded with zero, so pieces of one message may be summed apart when all but the last are of even length.
 *
 * @param sum what was summed before: 0, the result of an earlier call, or a few 16-bit words added up; below 2^31
 * @returns the partial sum, below 2^17, not folded to 16 bits
 */
export function onesSum(bytes: Uint8Array, from: number, to: number, sum: number): number {
  let total: number;
  if (to - from < LOOP_BELOW) {
    total = sumBytes(bytes, from, to);
  } else if (packetMemory !== null && bytes === packetMemory.bytes) {
    const words = packetMemory.sum(from, to - from);
    total = ((words & 0xff) << 8) | (words >>> 8);
  } else {
    const words = wordsOf(bytes.buffer);
    const base = bytes.byteOffset;
    // Octets before the first whole word, 0 to 3.
    const lead = -(base + from) & 3;
    const first = (base + from + lead) >> 2;
    const last = (base + to) >> 2;
    let middle = sumWords(words, first, last);
    // After an odd lead the middle's octets stand on the other side of their words.
    if (((lead & 1) === 0) === LITTLE_ENDIAN) middle = ((middle & 0xff) << 8) | (middle >>> 8);
    total = middle + sumBytes(bytes, from, from + lead);
    const tail = (last << 2) - base;
    if (tail < to) total += sumTail(bytes, tail, to, (lead & 1) !== 0);
  }
  total += (sum & 0xffff) + (sum >>> 16);
  return (total & 0xffff) + (total >>> 16);
}

/** `sumBytes` of up to three octets, the first of which may be the second of its word. */
function sumTail(bytes: Uint8Array, from: number, to: number, second: boolean): number {
  return second ? bytes[from]! + sumBytes(bytes, from + 1, to) : sumBytes(bytes, from, to);
}

/** Folds a partial sum (below 2^32) to 16 bits. Not complemented: a correct message sums to 0xffff. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/**
 * The checksum of `bytes[from, to)` on top of a partial sum, complemented: ready to be stored as two octets,
 * high one first. Over a message that holds its right checksum it is 0.
 *
 * @param sum what was summed before, such as a pseudo-header; 0 for nothing
 */
export function checksumOf(bytes: Uint8Array, from: number, to: number, sum: number): number {
  return ~fold(onesSum(bytes, from, to, sum)) & 0xffff;
}
