// Listening sockets: what comes in, as an async iterable.
/// <reference lib="esnext.disposable" preserve="true" />

import type { PlatformSignal } from './platform.ts';
import { Socket, type SocketOptions } from './socket.ts';
import { assertTls, type SecureStream, secureServer, type TlsOptions } from './tls.ts';
import type { WebEnv, WebListener, WebStream } from './web-host.ts';

/** Options of `listen`. */
export interface ListenOptions extends SocketOptions {
  /** 0 lets the host choose. */
  readonly port: number;
  /** One of the host's addresses; all of them by default. */
  readonly hostname?: string;
  /** When it aborts, the listener is closed. */
  readonly signal?: PlatformSignal;
  /** Connections that wait for the program; more are reset. 511 by default. */
  readonly backlog?: number;
}

/**
 * A listening port. Iterate it for the connections that come in; leaving the loop does not close it.
 *
 * @example
 * for await (const socket of web.listen({ port: 7 })) void socket.readable.pipeTo(socket.writable);
 */
export class SocketListener implements AsyncIterable<Socket> {
  readonly #listener: WebListener;
  readonly #waiting: Socket[] = [];
  readonly #takers: ((result: IteratorResult<Socket>) => void)[] = [];
  #over = false;

  /** @internal */
  constructor(env: WebEnv, options: ListenOptions) {
    const { port, hostname, backlog = 511 } = options;
    const { signal, secureTransport = 'off', tls } = options;
    const secure = secureTransport === 'off' ? null : secureWith(tls);
    const where = hostname === undefined ? { port } : { port, address: hostname.replace(/^\[|\]$/g, '') };
    this.#listener = env.host.listen(where, (stream) => {
      if (this.#over || this.#waiting.length >= backlog) {
        stream.abort();
        return;
      }
      const socket = new Socket(env, options, secure);
      if (secureTransport === 'on') socket.attach(secure!(stream), false);
      else socket.attach(stream, true);
      const taker = this.#takers.shift();
      if (taker === undefined) this.#waiting.push(socket);
      else taker({ done: false, value: socket });
    });
    if (signal?.aborted === true) this.close();
    else signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  /** The port, also when the host chose it. */
  get port(): number {
    return this.#listener.port;
  }

  /** Stops listening: loops end, and connections that nobody took are closed. The others live on. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.close();
    for (const socket of this.#waiting.splice(0)) void socket.close();
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
  }

  /** The next connection; rejects never. With TLS it may still be in its handshake: `opened` tells. */
  next(): Promise<IteratorResult<Socket>> {
    const socket = this.#waiting.shift();
    if (socket !== undefined) return Promise.resolve({ done: false, value: socket });
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#takers.push(resolve);
    });
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Socket> {
    return { next: () => this.next() };
  }
}

/** A server secures what comes in with its certificate, which it must have. */
function secureWith(tls: TlsOptions | undefined): (stream: WebStream) => SecureStream {
  assertTls();
  if (tls?.cert === undefined || tls.key === undefined) {
    throw new TypeError('a server that speaks TLS needs tls: { cert, key }');
  }
  return (stream) => secureServer(stream, tls);
}
