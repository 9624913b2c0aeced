// The usual head: whole in one span, ASCII, nothing about it in doubt. One regular expression recognises it, quicker
// than a pass over its octets does; whatever it does not know is left to that pass (`head.ts`), which decides alone.

import { CR, LF, latin1, SP } from './bytes.ts';
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
 * useAsciiDecoder((bytes, from, to) => Buffer.prototype.latin1Slice.call(bytes, from, to));
 */
export function useAsciiDecoder(decoder: AsciiDecoder): void {
  decode = decoder;
}

/** Longest head tried, octets: a greedy loop of a regular expression keeps a note for each character it may give back. */
const MOST = 16_384;

/** Up to here a span is tried as it is: one decoding too much costs less than looking for the end of the head. */
const ALONE = 2048;

/** A token (RFC 9110 §5.6.2). */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/**
 * `*( field-line CRLF ) CRLF` to the end (RFC 9112 §5), without obs-text, obs-fold and tabs. No class holds what ends it,
 * so there is one way to match, and the time is linear.
 */
const FIELDS = `(?:${TOKEN}:[ -~]*\\r\\n)*\\r\\n$`;
/** RFC 9112 §3. `#` is in no target (`bytes.ts`). */
const REQUEST: RegExp = new RegExp(`^${TOKEN} [!"$-~]+ HTTP/1\\.[01]\\r\\n${FIELDS}`);
/** RFC 9112 §4. */
const RESPONSE: RegExp = new RegExp(`^HTTP/1\\.[01] [1-9][0-9][0-9] [ -~]*\\r\\n${FIELDS}`);

/**
 * The text of the head that begins at `bytes[from]` and is complete before `to`, if it is a usual one: then every
 * line is well-formed and ends with CRLF, the last being empty. `''` otherwise, which says nothing about the head.
 */
export function usualHead(kind: 'request' | 'response', bytes: Uint8Array, from: number, to: number): string {
  const usual = kind === 'request' ? REQUEST : RESPONSE;
  // Mostly there is nothing behind a head: then the expression finds out whether it ends here, and nowhere before.
  if (to - from <= ALONE && to - from >= 4 && bytes[to - 1] === LF && bytes[to - 3] === LF) {
    const text = decode(bytes, from, to);
    if (usual.test(text)) return text;
  }
  const end = headEnd(bytes, from, to);
  if (end < 0 || end - from > MOST) return '';
  const text = decode(bytes, from, end);
  return usual.test(text) ? text : '';
}

/** The field lines of a usual head, which begin at `text[at]`; `null` when there are more than `most`. */
export function usualFields(text: string, at: number, most: number): HeaderList | null {
  const fields = new HeaderList();
  for (let end = text.indexOf('\r', at); end > at; end = text.indexOf('\r', at)) {
    if (fields.length === most) return null;
    const colon = text.indexOf(':', at);
    let from = colon + 1;
    let to = end;
    while (from < to && text.charCodeAt(from) === SP) from++;
    while (to > from && text.charCodeAt(to - 1) === SP) to--;
    fields.appendParsed(text.slice(at, colon), text.slice(from, to));
    at = end + 2;
  }
  return fields;
}

/** The offset past the first CRLF CRLF of `b[from, to)`, -1 without one; reads every fourth octet of what is none. */
function headEnd(b: Uint8Array, from: number, to: number): number {
  let i = from + 3;
  while (i < to) {
    const c = b[i]!;
    if (c > CR) i += 4;
    else if (c === CR) i++;
    else if (c !== LF) i += 4;
    else if (b[i - 1] === CR && b[i - 2] === LF && b[i - 3] === CR) return i + 1;
    else i += 2;
  }
  return -1;
}
