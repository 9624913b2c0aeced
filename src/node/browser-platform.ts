// What the room takes of a page's or a worker's platform, in the place of `node-platform.ts`: bundlers put it there, by the
// field `browser` of package.json. Streams are those of the package `readable-stream`, which are Node's own made portable.

import { Duplex, Readable, Writable } from 'readable-stream';
import { systemClock } from '../run/clock.ts';
import { parseAddress } from '../wire/address.ts';
import { BlockList, SocketAddress } from './block-list.ts';
import { errors } from './browser-errors.ts';
import type { Platform } from './platform.ts';

export { Duplex, Readable, Writable };

/** The emitter that the streams are made of: above Readable stands Stream, above that the emitter. */
export const EventEmitter: typeof import('node:events').EventEmitter = Object.getPrototypeOf(
  Object.getPrototypeOf(Readable),
);

/** What a stream holds unless told otherwise: octets, or objects. */
export function getDefaultHighWaterMark(objectMode: boolean): number {
  return new Readable({ objectMode }).readableHighWaterMark;
}

const { setTimeout } = globalThis;

/** The streams of the package put off what comes later by timeouts of 0 ms; only other timeouts keep their place among them. */
const nextTick: Platform['nextTick'] = (run, ...args) => void setTimeout(run, 0, ...args);

/** Text as a stream gives it out: in the streams' own kind of buffer. */
function encode(text: string, encoding: string): Uint8Array {
  const readable = new Readable({ read: () => undefined });
  readable.push(text, encoding as BufferEncoding);
  return readable.read() ?? new Uint8Array(0);
}

function isIP(text: string): number {
  const address = `${text}`;
  if (!address.includes(':')) return parseAddress(address) === null ? 0 : 4;
  return parseAddress(address.replace(/%[\w.-]+$/, '')) === null ? 0 : 6;
}

/** The platform of a page or a worker. It has no paths, no name service and no asynchronous contexts. */
export const platform: Platform = {
  ...errors,
  clock: systemClock(),
  nextTick,
  // After what the streams have put off now, and what that puts off.
  soon: (run, ...args) => nextTick(() => nextTick(run, ...args)),
  stayAlive: () => () => undefined,
  scope: () => ({ enter: (run, a, b) => run(a, b), asyncId: () => 0 }),
  connectPath: () => {
    throw new Error('a page has no paths to connect to');
  },
  listenPath: (_options, _accept, ready) => {
    nextTick(() => ready('ENOTSUP'));
    return { port: -1, close: () => undefined };
  },
  lookup: (hostname, options, callback) => {
    nextTick(() => {
      const family = options.family === 6 ? 6 : 4;
      const address = family === 6 ? '::1' : '127.0.0.1';
      if (hostname === 'localhost') {
        if (options.all === true) callback(null, [{ address, family }]);
        else callback(null, address, family);
        return;
      }
      const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
      callback(Object.assign(error, { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo', hostname }));
    });
  },
  addrConfig: 0,
  isIP,
  alloc: (size) => new Uint8Array(size),
  encode,
  deprecated: (message, code) => {
    let warned = false;
    return () => {
      if (!warned) console.warn(`[${code}] DeprecationWarning: ${message}`);
      warned = true;
    };
  },
  publish: () => undefined,
  extras: { BlockList, SocketAddress } as unknown as Platform['extras'],
  autoSelect: () => ({ family: true, timeout: 250 }),
};
