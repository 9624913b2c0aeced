// Congestion control by name, for snapshots: a connection that moves says what governed it.

import type { CongestionControl } from '../../base/congestion.ts';
import { bbr } from './bbr.ts';
import { cubic } from './cubic.ts';
import { integerCubic } from './cubic-integer.ts';
import { newReno } from './newreno.ts';

const CONTROLS: Readonly<Record<string, CongestionControl>> = {
  bbr,
  cubic,
  'cubic-integer': integerCubic,
  newreno: newReno,
};

/** The kind of congestion control whose controllers have this name; `null` for none of ours. */
export function controlNamed(name: string): CongestionControl | null {
  return Object.hasOwn(CONTROLS, name) ? CONTROLS[name]! : null;
}
