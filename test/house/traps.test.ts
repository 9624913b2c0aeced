// The sixty traps of docs/traps.md: each has a test that names it and a profile, or a reason why it has none.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { paths, ROOT, read } from './source.ts';

const TRAPS = 60;

/** Rows of the table: number, profile, and the file or the reason. */
function rows(page: string): { trap: number; profile: string; test: string }[] {
  const found = page.matchAll(/^\| *(\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm);
  return [...found].map(([, trap, profile, test]) => ({
    trap: Number(trap),
    profile: profile!.trim(),
    test: test!.trim(),
  }));
}

/** What is wrong with the page, given how to read a file. */
function faults(page: string, text: (file: string) => string): string[] {
  const table = rows(page);
  const wrong: string[] = [];
  for (let trap = 1; trap <= TRAPS; trap++) {
    const [row, ...more] = table.filter((each) => each.trap === trap);
    if (row === undefined || more.length > 0)
      wrong.push(`trap ${trap} has ${more.length + (row === undefined ? 0 : 1)} rows`);
    else if (row.test.startsWith('not built: ')) continue;
    else if (!new RegExp(`['"\`]trap ${trap}: |\\(trap ${trap}[,)]`).test(text(row.test))) {
      wrong.push(`no title in ${row.test} names trap ${trap}`);
    }
  }
  return wrong;
}

const page = read('docs/traps.md');

it('each of the sixty is on the page, and the test it names has it in a title', () => {
  expect(faults(page, (file) => (existsSync(join(ROOT, file)) ? read(file) : ''))).toEqual([]);
  expect(rows(page).every(({ profile }) => /^(all four|(default|linux|freebsd|rfc)(, \w+)*)$/.test(profile))).toBe(
    true,
  );
});

it('each title that begins with a trap ends with its profile, and is on the page', () => {
  // Codecs, in test/wire, have no profile.
  const titles = paths()
    .filter((path) => /^test\/.*\.test\.ts$/.test(path) && !/^test\/(house|wire)\//.test(path))
    .flatMap((path) =>
      [...read(path).matchAll(/(['"`])trap (\d+): (.*?)\1,/g)].map(([, , trap, words]) => ({
        path,
        trap,
        words: words!,
      })),
    );
  expect(titles.length).toBeGreaterThan(50);
  const profile = /\((default|linux|freebsd|rfc|\$\{profile\})\)(: %s)?$/;
  expect(titles.filter(({ words }) => !profile.test(words)).map(({ path, trap }) => `${path}: trap ${trap}`)).toEqual(
    [],
  );
  expect(titles.filter(({ trap }) => Number(trap) < 1 || Number(trap) > TRAPS)).toEqual([]);
});

it('a trap without a row, or without a test, is found', () => {
  expect(faults(page.replace(/^\| 7 .*\n/m, ''), read)).toEqual(['trap 7 has 0 rows']);
  expect(faults(page, (file) => read(file).replaceAll('trap 23:', ''))).toEqual([
    'no title in test/traps/windows.test.ts names trap 23',
  ]);
});
