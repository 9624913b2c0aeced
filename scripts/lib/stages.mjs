// Runs the stages of `npm test` in order, prints each with its time, and adds up their cases.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as basics from '../stages/basics.mjs';
import { compat } from '../stages/compat.mjs';
import { docs } from '../stages/docs.mjs';
import { interop } from '../stages/interop.mjs';
import { lab } from '../stages/lab.mjs';
import { nodeTests } from '../stages/node-tests.mjs';
import { packed } from '../stages/package.mjs';
import { runtimes } from '../stages/runtimes.mjs';
import { story } from '../stages/story.mjs';
import { system } from '../stages/system.mjs';
import { check } from './cases.mjs';
import { ROOT } from './proc.mjs';

/** Every stage: its name, how many seconds it may take, and what it does. */
const STAGES = [
  ['install', 180, basics.install],
  ['system', 300, system],
  ['build', 60, basics.build],
  ['types', 60, basics.types],
  ['lint', 60, basics.lint],
  ['house', 60, basics.house],
  ['unit', 300, basics.unit],
  ['slow', 420, basics.slow],
  ['interop', 300, interop],
  ['compat', 240, compat],
  ['node-tests', 360, nodeTests],
  ['runtimes', 300, runtimes],
  ['lab', 180, lab],
  ['story', 60, story],
  ['package', 120, packed],
  ['docs', 30, docs],
];

const USAGE = `npm test [-- --only STAGE,...]   stages: ${STAGES.map(([name]) => name).join(', ')}`;

/** The stages asked for, or `null` when the arguments make no sense. */
function selected(args) {
  try {
    const { values } = parseArgs({ args, options: { only: { type: 'string', multiple: true } } });
    if (values.only === undefined) return STAGES;
    const names = values.only.flatMap((list) => list.split(','));
    const stages = STAGES.filter(([name]) => names.includes(name));
    return stages.length === new Set(names).size ? stages : null;
  } catch {
    return null;
  }
}

/** Skips that the committed list expects, as `stage: name` beginnings. */
function allowedSkips() {
  const list = JSON.parse(readFileSync(join(ROOT, 'scripts', 'allowed-skips.json'), 'utf8'));
  return list.map((entry) => entry.skip);
}

async function runStage([name, budget, body], say) {
  const began = process.hrtime.bigint();
  let cases;
  try {
    // Twice its budget and a stage is taken to hang.
    cases = await body({ timeout: budget * 2000, say });
  } catch (error) {
    cases = [check(`the stage ${name} runs`, false, error.stack)];
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const count = (state) => cases.filter((c) => c.state === state).length;
  const late = seconds > budget ? '  OVER BUDGET' : '';
  const numbers = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
  say(`${name.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s of ${String(budget).padStart(3)} s  ${numbers}${late}`);
  for (const c of cases.filter((c) => c.state === 'failed')) say(`  FAILED ${c.name}\n${c.note ?? ''}`.trimEnd());
  return cases.map((c) => ({ ...c, name: `${name}: ${c.name}` }));
}

/** Prints the skips and the closing line; returns the exit status. */
function summary(cases, say) {
  const of = (state) => cases.filter((c) => c.state === state);
  const allowed = allowedSkips();
  const surprises = of('skipped').filter((c) => !allowed.some((start) => c.name.startsWith(start)));
  for (const c of of('skipped')) say(`skipped   ${c.name}: ${c.note}`);
  const strict = process.env.CI === 'true' && surprises.length > 0;
  if (strict)
    say(`CI=true allows no skips but those in scripts/allowed-skips.json; ${surprises.length} are not in it.`);
  // A surprising skip counts as a failure in CI, so that the line and the exit status agree.
  const failed = of('failed').length + of('pending').length + (strict ? surprises.length : 0);
  const skipped = of('skipped').length - (strict ? surprises.length : 0);
  say(`${of('passed').length} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed > 0 || of('passed').length === 0 ? 1 : 0;
}

/**
 * Runs the stages.
 *
 * @param {string[]} args the command line
 * @returns {Promise<number>} exit status: 0 all passed, 1 something failed, 2 misuse
 */
export async function main(args) {
  const say = (line) => process.stdout.write(`${line}\n`);
  const stages = selected(args);
  if (stages === null) {
    say(USAGE);
    return 2;
  }
  const cases = [];
  for (const stage of stages) {
    const found = await runStage(stage, say);
    cases.push(...found);
    // Without the tools nothing after it can run.
    if (stage[0] === 'install' && found.some((c) => c.state === 'failed')) break;
  }
  return summary(cases, say);
}
