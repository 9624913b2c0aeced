// Types of `drill-matrix.mjs`, for the tests.

import type { Observation } from '../../src/drill/index.ts';

export const STATES: readonly string[];
export const EVENTS: readonly (readonly [string, string])[];
export const IMPOSSIBLE: ReadonlyMap<string, string>;
export function cellsOf(
  runs: readonly { readonly file: string; readonly observed: readonly Observation[] }[],
): Map<string, Set<string>>;
export function faultsOf(cells: ReadonlyMap<string, ReadonlySet<string>>): string[];
export function tableOf(cells: ReadonlyMap<string, ReadonlySet<string>>): string;
