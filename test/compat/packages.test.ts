// Packages people use, unmodified, each doing real work through synfin: a TUN device, 50 ms there and back, 1 % loss.
//
// The programs are those of compat/programs; only how they are started differs from anybody's:
// `node --import synfin/register`.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { Namespace, obstacle, type Running, testUnless } from '../interop/netns.ts';
import { KERNEL, missing, type Server, Servers } from './servers.ts';

const HERE = fileURLToPath(new URL('../../compat/', import.meta.url));
const OURS = '10.90.0.2';
/** What `md5(i)` for i = 1..163840, one behind the other, is summed to: 5 MiB of text. */
const LARGE = 5_242_880;

const lacking = missing();
const why =
  obstacle('setpriv', 'wrk', 'curl', 'openssl') ||
  (lacking.length > 0 ? `not installed: ${lacking.join(', ')}` : '') ||
  (existsSync(join(HERE, '../node_modules/pg')) ? '' : 'the packages are not installed: npm install');
const it = testUnless(why);

let folder = '';
let ns: Namespace;
let servers: Servers;
let config = '';

beforeEach(() => {
  if (why !== '') return;
  folder = mkdtempSync(join(tmpdir(), 'synfin-compat-'));
  ns = new Namespace('compat');
  // The servers are there before the device is, and stay when it goes.
  ns.ip('addr', 'add', `${KERNEL}/32`, 'dev', 'lo');
  servers = new Servers(ns);
  config = join(folder, 'synfin.json');
  const device = { tun: 'compat0', address: `${OURS}/24`, kernel: [`${KERNEL}/24`], rtt: 50, loss: 0.01 };
  writeFileSync(
    config,
    JSON.stringify({
      ...{ seed: 7, links: { device }, routes: { default: 'device' }, dns: KERNEL },
      profile: { userTimeout: 4000 },
    }),
  );
});

