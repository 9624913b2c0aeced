// Reads a script: option lines, then events, each a time and what happens at it.

import { Cursor, type Place, ScriptError } from './cursor.ts';
import { parseCall } from './parse-call.ts';
import { parsePacket } from './parse-packet.ts';
import type { Action, Script, ScriptEvent, ScriptOption, When } from './script.ts';

const OPTION = /--([A-Za-z0-9_]+)(?:=("[^"\n]*"|[^\s`]+))?/y;
const TIME = /\d*\.\d+|\d+/y;

/**
 * Reads a script.
 *
 * @param text the whole of it
 * @throws {ScriptError} where it cannot be read; its `place` says where
 */
export function parseScript(text: string): Script {
  const c = new Cursor(text);
  const options = parseOptions(c);
  const events: ScriptEvent[] = [];
  const zero: When = { kind: 'relative', from: 0, to: 0, range: false };
  while (!c.ended) {
    const place = c.place();
    const from = c.at;
    // Commands may stand without a time, as the first and as the last thing.
    const when = c.sees('`') ? zero : parseWhen(c);
    const action = parseAction(c, when, place);
    events.push({ when, action, place, text: c.text.slice(from, c.at).replace(/\s+/g, ' ') });
  }
  if (events.length === 0) c.fail('the script has no events');
  return { options, events };
}

function parseOptions(c: Cursor): ScriptOption[] {
  const options: ScriptOption[] = [];
  while (c.sees('--')) {
    const place = c.place();
    const found = c.match(OPTION);
    if (found === null) c.expected('an option, as --name=value');
    options.push({ name: found[1] ?? '', value: (found[2] ?? '').replace(/^"|"$/g, ''), place });
  }
  return options;
}

/** Longest time of a script, seconds: 31 years. */
const LONGEST = 1_000_000_000;

/** Microseconds, exactly: what stands behind the sixth digit is dropped. */
function parseTime(c: Cursor): number {
  const at = c.next;
  const text = c.match(TIME)?.[0] ?? c.expected('a time in seconds');
  const [whole = '', fraction = ''] = text.split('.');
  if (Number(whole) > LONGEST) c.fail(`a time is ${LONGEST} seconds at most`, at);
  return Number(whole === '' ? '0' : whole) * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

function parseWhen(c: Cursor): When {
  if (c.takes('*')) return { kind: 'any', from: 0, to: 0, range: false };
  const relative = c.takes('+');
  const kind = relative ? 'relative' : 'absolute';
  if (!relative && !/[\d.]/.test(c.text[c.next] ?? '')) c.expected('the time of an event (0.1, +0.1, +0~+0.1 or *)');
  const from = parseTime(c);
  if (!c.takes('~')) return { kind, from, to: from, range: false };
  if (relative) c.needs('+');
  const at = c.next;
  const to = parseTime(c);
  if (to < from) c.fail('the range ends before it begins', at);
  return { kind, from, to, range: true };
}

function parseAction(c: Cursor, when: When, place: Place): Action {
  if (c.takes('`')) return { kind: 'command', text: c.until('`', 'a command') };
  if (c.takes('%{')) return { kind: 'assert', place: c.place(c.at), text: c.until('}%', 'a block of assertions') };
  if (c.sees('<') || c.sees('>')) return { kind: 'packet', packet: parsePacket(c) };
  let end = -1;
  if (c.takes('...')) {
    if (when.kind === 'any' || when.range) throw new ScriptError('a call that waits begins at one moment', place);
    end = parseTime(c);
    if (end < when.from) throw new ScriptError('the call returns before it begins', place);
  }
  if (c.peekWord() === '') c.expected("a packet ('<' or '>'), a call, a command or an assertion");
  return { kind: 'call', call: parseCall(c, end) };
}
