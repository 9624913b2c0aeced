// The scripts that a command line names: files as they are, folders for all scripts in them and below.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Misuse } from './io.ts';

/** Deepest folder that is looked into: links that lead in circles end here. */
const DEPTH = 32;

/** Paths of scripts, sorted within each folder. Throws `Misuse` for what is not there and for a folder without any. */
export function scriptFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) throw new Misuse(`${path}: there is no such file`);
    if (!stat.isDirectory()) return [path];
    const found = below(path, DEPTH);
    if (found.length === 0) throw new Misuse(`${path}: no *.pkt file in it`);
    return found;
  });
}

function below(folder: string, depth: number): string[] {
  if (depth === 0) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return below(path, depth - 1);
    return entry.isFile() && entry.name.endsWith('.pkt') ? [path] : [];
  });
}
