// Runs the command inside the test and collects what it prints.

import { command } from '../../src/cli/command.ts';

/** What a command printed, and its exit status. */
export interface Collected {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `synfin ARGV...` with an environment of its own. */
export async function collect(
  argv: readonly string[],
  env: Record<string, string> = {},
  isTTY = false,
): Promise<Collected> {
  const lines: { out: string; err: string } = { out: '', err: '' };
  const writer = (key: 'out' | 'err') => ({
    isTTY,
    write: (data: string | Uint8Array) => {
      lines[key] += typeof data === 'string' ? data : new TextDecoder().decode(data);
      return true;
    },
  });
  const status = await command(argv, { stdout: writer('out'), stderr: writer('err'), env });
  return { status, ...lines };
}
