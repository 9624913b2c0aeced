// What a visitor does to a run, and how it is written in a URL.

import type { End, Fate } from './scenario.ts';

/** Something done to a segment in flight. */
export interface PacketAction {
  readonly kind: Fate;
  /** When it was done, ms: only for show; the path decides when the segment enters it. */
  readonly at: number;
  /** The segment's number in the run. */
  readonly packet: number;
}

/** A command in the place of a program. */
export interface CommandAction {
  readonly kind: 'send' | 'close' | 'abort';
  readonly at: number;
  readonly end: End;
  /** What is sent; empty for the other kinds. */
  readonly text: string;
}

/** One thing a visitor did. */
export type Action = PacketAction | CommandAction;

/** A run: everything follows from these three. */
export interface RunSpec {
  readonly scenario: string;
  readonly seed: number;
  readonly actions: readonly Action[];
}

const FATES: readonly string[] = ['drop', 'delay', 'duplicate', 'corrupt'];
const COMMANDS: readonly string[] = ['send', 'close', 'abort'];
/** More than anybody does by hand; a URL may come from anywhere. */
const MOST_ACTIONS = 200;

/** Whether the action concerns a segment in flight. */
export function isPacketAction(action: Action): action is PacketAction {
  return 'packet' in action;
}

/** `drop.12@230.5~send.client@300.2.hello`: what `readActions` reads. */
export function writeActions(actions: readonly Action[]): string {
  return actions
    .map((a) => {
      if (isPacketAction(a)) return `${a.kind}.${a.packet}@${a.at}`;
      return `${a.kind}.${a.end}@${a.at}${a.kind === 'send' ? `:${encodeURIComponent(a.text).replaceAll('~', '%7E')}` : ''}`;
    })
    .join('~');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** Reads what `writeActions` wrote; what makes no sense is left out. */
export function readActions(text: string): Action[] {
  const actions: Action[] = [];
  for (const word of text.split('~').slice(0, MOST_ACTIONS)) {
    const match = /^(\w+)\.(\w+)@(\d+(?:\.\d+)?)(?::(.*))?$/s.exec(word);
    if (match === null) continue;
    const [, kind = '', what = '', when = '', said = ''] = match;
    const at = Number(when);
    if (FATES.includes(kind) && /^\d+$/.test(what)) actions.push({ kind: kind as Fate, at, packet: Number(what) });
    else if (COMMANDS.includes(kind) && (what === 'client' || what === 'server')) {
      actions.push({ kind: kind as CommandAction['kind'], at, end: what, text: kind === 'send' ? decode(said) : '' });
    }
  }
  return actions.sort((a, b) => a.at - b.at);
}

/** The actions after something is done at `action.at`: what was done later in the old future is gone. */
export function fork(actions: readonly Action[], action: Action): Action[] {
  const kept = actions.filter((a) => a.at <= action.at);
  // A segment has one fate: the last word counts.
  const others = isPacketAction(action) ? kept.filter((a) => !(isPacketAction(a) && a.packet === action.packet)) : kept;
  return [...others, action];
}
