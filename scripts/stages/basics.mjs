// The stages every change goes through: install, build, types, lint, and the suites of vitest.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from '../lib/build.mjs';
import { check, tool, vitest } from '../lib/cases.mjs';
import { npm, ROOT } from '../lib/proc.mjs';

/** Whether node_modules lacks something that package-lock.json has, or has it in another version. */
function modulesStale() {
  // npm writes this file last; an installation that was broken off leaves none.
  const mark = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(mark)) return true;
  const installed = JSON.parse(readFileSync(mark, 'utf8')).packages;
  const locked = Object.entries(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages);
  return locked.some(([path, entry]) => {
    // Optional packages are those of other platforms.
    if (!path.startsWith('node_modules/') || entry.optional || entry.link) return false;
    return installed[path]?.version !== entry.version;
  });
}

/** Installs the development tools exactly as locked. Their install scripts are not needed and do not run. */
export async function install({ say, timeout }) {
  if (!modulesStale()) return [check('node_modules agrees with package-lock.json', true)];
  say('Installing the development tools as package-lock.json says (npm ci) ...');
  const result = await npm(['ci', '--ignore-scripts'], { timeout });
  return [check('npm ci installs what is locked', result.code === 0, result.output)];
}

/** Builds dist/. */
export async function build({ say }) {
  try {
    await ensureBuilt(say);
    return [check('dist/ is built from src/', true)];
  } catch (error) {
    return [check('dist/ is built from src/', false, error.message)];
  }
}

/** Type checks everything, and the core rooms once more in a world without ambient names. */
export async function types({ timeout }) {
  const tsc = 'node_modules/typescript/lib/tsc.js';
  return [
    await tool('everything type-checks', tsc, ['-p', 'tsconfig.json'], { timeout }),
    await tool('the core rooms type-check without ambient names', tsc, ['-p', 'tsconfig.core.json'], { timeout }),
  ];
}

/** Formatting, lint rules, and files and packages that nothing uses. */
export async function lint({ timeout }) {
  return [
    await tool('biome: format and lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '.'], { timeout }),
    await tool('knip: no unused file or package', 'node_modules/knip/bin/knip.js', ['--no-config-hints'], { timeout }),
  ];
}

/** The rules of the house (test/house). */
export const house = (context) => vitest(['test/house'], context);

/** Everything quick but the house. */
export const unit = (context) => vitest(['--exclude', 'test/house/**'], context);

/** The long suites. */
export const slow = (context) => vitest(['--mode', 'slow'], context);
