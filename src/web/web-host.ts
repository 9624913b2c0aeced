// What this room needs of a host, and of time: small enough that real, simulated and in-memory hosts all have it.

import type { ByteStream } from '../base/stream.ts';
import { type Clock, systemClock } from '../run/clock.ts';
import type { TlsOptions } from './tls.ts';

/** A stream that knows its ends. */
export interface WebStream extends ByteStream {
  /** Addresses in text and ports, where the stream has any. */
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

/** A listening port. */
export interface WebListener {
  readonly port: number;
  close(): void;
}

/** A host; `Host` of `synfin` is one. Its owner must pump it when `onWake` says so (`run/` does). */
export interface WebHost {
  /** Opens a stream; failures come by `onClose`, or are thrown as `NetError`. */
  connect(options: { address: string; port: number }): WebStream;
  /** Calls `accept` with every open stream that comes in. Throws `NetError` (`EADDRINUSE`). */
  listen(options: { port: number; address?: string }, accept: (stream: WebStream) => void): WebListener;
}

/** Tells the addresses of a name. */
export type Lookup = (hostname: string) => Promise<string | readonly string[]> | string | readonly string[];

/** Options of `createWeb`. */
export interface WebOptions {
  /**
   * The address of a name, or its addresses, the one to prefer first: they are tried as RFC 8305 says. Without it only
   * literal addresses can be reached.
   */
  readonly lookup?: Lookup;
  /** Monotonic time and timers for timeouts; the platform's by default, `null` for no timeouts at all. */
  readonly clock?: Clock | null;
  /** The time of day for `Date`, milliseconds since 1970; the platform's by default. */
  readonly timeOfDay?: () => number;
  /** Idle connections that `fetch` keeps per origin; 6 by default, 0 for none. */
  readonly keepIdle?: number;
  /** Connections that `fetch` opens per origin; requests beyond wait in line. 32 by default. */
  readonly perOrigin?: number;
  /** How long `fetch` waits. */
  readonly timeouts?: Partial<FetchTimeouts>;
  /**
   * What `fetch` asks for in `Accept-Encoding` when the program does not; `gzip, deflate` by default. The same on every
   * platform, so that a simulation is: name `br` and `zstd` too where they are known to be there. What comes is decoded
   * as far as the platform can.
   */
  readonly acceptEncoding?: string;
  /** Octets that coded content (gzip and others) may grow to; 1 GiB by default. */
  readonly maxDecoded?: number;
  /** How `fetch` speaks TLS to `https:` origins and proxies. */
  readonly tls?: TlsOptions;
  /**
   * The URL of a proxy, `http:` or `https:`, that `fetch` asks for a tunnel by CONNECT (RFC 9110 §9.3.6); credentials in it
   * are sent as Basic. Or what tells it for each URL; `null` is none.
   */
  readonly proxy?: string | ((url: string) => string | null) | null;
}

/** How long `fetch` waits, milliseconds; `Infinity` for as long as it takes. Without a clock it always does. */
export interface FetchTimeouts {
  /** For a connection to open; 10,000 by default. */
  readonly connect: number;
  /** For the head of an answer, from when the request was made or its content last moved; 300,000 by default. */
  readonly headers: number;
  /** For more of the content while it is being read; 300,000 by default. */
  readonly body: number;
}

/** Everything the parts of this room share. @internal */
export interface WebEnv {
  readonly host: WebHost;
  readonly lookup: Lookup | null;
  readonly clock: Clock | null;
  readonly timeOfDay: () => number;
  readonly keepIdle: number;
  readonly perOrigin: number;
  readonly timeouts: FetchTimeouts;
  readonly maxDecoded: number;
  readonly acceptEncoding: string;
  readonly tls: TlsOptions;
  readonly proxy: string | ((url: string) => string | null) | null;
}

/** Fills in what `options` leaves open. @internal */
export function webEnv(host: WebHost, options: WebOptions): WebEnv {
  return {
    host,
    lookup: options.lookup ?? null,
    clock: options.clock === undefined ? systemClock() : options.clock,
    timeOfDay: options.timeOfDay ?? (() => Date.now()),
    keepIdle: options.keepIdle ?? 6,
    perOrigin: options.perOrigin ?? 32,
    timeouts: { connect: 10_000, headers: 300_000, body: 300_000, ...options.timeouts },
    acceptEncoding: options.acceptEncoding ?? 'gzip, deflate',
    maxDecoded: options.maxDecoded ?? 1024 * 1024 * 1024,
    tls: options.tls ?? {},
    proxy: options.proxy ?? null,
  };
}

/** Calls `fire` after `delay` ms unless undone; never keeps the process alive. Does nothing without a clock. @internal */
export function later(env: WebEnv, delay: number, fire: () => void): () => void {
  const { clock } = env;
  if (clock === null) return () => undefined;
  const timer = clock.setTimer(fire, delay);
  clock.holdTimer(timer, false);
  return () => clock.clearTimer(timer);
}

/**
 * The addresses that `hostname` stands for, the one to prefer first. Rejects with `TypeError` when only `lookup` could tell.
 *
 * @internal
 */
export async function addressesOf(env: Pick<WebEnv, 'lookup'>, hostname: string): Promise<readonly string[]> {
  if (hostname.startsWith('[') && hostname.endsWith(']')) return [hostname.slice(1, -1)];
  if (hostname.includes(':') || /^[0-9]+(?:\.[0-9]+){3}$/.test(hostname)) return [hostname];
  if (env.lookup === null) throw new TypeError(`${hostname} is a name: pass createWeb a lookup, or use an address`);
  const found = await env.lookup(hostname);
  return typeof found === 'string' ? [found] : found;
}

/** The address of `hostname` that is to be preferred. Rejects as `addressesOf` does, and when there is none. @internal */
export async function addressOf(env: Pick<WebEnv, 'lookup'>, hostname: string): Promise<string> {
  const [address] = await addressesOf(env, hostname);
  if (address === undefined) throw new TypeError(`${hostname} has no address`);
  return address;
}
