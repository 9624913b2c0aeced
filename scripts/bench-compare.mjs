// `npm run -s bench:compare`: has a change made something slower? Not a part of `npm test`: machines are noisy.
//
//   npm run -s bench:compare -- [--with REV] [--only NAME,...] [--runs N] [--json]
//
// The first parent of HEAD (or REV) is checked out and built beside this tree; then every metric runs in turn, ours,
// theirs, ours, theirs, each time in a process of its own, and the median of the pairs' ratios counts. Below 0.95 it warns,
// below 0.7 it fails. Figures are by processor time where the metric has them.

import './lib/node-version.cjs';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './lib/build.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WARN = 0.95;
const FAIL = 0.7;
/** Metrics of this package alone that a minute or two decide. */
const METRICS = [
  'tcp.bulk.mss1460',
  'tcp.bulk.gso',
  'tcp.alloc',
  'tcp.pingpong',
  'tcp.connect',
  'mem.idle',
  'web.bulk',
  'http.parse',
  'size.tcp',
];
const USAGE = 'npm run -s bench:compare -- [--with REV] [--only NAME,...] [--runs N] [--json]';

const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();

/** A checked out and built copy of a revision; it stays for the next time. */
function treeOf(sha) {
  const tree = join(ROOT, '.tools', 'bench', `tree-${sha.slice(0, 12)}`);
  if (existsSync(join(tree, 'dist', 'index.js'))) return tree;
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  execFileSync('tar', ['-x', '-C', tree], {
    input: execFileSync('git', ['archive', sha], { cwd: ROOT, maxBuffer: 1 << 28 }),
  });
  // What the metrics import by name is the package around them; all else is found in our own folder, further up.
  mkdirSync(join(tree, 'node_modules'));
  symlinkSync('..', join(tree, 'node_modules', 'synfin'));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = { cwd: tree, stdio: ['ignore', 2, 2] };
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], options);
  // A revision has its own way to what a runtime loads, or none.
  if (existsSync(join(tree, 'scripts', 'bundle.mjs'))) execFileSync(process.execPath, ['scripts/bundle.mjs'], options);
  return tree;
}

/** One round of a metric in a tree: its figure, or `null` when the tree does not have it. */
function figure(tree, metric) {
  const args = ['--expose-gc', 'bench/run.mjs', '--only', metric, '--rounds', '1', '--json'];
  const child = spawnSync(process.execPath, [...args, '--alone'], { cwd: tree, encoding: 'utf8' });
  // A tree from before `--alone` measures the peers too, which takes longer and says the same.
  const found = child.status === 2 ? spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8' }) : child;
  if (found.status === 2) return null;
  if (found.status !== 0) throw new Error(`${metric} failed in ${tree}: ${found.stderr.trim()}`);
  const { ours, cpu, better } = JSON.parse(found.stdout);
  return { value: cpu?.ours ?? ours, better };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const verdict = (ratio) => (ratio < FAIL ? 'FAILS' : ratio < WARN ? 'slower' : 'ok');

async function main() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        with: { type: 'string' },
        only: { type: 'string', multiple: true },
        runs: { type: 'string', default: '5' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return 2;
  }
  const runs = Number(values.runs);
  if (values.help || !Number.isInteger(runs) || runs < 1) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  await ensureBuilt((line) => process.stderr.write(`${line}\n`));
  const dirty = git('status', '--porcelain', '--untracked-files=no') !== '';
  const sha = git('rev-parse', '--verify', `${values.with ?? (dirty ? 'HEAD' : 'HEAD^1')}^{commit}`);
  const tree = treeOf(sha);
  if (!values.json) console.log(`this tree over ${sha.slice(0, 12)}, ${runs} pairs; above 1 is better`);
  let ok = true;
  for (const metric of values.only?.flatMap((list) => list.split(',')) ?? METRICS) {
    const ratios = [];
    for (let n = 0; n < runs; n++) {
      const ours = figure(ROOT, metric);
      if (ours === null) throw new Error(`there is no metric ${metric}`);
      const theirs = figure(tree, metric);
      if (theirs === null) break;
      ratios.push(ours.better === 'higher' ? ours.value / theirs.value : theirs.value / ours.value);
    }
    if (ratios.length === 0) {
      if (!values.json) console.log(`${metric.padEnd(24)} new: nothing to compare with`);
      continue;
    }
    const middle = median(ratios);
    ok &&= middle >= FAIL;
    const spread = { min: Math.min(...ratios), median: middle, max: Math.max(...ratios) };
    if (values.json) console.log(JSON.stringify({ metric, with: sha, runs, ...spread, verdict: verdict(middle) }));
    else {
      const [low, mid, high] = Object.values(spread).map((ratio) => ratio.toFixed(2));
      console.log(`${metric.padEnd(24)} ${mid}  (${low} to ${high})  ${verdict(middle)}`);
    }
  }
  return ok ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
