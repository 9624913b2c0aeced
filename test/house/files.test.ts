// The form of every file: length, opening sentence, docstrings, READMEs and indexes, and what must not be in any.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { rule } from './rule.ts';
import { children, nodes, paths, ROOT, read, room, type Source, sources, where } from './source.ts';

const src = sources('src/');
const written = [...src, ...sources('test/')];
/** Code outside `src/` that knip, biome and tsc do not hold to these rules either. */
const scripts = paths().filter((path) => /^(scripts|bench)\/.*\.(mjs|cjs)$/.test(path));

function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
}

function undocumented(file: Source): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  let constantsEnd = -1;
  for (const node of file.tree.statements) {
    if (!isExported(node)) continue;
    const constant = ts.isVariableStatement(node);
    const name = constant
      ? node.declarationList.declarations[0]!.name.getText()
      : ((node as ts.DeclarationStatement).name?.getText() ?? '');
    // Constants without a line between them share the docstring of the first.
    const row = constant && file.tree.getLineAndCharacterOfPosition(node.getFullStart()).line === constantsEnd;
    const documented = ts.getJSDocCommentsAndTags(node).length > 0 || (row && !/\n\s*\n/.test(node.getFullText()));
    // Of an overloaded function the first signature carries it.
    if (!seen.has(name) && !documented) found.push(`${where(file, node)} ${name}`);
    seen.add(name);
    constantsEnd = constant && documented ? file.tree.getLineAndCharacterOfPosition(node.end).line : -1;
  }
  return found;
}

function topLevelAwait(file: Source): string[] {
  const visit = (node: ts.Node): string[] => {
    if (ts.isFunctionLike(node)) return [];
    if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier)) return [where(file, node)];
    return children(node).flatMap(visit);
  };
  return visit(file.tree);
}

function evasions(file: Source): string[] {
  const found: string[] = [];
  for (const node of nodes(file.tree)) {
    if (ts.isAsExpression(node) && node.type.kind === ts.SyntaxKind.AnyKeyword) found.push(`${where(file, node)} any`);
    if (ts.isCatchClause(node) && node.block.getText().replace(/\s/g, '') === '{}')
      found.push(`${where(file, node)} catch`);
  }
  for (const mark of ['@ts-' + 'ignore', '@ts-' + 'nocheck', 'TO' + 'DO', 'FIX' + 'ME']) {
    if (file.text.includes(mark)) found.push(`${file.path} has ${mark}`);
  }
  return found;
}

const tooLong = (file: Source): string[] => (file.text.split('\n').length > 801 ? [file.path] : []);
const unopened = (file: Source): string[] => (/^(#!.*\n)?\/[/*] ?\S/.test(file.text) ? [] : [file.path]);
const computing = (file: Source): string[] =>
  file.tree.statements.filter((s) => !(ts.isExportDeclaration(s) && s.moduleSpecifier)).map((s) => where(file, s));

rule('a file has at most 800 lines', written, tooLong, ['src/base/x.ts', '//\n'.repeat(802)]);
rule('a file opens with a comment that says what lives there', src, unopened, ['src/base/x.ts', 'export {};']);
rule('every exported name has a docstring', src, undocumented, ['src/base/x.ts', '// x\nexport const x = 1;']);
rule('nothing is left marked, unchecked or swallowed', written, evasions, ['src/x.ts', 'try { f() } catch {}']);
rule('published modules have no top-level await', src, topLevelAwait, ['src/web/x.ts', 'await f();']);
rule(
  "a room's index lists names and computes nothing",
  src.filter((file) => file.path.endsWith('/index.ts')),
  computing,
  ['src/base/index.ts', 'export const x = 1;'],
);

it('every room has a README and an index', () => {
  const rooms = [...new Set(src.map((file) => room(file.path)))].filter((name) => name !== 'front');
  // Each file of link/ is a subpath of its own, and the command's entry is cli/main.ts.
  const expected = rooms.flatMap((name) => [
    `src/${name}/README.md`,
    ...(['link', 'cli'].includes(name) ? [] : [`src/${name}/index.ts`]),
  ]);
  expect(expected.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it('scripts and benchmarks open with a comment and stay under 800 lines', () => {
  const files = scripts.map((path) => ({ path, text: read(path) }) as Source);
  expect(files.length).toBeGreaterThan(0);
  expect(files.flatMap((file) => [...tooLong(file), ...unopened(file)])).toEqual([]);
});

it('no file names a place outside the repository', () => {
  const outside = new RegExp(
    ['\\.\\./sha' + 'red', '/ro' + 'ot/', '/wo' + 'rk/', '/ho' + 'me/\\w', '/Us' + 'ers/\\w'].join('|'),
  );
  expect('see /ho' + 'me/someone').toMatch(outside);
  const text = paths().filter((path) => /\.(ts|mjs|cjs|js|json|md|html|css|svg|sh|yml)$|^\.ci\/run$/.test(path));
  expect(text.length).toBeGreaterThan(0);
  expect(text.filter((path) => outside.test(read(path)))).toEqual([]);
});

it('every relative link of every Markdown page leads somewhere', () => {
  const dead: string[] = [];
  for (const page of paths().filter((path) => path.endsWith('.md'))) {
    const prose = read(page).replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
    for (const [, target] of prose.matchAll(/(?:\]\(|(?:src|href)=")([^)\s"#]+)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      if (!existsSync(join(ROOT, dirname(page), decodeURI(target!)))) dead.push(`${page} -> ${target}`);
    }
  }
  expect(dead).toEqual([]);
});
