// The package as a user gets it: packed, installed into an empty project, loaded, type-checked and linted there.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifest } from '../lib/build.mjs';
import { check, program, skip, tool } from '../lib/cases.mjs';
import { npm, ROOT } from '../lib/proc.mjs';

const specifiers = () =>
  Object.keys(manifest().exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => `synfin${subpath.slice(1)}`);

/** The subpath that is loaded for what it does, and exports nothing. */
const LOADER = 'synfin/register';

/** The command as people call it, `npx synfin`, from what is installed here. */
async function byNpx(project) {
  const { code, stdout, output } = await npm(['exec', '--offline', '--', 'synfin', '--help'], { cwd: project });
  return [check('npx synfin answers --help', code === 0 && stdout.includes('demo'), output)];
}

/** Loads every subpath once by `import` and once by `require`, each in a process of its own. */
async function loading(project) {
  const cases = [];
  for (const specifier of specifiers().filter((name) => name !== LOADER)) {
    const some = 'if (Object.keys(m).length === 0) throw new Error("exports nothing");';
    const esm = `import * as m from ${JSON.stringify(specifier)}; ${some}`;
    const cjs = `const m = require(${JSON.stringify(specifier)}); ${some}`;
    const options = { cwd: project, timeout: 30_000 };
    const importing = ['--input-type=module', '-e', esm];
    cases.push(await program(`import ${specifier}`, process.execPath, importing, options));
    cases.push(await program(`require ${specifier}`, process.execPath, ['--input-type=commonjs', '-e', cjs], options));
  }
  // Through the default network nobody outside is reached, not even by an address that the kernel would try.
  const nobody =
    'require("net").connect(9, "192.0.2.1").on("error", (e) => process.exit(e.code === "ENETUNREACH" ? 0 : 1))';
  const loader = ['--import', LOADER, '--input-type=commonjs', '-e', nobody];
  cases.push(await program(`node --import ${LOADER}`, process.execPath, loader, { cwd: project, timeout: 30_000 }));
  return cases;
}

/** Subpaths of Node's shape: their types are Node's own, which the program has installed. */
const NODE_SHAPED = ['synfin/net', 'synfin/node-http', 'synfin/testing', 'synfin/register'];

/**
 * Type-checks a program that uses every subpath, library files included: without DOM and Node types, and then those of
 * Node's shape with Node's.
 */
async function typing(project) {
  const cases = [];
  const portable = specifiers().filter((specifier) => !NODE_SHAPED.includes(specifier));
  for (const [name, list, types] of [
    ['every portable subpath', portable, []],
    ["every subpath of Node's shape", NODE_SHAPED, ['node']],
  ]) {
    const source = `program-${types.length}.ts`;
    const lines = list.map((specifier, i) => `import * as m${i} from '${specifier}';\nexport { m${i} };`);
    writeFileSync(join(project, source), `${lines.join('\n')}\n`);
    for (const [resolution, module] of [
      ['nodenext', 'nodenext'],
      ['bundler', 'esnext'],
    ]) {
      const file = join(project, `tsconfig.${resolution}.${types.length}.json`);
      const compilerOptions = {
        ...{ module, moduleResolution: resolution, target: 'es2022', lib: ['es2022'], types },
        ...{ typeRoots: [join(ROOT, 'node_modules', '@types')] },
        ...{ strict: true, skipLibCheck: false, noEmit: true },
      };
      writeFileSync(file, JSON.stringify({ compilerOptions, files: [source] }));
      const title = `${name} type-checks under ${resolution}`;
      cases.push(
        await tool(title, 'node_modules/typescript/lib/tsc.js', ['-p', file], { cwd: project, timeout: 60_000 }),
      );
    }
  }
  return cases;
}

async function linting(project, tarball) {
  const installed = join(project, 'node_modules', 'synfin');
  const publint = [installed, '--strict', '--pack', 'false'];
  // ESM only, on purpose: `require` of ESM works on every Node supported, and is tested above.
  const attw = [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'];
  const options = { cwd: project, timeout: 60_000 };
  return [
    await tool('publint has nothing to say', 'node_modules/publint/src/cli.js', publint, options),
    await tool('attw has nothing to say', 'node_modules/@arethetypeswrong/cli/dist/index.js', attw, options),
  ];
}

/** The stage. */
export async function packed({ timeout }) {
  const missing = ['src/index.ts', 'src/cli/main.ts'].filter((path) => !existsSync(join(ROOT, path)));
  if (missing.length > 0) return [skip('the package', `not written yet: ${missing.join(', ')}`)];
  // Far from the repository: a project inside it would find the repository's own modules.
  const project = mkdtempSync(join(tmpdir(), 'synfin-package-'));
  try {
    const packing = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', project], { timeout });
    if (packing.code !== 0) return [check('npm pack', false, packing.output)];
    const [{ filename, files }] = JSON.parse(packing.stdout);
    const tarball = join(project, filename);
    const names = files.map((file) => file.path);
    const foreign = names.filter((name) => !/^(bundle|dist|src)\/|^[A-Z][\w.-]*$|^package\.json$/.test(name));
    writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n');
    mkdirSync(join(project, 'node_modules'));
    const install = await npm(['install', '--ignore-scripts', '--no-package-lock', tarball], { cwd: project, timeout });
    const bin = join(project, 'node_modules', 'synfin', 'bundle', 'cli', 'main.js');
    return [
      check('npm pack holds what is meant for users and nothing else', foreign.length === 0, foreign.join('\n')),
      check('the tarball installs into an empty project', install.code === 0, install.output),
      await program('the command of the package answers --help', process.execPath, [bin, '--help'], { cwd: project }),
      ...(await byNpx(project)),
      ...(await loading(project)),
      ...(await typing(project)),
      ...(await linting(project, tarball)),
    ];
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
