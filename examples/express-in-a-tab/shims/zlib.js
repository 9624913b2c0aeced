// `node:zlib` by the platform's own CompressionStream and DecompressionStream.

import { Duplex } from 'readable-stream';

function through({ readable, writable }) {
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const stream = new Duplex({
    write: (chunk, _encoding, done) => void writer.write(chunk).then(() => done(), done),
    final: (done) => void writer.close().then(() => done(), done),
    read() {
      reader.read().then(
        ({ done, value }) => this.push(done ? null : value),
        (error) => this.destroy(error),
      );
    },
  });
  // The platform keeps what it compresses until it has enough of it.
  stream.flush = (done) => done?.();
  stream.close = () => stream.destroy();
  return stream;
}

export const createGzip = () => through(new CompressionStream('gzip'));
export const createDeflate = () => through(new CompressionStream('deflate'));
export const createGunzip = () => through(new DecompressionStream('gzip'));
export const createInflate = () => through(new DecompressionStream('deflate'));
export const constants = { BROTLI_PARAM_QUALITY: 1, BROTLI_DEFAULT_QUALITY: 4, Z_SYNC_FLUSH: 2 };

// Classes that streams are compared with; ours are none of them.
export class Gzip {}
export class Gunzip {}
export class Deflate {}
export class DeflateRaw {}
export class Inflate {}
export class InflateRaw {}
export class Unzip {}

export default { createGzip, createDeflate, createGunzip, createInflate, constants };
