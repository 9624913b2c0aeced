// Where the engines are that a run is compared on, and how a module is run in each of them.
//
// Newer Nodes, Bun and Deno come from npm, each in a prefix of its own (`.tools/bun`, ...), and are called by
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

function findNode(major) {
  const modules = join(ROOT, '.tools', `node${major}`, 'node_modules');
  const packages = existsSync(modules) ? readdirSync(modules).filter((name) => name.startsWith('node-')) : [];
  return binary(packages.map((name) => join(modules, name, 'bin', 'node')));
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
    ...[22, 24, 26].map((major) => ({
      ...{ name: `node${major}`, path: findNode(major) },
      install: `npm install --prefix .tools/node${major} node-${process.platform}-${process.arch}@${major}`,
    })),
    { name: 'bun', path: findBun(), install: 'npm install --prefix .tools/bun bun@1.4.5' },
    { name: 'deno', path: findDeno(), install: 'npm install --prefix .tools/deno deno@2.9.6' },
    { name: 'chromium', path: findChromium(), install: 'apt-get install -y chromium' },
  ];
}

/**
 * Runs a module file in Node, Bun or Deno and returns what it printed, as JSON.
 *
 * @param {string} path the engine's
 * @param {string[]} args
 */
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

/** Serves `dist/`, `bench/probes/` and `test/runtime/` on 127.0.0.1, and an empty page at `/`, all with `headers`. */
async function serve(headers = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const open = ['dist', join('bench', 'probes'), join('test', 'runtime')].some((folder) =>
      path.startsWith(`${sep}${folder}${sep}`),
    );
    try {
      const body = path === sep ? '<!doctype html><title>digest</title>' : await readFile(open ? join(ROOT, path) : '');
      response.writeHead(200, { ...headers, 'content-type': TYPES[extname(path)] ?? 'text/html' }).end(body);
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

/**
 * What a page may do under the strictest policy that lets it run its own modules: no `eval`, no WebAssembly, nothing
 * inline, no connection to anybody.
 */
const STRICT = "default-src 'none'; script-src 'self'; worker-src 'self'";

/**
 * Imports a module in a page and returns what its `run()` returns.
 *
 * @param {string} path Chromium's
 * @param {string} module from the repository's root, with `/`
 * @param {{worker?: boolean, strict?: boolean}} [how] in a module worker; under a strict content security policy
 */
async function inBrowser(path, module, { worker = false, strict = false } = {}) {
  const { chromium } = await import('playwright-core');
  const { server, origin } = await serve(strict ? { 'content-security-policy': STRICT } : {});
  const browser = await chromium.launch({ executablePath: path, args: CHROMIUM_ARGS, timeout: PATIENCE });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(`${origin}/`);
    // As text: a test runner may rewrite the `import` of a function, and the page has no such runner.
    const importing = `import(${JSON.stringify(`${origin}/${module}`)}).then((m) => m.run())`;
    const inWorker = `new Promise((resolve, reject) => {
      const worker = new Worker(${JSON.stringify(`${origin}/test/runtime/worker.mjs`)}, { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message || 'the worker did not start'));
      worker.postMessage(${JSON.stringify(`/${module}`)});
    })`;
    return await page.evaluate(worker ? inWorker : importing);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

/**
 * Runs a module's `run()` in an engine and returns what it returns, as JSON has it.
 *
 * @param {{name: string, path: string}} engine one of `engines()` that has a path
 * @param {string} module from the repository's root, with `/`
 * @param {{worker?: boolean, strict?: boolean}} [how] for Chromium
 */
export function runIn(engine, module, how) {
  if (engine.name === 'chromium') return inBrowser(engine.path, module, how);
  const address = JSON.stringify(new URL(`../../${module}`, import.meta.url).href);
  const code = `import(${address}).then((m) => m.run()).then((r) => console.log(JSON.stringify(r)))`;
  if (engine.name === 'deno') return inProcess(engine.path, ['eval', '--no-config', code]);
  return inProcess(engine.path, ['--input-type=module', '-e', code].slice(engine.name === 'bun' ? 1 : 0));
}

/**
 * Runs the determinism workload in an engine.
 *
 * @param {{name: string, path: string}} engine one of `engines()` that has a path
 * @returns {Promise<Record<string, string>>} digest by part
 */
export function digestsIn(engine) {
  return runIn(engine, 'bench/probes/determinism-workload.mjs');
}
