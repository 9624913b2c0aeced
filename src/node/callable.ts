// The classes of one host, callable without `new` and inheritable the old way, as Node's are.

import type { NetEnv } from './env.ts';
import { Duplex, EventEmitter } from './node-platform.ts';
import { initialiseServer, Server, type ServerOptions } from './server.ts';
import { optionsOf, prepare, Socket, type SocketOptions, start, streamOptions } from './socket.ts';

/** A constructor that may also be called: `Socket(options)`, or `Socket.call(this, options)` in an old-style subclass. */
export type Constructor<T, A extends unknown[]> = (new (...args: A) => T) & ((...args: A) => T);

/** The Socket of one host. */
export function callableSocket(env: NetEnv): Constructor<Socket, [options?: SocketOptions | number]> {
  return callable('Socket', Socket, { _net: env }, (self: Socket, options?: SocketOptions | number) => {
    const given = optionsOf(options);
    prepare(self, given);
    Reflect.apply(Duplex, self, [streamOptions(given)]);
    start(self, given);
  });
}

/** The Server of one host. */
export function callableServer(
  env: NetEnv,
  socket: Constructor<Socket, [options?: SocketOptions | number]>,
): Constructor<Server, [options?: ServerOptions, listener?: (socket: Socket) => void]> {
  const shared = { _net: env, _Socket: socket };
  return callable('Server', Server, shared, (self: Server, options?: ServerOptions, listener?) => {
    Reflect.apply(EventEmitter, self, []);
    initialiseServer(self, options, listener);
  });
}

/** A constructor function over `Base`, with `shared` on its prototype; `construct` does what a constructor does. */
export function callable<T extends object, A extends unknown[]>(
  name: string,
  Base: abstract new (...args: never[]) => T,
  shared: object,
  construct: (self: T, ...args: A) => void,
): Constructor<T, A> {
  const prototype = Object.create(Base.prototype, Object.getOwnPropertyDescriptors(shared)) as T;
  const made = function (this: unknown, ...args: A): T | undefined {
    // Looking through the classes above takes long, and with `new` there is no need to.
    if (new.target === undefined && !(this instanceof made)) return Reflect.construct(made, args) as T;
    construct(this as unknown as T, ...args);
    return undefined;
  };
  Object.defineProperty(made, 'name', { value: name });
  Object.setPrototypeOf(made, Base);
  made.prototype = prototype;
  Object.defineProperty(prototype, 'constructor', { value: made, writable: true, configurable: true });
  return made as unknown as Constructor<T, A>;
}

/**
 * A subclass of one of Node's own constructor functions, callable without `new` as it is.
 *
 * @param order puts the arguments in order for `Base`
 * @param members what its prototype has besides
 */
export function derive<T extends object>(
  Base: abstract new (...args: never[]) => T,
  order: (args: readonly unknown[]) => readonly unknown[],
  members: PropertyDescriptorMap,
): new (
  ...args: never[]
) => T {
  const made = function (this: unknown, ...args: unknown[]): unknown {
    if (!(this instanceof made)) return Reflect.construct(made, args);
    Reflect.apply(Base as unknown as (...args: never[]) => void, this, order(args) as never[]);
    return undefined;
  };
  Object.defineProperty(made, 'name', { value: Base.name });
  Object.setPrototypeOf(made, Base);
  made.prototype = Object.create(Base.prototype, {
    ...members,
    constructor: { value: made, writable: true, configurable: true },
  });
  return made as unknown as new (
    ...args: never[]
  ) => T;
}
