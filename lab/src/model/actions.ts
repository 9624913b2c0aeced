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

/** A command in the place of a program; `get` asks for a page where the program is a browser. */
export interface CommandAction {
  readonly kind: 'send' | 'get' | 'close' | 'abort';
  readonly at: number;
  readonly end: End;
  /** What is sent or asked for; empty for the other kinds. */
  readonly text: string;
}

/** What can be changed in mid-flight, with its least and its greatest value. */
export const KNOBS = {
  /** Time each way, ms. */
  delay: { ends: false, least: 1, most: 2000 },
  /** Segments that the path loses by chance, percent. */
  loss: { ends: false, least: 0, most: 90 },
  /** Kilobytes per second that the path carries; 0 for no limit. */
  rate: { ends: false, least: 0, most: 10_000 },
  /** Octets of an end's receive buffer. */
  window: { ends: true, least: 256, most: 1_000_000 },
  /** Nagle's algorithm: 0 off, 1 on. */
  nagle: { ends: true, least: 0, most: 1 },
  /** Place in `CONGESTION_CONTROLS`. */
  congestion: { ends: true, least: 0, most: 1 },
  /** Whether the program reads what comes: 0 no, 1 yes. */
  reads: { ends: true, least: 0, most: 1 },
} as const;

/** The name of a knob. */
export type Knob = keyof typeof KNOBS;

/** Congestion control by name, in the order of the knob's values. */
export const CONGESTION_CONTROLS = ['cubic', 'newreno'] as const;

/** A knob that is turned. */
export interface KnobAction {
  readonly kind: 'set';
  readonly at: number;
  readonly knob: Knob;
  /** Whose it is; the path's have none. */
  readonly end: End | '';
  readonly value: number;
}

/** A segment made by hand: numbers are told from where the receiver stands, so that they mean something. */
export interface Forged {
  /** Header flags as on the wire. */
  readonly flags: number;
  /** SEQ minus the receiver's RCV.NXT. */
  readonly seq: number;
  /** ACK minus the receiver's SND.NXT. */
  readonly ack: number;
  readonly wnd: number;
  readonly text: string;
}

/** A segment made by hand that looks as if `end` had sent it. */
export interface ForgeAction {
  readonly kind: 'forge';
  readonly at: number;
  readonly end: End;
  readonly segment: Forged;
}

/** One thing a visitor did. */
export type Action = PacketAction | CommandAction | KnobAction | ForgeAction;

/** A run: everything follows from these three. */
export interface RunSpec {
  readonly scenario: string;
  readonly seed: number;
  readonly actions: readonly Action[];
}

/** What can be done to a segment, in the order of its buttons. */
export const FATES: readonly Fate[] = ['drop', 'delay', 'duplicate', 'corrupt', 'linger'];
const COMMANDS: readonly string[] = ['send', 'get', 'close', 'abort'];
/** More than anybody does by hand; a URL may come from anywhere. */
const MOST_ACTIONS = 200;
/** Most octets of one text, so that a run stays small. */
const MOST_TEXT = 2000;
/** Sequence numbers by hand go as far as a window can: half of the space is ahead, half behind (RFC 9293 §3.4). */
const FARTHEST = 0x7fff_ffff;

/** Whether the action concerns a segment in flight. */
export function isPacketAction(action: Action): action is PacketAction {
  return 'packet' in action;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('~', '%7E');
}

function writeAction(a: Action): string {
  if (isPacketAction(a)) return `${a.kind}.${a.packet}@${a.at}`;
  if (a.kind === 'set') return `set.${a.knob}${a.end === '' ? '' : `.${a.end}`}@${a.at}:${a.value}`;
  if (a.kind === 'forge') {
    const { flags, seq, ack, wnd, text } = a.segment;
    return `forge.${a.end}@${a.at}:${[flags, seq, ack, wnd].join(',')},${encode(text)}`;
  }
  return `${a.kind}.${a.end}@${a.at}${a.kind === 'send' || a.kind === 'get' ? `:${encode(a.text)}` : ''}`;
}

/** `drop.12@230.5~send.client@300.2:hello`: what `readActions` reads. */
export function writeActions(actions: readonly Action[]): string {
  return actions.map(writeAction).join('~');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text).slice(0, MOST_TEXT);
  } catch (error) {
    if (error instanceof URIError) return text.slice(0, MOST_TEXT);
    throw error;
  }
}

function isEnd(word: string): word is End {
  return word === 'client' || word === 'server';
}

function readKnob(what: string, at: number, said: string): Action | null {
  const [knob = '', end = ''] = what.split('.');
  if (!Object.hasOwn(KNOBS, knob)) return null;
  const { ends, least, most } = KNOBS[knob as Knob];
  const value = Number(said);
  if (said === '' || !(value >= least && value <= most) || ends !== isEnd(end)) return null;
  return { kind: 'set', at, knob: knob as Knob, end: isEnd(end) ? end : '', value };
}

function readForged(end: End, at: number, said: string): Action | null {
  const [flags = '', seq = '', ack = '', wnd = '', ...rest] = said.split(',');
  const numbers = [flags, seq, ack, wnd].map(Number);
  const [f = -1, s = 0, a = 0, w = -1] = numbers;
  const whole = [flags, seq, ack, wnd].every((word) => /^-?\d+$/.test(word));
  if (!whole || f < 0 || f > 255 || w < 0 || w > 0xffff || Math.abs(s) > FARTHEST || Math.abs(a) > FARTHEST)
    return null;
  return { kind: 'forge', at, end, segment: { flags: f, seq: s, ack: a, wnd: w, text: decode(rest.join(',')) } };
}

function readAction(word: string): Action | null {
  const match = /^(\w+)\.([\w.]+)@(\d+(?:\.\d+)?)(?::(.*))?$/s.exec(word);
  if (match === null) return null;
  const [, kind = '', what = '', when = '', said = ''] = match;
  const at = Number(when);
  if ((FATES as readonly string[]).includes(kind)) {
    return /^\d+$/.test(what) ? { kind: kind as Fate, at, packet: Number(what) } : null;
  }
  if (kind === 'set') return readKnob(what, at, said);
  if (!isEnd(what)) return null;
  if (kind === 'forge') return readForged(what, at, said);
  if (!COMMANDS.includes(kind)) return null;
  const command = kind as CommandAction['kind'];
  return { kind: command, at, end: what, text: command === 'send' || command === 'get' ? decode(said) : '' };
}

/** Reads what `writeActions` wrote; what makes no sense is left out. */
export function readActions(text: string): Action[] {
  const words = text.split('~').slice(0, MOST_ACTIONS);
  return words
    .map(readAction)
    .filter((action) => action !== null)
    .sort((a, b) => a.at - b.at);
}

/** The actions after something is done at `action.at`: what was done later in the old future is gone. */
export function fork(actions: readonly Action[], action: Action): Action[] {
  const kept = actions.filter((a) => a.at <= action.at);
  // A segment has one fate: the last word counts.
  const others = isPacketAction(action) ? kept.filter((a) => !(isPacketAction(a) && a.packet === action.packet)) : kept;
  return [...others, action];
}

/** How a knob stands at a time, by what was done up to it; `otherwise` when nobody has touched it. */
export function knobAt(actions: readonly Action[], knob: Knob, end: End | '', at: number, otherwise: number): number {
  let value = otherwise;
  for (const a of actions) if (a.kind === 'set' && a.knob === knob && a.end === end && a.at <= at) value = a.value;
  return value;
}
