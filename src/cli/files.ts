// Files of a directory as HTTP resources: paths, types, validators, conditions. Knows no connection.

import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import type { HeaderList } from '../http/index.ts';
import { type Coded, preferred } from './coding.ts';
import { seconds } from './ranges.ts';

/** Media types by extension; everything else is `application/octet-stream`. */
const TYPES: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.gz': 'application/gzip',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/vnd.microsoft.icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.tar': 'application/x-tar',
  '.ts': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
  '.webm': 'video/webm',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
};

/** The media type of a file, by its name. */
export function contentType(path: string): string {
  return TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
}

/** What of a directory is served. */
export interface FileRules {
  /** Where symbolic links may lead: anywhere below the directory, or nowhere. */
  readonly links: 'inside' | 'never';
  /** Whether names that begin with a dot are served; `.well-known` is in any case (RFC 8615). */
  readonly hidden: boolean;
  /** Whether directories without an index are listed. */
  readonly listing: boolean;
}

/** What is served unless the command line says otherwise. */
export const DEFAULT_RULES: FileRules = { links: 'inside', hidden: false, listing: true };

/** What a target names: a file, a directory to list, a place to go instead, or an error's status. */
export type Found =
  | { readonly kind: 'file'; readonly path: string; readonly stats: Stats }
  | { readonly kind: 'listing'; readonly path: string; readonly target: string; readonly stats: Stats }
  | { readonly kind: 'moved'; readonly location: string }
  | { readonly kind: 'error'; readonly status: 400 | 403 | 404 };

const NOT_FOUND: Found = { kind: 'error', status: 404 };

/** The path part of a request target, in origin or absolute form, without its query. */
export function pathOf(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  const rest = absolute === null ? target : target.slice(absolute[0].length);
  const path = rest.split(/[?#]/, 1)[0]!;
  return path === '' ? '/' : path;
}

/**
 * Finds what a target names below `root`.
 *
 * Dots are resolved by refusing them: no segment may be `.` or `..` once decoded, and no link may lead outside.
 *
 * @param root the directory, its links resolved
 */
export function find(root: string, target: string, rules: FileRules = DEFAULT_RULES): Found {
  const path = pathOf(target);
  if (!path.startsWith('/')) return { kind: 'error', status: 400 };
  const names: string[] = [];
  for (const segment of path.split('/')) {
    const name = decode(segment);
    if (name === null || /[\0/\\]/.test(name)) return { kind: 'error', status: 400 };
    if (name === '..' || name === '.') return { kind: 'error', status: 403 };
    // Nobody learns whether it is there.
    if (isHidden(name) && !rules.hidden) return NOT_FOUND;
    if (name !== '') names.push(name);
  }
  const entry = look(root, join(root, ...names), rules);
  if (entry === null) return NOT_FOUND;
  if (entry === 'outside') return { kind: 'error', status: 403 };
  const { real, stats } = entry;
  if (stats.isFile()) return path.endsWith('/') ? NOT_FOUND : { kind: 'file', path: real, stats };
  if (!stats.isDirectory()) return { kind: 'error', status: 403 };
  // Two slashes in front would make the location another host's.
  if (!path.endsWith('/')) return { kind: 'moved', location: `${path.replace(/^\/+/, '/')}/` };
  const index = look(root, join(real, 'index.html'), rules);
  if (index !== null && index !== 'outside' && index.stats.isFile()) {
    return { kind: 'file', path: index.real, stats: index.stats };
  }
  if (!rules.listing) return NOT_FOUND;
  return { kind: 'listing', path: real, target: path, stats };
}

function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.well-known';
}

/** The coded form of a file that a client likes better than the file itself, or `null`. */
export function codedForm(
  root: string,
  path: string,
  stats: Stats,
  accept: string | null,
  rules: FileRules,
): Coded | null {
  return preferred(accept, stats, (ending) => {
    const entry = look(root, `${path}${ending}`, rules);
    return entry === null || entry === 'outside' || !entry.stats.isFile()
      ? null
      : { path: entry.real, stats: entry.stats };
  });
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function look(root: string, path: string, rules: FileRules): { real: string; stats: Stats } | 'outside' | null {
  try {
    const real = realpathSync.native(path);
    const inside = root === sep ? sep : root + sep;
    if (real !== root && !real.startsWith(inside)) return 'outside';
    if (rules.links === 'never' && real !== path) return 'outside';
    return { real, stats: statSync(real) };
  } catch (error) {
    // Missing, not ours to read, a file where a directory was meant, a loop of links, a name too long: not there.
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/**
 * A strong validator: it changes when the size or the microsecond of the last change does (RFC 9110 §8.8.3), and with the
 * coding (§8.8.3.3).
 */
export function etagOf(stats: Stats, coding = ''): string {
  const suffix = coding === '' ? '' : `-${coding}`;
  return `"${Math.round(stats.mtimeMs * 1000).toString(36)}-${stats.size.toString(36)}${suffix}"`;
}

/** Whether a list of entity tags names `etag`; the weak comparison ignores `W/` (RFC 9110 §8.8.3.2). */
function names(list: string, etag: string, weak: boolean): boolean {
  if (list.trim() === '*') return true;
  for (const one of list.match(/(W\/)?"[^"]*"/g) ?? []) {
    if (one === etag || (weak && one === `W/${etag}`)) return true;
  }
  return false;
}

/**
 * What the conditional fields of a GET or HEAD ask for (RFC 9110 §13.2.2, in its order).
 *
 * @returns 200 to go on, 304 or 412
 */
export function precondition(headers: HeaderList, stats: Stats, etag: string = etagOf(stats)): 200 | 304 | 412 {
  const changed = Math.floor(stats.mtimeMs / 1000);
  const match = headers.get('if-match');
  if (match !== null) {
    if (!names(match, etag, false)) return 412;
  } else if (changed > seconds(headers.get('if-unmodified-since'))) return 412;
  const none = headers.get('if-none-match');
  if (none !== null) return names(none, etag, true) ? 304 : 200;
  return changed <= seconds(headers.get('if-modified-since')) ? 304 : 200;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** The page that lists a directory. */
export function listing(path: string, target: string, hidden = false): string {
  const shown = escapeHtml(decode(target) ?? target);
  const rows = readdirSync(path, { withFileTypes: true })
    .filter((entry: Dirent) => hidden || !isHidden(entry.name))
    .sort((a: Dirent, b: Dirent) => Number(b.isDirectory()) - Number(a.isDirectory()) || (a.name < b.name ? -1 : 1))
    .map((entry: Dirent) => {
      const slash = entry.isDirectory() ? '/' : '';
      return `<li><a href="./${encodeURIComponent(entry.name)}${slash}">${escapeHtml(entry.name)}${slash}</a></li>`;
    });
  const up = target === '/' ? '' : '<li><a href="../">../</a></li>\n';
  return `<!doctype html>
<html><head><meta charset="utf-8"><title>${shown}</title></head>
<body><h1>${shown}</h1>
<ul>
${up}${rows.join('\n')}
</ul></body></html>
`;
}
