// The rooms: who may import whom, and which names of the platform each may use (docs/architecture.md §2).

import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { rule } from './rule.ts';
import { ambientNames, imports, nodes, ROOT, read, room, type Source, sources, where } from './source.ts';

/** What each room may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, string>> = {
  base: '',
  wire: 'base',
  tcp: 'base wire',
  ip: 'base wire',
  host: 'base wire tcp ip',
  services: 'base wire host',
  http: 'base',
  trace: 'base wire',
  explain: 'base wire http trace',
  sim: 'base wire host trace',
  drill: 'base wire host sim',
  link: 'base wire trace sim',
  run: 'base host trace',
  node: 'base wire host run http sim',
  register: 'base wire host run sim link trace node testing services',
  testing: 'base host run sim trace web node',
  web: 'base host run http',
  cli: 'front base wire host http trace sim explain drill services link run node web',
  // src/index.ts, the package's front door
  front: 'base wire tcp ip host http trace sim link run web',
};

/** Rooms without clock, randomness or platform. */
const CORE = ['base', 'wire', 'tcp', 'ip', 'host', 'services', 'http', 'trace', 'explain', 'sim', 'drill'];
/** Rooms that may name Node's own modules. */
const NODE_ROOMS = ['link', 'node', 'testing', 'register', 'cli', 'drill'];

/** Names that come from a platform and not from the language. */
const PLATFORM =
  'Buffer process require console setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate ' +
  'queueMicrotask performance crypto TextDecoder TextEncoder WebAssembly fetch URL globalThis window navigator';
/** Of those, the names each room may use; a room that is not here may use all. */
const MAY_NAME: Readonly<Record<string, string>> = {
  ...Object.fromEntries(CORE.map((name) => [name, ''])),
  front: '',
  run: 'setTimeout clearTimeout setInterval clearInterval queueMicrotask performance crypto TextDecoder TextEncoder WebAssembly globalThis',
  web: 'setTimeout clearTimeout queueMicrotask TextDecoder TextEncoder URL fetch globalThis',
};

/** The functions of Math that every engine rounds alike (ECMA-262 §21.3.2 leaves the others approximate). */
const EXACT_MATH = new Set('abs ceil clz32 floor fround imul max min round sign sqrt trunc'.split(' '));

const all = sources('src/');
const core = all.filter((file) => CORE.includes(room(file.path)));

function forbiddenImports(file: Source): string[] {
  const here = room(file.path);
  const allowed = MAY_IMPORT[here]?.split(' ') ?? [];
  return imports(file)
    .filter((path) => {
      if (path.startsWith('node:')) return !NODE_ROOMS.includes(here);
      // Optional peers are loaded by links, by the command, and by what browsers get in the place of Node.
      if (file.path === 'src/node/browser-platform.ts' && path === 'readable-stream') return false;
      if (!path.startsWith('src/')) return !['link', 'cli'].includes(here);
      return room(path) !== here && !allowed.includes(room(path));
    })
    .map((path) => `${file.path} imports ${path}`);
}

function platformNames(file: Source): string[] {
  const here = MAY_NAME[room(file.path)];
  if (here === undefined) return [];
  const used = ambientNames(file);
  const forbidden = PLATFORM.split(' ').filter((name) => used.has(name) && !here.split(' ').includes(name));
  return forbidden.map((name) => `${file.path} uses ${name}`);
}

function timeAndChance(file: Source): string[] {
  const found: string[] = [];
  for (const node of nodes(file.tree)) {
    const dateOfNow = ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length;
    const call = ts.isPropertyAccessExpression(node) ? node.getText() : '';
    if (dateOfNow || call === 'Date.now' || call === 'Math.random' || call === 'performance.now') {
      found.push(`${where(file, node)} ${node.getText()}`);
    }
  }
  return found;
}

function inexactArithmetic(file: Source): string[] {
  const found: string[] = [];
  for (const node of nodes(file.tree)) {
    const power =
      node.kind === ts.SyntaxKind.AsteriskAsteriskToken || node.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken;
    const math = ts.isPropertyAccessExpression(node) && node.expression.getText() === 'Math' ? node.name.text : '';
    // The constants (Math.PI and such) are written in capitals and are exact to the bit.
    const inexact = math !== '' && !EXACT_MATH.has(math) && math !== math.toUpperCase() && math !== 'random';
    if (power || inexact) found.push(`${where(file, node)} ${node.getText()}`);
  }
  return found;
}

rule('a room imports only the rooms below it', all, forbiddenImports, [
  'src/base/x.ts',
  "import { y } from '../wire/y.ts';",
]);
rule('a room uses only the platform names that are its own', all, platformNames, [
  'src/tcp/x.ts',
  'setTimeout(() => {}, 1);',
]);
rule('the core reads no clock and draws no chance', core, timeAndChance, [
  'src/tcp/x.ts',
  'export const t = Date.now();',
]);
rule('the core computes alike on every engine', core, inexactArithmetic, [
  'src/tcp/x.ts',
  'export const c = Math.cbrt(2) + 2 ** 3;',
]);

describe('the portable subpaths', () => {
  /** Subpaths that are for Node alone; of `./net` bundles for browsers have another file, which test/runtime looks at. */
  const NODE_ONLY = ['./link/tun', './net', './node-http', './testing', './register', './package.json'];
  const byPath = new Map(all.map((file) => [file.path, file]));
  const source = (target: string): string => join(target).replace('dist', 'src').replace(/\.js$/, '.ts');
  const manifest: { exports: Record<string, { default: string }>; browser: Record<string, string> } = JSON.parse(
    read('package.json'),
  );

  function closure(path: string, seen: Set<string> = new Set()): Set<string> {
    const file = byPath.get(path);
    if (file === undefined || seen.has(path)) return seen;
    seen.add(path);
    for (const next of imports(file)) closure(next, seen);
    return seen;
  }

  for (const [subpath, target] of Object.entries(manifest.exports)) {
    if (NODE_ONLY.includes(subpath)) continue;
    it(`synfin${subpath.slice(1)} reaches nothing of Node`, () => {
      const entry = source(target.default);
      const reached = [...closure(entry)].map((path) => byPath.get(path)!);
      expect(reached.length, `${entry} under ${ROOT}`).toBeGreaterThan(0);
      const ofNode = reached.filter(
        (file) =>
          imports(file).some((path) => path.startsWith('node:')) ||
          ['Buffer', 'process', 'require'].some((name) => ambientNames(file).has(name)),
      );
      expect(ofNode.map((file) => file.path)).toEqual([]);
    });
  }

  it('what browsers get in the place of something is there', () => {
    const files = Object.entries(manifest.browser).flat().map(source);
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((path) => !byPath.has(path))).toEqual([]);
  });
});
