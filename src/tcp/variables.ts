// The send and receive sequence variables of a connection (RFC 9293 §3.3.1), by the RFC's names.

import { marked } from './flags.ts';

const FIN_QUEUED = 1;
const SACK_OK = 2;
const TS_OK = 4;

const FIN_SEEN = 1;
const FINISHED = 2;
const HAS_UP = 4;

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
  /** Our timestamps are the milliseconds of the host's clock plus this. */
  tsOffset = 0;
  /** The flags below, a bit each. */
  bits = 0;

  /** The program has ended this direction: a FIN follows the last queued octet. */
  get finQueued(): boolean {
    return (this.bits & FIN_QUEUED) !== 0;
  }
  set finQueued(on: boolean) {
    this.bits = marked(this.bits, FIN_QUEUED, on);
  }

  /** Selective acknowledgements were agreed on (RFC 2018). */
  get sackOk(): boolean {
    return (this.bits & SACK_OK) !== 0;
  }
  set sackOk(on: boolean) {
    this.bits = marked(this.bits, SACK_OK, on);
  }

  /** Timestamps were agreed on (RFC 7323). */
  get tsOk(): boolean {
    return (this.bits & TS_OK) !== 0;
  }
  set tsOk(on: boolean) {
    this.bits = marked(this.bits, TS_OK, on);
  }
}

/** Before every time, in seconds; no fraction and no infinity, which would be a heap object. */
const LONG_AGO = -0x3fffffff;

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
  /** Where the FIN is, once `finSeen`. */
  finSeq = 0;
  /** RCV.UP: the octet behind the urgent ones; only while `hasUp`, which the program ends by reading up to it. */
  up = 0;
  /** The flags below, a bit each. */
  bits = 0;
  /** TS.Recent of RFC 7323 §4.3, and when it was taken, whole seconds: it is no evidence any more after 24 days (§5.5). */
  tsRecent = 0;
  tsRecentAt: number = LONG_AGO;

  /** A FIN was seen in the window; it takes effect when `nxt` reaches `finSeq`. */
  get finSeen(): boolean {
    return (this.bits & FIN_SEEN) !== 0;
  }
  set finSeen(on: boolean) {
    this.bits = marked(this.bits, FIN_SEEN, on);
  }

  /** The FIN has been reached: the peer's direction is over. */
  get finished(): boolean {
    return (this.bits & FINISHED) !== 0;
  }
  set finished(on: boolean) {
    this.bits = marked(this.bits, FINISHED, on);
  }

  /** Something urgent is to be read, or to come. */
  get hasUp(): boolean {
    return (this.bits & HAS_UP) !== 0;
  }
  set hasUp(on: boolean) {
    this.bits = marked(this.bits, HAS_UP, on);
  }

  /** RCV.WND: octets the peer may still send. */
  get wnd(): number {
    return (this.adv - this.nxt) | 0;
  }
}
