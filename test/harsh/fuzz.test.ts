import { describe, expect, it } from 'vitest';
import { fuzz, MEDIA } from './fuzz.ts';
import { STATES } from './states.ts';

/** Fixed seeds of all states and media together, and fresh ones. */
const FIXED = 100_000;
const FRESH = 10_000;

const cells = STATES.flatMap((state) => MEDIA.map((medium) => ({ state, medium })));

function suite(title: string, first: number, total: number): void {
  const each = Math.ceil(total / cells.length);
  describe(title, () => {
    cells.forEach(({ state, medium }, index) => {
      it(`${state} over ${medium.name}: any input is counted and traced, and never throws`, { timeout: 60_000 }, () => {
        const { inputs, dropped, survived } = fuzz(state, medium, first + index * each, each);
        expect(inputs).toBe(each);
        expect(dropped).toBeGreaterThan(each / 5);
        // The suite is about this state: most inputs have to find the connection in it.
        expect(survived).toBeGreaterThan(each / 2);
      });
    });
  });
}

suite(`${FIXED} fixed seeds`, 0, FIXED);

// A seed nobody has seen; the title of what fails names the one to run again.
const fresh = Math.floor(Math.random() * 0x3fffffff) + FIXED;
console.log(`fuzz: fresh seeds from ${fresh}`);
suite(`fresh seeds from ${fresh}`, fresh, FRESH);
