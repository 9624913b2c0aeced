// What stands for each of Node's modules in a page: a file of `shims/`, or a package that is Node's own made portable.

import { fileURLToPath } from 'node:url';

const shim = (name) => fileURLToPath(new URL(`shims/${name}.js`, import.meta.url));

/** Module of Node to what bundlers take for it. */
export const aliases = {
  async_hooks: shim('async_hooks'),
  buffer: 'buffer/',
  crypto: shim('crypto'),
  diagnostics_channel: shim('diagnostics_channel'),
  events: 'events/',
  fs: shim('fs'),
  http: shim('http'),
  net: shim('net'),
  path: 'path-browserify',
  querystring: shim('querystring'),
  stream: 'readable-stream',
  string_decoder: 'string_decoder/',
  url: 'url/',
  util: 'util/',
  zlib: shim('zlib'),
};
