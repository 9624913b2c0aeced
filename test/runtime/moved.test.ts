// A connection, both ends of it, goes on in another process of Node with other clocks and other keys.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as lib from '../../src/index.ts';
import { Moving } from './moving.mjs';

const built = existsSync(new URL('../../dist/index.js', import.meta.url));
const CHILD = fileURLToPath(new URL('./moved.mjs', import.meta.url));

it.skipIf(!built)(
  `a transfer goes on in another process from wherever it is${built ? '' : ' (needs: dist/, npm run build)'}`,
  { timeout: 120_000 },
  () => {
    const packed: string[] = [];
    for (let at = 1; ; at++) {
      const moving = new Moving(lib, { seed: 9 });
      moving.open();
      while (moving.events < at && moving.step());
      if (moving.done) break;
      try {
        packed.push(moving.pack());
      } catch (error) {
        // The first to close is in TIME-WAIT: there is nothing to move any more.
        expect(error).toBeInstanceOf(lib.StateError);
        break;
      }
    }
    expect(packed.length).toBeGreaterThan(40);
    const child = spawnSync(process.execPath, [CHILD], { input: packed.join('\n'), encoding: 'utf8' });
    expect(child.stderr).toBe('');
    expect(JSON.parse(child.stdout)).toHaveLength(packed.length);
  },
);
