// The lab: its types, its build and the weight of it, and the built page in Chromium.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { filesBelow } from '../lib/build.mjs';
import { check, skip, tool, vitest } from '../lib/cases.mjs';
import { ROOT } from '../lib/proc.mjs';

/** What a first visit fetches, octets, compressed. */
const MOST = 150_000;

const LAB = join(ROOT, 'lab');

/** The weight of what was built, each file compressed as a server would: at the first visit, and what comes later. */
function weight() {
  const dist = join(LAB, 'dist');
  const weigh = (path) => gzipSync(readFileSync(join(dist, path)), { level: 9 }).length;
  const sum = (paths) => paths.reduce((total, path) => total + weigh(path), 0);
  const files = filesBelow(dist);
  const later = files.filter((path) => /(^|\/)(later-|frames\.js$)/.test(path));
  const first = sum(files.filter((path) => !later.includes(path)));
  const kB = (octets) => `${(octets / 1000).toFixed(1)} kB`;
  const title = `the lab weighs at most ${MOST / 1000} kB compressed (${kB(first)}, and ${kB(sum(later))} for who loads a page through it)`;
  return check(title, first > 0 && later.length === 2 && first <= MOST);
}

/** The page works from any folder: nothing in it names the root of a host, or another host. */
function relativeOnly() {
  const page = readFileSync(join(LAB, 'dist', 'index.html'), 'utf8');
  const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link);
  const foreign = links.filter((link) => !link.startsWith('./'));
  return check('the page names nothing outside of its folder', links.length > 0 && foreign.length === 0, `${foreign}`);
}

/** The stage. */
export async function lab(context) {
  if (!existsSync(join(ROOT, 'node_modules', 'vite-plugin-solid')))
    return [skip('the lab', "the lab's tools are not installed: npm ci")];
  const options = { cwd: LAB, timeout: context.timeout };
  const typed = await tool('the lab type-checks', 'node_modules/typescript/lib/tsc.js', ['-p', '.'], options);
  const built = await tool(
    'the lab is built',
    'node_modules/vite/bin/vite.js',
    ['build', '--logLevel', 'warn'],
    options,
  );
  if (built.state === 'failed') return [typed, built];
  return [typed, built, weight(), relativeOnly(), ...(await vitest(['--mode', 'lab'], context))];
}