afterEach(async () => {
  if (why !== '') return;
  await ns.remove();
  servers.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts an unmodified program on synfin. */
function onSynfin(program: string, ...args: (string | number)[]): Running {
  const file = join(HERE, 'programs', program);
  return ns.start(
    'env',
    `SYNFIN_CONFIG=${config}`,
    process.execPath,
    '--import',
    'synfin/register',
    file,
    ...args.map(String),
  );
}

/** Starts it on the kernel. */
function onKernel(program: string, ...args: (string | number)[]): Running {
  return ns.start(process.execPath, join(HERE, 'programs', program), ...args.map(String));
}

/** What a program said, as `about: value`; it must have come to its end. */
async function said(running: Running): Promise<Record<string, string>> {
  await running.says(/done: /);
  const { stdout } = await running.end('SIGTERM');
  const lines = stdout.split('\n').filter((line) => line.includes(': '));
  return Object.fromEntries(lines.map((line) => line.split(/: (.*)/).slice(0, 2)));
}

describe.each([
  ['pg with PostgreSQL', 'postgres', 'postgres.mjs'],
  ['mysql2 with MariaDB', 'mariadb', 'mariadb.mjs'],
  ['ioredis with Redis', 'redis', 'redis.mjs'],
] as const)('%s', (_, kind, program) => {
  const start = async (): Promise<Server> => servers[kind]();

  it('queries, moves 5 MB, keeps transactions, hears what it subscribed to', async () => {
    const { port } = await start();
    const found = await said(onSynfin(program, 'work', KERNEL, port));
    expect(found).toMatchSnapshot();
    expect(found['large']).toContain(String(LARGE));
  });

  it('gives its usual error when the server is killed', async () => {
    const { port, running } = await start();
    const client = onSynfin(program, 'wait', KERNEL, port);
    await client.says(/waiting/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await running.end('SIGKILL');
    // The postmaster's children outlive it for a moment; what they hold is ended with the namespace.
    expect((await said(client))['failed']).toMatchSnapshot();
  });

  it('gives its usual error within seconds when the path goes dark', async () => {
    const { port } = await start();
    const client = onSynfin(program, 'late', KERNEL, port);
    await client.says(/waiting/);
    ns.ip('route', 'add', 'blackhole', `${OURS}/32`, 'table', 'local');
    client.child.stdin?.write('now\n');
    expect((await said(client))['failed']).toMatchSnapshot();
  });
});

describe('nodemailer', () => {
  it('sends mails with attachments to a real server', async () => {
    const { port, running } = await servers.smtp();
    const client = onSynfin('smtp.mjs', KERNEL, port);
    await client.says(/done: /);
    const { stdout } = await client.end();
    expect(stdout.match(/bob@example.org: 250 OK/g)?.length).toBe(5);
    for (let n = 0; n < 5; n++) expect(running.stdout).toContain(`This is mail number ${n}.`);
  });
});

describe.each(['express', 'fastify', 'hono'])('%s', (framework) => {
  it('serves pages, JSON and uploads to real clients, and under load with keep-alive', async () => {
    const site = onSynfin('site.mjs', framework, 8080);
    await site.says(/listening/);
    const origin = `http://${OURS}:8080`;
    const page = await ns.run('curl', '-sS', `${origin}/`);
    expect(page.stdout).toContain(`<title>${framework}</title>`);
    expect((await ns.run('curl', '-sS', `${origin}/hello/you`)).stdout).toBe('{"hello":"you"}');
    const body = join(folder, 'body');
    writeFileSync(body, Buffer.alloc(3_000_000, 'an upload '));
    const up = await ns.run('curl', '-sS', '--data-binary', `@${body}`, '-H', 'Content-Type: a/b', `${origin}/sum`);
    expect(up.stdout).toBe(execFileSync('sha256sum', [body], { encoding: 'utf8' }).slice(0, 64));
    const load = await ns.run('wrk', '-t1', '-c32', '-d5s', `${origin}/hello/wrk`);
    // 32 connections and a round trip of 50 ms carry some 600 requests a second; losses take their part.
    expect(Number(/(\d+) requests in/.exec(load.stdout)?.[1])).toBeGreaterThan(500);
    expect(load.stdout).not.toContain('Non-2xx');
    expect(load.stdout).not.toMatch(/Socket errors: connect [1-9]|read [1-9]|write [1-9]/);
    expect((await site.end('SIGTERM')).stderr).toBe('');
  });
});

describe('ws', () => {
  it('echoes 10,000 frames, at least 256 in flight', async () => {
    const server = onSynfin('ws-server.mjs', 9090);
    await server.says(/listening/);
    const client = onKernel('ws-client.mjs', OURS, 9090, 10_000, 512);
    await client.says(/done: /);
    const { stdout } = await client.end();
    expect(stdout).toContain('frames: 10000 most in flight: 512 close: 1005');
    await server.end('SIGTERM');
  });
});

describe('undici and fetch', () => {
  it('request pages, upload bodies and keep connections alive', async () => {
    const site = onKernel('site.mjs', 'fastify', 8081);
    await site.says(/listening/);
    const found = await said(onSynfin('requests.mjs', `http://${KERNEL}:8081`));
    expect(found).toEqual({
      undici: '50 pages',
      'undici upload': 'true',
      fetch: '200 true',
      'fetch upload': 'true',
      done: 'requests',
    });
    await site.end('SIGTERM');
  });
});

describe('dns and dgram', () => {
  it('ask a server beyond the device for names, over TCP too, and send datagrams there', async () => {
    const server = onKernel('name-server.mjs', KERNEL);
    await server.says(/listening/);
    expect(await said(onSynfin('names.mjs', KERNEL))).toEqual({
      ...{ lookup: '10.1.2.3', 'over TCP': 'true', nobody: 'ENOTFOUND getaddrinfo', 'no data': 'ENODATA queryAaaa' },
      ...{ datagrams: 'true', done: 'names' },
    });
    await server.end('SIGTERM');
  });
});

describe('tls and https', () => {
  it('take a real certificate, and refuse one of an unknown authority', async () => {
    const at = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe', cwd: folder });
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=Compat CA',
      '-days',
      '2',
    );
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key', '-out', 'csr', '-subj', '/CN=compat.example');
    writeFileSync(at('ext'), 'subjectAltName=DNS:compat.example\n');
    openssl(
      'x509',
      '-req',
      '-in',
      'csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      'crt',
      '-days',
      '2',
      '-extfile',
      'ext',
    );
    const server = ns.start(
      'openssl',
      's_server',
      '-accept',
      `${KERNEL}:8443`,
      '-cert',
      at('crt'),
      '-key',
      at('key'),
      '-www',
    );
    await server.says(/ACCEPT/);
    const found = await said(onSynfin('secure.mjs', KERNEL, 8443, at('ca.crt')));
    expect(found['tls']).toBe('true compat.example');
    expect(found['https']).toMatch(/^200 \d{3,}$/);
    expect(found['unknown authority']).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await server.end('SIGKILL');
  });
});
