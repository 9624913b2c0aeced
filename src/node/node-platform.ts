// Node as the room's platform: the only file of `synfin/net` that browsers get another of, `browser-platform.ts`.

import { AsyncResource } from 'node:async_hooks';
import { Buffer } from 'node:buffer';
import diagnostics from 'node:diagnostics_channel';
import dns from 'node:dns';
import * as net from 'node:net';
import process from 'node:process';
import timers from 'node:timers';
import util from 'node:util';
import { LONGEST_DELAY, systemClock } from '../run/clock.ts';
import { connectLocal, LocalStream, listenPath } from './local.ts';
import type { Lookup, Platform, Scope } from './platform.ts';

export { EventEmitter } from 'node:events';
export { Duplex, type DuplexOptions, getDefaultHighWaterMark, Readable, Writable } from 'node:stream';

// Taken now: a test runner that later puts fake ones in their place does not stop sockets.
const { setImmediate, clearImmediate, setInterval, clearInterval } = timers;
const { nextTick } = process;

/** How long `connect` gives an address before it tries the next one too, ms, where Node does not tell. */
const ATTEMPT_TIMEOUT = 250;

const channels = {
  'net.client.socket': diagnostics.channel('net.client.socket'),
  'net.server.socket': diagnostics.channel('net.server.socket'),
};

const MANUAL = { requireManualDestroy: true };

class ResourceScope extends AsyncResource implements Scope {
  constructor(kind: string) {
    super(kind, MANUAL);
  }

  enter<A, B>(run: (a: A, b: B) => void, a: A, b: B): void {
    this.runInAsyncScope(run, undefined, a, b);
  }
}

/** Looked up at each call, so that a program which replaces `dns.lookup` is obeyed, as Node does. */
const lookup: Lookup = (hostname, options, callback) => {
  (dns.lookup as Lookup)(hostname, options, (error, ...found) => {
    // A machine may lack a line for it in one family; the name is this host all the same (RFC 6761 §6.3).
    if (error === null || hostname !== 'localhost') callback(error, ...found);
    else {
      const family = options.family === 6 ? 6 : 4;
      const address = family === 6 ? '::1' : '127.0.0.1';
      if (options.all === true) callback(null, [{ address, family }]);
      else callback(null, address, family);
    }
  });
};

/** Never runs. */
const idle = setImmediate(() => undefined);
clearImmediate(idle);

/** The platform of Node, and of what behaves like it. */
export const platform: Platform & { readonly idle: object } = {
  // While one is alive V8 keeps the shape of all, and the code that was made for it, when it collects between two connections.
  idle,
  clock: systemClock(),
  nextTick,
  soon: setImmediate as Platform['soon'],
  stayAlive: () => {
    const timer = setInterval(() => undefined, LONGEST_DELAY);
    return () => clearInterval(timer);
  },
  scope: (kind) => new ResourceScope(kind),
  connectPath: (path) => new LocalStream(connectLocal(path)),
  listenPath,
  lookup,
  addrConfig: dns.ADDRCONFIG,
  isIP: net.isIP,
  alloc: (size) => Buffer.allocUnsafe(size),
  encode: (text, encoding) => Buffer.from(text, encoding as BufferEncoding),
  deprecated: (message, code) => util.deprecate(() => undefined, message, code),
  extras: { BlockList: net.BlockList, SocketAddress: net.SocketAddress },
  autoSelect: () => ({
    family: net.getDefaultAutoSelectFamily(),
    timeout: net.getDefaultAutoSelectFamilyAttemptTimeout?.() ?? ATTEMPT_TIMEOUT,
  }),
  publish: (channel, socket) => {
    if (channels[channel].hasSubscribers) channels[channel].publish({ socket });
  },
  systemErrors: new Map([...util.getSystemErrorMap()].map(([errno, [code, text]]) => [code, { errno, text }] as const)),
  inspect: (value) => util.inspect(value, { depth: -1 }),
};
