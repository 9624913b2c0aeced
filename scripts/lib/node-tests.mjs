// Node's own tests of `net` and `http`: fetched as Debian's source package has them, run one process each over our modules.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run } from './proc.mjs';

/** The release whose tests the committed list names; they suit every Node of its major version, more or less. */
const RELEASE = '20.19.2';
const FOLDER = join(ROOT, '.tools', 'node-tests', RELEASE);
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SOURCE = 'http://deb.debian.org/debian trixie main';
const LIST = join(ROOT, 'scripts', 'node-tests', 'passing.json');
/** Milliseconds a test may take. */
const PATIENCE = 30_000;

/** The names of the tests that pass, by suite. */
export const passing = () => JSON.parse(readFileSync(LIST, 'utf8'));

/** Writes them. */
export const writePassing = (lists) => writeFileSync(LIST, `${JSON.stringify(lists, null, 1)}\n`);

/**
 * Where the tests lie, after fetching them when that is possible.
 *
 * @returns {Promise<{ tests: string, reason: string }>} `reason` says why there are none
 */
export async function obtain(say) {
  const tests = join(FOLDER, 'test');
  if (existsSync(join(tests, 'parallel'))) return { tests, reason: '' };
  if (!existsSync('/etc/debian_version') || !existsSync(KEYS))
    return { tests, reason: 'they come as a Debian package' };
  if (process.env.SYNFIN_NO_INSTALL === '1') return { tests, reason: 'SYNFIN_NO_INSTALL=1 forbids to fetch them' };
  say(`Fetching Node's own tests (Debian's source package nodejs ${RELEASE}; SYNFIN_NO_INSTALL=1 forbids it) ...`);
  mkdirSync(join(FOLDER, 'lists', 'partial'), { recursive: true });
  const list = join(FOLDER, 'sources.list');
  writeFileSync(list, `deb-src [signed-by=${KEYS}] ${SOURCE}\n`);
  const options = [`Dir::Etc::SourceList=${list}`, 'Dir::Etc::SourceParts=/dev/null'];
  options.push(`Dir::State::Lists=${join(FOLDER, 'lists')}`, 'Acquire::Languages=none');
  const apt = (...args) =>
    run('apt-get', [...options.flatMap((o) => ['-o', o]), ...args], { cwd: FOLDER, timeout: 180_000 });
  const update = await apt('update', '-qq');
  const source = await apt('source', '-qq', '--download-only', 'nodejs');
  const archive = readdirSync(FOLDER).find((name) => name === `nodejs_${RELEASE}+dfsg.orig.tar.xz`);
  if (archive === undefined) return { tests, reason: `not to be had: ${update.output}${source.output}`.slice(0, 300) };
  const parts = ['common', 'fixtures', 'parallel', 'sequential'].map((part) => `*/test/${part}`);
  const args = ['xJf', archive, '--strip-components=1', '--wildcards', ...parts];
  const unpack = await run('tar', args, { cwd: FOLDER, timeout: 120_000 });
  if (unpack.code !== 0) return { tests, reason: `not to be unpacked: ${unpack.output}`.slice(0, 300) };
  // What a folder further up says of its modules is not said of these.
  writeFileSync(join(FOLDER, 'package.json'), '{}\n');
  return { tests, reason: '' };
}

/** All tests of a suite, `net` or `http`. */
export function testsOf(tests, suite) {
  return ['parallel', 'sequential'].flatMap((folder) =>
    readdirSync(join(tests, folder))
      .filter((name) => name.startsWith(`test-${suite}-`) && name.endsWith('.js'))
      .sort()
      .map((name) => `${folder}/${name}`),
  );
}

/** Runs one test; an empty string, or why it failed. */
async function runOne(tests, name, lane, scratch) {
  const file = join(tests, name);
  const flags = /^\/\/ Flags:(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1]?.trim().split(/\s+/) ?? [];
  const hook = join(ROOT, 'scripts', 'node-tests', 'hook.cjs');
  const env = { SYNFIN_NODE_TESTS: tests, NODE_TEST_DIR: scratch, NODE_OPTIONS: '' };
  env.TEST_THREAD_ID = env.TEST_SERIAL_ID = String(lane);
  const options = { cwd: join(tests, '..'), env, timeout: PATIENCE };
  const { code, output, timedOut } = await run(process.execPath, [...flags, '--require', hook, file], options);
  if (timedOut) return `not over after ${PATIENCE} ms\n${output}`;
  // A test that skips itself proves nothing.
  return code === 0 && !/^1\.\.0 # Skipped/m.test(output) ? '' : `${output}\nexit ${code}`;
}

/**
 * Runs tests, several at a time, and those that failed once more alone: some of them measure time.
 *
 * @returns {Promise<Map<string, string>>} by name, an empty string or why it failed
 */
export async function runTests(tests, names) {
  const scratch = mkdtempSync(join(tmpdir(), 'synfin-node-tests-'));
  const results = new Map();
  try {
    const waiting = names.filter((name) => name.startsWith('parallel/'));
    const lanes = Array.from({ length: Math.max(2, availableParallelism()) }, async (_, lane) => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        results.set(name, await runOne(tests, name, lane, scratch));
      }
    });
    await Promise.all(lanes);
    for (const name of names) {
      if (results.get(name) !== '') results.set(name, await runOne(tests, name, 0, scratch));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return results;
}
