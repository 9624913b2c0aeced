// The recipes of docs/recipes: every program in them runs as it stands there.

import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { engines } from '../../bench/probes/engines.mjs';
import { has } from '../interop/netns.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RECIPES = join(ROOT, 'docs', 'recipes');
const built = existsSync(join(ROOT, 'dist/testing/index.js')) ? '' : 'npm run build';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The programs of a page, by the name in their first line, written into a folder of their own. */
function written(page: string): { folder: string; names: string[] } {
  mkdirSync(join(ROOT, '.tools', 'test'), { recursive: true });
  // Inside the package, so that `synfin/...` means its own build.
  const folder = mkdtempSync(join(ROOT, '.tools', 'test', 'recipe-'));
  folders.push(folder);
  const names: string[] = [];
  const text = readFileSync(join(RECIPES, page), 'utf8');
  for (const [, code, name] of text.matchAll(/```js\n(\/\/ (\S+)\n[\s\S]*?)```/g)) {
    writeFileSync(join(folder, name!), code!);
    names.push(name!);
  }
  expect(names.length, page).toBeGreaterThan(0);
  return { folder, names };
}

/** Runs Node in a folder. */
function node(folder: string, args: string[], env: Record<string, string> = {}): SpawnSyncReturns<string> {
  const { NODE_OPTIONS: _, VITEST: __, ...rest } = process.env;
  return spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 90_000,
    env: { ...rest, ...env },
  });
}

function recipe(title: string, needs: string, run: () => Promise<void> | void): void {
  const skip = built === '' ? needs : built;
  it.skipIf(skip !== '')(title + (skip === '' ? '' : ` (needs: ${skip})`), { timeout: 120_000 }, run);
}

