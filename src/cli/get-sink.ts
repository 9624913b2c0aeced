// Where `synfin get` puts what it downloads: a file that is whole or not there, or standard output.

import { closeSync, openSync, renameSync, type Stats, statSync, utimesSync, writeSync } from 'node:fs';
import type { CliIo } from './io.ts';

/** Where content goes. */
export interface Sink {
  /** False asks to wait until `drained` is called. */
  write(bytes: Uint8Array, drained: () => void): boolean;
  /** Everything came. */
  done(): void;
  /** Not everything came; returns what is left of it, in words, or an empty string. */
  failed(): string;
}

/** The beginning of a file from an earlier run. */
export interface Kept {
  readonly octets: number;
  /** When the server changed the file, as it said then; or when we stopped, which the server will not agree to. */
  readonly changed: Date;
}

/** The name under which a file grows. */
function partOf(path: string): string {
  return `${path}.part`;
}

/** What an earlier run left of `path`; `null` when it left nothing. */
export function keptOf(path: string): Kept | null {
  let stats: Stats;
  try {
    stats = statSync(partOf(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return stats.size === 0 ? null : { octets: stats.size, changed: stats.mtime };
}

/** Standard output. */
export function outputSink(io: CliIo): Sink {
  const { stdout } = io;
  const write = (bytes: Uint8Array, drained: () => void): boolean => {
    // The bytes are borrowed, and a stream may write them later.
    if (stdout.write(new Uint8Array(bytes)) !== false || stdout.once === undefined) return true;
    stdout.once('drain', drained);
    return false;
  };
  return { write, done: () => {}, failed: () => '' };
}

/**
 * A file, by way of its part.
 *
 * @param from octets of the part that stay; the content goes on behind them
 * @param changed when the server says that the file was changed, if it does: the part remembers it
 */
export function fileSink(path: string, from: number, changed: Date | null): Sink {
  const part = partOf(path);
  const fd = openSync(part, from === 0 ? 'w' : 'r+');
  let octets = from;
  return {
    write: (bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, octets + at);
      octets += bytes.length;
      return true;
    },
    done: () => {
      closeSync(fd);
      renameSync(part, path);
    },
    failed: () => {
      closeSync(fd);
      if (changed !== null) utimesSync(part, changed, changed);
      return ` (${octets} octets are in ${part})`;
    },
  };
}
