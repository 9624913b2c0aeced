// `node --import synfin/register app.mjs`: reads the configuration and puts an unmodified program on its networks.

import { existsSync } from 'node:fs';
import process from 'node:process';
import { ConfigError, readConfig } from './config.ts';
import { patch } from './patch.ts';
import { Routes } from './routes.ts';

/** The configuration when the environment names none, if it is there. */
const FILE = 'synfin.json';

function start(): void {
  const file = process.env['SYNFIN_CONFIG'] ?? (existsSync(FILE) ? FILE : '');
  try {
    patch(new Routes(readConfig(file)));
  } catch (error) {
    const known = error instanceof ConfigError || (error as { code?: unknown }).code !== undefined;
    if (!known) throw error;
    process.stderr.write(`synfin/register: ${(error as Error).message}\n`);
    process.exit(2);
  }
}

start();
