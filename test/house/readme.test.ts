// The programs of the READMEs run and print what the READMEs say they print.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The first fenced block of a language in a page. */
function block(page: string, language: string): string {
  const found = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page);
  if (found === null) throw new Error(`no ${language} block`);
  return found[1]!;
}

for (const name of ['README.md', 'README.zh-CN.md']) {
  it(`${name}: its program prints its ladder`, () => {
    const page = readFileSync(join(root, name), 'utf8');
    // Inside the package, so that `synfin/...` means this tree's own build.
    mkdirSync(join(root, '.tools'), { recursive: true });
    const folder = mkdtempSync(join(root, '.tools', 'readme-'));
    try {
      const file = join(folder, 'program.mjs');
      writeFileSync(file, block(page, 'js'));
      const run = spawnSync(process.execPath, [file], { encoding: 'utf8' });
      expect(run.stderr).toBe('');
      expect(run.stdout).toBe(block(page, 'text'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
