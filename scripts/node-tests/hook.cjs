// Loaded before each of Node's own tests: where they ask for `net` and `http` they get ours, over a host of the process.

'use strict';

const Module = require('node:module');
const path = require('node:path');

const { emitWarning } = process;
// Node 20 announces `require` of modules like ours, and the tests count warnings.
process.emitWarning = () => undefined;
const dist = path.join(__dirname, '..', '..', 'dist');
const { createHost } = require(path.join(dist, 'index.js'));
const { createNet } = require(path.join(dist, 'node', 'net.js'));
const { createHttp } = require(path.join(dist, 'node', 'http.js'));
process.emitWarning = emitWarning;

const host = createHost({ name: 'self' });
const net = createNet(host);
const ours = { net, http: createHttp(host, { net }) };

const root = process.env.SYNFIN_NODE_TESTS + path.sep;
const load = Module._load;
Module._load = function (request, parent, ...rest) {
  const name = request.replace(/^node:/, '');
  // Only the tests: our own modules stand on Node's.
  if (Object.hasOwn(ours, name) && parent?.filename?.startsWith(root)) return ours[name];
  return load.call(this, request, parent, ...rest);
};
