// The examples of the documentation: every complete one (it imports something) must type-check.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../lib/build.mjs';
import { check } from '../lib/cases.mjs';
import { ROOT, run } from '../lib/proc.mjs';

/** Markdown pages, and sources for their docstrings. */
function pages() {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = ['docs', 'src'].flatMap((folder) => filesBelow(join(ROOT, folder)).map((path) => `${folder}/${path}`));
  return [...top, ...below.filter((path) => /\.(md|ts)$/.test(path))];
}

/** The `ts` blocks of a page that import something, with the line each starts at. */
function examples(text, isSource) {
  const found = [];
  for (const match of text.matchAll(/^([ \t]*(?:\* )?)```(?:ts|typescript)\n([\s\S]*?)^[ \t]*(?:\* )?```/gm)) {
    // In a docstring every line has a star in front.
    const code = isSource ? match[2].replace(/^[ \t]*\*[ ]?/gm, '') : match[2];
    const line = text.slice(0, match.index).split('\n').length;
    if (/^import\b/m.test(code)) found.push({ line, code });
  }
  return found;
}

/** The stage. */
export async function docs({ timeout }) {
  // Inside the repository, so that `synfin` is the package itself by its exports.
  const folder = join(ROOT, '.tools', 'test', 'docs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const cases = [];
  for (const page of pages()) {
    for (const { line, code } of examples(readFileSync(join(ROOT, page), 'utf8'), page.endsWith('.ts'))) {
      const file = `${page.replace(/\W/g, '-')}-${line}.ts`;
      // A module without exports may share names with another one; `export {}` keeps them apart.
      writeFileSync(join(folder, file), `${code}\nexport {};\n`);
      cases.push({ file, title: `the example at ${page}:${line} compiles` });
    }
  }
  if (cases.length === 0) return [];
  const compilerOptions = { noEmit: true, types: ['node'], noUnusedLocals: false, noUnusedParameters: false };
  const lib = ['ES2022', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'];
  const config = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: { ...compilerOptions, lib },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js');
  const result = await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { timeout });
  const errors = result.output.split('\n');
  const found = cases.map(({ file, title }) => {
    const own = errors.filter((line) => line.includes(`${file}(`));
    return check(title, own.length === 0, own.join('\n'));
  });
  const failed = found.some((c) => c.state === 'failed');
  return failed || result.code === 0 ? found : [...found, check('the examples compile together', false, result.output)];
}
