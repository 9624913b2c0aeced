// Path MTUs that the network has told of, by peer: for the connections that come after (RFC 1191 §6.3, RFC 8201 §5.3).

import type { Address } from '../wire/address.ts';

/** Path MTUs kept, and for how long, ms. */
const KEPT = 1024;
const LIFETIME = 600_000;

/** What is known of paths that carry less than their first link. */
export class PathMtus {
  readonly #known: Map<string, { readonly mtu: number; readonly until: number }> = new Map();

  /** The path to `peer` carries packets of `mtu` octets. */
  learn(peer: Address, mtu: number, now: number): void {
    // All are forgotten at once when a peer invents too many.
    if (this.#known.size >= KEPT) this.#known.clear();
    this.#known.set(peer.toString(), { mtu, until: now + LIFETIME });
  }

  /** What the path to `peer` carries; -1 when nothing is known. */
  recall(peer: Address, now: number): number {
    if (this.#known.size === 0) return -1;
    const key = peer.toString();
    const known = this.#known.get(key);
    if (known === undefined) return -1;
    if (known.until > now) return known.mtu;
    this.#known.delete(key);
    return -1;
  }
}
