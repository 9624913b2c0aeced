// Builds dist/ from src/ when it has to be, with the TypeScript compiler alone; and bundle/ where esbuild is installed.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { BUNDLE, bundlerInstalled, makeBundle } from './bundle.mjs';
import { npm, ROOT, run } from './proc.mjs';

/** The command's entry point. */
export const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
const STAMP = join(ROOT, '.tools', 'dist.stamp');

/** The repository's own package.json. */
export function manifest() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
}

/** Every file below `folder`, relative to it, with `/`, in a fixed order. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      relative(folder, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .sort();
}

/** A digest of everything the build is made from. Contents, not dates: a checkout dates files anew. */
function sourceDigest() {
  const { devDependencies, exports, bin } = manifest();
  const { typescript, esbuild } = devDependencies;
  const hash = createHash('sha256').update(JSON.stringify([typescript, esbuild, exports, bin]));
  const src = filesBelow(join(ROOT, 'src')).map((path) => `src/${path}`);
  for (const path of [...src, 'tsconfig.base.json', 'tsconfig.build.json', 'scripts/lib/bundle.mjs']) {
    hash.update(`\0${path}\0`).update(readFileSync(join(ROOT, path)));
  }
  return hash.digest('hex');
}

/** `'missing'`, `'stale'` or `'fresh'`: how dist/ and, where it can be made, bundle/ stand to src/. */
export function distState() {
  if (!existsSync(MAIN)) return 'missing';
  if (!existsSync(STAMP) || (bundlerInstalled() && !existsSync(BUNDLE))) return 'stale';
  return readFileSync(STAMP, 'utf8') === sourceDigest() ? 'fresh' : 'stale';
}

/** The compiler's main file: the one installed with the other tools when its version is the pinned one, else our own. */
async function compiler(say) {
  const version = manifest().devDependencies.typescript;
  const prefix = join(ROOT, '.tools', 'build');
  for (const base of [ROOT, prefix]) {
    const home = join(base, 'node_modules', 'typescript');
    const file = join(home, 'package.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version)
      return join(home, 'lib', 'tsc.js');
  }
  say(`Installing typescript ${version} into .tools/build (only this, only once) ...`);
  mkdirSync(prefix, { recursive: true });
  // A manifest of its own keeps npm from looking for one further up.
  writeFileSync(join(prefix, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefix', prefix, '--no-save', '--ignore-scripts', `typescript@${version}`];
  const result = await npm(args, { cwd: prefix });
  if (result.code !== 0) throw new Error(`npm could not install typescript ${version}:\n${result.output.trim()}`);
  return join(prefix, 'node_modules', 'typescript', 'lib', 'tsc.js');
}

/** Removes what an older build left of sources that are gone. */
function prune() {
  const dist = join(ROOT, 'dist');
  for (const path of filesBelow(dist)) {
    const source = path.replace(/\.(d\.ts|js|js\.map)$/, '.ts');
    if (source !== path && !existsSync(join(ROOT, 'src', source))) rmSync(join(dist, path));
  }
}

/**
 * Makes dist/ and bundle/ agree with src/. Silent when they already do. Without esbuild, which the story does not
 * need, there is no bundle/ rather than an old one.
 *
 * Types are not checked here (`npm run check` does that), so that the build needs neither @types nor time.
 *
 * @param {(line: string) => void} say
 * @throws an `Error` whose message is for the user
 */
export async function ensureBuilt(say) {
  if (distState() === 'fresh') return;
  const digest = sourceDigest();
  const tsc = await compiler(say);
  say('Building dist/ from src/ ...');
  // `--types null` takes back the `types` of tsconfig.build.json: @types/node may not be installed.
  const result = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--types', 'null']);
  if (result.code !== 0) throw new Error(`The build failed:\n${result.output.trim()}`);
  prune();
  if (bundlerInstalled()) await makeBundle(manifest());
  else rmSync(BUNDLE, { recursive: true, force: true });
  mkdirSync(join(ROOT, '.tools'), { recursive: true });
  writeFileSync(STAMP, digest);
}
