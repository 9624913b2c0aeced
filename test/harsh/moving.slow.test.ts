// Snapshot and restore at every event of lossy transfers.

import { expect, test } from 'vitest';
import * as lib from '../../src/index.ts';
import { Moving } from '../runtime/moving.mjs';

test.each([5, 6, 7, 8])('seed %i: either end moves at each event in turn, and every octet arrives', (seed) => {
  const still = new Moving(lib, { seed });
  still.open();
  const { events } = still.finish();
  let moves = 0;
  for (const side of [0, 1] as const) {
    for (let at = 1; at < events; at++) {
      const moving = new Moving(lib, { seed });
      moving.open();
      while (moving.events < at && moving.step());
      if (moving.move(side)) moves++;
      moving.finish();
    }
  }
  console.log(`moving: seed ${seed}: ${moves} moves in ${2 * events} transfers`);
  expect(moves).toBeGreaterThan(events / 2);
});
