// Explicit congestion notification (RFC 3168): the path marks packets instead of dropping them, the receiver echoes
// that, and the sender slows down as for a loss, once per window.
//
// Everything about it is one small state per connection and four moments: a SYN comes or goes, text arrives, an
// acknowledgement arrives, a segment leaves. Accurate ECN (RFC 9768) would answer the same four in its own way.

import { seqGt } from '../base/seq.ts';
import { ACK, CWR, ECE, type Segment, SYN } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';

/** Codepoints of the IP header (RFC 3168 §5). */
export const NOT_ECT = 0;
export const ECT_0 = 2;
export const CE = 3;

/** What is known of ECN on a connection whose ends both can do it. */
export class Ecn {
  /** A mark came in: every ACK says so until the peer has slowed down (§6.1.3). */
  echo = false;
  /** The window came down: the next new segment tells the peer (§6.1.2). */
  tell = false;
  /** The window came down for a mark, once for everything sent up to `recover`. */
  reduced = false;
  recover = 0;
  /** The acknowledgement in hand echoes a mark: no reason to grow. */
  held = false;
  /** Segments that came marked. */
  marksIn = 0;
}

/** Flags of our SYN or SYN,ACK. One that is sent again asks no more: the path may drop such SYNs (§6.1.1.1). */
export function ecnOfSyn(c: Connection): number {
  if (c.state === 'SYN-SENT') return c.env.profile.ecn === 'ask' && !c.synResent ? ECE | CWR : 0;
  return c.ecn === null ? 0 : ECE;
}

/** The peer's SYN or SYN,ACK came (§6.1.1). A SYN whose packet says that it is ECN-capable itself is no honest one. */
export function ecnOfPeerSyn(c: Connection, seg: Segment): void {
  const said = seg.flags & (ECE | CWR);
  const { ecn } = c.env.profile;
  let agreed: boolean;
  // Both bits come back from peers that reflect what they do not know. Ends that open at once do without.
  if (c.state !== 'SYN-SENT') agreed = ecn !== 'off' && said === (ECE | CWR) && seg.ecn === NOT_ECT;
  else agreed = ecn === 'ask' && !c.synResent && said === ECE && (seg.flags & ACK) !== 0;
  c.ecn = agreed ? new Ecn() : null;
}

/** Text arrived, which may be marked (§6.1.3): CWR ends the echo, and a mark on the same segment begins another. */
export function ecnOfText(c: Connection, seg: Segment): void {
  const { ecn } = c;
  if (ecn === null) return;
  if ((seg.flags & CWR) !== 0) ecn.echo = false;
  if (seg.ecn !== CE) return;
  ecn.marksIn++;
  // The peer learns of the first mark at once, as it does of a loss.
  if (!ecn.echo) c.ackNow = true;
  ecn.echo = true;
}

/**
 * An acknowledgement arrived: when it echoes a mark the window comes down, unless it already did for this window of data,
 * be it for a mark or a loss (§6.1.2).
 */
export function ecnOfAck(c: Connection, seg: Segment, now: number): void {
  const { ecn, snd, cc } = c;
  if (ecn === null) return;
  if (ecn.reduced && seqGt(snd.una, ecn.recover)) ecn.reduced = false;
  ecn.held = (seg.flags & (ECE | SYN)) === ECE;
  if (!ecn.held || ecn.reduced || c.recovery.guarded) return;
  ecn.reduced = true;
  ecn.recover = snd.nxt;
  ecn.tell = true;
  cc.reduce(Math.min(c.flightSize, cc.cwnd), now);
  cc.cwnd = Math.min(cc.cwnd, cc.ssthresh);
  c.traceCongestion('ecn');
}

/** The window came down for a loss: the peer is told as for a mark (§6.1.2). */
export function ecnOfLoss(c: Connection): void {
  if (c.ecn !== null) c.ecn.tell = true;
}

/**
 * Flags of a segment that leaves after the handshake, and in the plan the codepoint of its packet: only text that is
 * sent for the first time may be marked (§6.1.4, §6.1.5, §6.1.6).
 */
export function ecnOfSegment(c: Connection, newText: boolean): number {
  const { ecn } = c;
  if (ecn === null) return 0;
  let flags = ecn.echo ? ECE : 0;
  if (newText) {
    c.env.plan.ecn = ECT_0;
    if (ecn.tell) flags |= CWR;
    ecn.tell = false;
  }
  return flags;
}
