// Types of `engines.mjs`, for the test that shares it with the probe.

/** An engine that runs JavaScript. */
export interface Engine {
  readonly name: 'node' | 'bun' | 'deno' | 'chromium';
  /** `null` when it is not installed. */
  readonly path: string | null;
  /** The command that installs it. */
  readonly install: string;
}

export function engines(): Engine[];
export function digestsIn(engine: Engine): Promise<Record<string, string>>;
