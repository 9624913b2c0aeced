// wrk against a server, each on a core of its own, in network namespaces made for one round.

import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('http-server.mjs', import.meta.url));
const SECONDS = 5;
const PORT = 8080;
/** How the server is reached: its own address, what it is, and whether wrk is behind a veth pair. */
const WAYS = {
  tun: { what: 'tun', address: '10.79.0.2', apart: false },
  platform: { what: 'tun-platform', address: '10.79.0.2', apart: false },
  loopback: { what: 'kernel', address: '127.0.0.1', apart: false },
  veth: { what: 'kernel', address: '10.79.0.2', apart: true },
};

const ip = (...args) => execFileSync('ip', args, { stdio: 'pipe' });

/** Requests a second of one round: `way` is one of `WAYS`. */
export async function requestsPerSecond(way) {
  if (process.platform !== 'linux' || process.getuid() !== 0) throw new Error('namespaces need Linux and root');
  const { what, address, apart } = WAYS[way];
  const near = `synfin-bench-${process.pid}-s`;
  const far = apart ? `synfin-bench-${process.pid}-c` : near;
  const names = apart ? [near, far] : [near];
  let server = null;
  try {
    for (const name of names) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    if (apart) {
      ip('link', 'add', 'v0', 'netns', near, 'type', 'veth', 'peer', 'name', 'v1', 'netns', far);
      ip('-n', near, 'addr', 'add', `${address}/24`, 'dev', 'v0');
      ip('-n', far, 'addr', 'add', '10.79.0.1/24', 'dev', 'v1');
      ip('-n', near, 'link', 'set', 'v0', 'up');
      ip('-n', far, 'link', 'set', 'v1', 'up');
    }
    const pinned = ['-c', '0', 'ip', 'netns', 'exec', near, process.execPath, SERVER, what, address, String(PORT)];
    server = spawn('taskset', pinned, { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve, reject) => {
      server.stdout.once('data', resolve);
      server.once('exit', () => reject(new Error(`the server (${way}) ended`)));
    });
    const load = ['-t1', '-c64', `-d${SECONDS}s`, `http://${address}:${PORT}/`];
    const text = execFileSync('taskset', ['-c', '1', 'ip', 'netns', 'exec', far, 'wrk', ...load], { encoding: 'utf8' });
    if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${way}: ${text}`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)[1]);
  } finally {
    if (server !== null) {
      server.removeAllListeners('exit');
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await gone;
    }
    for (const name of names) ip('netns', 'del', name);
  }
}
