// The suite of `synfin/web` in every engine that can be had: newer Nodes, Bun, Deno, and Chromium in a page and in a
// worker, each also under a strict content security policy.

import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, engines, runIn } from '../../bench/probes/engines.mjs';
import { canMakeCertificates, makeCertificate } from '../web/certificate.ts';

const built = existsSync(new URL('../../dist/web/index.js', import.meta.url));
const SUITE = 'test/runtime/web-suite.mjs';

beforeAll(() => {
  // Engines that are processes get it from the environment; pages have no use for it.
  if (canMakeCertificates()) process.env['SYNFIN_CERTIFICATE'] = JSON.stringify(makeCertificate('10.0.0.2'));
});

describe('synfin/web does what it promises', () => {
  const ways = (engine: Engine): [string, { worker?: boolean; strict?: boolean }][] =>
    engine.name === 'chromium'
      ? [
          ['in a page', {}],
          ['in a worker', { worker: true }],
          ['in a page under a strict CSP', { strict: true }],
          ['in a worker under a strict CSP', { worker: true, strict: true }],
        ]
      : [['', {}]];
  for (const engine of engines()) {
    const skip = !built ? 'dist/ is not built: npm run build' : engine.path === null ? engine.install : '';
    for (const [where, how] of ways(engine)) {
      const title = `${engine.name} ${where}`.trim() + (skip === '' ? '' : ` (needs: ${skip})`);
      it.skipIf(skip !== '')(title, { timeout: 120_000 }, async () => {
        const results = (await runIn(engine, SUITE, how)) as Record<string, string>;
        const wrong = Object.entries(results).filter(([, result]) => result !== 'ok');
        expect(wrong).toEqual([]);
        expect(Object.keys(results).length).toBeGreaterThan(15);
      });
    }
  }
});
