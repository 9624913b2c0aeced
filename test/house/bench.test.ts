// The bench house: every metric keeps the contract that bench/run.mjs reads, and has its place in the results.

import ts from 'typescript';
import { expect, it } from 'vitest';
import { paths, read } from './source.ts';

/** The exported constants and functions of a module, by name; the text of a constant's value. */
function exportsOf(text: string): Map<string, string> {
  const tree = ts.createSourceFile('metric.mjs', text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const found = new Map<string, string>();
  for (const node of tree.statements) {
    const exported = ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.getText() === 'export');
    if (!exported) continue;
    if (ts.isFunctionDeclaration(node)) found.set(node.name!.text, node.getText());
    if (!ts.isVariableStatement(node)) continue;
    for (const d of node.declarationList.declarations) found.set(d.name.getText(), d.initializer!.getText());
  }
  return found;
}

function broken(text: string): string[] {
  const found = exportsOf(text);
  const missing = ['name', 'unit', 'better', 'run', 'peers'].filter((name) => !found.has(name));
  if (missing.length > 0) return [`lacks ${missing.join(', ')}`];
  const problems: string[] = [];
  if (!/^'[a-z]+(\.[a-z0-9]+)*'$/.test(found.get('name')!)) problems.push(`name ${found.get('name')}`);
  if (!/^'.+'$/.test(found.get('unit')!)) problems.push('unit');
  if (!/^'(higher|lower)'$/.test(found.get('better')!)) problems.push(`better ${found.get('better')}`);
  if (!/^(async )?(function|\()/.test(found.get('run')!.replace(/^export /, ''))) problems.push('run is no function');
  if (!found.get('peers')!.startsWith('{')) problems.push('peers');
  const known = ['name', 'unit', 'better', 'run', 'peers', 'notes', 'rounds', 'warm'];
  return [...problems, ...[...found.keys()].filter((name) => !known.includes(name)).map((name) => `exports ${name}`)];
}

const metrics = paths().filter((path) => /^bench\/metrics\/[^/]+\.mjs$/.test(path));
const names = metrics.map((path) => (exportsOf(read(path)).get('name') ?? '').slice(1, -1));

it('every metric exports what the bench house reads, and nothing it does not', () => {
  expect(metrics.length).toBeGreaterThan(10);
  for (const path of metrics) expect(broken(read(path)), path).toEqual([]);
});

it('the check of metrics sees what is missing or wrong', () => {
  const good = `export const name = 'a.b'; export const unit = 'B'; export const better = 'lower';
    export async function run() {} export const peers = {};`;
  expect(broken(good)).toEqual([]);
  for (const [from, to] of [
    ["name = 'a.b'", "name = 'A b'"],
    ["better = 'lower'", "better = 'less'"],
    ['export async function run', 'async function run'],
    ['peers = {}', 'peers = null'],
    ['peers = {}', 'peers = {}; export const more = 1'],
  ]) {
    expect(broken(good.replace(from!, to!)), to).not.toEqual([]);
  }
});

it('no two metrics have one name', () => {
  expect(new Set(names).size).toBe(names.length);
});

it('every metric stands in bench/RESULTS.md', () => {
  const page = read('bench/RESULTS.md');
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
