// `createNet`: a module of the shape of `node:net` over a host of ours.

import type { RealHost } from '../run/create-host.ts';
import { callableServer, callableSocket } from './callable.ts';
import type { ConnectOptions } from './connect.ts';
import { Hold, type NetEnv, type NetHost, type NetOptions } from './env.ts';
import { platform } from './node-platform.ts';
import { checkBoolean, checkCount, inOrder, ordered } from './validate.ts';

export type { NetHost, NetListener, NetOptions, NetStream } from './env.ts';
export type { Lookup, LookupAddress, LookupCallback } from './platform.ts';

/** A module of the shape of `node:net`. */
export type Net = typeof import('node:net') & {
  /** @internal Node's own modules and some programs call it. */
  _normalizeArgs(args: readonly unknown[]): [options: object, callback: (() => void) | null];
};

/**
 * Makes a module of the shape of `node:net` whose sockets and servers live on `host`: the same functions, classes,
 * events and errors, in Node's own order. Nothing outside of it is changed, and every host has one of its own.
 *
 * Given what `createHost` returns, a listening server or a connection that waits keeps the process alive as Node's do,
 * and timers of the host do not. Given a bare host, its owner's timers may keep the process alive for longer.
 *
 * In browsers it is for bundlers, which need the package `readable-stream`.
 *
 * @example
 * ```ts
 * import { createHost } from 'synfin';
 * import { createNet } from 'synfin/net';
 *
 * const net = createNet(createHost({ name: 'server' }));
 * net.createServer((socket) => socket.pipe(socket)).listen(7);
 * ```
 */
export function createNet(host: NetHost | RealHost, options: NetOptions = {}): Net {
  if ('runtime' in host) host.runtime.unref();
  const tried = platform.autoSelect();
  const env: NetEnv = {
    host: 'runtime' in host ? host.host : host,
    platform,
    clock: options.clock ?? platform.clock,
    lookup: options.lookup ?? platform.lookup,
    hold: new Hold(platform),
    autoSelectFamily: tried.family,
    attemptTimeout: tried.timeout,
  };
  const Socket = callableSocket(env);
  const Server = callableServer(env, Socket);
  const connect = (...args: readonly unknown[]): unknown => {
    const list = inOrder(args);
    const given: ConnectOptions = list[0];
    const socket = new Socket(given);
    platform.publish('net.client.socket', socket);
    if (given.timeout) socket.setTimeout(given.timeout);
    return socket.connect(list);
  };
  const net = {
    ...{ Socket, Stream: Socket, Server, connect, createConnection: connect },
    createServer: (...args: readonly unknown[]) => Reflect.construct(Server, args),
    isIP: platform.isIP,
    isIPv4: (text: string) => platform.isIP(text) === 4,
    isIPv6: (text: string) => platform.isIP(text) === 6,
    ...platform.extras,
    getDefaultAutoSelectFamily: () => env.autoSelectFamily,
    setDefaultAutoSelectFamily: (on: boolean) => {
      checkBoolean(platform, on, 'value');
      env.autoSelectFamily = on;
    },
    getDefaultAutoSelectFamilyAttemptTimeout: () => env.attemptTimeout,
    setDefaultAutoSelectFamilyAttemptTimeout: (timeout: number) => {
      checkCount(platform, timeout, 'value');
      env.attemptTimeout = Math.max(timeout, 10);
    },
    _normalizeArgs: ordered,
    _setSimultaneousAccepts: platform.deprecated(
      'net._setSimultaneousAccepts() is deprecated and will be removed.',
      'DEP0121',
    ),
  };
  return net as unknown as Net;
}
