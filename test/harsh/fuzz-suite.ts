// The fuzz suite over a range of seeds: every state, over every medium.

import { describe, expect, it } from 'vitest';
import { fuzz, MEDIA } from './fuzz.ts';
import { STATES } from './states.ts';

const CELLS = STATES.flatMap((state) => MEDIA.map((medium) => ({ state, medium })));

/** `total` seeds from `first` on, shared out over all states and media, a test for each. */
export function fuzzSuite(title: string, first: number, total: number): void {
  const each = Math.ceil(total / CELLS.length);
  describe(title, () => {
    CELLS.forEach(({ state, medium }, index) => {
      it(`${state} over ${medium.name}: any input is counted and traced, and never throws`, {
        timeout: 120_000,
      }, () => {
        const { inputs, dropped, survived } = fuzz(state, medium, first + index * each, each);
        expect(inputs).toBe(each);
        expect(dropped).toBeGreaterThan(each / 5);
        // The suite is about this state: most inputs have to find the connection in it.
        expect(survived).toBeGreaterThan(each / 2);
      });
    });
  });
}
