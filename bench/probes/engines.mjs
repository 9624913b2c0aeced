// Where the engines are that a run is compared on, and how a module is run in each of them.
//
// Bun and Deno come from npm, each in a prefix of its own (`.tools/bun`, `.tools/deno`), and are called by
// path: the platform's package holds the binary, whether or not the install script of the package was allowed to
// run. Chromium is the distribution's, driven by playwright-core.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Longest time a child may take, ms. */
const PATIENCE = 120_000;

/** The first of these paths that is a binary and not the stub of an install script that did not run. */
function binary(paths) {
  return paths.find((path) => existsSync(path) && statSync(path).size > 1_000_000) ?? null;
}

/** `inner` in every package of a scope below a prefix, `.tools/bun/node_modules/@oven/<*>/bin/bun`. */
function inScope(prefix, scope, ...inner) {
  const folder = join(ROOT, '.tools', prefix, 'node_modules', scope);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, ...inner)) : [];
}

function findBun() {
  const own = join(ROOT, '.tools', 'bun', 'node_modules', 'bun', 'bin', 'bun.exe');
  return binary([...inScope('bun', '@oven', 'bin', 'bun'), ...inScope('bun', '@oven', 'bin', 'bun.exe'), own]);
}

function findDeno() {
  return binary([...inScope('deno', '@deno', 'deno'), ...inScope('deno', '@deno', 'deno.exe')]);
}

function findChromium() {
  return binary(['/usr/lib/chromium/chromium', '/usr/lib64/chromium-browser/chromium-browser'])
    ? (['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path)) ?? null)
    : null;
}

/**
 * Every engine: its name, its path or `null`, and what installs it.
 *
 * @returns {{name: string, path: string | null, install: string}[]}
 */
export function engines() {
  return [
    { name: 'node', path: process.execPath, install: '' },
    { name: 'bun', path: findBun(), install: 'npm install --prefix .tools/bun bun@1.4.5' },
    { name: 'deno', path: findDeno(), install: 'npm install --prefix .tools/deno deno@2.9.6' },
    { name: 'chromium', path: findChromium(), install: 'apt-get install -y chromium' },
  ];
}

/** Runs a module file in Node, Bun or Deno and returns what it printed, as JSON. */
function inProcess(path, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`${path} ended with ${signal ?? code}: ${err}`));
    });
  });
}

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.html': 'text/html' };

/** Serves `dist/` and `bench/probes/` on 127.0.0.1, and an empty page at `/`. */
async function serve() {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const open = ['dist', join('bench', 'probes')].some((folder) => path.startsWith(`${sep}${folder}${sep}`));
    try {
      const body = path === sep ? '<!doctype html><title>digest</title>' : await readFile(open ? join(ROOT, path) : '');
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Imports a module in a page and returns what its `run()` returns. */
async function inBrowser(path, module) {
  const { chromium } = await import('playwright-core');
  const { server, origin } = await serve();
  const browser = await chromium.launch({ executablePath: path, args: CHROMIUM_ARGS, timeout: PATIENCE });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(`${origin}/`);
    // As text: a test runner may rewrite the `import` of a function, and the page has no such runner.
    return await page.evaluate(`import(${JSON.stringify(`${origin}/${module}`)}).then((m) => m.run())`);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

/**
 * Runs the determinism workload in an engine.
 *
 * @param {{name: string, path: string}} engine one of `engines()` that has a path
 * @returns {Promise<Record<string, string>>} digest by part
 */
export function digestsIn(engine) {
  const child = join('bench', 'probes', 'determinism-child.mjs');
  switch (engine.name) {
    case 'deno':
      return inProcess(engine.path, ['run', '--no-prompt', '--no-config', child]);
    case 'chromium':
      return inBrowser(engine.path, 'bench/probes/determinism-workload.mjs');
    default:
      return inProcess(engine.path, [child]);
  }
}
