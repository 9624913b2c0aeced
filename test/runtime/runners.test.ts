// synfin/testing under the runners it is for: node:test, vitest and jest, each in a process of its own.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const JEST = join(ROOT, '.tools', 'jest', 'node_modules', 'jest', 'bin', 'jest.js');

/** The same three tests for every runner. */
const SPEC = `
import { networked } from 'synfin/testing';

const page = async (net) => {
  const server = net.web(net.server).serve({ port: 80, fetch: () => new Response('x'.repeat(50_000)) });
  const text = await (await net.web(net.client).fetch('http://server/')).text();
  void server.close();
  if (text.length !== 50_000) throw new Error('cut');
};
test('passes through loss', networked({ impairments: { loss: 0.1 }, leaks: 'fail' }, page));
test('fails late', networked({ impairments: { loss: 0.1 }, name: 'late' }, async (net) => {
  await page(net);
  throw new Error('as it should');
}));
test('forgets a listener', networked({ leaks: 'fail' }, (net) => {
  net.web(net.server).listen({ port: 7 });
}));
`;

/** How each runner is started on a folder that holds \`spec.test.mjs\`. */
const RUNNERS: Record<string, { head: string; needs: string; args(folder: string): string[]; flags: string }> = {
  'node:test': {
    head: "import test from 'node:test';",
    needs: '',
    args: (folder) => ['--test', '--test-reporter=tap', join(folder, 'spec.test.mjs')],
    flags: '',
  },
  vitest: {
    head: "import { test } from 'vitest';",
    needs: '',
    args: (folder) => [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, '--config', 'none.mjs'],
    flags: '',
  },
  jest: {
    head: '',
    needs: existsSync(JEST) ? '' : 'npm install --prefix .tools/jest jest',
    args: (folder) => [JEST, '--rootDir', folder, '--config', '{"transform":{},"testMatch":["**/*.test.mjs"]}'],
    flags: '--experimental-vm-modules',
  },
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('synfin/testing', () => {
  for (const [name, { head, needs, args, flags }] of Object.entries(RUNNERS)) {
    const built = existsSync(join(ROOT, 'dist', 'testing', 'index.js')) ? '' : 'dist/ is not built: npm run build';
    const skip = built || needs;
    const title = `serves ${name}: passes, fails with a seed that replays, tells leaks`;
    it.skipIf(skip !== '')(title + (skip === '' ? '' : ` (needs: ${skip})`), { timeout: 120_000 }, () => {
      mkdirSync(join(ROOT, '.tools', 'test'), { recursive: true });
      // Inside the package, so that `synfin/testing` means its own build.
      const folder = mkdtempSync(join(ROOT, '.tools', 'test', 'runner-'));
      folders.push(folder);
      writeFileSync(join(folder, 'spec.test.mjs'), `${head}\n${SPEC}`);
      writeFileSync(join(folder, 'none.mjs'), 'export default {};\n');
      const captures = join(folder, 'captures');
      const run = (seed: string): SpawnSyncReturns<string> => {
        rmSync(captures, { recursive: true, force: true });
        const { NODE_OPTIONS: _, VITEST: __, SYNFIN_CASES: ___, ...env } = process.env;
        return spawnSync(process.execPath, args(folder), {
          cwd: folder,
          encoding: 'utf8',
          timeout: 60_000,
          env: { ...env, NODE_OPTIONS: flags, NO_COLOR: '1', SYNFIN_CAPTURES: captures, SYNFIN_SEED: seed },
        });
      };
      const first = run('');
      const output = first.stdout + first.stderr;
      expect(first.status, output).not.toBe(0);
      expect(output).toContain('as it should');
      expect(output).toMatch(/left open:\s+listener on port 7 of server\s+opened at .*spec\.test\.mjs:\d+/);
      // The first test passed: only two of the three are named as failures.
      expect(output).toMatch(/# fail 2|2 failed, 1 passed|2 failed \| 1 passed/);
      const seed = /SYNFIN_SEED=(\d+)/.exec(output)![1]!;
      const file = join(captures, `late-${seed}.pcapng`);
      const packets = readFileSync(file);
      run(seed);
      expect(readdirSync(captures)).toContain(`late-${seed}.pcapng`);
      expect(readFileSync(file).equals(packets)).toBe(true);
    });
  }
});
