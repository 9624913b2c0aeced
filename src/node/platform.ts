// What the room needs of a platform besides streams: Node gives it by its own modules, a page by small stand-ins.

import type { Clock } from '../run/clock.ts';
import type { NetListener, NetStream } from './env.ts';
import type { ErrorSource } from './errors.ts';

/** Where callbacks run: in the asynchronous context in which the socket or server was made. */
export interface Scope {
  /** Calls `run` in the context, with what it is about: a closure for every call would be as much to make as the call. */
  enter<A, B>(run: (a: A, b: B) => void, a: A, b: B): void;
  /** The platform's number of the context. */
  asyncId(): number;
}

/** One answer of a name service. */
export interface LookupAddress {
  readonly address: string;
  readonly family: number;
}

/** What `dns.lookup` calls back with: one address, or all of them when asked with `all`. */
export type LookupCallback = (
  error: Error | null,
  address?: string | readonly LookupAddress[],
  family?: number,
) => void;

/** A name service of the shape of `dns.lookup`. */
export type Lookup = (
  hostname: string,
  options: { family: number; hints: number; all?: boolean },
  callback: LookupCallback,
) => void;

/** A path to listen on, and who may connect to it. */
export interface PathOptions {
  readonly path: string;
  readonly backlog?: number;
  readonly readableAll?: boolean;
  readonly writableAll?: boolean;
}

/** A platform. */
export interface Platform extends ErrorSource {
  /** Timers and time for socket timeouts; fake timers of a test runner do not reach it. */
  readonly clock: Clock;
  /** Calls `run` with `args` before the event loop goes on, after what runs now. */
  nextTick<A extends readonly unknown[]>(run: (...args: A) => void, ...args: A): void;
  /** Calls `run` with `args` in the next round of the event loop. */
  soon<A extends readonly unknown[]>(run: (...args: A) => void, ...args: A): void;
  /** Keeps the process alive until the function it returns is called. */
  stayAlive(): () => void;
  /** The present asynchronous context. */
  scope(kind: string): Scope;
  /** Connects to a path of the machine this runs on. */
  connectPath(path: string): NetStream;
  /** Listens on a path of the machine this runs on. `ready` is called with the code of an error, or `null`. */
  listenPath(
    options: PathOptions,
    accept: (stream: NetStream) => void,
    ready: (code: string | null) => void,
  ): NetListener;
  /** The name service of programs that bring none. */
  readonly lookup: Lookup;
  /** The hint to leave out families that the machine has no address of. */
  readonly addrConfig: number;
  /** 4 or 6 for the text of an address, 0 for anything else. */
  isIP(text: string): number;
  /** Classes of Node's module that know nothing of hosts; none where there is no Node. */
  readonly extras: Partial<Pick<typeof import('node:net'), 'BlockList' | 'SocketAddress'>>;
  /** Whether `connect` tries several addresses, unless told otherwise, and how long each is given, ms; of now. */
  autoSelect(): { readonly family: boolean; readonly timeout: number };
  /** A buffer that is wholly its owner's. */
  alloc(size: number): Uint8Array;
  /** The octets of a string. */
  encode(text: string, encoding: string): Uint8Array;
  /** A function that does nothing but warn, once, with a code of Node's list of deprecations. */
  deprecated(message: string, code: string): () => void;
  /** Tells those who watch the platform's diagnostics of a socket. */
  publish(channel: 'net.client.socket' | 'net.server.socket', socket: object): void;
}
