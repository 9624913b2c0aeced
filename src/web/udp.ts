// Datagrams: a UDP socket as an async iterable, a shape of our own because the Web has none.
/// <reference lib="esnext.disposable" preserve="true" />

import { type NetError, StateError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { udp as bindUdp, type UdpSocket } from '../host/udp.ts';
import { octets } from './flow.ts';
import type { PlatformSignal } from './platform.ts';
import { addressOf, type Lookup } from './web-host.ts';

/** One datagram that came in. */
export interface Datagram {
  readonly data: Uint8Array;
  /** Who sent it: a literal address, without brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** Options of `udp`. */
export interface UdpOptions {
  /** 0, the default, lets the host choose. */
  readonly port?: number;
  /** One of the host's addresses; all of them by default. */
  readonly hostname?: string;
  /** The address of a name. Without it only literal addresses can be reached. */
  readonly lookup?: Lookup;
  /** Datagrams to broadcast addresses may be sent. False by default. */
  readonly broadcast?: boolean;
  /**
   * Told when the network says that a datagram did not arrive (`ECONNREFUSED`, `EHOSTUNREACH`). The socket lives on; who
   * does not want to know leaves it out.
   */
  onError?(error: NetError): void;
  /** When it aborts, the socket is closed. */
  readonly signal?: PlatformSignal;
}

/** Where a datagram goes. */
export interface DatagramTarget {
  /** A literal address, or a name if the socket was given a `lookup`. */
  readonly hostname: string;
  readonly port: number;
}

/** Octets that wait for the program at most; a datagram that finds no room is dropped, as UDP may. */
const MOST_WAITING = 212_992;
/** What a datagram counts beside its octets, so that empty ones are bounded too. */
const OVERHEAD = 256;

/**
 * Opens a UDP socket of a host, as an async iterable. Throws `NetError` (`EADDRINUSE`, `EADDRNOTAVAIL`), `RangeError` for a
 * port or an address that is none.
 */
export function udp(host: Host, options: UdpOptions = {}): DatagramSocket {
  return new DatagramSocket(host, options);
}

/**
 * A UDP socket. Iterate it for the datagrams that come in; leaving the loop does not close it.
 *
 * @example
 * const socket = udp(host, { port: 7 });
 * for await (const { data, hostname, port } of socket) await socket.send(data, { hostname, port });
 */
export class DatagramSocket implements AsyncIterable<Datagram> {
  /** Settles when the socket is closed: by the program with `undefined`, or with the host's `NetError`. */
  readonly closed: Promise<void>;
  readonly #lookup: Lookup | null;
  readonly #socket: UdpSocket;
  readonly #waiting: Datagram[] = [];
  readonly #takers: ((result: IteratorResult<Datagram>) => void)[] = [];
  #held = 0;
  #dropped = 0;
  #over = false;
  #settle!: { resolve(): void; reject(error: unknown): void };

  /** @internal */
  constructor(host: Host, options: UdpOptions) {
    const { port = 0, hostname, broadcast = false, signal } = options;
    this.#lookup = options.lookup ?? null;
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.closed.catch(() => undefined);
    const where = hostname === undefined ? { port } : { port, address: hostname.replace(/^\[|\]$/g, '') };
    this.#socket = bindUdp(host, where);
    this.#socket.broadcast = broadcast;
    this.#socket.handler = {
      onMessage: (_socket, data, address, from) => this.#take({ data, hostname: address.toString(), port: from }),
      onError: (_socket, error) => options.onError?.(error),
      onClose: (_socket, error) => this.#end(error),
    };
    if (signal?.aborted === true) this.close();
    else signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  /** The port, also when the host chose it. */
  get port(): number {
    return this.#socket.port;
  }

  /** Datagrams that were dropped because the program did not take them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Sends one datagram; settles when it waits for the link, which is all that UDP promises. Rejects with `NetError`:
   * `EMSGSIZE` when it does not fit into one packet, `ENOBUFS` when too many wait for the link already, `ENETUNREACH`,
   * `EACCES` for a broadcast that was not allowed.
   */
  async send(data: Uint8Array | ArrayBuffer | ArrayBufferView, to: DatagramTarget): Promise<void> {
    const bytes = octets(data);
    const address = await addressOf({ lookup: this.#lookup }, to.hostname);
    if (this.#over) throw new StateError('the socket is closed');
    const error = this.#socket.send(bytes, address, to.port);
    if (error !== null) throw error;
  }

  /** The next datagram; `done` once the socket is closed. Rejects never. */
  next(): Promise<IteratorResult<Datagram>> {
    const datagram = this.#waiting.shift();
    if (datagram !== undefined) {
      this.#held -= datagram.data.length + OVERHEAD;
      return Promise.resolve({ done: false, value: datagram });
    }
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#takers.push(resolve);
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<Datagram> {
    return { next: () => this.next() };
  }

  /** Gives the port back: loops end, and what nobody took is dropped. */
  close(): void {
    this.#end(null);
    this.#socket.close();
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #take(datagram: Datagram): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker({ done: false, value: datagram });
      return;
    }
    const size = datagram.data.length + OVERHEAD;
    if (this.#held + size > MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#held += size;
    this.#waiting.push(datagram);
  }

  #end(error: NetError | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.length = 0;
    if (error === null) this.#settle.resolve();
    else this.#settle.reject(error);
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
  }
}
