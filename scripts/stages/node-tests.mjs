// Node's own tests over our `net` and `http`: every one that passed once has to pass again.

import { check, skip } from '../lib/cases.mjs';
import { obtain, passing, runTests } from '../lib/node-tests.mjs';

/** The stage. */
export async function nodeTests({ say }) {
  const title = "Node's own tests of net and http";
  if (!process.version.startsWith('v20.')) return [skip(title, 'they are those of Node 20')];
  const { tests, reason } = await obtain(say);
  if (reason !== '') return [skip(title, reason)];
  const names = Object.values(passing()).flat();
  const results = await runTests(tests, names);
  return names.map((name) => check(name, results.get(name) === '', results.get(name)));
}
