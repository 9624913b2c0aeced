// The neighbours of one Ethernet interface: which MAC address answers for an IPv4 address (RFC 826,
// RFC 1122 §2.3.2), without I/O and without a clock.
//
// Nothing is queued here for a neighbour that is not known yet. Whoever wants to send asks `resolve` first
// and does not send on 0; `changes` counts up whenever asking again may give another answer.
//
// Kinds of methods: getters (`lookup`, `macInto`, `size`, `changes`); inputs (`learn`, `confirm`,
// `suspect`, `timersFire`); a command (`resolve`); outputs (`nextRequest`, `nextDeadline`). Times are milliseconds on
// the host's clock, addresses int32.

import type { Profile } from '../base/profile.ts';

/** Answers of `NeighbourCache.resolve`. */
export const NEIGHBOUR_PENDING = 0;
export const NEIGHBOUR_READY = 1;
export const NEIGHBOUR_FAILED = 2;

/** What `nextRequest` returns when there is nothing to ask: 0.0.0.0 is nobody's address. */
export const NO_REQUEST = 0;

/** Entries of a cache whose maker names no number. */
export const NEIGHBOUR_CAPACITY = 1024;

/**
 * How much is known of a neighbour, in the words of RFC 4861 §7.3.2 where they fit ARP:
 * asked for and not known; known; known once and being asked for again, used meanwhile; did not answer.
 */
export type NeighbourState = 'incomplete' | 'reachable' | 'stale' | 'failed';

/** One neighbour. Owned by its cache: read it, change nothing, keep it for no longer than a call. */
export class NeighbourEntry {
  /** IPv4 address, int32. */
  readonly address: number;
  state: NeighbourState = 'incomplete';
  /** Six octets; meaningful when `reachable` or `stale`. */
  readonly mac: Uint8Array = new Uint8Array(6);
  /** When the neighbour was last heard to have this MAC; decides when `reachable` becomes `stale`. */
  confirmedAt = 0;
  /** When somebody last wanted to send to it; decides who is evicted. */
  usedAt: number;
  /** It is being asked for: `sent` requests so far, and at `dueAt` the next one, or giving up. */
  probing = false;
  sent = 0;
  /** While `failed`: until when. */
  dueAt = 0;

  constructor(address: number, now: number) {
    this.address = address;
    this.usedAt = now;
  }
}

/** Neighbours of one interface. */
export class NeighbourCache {
  readonly #interval: number;
  readonly #tries: number;
  readonly #lifetime: number;
  readonly #capacity: number;
  readonly #entries: Map<number, NeighbourEntry> = new Map();
  /** Entries being asked for, oldest first. */
  #probing: NeighbourEntry[] = [];
  #incomplete = 0;
  /** The entry asked for last: most packets go where the one before went. */
  #last: NeighbourEntry | null = null;
  #changes = 0;

  /**
   * @param profile time between requests, their number, and how long an answer is believed
   * @param capacity most entries kept, at least 2
   */
  constructor(
    profile: Pick<Profile, 'arpInterval' | 'arpTries' | 'arpLifetime'>,
    capacity: number = NEIGHBOUR_CAPACITY,
  ) {
    if (!(capacity >= 2)) throw new RangeError(`a neighbour cache needs room for 2 entries, not ${capacity}`);
    this.#interval = profile.arpInterval;
    this.#tries = profile.arpTries;
    this.#lifetime = profile.arpLifetime;
    this.#capacity = capacity;
  }

  /** Entries kept, of any state. */
  get size(): number {
    return this.#entries.size;
  }

  /** Counts neighbours that were found and neighbours that were given up. Only ever grows. */
  get changes(): number {
    return this.#changes;
  }

  /** The entry for `address`, or `null`. Asks for nothing. */
  lookup(address: number): NeighbourEntry | null {
    const last = this.#last;
    if (last !== null && last.address === address) return last;
    return this.#entries.get(address) ?? null;
  }

