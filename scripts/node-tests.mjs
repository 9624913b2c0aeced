// Runs Node's own tests over our modules and says which fail: `node scripts/node-tests.mjs [net|http] [--write]`.
// With --write those that pass become the committed list, which `npm test` holds.

import { ensureBuilt } from './lib/build.mjs';
import { obtain, passing, runTests, testsOf, writePassing } from './lib/node-tests.mjs';

const args = process.argv.slice(2);
const suites = args.filter((arg) => arg === 'net' || arg === 'http');
await ensureBuilt(console.log);
const { tests, reason } = await obtain(console.log);
if (reason !== '') {
  console.error(reason);
  process.exit(1);
}
const lists = passing();
for (const suite of suites.length > 0 ? suites : ['net', 'http']) {
  const names = testsOf(tests, suite);
  const results = await runTests(tests, names);
  const passed = names.filter((name) => results.get(name) === '');
  for (const name of names) {
    const why = results.get(name);
    const line = why.split('\n').find((text) => /Error|Mismatched/.test(text)) ?? why.trim().split('\n')[0];
    if (why !== '') console.log(`${lists[suite].includes(name) ? 'NEWLY ' : ''}failed ${name}: ${line}`);
  }
  console.log(`${suite}: ${passed.length} of ${names.length} pass`);
  lists[suite] = passed;
}
if (args.includes('--write')) writePassing(lists);
