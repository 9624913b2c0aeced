// The width of text on a terminal, in columns, and padding, cutting and wrapping by it.
//
// A Chinese terminal shows a Han character two columns wide and a combining mark in none, so `length`
// is the wrong measure for a table. Characters of "ambiguous" width (UAX #11: circled digits, arrows,
// curly quotes) count as one column here, which is why our own texts do without them.

/** Code points two columns wide (UAX #11 W and F), as half-open pairs [from, to). */
const WIDE: readonly number[] = [
  0x1100, 0x1160, 0x231a, 0x231c, 0x2329, 0x232b, 0x23e9, 0x23ed, 0x23f0, 0x23f1, 0x23f3, 0x23f4, 0x25fd, 0x25ff,
  0x2614, 0x2616, 0x2630, 0x2638, 0x2648, 0x2654, 0x267f, 0x2680, 0x268a, 0x2690, 0x2693, 0x2694, 0x26a1, 0x26a2,
  0x26aa, 0x26ac, 0x26bd, 0x26bf, 0x26c4, 0x26c6, 0x26ce, 0x26cf, 0x26d4, 0x26d5, 0x26ea, 0x26eb, 0x26f2, 0x26f4,
  0x26f5, 0x26f6, 0x26fa, 0x26fb, 0x26fd, 0x26fe, 0x2705, 0x2706, 0x270a, 0x270c, 0x2728, 0x2729, 0x274c, 0x274d,
  0x274e, 0x274f, 0x2753, 0x2756, 0x2757, 0x2758, 0x2795, 0x2798, 0x27b0, 0x27b1, 0x27bf, 0x27c0, 0x2b1b, 0x2b1d,
  0x2b50, 0x2b51, 0x2b55, 0x2b56, 0x2e80, 0x303f, 0x3041, 0xa4d0, 0xa960, 0xa97d, 0xac00, 0xd7a4, 0xf900, 0xfb00,
  0xfe10, 0xfe1a, 0xfe30, 0xfe6c, 0xff01, 0xff61, 0xffe0, 0xffe7, 0x16fe0, 0x18d09, 0x1aff0, 0x1b300, 0x1f004, 0x1f005,
  0x1f0cf, 0x1f0d0, 0x1f18e, 0x1f18f, 0x1f191, 0x1f19b, 0x1f200, 0x1f266, 0x1f300, 0x1f321, 0x1f32d, 0x1f336, 0x1f337,
  0x1f37d, 0x1f37e, 0x1f394, 0x1f3a0, 0x1f3cb, 0x1f3cf, 0x1f3d4, 0x1f3e0, 0x1f3f1, 0x1f3f4, 0x1f3f5, 0x1f3f8, 0x1f43f,
  0x1f440, 0x1f441, 0x1f442, 0x1f4fd, 0x1f4ff, 0x1f53e, 0x1f54b, 0x1f54f, 0x1f550, 0x1f568, 0x1f57a, 0x1f57b, 0x1f595,
  0x1f597, 0x1f5a4, 0x1f5a5, 0x1f5fb, 0x1f650, 0x1f680, 0x1f6c6, 0x1f6cc, 0x1f6cd, 0x1f6d0, 0x1f6d3, 0x1f6d5, 0x1f6d8,
  0x1f6dc, 0x1f6e0, 0x1f6eb, 0x1f6ed, 0x1f6f4, 0x1f6fd, 0x1f7e0, 0x1f7ec, 0x1f7f0, 0x1f7f1, 0x1f90c, 0x1f93b, 0x1f93c,
  0x1f946, 0x1f947, 0x1fa00, 0x1fa70, 0x1fb00, 0x20000, 0x3fffe,
];

const ZERO_WIDTH_JOINER = 0x200d;
const EMOJI_VARIATION = 0xfe0f;
const SOFT_HYPHEN = 0xad;
const REGIONAL_FROM = 0x1f1e6;
const REGIONAL_TO = 0x1f200;

/** Combining marks and format characters take no column of their own. */
const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Signs that the emoji variation selector turns into pictures. */
const PICTURE = /^\p{Emoji}$/u;

/**
 * Columns that one code point takes: 0 (controls, combining marks), 1 or 2.
 *
 * @param code a Unicode code point
 */
