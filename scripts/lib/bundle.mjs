// Builds bundle/: what Node.js, Bun and Deno load of this package, a file per subpath and the parts they share.
//
// dist/ keeps a file for each source, which is what bundlers want; but a runtime reads and links each of a hundred
// files on its own, and that is most of what a program waits for when it starts. Names are kept and nothing is
// minified, so that stack traces read like the sources.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './proc.mjs';

/** The folder of the bundles. */
export const BUNDLE = join(ROOT, 'bundle');

/** Whether bundles can be made here. */
export const bundlerInstalled = () => existsSync(join(ROOT, 'node_modules', 'esbuild', 'package.json'));

/** The sources of all files in bundle/ that package.json names. */
function entries({ exports, bin }) {
  const targets = [...Object.values(exports).flatMap((target) => target.node ?? []), ...Object.values(bin)];
  return targets.map((target) => join(ROOT, target.replace('./bundle/', 'src/').replace(/\.js$/, '.ts')));
}

/** A declaration that esbuild prints at the top of a module; as long with `const`, so that source maps stay right. */
const DECLARATION = /^var ([\w$]+) = /;
const constant = (line) => line.replace(DECLARATION, 'const $1=');

/**
 * Gives a module's constants back: esbuild makes `var` of each, whose value an engine cannot take into the code that it
 * compiles. That code then loads masks, limits and tables from memory and checks their kind each time: heads of HTTP took
 * half as many instructions again, bulk transfers a tenth.
 *
 * @param text of a module as esbuild prints it
 */
export async function withConstants(text) {
  const { transform } = await import('esbuild');
  const lines = text.split('\n');
  const tried = lines.map(constant);
  // Only esbuild knows what is assigned to.
  const { warnings } = await transform(tried.join('\n'), { logLevel: 'silent', logLimit: 0 });
  for (const { id, notes } of warnings) {
    if (id !== 'assign-to-constant') continue;
    const { line } = notes[0].location;
    tried[line - 1] = lines[line - 1];
  }
  return tried.join('\n');
}

/**
 * Makes bundle/ anew from src/.
 *
 * @param manifest the repository's own package.json
 * @throws an `Error` with esbuild's own words when a source cannot be bundled
 */
export async function makeBundle(manifest) {
  // Late, so that commands that need no bundle run without esbuild.
  const { build } = await import('esbuild');
  rmSync(BUNDLE, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: entries(manifest),
    outdir: BUNDLE,
    outbase: join(ROOT, 'src'),
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    packages: 'external',
    // One level below, like the files of the subpaths: addresses relative to a module mean the same in both.
    chunkNames: 'parts/[name]-[hash]',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'silent',
    metafile: true,
  });
  for (const output of Object.keys(metafile.outputs).filter((name) => name.endsWith('.js'))) {
    const file = join(ROOT, output);
    writeFileSync(file, await withConstants(readFileSync(file, 'utf8')));
  }
}
