// Prints which tests hold which requirements of RFC 9110 and RFC 9112, and fails when one is neither held nor excused.
//
// A requirement is a sentence with MUST: `9112-3.2/4` is the fourth of them in RFC 9112 §3.2, in the order of the
// text. Tests name those they hold in their titles; `docs/http.md` names the others, with reasons.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** How many there are, by section. */
const COUNTS = {
  9112: `1.1:1 2.2:7 2.3:1 3:1 3.2:4 3.2.1:2 3.2.2:6 3.2.3:1 3.2.4:2 4:1 5.1:2 5.2:4 6.1:10 6.2:1 6.3:11 7.1:2 7.1.1:1
    7.1.2:2 7.3:3 7.4:2 8:1 9.2:2 9.3:5 9.3.2:2 9.6:5 9.7:1 9.8:2 10.1:1`,
  9110: `2.2:3 2.3:1 2.4:1 3.3:1 4.2.1:2 4.2.2:3 4.2.4:1 4.3.4:7 5.1:1 5.3:3 5.4:1 5.5:2 5.6.1.1:1 5.6.1.2:2 5.6.3:2
    5.6.4:1 5.6.7:4 6:1 6.2:2 6.5.1:2 6.5.2:1 6.6.1:3 7.1:1 7.2:1 7.4:2 7.6:2 7.6.1:3 7.6.2:3 7.6.3:3 7.7:3 7.8:7
    8.3.3:1 8.4:1 8.6:7 8.7:2 8.8.2.1:3 8.8.3:1 9.1:1 9.2.1:1 9.2.2:1 9.3.2:1 9.3.4:4 9.3.6:5 9.3.7:2 9.3.8:2 10.1.1:7
    10.1.3:3 10.1.4:1 10.1.5:1 10.2.1:2 10.2.2:1 11.2:1 11.5:1 11.6.1:2 11.6.2:1 11.7.1:1 12.4.2:1 12.5.3:1 12.5.4:1
    12.5.5:2 13.1.1:3 13.1.2:3 13.1.3:4 13.1.4:6 13.1.5:7 13.2.1:4 13.2.2:1 14.1.2:1 14.2:2 14.3:1 14.4:3 15:1 15.2:3
    15.2.2:1 15.3.6:1 15.3.7:3 15.3.7.1:1 15.3.7.2:6 15.3.7.3:3 15.4.5:1 15.4.8:1 15.5.2:1 15.5.6:1 15.5.8:1 15.5.20:1
    15.5.22:1 16.1.1:1 16.2.1:1 16.3.1:1 16.4.1:1 16.4.2:2 16.5.1:1 16.6.1:3 16.7:2`,
};

/** Every requirement by its name. */
function requirements() {
  return Object.entries(COUNTS).flatMap(([rfc, sections]) =>
    sections.split(/\s+/).flatMap((entry) => {
      const [section, count] = entry.split(':');
      return Array.from({ length: Number(count) }, (_, i) => `${rfc}-${section}/${i + 1}`);
    }),
  );
}

/** `[name, title]` for every requirement that a test's title names. */
function held() {
  const found = [];
  for (const room of ['test/http', 'test/web']) {
    for (const file of readdirSync(join(ROOT, room))) {
      if (!file.endsWith('.test.ts')) continue;
      for (const line of readFileSync(join(ROOT, room, file), 'utf8').split('\n')) {
        const names = [...line.matchAll(/\[(91[0-9]{2}-[0-9.]+\/[0-9]+)\]/g)].map((match) => match[1]);
        const title = line
          .replace(/^.*?\[91/, '[91')
          .replace(/\[[^\]]*\] ?/g, '')
          .replace(/['"`]\s*(?:,|\]|\)).*$/, '')
          .trim();
        for (const name of names) found.push([name, `${room}/${file}: ${title}`]);
      }
    }
  }
  return found;
}

/** Names in the first column of the table of `docs/http.md` that excuses them; `9110-16.*` stands for many. */
function excuses() {
  const text = readFileSync(join(ROOT, 'docs', 'http.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (`91[^|]*) \| ([^|]*) \|$/gm)];
  return rows.flatMap(([, names, reason]) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [name, reason.trim()]),
  );
}

/** Whether `pattern` names `name`. */
function names(pattern, name) {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

const tests = held();
const excused = excuses();
const known = requirements();
const faults = [];
for (const name of known) {
  const lines = tests.filter(([held]) => held === name).map(([, title]) => title);
  const reasons = excused.filter(([pattern]) => names(pattern, name)).map(([, reason]) => reason);
  console.log(`${name}${lines.length === 0 ? `\n    not tested: ${reasons[0] ?? '?'}` : ''}`);
  for (const line of lines) console.log(`    ${line}`);
  if (lines.length === 0 && reasons.length === 0) faults.push(`${name} is neither tested nor excused`);
  if (lines.length > 0 && reasons.length > 0) faults.push(`${name} is tested and excused`);
}
for (const [name] of tests) if (!known.includes(name)) faults.push(`a title names ${name}, which does not exist`);
for (const [pattern] of excused) {
  if (!known.some((name) => names(pattern, name))) faults.push(`docs/http.md excuses ${pattern}, which does not exist`);
}
const count = known.filter((name) => tests.some(([held]) => held === name)).length;
console.log(`${known.length} requirements: ${count} tested, ${known.length - count} excused or open`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
