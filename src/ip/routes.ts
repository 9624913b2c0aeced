// The routes of a host: which interface and which next hop, by the longest prefix that matches (RFC 1122
// §3.3.1, RFC 4632 §5.1).

import type { Address, Prefix } from '../wire/address.ts';

/** One route. Immutable. */
export class Route {
  readonly prefix: Prefix;
  /** Number of the interface within its host. */
  readonly interfaceIndex: number;
  /** The next hop; `null` when destinations are on the link itself. */
  readonly gateway: Address | null;

  constructor(prefix: Prefix, interfaceIndex: number, gateway: Address | null) {
    this.prefix = prefix;
    this.interfaceIndex = interfaceIndex;
    this.gateway = gateway;
  }
}

/**
 * The routes of one host. An end host has a handful, so this is a list sorted by prefix length; connections
 * keep the route they found, and look again when `changes` has moved.
 */
export class RouteTable {
  /** Longest prefix first; among equals, in the order of `add`. */
  #routes: Route[] = [];
  #changes = 0;

  /** Counts additions and removals, so that whoever keeps a route knows when to look again. */
  get changes(): number {
    return this.#changes;
  }

  /** All routes, longest prefix first. A copy. */
  list(): Route[] {
    return this.#routes.slice();
  }

  /**
   * Adds a route behind those of the same length, which therefore win.
   *
   * @param prefix destinations; its host bits are ignored; length 0 is the default route of its family
   * @param gateway the next hop, of the same family (else a `TypeError`), or `null` when on the link
   */
  add(prefix: Prefix, interfaceIndex: number, gateway: Address | null): Route {
    if (gateway !== null && gateway.family !== prefix.address.family) {
      throw new TypeError(`the gateway ${gateway} is not of the family of ${prefix}`);
    }
    const route = new Route(prefix, interfaceIndex, gateway);
    let at = 0;
    while (at < this.#routes.length && this.#routes[at]!.prefix.length >= prefix.length) at++;
    this.#routes.splice(at, 0, route);
    this.#changes++;
    return route;
  }

  /** The route to the destination given as words of `Address`, or `null`: `ENETUNREACH`. */
  lookup(w0: number, w1: number, w2: number, w3: number): Route | null {
    const routes = this.#routes;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]!;
      // Lengths of the two families are mixed in the list, but a prefix contains only its own family.
      if (route.prefix.contains(w0, w1, w2, w3)) return route;
    }
    return null;
  }

  /** Removes one route; unknown ones are ignored. */
  remove(route: Route): void {
    this.#keep((r) => r !== route);
  }

  /** Removes every route over an interface. */
  removeInterface(interfaceIndex: number): void {
    this.#keep((r) => r.interfaceIndex !== interfaceIndex);
  }

  #keep(wanted: (route: Route) => boolean): void {
    const kept = this.#routes.filter(wanted);
    if (kept.length === this.#routes.length) return;
    this.#routes = kept;
    this.#changes++;
  }
}
