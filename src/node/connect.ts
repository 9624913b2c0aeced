// The way to a connection: a name becomes addresses, one of them is tried, or several by turns.

import { type Context, tryNext } from './attempts.ts';
import { badAddress, badFamily, nothingGiven, peerFailed, type SystemError, wrongType } from './errors.ts';
import { type Target, TcpHandle } from './handle.ts';
import type { Lookup, LookupAddress } from './platform.ts';
import { adopt, type Socket } from './socket.ts';
import { checkBoolean, checkCallback, checkCount, checkNumber, portOf } from './validate.ts';

/** Options of `connect`. */
export interface ConnectOptions {
  readonly port?: number | string;
  readonly path?: string;
  readonly host?: string;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly family?: number | string;
  readonly hints?: number;
  readonly lookup?: Lookup;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
  readonly autoSelectFamily?: boolean;
  readonly autoSelectFamilyAttemptTimeout?: number;
  readonly timeout?: number;
}

/** Each attempt gets at least so long, ms. */
const SHORTEST_ATTEMPT = 10;

/** Starts to connect. Throws for bad options; what the network says comes later. */
export function begin(socket: Socket, options: ConnectOptions, callback: (() => void) | null): void {
  const { platform } = socket._net;
  if (options.port === undefined && options.path == null) throw nothingGiven();
  if (socket.destroyed) revive(socket);
  const own = socket._own;
  own.peerEnded = false;
  if (socket._handle === null) {
    own.ended = null;
    adopt(socket, new TcpHandle(socket._net, null));
  }
  if (callback !== null) socket.once('connect', callback);
  socket._unrefTimer();
  socket.connecting = true;
  if (options.noDelay !== undefined) own.noDelay = Boolean(options.noDelay);
  if (options.keepAlive !== undefined) own.keepAlive = Boolean(options.keepAlive);
  if (options.keepAliveInitialDelay !== undefined)
    own.keepAliveDelay = Math.max(0, ~~(options.keepAliveInitialDelay / 1000));
  if (options.path != null) {
    if (typeof options.path !== 'string') throw wrongType(platform, 'options.path', ['string'], options.path);
    openPath(socket, options.path);
    return;
  }
  find(socket, options);
}

/** The way to a path of the machine. */
function openPath(socket: Socket, path: string): void {
  const tried = (_: null, code: string | null): void => {
    if (socket.destroyed) return;
    socket.connecting = false;
    if (code === null) opened(socket);
    else socket.destroy(peerFailed(socket._net.platform, code, 'connect', path, undefined));
  };
  socket._handle?.connect(path, tried, null);
}

/** A socket that was destroyed may connect again. */
function revive(socket: Socket): void {
  (socket as unknown as { _undestroy(): void })._undestroy();
  socket._handle = null;
}

/** Checks what is left of the options, and finds the addresses. */
function find(socket: Socket, options: ConnectOptions): void {
  const { platform } = socket._net;
  const { localAddress, localPort, port } = options;
  const host = options.host || 'localhost';
  if (localAddress && platform.isIP(localAddress) === 0) throw badAddress(localAddress);
  if (localPort) checkNumber(platform, localPort, 'options.localPort');
  if (typeof port !== 'number' && typeof port !== 'string') {
    throw wrongType(platform, 'options.port', ['number', 'string'], port);
  }
  const target: Target = {
    address: host,
    port: portOf(platform, port, 'Port'),
    localAddress: localAddress || undefined,
    localPort,
  };
  const several = severalTried(socket, options);
  const family = platform.isIP(host);
  if (family !== 0) {
    platform.nextTick(openLater, socket, target);
    return;
  }
  if (options.lookup !== undefined) checkCallback(platform, options.lookup, 'options.lookup');
  resolve(socket, options, host, target, several);
}

/** Whether several addresses are tried, and how long each is given. */
function severalTried(socket: Socket, options: ConnectOptions): number {
  const env = socket._net;
  const { autoSelectFamily = env.autoSelectFamily, autoSelectFamilyAttemptTimeout: given } = options;
  if (options.autoSelectFamily !== undefined) {
    checkBoolean(env.platform, autoSelectFamily, 'options.autoSelectFamily');
  }
  if (given !== undefined) checkCount(env.platform, given, 'options.autoSelectFamilyAttemptTimeout');
  return autoSelectFamily ? Math.max(given ?? env.attemptTimeout, SHORTEST_ATTEMPT) : 0;
}

/** 4 or 6 for what options call a family, 0 for either. */
function familyOf(family: number | string | undefined): number {
  if (family === 'IPv4') return 4;
  if (family === 'IPv6') return 6;
  return typeof family === 'number' ? family : 0;
}

