// express in a tab: the example, bundled by esbuild and by Vite, finds in a page and in a worker what it finds on Node.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines } from '../../bench/probes/engines.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = join(ROOT, 'examples', 'express-in-a-tab');
const browser = engines().find(({ name }) => name === 'chromium')!;
const lacks =
  (existsSync(join(ROOT, 'dist/node/browser-http.js')) ? '' : ' (needs: npm run build)') ||
  (existsSync(join(ROOT, 'node_modules/express')) ? '' : ' (needs: npm ci)');
const skip = lacks || (browser.path === null ? ` (needs: ${browser.install})` : '');

type Seen = Record<string, { status: number; text: string }>;
type Visit = (by: typeof fetch, module: typeof http, origin: string) => Promise<Seen>;

const PAGE = `<!doctype html><title>a file</title>${'<p>from memory</p>'.repeat(100)}`;
const folder = mkdtempSync(join(tmpdir(), 'synfin-express-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a visitor sees of the application on Node, with Node's own http over the kernel. */
async function onNode(): Promise<Seen> {
  writeFileSync(join(folder, 'page.html'), PAGE);
  Object.assign(process.env, { PUBLIC: folder });
  const load = async (name: string): Promise<unknown> => await import(pathToFileURL(join(EXAMPLE, name)).href);
  const { app } = (await load('app.js')) as { app: http.RequestListener };
  const { visit } = (await load('visit.js')) as { visit: Visit };
  const server = http.createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const seen = await visit(fetch, http, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  server.close();
  server.closeAllConnections();
  return told(seen);
}

/** Without what differs by the network: addresses. */
function told(seen: Seen): Seen {
  return JSON.parse(JSON.stringify(seen).replaceAll(/(::ffff:)?(127\.0\.0\.1|10\.0\.0\.1)/g, 'VISITOR'));
}

/** Bundles the example as its package says. */
function bundle(...command: string[]): void {
  const { NODE_OPTIONS: _, VITEST: __, NODE_ENV: ___, ...env } = process.env;
  const run = spawnSync(process.execPath, command, { cwd: EXAMPLE, env, encoding: 'utf8', timeout: 200_000 });
  expect([run.status, run.stderr]).toEqual([0, '']);
}

/** What the page of `dist/` finds. Whatever it asks for comes from there, or is missing. */
async function inPage(query: string): Promise<{ seen: Seen; retransmitted: number; scripts: string }> {
  const running = await chromium.launch({
    ...{ executablePath: browser.path!, args: ['--headless', '--no-sandbox', '--disable-gpu'], timeout: 60_000 },
  });
  try {
    const page = await running.newPage();
    const uncaught: string[] = [];
    const scripts: string[] = [];
    page.on('pageerror', (error) => uncaught.push(String(error)));
    await running.contexts()[0]!.route('http://example.test/**', async (route) => {
      const { pathname } = new URL(route.request().url());
      const path = join(EXAMPLE, 'dist', pathname === '/' ? 'index.html' : pathname);
      if (!existsSync(path)) return await route.fulfill({ status: 404 });
      if (path.endsWith('.js')) scripts.push(readFileSync(path, 'utf8'));
      return await route.fulfill({ path });
    });
    await page.goto(`http://example.test/${query}`);
    await page.waitForFunction('globalThis.outcome !== undefined');
    const { seen, retransmitted } = (await page.evaluate('globalThis.outcome')) as {
      seen: Seen;
      retransmitted: number;
    };
    expect(uncaught).toEqual([]);
    return { seen: told(seen), retransmitted, scripts: scripts.join('\n') };
  } finally {
    await running.close();
  }
}

describe('express', () => {
  let expected: Seen;
  beforeAll(async () => {
    if (lacks === '') expected = await onNode();
  });

  it.skipIf(lacks !== '')(`does on Node what the visitor expects${lacks}`, () => {
    expect(expected['route']).toMatchObject({
      ...{ status: 200, text: '{"hello":"wörld","query":{"a":["1","2"]},"ip":"VISITOR","secure":false}' },
    });
    expect(expected).toMatchObject({ cors: 'https://example.org', tagged: true, many: true, vary: expect.any(String) });
    expect(expected['late error']).toMatchObject({ status: 418 });
    expect(expected['kept']).toMatchObject({
      cookie: ['seen=yes; Path=/; HttpOnly'],
      text: 'seen=yes',
      reused: true,
      fresh: 304,
    });
  });

  describe.each([
    ['esbuild', ['', '?worker'], [join(EXAMPLE, 'build.mjs')]],
    ['Vite', [''], [join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'error']],
  ])('bundled by %s', (_, queries, command) => {
    beforeAll(() => {
      if (skip === '') bundle(...command);
    }, 200_000);

    for (const query of queries) {
      const where = query === '' ? 'a page' : 'a worker';
      it.skipIf(skip !== '')(`does the same in ${where}, over a link that loses packets${skip}`, async () => {
        const { seen, retransmitted, scripts } = await inPage(query);
        expect(seen).toEqual(expected);
        expect(retransmitted).toBeGreaterThan(0);
        expect(scripts.length).toBeGreaterThan(300_000);
        // Nothing of Node is asked for under any name.
        expect(scripts).not.toMatch(/\b(from|import|require)\s*\(?\s*["'`]node:/);
      });
    }
  });
});
