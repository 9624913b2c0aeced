// Sequence space of one end as stretches with names (RFC 9293 §3.3.1, figures 3 and 4).

import type { Inspection } from 'synfin';

/** What a stretch of sequence space is. */
type RegionKind = 'acked' | 'flight' | 'unsent' | 'usable' | 'read' | 'readable' | 'window' | 'gap';

/** A stretch of numbers `[from, to)`, int32. */
export interface Region {
  readonly kind: RegionKind;
  readonly from: number;
  readonly to: number;
  readonly length: number;
  /** The variable that stands where it begins, and the one where it ends; empty for none. */
  readonly starts: string;
  readonly ends: string;
}

const NO_STATE: readonly string[] = ['CLOSED', 'LISTEN', 'SYN-SENT'];

function region(kind: RegionKind, from: number, to: number, starts: string, ends: string): Region {
  return { kind, from, to, length: (to - from) | 0, starts, ends };
}

/** Several names for one place, each once. */
function joined(...names: readonly string[]): string {
  return [...new Set(names.flatMap((name) => name.split(' = ')).filter((name) => name !== ''))].join(' = ');
}

/** Stretches that hold something; an empty one hands what stands at its edges on to its neighbours. */
function filled(regions: readonly Region[]): Region[] {
  const kept: Region[] = [];
  let starts = '';
  for (const r of regions) {
    if (r.length > 0) {
      kept.push({ ...r, starts: joined(starts, r.starts) });
      starts = '';
      continue;
    }
    starts = joined(starts, r.starts, r.ends);
  }
  const last = kept.at(-1);
  if (last !== undefined) kept[kept.length - 1] = { ...last, ends: joined(starts, last.ends) };
  return kept;
}

/** What an end sends: acknowledged, in flight, written and waiting, and what the window would still take. */
export function sendRuler(v: Inspection): Region[] {
  const edge = (v.sndUna + v.sndWnd) | 0;
  const written = (v.sndNxt + v.unsent) | 0;
  const room = ((edge - written) | 0) > 0;
  return filled([
    region('acked', v.iss, v.sndUna, 'ISS', ''),
    region('flight', v.sndUna, v.sndNxt, 'SND.UNA', ''),
    region('unsent', v.sndNxt, written, 'SND.NXT', ''),
    region('usable', written, room ? edge : written, '', room ? 'UNA+WND' : ''),
  ]);
}

/** What an end receives: read, waiting to be read, and the window with what arrived early in it. */
export function receiveRuler(v: Inspection): Region[] {
  if (NO_STATE.includes(v.state) && v.rcvNxt === 0) return [];
  const front = (v.rcvNxt - v.readable) | 0;
  const edge = (v.rcvNxt + v.rcvWnd) | 0;
  const regions = [region('read', v.irs, front, 'IRS', ''), region('readable', front, v.rcvNxt, '', '')];
  let at = v.rcvNxt;
  let starts = 'RCV.NXT';
  for (const [from, to] of v.outOfOrder) {
    regions.push(region('window', at, (v.rcvNxt + from) | 0, starts, ''));
    regions.push(region('gap', (v.rcvNxt + from) | 0, (v.rcvNxt + to) | 0, '', ''));
    at = (v.rcvNxt + to) | 0;
    starts = '';
  }
  regions.push(region('window', at, edge, starts, 'NXT+WND'));
  return filled(regions);
}
