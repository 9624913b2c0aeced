// Child processes without a shell: the same calls on Linux, macOS and Windows.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/[\\/]$/, '');

/** Ends a child and everything it started (a POSIX process group; on Windows the child alone). */
function killTree(child) {
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/**
 * Runs a program to its end.
 *
 * @param {string} file the program
 * @param {string[]} args its arguments, as they are
 * @param {{ cwd?: string, env?: Record<string, string>, timeout?: number, show?: boolean, input?: string }} [options]
 *   `timeout` in milliseconds, after which the child and its children are killed; `show` lets it print as it runs
 * @returns {Promise<{ code: number, output: string, stdout: string, timedOut: boolean }>} `code` is -1 when it could
 *   not be started or was killed; `output` is both streams in the order in which they came
 */
export function run(file, args, options = {}) {
  return new Promise((resolve) => {
    const limited = options.timeout !== undefined;
    const child = spawn(file, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, ...options.env },
      // A group of its own, so that a stage that hangs takes its children with it.
      detached: limited && process.platform !== 'win32',
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let output = '';
    let stdout = '';
    let timedOut = false;
    const timer = limited
      ? setTimeout(() => {
          timedOut = true;
          killTree(child);
        }, options.timeout)
      : null;
    const onSignal = () => killTree(child);
    if (limited) process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(options.input ?? '');
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
      if (options.show) process.stdout.write(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (options.show) process.stderr.write(text);
    });
    const done = (code) => {
      if (timer !== null) clearTimeout(timer);
      if (limited) process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
      resolve({ code, output, stdout, timedOut });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      done(-1);
    });
    child.on('close', (code) => done(code ?? -1));
  });
}

/**
 * Runs a Node program in this process's place: its terminal is ours, Ctrl-C reaches it alone, and our exit
 * status is its own.
 *
 * @param {string[]} args arguments of `node`
 */
export function become(args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; the child decides what it means, and we report how it ended.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** How to call npm without a shell (`npm.cmd` on Windows would need one): program and leading arguments. */
function npmCommand() {
  const candidates = [
    process.env.npm_execpath ?? '',
    join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const cli = candidates.find((path) => path.endsWith('npm-cli.js') && existsSync(path));
  return cli === undefined ? ['npm'] : [process.execPath, cli];
}

/**
 * Runs npm. The settings that an outer `npm run` hands down (its prefix, its workspace) are left out, so that
 * the folder given decides.
 *
 * @param {string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export function npm(args, options = {}) {
  const [file, ...lead] = npmCommand();
  const quiet = { npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' };
  const env = { npm_config_local_prefix: undefined, npm_config_prefix: undefined, ...quiet, ...options.env };
  return run(file, [...lead, ...args], { ...options, env });
}
