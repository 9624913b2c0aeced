// What the bundler makes of constants, which engines take into the code they compile only while they are some.

import { expect, it } from 'vitest';
import { withConstants } from '../../scripts/lib/bundle.mjs';

it('a declaration of a bundle is constant unless something assigns to it, and stays as long as it was', async () => {
  const text = [
    'var MASK = 15;',
    'var seen = 0;',
    'var last = null;',
    'var Parser = class {',
    '  step(seen) { last = seen; let own = 1; own = 2; return own & MASK; }',
    '};',
    'function count() { seen++; }',
    'function shadow() { var MASK = 1; MASK = 2; return MASK; }',
    'export { Parser, count, shadow };',
    '',
  ].join('\n');
  const made = await withConstants(text);
  expect(made).toBe(text.replace('var MASK = 15', 'const MASK=15').replace('var Parser = class', 'const Parser=class'));
  expect(made.length).toBe(text.length);
});
