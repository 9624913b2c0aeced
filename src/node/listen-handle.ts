// What stands behind a server: a listening port of the host.

import { NetError } from '../base/errors.ts';
import type { NetEnv, NetListener, NetStream } from './env.ts';
import { type Place, TcpHandle } from './handle.ts';
import type { Scope } from './platform.ts';

/** Told of every connection; `error` is 0, or a (negative) error number with no connection. */
export type OnConnection = (error: number, connection: TcpHandle | undefined) => void;

/** A listening port; programs meet it as `server._handle`. */
export class ListenHandle {
  /** May be replaced or called by programs. */
  onconnection: OnConnection;
  readonly scope: Scope;
  readonly #env: NetEnv;
  #listener: NetListener | null = null;
  #address = '';
  #held = false;
  #referenced = true;

  constructor(env: NetEnv, onconnection: OnConnection) {
    this.#env = env;
    this.scope = env.platform.scope('TCPSERVERWRAP');
    this.onconnection = onconnection;
  }

  /** What "all addresses" is called here: both families where the host has both. */
  get wildcard(): '::' | '0.0.0.0' {
    return this.#env.host.interfaces?.some((i) => i.address(6) !== null) === true ? '::' : '0.0.0.0';
  }

  /** Listens; returns the code of the error, or `null`. */
  listen(address: string | null, port: number, backlog: number, ipv6Only: boolean): string | null {
    const bound = address ?? this.wildcard;
    const any = bound === '::' || bound === '0.0.0.0';
    const dual = bound === '::' && !ipv6Only;
    try {
      this.#listener = this.#env.host.listen({ port, backlog, ...(any ? {} : { address: bound }) }, (stream) => {
        const v4 = !stream.localAddress.includes(':');
        if (any && !dual && v4 !== (bound === '0.0.0.0')) stream.abort();
        else this.#accept(stream, dual);
      });
    } catch (error) {
      return error instanceof NetError ? error.code : 'EINVAL';
    }
    this.#address = bound;
    this.#keep();
    return null;
  }

  #accept(stream: NetStream, dual: boolean): void {
    this.scope.enter(() => this.onconnection(0, new TcpHandle(this.#env, stream, dual)));
  }

  /** Stops listening. */
  close(): void {
    this.#listener?.close();
    this.#listener = null;
    this.#keep();
  }

  /** Where it listens. */
  place(): Place | null {
    if (this.#listener === null) return null;
    const family = this.#address.includes(':') ? 'IPv6' : 'IPv4';
    return { address: this.#address, family, port: this.#listener.port };
  }

  ref(): void {
    this.#referenced = true;
    this.#keep();
  }

  unref(): void {
    this.#referenced = false;
    this.#keep();
  }

  /** Whether it keeps the process alive. */
  hasRef(): boolean {
    return this.#held;
  }

  #keep(): void {
    const hold = this.#listener !== null && this.#referenced;
    if (hold === this.#held) return;
    this.#held = hold;
    this.#env.hold.change(hold);
  }
}
