// `npm test`: everything, in stages, each with its time and its budget; `npm test -- --only unit,house` for some.

import './lib/node-version.cjs';

import('./lib/stages.mjs')
  .then(({ main }) => main(process.argv.slice(2)))
  .then((status) => process.exit(status))
  .catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
