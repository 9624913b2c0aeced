#!/usr/bin/env node
// The entry of the `synfin` command: gives it the process.

import { command } from './command.ts';

/** The reader of a pipe has gone (`synfin demo | head`): nobody is left to complain to. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

process.stdout.on('error', endQuietly);
process.stderr.on('error', endQuietly);

const { stdout, stderr, env } = process;
command(process.argv.slice(2), { stdout, stderr, env }).then((status) => {
  process.exitCode = status;
});
