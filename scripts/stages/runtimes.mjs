// The other JavaScript engines: Bun and Deno from npm, Chromium from the system; test/runtime finds them by
// `SYNFIN_BUN`, `SYNFIN_DENO` and `SYNFIN_CHROMIUM`.

import { join } from 'node:path';
import { filesBelow } from '../lib/build.mjs';
import { skip, vitest } from '../lib/cases.mjs';
import { ROOT } from '../lib/proc.mjs';
import { runtime } from '../lib/runtimes.mjs';
import { which } from './system.mjs';

/** The stage. */
export async function runtimes(context) {
  const tests = filesBelow(join(ROOT, 'test', 'runtime')).filter((path) => path.endsWith('.test.ts'));
  if (tests.length === 0) return [];
  const found = {
    bun: await runtime('bun', context.say),
    deno: await runtime('deno', context.say),
    chromium: { path: which('chromium') ?? '', reason: 'chromium is not installed' },
  };
  const env = {};
  const skips = [];
  for (const [name, { path, reason }] of Object.entries(found)) {
    env[`SYNFIN_${name.toUpperCase()}`] = path;
    if (path === '') skips.push(skip(name, reason));
  }
  return [...(await vitest(['--mode', 'runtime'], context, env)), ...skips];
}
