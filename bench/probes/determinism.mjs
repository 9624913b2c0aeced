// Probe: does the same run give the same digest in two processes, and on Node, Bun, Deno and Chromium?
//
//   node bench/probes/determinism.mjs [--json]
//
// Needs dist/ (npm run build). Engines that are not installed are named with what installs them.

import { parseArgs } from 'node:util';
import { digestsIn, engines } from './engines.mjs';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const all = engines();
// Node twice: the second process shows that nothing comes from addresses, time or hash seeds.
const runs = [all[0], ...all].map((engine, index) => ({ ...engine, label: index === 1 ? 'node again' : engine.name }));
let reference = null;
let same = true;
for (const engine of runs) {
  if (engine.path === null) {
    if (!values.json) console.log(`${engine.label.padEnd(11)} not installed: ${engine.install}`);
    continue;
  }
  const digests = await digestsIn(engine);
  reference ??= digests;
  const agrees = JSON.stringify(digests) === JSON.stringify(reference);
  same &&= agrees;
  if (values.json) console.log(JSON.stringify({ engine: engine.label, agrees, ...digests }));
  else {
    const parts = Object.entries(digests).map(([part, digest]) => `${part} ${digest}`);
    console.log(`${engine.label.padEnd(11)} ${parts.join('  ')}  ${agrees ? 'equal' : 'DIFFERENT'}`);
  }
}
process.exitCode = same ? 0 : 1;
