import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digestsIn, engines } from '../../bench/probes/engines.mjs';

const built = existsSync(new URL('../../dist/sim/index.js', import.meta.url));

/** Digests of this Node, the first process to have them. */
let reference: Promise<Record<string, string>> | null = null;

describe('the trace digest of a run', () => {
  for (const engine of engines()) {
    const again = engine.name === 'node' ? 'a second process of Node' : engine.name;
    const skip = !built ? 'dist/ is not built: npm run build' : engine.path === null ? engine.install : '';
    const title = `is the same in Node and in ${again}${skip === '' ? '' : ` (needs: ${skip})`}`;
    it.skipIf(skip !== '')(title, { timeout: 120_000 }, async () => {
      reference ??= digestsIn(engines()[0]!);
      const expected = await reference;
      expect(Object.keys(expected)).toEqual(['prng', 'clock', 'wheel', 'tcp', 'drill']);
      expect(await digestsIn(engine)).toEqual(expected);
    });
  }
});
