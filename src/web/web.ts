// `createWeb`: the platform's own shapes (streams, `fetch`, `Request` and `Response`) over a host of ours.

import { connectAny, interleaved } from './dial.ts';
import { fetchOver } from './fetch.ts';
import { type ListenOptions, SocketListener } from './listener.ts';
import type { FetchInit, FetchInput, PlatformResponse } from './platform.ts';
import { Pool } from './pool.ts';
import { type ServeOptions, WebServer } from './serve.ts';
import { type ConnectOptions, Socket } from './socket.ts';
import { installDecoder } from './text.ts';
import { type SecureStream, secureClient } from './tls.ts';
import type { FetchOptions } from './trailers.ts';
import { addressesOf, type WebHost, type WebOptions, type WebStream, webEnv } from './web-host.ts';

/** Where `connect` goes. */
export interface SocketAddress {
  /** A literal address, or a name if `createWeb` was given a `lookup`. */
  readonly hostname: string;
  readonly port: number;
}

/** The network of one host, in Web shapes. */
export interface Web {
  /**
   * Opens a connection. Never throws for the network's sake: `opened` and the streams are rejected. Throws `TypeError`
   * for an address that is none, and for TLS where the platform has none.
   *
   * @param address or its text, `'10.0.0.2:80'`, `'[fd00::2]:80'`
   */
  connect(address: SocketAddress | string, options?: ConnectOptions): Socket;
  /** Listens for connections. Throws `NetError` (`EADDRINUSE`). */
  listen(options: ListenOptions): SocketListener;
  /**
   * As the platform's `fetch`, for `http:` URLs, and for `https:` where the platform has TLS. Redirects are followed,
   * codings undone. Rejects with a `TypeError` whose `cause` is the `NetError` or `HttpError`, or with the signal's reason.
   */
  fetch(input: FetchInput, init?: FetchInit | (FetchInit & FetchOptions)): Promise<PlatformResponse>;
  /** Serves HTTP. Throws `NetError` (`EADDRINUSE`). */
  serve(options: ServeOptions): WebServer;
  /** Closes the idle connections that `fetch` keeps; servers and sockets are not touched. */
  close(): void;
}

/**
 * Binds the Web shapes to a host, which its owner keeps running (`createHost` of `run/` does).
 *
 * @example
 * const { host } = createHost({ name: 'here' });
 * const web = createWeb(host);
 * web.serve({ port: 80, fetch: () => new Response('hello\n') });
 */
export function createWeb(host: WebHost, options: WebOptions = {}): Web {
  installDecoder();
  const env = webEnv(host, options);
  const pool = new Pool(env);
  return {
    connect(address, socketOptions = {}) {
      const { hostname, port } = typeof address === 'string' ? endOf(address) : address;
      const { sni, alpn, tls } = socketOptions;
      const secure = (stream: WebStream): SecureStream =>
        secureClient(stream, sni ?? hostname.replace(/^\[|\]$/g, ''), { ...tls, ...(alpn && { alpn }) });
      const socket = new Socket(env, socketOptions, secure);
      const open = (addresses: readonly string[]): void => {
        try {
          if (addresses.length === 0) throw new TypeError(`${hostname} has no address`);
          const stream = connectAny(env, interleaved(addresses), port);
          socket.attach(socket.secureTransport === 'on' ? secure(stream) : stream, false);
        } catch (error) {
          socket.fail(error);
        }
      };
      if (socketOptions.signal !== undefined) socket.follow(socketOptions.signal);
      addressesOf(env, hostname).then(open, (error) => socket.fail(error));
      return socket;
    },
    listen: (listenOptions) => new SocketListener(env, listenOptions),
    fetch: (input, init) => fetchOver(env, pool, input, init),
    serve: (serveOptions) => new WebServer(env, serveOptions),
    close: () => pool.close(),
  };
}

/** The parts of `host:port`. Throws `TypeError` for a text that is none. */
function endOf(text: string): SocketAddress {
  const match = /^(\[[^\]]+\]|[^:]+):([0-9]{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 0xffff) throw new TypeError(`${JSON.stringify(text)} is not host:port`);
  return { hostname: match[1]!, port: Number(match[2]) };
}