/** A free port of this machine. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Bundles `entry` of a folder for browsers, and says what a page in Chromium shows in the end. */
async function shown(folder: string, entries: string[], policy: string): Promise<string> {
  await build({
    entryPoints: entries.map((name) => join(folder, name)),
    bundle: true,
    format: 'esm',
    outdir: join(folder, 'out'),
    logLevel: 'silent',
  });
  const page = '<!doctype html><title>recipe</title><body></body><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const name = request.url === '/page.js' ? entries[0]! : request.url!.slice(1);
    const isScript = name.endsWith('.js') && existsSync(join(folder, 'out', name));
    response.writeHead(200, {
      'content-type': isScript ? 'text/javascript' : 'text/html',
      'content-security-policy': policy,
    });
    response.end(isScript ? readFileSync(join(folder, 'out', name)) : page);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { chromium } = await import('playwright-core');
  const executablePath = engines().find(({ name }) => name === 'chromium')!.path!;
  const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // Asked from outside: the page's policy lets nobody evaluate anything in it.
    const body = tab.locator('body');
    await expect.poll(async () => (await body.textContent())?.trim(), { timeout: 30_000 }).not.toBe('');
    return (await body.textContent()) ?? '';
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

const STRICT = "default-src 'none'; script-src 'self'; worker-src 'self'";
const browser = engines().find(({ name }) => name === 'chromium')?.path === null ? 'chromium' : '';

describe('recipes', () => {
  it('the list names every page, and every page is here', () => {
    const pages = readdirSync(RECIPES).filter((name) => name.endsWith('.md') && name !== 'README.md');
    const list = readFileSync(join(RECIPES, 'README.md'), 'utf8');
    expect(pages.sort()).toEqual(['postgres.md', 'replay.md', 'reset.md', 'tab.md', 'wireshark.md', 'worker.md']);
    for (const page of pages) expect(list).toContain(`(${page})`);
  });

  recipe('reset: both tests pass', '', () => {
    const { folder, names } = written('reset.md');
    const { status, stdout, stderr } = node(folder, ['--test', ...names]);
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/pass 2/);
  });

  recipe('replay: fails with a seed, and the seed gives the same packets again', '', () => {
    const { folder } = written('replay.md');
    const captures = join(folder, 'captures');
    const run = (seed: string) => node(folder, ['replay.test.mjs'], { SYNFIN_CAPTURES: captures, SYNFIN_SEED: seed });
    // One of these seeds loses enough; which does is not the recipe's concern.
    let output = '';
    for (let seed = 1; seed < 40 && !output.includes('failed with seed'); seed++) output = run(String(seed)).stderr;
    const seed = /SYNFIN_SEED=(\d+)/.exec(output)![1]!;
    const file = join(captures, `ten-requests-${seed}.pcapng`);
    const first = readFileSync(file);
    rmSync(file);
    expect(run(seed).stderr).toContain(`failed with seed ${seed}`);
    expect(readFileSync(file).equals(first)).toBe(true);
  });

  recipe('wireshark: tshark reads the file and sees what was sent again', has('tshark') ? '' : 'tshark', () => {
    const { folder } = written('wireshark.md');
    const { status, stderr } = node(folder, ['capture.mjs']);
    expect(status, stderr).toBe(0);
    const tshark = (...args: string[]) =>
      execFileSync('tshark', ['-r', 'download.pcapng', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    expect(tshark('-q', '-z', 'io,phs')).toMatch(/raw +frames:\d+[\s\S]*tcp[\s\S]*http/);
    expect(tshark('-Y', 'tcp.analysis.retransmission').trim().split('\n').length).toBeGreaterThan(0);
    expect(tshark('-Y', '_ws.malformed')).toBe('');
  });

  const servers = '/usr/lib/postgresql';
  const version = existsSync(servers)
    ? readdirSync(servers).find((v) => existsSync(join(servers, v, 'bin/initdb')))
    : '';
  const lacking = !version ? 'postgresql' : existsSync(join(ROOT, 'node_modules/pg')) ? '' : 'npm install';
  const asRoot = process.getuid?.() === 0;
  recipe('postgres: a real server behind 200 ms and 1 % loss', lacking, async () => {
    const { folder } = written('postgres.md');
    const data = mkdtempSync(join(tmpdir(), 'synfin-postgres-'));
    folders.push(data);
    const bin = join(servers, version!, 'bin');
    // The server refuses to run as root, and Debian's package brings a user of its own.
    const as = (program: string, ...args: string[]): [string, string[]] =>
      asRoot ? ['runuser', ['-u', 'postgres', '--', join(bin, program), ...args]] : [join(bin, program), args];
    if (asRoot) {
      const [uid, gid] = ['-u', '-g'].map((flag) =>
        Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })),
      );
      chownSync(data, uid!, gid!);
    }
    const options = ['-A', 'trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8'];
    execFileSync(...as('initdb', '-D', join(data, 'db'), ...options), { cwd: tmpdir(), stdio: 'pipe' });
    const port = await freePort();
    const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${data}`, '-c', 'fsync=off'];
    const server = spawn(...as('postgres', '-D', join(data, 'db'), '-p', String(port), ...settings), { cwd: tmpdir() });
    let log = '';
    try {
      await new Promise<void>((resolve, reject) => {
        server.stderr.on('data', (text) => {
          log += text;
          if (log.includes('ready to accept connections')) resolve();
        });
        server.on('exit', () => reject(new Error(log)));
      });
      const { status, stdout, stderr } = node(folder, ['--test', 'postgres.test.mjs'], { PGPORT: String(port) });
      expect(status, stdout + stderr).toBe(0);
    } finally {
      server.removeAllListeners('exit');
      const gone = once(server, 'close');
      // The server itself, not `runuser`; SIGINT ends it with what it is doing.
      process.kill(Number(readFileSync(join(data, 'db', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGINT');
      await gone;
    }
  });

  recipe('a server in a browser tab: under a strict policy', browser, async () => {
    const { folder } = written('tab.md');
    expect(JSON.parse(await shown(folder, ['tab.js'], STRICT))).toEqual({
      path: '/hello',
      from: 'a server in this tab',
    });
  });

  recipe('an app in a worker: under a strict policy', browser, async () => {
    const { folder } = written('worker.md');
    expect(await shown(folder, ['page.js', 'app-worker.js'], STRICT)).toBe('the worker got 100000 octets');
  });
});
