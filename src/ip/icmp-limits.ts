// When an ICMP error may be sent: the cases in which never (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)), and how
// many in a while (RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)).

import { isMulticast, isV4Mapped } from '../wire/address.ts';

/** Errors a host sends in a second in the long run; the figures are those Linux ships. */
export const ICMP_ERRORS_PER_SECOND = 1000;
/** Errors it may send at once. */
export const ICMP_ERROR_BURST = 50;

/** Errors for one peer: one a second in the long run and six at once, as Linux has it. */
const PEER_INTERVAL = 1000;
const PEER_BURST = 6;
/** Peers that are told apart; those that share a place share its limit. */
const PEER_PLACES = 256;

/**
 * The limit for each peer, so that what one is sent says nothing of another: with a limit for all alone, who sends from
 * false addresses could count what is left of it (CVE-2020-25705).
 */
export class PeerLimiter {
  /** Per place: when its bucket would be full again. */
  readonly #full: Float64Array = new Float64Array(PEER_PLACES).fill(Number.NEGATIVE_INFINITY);

  /**
   * True when one more error may be sent to a peer at `now` (ms).
   *
   * @param hash of the peer's address, with a key that peers do not know
   */
  allow(hash: number, now: number): boolean {
    const place = hash & (PEER_PLACES - 1);
    const full = Math.max(this.#full[place]!, now);
    if (full - now > PEER_INTERVAL * (PEER_BURST - 1)) return false;
    this.#full[place] = full + PEER_INTERVAL;
    return true;
  }
}

/** A token bucket, one per host, for ICMP errors sent. Echo replies are not errors and take no token. */
export class IcmpLimiter {
  readonly #perMillisecond: number;
  readonly #burst: number;
  #tokens: number;
  #at = Number.NEGATIVE_INFINITY;

  /** Throws a `RangeError` unless the rate is not negative and the burst at least 1. */
  constructor(perSecond: number = ICMP_ERRORS_PER_SECOND, burst: number = ICMP_ERROR_BURST) {
    if (!(perSecond >= 0) || !(burst >= 1)) {
      throw new RangeError(`an ICMP limit of ${perSecond} a second, ${burst} at once is none`);
    }
    this.#perMillisecond = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /**
   * Takes tokens: true when one more error may be sent at `now` (ms). A clock that went back adds none.
   *
   * @param tokens how many it takes; a host draws 0 to 2, so that nobody can count what others were sent
   */
  allow(now: number, tokens = 1): boolean {
    if (now > this.#at) {
      if (this.#at !== Number.NEGATIVE_INFINITY) {
        this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMillisecond);
      }
      this.#at = now;
    }
    if (this.#tokens < 1) return false;
    this.#tokens = Math.max(this.#tokens - tokens, 0);
    return true;
  }
}

/**
 * May a packet be answered with an ICMP error at all? (RFC 1122 §3.2.2, RFC 4443 §2.4 (e).)
 *
 * Never: to an ICMP error, to a packet for a group (by its address or by its frame), to a fragment that is not
 * the first, and to a source that is not a single host.
 *
 * @param s0 the packet's source as words of `Address`, to `s3`
 * @param d0 its destination as words, to `d3`
 * @param broadcast its destination is a directed broadcast, or its frame was sent to a group
 * @param fragmentOffset octets; not 0 for later fragments
 * @param icmpError it is an ICMP or ICMPv6 error itself (`isIcmpError`, `isIcmpv6Error`)
 */
export function mayAnswerWithError(
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
  broadcast: boolean,
  fragmentOffset: number,
  icmpError: boolean,
): boolean {
  if (icmpError || broadcast || fragmentOffset !== 0) return false;
  if (isMulticast(d0, d1, d2, d3) || isMulticast(s0, s1, s2, s3)) return false;
  if (isV4Mapped(s0, s1, s2)) {
    if (d3 === -1) return false;
    const net = s3 >>> 24;
    // "A source that does not define a single host": zero, class E and broadcast. A loopback source is
    // fine where the destination is one too: that packet has never left the host.
    if (net === 0 || net >= 240) return false;
    return net !== 127 || d3 >>> 24 === 127;
  }
  return (s0 | s1 | s2 | s3) !== 0;
}
