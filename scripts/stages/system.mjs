// What the tests use of the operating system: looked for, and on Debian as root installed after saying so.

import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { check, skip } from '../lib/cases.mjs';
import { run } from '../lib/proc.mjs';

/** Debian package -> the command, or the file, that shows it is there. */
const PACKAGES = {
  iproute2: 'ip',
  curl: 'curl',
  wget: 'wget',
  wrk: 'wrk',
  'apache2-utils': 'ab',
  nginx: 'nginx',
  openssl: 'openssl',
  tshark: 'tshark',
  chromium: 'chromium',
  python3: 'python3',
  postgresql: 'pg_ctlcluster',
  'mariadb-server': 'mariadbd',
  'redis-server': 'redis-server',
  'python3-aiosmtpd': 'aiosmtpd',
  // The lab speaks Chinese: without glyphs a screenshot shows boxes.
  'fonts-noto-cjk': '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc',
};

/** Where a command lies, or `null`. The sbin folders count too: `ip` and `nginx` live there. */
function which(command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder, or not ours to run: the next one may have it.
    }
  }
  return null;
}

export const isRoot = () => process.getuid?.() === 0;

/** Why a stage that needs these commands cannot run, or an empty string. */
export function lacking(commands) {
  const missing = commands.filter((command) => which(command) === null);
  return missing.length === 0 ? '' : `not installed: ${missing.join(', ')}`;
}

/** Whether a package is there, as far as its command or file tells. */
const isThere = (sign) => (sign.startsWith('/') ? existsSync(sign) : which(sign) !== null);

/** Installs the packages that are missing. */
export async function system({ say, timeout }) {
  const missing = Object.keys(PACKAGES).filter((name) => !isThere(PACKAGES[name]));
  const title = 'the programs the tests use are installed';
  if (missing.length === 0) return [check(title, true)];
  const list = missing.join(' ');
  if (process.env.SYNFIN_NO_INSTALL === '1') return [skip(title, `SYNFIN_NO_INSTALL=1 forbids to install ${list}`)];
  if (!existsSync('/etc/debian_version') || !isRoot()) {
    return [skip(title, `missing: ${list}; only root on Debian can have them installed from here`)];
  }
  say(`Installing by apt: ${list} (SYNFIN_NO_INSTALL=1 forbids it) ...`);
  // RUNLEVEL 1 keeps the packages' scripts from starting servers: the tests start their own.
  const options = { timeout, env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } };
  const update = await run('apt-get', ['update', '-qq'], options);
  const args = ['install', '-y', '-qq', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', ...missing];
  const install = await run('apt-get', args, options);
  const still = missing.filter((name) => !isThere(PACKAGES[name]));
  const note = `still missing: ${still.join(' ')}\n${update.output}${install.output}`.slice(-3000);
  return [check(title, still.length === 0, note)];
}
