// The native peer: lwIP as the distribution packages it, behind a small program of ours (bench/native/lwip.c).

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../native/lwip.c', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../.tools/bench/', import.meta.url));
const PROGRAM = `${FOLDER}lwip`;
const HEADERS = '/usr/include/lwip';

let ready = null;

/** Compiles the program when it has to; false where lwIP or a compiler is missing (`apt install liblwip-dev gcc`). */
function compiled() {
  if (!existsSync(`${HEADERS}/lwip/tcp.h`)) return false;
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(SOURCE).mtimeMs) return true;
  mkdirSync(FOLDER, { recursive: true });
  const cc = spawnSync('cc', ['-O2', `-I${HEADERS}`, '-o', PROGRAM, SOURCE, '-llwip'], { encoding: 'utf8' });
  if (cc.error !== undefined) return false;
  if (cc.status !== 0) throw new Error(cc.stderr);
  return true;
}

/**
 * One round of lwIP.
 *
 * @param mode 'bulk', 'pingpong', 'connect', 'idle' or 'timewait'
 * @param count octets, round trips or connections
 * @returns what the program measured, `{ wall, cpu }` in seconds or `{ octets }`; null where it cannot run
 */
export function lwip(mode, count) {
  ready ??= compiled();
  if (!ready) return null;
  const run = spawnSync(PROGRAM, [mode, String(count)], { encoding: 'utf8', timeout: 20_000 });
  if (run.status !== 0) throw new Error(`lwip ${mode}: ${run.stderr || run.signal}`);
  return JSON.parse(run.stdout);
}
