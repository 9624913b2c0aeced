// Byte classes of RFC 9110 §5.6 and RFC 9112, and the latin-1 decoding that heads need.

/** Octets with a name. */
export const HTAB = 0x09 as const;
export const LF = 0x0a as const;
export const CR = 0x0d as const;
export const SP = 0x20 as const;
export const DQUOTE = 0x22 as const;
export const COLON = 0x3a as const;
export const SEMICOLON = 0x3b as const;
export const EQUALS = 0x3d as const;
export const BACKSLASH = 0x5c as const;

/** Class bit: `tchar`, what methods and field names are made of (RFC 9110 §5.6.2). */
export const TCHAR = 1 as const;
/** Class bit: allowed in a field value or reason phrase: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5). */
export const VALUE = 2 as const;
/**
 * Class bit: allowed in a request target: VCHAR without `#`. RFC 3986 allows fewer, but browsers send `|`,
 * `^` and braces bare, and none of them can move the border of a message.
 */
export const TARGET = 4 as const;
/** Class bit: DIGIT. */
export const DIGIT = 8 as const;
/** Class bit: allowed in a registered name or IPv4 address: unreserved, sub-delims, `%` (RFC 3986 §3.2.2). */
export const REGNAME = 16 as const;

/** The class bits of every octet. */
export const CLASS: Uint8Array = classTable();

/** The value of every hexadecimal digit, 255 for all other octets. */
export const HEX: Uint8Array = hexTable();

function classTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let c = 0x21; c <= 0x7e; c++) table[c] = VALUE | (c === 0x23 ? 0 : TARGET);
  for (let c = 0x80; c <= 0xff; c++) table[c] = VALUE;
  table[HTAB] = VALUE;
  table[SP] = VALUE;
  const mark = (text: string, bit: number): void => {
    for (let i = 0; i < text.length; i++) table[text.charCodeAt(i)]! |= bit;
  };
  const alpha = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  mark(`${alpha}0123456789!#$%&'*+-.^_\`|~`, TCHAR);
  mark('0123456789', DIGIT);
  mark(`${alpha}0123456789-._~!$&'()*+,;=%`, REGNAME);
  return table;
}

function hexTable(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (let i = 0; i < 10; i++) table[0x30 + i] = i;
  for (let i = 0; i < 6; i++) {
    table[0x41 + i] = 10 + i;
    table[0x61 + i] = 10 + i;
  }
  return table;
}

/** Longest argument list given to `fromCharCode`; engines limit their stacks. */
const STRIDE = 4096;

/**
 * The octets of `bytes[from, to)` as text, one character each (ISO 8859-1), as RFC 9110 §5.5 suggests for
 * octets whose meaning is unknown.
 */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += STRIDE) {
    const end = to - at > STRIDE ? at + STRIDE : to;
    text += String.fromCharCode.apply(null, bytes.subarray(at, end) as unknown as number[]);
  }
  return text;
}

/**
 * Writes `text` as latin-1 at `out[at]` and returns the offset past it. Characters above 255 must have been
 * refused before: only their low octet would be written.
 */
export function putLatin1(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}
