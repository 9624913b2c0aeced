// The worker: the stack runs here, away from the page. A run is asked for and comes back whole.

import type { RunSpec } from '../model/actions.ts';
import type { RunRecord } from '../model/record.ts';
import { simulate } from '../model/run.ts';
import { scenarioOf } from '../model/scenarios.ts';

/** What the page asks. */
export interface Request {
  readonly id: number;
  readonly spec: RunSpec;
}

/** What it gets: a run, or why there is none. */
export interface Response {
  readonly id: number;
  readonly record: RunRecord | null;
  readonly error: string;
}

const port = self as unknown as {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(response: Response): void;
};

/** HTTP is fetched when somebody wants it: most visitors look at TCP. */
async function make(spec: RunSpec): Promise<RunRecord> {
  if (!scenarioOf(spec.scenario).web) return simulate(spec);
  const { webActors } = await import('../model/web.ts');
  return simulate(spec, webActors);
}

port.onmessage = ({ data: { id, spec } }) => {
  make(spec).then(
    (record) => port.postMessage({ id, record, error: '' }),
    (error) => port.postMessage({ id, record: null, error: error instanceof Error ? error.message : String(error) }),
  );
};
