// The chunked transfer coding, both ways (RFC 9112 §7.1).
//
// The decoder hands out spans of the octets it is given and copies nothing. Extensions are checked against
// their grammar, because recipients that skip them differently disagree about where a chunk starts, and then
// dropped; all of a message's extensions together have a limit, since they carry nothing.

import { BACKSLASH, CLASS, CR, DQUOTE, EQUALS, HEX, HTAB, LF, SEMICOLON, SP, TCHAR, VALUE } from './bytes.ts';
import type { HttpFault } from './errors.ts';
import type { HeaderList } from './fields.ts';
import { HeadParser } from './head.ts';
import { DEFAULT_LIMITS, type HttpLimits, type HttpPolicy, STRICT } from './policy.ts';

/** What `step` came to: a span of data, nothing more in this chunk of input, the end, or a fault. */
export type ChunkResult = 'data' | 'more' | 'done' | 'fault';

const SIZE = 0;
/** White space after the size: only an extension may follow it. */
const SIZE_BWS = 1;
const EXT_NAME_START = 2;
const EXT_NAME = 3;
const EXT_NAME_BWS = 4;
const EXT_VALUE_START = 5;
const EXT_VALUE = 6;
const EXT_QUOTED = 7;
const EXT_ESCAPE = 8;
/** After a quoted value: another extension follows, or the line ends. */
const EXT_END = 9;
/** White space after a value: only another extension may follow it. */
const EXT_END_BWS = 10;
const SIZE_LF = 11;
const DATA = 12;
const DATA_CR = 13;
const DATA_LF = 14;
const TRAILER = 15;
const COMPLETE = 16;
const FAULT = 17;

/** The largest size before its last digit is added: 16 times it still is a safe integer. */
const SIZE_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 16) - 1;
/** Digits of a chunk size, leading zeros included. */
const SIZE_DIGITS = 16;

/**
 * Decodes one chunked body: `step` until it says `'more'` (get more octets), `'done'` or `'fault'`.
 *
 * @example
 * for (let at = from; ; at = decoder.at) {
 *   const result = decoder.step(bytes, at, to);
 *   if (result !== 'data') break;
 *   take(bytes, decoder.dataFrom, decoder.dataTo);
 * }
 */
export class ChunkDecoder {
  readonly #limits: HttpLimits;
  readonly #trailer: HeadParser;
  /** Offset past the last octet that `step` took. */
  at = 0;
  /** After `'data'`: the span `[dataFrom, dataTo)` of the octets given to `step`. */
  dataFrom = 0;
  dataTo = 0;
  /** Why, after `'fault'`. */
  fault: HttpFault | '' = '';

  #phase = SIZE;
  #digits = 0;
  #size = 0;
  #left = 0;
  #extOctets = 0;

  constructor(limits: HttpLimits = DEFAULT_LIMITS, policy: HttpPolicy = STRICT) {
    this.#limits = limits;
    this.#trailer = new HeadParser('trailer', limits, policy);
  }

  /** The trailer fields, once `'done'`. They are not merged into the header fields (RFC 9110 §6.5.1). */
  get trailers(): HeaderList {
    return this.#trailer.fields;
  }

  /** Ready for the next body. */
  reset(): void {
    this.#phase = SIZE;
    this.#digits = 0;
    this.#size = 0;
    this.#left = 0;
    this.#extOctets = 0;
    this.fault = '';
    this.#trailer.reset();
  }

