// Several addresses, tried one after the other, each given a moment before the next is tried too (RFC 8305 §5).

import type { TimerHandle } from '../run/clock.ts';
import { attemptFailed, opened } from './connect.ts';
import { allFailed, noneAnswered, type SystemError } from './errors.ts';
import { type Target, TcpHandle } from './handle.ts';
import { adopt, type Socket } from './socket.ts';

/** The attempts of one socket. */
export interface Context {
  readonly socket: Socket;
  readonly target: Omit<Target, 'address'>;
  readonly addresses: readonly string[];
  /** How long an attempt has for itself, ms. */
  readonly attempt: number;
  /** Index of the next address. */
  next: number;
  timer: TimerHandle;
  readonly errors: SystemError[];
}

const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);

/** Tries the next address; when none is left the socket ends with every attempt's error. */
export function tryNext(context: Context): void {
  const { socket, addresses, errors } = context;
  const env = socket._net;
  stopTimer(context);
  const address = addresses[context.next];
  if (address === undefined) {
    socket.destroy(errors.length === 0 ? noneAnswered() : allFailed(errors));
    return;
  }
  const current = context.next++;
  if (current > 0) replaceHandle(socket);
  const handle = socket._handle;
  if (handle === null) return;
  const target: Target = { ...context.target, address };
  socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${target.port}`);
  socket.emit('connectionAttempt', address, target.port, familyOf(address));
  const tried = (_: null, code: string | null): void => {
    stopTimer(context);
    if (code === null) opened(socket);
    else attemptEnded(context, target, 'connectionAttemptFailed', code);
  };
  handle.connect(target, tried, null);
  if (context.next === addresses.length) return;
  context.timer = env.clock.setTimer(() => {
    context.timer = null;
    handle.close();
    attemptEnded(context, target, 'connectionAttemptTimeout', 'ETIMEDOUT');
  }, context.attempt);
}

function attemptEnded(context: Context, target: Target, event: string, code: string): void {
  const { socket } = context;
  const error = attemptFailed(socket, target, code);
  context.errors.push(error);
  const { address, port } = target;
  if (event === 'connectionAttemptFailed') socket.emit(event, address, port, familyOf(address), error);
  else socket.emit(event, address, port, familyOf(address));
  if (socket.connecting) tryNext(context);
}

function replaceHandle(socket: Socket): void {
  const old = socket._handle;
  const handle = new TcpHandle(socket._net, null);
  if (old !== null) {
    if (!old.hasRef()) handle.unref();
    old.reader = null;
    old.close();
  }
  adopt(socket, handle);
}

function stopTimer(context: Context): void {
  if (context.timer !== null) context.socket._net.clock.clearTimer(context.timer);
  context.timer = null;
}
