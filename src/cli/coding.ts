// Files that lie beside others in a coded form (`page.html.br`), and which of them a client would like best.

import type { Stats } from 'node:fs';

/** Endings of coded files and the codings they stand for (RFC 9110 §8.4.1), the shortest results first. */
const CODINGS: readonly (readonly [ending: string, coding: string])[] = [
  ['.br', 'br'],
  ['.zst', 'zstd'],
  ['.gz', 'gzip'],
];

/** A coded form of a file. */
export interface Coded {
  readonly coding: string;
  readonly path: string;
  readonly stats: Stats;
}

/**
 * How much a client likes `coding`, 0 to 1, by its `Accept-Encoding` (RFC 9110 §12.5.3). Whoever says nothing gets what
 * everybody can read.
 */
export function likes(accept: string | null, coding: string): number {
  const plain = coding === 'identity';
  if (accept === null) return plain ? 1 : 0;
  let any = -1;
  for (const member of accept.split(',')) {
    const match = /^[ \t]*([^\s;]+)[ \t]*(?:;[ \t]*q=([01](?:\.[0-9]{0,3})?))?[ \t]*$/i.exec(member);
    if (match === null) continue;
    const name = match[1]!.toLowerCase();
    const weight = match[2] === undefined ? 1 : Math.min(1, Number(match[2]));
    if (name === coding || name === `x-${coding}`) return weight;
    if (name === '*') any = weight;
  }
  if (any >= 0 && !plain) return any;
  // Plain content is acceptable unless it is ruled out, and less so than what was asked for.
  return plain ? (any === 0 ? 0 : 0.0001) : 0;
}

/**
 * The coded form that a client likes better than the plain file, or `null`.
 *
 * @param look finds a file beside the plain one by its ending; `null` when it is not there or not to be served
 */
export function preferred(
  accept: string | null,
  plain: Stats,
  look: (ending: string) => { readonly path: string; readonly stats: Stats } | null,
): Coded | null {
  let best: Coded | null = null;
  let liking = likes(accept, 'identity');
  for (const [ending, coding] of CODINGS) {
    const liked = likes(accept, coding);
    if (liked <= liking) continue;
    const beside = look(ending);
    // One that is older was made of something else.
    if (beside === null || beside.stats.mtimeMs < plain.mtimeMs) continue;
    best = { coding, ...beside };
    liking = liked;
  }
  return best;
}
