// `synfin lab`: how it is used, and what it serves.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { run, serveFolder } from '../../src/cli/lab.ts';

/** Runs the verb with lists in place of streams. */
async function call(argv: string[], lang: 'en' | 'zh' = 'en') {
  const out = { stdout: '', stderr: '' };
  const to = (name: 'stdout' | 'stderr') => ({
    write: (data: string | Uint8Array) => {
      out[name] += String(data);
    },
  });
  const status = await run(argv, { stdout: to('stdout'), stderr: to('stderr'), env: {}, lang });
  return { status, ...out };
}

describe('synfin lab', () => {
  it.each(['en', 'zh'] as const)('--help fits 80 columns (%s)', async (lang) => {
    const { status, stdout, stderr } = await call(['--help'], lang);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^synfin lab /);
    for (const line of stdout.split('\n')) expect(line.replace(/[^\0-\x7f]/gu, '##').length).toBeLessThanOrEqual(80);
  });

  it.each([[['--bogus']], [['--port', '70000']], [['--port', 'x']], [['extra']]])(
    '%j is misuse, said in one line',
    async (argv) => {
      const { status, stdout, stderr } = await call(argv);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^synfin lab: [^\n]+\n$/);
    },
  );
});

describe('the server of the lab', () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  async function serving(): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'synfin-lab-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'site', 'assets'), { recursive: true });
    writeFileSync(join(folder, 'secret.txt'), 'secret');
    writeFileSync(join(folder, 'site', 'index.html'), '<p>lab</p>');
    writeFileSync(join(folder, 'site', 'assets', 'x.js'), '1');
    const server = await serveFolder(join(folder, 'site'), 0);
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('gives the files of its folder, with their types', async () => {
    const base = await serving();
    const page = await fetch(`${base}/?lang=zh`);
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      '<p>lab</p>',
    ]);
    const script = await fetch(`${base}/assets/x.js`);
    expect(script.headers.get('content-type')).toContain('text/javascript');
    expect(await (await fetch(base, { method: 'HEAD' })).text()).toBe('');
  });

  it.each(['/secret.txt', '/..%2fsecret.txt', '/assets/', '/%', '//'])('gives nothing else: %s', async (path) => {
    const base = await serving();
    const answer = await fetch(`${base}${path}`);
    expect(answer.status).toBe(404);
  });

  it('takes no other methods, and no port twice', async () => {
    const base = await serving();
    expect((await fetch(base, { method: 'POST' })).status).toBe(405);
    const empty = mkdtempSync(join(tmpdir(), 'synfin-lab-'));
    ends.push(() => rmSync(empty, { recursive: true }));
    await expect(serveFolder(empty, Number(new URL(base).port))).rejects.toThrow(/EADDRINUSE/);
  });
});
