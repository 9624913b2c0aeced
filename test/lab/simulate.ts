// Runs as the lab's worker makes them, for tests.

import type { RunSpec } from '../../lab/src/model/actions.ts';
import type { RunRecord } from '../../lab/src/model/record.ts';
import { simulate as make } from '../../lab/src/model/run.ts';
import { webActors } from '../../lab/src/model/web.ts';

/** Makes a run of any scenario. */
export function simulate(spec: RunSpec): RunRecord {
  return make(spec, webActors);
}
