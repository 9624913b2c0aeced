// From a URL to an open stream: which addresses to try (RFC 8305), through which proxy, and TLS on top.

import { NetError } from '../base/errors.ts';
import { HttpClientStream } from '../http/index.ts';
import { LaterStream } from './later-stream.ts';
import { secureClient } from './tls.ts';
import { addressesOf, later, type WebEnv, type WebStream } from './web-host.ts';

/** How long an attempt is given before the next begins beside it, milliseconds (RFC 8305 §5). */
const ATTEMPT_DELAY = 250;

/** Where a connection leads: what the pool keeps connections by, and how to make one. */
export interface Route {
  /** The same for all requests that may share a connection. */
  readonly key: string;
  /** Addresses to try, of the origin or of the proxy, and the port. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** The proxy that is asked for a tunnel. */
  readonly proxy: URL | null;
  /** Scheme, name and port of the origin. */
  readonly origin: URL;
}

/** The port of a URL, also where it is the scheme's own. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/**
 * Finds out where the connections to the origin of `url` lead. Rejects with `TypeError` for a name that only `lookup` could
 * tell and for a proxy that is none, and with what `lookup` rejects with.
 */
export async function routeTo(env: WebEnv, url: URL): Promise<Route> {
  const proxy = proxyFor(env, url);
  const to = proxy ?? url;
  const addresses = interleaved(await addressesOf(env, to.hostname));
  if (addresses.length === 0) throw new TypeError(`${to.hostname} has no address`);
  const key = `${url.protocol}//${url.hostname}:${portOf(url)} ${proxy?.href ?? ''}`;
  return { key, addresses, port: portOf(to), proxy, origin: url };
}

function proxyFor(env: WebEnv, url: URL): URL | null {
  const named = typeof env.proxy === 'function' ? env.proxy(url.href) : env.proxy;
  if (named === null) return null;
  if (!URL.canParse(named) || !/^https?:$/.test(new URL(named).protocol)) {
    throw new TypeError(`the proxy ${JSON.stringify(named)} is no http: or https: URL`);
  }
  return new URL(named);
}

/** Addresses with their families in turn, beginning with that of the first (RFC 8305 §4). */
export function interleaved(addresses: readonly string[]): string[] {
  const first = addresses.filter((address) => address.includes(':') === addresses[0]?.includes(':'));
  const other = addresses.filter((address) => !first.includes(address));
  const all: string[] = [];
  for (let i = 0; i < Math.max(first.length, other.length); i++) {
    all.push(...first.slice(i, i + 1), ...other.slice(i, i + 1));
  }
  return all;
}

/** Opens what a route describes. Throws `NetError` when nothing can be opened, and what `secureClient` throws. */
export function open(env: WebEnv, route: Route): WebStream {
  const { proxy, origin } = route;
  const carrier = connectAny(env, route.addresses, route.port);
  try {
    if (proxy === null) return secured(env, carrier, origin);
    return secured(env, tunnel(secured(env, carrier, proxy), proxy, origin), origin);
  } catch (error) {
    carrier.abort();
    throw error;
  }
}

function secured(env: WebEnv, carrier: WebStream, url: URL): WebStream {
  if (url.protocol !== 'https:') return carrier;
  return secureClient(carrier, url.hostname.replace(/^\[|\]$/g, ''), { ...env.tls, alpn: ['http/1.1'] });
}

/** Asks a proxy for a way to the origin (RFC 9110 §9.3.6), for `http:` as for `https:`. */
function tunnel(stream: WebStream, proxy: URL, origin: URL): WebStream {
  const authority = `${origin.hostname}:${portOf(origin)}`;
  const headers: [string, string][] = [['Host', authority]];
  if (proxy.username !== '' || proxy.password !== '') {
    const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    const octets = String.fromCharCode(...new TextEncoder().encode(credentials));
    headers.push(['Proxy-Authorization', `Basic ${btoa(octets)}`]);
  }
  const client = new HttpClientStream(stream);
  const found = new LaterStream(() => client.abort());
  client.request(
    { method: 'CONNECT', target: authority, headers },
    {
      onHandOver: (_response, through) => found.attach(through as WebStream),
      onResponse: ({ status, reason }) => {
        found.fail(new TypeError(`the proxy ${proxy.host} answered CONNECT ${authority} with ${status} ${reason}`));
        client.abort();
      },
      onData: () => undefined,
      onEnd: () => undefined,
      onError: (error) => found.fail(error),
    },
  );
  return found;
}

/**
 * Connects to the first of `addresses` that answers: each next one is tried when the one before has failed, or has not
 * answered for a while (RFC 8305 §5). When none does, the failure of the first is told.
 */
export function connectAny(env: WebEnv, addresses: readonly string[], port: number): WebStream {
  if (addresses.length === 1) return env.host.connect({ address: addresses[0]!, port });
  return new Race(env, addresses, port).stream;
}

/** Several attempts, of which one wins. */
class Race {
  readonly stream: LaterStream = new LaterStream(() => this.#stop(null));
  readonly #env: WebEnv;
  readonly #addresses: readonly string[];
  readonly #port: number;
  readonly #running: Set<WebStream> = new Set();
  #next = 0;
  #failure: Error | null = null;
  #undo: () => void = () => undefined;

  constructor(env: WebEnv, addresses: readonly string[], port: number) {
    this.#env = env;
    this.#addresses = addresses;
    this.#port = port;
    this.#try();
    // Refused before anything was sent, all of them.
    if (this.#running.size === 0) throw this.#failure ?? new NetError('EADDRNOTAVAIL', 'connect');
  }

  /** Begins the next attempt that can be begun. */
  #try(): void {
    this.#undo();
    while (this.#next < this.#addresses.length) {
      const address = this.#addresses[this.#next++]!;
      try {
        this.#begin(this.#env.host.connect({ address, port: this.#port }));
        break;
      } catch (error) {
        if (!(error instanceof NetError)) throw error;
        // No way there, says our own host.
        this.#failure ??= error;
      }
    }
    if (this.#next < this.#addresses.length) this.#undo = later(this.#env, ATTEMPT_DELAY, () => this.#try());
  }

  #begin(attempt: WebStream): void {
    this.#running.add(attempt);
    attempt.handler = {
      onOpen: () => {
        this.#stop(attempt);
        this.stream.attach(attempt);
      },
      onClose: (_stream, error) => {
        if (!this.#running.delete(attempt)) return;
        this.#failure ??= error;
        this.#try();
        if (this.#running.size === 0) this.stream.fail(this.#failure ?? new NetError('ECONNRESET', 'connect'));
      },
    };
  }

  /** It is decided: the others go. */
  #stop(winner: WebStream | null): void {
    this.#undo();
    this.#next = this.#addresses.length;
    const losers = [...this.#running].filter((attempt) => attempt !== winner);
    this.#running.clear();
    for (const attempt of losers) attempt.abort();
  }
}
