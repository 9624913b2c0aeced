// The same programs over the kernel alone, with our client at the kernel's server, and with the kernel's client at ours.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect } from 'vitest';
import { DIST, Namespace, obstacle, testUnless } from './netns.ts';

const test = testUnless(obstacle());

test('sockets of ours and of the kernel, at either end of a TUN device, tell their programs the same', async () => {
  const space = new Namespace('same');
  const folder = mkdtempSync(join(tmpdir(), 'synfin-same-'));
  try {
    const source = readFileSync(new URL('../node/same.ts', import.meta.url), 'utf8');
    const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const programs = join(folder, 'same.mjs');
    writeFileSync(programs, ts.transpileModule(source, { compilerOptions: options }).outputText);
    const script = fileURLToPath(new URL('./same.mjs', import.meta.url));
    const { code, stdout, stderr } = await space.run(process.execPath, script, DIST, programs, `syn${process.pid}`);
    expect([code, stderr]).toEqual([0, '']);
    const told = JSON.parse(stdout);
    expect(Object.keys(told.kernel).length).toBeGreaterThan(20);
    expect(told['our client']).toEqual(told.kernel);
    expect(told['our server']).toEqual(told.kernel);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await space.remove();
  }
});
