// Prints which of our scripts reach which cell of the table "state by event" of RFC 9293 §3.10, as seen while they run,
// and fails where a cell has neither a script nor a reason why it cannot be reached.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, filesBelow } from './lib/build.mjs';
import { cellsOf, EVENTS, faultsOf, IMPOSSIBLE, STATES, tableOf } from './lib/drill-matrix.mjs';
import { ROOT } from './lib/proc.mjs';

const FOLDER = join(ROOT, 'test', 'drill', 'scripts');

async function main() {
  await ensureBuilt((line) => process.stderr.write(`${line}\n`));
  const { runScript } = await import('../dist/drill/index.js');
  const runs = [];
  const faults = [];
  for (const file of filesBelow(FOLDER).filter((name) => name.endsWith('.pkt'))) {
    const { outcome, failure, observed } = runScript(readFileSync(join(FOLDER, file), 'utf8'), { strict: true });
    if (outcome === 'passed') runs.push({ file, observed });
    else faults.push(`${file}:${failure.line}:${failure.column}: ${failure.message}`);
  }
  const cells = cellsOf(runs);
  for (const [event, section] of EVENTS) {
    for (const state of STATES) {
      const key = `${state} ${event}`;
      const files = [...(cells.get(key) ?? [])].sort();
      const shown = files.length > 6 ? [...files.slice(0, 6), `and ${files.length - 6} more`] : files;
      const text = files.length > 0 ? shown.join(', ') : (IMPOSSIBLE.get(key) ?? 'NOTHING');
      console.log(`${key} (§${section}): ${text}`);
    }
  }
  console.log(`\n${tableOf(cells)}\n`);
  faults.push(...faultsOf(cells));
  for (const fault of faults) console.error(fault);
  const all = STATES.length * EVENTS.length;
  console.log(`${runs.length} scripts, ${cells.size} of ${all} cells reached, ${IMPOSSIBLE.size} impossible`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
