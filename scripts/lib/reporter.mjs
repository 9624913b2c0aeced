// A vitest reporter that writes every test case with its outcome and, when it was skipped, the reason.

import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT } from './proc.mjs';

/** Writes the cases as JSON to the file named by `SYNFIN_CASES` when the run is over. */
export default class CasesReporter {
  onTestRunEnd(modules, unhandled) {
    const cases = [];
    for (const module of modules) {
      const file = relative(ROOT, module.moduleId);
      const before = cases.length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        // `context.skip(reason)` leaves a note; `it.skipIf` cannot, and says "(needs: ..)" in its title.
        const needs = /\((needs:? .+)\)/.exec(test.fullName)?.[1];
        const note = result.note ?? needs ?? (test.options.mode === 'todo' ? 'not written yet' : 'no reason given');
        if (result.state === 'skipped') cases.push({ name: `${file}: ${test.fullName}`, state: 'skipped', note });
        else cases.push({ name: `${file}: ${test.fullName}`, state: result.state });
      }
      // A file that does not load has no tests to fail; it fails itself.
      if (module.state() === 'failed' && !cases.slice(before).some((c) => c.state === 'failed')) {
        cases.push({ name: `${file}: the file itself`, state: 'failed' });
      }
    }
    for (const error of unhandled) cases.push({ name: `unhandled error: ${error.message}`, state: 'failed' });
    writeFileSync(process.env.SYNFIN_CASES, JSON.stringify(cases));
  }
}
