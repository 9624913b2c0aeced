// `synfin lab`: serves the browser lab from this machine, after building it when that is needed.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wholeNumber } from './device.ts';
import { contentType, pathOf } from './files.ts';
import { type CliIo, EXIT_FAILED, EXIT_OK, Misuse } from './io.ts';
import { guarded, readArgs } from './verb.ts';

const OPTIONS = {
  port: { type: 'string', short: 'p', default: '0' },
  'no-open': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const HELP = {
  en: `synfin lab [--port N] [--no-open]: the lab, in your browser

  npm run -s synfin -- lab

The real stack runs in the page, in virtual time: watch the handshake and the
four waves, and drop any packet. It is served to this machine alone.

  -p, --port N   port on 127.0.0.1 (0: a free one)
  --no-open      do not open the browser
  --json         one JSON object with the address
Status: 0 ended by Ctrl-C; 1 it failed; 2 misuse.
`,
  zh: `synfin lab [--port N] [--no-open]：实验室，在浏览器里

  npm run -s synfin -- lab

真正的协议栈在网页里运行，时间是虚拟的：看三次握手和四次挥手，丢掉任何一个包。
只需要浏览器；只对这台机器开放。

  -p, --port N   127.0.0.1 上的端口（0：随便一个空闲的）
  --no-open      不打开浏览器
  --json         输出一个 JSON 对象，内有地址
状态：0 由 Ctrl-C 结束；1 失败；2 用法错误。
`,
} as const;

const TEXTS = {
  en: {
    absent: 'the lab comes with the repository, not with the package',
    tools: "the lab's tools are not installed: run `npm ci` in the repository, then this again",
    building: 'Building the lab ...',
    failed: 'the lab could not be built:',
    ready: (url: string) => `The lab is at ${url}  (Ctrl-C ends it)`,
    taken: (port: number) => `port ${port} is taken`,
  },
  zh: {
    absent: '实验室在代码仓库里，不在发布的包里',
    tools: '实验室的工具没有安装：在仓库里运行 `npm ci`，然后再来一次',
    building: '正在构建实验室……',
    failed: '实验室构建失败：',
    ready: (url: string) => `实验室在 ${url}  （Ctrl-C 结束）`,
    taken: (port: number) => `端口 ${port} 已被占用`,
  },
} as const;

/** Every file below a folder, relative to it, with `/`. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** A digest of everything the lab is built from: its own sources and the package's. */
function sourceDigest(root: string): string {
  const hash = createHash('sha256');
  const lab = join(root, 'lab');
  const own = [
    ...filesBelow(join(lab, 'src')).map((path) => `src/${path}`),
    'index.html',
    'package.json',
    'vite.config.ts',
  ];
  const files = own.map((path) => join(lab, path));
  const dist = join(root, 'dist');
  if (existsSync(dist))
    files.push(
      ...filesBelow(dist)
        .filter((p) => p.endsWith('.js'))
        .map((p) => join(dist, p)),
    );
  for (const file of files) hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** The bundler's program, or `null` when it, or what it needs for the lab, is not installed. */
function bundler(root: string): string | null {
  const found = (path: string) =>
    [join(root, 'lab'), root].map((base) => join(base, 'node_modules', path)).find((file) => existsSync(file)) ?? null;
  // The bundler alone may be there for the sake of the tests.
  return found('vite-plugin-solid') === null || found('solid-js') === null
    ? null
    : found(join('vite', 'bin', 'vite.js'));
}

/** Runs the bundler; returns its exit status and what it said. */
function build(lab: string, program: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, 'build'], { cwd: lab, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Sees to it that `lab/dist` is there and up to date.
 *
 * @returns why it is not; empty when it is
 */
async function prepare(root: string, io: CliIo): Promise<string> {
  const text = TEXTS[io.lang];
  const lab = join(root, 'lab');
  if (!existsSync(join(lab, 'index.html'))) return text.absent;
  const page = join(lab, 'dist', 'index.html');
  const stamp = join(root, '.tools', 'lab.stamp');
  const digest = sourceDigest(root);
  if (existsSync(page) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return '';
  const program = bundler(root);
  // What was built before is better than nothing.
  if (program === null) return existsSync(page) ? '' : text.tools;
  io.stderr.write(`${text.building}\n`);
  const { code, output } = await build(lab, program);
  if (code !== 0) return `${text.failed}\n${output.trim()}`;
  mkdirSync(join(root, '.tools'), { recursive: true });
  writeFileSync(stamp, digest);
  return '';
}

/**
 * Serves the files of a folder on 127.0.0.1. Only files that are in it now, each by its own name: there is nothing
 * else to ask for.
 *
 * @param port 0 for any that is free
 * @returns the server, listening; rejects with the system's error
 */
export function serveFolder(folder: string, port: number): Promise<Server> {
  const files = new Map(filesBelow(folder).map((path) => [`/${path}`, join(folder, path)]));
  const server = createServer((request, response) => {
    const path = pathOf(request.url ?? '/');
    const file = files.get(path.endsWith('/') ? `${path}index.html` : path);
    if (file === undefined || (request.method !== 'GET' && request.method !== 'HEAD') || !existsSync(file)) {
      response.writeHead(file === undefined ? 404 : 405, { 'Content-Type': 'text/plain' });
      response.end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': contentType(file),
      'Content-Length': statSync(file).size,
      'Cache-Control': 'no-cache',
    });
    response.end(request.method === 'HEAD' ? undefined : readFileSync(file));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** Asks the desktop to open an address; where there is none, nothing happens. */
function openBrowser(url: string): void {
  const [file, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url.replaceAll('&', '^&')]]
        : ['xdg-open', [url]];
  const child = spawn(file, args, { stdio: 'ignore', detached: true });
  // Without a desktop there is nobody to open it: the address is printed anyway.
  child.on('error', () => child.unref());
  child.unref();
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

/** Runs the verb. */
export function run(argv: string[], io: CliIo): Promise<number> {
  return guarded('lab', io, async () => {
    const { values, positionals } = readArgs(argv, OPTIONS);
    if (values.help) {
      io.stdout.write(HELP[io.lang]);
      return EXIT_OK;
    }
    if (positionals.length > 0) throw new Misuse(`nothing to do with '${positionals[0]}'`);
    const port = wholeNumber('port', values.port, 0, 65_535);
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const fault = await prepare(root, io);
    if (fault !== '') {
      io.stderr.write(`synfin lab: ${fault}\n`);
      return EXIT_FAILED;
    }
    let server: Server;
    try {
      server = await serveFolder(join(root, 'lab', 'dist'), port);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
      io.stderr.write(`synfin lab: ${TEXTS[io.lang].taken(port)}\n`);
      return EXIT_FAILED;
    }
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?lang=${io.lang}`;
    io.stdout.write(values.json ? `${JSON.stringify({ url })}\n` : `${TEXTS[io.lang].ready(url)}\n`);
    if (!values['no-open']) openBrowser(url);
    await untilInterrupted();
    server.closeAllConnections();
    server.close();
    return EXIT_OK;
  });
}