  /** Takes octets of `bytes[from, to)` up to the end of the next span of data; `at` says how far it came. */
  step(bytes: Uint8Array, from: number, to: number): ChunkResult {
    let i = from;
    while (i < to && this.#phase < TRAILER) {
      if (this.#phase === DATA) {
        const n = Math.min(this.#left, to - i);
        this.#left -= n;
        if (this.#left === 0) this.#phase = DATA_CR;
        this.dataFrom = i;
        this.dataTo = i + n;
        this.at = i + n;
        return 'data';
      }
      if (this.#phase <= SIZE_LF) i = this.#sizeLine(bytes, i, to);
      else if (bytes[i] !== (this.#phase === DATA_CR ? CR : LF)) this.#fail('bad-chunk-end');
      else {
        this.#phase = this.#phase === DATA_CR ? DATA_LF : SIZE;
        i++;
      }
    }
    if (this.#phase === TRAILER) {
      i += this.#trailer.feed(bytes, i, to);
      if (this.#trailer.result === 'done') this.#phase = COMPLETE;
      if (this.#trailer.fault !== '') this.#fail(this.#trailer.fault);
    }
    this.at = i;
    return this.#phase === COMPLETE ? 'done' : this.#phase === FAULT ? 'fault' : 'more';
  }

  /** `chunk-size [ chunk-ext ] CRLF`, from wherever the last call stopped in it. */
  #sizeLine(b: Uint8Array, from: number, to: number): number {
    let i = from;
    for (; i < to && this.#phase === SIZE; i++) {
      const digit = HEX[b[i]!]!;
      if (digit > 15) {
        if (this.#digits === 0) return this.#fail('bad-chunk-size', i);
        if (!this.#afterSize(b[i]!)) return i;
        continue;
      }
      // Sizes that overflow elsewhere are read differently elsewhere (RFC 9112 §7.1).
      if (++this.#digits > SIZE_DIGITS || this.#size > SIZE_MAX) return this.#fail('bad-chunk-size', i);
      this.#size = this.#size * 16 + digit;
    }
    for (; i < to && this.#phase < SIZE_LF; i++) {
      if (++this.#extOctets > this.#limits.chunkExt) return this.#fail('chunk-extension-too-long', i);
      this.#extension(b[i]!);
      if (this.#phase === FAULT) return i;
    }
    if (i < to && this.#phase === SIZE_LF) {
      if (b[i] !== LF) return this.#fail('bare-cr', i);
      this.#phase = this.#size === 0 ? TRAILER : DATA;
      this.#left = this.#size;
      this.#size = 0;
      this.#digits = 0;
      i++;
    }
    return i;
  }

  /** Goes on with what follows the size; false when nothing may. */
  #afterSize(c: number): boolean {
    if (c === CR) this.#phase = SIZE_LF;
    else if (c === SEMICOLON) this.#phase = EXT_NAME_START;
    else if (c === SP || c === HTAB) this.#phase = SIZE_BWS;
    else this.#fail(c === LF ? 'bare-lf' : 'bad-chunk-size');
    return this.#phase !== FAULT;
  }

  /** One octet of `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 §7.1.1). */
  #extension(c: number): void {
    const phase = this.#phase;
    const token = (CLASS[c]! & TCHAR) !== 0;
    const space = c === SP || c === HTAB;
    if (phase === EXT_QUOTED) {
      if (c === DQUOTE) this.#phase = EXT_END;
      else if (c === BACKSLASH) this.#phase = EXT_ESCAPE;
      else if ((CLASS[c]! & VALUE) === 0) this.#badExtension(c);
    } else if (phase === EXT_ESCAPE) {
      if ((CLASS[c]! & VALUE) === 0) this.#badExtension(c);
      else this.#phase = EXT_QUOTED;
    } else if (phase === EXT_NAME_START) {
      if (token) this.#phase = EXT_NAME;
      else if (!space) this.#badExtension(c);
    } else if (phase === EXT_VALUE_START) {
      if (token) this.#phase = EXT_VALUE;
      else if (c === DQUOTE) this.#phase = EXT_QUOTED;
      else if (!space) this.#badExtension(c);
    } else if (token && (phase === EXT_NAME || phase === EXT_VALUE)) {
      return;
    } else if (c === SEMICOLON) {
      this.#phase = EXT_NAME_START;
    } else if (c === EQUALS && (phase === EXT_NAME || phase === EXT_NAME_BWS)) {
      this.#phase = EXT_VALUE_START;
    } else if (space) {
      if (phase === EXT_NAME) this.#phase = EXT_NAME_BWS;
      else if (phase === EXT_VALUE || phase === EXT_END) this.#phase = EXT_END_BWS;
    } else if (c === CR && (phase === EXT_NAME || phase === EXT_VALUE || phase === EXT_END)) {
      // BWS stands before ";" or "=" only: white space at the end of the line is no part of the grammar.
      this.#phase = SIZE_LF;
    } else {
      this.#badExtension(c);
    }
  }

  #badExtension(c: number): void {
    this.#fail(c === LF ? 'bare-lf' : this.#phase === SIZE_BWS ? 'bad-chunk-size' : 'bad-chunk-extension');
  }

  #fail(fault: HttpFault, at = 0): number {
    this.fault = fault;
    this.#phase = FAULT;
    return at;
  }
}

/** Room that the line of a chunk size needs at most, octets. */
export const CHUNK_HEAD_MAX = 18 as const;

/** Writes the size line of a chunk of `size` octets (above 0) at `out[at]`; returns the offset past it. */
export function writeChunkHead(out: Uint8Array, at: number, size: number): number {
  const digits = size.toString(16);
  for (let i = 0; i < digits.length; i++) out[at + i] = digits.charCodeAt(i);
  const end = at + digits.length;
  out[end] = CR;
  out[end + 1] = LF;
  return end + 2;
}
