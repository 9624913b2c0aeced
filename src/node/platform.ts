// What the room needs of a platform besides streams: Node gives it by its own modules, a page by small stand-ins.

import type { Clock } from '../run/clock.ts';
import type { ErrorSource } from './errors.ts';

/** Where callbacks run: in the asynchronous context in which the socket or server was made. */
export interface Scope {
  /** Calls `run` in the context. */
  enter(run: () => void): void;
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

/** A platform. */
export interface Platform extends ErrorSource {
  /** Timers and time for socket timeouts; fake timers of a test runner do not reach it. */
  readonly clock: Clock;
  /** Calls `run` before the event loop goes on, after what runs now. */
  nextTick(run: () => void): void;
  /** Calls `run` in the next round of the event loop. */
  soon(run: () => void): void;
  /** Keeps the process alive until the function it returns is called. */
  stayAlive(): () => void;
  /** The present asynchronous context. */
  scope(kind: string): Scope;
  /** The name service of programs that bring none. */
  readonly lookup: Lookup;
  /** The hint to leave out families that the machine has no address of. */
  readonly addrConfig: number;
  /** 4 or 6 for the text of an address, 0 for anything else. */
  isIP(text: string): number;
  /** A buffer that is wholly its owner's. */
  alloc(size: number): Uint8Array;
  /** The octets of a string. */
  encode(text: string, encoding: string): Uint8Array;
  /** Tells those who watch the platform's diagnostics of a socket. */
  publish(channel: 'net.client.socket' | 'net.server.socket', message: object): void;
}