  /**
   * May a packet be sent to `address` now? Starts asking for it when it is not known.
   *
   * @param address the next hop, int32
   * @returns 0 not yet, `changes` will tell; 1 yes, `macInto` gives its MAC; 2 it does not answer, or no
   *   single station can have that address, or too many others are being asked for
   */
  resolve(address: number, now: number): 0 | 1 | 2 {
    const entry = this.lookup(address);
    if (entry === null) return this.#startUnknown(address, now);
    this.#last = entry;
    entry.usedAt = now;
    switch (entry.state) {
      case 'reachable':
        if (now - entry.confirmedAt >= this.#lifetime) {
          // Used while it is asked for again: a neighbour that is well must not cost a stall every minute.
          entry.state = 'stale';
          this.#startProbing(entry, now);
        }
        return NEIGHBOUR_READY;
      case 'stale':
        if (!entry.probing) this.#startProbing(entry, now);
        return NEIGHBOUR_READY;
      case 'incomplete':
        return NEIGHBOUR_PENDING;
      case 'failed':
        if (now < entry.dueAt || !this.#roomToAsk()) return NEIGHBOUR_FAILED;
        this.#becomeIncomplete(entry, now);
        return NEIGHBOUR_PENDING;
    }
  }

  /** Writes the 6 octets of the neighbour's MAC at `out[at]`; false, and nothing written, when it is not known. */
  macInto(address: number, out: Uint8Array, at: number): boolean {
    const entry = this.lookup(address);
    if (entry === null || entry.state === 'incomplete' || entry.state === 'failed') return false;
    const mac = entry.mac;
    for (let i = 0; i < 6; i++) out[at + i] = mac[i]!;
    return true;
  }

  /**
   * A packet said that `address` has the MAC `mac[at, at + 6)`.
   *
   * One that was meant for us (a request for our address, or a reply to us) makes an entry when there is none
   * (RFC 826, "Packet Reception") and confirms one. A gratuitous one only updates an entry that exists, and
   * is believed until we next want to send: then the neighbour is asked.
   *
   * @param solicited the packet's target address is ours
   * @returns true when an entry was made or changed; an impossible address or MAC changes nothing
   */
  learn(address: number, mac: Uint8Array, at: number, now: number, solicited: boolean): boolean {
    if (!isStation(address) || !isStationMac(mac, at)) return false;
    let entry = this.lookup(address);
    if (entry === null) {
      if (!solicited) return false;
      entry = this.#insert(address, now);
    }
    const unknown = entry.state === 'incomplete' || entry.state === 'failed';
    if (!solicited && !unknown && sameMac(entry.mac, mac, at)) return false;
    if (entry.state === 'incomplete') this.#incomplete--;
    for (let i = 0; i < 6; i++) entry.mac[i] = mac[at + i]!;
    if (solicited) {
      entry.state = 'reachable';
      entry.confirmedAt = now;
    } else {
      entry.state = 'stale';
    }
    if (unknown || solicited) this.#stopProbing(entry);
    if (unknown) this.#changes++;
    return true;
  }

  /** The neighbour was heard from by other means (TCP made progress through it): RFC 1122 §2.3.2.1 (4). */
  confirm(address: number, now: number): void {
    const entry = this.lookup(address);
    if (entry === null || entry.state === 'incomplete' || entry.state === 'failed') return;
    entry.state = 'reachable';
    entry.confirmedAt = now;
    this.#stopProbing(entry);
  }

  /**
   * What goes through the neighbour is not answered: perhaps it is there no more (RFC 1122 §3.3.1.4, "negative advice"). It is
   * asked for, used meanwhile, and given up when it does not answer.
   */
  suspect(address: number, now: number): void {
    const entry = this.lookup(address);
    if (entry === null || entry.state !== 'reachable') return;
    entry.state = 'stale';
    this.#startProbing(entry, now);
  }

  /**
   * The next address to send an ARP request for, or `NO_REQUEST`: to everybody, unless `isPolled` says otherwise. Each
   * call that returns an address counts as that request sent.
   */
  nextRequest(now: number): number {
    for (const entry of this.#probing) {
      if (entry.dueAt <= now && entry.sent < this.#tries) {
        entry.sent++;
        entry.dueAt = now + this.#interval;
        return entry.address;
      }
    }
    return NO_REQUEST;
  }

  /**
   * Whether the request that `nextRequest` has just named is the first of a neighbour whose MAC is known: it goes to that
   * MAC alone (RFC 1122 §2.3.2.1 (2), "unicast poll").
   */
  isPolled(address: number): boolean {
    const entry = this.lookup(address);
    return entry !== null && entry.state === 'stale' && entry.sent === 1;
  }

  /** When `nextRequest` or `timersFire` next has something to do; `Infinity` when nothing is being asked for. */
  nextDeadline(): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const entry of this.#probing) {
      if (entry.dueAt < deadline) deadline = entry.dueAt;
    }
    return deadline;
  }

  /** Gives up neighbours whose last request was not answered in time. Attempts count, not elapsed time. */
  timersFire(now: number): void {
    for (let i = 0; i < this.#probing.length; ) {
      const entry = this.#probing[i]!;
      if (entry.dueAt > now || entry.sent < this.#tries) {
        i++;
        continue;
      }
      this.#probing.splice(i, 1);
      entry.probing = false;
      if (entry.state === 'incomplete') this.#incomplete--;
      entry.state = 'failed';
      // Long enough that a crowd of waiting connections does not each ask anew.
      entry.dueAt = now + this.#interval;
      this.#changes++;
    }
  }

  /** Forgets everybody: the interface went down. */
  clear(): void {
    this.#entries.clear();
    this.#probing = [];
    this.#incomplete = 0;
    this.#last = null;
    this.#changes++;
  }

  #startUnknown(address: number, now: number): 0 | 2 {
    if (!isStation(address) || !this.#roomToAsk()) return NEIGHBOUR_FAILED;
    const entry = this.#insert(address, now);
    this.#last = entry;
    this.#becomeIncomplete(entry, now);
    return NEIGHBOUR_PENDING;
  }

  /**
   * At most half of the table may be unanswered questions. Packets from invented neighbours make us ask for
   * them, and must not push out those that are real.
   */
  #roomToAsk(): boolean {
    return this.#incomplete * 2 < this.#capacity;
  }

  #becomeIncomplete(entry: NeighbourEntry, now: number): void {
    entry.state = 'incomplete';
    this.#incomplete++;
    this.#startProbing(entry, now);
  }

  #startProbing(entry: NeighbourEntry, now: number): void {
    entry.probing = true;
    entry.sent = 0;
    entry.dueAt = now;
    this.#probing.push(entry);
  }

  #stopProbing(entry: NeighbourEntry): void {
    if (!entry.probing) return;
    entry.probing = false;
    this.#probing.splice(this.#probing.indexOf(entry), 1);
  }

  /** A new entry whose state the caller sets; its first state is not counted yet. */
  #insert(address: number, now: number): NeighbourEntry {
    if (this.#entries.size >= this.#capacity) this.#evict();
    const entry = new NeighbourEntry(address, now);
    entry.state = 'failed';
    this.#entries.set(address, entry);
    return entry;
  }

  /** Removes the failed entry used longest ago, or else the known one; never one that somebody waits for. */
  #evict(): void {
    let victim: NeighbourEntry | null = null;
    for (const entry of this.#entries.values()) {
      if (entry.state === 'incomplete') continue;
      if (victim === null || isWorse(entry, victim)) victim = entry;
    }
    if (victim === null) return;
    this.#stopProbing(victim);
    this.#entries.delete(victim.address);
    if (this.#last === victim) this.#last = null;
  }
}

function isWorse(a: NeighbourEntry, b: NeighbourEntry): boolean {
  const aFailed = a.state === 'failed';
  if (aFailed !== (b.state === 'failed')) return aFailed;
  return a.usedAt < b.usedAt;
}

/** False for addresses that no single station on a link has: 0/8, loopback, multicast, class E, broadcast. */
function isStation(address: number): boolean {
  const net = address >>> 24;
  return net !== 0 && net !== 127 && net < 224;
}

/** False for group addresses and for zeros. */
function isStationMac(mac: Uint8Array, at: number): boolean {
  if ((mac[at]! & 1) !== 0) return false;
  for (let i = 0; i < 6; i++) {
    if (mac[at + i] !== 0) return true;
  }
  return false;
}

function sameMac(a: Uint8Array, b: Uint8Array, at: number): boolean {
  for (let i = 0; i < 6; i++) {
    if (a[i] !== b[at + i]) return false;
  }
  return true;
}
