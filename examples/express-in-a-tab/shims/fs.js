// `node:fs`, as much of it as `express.static` needs, of files in memory.

import { Buffer } from 'buffer';
import { Readable } from 'readable-stream';

/** Path to content. */
const files = new Map([
  ['/public/page.html', Buffer.from(`<!doctype html><title>a file</title>${'<p>from memory</p>'.repeat(100)}`)],
]);

const missing = (path) =>
  Object.assign(new Error(`ENOENT: no such file or directory, '${path}'`), { code: 'ENOENT', errno: -2, path });

export class Stats {
  constructor(size) {
    this.size = size;
    this.mtime = new Date(0);
    this.ctime = this.mtime;
    this.ino = 1;
  }
  isFile = () => true;
  isDirectory = () => false;
}

export function statSync(path) {
  const file = files.get(path);
  if (file === undefined) throw missing(path);
  return new Stats(file.length);
}

export function stat(path, callback) {
  const file = files.get(path);
  queueMicrotask(() => (file === undefined ? callback(missing(path)) : callback(null, new Stats(file.length))));
}

export function createReadStream(path, { start = 0, end = Number.POSITIVE_INFINITY } = {}) {
  const file = files.get(path);
  const stream = new Readable({ read: () => undefined });
  if (file === undefined) stream.destroy(missing(path));
  else stream.push(file.subarray(start, end + 1));
  stream.push(null);
  return stream;
}

export class ReadStream {}

export default { stat, statSync, createReadStream, Stats, ReadStream };