function resolve(
  socket: Socket,
  options: ConnectOptions,
  host: string,
  target: Omit<Target, 'address'>,
  attempt: number,
): void {
  const env = socket._net;
  const { platform } = env;
  const family = familyOf(options.family);
  let hints = options.hints ?? 0;
  if (family !== 4 && family !== 6 && hints === 0) hints = platform.addrConfig;
  const lookup = options.lookup ?? env.lookup;
  socket._host = host;
  if (attempt > 0 && family !== 4 && family !== 6 && target.localAddress === undefined) {
    lookup(host, { family, hints, all: true }, (error, found) => {
      if (!socket.connecting) return;
      if (error !== null && error !== undefined) fail(socket, error, host);
      else several(socket, options, host, target, attempt, found as readonly LookupAddress[]);
    });
    return;
  }
  lookup(host, { family, hints }, (error, address, kind) => {
    socket.emit('lookup', error, address, kind, host);
    socket._host = null;
    if (!socket.connecting) return;
    if (error !== null && error !== undefined) later(socket, error);
    else {
      const wrong = unusable(socket, options, address, kind);
      if (wrong !== null) later(socket, wrong);
      else {
        socket._unrefTimer();
        open(socket, { ...target, address: address as string });
      }
    }
  });
}

/** Why an answer of a name service cannot be used. */
function unusable(socket: Socket, options: ConnectOptions, address: unknown, family: unknown): Error | null {
  if (typeof address !== 'string' || socket._net.platform.isIP(address) === 0) return badAddress(address);
  return family === 4 || family === 6 ? null : badFamily(family, options.host ?? '', options.port);
}

function fail(socket: Socket, error: Error, host: string): void {
  socket.emit('lookup', error, undefined, undefined, host);
  later(socket, error);
}

/** The socket ends with `error` after what runs now. */
function later(socket: Socket, error: Error): void {
  socket._net.platform.nextTick(() => socket.destroy(error));
}

/** Of what was found each address once, the families by turns, that of the first answer first (RFC 8305 §4). */
function several(
  socket: Socket,
  options: ConnectOptions,
  host: string,
  target: Omit<Target, 'address'>,
  attempt: number,
  found: readonly LookupAddress[],
): void {
  const groups: [LookupAddress[], LookupAddress[]] = [[], []];
  let firstFamily = 0;
  for (const entry of found) {
    const { address, family } = entry;
    socket.emit('lookup', null, address, family, host);
    // A listener may have destroyed it.
    if (!socket.connecting) return;
    if (unusable(socket, options, address, family) !== null) continue;
    if (firstFamily === 0) firstFamily = family;
    const group = groups[family === firstFamily ? 0 : 1];
    if (!group.some((other) => other.address === address)) group.push(entry);
  }
  const [a, b] = groups;
  if (a.length === 0) {
    const [first] = found;
    later(socket, unusable(socket, options, first?.address, first?.family) ?? badAddress(first?.address));
    return;
  }
  const addresses: string[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    for (const entry of [a[i], b[i]]) if (entry !== undefined) addresses.push(entry.address);
  }
  socket._unrefTimer();
  if (addresses.length === 1) {
    open(socket, { ...target, address: addresses[0]! });
    return;
  }
  socket.autoSelectFamilyAttemptedAddresses = [];
  const context: Context = { socket, target, addresses, attempt, next: 0, timer: null, errors: [] };
  tryNext(context);
}

function openLater(socket: Socket, target: Target): void {
  if (socket.connecting) open(socket, target);
}

/** One attempt at one address. */
interface Attempt {
  readonly socket: Socket;
  readonly target: Target;
}

function open(socket: Socket, target: Target): void {
  const handle = socket._handle;
  if (handle === null) return;
  socket.emit('connectionAttempt', target.address, target.port, target.address.includes(':') ? 6 : 4);
  handle.connect(target, attempted, { socket, target });
}

function attempted({ socket, target }: Attempt, code: string | null): void {
  if (socket.destroyed) return;
  if (code === null) {
    opened(socket);
    return;
  }
  const error = attemptFailed(socket, target, code);
  socket.emit('connectionAttemptFailed', target.address, target.port, target.address.includes(':') ? 6 : 4, error);
  socket.connecting = false;
  socket.destroy(error);
}

/** The error of one attempt. */
export function attemptFailed(socket: Socket, target: Target, code: string): SystemError {
  const { address, port, localAddress, localPort } = target;
  const { platform } = socket._net;
  // What the kernel would refuse when asked to bind.
  if (code === 'EADDRNOTAVAIL' && localAddress !== undefined) {
    return peerFailed(platform, code, 'bind', localAddress, localPort);
  }
  const ours = localAddress !== undefined && localPort ? `${localAddress}:${localPort}` : '';
  const error = peerFailed(platform, code, 'connect', address, port, ours);
  return ours === '' ? error : Object.assign(error, { localAddress, localPort });
}

/** The connection is open: what was asked of it before is done now. */
export function opened(socket: Socket): void {
  const { _own: own, _handle: handle } = socket;
  if (handle === null) return;
  socket.connecting = false;
  socket._unrefTimer();
  if (own.noDelay) handle.setNoDelay(true);
  if (own.keepAlive) handle.setKeepAlive(true, own.keepAliveDelay);
  if (own.readsWhenOpen) {
    own.readsWhenOpen = false;
    socket._read(0);
  }
  socket.emit('connect');
  socket.emit('ready');
  if (!socket.isPaused()) socket.read(0);
}
