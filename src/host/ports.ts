// Which ports are taken: listeners, and the choice of ephemeral ports (RFC 6056 algorithm 3).

import type { Profile } from '../base/profile.ts';
import { halfSip13, type SipKey } from '../base/siphash.ts';
import type { ConnectionAddressing } from '../tcp/tcb.ts';
import { type Address, isV4Mapped } from '../wire/address.ts';
import type { Listener } from './listener.ts';
import type { ConnectionTable } from './table.ts';
import type { TimeWaits } from './time-wait.ts';

/** Ports of one page of `PortUsers`. */
const PAGE = 256;

/** How many connections use each local port: pages of counts, made when first needed, which no growing table copies. */
class PortUsers {
  /** Ports that have users. */
  ports = 0;
  readonly #pages: (Uint32Array | undefined)[] = [];

  of(port: number): number {
    return this.#pages[port >>> 8]?.[port & (PAGE - 1)] ?? 0;
  }

  /** One user more (`by` 1) or less (-1). */
  add(port: number, by: 1 | -1): void {
    const before = this.of(port);
    const after = before + by;
    if (after < 0) return;
    if (before === 0) this.ports++;
    else if (after === 0) this.ports--;
    const page = port >>> 8;
    while (this.#pages.length <= page) this.#pages.push(undefined);
    this.#pages[page] ??= new Uint32Array(PAGE);
    this.#pages[page]![port & (PAGE - 1)] = after;
  }
}

/** The ports of one host. */
export class Ports {
  readonly #key: SipKey;
  readonly #from: number;
  readonly #count: number;
  /** By port; a port may have several listeners on different addresses. */
  readonly #listeners: Map<number, Listener[]> = new Map();
  readonly #users: PortUsers = new PortUsers();
  #next = 0;

  constructor(key: SipKey, profile: Profile) {
    this.#key = key;
    this.#from = profile.ephemeralFrom;
    this.#count = profile.ephemeralTo - profile.ephemeralFrom;
  }

  /**
   * The listener for a SYN to this address and port: the one bound to the address, else the one on all addresses of its
   * family, else the one on all.
   */
  listener(w0: number, w1: number, w2: number, w3: number, port: number): Listener | null {
    const all = this.#listeners.get(port);
    if (all === undefined) return null;
    const family = isV4Mapped(w0, w1, w2) ? 4 : 6;
    let wildcard: Listener | null = null;
    for (let i = 0; i < all.length; i++) {
      const listener = all[i]!;
      const a = listener.address;
      if (a !== null) {
        if (a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return listener;
      } else if (listener.family === family || (listener.family === 0 && wildcard === null)) {
        wildcard = listener;
      }
    }
    return wildcard;
  }

  /** All listeners. */
  listeners(): Listener[] {
    return [...this.#listeners.values()].flat();
  }

  /** Takes the listener's port; false when another listens there already. */
  bind(listener: Listener): boolean {
    const all = this.#listeners.get(listener.port);
    if (all === undefined) {
      this.#listeners.set(listener.port, [listener]);
      return true;
    }
    for (const other of all) if (collide(listener, other)) return false;
    all.push(listener);
    return true;
  }

  /** Gives the listener's port back. */
  unbind(listener: Listener): void {
    const rest = (this.#listeners.get(listener.port) ?? []).filter((l) => l !== listener);
    if (rest.length === 0) this.#listeners.delete(listener.port);
    else this.#listeners.set(listener.port, rest);
  }

  /** A port that nobody listens on and no connection uses, or -1. */
  free(): number {
    for (let n = 0; n < this.#count; n++) {
      const port = this.#from + ((this.#next + n) % this.#count);
      if (this.#listeners.has(port) || this.#users.of(port) > 0) continue;
      this.#next = (port - this.#from + 1) % this.#count;
      return port;
    }
    return -1;
  }

  /**
   * The local port for a connection: the one asked for, or an ephemeral one that the four-tuple does not use yet.
   * The start depends on a secret and on the peer, so ports of different peers tell nothing of each other.
   *
   * @returns -1 when it is taken, or none is left
   */
  choose(
    table: ConnectionTable,
    waits: Pick<TimeWaits, 'has'>,
    local: Address,
    remote: Address,
    remotePort: number,
    wanted: number,
  ): number {
    const isFree = (port: number): boolean => this.isFree(table, waits, local, port, remote, remotePort);
    // Nobody opens from where another listens.
    const listened = (port: number): boolean => this.listener(local.w0, local.w1, local.w2, local.w3, port) !== null;
    if (wanted > 0) return isFree(wanted) && !listened(wanted) ? wanted : -1;
    const offset = halfSip13(this.#key, remote.w0, remote.w1 ^ remote.w2, remote.w3, local.w3, remotePort) >>> 0;
    for (let n = 0; n < this.#count; n++) {
      const port = this.#from + ((offset + this.#next++) % this.#count);
      // A host that speaks to itself does not take the very end it means to reach.
      if (port === remotePort && local.equals(remote)) continue;
      if (!this.#listeners.has(port) && isFree(port)) return port;
    }
    return -1;
  }

  /** Whether no connection has this four-tuple, in TIME-WAIT or before. */
  isFree(
    table: ConnectionTable,
    waits: Pick<TimeWaits, 'has'>,
    local: Address,
    port: number,
    remote: Address,
    remotePort: number,
  ): boolean {
    return table.at(local, port, remote, remotePort) === null && !waits.has(local, port, remote, remotePort);
  }

  /** A connection uses its local port. */
  hold(a: ConnectionAddressing): void {
    this.#users.add(a.localPort, 1);
  }

  /** A connection is gone. */
  release(port: number): void {
    this.#users.add(port, -1);
  }

  /** Local ports that connections use. */
  get inUse(): number {
    return this.#users.ports;
  }
}

/** Whether a SYN could be for either of two listeners on one port, and they have not agreed on who goes first. */
function collide(a: Listener, b: Listener): boolean {
  if (a.family !== 0 && b.family !== 0 && a.family !== b.family) return false;
  const same = a.address === null ? b.address === null && a.family === b.family : b.address?.equals(a.address) === true;
  if (same) return true;
  if (a.address !== null && b.address !== null) return false;
  return !(a.reuse && b.reuse);
}
