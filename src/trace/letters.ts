// Sequence numbers as the story writes them: x and y for the two initial numbers, u and w for the two
// FINs, and everything else as an offset from the nearest letter before it.

import { seqDiff } from '../base/seq.ts';
import { type Conversation, type Crossing, type EndNumbers, otherSide, type Side } from './conversation.ts';

/** Writes the numbers of one conversation. */
export interface Letters {
  /** Letter of the initial sequence number of an end: `x` for the one that opens, `y` for the other. */
  start(side: Side): 'x' | 'y';
  /** Letter of an end's FIN: `u` for the one that closes first, `w` for the other. */
  fin(side: Side): 'u' | 'w';
  /**
   * A number of `side`'s sequence space, as a segment at `index` among the crossings has it: `u` and `w` are
   * named when their FIN is sent, not before. The last segment's view when `index` is absent.
   */
  number(side: Side, value: number, index?: number): string;
  /** A number of `side`'s sequence space, from its initial number even behind its FIN: `x+79`. */
  fromStart(side: Side, value: number): string;
  /** The sequence number of a segment. */
  seq(crossing: Crossing): string;
  /** The acknowledgement number of a segment. */
  ack(crossing: Crossing): string;
}

function offset(letter: string, distance: number): string {
  return distance === 0 ? letter : distance > 0 ? `${letter}+${distance}` : `${letter}${distance}`;
}

/** The letters of a conversation. An end whose SYN nobody saw has plain numbers. */
export function letters(conversation: Conversation): Letters {
  const { numbers, closer } = conversation;
  const start = (side: Side): 'x' | 'y' => (side === 'left' ? 'x' : 'y');
  const fin = (side: Side): 'u' | 'w' => (side === (closer === 'right' ? 'right' : 'left') ? 'u' : 'w');
  const fromStart = (side: Side, value: number): string => {
    const end: EndNumbers = numbers[side];
    return end.opened ? offset(start(side), seqDiff(value, end.iss)) : String(value >>> 0);
  };
  const number = (side: Side, value: number, index = Number.POSITIVE_INFINITY): string => {
    const end: EndNumbers = numbers[side];
    if (end.closed && index >= end.finIndex && seqDiff(value, end.fin) >= 0)
      return offset(fin(side), seqDiff(value, end.fin));
    return fromStart(side, value);
  };
  return {
    start,
    fin,
    number,
    fromStart,
    seq: (c) => number(c.from, c.seq, c.index),
    ack: (c) => number(otherSide(c.from), c.ack, c.index),
  };
}
