// `npm run -s synfin -- VERB ...`: the command from a clone. Builds first when it has to, but never under sudo.

import './lib/node-version.cjs';

const say = (line) => process.stderr.write(`${line}\n`);

async function prepare() {
  const { distState, ensureBuilt } = await import('./lib/build.mjs');
  // Under sudo nothing is installed or built: files of root in the user's clone would be in the way for ever.
  if (process.env.SUDO_UID === undefined) return ensureBuilt(say);
  const state = distState();
  if (state === 'missing') throw new Error('dist/ is not built: run `npm start` once without sudo, then this again.');
  if (state === 'stale') say('dist/ is older than src/: run `npm start` without sudo to build it anew.');
}

prepare()
  .then(async () => {
    const { MAIN } = await import('./lib/build.mjs');
    const { become } = await import('./lib/proc.mjs');
    become([MAIN, ...process.argv.slice(2)]);
  })
  .catch((error) => {
    say(error.message);
    process.exitCode = 1;
  });
