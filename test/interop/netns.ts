// A network namespace of a test's own, and programs in it.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The built package; SYNFIN_DIST may name another build than dist/. */
export const DIST: string = process.env['SYNFIN_DIST'] ?? join(ROOT, 'dist');
/** Opens many connections from our side and tells what became of them. */
export const MANY: string = fileURLToPath(new URL('./many.mjs', import.meta.url));

/** Whether a program is on the path or where root's programs live. */
export function has(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  });
}

function koffiWorks(): boolean {
  try {
    createRequire(import.meta.url)('koffi');
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** Why this machine cannot run these tests, or an empty string. */
export function obstacle(...programs: string[]): string {
  if (process.platform !== 'linux') return 'TUN devices are for Linux';
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun here';
  if (!koffiWorks()) return 'koffi is not installed: npm install';
  if (!existsSync(join(DIST, 'cli/main.js'))) return 'dist/ is not built: npm run build';
  const missing = ['ip', 'ss', ...programs].filter((program) => !has(program));
  return missing.length === 0 ? '' : `not installed: ${missing.join(', ')}`;
}

/** `it`, or a test that is skipped with the reason. */
export function testUnless(reason: string): (title: string, run: () => Promise<void> | void) => void {
  if (reason === '') return (title, run) => it(title, { timeout: 120_000 }, run);
  return (title) => it(title, (context) => context.skip(reason));
}

/** What a program came to. */
export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that goes on running. */
export class Running {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  #changed: () => void = () => {};

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#changed();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#changed();
    });
    child.on('exit', () => this.#changed());
  }

  /** Waits until the output matches; fails when the program ends before. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout + this.stderr)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the program ended before it said ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Ends it with a signal, if it has not ended, and waits for that. */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<Result> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'close');
      this.child.kill(signal);
      await gone;
    }
    return { code: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }
}

/** A network namespace. */
export class Namespace {
  readonly name: string;
  readonly #running: Running[] = [];

  constructor(tag: string) {
    this.name = `synfin-test-${process.pid}-${tag}`;
    execFileSync('ip', ['netns', 'add', this.name]);
    this.ip('link', 'set', 'lo', 'up');
  }

  /** Runs `ip` for the namespace; returns what it printed. */
  ip(...args: string[]): string {
    return execFileSync('ip', ['-n', this.name, ...args], { encoding: 'utf8' });
  }

  /** Writes a setting under /proc/sys/net. */
  sysctl(path: string, value: string): void {
    this.#sync('sh', ['-c', `echo ${value} > /proc/sys/net/${path}`]);
  }

  #sync(program: string, args: string[]): void {
    execFileSync('ip', ['netns', 'exec', this.name, program, ...args]);
  }

  /** Starts a program inside. `ip netns exec` becomes the program, so signals reach it. */
  start(program: string, ...args: string[]): Running {
    const child = spawn('ip', ['netns', 'exec', this.name, program, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', LC_ALL: 'C' },
    });
    const running = new Running(child);
    this.#running.push(running);
    return running;
  }

  /** Runs a program inside to its end. */
  async run(program: string, ...args: string[]): Promise<Result> {
    const running = this.start(program, ...args);
    await once(running.child, 'close');
    return { code: running.child.exitCode, stdout: running.stdout, stderr: running.stderr };
  }

  /** A verb of our command. */
  synfin(...args: string[]): Running {
    return this.start(process.execPath, join(DIST, 'cli/main.js'), ...args);
  }

  /** The kernel's TCP sockets that are neither listening nor over, as `ss` shows them; waits for them to go. */
  async stuck(): Promise<string[]> {
    const over = /^(LISTEN|TIME-WAIT)/;
    for (let tries = 0; ; tries++) {
      const { stdout } = await this.run('ss', '-tanH');
      const lines = stdout.split('\n').filter((line) => line !== '' && !over.test(line));
      if (lines.length === 0 || tries === 100) return lines;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends what runs inside and removes the namespace. */
  async remove(): Promise<void> {
    for (const running of this.#running) await running.end('SIGKILL');
    spawnSync('ip', ['netns', 'del', this.name]);
  }
}
