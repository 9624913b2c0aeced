// Reads the repository's own files for the rules of the house.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** Folders that hold nothing hand-written. */
const SKIPPED = new Set(['node_modules', 'bundle', 'dist', '.tools', '.git', 'coverage']);

/** A TypeScript source: its path from the repository's root with `/`, its text, and its syntax tree. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

export function parse(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true) };
}

/** Every hand-written file of the repository, as paths from its root with `/`. */
export function paths(folder: string = ROOT): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) found.push(...paths(path));
    else if (entry.isFile()) found.push(relative(ROOT, path).split(sep).join('/'));
  }
  return found.sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The sources below `folder` (`src/`, `test/`). */
export function sources(folder: string): Source[] {
  return paths(join(ROOT, folder))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parse(path, read(path)));
}

/** The room a path of `src/` lies in; `front` for `src/index.ts`. */
export function room(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1]! : 'front';
}

/** The nodes right below one. */
export function children(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = [];
  node.forEachChild((child) => {
    found.push(child);
  });
  return found;
}

/** Every node of a tree, depth first. */
export function* nodes(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of children(node)) yield* nodes(child);
}

/** What a source imports, `import()` and `import('..')` types included: relative ones as paths from the root. */
export function imports(source: Source): string[] {
  const found: string[] = [];
  for (const node of nodes(source.tree)) {
    let name: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) name = node.moduleSpecifier;
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      name = node.arguments[0];
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) name = node.argument.literal;
    if (name === undefined || !ts.isStringLiteralLike(name)) continue;
    found.push(name.text.startsWith('.') ? posix.join(posix.dirname(source.path), name.text) : name.text);
  }
  return found;
}

/** Names that a source uses without declaring or importing them: members and keys do not count. */
export function ambientNames(source: Source): Set<string> {
  const used = new Set<string>();
  const declared = new Set<string>();
  for (const node of nodes(source.tree)) {
    if (!ts.isIdentifier(node)) continue;
    const parent = node.parent as ts.Node & { name?: ts.Node; propertyName?: ts.Node };
    if (parent.propertyName === node) continue;
    if (ts.isPropertyAccessExpression(parent) && parent.name === node) continue;
    if (parent.name === node) {
      const member = ts.isPropertyAssignment(parent) || ts.isClassElement(parent) || ts.isTypeElement(parent);
      if (!member) declared.add(node.text);
      // `{ process }` both names a key and uses the variable.
      if (ts.isShorthandPropertyAssignment(parent)) used.add(node.text);
      continue;
    }
    used.add(node.text);
  }
  for (const name of declared) used.delete(name);
  return used;
}

/** `path:line` of a node. */
export function where(source: Source, node: ts.Node): string {
  return `${source.path}:${source.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}
