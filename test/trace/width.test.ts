// Columns of text on a terminal: golden widths, and what padding, cutting and wrapping promise.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { padEnd, padStart, textWidth, truncate, wrap } from '../../src/trace/width.ts';

const SEED = { seed: 20261122, numRuns: 300 };
/** Text as the story has it: Latin, Han, punctuation, combining marks, emoji. */
const words = fc
  .array(
    fc.constantFrom('a', 'Z', '9', ' ', ',', '(', ')', '客', '端', '，', '。', '（', '）', 'e\u0301', '\u{1f600}', '-'),
    {
      maxLength: 80,
    },
  )
  .map((parts) => parts.join(''));

describe('textWidth', () => {
  test.each([
    ['', 0],
    ['SYN-SENT', 8],
    ['客户端', 6],
    ['服："好"', 8],
    ['ＦＵＬＬ', 8],
    ['ﾊﾝｶｸ', 4],
    ['한국어', 6],
    ['e\u0301', 1],
    ['a\u0300\u0301b', 2],
    ['\u{1f600}', 2],
    ['\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', 2],
    ['\u{1f1e8}\u{1f1f3}\u{1f1eb}\u{1f1f7}', 4],
    ['\u2764\ufe0f', 2],
    ['\u{20000}', 2],
    ['a\nb', 2],
    ['\u00a7 \u2192', 3],
  ])('%j takes %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe('padding and cutting', () => {
  test('fill up to the column and leave longer text alone', () => {
    expect(padEnd('客', 4)).toBe('客  ');
    expect(padStart('客', 5)).toBe('   客');
    expect(padEnd('SYN-RECEIVED', 3)).toBe('SYN-RECEIVED');
  });

  test('never split a wide character', () => {
    expect(truncate('客户端客户端', 7)).toBe('客户..');
    expect(truncate('abcdef', 6)).toBe('abcdef');
    expect(truncate('abcdefg', 6)).toBe('abcd..');
    expect(truncate('abc', 1)).toBe('.');
  });

  test('hold their columns for any text', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 0, max: 40 }), (text, columns) => {
        expect(textWidth(truncate(text, columns))).toBeLessThanOrEqual(columns);
        expect(textWidth(padEnd(text, columns))).toBe(Math.max(columns, textWidth(text)));
      }),
      SEED,
    );
  });
});

describe('wrap', () => {
  test('breaks English at spaces', () => {
    expect(wrap('a FIN takes one number, even without data', 16)).toEqual([
      'a FIN takes one',
      'number, even',
      'without data',
    ]);
  });

  test('breaks Chinese between characters, and starts no line with a closing mark', () => {
    expect(wrap('我知道了，你说完了。', 8)).toEqual(['我知道', '了，你说', '完了。']);
  });

  test('ends no line with an opening mark, and keeps Latin words whole', () => {
    expect(wrap('等（TIME-WAIT）', 6)).toEqual(['等', '（TIME', '-WAIT', '）']);
    expect(wrap('状态 ESTABLISHED 到了', 12)).toEqual(['状态', 'ESTABLISHED', '到了']);
  });

  test('keeps line feeds and cuts words longer than a line', () => {
    expect(wrap('ab\ncdefg', 3)).toEqual(['ab', 'cde', 'fg']);
  });

  test('no line is too wide and no character is lost', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        const lines = wrap(text, columns);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
      SEED,
    );
  });
});
