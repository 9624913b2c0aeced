// Puts our sockets in place of Node's, for everything that is loaded afterwards and most of what was loaded before.
//
// This is the only place of the package that changes anything of Node: the exports of its modules, and the prototypes
// by which `http` and `tls` are built on `net`. Who has taken a function of `net` before keeps what he has.

import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import { createNet, type Net } from '../node/index.ts';
import { createDgram } from './dgram.ts';
import { patchDns } from './dns.ts';
import { Names } from './names.ts';
import type { Routes } from './routes.ts';

/** A constructor function of Node, as an object with a prototype. */
type Class = { prototype: object };

/** Replaces `net`, `dgram` and `dns` for this process, and what `http`, `https`, `tls` and `fetch` take of them. */
export function patch(routes: Routes): void {
  const { nameServers } = routes;
  const names = nameServers.length === 0 ? null : new Names(routes, nameServers);
  patchDns(dns, (name) => routes.nameOf(name), names);
  const own: Net = createNet(routes, {
    lookup: (name, options, callback) => Reflect.apply(dns.lookup, dns, [name, options, callback]),
  });
  Object.assign(dgram, createDgram(routes, dns.lookup as Parameters<typeof createDgram>[1]));
  // Some of Node's own are getters, and what they give is ours as well.
  const { BlockList: _list, SocketAddress: _address, ...ours } = own;
  const Node = net.Socket;
  Object.assign(net, ours);
  // Classes of Node that inherit from those of `net` by their prototypes.
  for (const [type, base] of [
    [http.Server, own.Server],
    [tls.Server, own.Server],
  ] as [Class, Class][]) {
    Object.setPrototypeOf(type.prototype, base.prototype);
    Object.setPrototypeOf(type, base);
  }
  Object.assign(http.Agent.prototype, { createConnection: own.createConnection });
  // A TLS socket of Node's is made by the `net.Socket` of the moment, and only Node's own can be one.
  const withNodes = <T>(run: () => T): T => {
    Object.assign(net, { Socket: Node });
    try {
      return run();
    } finally {
      Object.assign(net, { Socket: own.Socket });
    }
  };
  const { connect } = tls;
  // TLS is the platform's: it runs over a socket of ours once it is given one.
  const overOurs = (...args: unknown[]): tls.TLSSocket => {
    const [options, callback] = own._normalizeArgs(args) as [tls.ConnectionOptions, (() => void) | null];
    const extra = args.find((arg, i) => i > 0 && typeof arg === 'object' && arg !== null);
    const all: tls.ConnectionOptions = { ...options, ...(extra as tls.ConnectionOptions | undefined) };
    // A pipe or a socket of somebody's own is not ours to replace.
    if (all.socket == null && all.path == null) {
      all.socket = own.connect({ ...(all as net.NetConnectOpts), allowHalfOpen: true } as net.NetConnectOpts);
      all.host ??= 'localhost';
      if (all.servername === undefined && own.isIP(all.host) === 0) all.servername = all.host;
    }
    const made = withNodes(() => Reflect.apply(connect, tls, callback === null ? [all] : [all, callback]));
    showEnds(made, all.socket);
    return made;
  };
  const TLSSocket = new Proxy(tls.TLSSocket, {
    construct: (target, args, made) => withNodes(() => Reflect.construct(target, args, made) as tls.TLSSocket),
  });
  Object.assign(tls, { connect: overOurs, TLSSocket });
  const { emit } = tls.Server.prototype;
  tls.Server.prototype.emit = function (this: tls.Server, ...args: unknown[]): boolean {
    const run = (): boolean => Reflect.apply(emit, this, args);
    if (args[0] === 'secureConnection') showEnds(args[1] as object, belowOf(args[1]));
    return args[0] === 'connection' ? withNodes(run) : run();
  };
  syncBuiltinESMExports();
}

/** The stream below a TLS socket, as far as Node tells: what its handle wraps. */
function belowOf(secured: unknown): unknown {
  return (secured as { _handle?: { _parentWrap?: { stream?: unknown } } })._handle?._parentWrap?.stream;
}

/** A TLS socket over a stream knows no addresses: it shows those of the socket below. */
function showEnds(secured: object, below: unknown): void {
  if (!(below instanceof net.Socket)) return;
  for (const key of ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort'] as const) {
    Object.defineProperty(secured, key, { get: () => below[key], configurable: true });
  }
}
