// Which tests run. The mode picks the suite: `vitest run` is the quick one, `vitest run --mode slow` and so on
// are the others; `npm test` runs them all, one after the other.

import { defineConfig } from 'vitest/config';

const SLOW = 'test/**/*.slow.test.ts';
const INTEROP = 'test/interop/**/*.test.ts';
const RUNTIME = 'test/runtime/**/*.test.ts';
const COMPAT = 'test/compat/**/*.test.ts';
const LAB = 'test/lab/**/*.browser.test.ts';

const SUITES: Readonly<Record<string, { include: string[]; exclude: string[] }>> = {
  quick: { include: ['test/**/*.test.ts'], exclude: [SLOW, INTEROP, RUNTIME, LAB, COMPAT] },
  slow: { include: [SLOW], exclude: [INTEROP, RUNTIME] },
  interop: { include: [INTEROP], exclude: [] },
  runtime: { include: [RUNTIME], exclude: [] },
  compat: { include: [COMPAT], exclude: [] },
  lab: { include: [LAB], exclude: [] },
};

export default defineConfig(({ mode }) => {
  const suite = SUITES[mode] ?? SUITES.quick;
  // Interop tests share the kernel's devices and name spaces, and run one at a time.
  const alone = mode === 'interop' || mode === 'runtime' || mode === 'lab' || mode === 'compat';
  return {
    test: {
      ...suite,
      maxWorkers: alone ? 1 : 2,
      fileParallelism: !alone,
      passWithNoTests: true,
      // A test that hangs must end; how long a good one takes is the machine's affair.
      testTimeout: mode in SUITES && mode !== 'quick' ? 300_000 : 120_000,
      hookTimeout: 120_000,
    },
  };
});
