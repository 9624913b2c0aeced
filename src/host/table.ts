// All connections of a host, found by their four-tuple.
//
// Open addressing with linear probing over a keyed hash: peers choose the remote half of a four-tuple, so an
// unkeyed hash would let them choose collisions. Every hit is compared in full.

import { halfSip13, type SipKey } from '../base/siphash.ts';
import type { Connection } from '../tcp/connection.ts';
import type { Address } from '../wire/address.ts';

const SMALLEST = 16;

/**
 * The hash of a four-tuple.
 *
 * @param l3 last word of our address: the others are the same for every address of a family and an interface
 * @param ports ours in the high half, the peer's in the low
 */
export function tupleHash(
  key: SipKey,
  l3: number,
  r0: number,
  r1: number,
  r2: number,
  r3: number,
  ports: number,
): number {
  return halfSip13(key, r0 ^ l3, r1, r2, r3, ports);
}

/** A hash table of connections, at most half full. */
export class ConnectionTable {
  /** Connections in the table. */
  size = 0;
  readonly #key: SipKey;
  #slots: (Connection | null)[] = new Array<Connection | null>(SMALLEST).fill(null);
  #hashes: Int32Array = new Int32Array(SMALLEST);
  /** Segments come in trains: the connection found last is looked at first. */
  #last: Connection | null = null;

  constructor(key: SipKey) {
    this.#key = key;
  }

  /** The connection between `remote` (four words of an `Address`) and our `local` end, or `null`. */
  find(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    localPort: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    remotePort: number,
  ): Connection | null {
    const last = this.#last;
    if (last !== null && matches(last, l0, l1, l2, l3, localPort, r0, r1, r2, r3, remotePort)) return last;
    const mask = this.#slots.length - 1;
    const hash = tupleHash(this.#key, l3, r0, r1, r2, r3, (localPort << 16) | remotePort);
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const c = this.#slots[i]!;
      if (c === null) return null;
      if (this.#hashes[i] === hash && matches(c, l0, l1, l2, l3, localPort, r0, r1, r2, r3, remotePort)) {
        this.#last = c;
        return c;
      }
    }
  }

  /** The connection of a four-tuple, or `null`. */
  at(local: Address, localPort: number, remote: Address, remotePort: number): Connection | null {
    const { w0, w1, w2, w3 } = local;
    return this.find(w0, w1, w2, w3, localPort, remote.w0, remote.w1, remote.w2, remote.w3, remotePort);
  }

  /** Adds a connection whose four-tuple is not in the table. */
  add(c: Connection): void {
    if ((this.size + 1) * 2 > this.#slots.length) this.#grow();
    this.size++;
    this.#place(c, this.#hashOf(c));
  }

  /** Removes a connection; one that is not in the table is ignored. */
  remove(c: Connection): void {
    if (this.#last === c) this.#last = null;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#hashOf(c) & mask;
    while (slots[hole] !== c) {
      if (slots[hole] === null) return;
      hole = (hole + 1) & mask;
    }
    this.size--;
    // What follows in the same run moves up where it may, so that no run is broken by the hole.
    for (let i = (hole + 1) & mask; slots[i] !== null; i = (i + 1) & mask) {
      const home = this.#hashes[i]! & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        slots[hole] = slots[i]!;
        this.#hashes[hole] = this.#hashes[i]!;
        hole = i;
      }
    }
    slots[hole] = null;
  }

  /** All connections, in the table's own order; the table may change while it is walked only by a copy. */
  list(): Connection[] {
    return this.#slots.filter((c) => c !== null);
  }

  #hashOf(c: Connection): number {
    const { local, localPort, remote, remotePort } = c.addressing;
    const { w0, w1, w2, w3 } = remote;
    return tupleHash(this.#key, local.w3, w0, w1, w2, w3, (localPort << 16) | remotePort);
  }

  #place(c: Connection, hash: number): void {
    const mask = this.#slots.length - 1;
    let i = hash & mask;
    while (this.#slots[i] !== null) i = (i + 1) & mask;
    this.#slots[i] = c;
    this.#hashes[i] = hash;
  }

  #grow(): void {
    const old = this.#slots;
    const hashes = this.#hashes;
    this.#slots = new Array<Connection | null>(old.length * 2).fill(null);
    this.#hashes = new Int32Array(old.length * 2);
    for (let i = 0; i < old.length; i++) {
      const c = old[i]!;
      if (c !== null) this.#place(c, hashes[i]!);
    }
  }
}

function matches(
  c: Connection,
  l0: number,
  l1: number,
  l2: number,
  l3: number,
  localPort: number,
  r0: number,
  r1: number,
  r2: number,
  r3: number,
  remotePort: number,
): boolean {
  const a = c.addressing;
  return (
    a.remotePort === remotePort &&
    a.localPort === localPort &&
    a.remote.w3 === r3 &&
    a.local.w3 === l3 &&
    a.remote.w2 === r2 &&
    a.remote.w1 === r1 &&
    a.remote.w0 === r0 &&
    a.local.w2 === l2 &&
    a.local.w1 === l1 &&
    a.local.w0 === l0
  );
}
