// What stands behind a server: a listening port of the host.

import { NetError } from '../base/errors.ts';
import { Holder, type NetEnv, type NetListener, type NetStream } from './env.ts';
import { type Place, TcpHandle } from './handle.ts';
import type { PathOptions, Scope } from './platform.ts';

/** Told of every connection; `error` is 0, or a (negative) error number with no connection. */
export type OnConnection = (error: number, connection: TcpHandle | undefined) => void;

/** All addresses of both families, which every host has: it can always reach itself. */
export const ALL = '::';

/** A listening port; programs meet it as `server._handle`. */
export class ListenHandle {
  /** May be replaced or called by programs. */
  onconnection: OnConnection;
  readonly scope: Scope;
  readonly #env: NetEnv;
  #listener: NetListener | null = null;
  #address = '';
  #path = '';
  /** What comes over IPv4 is shown as IPv6, as by any listener that has both. */
  #dual = false;
  readonly #holder: Holder;

  constructor(env: NetEnv, onconnection: OnConnection) {
    this.#env = env;
    this.#holder = new Holder(env.hold);
    this.scope = env.platform.scope('TCPSERVERWRAP');
    this.onconnection = onconnection;
  }

  /** Listens; returns the code of the error, or `null`. */
  listen(address: string | null, port: number, backlog: number, ipv6Only: boolean): string | null {
    const bound = address ?? ALL;
    this.#dual = bound === ALL && !ipv6Only;
    try {
      this.#listener = this.#env.host.listen({ port, backlog, address: bound, ipv6Only }, (stream) =>
        this.#accept(stream),
      );
    } catch (error) {
      return error instanceof NetError ? error.code : 'EINVAL';
    }
    this.#address = bound;
    this.#keep();
    return null;
  }

  /** Listens on a path of the machine; `ready` is called with the code of an error, or `null`. */
  listenPath(options: PathOptions, ready: (code: string | null) => void): void {
    const { platform } = this.#env;
    this.#path = options.path;
    this.#listener = platform.listenPath(options, (stream) => this.#accept(stream), ready);
    this.#keep();
  }

  #accept(stream: NetStream): void {
    this.scope.enter(ListenHandle.#accepted, this, stream);
  }

  /** The handle is made here: its context is that of the server. */
  static #accepted(listening: ListenHandle, stream: NetStream): void {
    listening.onconnection(0, new TcpHandle(listening.#env, stream, listening.#dual));
  }

  /** Stops listening. */
  close(): void {
    this.#listener?.close();
    this.#listener = null;
    this.#keep();
  }

  /** Where it listens: a path is told as it is. */
  place(): Place | string | null {
    if (this.#listener === null) return null;
    if (this.#path !== '') return this.#path;
    const family = this.#address.includes(':') ? 'IPv6' : 'IPv4';
    return { address: this.#address, family, port: this.#listener.port };
  }

  ref(): void {
    this.#holder.setReferenced(true);
  }

  unref(): void {
    this.#holder.setReferenced(false);
  }

  /** Whether it keeps the process alive. */
  hasRef(): boolean {
    return this.#holder.held;
  }

  #keep(): void {
    this.#holder.setActive(this.#listener !== null);
  }
}
