// A connection that is moved to another host in the midst of a lossy transfer; every event has its turn in the slow suite.

import { describe, expect, test } from 'vitest';
import * as lib from '../../src/index.ts';
import { Moving } from '../runtime/moving.mjs';

/** Events of the transfer when nobody moves. */
function length(seed: number): number {
  const moving = new Moving(lib, { seed });
  moving.open();
  return moving.finish().events;
}

describe('snapshot and restore in a lossy transfer', () => {
  test.each([1, 2, 3])('seed %i: either end moves at every thirteenth event; every octet arrives', (seed) => {
    let moves = 0;
    for (const side of [0, 1] as const) {
      for (let at = 1; at < length(seed); at += 13) {
        const moving = new Moving(lib, { seed });
        moving.open();
        while (moving.events < at && moving.step());
        if (moving.move(side)) moves++;
        moving.finish();
      }
    }
    expect(moves).toBeGreaterThan(10);
  });

  test('seed 4: both ends move, after every event of one transfer', () => {
    const moving = new Moving(lib, { seed: 4, total: 6000 });
    moving.open();
    let moves = 0;
    while (!moving.done && moving.step()) for (const side of [0, 1] as const) if (moving.move(side)) moves++;
    moving.finish();
    expect(moves).toBeGreaterThan(50);
  });
});
