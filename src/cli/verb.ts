// The frame of a verb: its options are read, its errors become one line and an exit status.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { NetError } from '../base/errors.ts';
import { HttpError } from '../http/index.ts';
import { TunError } from '../link/tun.ts';
import { type CliIo, EXIT_FAILED, EXIT_MISUSE, Misuse } from './io.ts';

/** Result of `parseArgs` for a set of options. */
export type Parsed<O extends NonNullable<ParseArgsConfig['options']>> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true; strict: true }>
>;

/** Reads the command line of a verb. Throws `Misuse` for what `parseArgs` does not take. */
export function readArgs<O extends NonNullable<ParseArgsConfig['options']>>(argv: string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true });
  } catch (error) {
    // Its messages have advice on a second line; the first says what is wrong.
    if (error instanceof TypeError) throw new Misuse(error.message.split('\n')[0]?.split('. To specify')[0] ?? '');
    throw error;
  }
}

/** Runs a verb's work: errors that a user can meet become one line on stderr; all others are faults of ours. */
export async function guarded(verb: string, io: CliIo, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Misuse) {
      io.stderr.write(`synfin ${verb}: ${error.message} (--help: ${io.lang === 'zh' ? '用法' : 'how to use it'})\n`);
      return EXIT_MISUSE;
    }
    const system = error instanceof Error && 'syscall' in error;
    if (error instanceof TunError || error instanceof NetError || error instanceof HttpError || system) {
      io.stderr.write(`synfin ${verb}: ${error.message}\n`);
      return EXIT_FAILED;
    }
    throw error;
  }
}
