// A listening port: half-open connections, open ones that the program has not been given, and the program that takes them.

import type { Profile } from '../base/profile.ts';
import { type Connection, EVENT_OPEN } from '../tcp/connection.ts';
import type { FastOpenQueue } from '../tcp/fast-open.ts';
import type { Address } from '../wire/address.ts';
import type { Host } from './host.ts';

/** What `Host.listen` needs to know. */
export interface ListenOptions {
  /** 0 to 65535; 0 lets the host choose. */
  readonly port: number;
  /**
   * One of the host's addresses; `0.0.0.0` for all of IPv4, `::` for all, or all of IPv6 with `ipv6Only`; all by default.
   * A listener on the very address of a SYN goes before one on all addresses of its family, that before one on all.
   */
  readonly address?: string;
  /** Open connections that wait for the program, at most, and as many half-open ones; 1 at least. */
  readonly backlog?: number;
  /** With the address `::`: no IPv4. */
  readonly ipv6Only?: boolean;
  /**
   * Another listener on the same port is no hindrance as long as it says so too and their addresses differ: one on an
   * address beside one on all (SO_REUSEADDR of the BSDs). Without it, overlapping addresses are EADDRINUSE.
   */
  readonly reuseAddress?: boolean;
  /** Receive buffer of its connections, octets (SO_RCVBUF), as in `ConnectOptions`; by default the profile's. */
  readonly receiveBuffer?: number;
  /** Largest segment offered to its connections (TCP_MAXSEG); by default the profile's. */
  readonly maxSegment?: number;
  /**
   * The program gets a connection when its first octets have come, or when the peer still has nothing to say after about so
   * many milliseconds (TCP_DEFER_ACCEPT): the next of the times at which a SYN,ACK would have been repeated. 0 by default.
   */
  readonly deferAccept?: number;
  /**
   * Connections that were opened by text on a SYN and whose peer has not been heard since, at most (RFC 7413 §5.1); SYNs
   * beyond go the ordinary way. 0 takes no such text. By default 0, or `backlog` with bit 2 of the profile's `fastOpen`.
   * Any other limit needs a host that was given `fastOpen`.
   */
  readonly fastOpen?: number;
}

/** The addresses a listener is for. */
export interface Binding {
  readonly port: number;
  /** `null` for all of `family`. */
  readonly address: Address | null;
  /** 0 for both. */
  readonly family: 0 | 4 | 6;
  readonly reuse: boolean;
}

/** What a listener binds to: `0.0.0.0` is all of IPv4; `::` is all, or all of IPv6. */
export function bindingOf(options: ListenOptions, address: Address | null, port: number): Binding {
  const reuse = options.reuseAddress === true;
  if (address === null) return { port, address, family: 0, reuse };
  if (!address.isUnspecified) return { port, address, family: address.family, reuse };
  const family = address.family === 4 ? 4 : options.ipv6Only === true ? 6 : 0;
  return { port, address: null, family, reuse };
}

/** The timeouts of a SYN-ACK that a wait for the first octets is made of, 255 at most, and their sum, ms, which is `time` or more. */
export function deferralOf(profile: Profile, time: number): { readonly timeouts: number; readonly time: number } {
  let timeouts = 0;
  let all = 0;
  for (
    let timeout = profile.rtoInitial;
    all < time && timeouts < 255;
    timeout = Math.min(2 * timeout, profile.rtoMax)
  ) {
    all += timeout;
    timeouts++;
  }
  return { timeouts, time: all };
}

/** A listening port. Made by `Host.listen`. */
export class Listener {
  readonly port: number;
  /** The address listened on; `null` for all of `family`. */
  readonly address: Address | null;
  /** 4 or 6; 0 when it listens on all addresses of both. */
  readonly family: 0 | 4 | 6;
  /** @internal */
  readonly reuse: boolean;
  readonly backlog: number;
  /** @internal Called with each connection that reached ESTABLISHED, or was opened early (RFC 7413 §4.2). */
  readonly accept: (connection: Connection) => void;
  /** @internal Connections in SYN-RECEIVED: Linux calls them the SYN queue. */
  readonly halfOpen: Set<Connection> = new Set();
  /** @internal Open ones that the program has not been given: the accept queue. */
  readonly waiting: Set<Connection> = new Set();
  /** @internal An ACK may bring back a SYN cookie until then, ms. */
  cookiesUntil: number = Number.NEGATIVE_INFINITY;
  /** Receive buffer and largest segment of its connections; 0 for the profile's. */
  receiveBuffer = 0;
  maxSegment = 0;
  /** @internal Timeouts for which the ACK of a SYN,ACK is not enough; 0 for none. */
  deferral = 0;
  /** @internal Fast openings that are pending, and their limit; `null` where the host has no fast open. */
  fastOpen: FastOpenQueue | null = null;
  /** False after `close`. */
  listening = true;
  #paused = false;
  readonly #host: Host;

  /** @internal */
  constructor(host: Host, binding: Binding, backlog: number, accept: (connection: Connection) => void) {
    this.#host = host;
    this.port = binding.port;
    this.address = binding.address;
    this.family = binding.family;
    this.reuse = binding.reuse;
    this.backlog = backlog;
    this.accept = accept;
  }

  /** Waits for the first octets of new connections for at least so many milliseconds; 0 for not at all. */
  deferAccept(time: number): void {
    if (!(time >= 0)) throw new RangeError(`to wait ${time} ms for the first octets is no wait`);
    this.deferral = deferralOf(this.#host.profile, time).timeouts;
  }

  /** Connections that are not the program's yet, half-open ones included. */
  get pending(): number {
    return this.halfOpen.size + this.waiting.size;
  }

  /** Whether no more connections can wait for the program. */
  get full(): boolean {
    return this.waiting.size >= this.backlog;
  }

  /** The program takes no connections for now: `backlog` of them wait, and what comes then is not let in. */
  pause(): void {
    this.#paused = true;
  }

  /** The program takes connections again; those that wait come first. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (const c of this.waiting) this.#host.announce(c);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Stops listening. Connections the program has not been given are reset; the others live on. */
  close(): void {
    if (!this.listening) return;
    this.listening = false;
    this.#host.forgetListener(this);
    for (const c of this.halfOpen) {
      // One that is forgotten without a word has the peer's next segment answered by a RST.
      if (this.#host.profile.resetHalfOpen) c.abort();
      else c.finish('ABORT', null);
    }
    for (const c of this.waiting) c.abort();
    this.halfOpen.clear();
    this.waiting.clear();
  }

  /** @internal Hands an open connection to the program. */
  hand(connection: Connection): void {
    this.waiting.delete(connection);
    connection.accepted = true;
    connection.events &= ~EVENT_OPEN;
    this.accept(connection);
  }
}
