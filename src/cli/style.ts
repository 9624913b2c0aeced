// Colour on the terminal: only where there is one, and never against NO_COLOR.

import { styleText } from 'node:util';
import type { Part } from '../trace/index.ts';
import type { CliIo } from './io.ts';

/** Decorates a part of a ladder's line. */
export type Style = (part: Part, text: string) => string;

type Format = Parameters<typeof styleText>[0];

const FORMATS: Readonly<Record<Part, Format | null>> = {
  title: 'bold',
  section: ['bold', 'cyan'],
  time: 'dim',
  state: null,
  label: null,
  arrow: 'cyan',
  hurt: ['bold', 'red'],
  say: 'bold',
  exact: null,
  note: 'dim',
  fold: 'dim',
};

/** A state's colour, by the part of life that it belongs to. */
function stateFormat(text: string): Format {
  const state = text.trim();
  if (state === 'ESTABLISHED') return 'green';
  if (state.startsWith('SYN')) return 'yellow';
  if (state.startsWith('FIN') || state === 'CLOSING') return 'magenta';
  if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') return 'blue';
  if (state === 'TIME-WAIT') return ['magenta', 'bold'];
  return 'dim';
}

/** Whether to use colour (https://no-color.org: NO_COLOR counts when it is not empty). */
function wantsColour(io: CliIo): boolean {
  return io.stdout.isTTY === true && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb';
}

/** The style for these surroundings: colours, or nothing at all. */
export function styleFor(io: CliIo): Style {
  if (!wantsColour(io)) return (_part, text) => text;
  return (part, text) => {
    const format = part === 'state' ? stateFormat(text) : FORMATS[part];
    // Whether there is a terminal has been settled above.
    return format === null ? text : styleText(format, text, { validateStream: false });
  };
}
