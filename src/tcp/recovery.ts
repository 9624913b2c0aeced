// Loss recovery without SACK: duplicate acknowledgements, NewReno's recovery point, and the timer's.
//
// It marks what has to be sent again (`snd.resend` to `snd.resendTo`) and tells congestion control.

import { seqGe, seqGt, seqMax } from '../base/seq.ts';
import type { Connection } from './connection.ts';

/** What is known of losses on one connection (RFC 5681 §3.2, RFC 6582). */
export class Recovery {
  /** Consecutive duplicate acknowledgements. */
  dupAcks = 0;
  /** Fast recovery is on, until SND.UNA reaches `recover`. */
  active = false;
  /**
   * SND.NXT when the last recovery began. Duplicates of what was sent before it are no news: they may be
   * echoes of our own retransmissions (RFC 6582 §3.2 step 2), so the next recovery waits until it is passed.
   */
  recover = 0;
  guarded = false;

  /** Octets that limited transmit adds to the congestion window (RFC 3042). */
  allowance(c: Connection): number {
    if (this.active || this.dupAcks === 0 || !c.env.profile.limitedTransmit) return 0;
    return Math.min(this.dupAcks, 2) * c.snd.mss;
  }
}

/** `acked` octets were newly acknowledged; `snd.una` has moved already. */
export function newlyAcknowledged(c: Connection, acked: number, now: number): void {
  const { snd, recovery, cc } = c;
  snd.resend = seqMax(snd.resend, snd.una);
  snd.resendTo = seqMax(snd.resendTo, snd.una);
  recovery.dupAcks = 0;
  if (recovery.active) {
    if (seqGe(snd.una, recovery.recover)) {
      recovery.active = false;
      cc.recovered(c.flightSize, now);
      c.traceCongestion('recovered');
      return;
    }
    // A partial acknowledgement: the segment it stops at was lost as well (RFC 6582 §3.2 step 3).
    cc.partial(acked);
    markLost(c, snd.mss);
    c.traceCongestion('partial-ack');
    return;
  }
  if (recovery.guarded && seqGt(snd.una, recovery.recover)) recovery.guarded = false;
  cc.acked(acked, c.wasLimited(snd.una), now);
}

/** A duplicate acknowledgement by the definition of RFC 5681 §2. */
export function duplicateAcknowledgement(c: Connection, now: number): void {
  const { snd, recovery, cc } = c;
  recovery.dupAcks++;
  if (recovery.active) {
    cc.duplicate();
    return;
  }
  if (recovery.dupAcks !== c.env.profile.dupThresh || recovery.guarded) return;
  recovery.active = true;
  recovery.guarded = true;
  recovery.recover = snd.nxt;
  cc.lossDetected(c.flightSize, now);
  markLost(c, snd.mss);
  // The copy gets a full timeout of its own; otherwise the timer may fire on it (RFC 6298 leaves it open).
  c.timers.retransmit = now + c.rtt.timeout(c.env.profile);
  c.traceCongestion('fast-retransmit');
}

/** The retransmission timer fired: everything in flight counts as lost (RFC 5681 §3.1, RFC 6582 §4). */
export function retransmissionTimedOut(c: Connection, now: number): void {
  const { snd, recovery, cc } = c;
  cc.timedOut(c.flightSize, c.retries === 0, now);
  recovery.active = false;
  recovery.guarded = true;
  recovery.dupAcks = 0;
  recovery.recover = snd.nxt;
  snd.resend = snd.una;
  snd.resendTo = snd.nxt;
  c.traceCongestion('rto');
}

/** Marks the first `count` octets in flight as to be sent again. */
function markLost(c: Connection, count: number): void {
  const { snd } = c;
  const flight = c.flightSize;
  snd.resend = snd.una;
  snd.resendTo = (snd.una + Math.min(count, flight)) | 0;
}
