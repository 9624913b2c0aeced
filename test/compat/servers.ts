// Real servers of the distribution in a namespace: PostgreSQL, MariaDB, Redis and a mail server, each with data of its own.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { has, type Namespace, type Running } from '../interop/netns.ts';

/** Where servers listen: the kernel's side of the device. */
export const KERNEL = '10.90.0.1';

/** A server that runs. */
export interface Server {
  readonly port: number;
  readonly running: Running;
}

/** Folders of PostgreSQL's programs, the newest last. */
function postgresFolder(): string {
  const root = '/usr/lib/postgresql';
  const [newest] = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return join(root, newest ?? '', 'bin');
}

/** What of the distribution is missing here, as names of packages. */
export function missing(): string[] {
  const wanted: Record<string, () => boolean> = {
    postgresql: () => has('psql') && readable('/usr/lib/postgresql'),
    'mariadb-server': () => has('mariadbd'),
    'redis-server': () => has('redis-server'),
    'python3-aiosmtpd': () => imports('aiosmtpd'),
  };
  return Object.keys(wanted).filter((name) => !wanted[name]!());
}

function readable(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return false;
    throw error;
  }
}

function imports(module: string): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', `import ${module}`], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'status' in error) return false;
    throw error;
  }
}

function idOf(user: string, what: '-u' | '-g'): number {
  return Number(execFileSync('id', [what, user], { encoding: 'utf8' }));
}

/** Starts servers in a namespace and takes their data away at the end. */
export class Servers {
  readonly #ns: Namespace;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'synfin-compat-'));

  constructor(ns: Namespace) {
    this.#ns = ns;
    chmodSync(this.#folder, 0o755);
  }

  /** A folder that belongs to the user a server runs as. */
  #home(name: string, user: string): string {
    const home = join(this.#folder, name);
    mkdirSync(home);
    chownSync(home, idOf(user, '-u'), idOf(user, '-g'));
    return home;
  }

  /** As a user without rights: PostgreSQL refuses to be root. */
  #as(user: string, program: string, ...args: string[]): string[] {
    return ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', program, ...args];
  }

  #start(command: string[]): Running {
    const [program, ...args] = command;
    return this.#ns.start(program!, ...args);
  }

  async postgres(): Promise<Server> {
    const bin = postgresFolder();
    const home = this.#home('postgres', 'postgres');
    const [program, ...args] = this.#as('postgres', `${bin}/initdb`, '-D', home, '-A', 'trust', '-N', '-E', 'UTF8');
    execFileSync(program!, args, { stdio: 'pipe', env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
    writeFileSync(join(home, 'pg_hba.conf'), 'host all all 10.90.0.0/24 trust\n');
    const settings = [`listen_addresses=${KERNEL}`, 'unix_socket_directories=', 'fsync=off', 'tcp_user_timeout=5000'];
    const running = this.#start(
      this.#as('postgres', `${bin}/postgres`, '-D', home, ...settings.flatMap((s) => ['-c', s])),
    );
    await running.says(/database system is ready/);
    return { port: 5432, running };
  }

  async mariadb(): Promise<Server> {
    const home = this.#home('mariadb', 'mysql');
    execFileSync(
      'mariadb-install-db',
      ['--user=mysql', `--datadir=${home}`, '--auth-root-authentication-method=normal'],
      {
        stdio: 'pipe',
      },
    );
    const setup = join(this.#folder, 'setup.sql');
    writeFileSync(
      setup,
      "CREATE USER 'app'@'%' IDENTIFIED BY 'secret';\nGRANT ALL ON *.* TO 'app'@'%';\nCREATE DATABASE app;\n",
    );
    const running = this.#start([
      'mariadbd',
      '--no-defaults',
      '--user=mysql',
      `--datadir=${home}`,
      `--bind-address=${KERNEL}`,
      `--socket=${home}/socket`,
      `--pid-file=${home}/pid`,
      `--init-file=${setup}`,
      '--skip-name-resolve',
      '--max-allowed-packet=64M',
    ]);
    await running.says(/ready for connections/);
    return { port: 3306, running };
  }

  async redis(): Promise<Server> {
    const home = this.#home('redis', 'redis');
    const running = this.#start([
      'redis-server',
      '--bind',
      KERNEL,
      '--protected-mode',
      'no',
      '--save',
      '',
      '--dir',
      home,
    ]);
    await running.says(/Ready to accept connections/);
    return { port: 6379, running };
  }

  /** Prints every mail it gets. */
  async smtp(): Promise<Server> {
    const listen = `${KERNEL}:2525`;
    const running = this.#start([
      '/usr/bin/python3',
      '-u',
      '-m',
      'aiosmtpd',
      '-n',
      '-d',
      '-l',
      listen,
      '-c',
      'aiosmtpd.handlers.Debugging',
      'stdout',
    ]);
    await running.says(/Starting asyncio loop|Server is listening/);
    return { port: 2525, running };
  }

  /** Removes their data; the namespace ends the servers. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
