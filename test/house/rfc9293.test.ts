// The requirements of RFC 9293 appendix B: each has its tests, or says why it has none.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './source.ts';

/** Runs the script, on a page of its own when one is given. */
function run(page: string | null): { status: number | null; stdout: string; stderr: string } {
  const script = join(ROOT, 'scripts', 'rfc9293-requirements.mjs');
  if (page === null) return spawnSync(process.execPath, [script], { encoding: 'utf8' });
  const folder = mkdtempSync(join(tmpdir(), 'rfc9293-'));
  try {
    const file = join(folder, 'page.md');
    writeFileSync(file, page);
    return spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const page = readFileSync(join(ROOT, 'docs', 'rfc9293.md'), 'utf8');

it('all 126 have a test or a reason', () => {
  const { status, stdout, stderr } = run(null);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^126 requirements: /m);
});

it.each([
  ['a row that is gone', /\n\| 47 .*/, '', 'has row 47 0 times'],
  ['a row twice', /\n(\| 47 .*)/, '\n$1\n$1', 'has row 47 2 times'],
  ['a test that does not exist', /(\| 3 .*\|)[^|]*\|\n/, '$1 tested |\n', 'row 3 MAY-15 has no test'],
  ['a reason beside a test', /(\| 8 .*\|)[^|]*\|\n/, '$1 not used: so |\n', 'row 8 MUST-1 is tested and excused'],
  ['no reason', /(\| 3 .*\|)[^|]*\|\n/, '$1 not yet |\n', '"not yet" is no standing'],
  ['another label', '| 8 | MUST-1 |', '| 8 | MUST-2 |', 'row 8 is not MUST-1'],
  ['another level', '| 8 | MUST-1 | MUST |', '| 8 | MUST-1 | MAY |', 'MUST-1 cannot be MAY'],
])('the script finds %s', (_what, from, to, fault) => {
  const changed = page.replace(from, to);
  expect(changed).not.toBe(page);
  const { status, stderr } = run(changed);
  expect(status).toBe(1);
  expect(stderr).toContain(fault);
});
