// Test cases: what a stage of `npm test` counts and returns.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './proc.mjs';

/**
 * @typedef {{ name: string, state: 'passed' | 'failed' | 'skipped' | 'pending', note?: string }} Case
 *   `note` is the reason of a skip, or what a failure has to say
 * @typedef {{ timeout: number, say: (line: string) => void }} Context
 */

/** A case from a condition. */
export const check = (name, ok, note = '') => ({ name, state: ok ? 'passed' : 'failed', note });

/** A case that could not run. */
export const skip = (name, note) => ({ name, state: 'skipped', note });

/** A case from a program's exit status; its output is the note when it failed. */
export async function program(name, file, args, options) {
  const result = await run(file, args, options);
  if (result.timedOut) return check(name, false, `killed after ${options.timeout} ms\n${result.output}`);
  return check(name, result.code === 0, result.output);
}

/** A JavaScript tool of node_modules, by its main file, run by this Node.js. */
export const tool = (name, path, args, options) =>
  program(name, process.execPath, [join(ROOT, path), ...args], options);

/**
 * Runs vitest and returns its cases.
 *
 * @param {string[]} args of `vitest run`
 * @param {Context} context
 * @param {Record<string, string>} [env] more of the environment
 * @returns {Promise<Case[]>}
 */
export async function vitest(args, context, env = {}) {
  const folder = join(ROOT, '.tools', 'test');
  const file = join(folder, 'cases.json');
  mkdirSync(folder, { recursive: true });
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=./scripts/lib/reporter.mjs'];
  const command = [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args, ...reporters];
  const result = await run(process.execPath, command, {
    timeout: context.timeout,
    env: { ...env, SYNFIN_CASES: file, NO_COLOR: '1' },
  });
  if (result.code !== 0) context.say(result.output);
  if (!existsSync(file)) return [check('vitest ran to its end', false, result.timedOut ? 'killed: out of time' : '')];
  const cases = JSON.parse(readFileSync(file, 'utf8'));
  // Vitest can fail without a failed case (an error while it shuts down); that must not be lost.
  if (result.code !== 0 && !cases.some((c) => c.state === 'failed')) cases.push(check('vitest exits with 0', false));
  return cases;
}
