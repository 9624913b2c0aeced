// TCP fast open of a host (RFC 7413): the cookies it gives out, those it was given, and SYNs that bring one.

import { FAST_OPEN_TAKE_BARE } from '../base/profile.ts';
import { SipKey, sip24 } from '../base/siphash.ts';
import type { Connection } from '../tcp/connection.ts';
import { FastOpen, FastOpenPeer, FastOpenQueue } from '../tcp/fast-open.ts';
import type { Address } from '../wire/address.ts';
import type { Segment } from '../wire/tcp.ts';
import type { Host } from './host.ts';

/** Octets of the cookies that this host gives out. */
const COOKIE = 8;
/** Peers of which a cookie is kept; the one that was asked for first is forgotten for another. */
const PEERS = 1024;

/** What a host keeps for fast open. */
export class FastOpens {
  /** @internal The secret of the cookies; another one makes those given out invalid (RFC 7413 §4.1.2). */
  key: SipKey;
  readonly #peers: Map<string, FastOpenPeer> = new Map();
  readonly #words: Int32Array = new Int32Array(13);

  /** @param key the host's secret, from which a key for cookies is derived */
  constructor(key: SipKey) {
    this.key = derive(key);
  }

  /** A connection that is about to be opened asks for fast open. */
  ask(c: Connection): void {
    const name = c.remoteAddress;
    let peer = this.#peers.get(name);
    if (peer === undefined) {
      peer = new FastOpenPeer();
      if (this.#peers.size >= PEERS) {
        for (const first of this.#peers.keys()) {
          this.#peers.delete(first);
          break;
        }
      }
      this.#peers.set(name, peer);
    }
    c.ownRare().fastOpen = new FastOpen(peer, null, null);
  }

  /** Whether a cookie of the peer at this address is at hand, and may be used at `now`. */
  knows(peer: Address, now: number): boolean {
    const known = this.#peers.get(peer.toString());
    return known !== undefined && known.cookie.length > 0 && now >= known.pausedUntil;
  }

  /** The cookie of a client: a keyed hash of its address and ours (RFC 7413 §4.1.2). */
  cookieOf(client: Address, ours: Address): Uint8Array {
    const words = this.#words;
    const size = client.family === 4 ? 1 : 4;
    fill(words, 0, client);
    fill(words, size, ours);
    const low = sip24(this.key, words, 2 * size);
    const cookie = new Uint8Array(COOKIE);
    const view = new DataView(cookie.buffer);
    view.setInt32(0, low, true);
    view.setInt32(4, this.key.high, true);
    return cookie;
  }

  /** Room for the fast openings of a listener, at most `limit` of which may be pending. */
  queue(limit: number): FastOpenQueue {
    if (!(limit >= 0)) throw new RangeError(`${limit} pending fast openings are no limit`);
    const queue = new FastOpenQueue();
    queue.limit = limit;
    return queue;
  }

  /** A SYN has made a half-open connection: with a good cookie its text is taken at once, otherwise a cookie may be granted. */
  offer(host: Host, queue: FastOpenQueue, c: Connection, seg: Segment): void {
    const bare = (host.profile.fastOpen & FAST_OPEN_TAKE_BARE) !== 0 && seg.cookieLength <= 0 && seg.len > 0;
    // Beyond the limit SYNs go the ordinary way (RFC 7413 §5.1).
    if ((seg.cookieLength < 0 && !bare) || queue.full(host.now)) return;
    const cookie = this.cookieOf(c.addressing.remote, c.addressing.local);
    if (!bare && !isCookie(seg, cookie)) {
      c.ownRare().fastOpen = new FastOpen(null, null, cookie);
      return;
    }
    host.events.waits(c);
    new FastOpen(null, queue, seg.cookieLength === 0 ? cookie : null).openEarly(c, seg);
  }
}

/**
 * TCP fast open (RFC 7413), for `new Host({ fastOpen })`: what `connect` and `listen` need for their options of that name.
 * `createHost` hands it in.
 */
export const fastOpen = (key: SipKey): FastOpens => new FastOpens(key);

/** The words of an address as `sip24` reads octets: each little-endian. */
function fill(words: Int32Array, at: number, a: Address): void {
  if (a.family === 4) {
    words[at] = swap(a.w3);
    return;
  }
  words[at] = swap(a.w0);
  words[at + 1] = swap(a.w1);
  words[at + 2] = swap(a.w2);
  words[at + 3] = swap(a.w3);
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function derive(key: SipKey): SipKey {
  // No other use of the host's key has as many words.
  const words = new Int32Array(13);
  const secret = new DataView(new ArrayBuffer(16));
  for (let half = 0; half < 2; half++) {
    words[0] = half;
    secret.setInt32(8 * half, sip24(key, words, words.length), true);
    secret.setInt32(8 * half + 4, key.high, true);
  }
  return new SipKey(new Uint8Array(secret.buffer));
}

function isCookie(seg: Segment, cookie: Uint8Array): boolean {
  let differences = seg.cookieLength ^ cookie.length;
  for (let i = 0; differences === 0 && i < cookie.length; i++) differences |= seg.bytes[seg.cookieAt + i]! ^ cookie[i]!;
  return differences === 0;
}