export function codePointWidth(code: number): 0 | 1 | 2 {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code < 0x300) return 1;
  // Hangul vowels and finals join the syllable before them.
  if (code >= 0x1160 && code < 0x1200) return 0;
  if (code !== SOFT_HYPHEN && COMBINING.test(String.fromCodePoint(code))) return 0;
  let low = 0;
  let high = WIDE.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (WIDE[middle]! <= code) low = middle + 1;
    else high = middle;
  }
  // An odd insertion point lies inside a pair.
  return (low & 1) === 1 ? 2 : 1;
}

/**
 * Splits a text into what a terminal shows as one unit: a character with its combining marks, a flag,
 * a joined emoji; each with its width in columns.
 */
function units(text: string): { text: string; width: number }[] {
  const found: { text: string; width: number }[] = [];
  let joined = false;
  let flagOpen = false;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const last = found[found.length - 1];
    const regional = code >= REGIONAL_FROM && code < REGIONAL_TO;
    if (last !== undefined && (joined || (regional && flagOpen))) {
      last.text += char;
      if (regional) last.width = 2;
    } else if (last !== undefined && code >= 0x300 && codePointWidth(code) === 0) {
      last.text += char;
      if (code === EMOJI_VARIATION && last.width === 1 && last.text.codePointAt(0)! > 0x7f) {
        if (PICTURE.test(String.fromCodePoint(last.text.codePointAt(0)!))) last.width = 2;
      }
    } else {
      found.push({ text: char, width: codePointWidth(code) });
    }
    flagOpen = regional && !flagOpen;
    joined = code === ZERO_WIDTH_JOINER;
  }
  return found;
}

/** Columns that `text` takes on a terminal; a line feed counts nothing. */
export function textWidth(text: string): number {
  let width = 0;
  for (const unit of units(text)) width += unit.width;
  return width;
}

/** `text` with spaces behind it up to `columns`; longer text is returned as it is. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

/** `text` with spaces before it up to `columns`; longer text is returned as it is. */
export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - textWidth(text))) + text;
}

/**
 * `text` cut to at most `columns`, with `mark` in place of what is missing. A wide character that would
 * stick out by half is left out, so the result may be one column short.
 *
 * @param mark shown when something was cut; `'..'` because an ellipsis has ambiguous width
 */
export function truncate(text: string, columns: number, mark = '..'): string {
  if (textWidth(text) <= columns) return text;
  const room = columns - textWidth(mark);
  let cut = '';
  let width = 0;
  for (const unit of units(text)) {
    if (width + unit.width > room) break;
    cut += unit.text;
    width += unit.width;
  }
  return room < 0 ? mark.slice(0, Math.max(0, columns)) : cut + mark;
}

/** Never first on a line (the usual rules of Chinese typesetting). */
const NOT_FIRST = new Set('，。、；：？！）》」』】％,.;:?!)]}"');
/** Never last on a line. */
const NOT_LAST = new Set('（《「『【([{');

/** Breaks a paragraph into pieces that may not be split further; a space stands at the end of its piece. */
function pieces(paragraph: string): { text: string; width: number }[] {
  const found: { text: string; width: number }[] = [];
  let open = false;
  for (const unit of units(paragraph)) {
    const last = found[found.length - 1];
    const joins =
      last !== undefined &&
      (open ||
        unit.text === ' ' ||
        NOT_FIRST.has(unit.text) ||
        // Latin letters and digits make words; Han characters stand alone.
        (unit.width < 2 && !last.text.endsWith(' ') && textWidth(last.text.slice(-1)) < 2));
    if (joins) {
      last.text += unit.text;
      last.width += unit.width;
    } else {
      found.push({ text: unit.text, width: unit.width });
    }
    open = NOT_LAST.has(unit.text);
  }
  return found;
}

/**
 * `text` broken into lines of at most `columns`: at spaces, and between Han characters where Chinese
 * typesetting allows it. A word longer than a line is cut. Line feeds in `text` are kept.
 *
 * @param columns at least 2
 */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    let width = 0;
    for (const piece of pieces(paragraph)) {
      const shown = textWidth(piece.text.trimEnd());
      if (width > 0 && width + shown > columns) {
        lines.push(line.trimEnd());
        line = '';
        width = 0;
      }
      if (shown <= columns) {
        line += piece.text;
        width += piece.width;
        continue;
      }
      for (const unit of units(piece.text)) {
        if (width + unit.width > columns) {
          lines.push(line.trimEnd());
          line = '';
          width = 0;
        }
        line += unit.text;
        width += unit.width;
      }
    }
    lines.push(line.trimEnd());
  }
  return lines;
}
