// The usual head: whole in one span, ASCII, nothing about it in doubt. It is read by words where the pass over octets
// (`head.ts`) reads one at a time; whatever is not known here is left to that pass, which decides alone.

import { CLASS, COLON, CR, DIGIT, LF, latin1, SP, TARGET, TCHAR } from './bytes.ts';
import { HeaderList } from './fields.ts';

/**
 * Gives the octets of `bytes[from, to)` as text, one character each. ASCII must come out as it is; any other octet as
 * a character above 127, whichever: such text is thrown away.
 */
export type AsciiDecoder = (bytes: Uint8Array, from: number, to: number) => string;

let decode: AsciiDecoder = latin1;

/**
 * Hands in the platform's way to make text of octets, for all parsers: this room knows no platform, and its own way
 * takes more than ten times as long. `serve` and `fetch` do this by themselves; results are the same with and without.
 *
 * @example
 * const { latin1Slice } = Buffer.prototype;
 * useAsciiDecoder((bytes, from, to) => latin1Slice.call(bytes, from, to));
 */
export function useAsciiDecoder(decoder: AsciiDecoder): void {
  decode = decoder;
}

/** Longest head tried, octets. */
const MOST = 16_384;
/** What is tried first of a longer span: few heads are longer, and what comes behind one need not be copied. */
const FIRST = 2048;
/** Most field lines of a usual head. */
const LINES = 128;

// Loops below hold these in names of their own: outside of a loop V8 knows them for constants, inside mostly not.

// The head being read, aligned wherever it came from. An octet that belongs nowhere stands behind it: whatever runs along
// a head stops there, without asking at each step whether it is at the end.
const octets: Uint8Array = new Uint8Array(MOST + 16);
const words: Int32Array = new Int32Array(octets.buffer);
const STOP = 0x00;

/** Four offsets for each field line of the last usual head: its name from and to, its value from and to. */
const spans: Int32Array = new Int32Array(LINES * 4);

/** What the last usual head is made of, until another one is read: offsets in it, and what else was seen on the way. */
export interface UsualParts {
  /** Where the method ends, or the version of a response. */
  wordTo: number;
  /** Where the target ends; nothing of a response. */
  targetTo: number;
  /** Where the first line ends, before its CRLF. */
  lineTo: number;
  /** Minor version: 0 or 1. */
  minor: number;
  /** Field lines. */
  lines: number;
}

/** Of the head for which `usualHead` has given its text. */
export const usual: UsualParts = { wordTo: 0, targetTo: 0, lineTo: 0, minor: 1, lines: 0 };

/**
 * The text of the head that begins at `bytes[from]` and is complete before `to`, if it is a usual one: then every
 * line is well-formed and ends with CRLF, the last being empty, and `usual` tells the rest. `''` otherwise, which says
 * nothing about the head.
 */
export function usualHead(kind: 'request' | 'response', bytes: Uint8Array, from: number, to: number): string {
  let length = scan(kind, bytes, from, Math.min(to, from + FIRST));
  if (length === 0 && to - from > FIRST) length = scan(kind, bytes, from, Math.min(to, from + MOST));
  return length === 0 ? '' : decode(bytes, from, from + length);
}

/** The field lines of the usual head of which `text` is. */
export function usualFields(text: string): HeaderList {
  const { lines } = usual;
  const strings = new Array<string>(lines * 2);
  let lengths = 0;
  for (let i = 0; i < lines * 2; i += 2) {
    const from = spans[i * 2]!;
    const to = spans[i * 2 + 1]!;
    lengths |= 1 << (to - from);
    strings[i] = text.slice(from, to);
    strings[i + 1] = text.slice(spans[i * 2 + 2]!, spans[i * 2 + 3]!);
  }
  return new HeaderList(strings, lengths);
}

/** Octets of the usual head at the beginning of `bytes[from, to)`; 0 when it has none. */
function scan(kind: 'request' | 'response', bytes: Uint8Array, from: number, to: number): number {
  octets.set(to - from === bytes.length ? bytes : bytes.subarray(from, to));
  octets[to - from] = STOP;
  const at = kind === 'request' ? requestLine() : statusLine();
  return at === 0 ? 0 : fieldLines(at);
}

/** RFC 9112 §3; returns where the next line begins, 0 when this one is not usual, as those below do. */
function requestLine(): number {
  const b = octets;
  const classes = CLASS;
  let i = 0;
  while ((classes[b[i]!]! & TCHAR) !== 0) i++;
  if (i === 0 || b[i] !== SP) return 0;
  const method = i++;
  while ((classes[b[i]!]! & TARGET) !== 0) i++;
  if (i === method + 1 || b[i] !== SP || !isVersion(i + 1)) return 0;
  usual.wordTo = method;
  usual.targetTo = i;
  return endOfLine(i + 9);
}

/** RFC 9112 §4. */
function statusLine(): number {
  if (!isVersion(0) || octets[8] !== SP || octets[9] === 0x30) return 0;
  for (let i = 9; i < 12; i++) if ((CLASS[octets[i]!]! & DIGIT) === 0) return 0;
  if (octets[12] !== SP) return 0;
  usual.wordTo = 8;
  return endOfLine(printableTo(13));
}

/** `HTTP/1.0` or `HTTP/1.1` at `octets[i]`. */
function isVersion(i: number): boolean {
  const minor = octets[i + 7]! - 0x30;
  usual.minor = minor;
  return (
    octets[i] === 0x48 &&
    octets[i + 1] === 0x54 &&
    octets[i + 2] === 0x54 &&
    octets[i + 3] === 0x50 &&
    octets[i + 4] === 0x2f &&
    octets[i + 5] === 0x31 &&
    octets[i + 6] === 0x2e &&
    (minor === 0 || minor === 1)
  );
}

function endOfLine(i: number): number {
  usual.lineTo = i;
  return octets[i] === CR && octets[i + 1] === LF ? i + 2 : 0;
}

/** RFC 9112 §5, without obs-text, obs-fold and tabs: lines from `octets[at]` and the empty line; where the head ends. */
function fieldLines(at: number): number {
  const b = octets;
  const classes = CLASS;
  const marks = spans;
  let i = at;
  let end = 0;
  while (b[i] !== CR) {
    const name = i;
    while ((classes[b[i]!]! & TCHAR) !== 0) i++;
    if (i === name || b[i] !== COLON || end === marks.length) return 0;
    marks[end] = name;
    marks[end + 1] = i;
    do i++;
    while (b[i] === SP);
    const value = i;
    i = printableTo(i);
    if (b[i] !== CR || b[i + 1] !== LF) return 0;
    let to = i;
    while (to > value && b[to - 1] === SP) to--;
    marks[end + 2] = value;
    marks[end + 3] = to;
    end += 4;
    i += 2;
  }
  if (b[i + 1] !== LF) return 0;
  usual.lines = end >> 2;
  return i + 2;
}

/** The first of `octets` from `i` on that is no SP or VCHAR. */
function printableTo(i: number): number {
  const b = octets;
  const x = words;
  // An octet below SP and 0xff leave a high bit in the difference, those from DEL on in the sum; what spills over from an
  // octet to the next has found one already. The first word may begin before `i`: where an LF lies there, octets are looked
  // at one by one.
  let w = i >> 2;
  for (let word = x[w]!; (((word - 0x20202020) | (word + 0x01010101)) & 0x80808080) === 0; word = x[w]!) w++;
  let to = Math.max(i, w << 2);
  while (b[to]! >= SP && b[to]! <= 0x7e) to++;
  return to;
}
