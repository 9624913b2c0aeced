// The programs of the READMEs run and print what the READMEs say they print; their tables have every room.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  it(`${name}: its table of rooms has each room once`, () => {
    const page = readFileSync(join(root, name), 'utf8');
    const linked = [...page.matchAll(/^\| \[`\w+\/`\].*$/gm)].flatMap(([row]) => [
      ...row.matchAll(/\[`(\w+)\/`\]\(src\/\1\/README\.md\)/g),
    ]);
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((each) => each.isDirectory());
    expect(linked.map(([, room]) => room).sort()).toEqual(folders.map((each) => each.name).sort());
  });

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
