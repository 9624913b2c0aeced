// Runs the workload of the determinism probe and prints its digests: Node, Bun and Deno all run this file.

import { run } from './determinism-workload.mjs';

console.log(JSON.stringify(await run()));
