// Types of `engines.mjs`, for the test that shares it with the probe.

/** An engine that runs JavaScript. */
export interface Engine {
  readonly name: 'node' | 'node22' | 'node24' | 'node26' | 'bun' | 'deno' | 'chromium';
  /** `null` when it is not installed. */
  readonly path: string | null;
  /** The command that installs it. */
  readonly install: string;
}

export function engines(): Engine[];
export function runIn(
  engine: Engine,
  module: string,
  how?: { readonly worker?: boolean; readonly strict?: boolean },
): Promise<unknown>;
export function digestsIn(engine: Engine): Promise<Record<string, string>>;
