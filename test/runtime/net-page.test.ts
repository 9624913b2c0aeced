// One application of `synfin/net` on Node and in a page, bundled by esbuild and by Vite without a module of Node: alike.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { engines } from '../../bench/probes/engines.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const APP = fileURLToPath(new URL('net-app.mjs', import.meta.url));
const VITE = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
const browser = engines().find(({ name }) => name === 'chromium')!;
const unbuilt = existsSync(join(ROOT, 'dist/node/net.js')) ? '' : ' (needs: npm run build)';
const skip = unbuilt === '' && browser.path === null ? ` (needs: ${browser.install})` : unbuilt;

/** What the application finds, wherever it runs. */
const FOUND = {
  echo: {
    ...{ received: 300_000, wrong: 0, heldBack: true, peer: 'IPv4 10.0.0.2' },
    ...{ bytesRead: 300_000, bytesWritten: 300_000 },
    seen: ['lookup', 'connect', 'ready', 'finish', 'end', 'close'],
  },
  text: '[wörld é!]',
  failures: {
    ...{ code: 'ECONNREFUSED', errno: -111, syscall: 'connect', message: 'connect ECONNREFUSED 10.0.0.2:9' },
    seen: ['error', 'close'],
    unknown: 'getaddrinfo ENOTFOUND nowhere.example',
    taken: 'listen EADDRINUSE: address already in use 10.0.0.2:PORT',
  },
  reset: 'read ECONNRESET',
  timeout: true,
  shape: { kinds: [4, 6, 0, 0], blocked: [true, false], called: true, server: true },
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The application as a bundle of esbuild's. An import of Node's would be an error. */
async function byEsbuild(): Promise<string> {
  const { outputFiles } = await build({
    ...{ entryPoints: [APP], bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022' },
    ...{ write: false, absWorkingDir: ROOT, logLevel: 'silent' },
  });
  return outputFiles[0]!.text;
}

/** The same of Vite's, which would warn of a module of Node and put an empty one there. */
async function byVite(): Promise<string> {
  mkdirSync(join(ROOT, '.tools', 'test'), { recursive: true });
  // Inside the package, so that `synfin/...` means its own build.
  const folder = mkdtempSync(join(ROOT, '.tools', 'test', 'net-page-'));
  folders.push(folder);
  copyFileSync(APP, join(folder, 'app.mjs'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="/app.mjs"></script>');
  writeFileSync(join(folder, 'vite.config.mjs'), "export default { logLevel: 'warn' };");
  const { NODE_OPTIONS: _, VITEST: __, NODE_ENV: ___, ...env } = process.env;
  const run = spawnSync(process.execPath, [VITE, 'build'], { cwd: folder, env, encoding: 'utf8', timeout: 50_000 });
  expect([run.status, run.stdout, run.stderr]).toEqual([0, '', '']);
  const scripts = readdirSync(join(folder, 'dist/assets')).filter((name) => name.endsWith('.js'));
  expect(scripts.length).toBe(1);
  return readFileSync(join(folder, 'dist/assets', scripts[0]!), 'utf8');
}

/** What the application finds in a page. */
async function inPage(script: string): Promise<Record<string, unknown>> {
  const running = await chromium.launch({
    ...{ executablePath: browser.path!, args: ['--headless', '--no-sandbox', '--disable-gpu'], timeout: 60_000 },
  });
  try {
    const page = await running.newPage();
    const uncaught: string[] = [];
    page.on('pageerror', (error) => uncaught.push(String(error)));
    await page.setContent('<!doctype html><title>net</title>');
    await page.addScriptTag({ type: 'module', content: script });
    await page.waitForFunction('globalThis.outcome !== undefined');
    const outcome = (await page.evaluate('globalThis.outcome')) as Record<string, unknown>;
    expect(uncaught).toEqual([]);
    return outcome;
  } finally {
    await running.close();
  }
}

describe('an application of synfin/net finds the same', () => {
  it.skipIf(unbuilt !== '')(`on Node${unbuilt}`, async () => {
    await import('./net-app.mjs' as string);
    const { outcome } = globalThis as unknown as { outcome: Promise<object> };
    expect(await outcome).toEqual(FOUND);
  });

  for (const [bundler, bundle] of [
    ['esbuild', byEsbuild],
    ['Vite', byVite],
  ] as const) {
    it.skipIf(skip !== '')(`in a page of Chromium, bundled by ${bundler}${skip}`, { timeout: 120_000 }, async () => {
      const script = await bundle();
      expect(script).not.toMatch(/["'`]node:/);
      expect(await inPage(script)).toEqual(FOUND);
    });
  }
});
