// UTF-8 for the texts inside capture files: the core has no `TextEncoder`.

/** The UTF-8 octets of `text`; lone surrogates become U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    let code = char.codePointAt(0)!;
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(out);
}

/** The text in `bytes[from, to)`; each octet that is not well-formed UTF-8 becomes U+FFFD. */
export function utf8Decode(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let i = from;
  while (i < to) {
    const first = bytes[i]!;
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    let code = more <= 0 ? first : first & (0x3f >> more);
    let ok = more >= 0 && i + more < to;
    for (let k = 1; ok && k <= more; k++) {
      const next = bytes[i + k]!;
      ok = (next & 0xc0) === 0x80;
      code = (code << 6) | (next & 63);
    }
    // Overlong forms, surrogates and what lies beyond Unicode are not well formed.
    if (ok && more === 2) ok = code >= 0x800 && (code < 0xd800 || code >= 0xe000);
    if (ok && more === 3) ok = code >= 0x10000 && code < 0x110000;
    text += ok ? String.fromCodePoint(code) : '\ufffd';
    i += ok ? more + 1 : 1;
  }
  return text;
}
