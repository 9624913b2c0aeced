// One host's own ladder, a line an event as it happens: for a server that shows what it does.
//
// Only one end is known here, so there is one state column, and the peer is named by its address.

import type { SegmentEvent, TraceEvent } from '../base/trace.ts';
import { ACK, FIN, SYN } from './conversation.ts';
import { flagWords } from './ladder.ts';
import { padEnd, padStart } from './width.ts';

/** Numbers of a connection, to show offsets from. */
interface Known {
  /** Initial numbers of this host and of the peer, int32. */
  own: number;
  peer: number;
  hasOwn: boolean;
  hasPeer: boolean;
}

/**
 * Turns the events of one host into lines of at most 80 columns.
 *
 * @example
 * const live = new LiveLadder();
 * const host = new Host({ key, trace: (event) => { for (const line of live.push(event)) print(line); } });
 */
export class LiveLadder {
  readonly #known: Map<string, Known> = new Map();
  #start = -1;
  /** A connection that has reached CLOSED: its numbers go once its last segment has been shown. */
  #ended = '';

  /** The lines of one event; none for what has no line. */
  push(event: TraceEvent): string[] {
    if (this.#start < 0) this.#start = event.at;
    const time = padStart(String(Math.round(event.at - this.#start)), 7);
    if (this.#ended !== '' && (event.type === 'path' || key(event) !== this.#ended)) {
      this.#known.delete(this.#ended);
      this.#ended = '';
    }
    if (event.type === 'segment') return [`${time} ${this.#segment(event)}`.trimEnd()];
    if (event.type === 'state') {
      if (event.to === 'CLOSED') this.#ended = key(event);
      return [`${time} ${connection(event.conn)} ${event.from} > ${event.to} (${event.cause})`];
    }
    if (event.type === 'drop') return [`${time} ${connection(event.conn)} dropped: ${event.reason}`];
    if (event.type === 'time-wait') {
      const until = Math.round(event.until - this.#start);
      return [`${time} ${connection(event.conn)} 2MSL ${event.again ? 'starts anew' : 'starts'}, until ${until}`];
    }
    if (event.type === 'timer' && event.timer !== 'delayed-ack' && event.timer !== '2msl') {
      return [`${time} ${connection(event.conn)} timer: ${event.timer} (${event.count})`];
    }
    return [];
  }

  #segment(e: SegmentEvent): string {
    const out = e.dir === 'out';
    const known = this.#known.get(key(e)) ?? { own: 0, peer: 0, hasOwn: false, hasPeer: false };
    if ((e.flags & SYN) !== 0) {
      if (out) {
        known.own = e.seq;
        known.hasOwn = true;
      } else {
        known.peer = e.seq;
        known.hasPeer = true;
      }
      if (e.conn !== 0) this.#known.set(key(e), known);
    }
    const offset = (value: number, start: number, has: boolean) => String(has ? (value - start) | 0 : value >>> 0);
    const seq = out ? offset(e.seq, known.own, known.hasOwn) : offset(e.seq, known.peer, known.hasPeer);
    const ack = out ? offset(e.ack, known.peer, known.hasPeer) : offset(e.ack, known.own, known.hasOwn);
    const peer = out ? `${e.dst}:${e.dstPort}` : `${e.src}:${e.srcPort}`;
    const words = flagWords(e.flags);
    const name = e.len > 0 && (e.flags & (SYN | FIN)) === 0 ? 'data' : words;
    const numbers = [`seq=${seq}`, (e.flags & ACK) === 0 ? '' : `ack=${ack}`, e.len > 0 ? `len=${e.len}` : ''];
    const text = `${name}${e.again ? ' again' : ''} ${numbers.filter((n) => n !== '').join(' ')}`;
    const head = `${connection(e.conn)} ${padEnd(e.state, 12)} ${out ? '-->' : '<--'} `;
    return `${head}${padEnd(text, 32)} ${peer}`.slice(0, 72);
  }
}

function connection(number: number): string {
  return padEnd(number === 0 ? '-' : `#${number}`, 5);
}

function key(event: { readonly host: string; readonly conn: number }): string {
  return `${event.host} ${event.conn}`;
}
