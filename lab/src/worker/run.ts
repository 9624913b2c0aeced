// The worker: the stack runs here, away from the page. A run is asked for and comes back whole.

import type { RunSpec } from '../model/actions.ts';
import type { RunRecord } from '../model/record.ts';
import { simulate } from '../model/run.ts';

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

port.onmessage = ({ data }) => {
  const { id, spec } = data;
  try {
    port.postMessage({ id, record: simulate(spec), error: '' });
  } catch (error) {
    port.postMessage({ id, record: null, error: error instanceof Error ? error.message : String(error) });
  }
};
