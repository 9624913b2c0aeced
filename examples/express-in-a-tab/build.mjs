// Bundles the page by esbuild into `dist/`. An import of Node's that has no alias is an error.

import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { aliases } from './aliases.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const alias = Object.fromEntries(
  Object.entries(aliases).flatMap(([name, target]) => [
    [name, target],
    [`node:${name}`, target],
  ]),
);

rmSync(`${here}dist`, { recursive: true, force: true });
mkdirSync(`${here}dist`, { recursive: true });
copyFileSync(`${here}index.html`, `${here}dist/index.html`);
await build({
  ...{ absWorkingDir: here, entryPoints: ['main.js', 'worker.js'], outdir: 'dist', splitting: true, alias },
  ...{ bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', logLevel: 'warning' },
});
