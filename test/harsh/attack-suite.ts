// What must hold under each attack, however long it lasts.

import { describe, expect, test } from 'vitest';
import {
  ackStorm,
  alternatingSacks,
  blindInjection,
  collidingTuples,
  type Figures,
  oneByteGaps,
  synFlood,
  tinyWindows,
  unreadData,
} from './attacks.ts';

/** How long each attack is: segments, but for `storm`, which is milliseconds. */
export interface Lengths {
  readonly syns: number;
  readonly gaps: number;
  readonly sacks: number;
  readonly storm: number;
  readonly blind: number;
  readonly tuples: number;
  readonly peers: number;
}

function told(name: string, figures: Figures): Figures {
  console.log(
    `${name}: ${Object.entries(figures)
      .map(([k, v]) => `${k} ${v}`)
      .join(', ')}`,
  );
  return figures;
}

/** A test for each attack. */
export function attackSuite(lengths: Lengths): void {
  describe('under attack', () => {
    test(`${lengths.syns} SYNs from false addresses: half-open connections stay within the backlog, every client is served`, () => {
      const f = told('SYN flood', synFlood(lengths.syns));
      expect(f.mostHalfOpen).toBeLessThanOrEqual(512);
      expect(f.connections).toBeLessThanOrEqual(512 + f.genuine!);
      expect(f.genuine).toBeGreaterThanOrEqual(15);
      expect(f.cookiesTaken).toBeGreaterThan(0);
      // Nothing is kept of what was answered with a cookie.
      expect(f.heapMB).toBeLessThan(100);
    });

    test(`${lengths.gaps} single octets with gaps: ranges and memory stay within their bounds, the stream is whole`, () => {
      const f = told('one-byte gaps', oneByteGaps(lengths.gaps));
      expect(f.mostRanges).toBeLessThanOrEqual(512);
      expect(f.mostMemory).toBeLessThanOrEqual(512 * 1024 + 16_384);
      expect(f.answers).toBeLessThanOrEqual(lengths.gaps);
      expect(f.rangesLooked).toBeLessThan(3 * 512 + 4);
      expect(f.read).toBe(28_000);
    });

    test(`${lengths.sacks} alternating SACKs: records and looks at them stay within what is in flight`, () => {
      const f = told('alternating SACKs', alternatingSacks(lengths.sacks));
      expect(f.mostRecords).toBeLessThanOrEqual(600);
      expect(f.recordsLooked).toBeLessThan(2 * 600);
      expect(f.left).toBe(0);
    });

    test(`an ACK storm of ${lengths.storm} ms: at most two answers a second, and the connection lives`, () => {
      const f = told('ACK storm', ackStorm(lengths.storm));
      expect(f.answersPerSecond).toBeLessThanOrEqual(2.1);
      expect(f.lives).toBe(1);
    });

    test(`${lengths.blind} blind segments: nothing is delivered, answers are limited, the connection lives`, () => {
      const f = told('blind injection', blindInjection(lengths.blind));
      expect(f.delivered).toBe(0);
      expect(f.read).toBe(100);
      // Text that is not acceptable is answered each time (RFC 9293 §3.10.7.4); what has none is limited.
      expect(f.answers).toBeLessThanOrEqual(lengths.blind / 3 + 4 * (f.seconds! + 1));
    });

    test.each([1, 10, 100])('a window of %i octets: everything arrives, nothing is ever larger', (octets) => {
      const f = told('tiny window', tinyWindows(octets));
      expect(f.mostText).toBeLessThanOrEqual(octets);
      expect(f.lives).toBe(1);
      expect(f.taken).toBe(2000);
    });

    test(`${lengths.peers} peers whose data nobody reads: memory stays within the budget, the one who is read goes on`, () => {
      const f = told('unread data', unreadData(lengths.peers, 1 << 20));
      // Each may hold a chunk beyond it, with which it began when nothing was left.
      expect(f.most).toBeLessThanOrEqual((1 << 20) + 16_384 * lengths.peers);
      expect(f.refused).toBeGreaterThan(lengths.peers);
      expect(f.read).toBe(1400 * lengths.peers);
      expect(f.left).toBe(0);
    });

    test(`${lengths.tuples} four-tuples made to collide: they are as scattered as any others`, () => {
      const f = told('colliding four-tuples', collidingTuples(lengths.tuples));
      // Half full at most: a random place is found in about 1.5 steps, and runs are short.
      expect(f.stepsEach).toBeLessThan(2);
      expect(f.longest).toBeLessThan(200);
    });
  });
}
