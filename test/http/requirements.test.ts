// The table of requirements is complete: each is held by a test or excused in docs/http.md, and none is both.

import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('every MUST of RFC 9110 and RFC 9112 is tested or excused', () => {
  const out = execFileSync(process.execPath, ['scripts/http-requirements.mjs'], { encoding: 'utf8' });
  expect(out).toMatch(/\n284 requirements: [0-9]+ tested, [0-9]+ excused or open\n$/);
});
