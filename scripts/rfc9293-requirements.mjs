// Prints which tests hold which requirements of RFC 9293 appendix B, and fails when one is neither held nor explained.
//
// `docs/rfc9293.md` has the 126 rows of the appendix and says where each stands. A test names the rows that it holds in
// its title, with their labels (`row 22 MUST-66`): some labels stand for several rows. An argument names another page.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = process.argv[2] ?? join(ROOT, 'docs', 'rfc9293.md');
const ROOMS = ['test/rfc', 'test/tcp', 'test/host'];
const ROWS = 126;

/** What the last column may begin with; of the second kind there is no test. */
const TESTED = ['tested', 'tested in part:'];
const UNTESTED = ['not built:', 'not used:', 'not ours:', 'deviates:'];

/** The rows of the page's table. */
function requirements() {
  const text = readFileSync(PAGE, 'utf8');
  return [...text.matchAll(/^\| *(\d+) *\| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, row, label, level, section, words, standing]) => ({
      row: Number(row),
      label: label.trim(),
      level: level.trim(),
      section: section.trim(),
      words: words.trim(),
      standing: standing.trim(),
    }),
  );
}

/** `{ row, label, title }` for every tag in a title. */
function tags() {
  const found = [];
  for (const room of ROOMS) {
    for (const file of readdirSync(join(ROOT, room)).filter((name) => name.endsWith('.test.ts'))) {
      for (const line of readFileSync(join(ROOT, room, file), 'utf8').split('\n')) {
        if (/^\s*(\/\/|\*)/.test(line)) continue;
        for (const [, row, label] of line.matchAll(/row (\d+) ((?:MUST|SHLD|MAY|REC)-\d+)/g)) {
          const title = /(['"`])(.*)\1/.exec(line)?.[2] ?? line.trim();
          found.push({ row: Number(row), label, title: `${room}/${file}: ${title}` });
        }
      }
    }
  }
  return found;
}

/** What is wrong with one row, given the titles that name it. */
function faultsOf({ row, label, level, section, words, standing }, titles) {
  const faults = [];
  const kinds = { MUST: /^MUST( NOT)?$/, SHLD: /^SHOULD( NOT)?$/, REC: /^SHOULD$/, MAY: /^MAY$/ };
  const kind = kinds[label.split('-')[0]];
  // Where the appendix gives another level than the sentence that carries the label, the sentence counts.
  if (kind === undefined || !kind.test(level)) faults.push(`row ${row}: ${label} cannot be ${level}`);
  if (!/^3\.[0-9.]+$/.test(section) || words === '') faults.push(`row ${row}: no section, or no words`);
  const wanted = TESTED.some((w) => standing === w || (w.endsWith(':') && standing.startsWith(`${w} `)));
  const excused = UNTESTED.some((w) => standing.startsWith(`${w} `));
  if (!wanted && !excused) faults.push(`row ${row}: "${standing}" is no standing`);
  if (wanted && titles.length === 0) faults.push(`row ${row} ${label} has no test`);
  if (excused && titles.length > 0) faults.push(`row ${row} ${label} is tested and excused`);
  return faults;
}

const rows = requirements();
const named = tags();
const faults = [];
for (let row = 1; row <= ROWS; row++) {
  const count = rows.filter((r) => r.row === row).length;
  if (count !== 1) faults.push(`the page has row ${row} ${count} times`);
}
if (rows.length !== ROWS) faults.push(`the page has ${rows.length} rows, not ${ROWS}`);
for (const r of rows) {
  const titles = named.filter((t) => t.row === r.row).map((t) => t.title);
  console.log(`${r.row} ${r.label} ${r.level} §${r.section} ${r.words}`);
  for (const title of titles) console.log(`    ${title}`);
  if (r.standing !== 'tested') console.log(`    ${r.standing}`);
  faults.push(...faultsOf(r, titles));
}
for (const { row, label, title } of named) {
  if (!rows.some((r) => r.row === row && r.label === label)) faults.push(`${title}: row ${row} is not ${label}`);
}
const count = (start) => rows.filter((r) => r.standing.startsWith(start)).length;
const summary = ['tested', ...UNTESTED].map((s) => `${count(s)} ${s.replace(':', '')}`).join(', ');
console.log(`${rows.length} requirements: ${summary}; of the tested ones ${count('tested in part:')} in part`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
