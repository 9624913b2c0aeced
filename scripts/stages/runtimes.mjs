// The other JavaScript engines: newer Nodes, Bun and Deno from npm, Chromium from the system; test/runtime runs in each of them.

import { join } from 'node:path';
import { filesBelow } from '../lib/build.mjs';
import { vitest } from '../lib/cases.mjs';
import { ROOT } from '../lib/proc.mjs';
import { provide, runtimeNames } from '../lib/runtimes.mjs';

/** The stage. An engine that is not there is skipped by the test that needs it. */
export async function runtimes(context) {
  const tests = filesBelow(join(ROOT, 'test', 'runtime')).filter((path) => path.endsWith('.test.ts'));
  if (tests.length === 0) return [];
  for (const name of runtimeNames) {
    const reason = await provide(name, context.say);
    if (reason !== '') context.say(reason);
  }
  return vitest(['--mode', 'runtime'], context);
}
