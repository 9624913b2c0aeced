// The index of rules, docs/rules.md: each function it names is where it says.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, read } from './source.ts';

/** Rows of the tables: the RFC, the file, the function or class. */
function rows(page: string): { rfc: string; file: string; name: string }[] {
  const found = page.matchAll(/^\| [^|]+ \| ([^|]+) \| `([^`|]+)` \| `([^`|]+)` \|$/gm);
  return [...found].map(([, rfc, file, name]) => ({ rfc: rfc!, file: `src/${file}`, name: name! }));
}

/** Rows whose file declares nothing of that name. */
function missing(page: string): string[] {
  return rows(page)
    .filter(({ file, name }) => {
      const declared = new RegExp(`^(export )?(function|class) ${name}\\b|^  ${name}\\(`, 'm');
      return !existsSync(join(ROOT, file)) || !declared.test(read(file));
    })
    .map(({ file, name }) => `${file} ${name}`);
}

const page = read('docs/rules.md');

it('each rule on the page is where it says, with an RFC', () => {
  expect(missing(page)).toEqual([]);
  expect(rows(page).length).toBe([...page.matchAll(/^\| (?!rule |---)/gm)].length);
  expect(rows(page).filter(({ rfc }) => !/^\d{4}/.test(rfc))).toEqual([]);
});

it('a rule that has moved is found', () => {
  expect(missing(page.replace('`heldBack`', '`heldBackNoMore`'))).toEqual(['src/tcp/output.ts heldBackNoMore']);
  expect(missing(page.replace('`tcp/sack.ts`', '`tcp/gone.ts`'))).toEqual(['src/tcp/gone.ts gather']);
});
