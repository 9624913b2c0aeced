// The platform's way to make text of octets, for the heads of HTTP.

import { type AsciiDecoder, useAsciiDecoder } from '../http/index.ts';

/** As much of Node's `Buffer` as is used; Bun and Deno have it too. */
type Latin1Slice = (this: Uint8Array, from: number, to: number) => string;

let tried = false;

/** Hands the quickest decoder that the platform has to `http/`, the first time it is called; later calls do nothing. */
export function installDecoder(): void {
  if (tried) return;
  tried = true;
  const decoder = byBuffer() ?? byTextDecoder();
  if (decoder !== null) useAsciiDecoder(decoder);
}

/** Calls into the engine once, without a view: a tenth of a microsecond for a usual head. `null` without a `Buffer`. */
export function byBuffer(): AsciiDecoder | null {
  const { Buffer } = globalThis as { Buffer?: { readonly prototype: { readonly latin1Slice?: Latin1Slice } } };
  const slice = Buffer?.prototype.latin1Slice;
  return slice === undefined ? null : (bytes, from, to) => slice.call(bytes, from, to);
}

/** What the web calls latin1 is windows-1252: one character for each octet, and never ASCII for what is none. */
export function byTextDecoder(): AsciiDecoder | null {
  if (typeof TextDecoder === 'undefined') return null;
  const decoder = new TextDecoder('latin1');
  return (bytes, from, to) => decoder.decode(bytes.subarray(from, to));
}
