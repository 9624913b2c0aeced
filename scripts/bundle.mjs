// The second half of `npm run build`: bundle/ from src/.

import { manifest } from './lib/build.mjs';
import { makeBundle } from './lib/bundle.mjs';

makeBundle(manifest()).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
