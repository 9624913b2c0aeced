// `npm run -s bench`: builds when it has to, then runs the benchmarks.

import './lib/node-version.cjs';

import('./lib/build.mjs')
  .then(async ({ ensureBuilt }) => {
    await ensureBuilt((line) => process.stderr.write(`${line}\n`));
    const { become } = await import('./lib/proc.mjs');
    become(['--expose-gc', 'bench/run.mjs', ...process.argv.slice(2)]);
  })
  .catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
