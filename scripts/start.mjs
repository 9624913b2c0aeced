// `npm start`: builds when it has to, then tells the story. Needs Node.js and nothing else.

import './lib/node-version.cjs';

const say = (line) => process.stderr.write(`${line}\n`);

// Imported late: on a Node.js that is too old these files may not even parse.
import('./lib/build.mjs')
  .then(async ({ ensureBuilt, MAIN }) => {
    await ensureBuilt(say);
    const { existsSync } = await import('node:fs');
    if (!existsSync(MAIN)) {
      say('The story is not written yet: src/cli/main.ts is missing.');
      return;
    }
    const { become } = await import('./lib/proc.mjs');
    become([MAIN, 'demo', ...process.argv.slice(2)]);
  })
  .catch((error) => {
    say(error.message);
    process.exitCode = 1;
  });
