// The package's promises: no dependencies, the commands people call, and exports that exist after a build.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { paths, ROOT, read } from './source.ts';

const manifest = JSON.parse(read('package.json'));

it('nothing is installed with synfin: no dependencies, and peers are optional', () => {
  expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
  for (const peer of Object.keys(manifest.peerDependencies ?? {})) {
    expect(manifest.peerDependenciesMeta?.[peer]?.optional, peer).toBe(true);
  }
});

it('tools are pinned to exact versions', () => {
  const loose = Object.entries<string>(manifest.devDependencies).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  expect(loose).toEqual([]);
});

it('every tool and peer has its line of reasoning in docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const names = Object.keys({ ...manifest.devDependencies, ...manifest.peerDependencies });
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('the commands people and CI call are there', () => {
  for (const name of [
    'start',
    'test',
    'synfin',
    'bench',
    'drill-agent',
    'build',
    'check',
    'lint',
    'unit',
    'test:slow',
  ]) {
    expect(manifest.scripts[name], name).toBeTypeOf('string');
  }
  const files = Object.values<string>(manifest.scripts).flatMap((line) => line.match(/scripts\/\S+\.mjs/g) ?? []);
  expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it('every export and the command have a source', () => {
  const targets = Object.values<Record<string, string> | string>(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  const wanted = [...targets, ...Object.values<string>(manifest.bin)]
    .filter((path) => /^\.\/(bundle|dist)\//.test(path))
    .map((path) => path.replace(/^\.\/(bundle|dist)\//, 'src/').replace(/(\.d\.ts|\.js)$/, '.ts'));
  expect(wanted.length).toBeGreaterThan(0);
  expect(wanted.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it('runtimes get a bundle of each subpath, bundlers a file for each source', () => {
  for (const [subpath, target] of Object.entries<Record<string, string> | string>(manifest.exports)) {
    if (typeof target === 'string') continue;
    // Where browsers need another source, they get it by its name.
    const conditions = Object.keys(target).filter((condition) => condition !== 'browser');
    expect(conditions, subpath).toEqual(['types', 'node', 'default']);
    expect(target['node'], subpath).toBe(target['default']!.replace('./dist/', './bundle/'));
  }
});

it('the lock file names no machine and no private registry', () => {
  const addresses = [...read('package-lock.json').matchAll(/"resolved": "([^"]+)"/g)].map(([, address]) => address!);
  // Workspaces are links to folders of the repository.
  const own = paths()
    .filter((path) => path.endsWith('/package.json'))
    .map((path) => path.replace('/package.json', ''));
  const foreign = addresses.filter((a) => a !== '' && !own.includes(a) && !a.startsWith('https://registry.npmjs.org/'));
  expect(foreign).toEqual([]);
});
