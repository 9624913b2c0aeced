// The send and receive sequence variables of a connection (RFC 9293 §3.3.1), by the RFC's names.

/**
 * Send sequence variables.
 *
 * ```text
 *        1         2          3          4
 *   ----------|----------|----------|----------
 *          una        nxt       una+wnd
 * 1 acknowledged   2 in flight   3 may be sent   4 not yet allowed
 * ```
 *
 * `nxt` never goes back: what has to be sent again is marked on the scoreboard.
 */
export class SendVariables {
  /** Initial send sequence number; the SYN occupies it. */
  iss = 0;
  /** Oldest unacknowledged sequence number. */
  una = 0;
  /** Next sequence number that was never sent. */
  nxt = 0;
  /** Window the peer offers, octets (already scaled). */
  wnd = 0;
  /** Sequence and acknowledgement number of the segment that last updated `wnd`. */
  wl1 = 0;
  wl2 = 0;
  /** Largest window the peer ever offered. */
  maxWnd = 0;
  /** Furthest right edge (`una + wnd`) the peer ever offered: it may move left later (§3.8.6). */
  maxEdge = 0;
  /** Shift the peer applies to its window field; 0 without RFC 7323. */
  scale = 0;
  /** Effective send MSS: payload octets of a full segment (RFC 9293 §3.7.1). */
  mss = 536;
  /** Sequence number of the first octet in the send queue. */
  base = 0;
  /** The program has ended this direction: a FIN follows the last queued octet. */
  finQueued = false;
  /** Selective acknowledgements were agreed on (RFC 2018). */
  sackOk = false;
  /** Timestamps were agreed on (RFC 7323); ours are the milliseconds of the host's clock plus `tsOffset`. */
  tsOk = false;
  tsOffset = 0;
}

/**
 * Receive sequence variables. `adv` is the right edge of the window as advertised: RCV.WND is `adv - nxt`,
 * and neither edge ever moves left.
 */
export class ReceiveVariables {
  /** Initial receive sequence number; the peer's SYN occupies it. */
  irs = 0;
  /** Next sequence number expected. */
  nxt = 0;
  /** First sequence number beyond the advertised window. */
  adv = 0;
  /** Shift we apply to the window field; 0 without RFC 7323. */
  scale = 0;
  /** The acknowledgement number last sent: what the peer knows (Last.ACK.sent of RFC 7323). */
  lastAckSent = 0;
  /** Largest payload seen: what the peer's full segment is, for delayed ACKs. */
  mss = 536;
  /** A FIN was seen in the window; it takes effect when `nxt` reaches `finSeq`. */
  finSeen = false;
  finSeq = 0;
  /** The FIN has been reached: the peer's direction is over. */
  finished = false;
  /** RCV.UP: the octet behind the urgent ones; only while `hasUp`, which the program ends by reading up to it. */
  up = 0;
  hasUp = false;
  /** TS.Recent of RFC 7323 §4.3, and when it was taken: it is no evidence any more after 24 days (§5.5). */
  tsRecent = 0;
  tsRecentAt: number = Number.NEGATIVE_INFINITY;
  /** Round-trip time as the receiver sees it, ms, -1 before the first; the number or echo that begins the next, and when. */
  rtt = -1;
  rttMark = 0;
  rttAt = -1;
  /** A repeated segment to report in the next ACK (RFC 2883): `[dsackFrom, dsackTo)`, empty when equal. */
  dsackFrom = 0;
  dsackTo = 0;

  /** RCV.WND: octets the peer may still send. */
  get wnd(): number {
    return (this.adv - this.nxt) | 0;
  }
}
