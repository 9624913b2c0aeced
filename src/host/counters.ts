// What a host counts.

import type { Cause, State } from '../base/state.ts';
import type { DropReason } from '../base/trace.ts';
import { TcpCounters } from '../tcp/statistics.ts';

/** Counters of a host; they only grow, but for `currentlyEstablished`. */
export class Counters {
  /** Packets taken from links, and given to them. */
  packetsIn = 0;
  packetsOut = 0;
  /** TCP segments for a connection or listener, and sent by connections; a super-segment counts as what it is cut into. */
  segmentsIn = 0;
  segmentsOut = 0;
  /** Segments sent that belong to no connection, and those of them that are resets; the others carry SYN cookies. */
  repliesOut = 0;
  resetsOut = 0;
  /** UDP datagrams handed to sockets, and taken from them. */
  datagramsIn = 0;
  datagramsOut = 0;
  /** Connections opened actively and passively, and those that reached ESTABLISHED. */
  activeOpens = 0;
  passiveOpens = 0;
  established = 0;
  /** Connections that are in ESTABLISHED or CLOSE-WAIT now. */
  currentlyEstablished = 0;
  /** Openings that failed, and open connections that ended at once. */
  attemptsFailed = 0;
  establishedResets = 0;
  /** Connections whose TIME-WAIT ended. */
  timeWaitsEnded = 0;
  /** What connections count together. */
  readonly tcp: TcpCounters = new TcpCounters();
  /** What was not taken, by reason; a reason that never happened is absent. */
  readonly drops: Partial<Record<DropReason, number>> = {};

  /** Counts one dropped packet. */
  drop(reason: DropReason): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + 1;
  }

  /** Dropped packets of all reasons. */
  get dropped(): number {
    let sum = 0;
    for (const n of Object.values(this.drops)) sum += n;
    return sum;
  }

  /** @internal A connection left one state for another (RFC 4022 has the words). */
  moved(from: State, to: State, cause: Cause): void {
    const was = from === 'ESTABLISHED' || from === 'CLOSE-WAIT';
    const is = to === 'ESTABLISHED' || to === 'CLOSE-WAIT';
    if (is && !was) {
      this.currentlyEstablished++;
      this.established++;
    } else if (was && !is) {
      this.currentlyEstablished--;
    }
    if (to !== 'CLOSED' || cause === 'snapshot') return;
    if (from === 'TIME-WAIT') this.timeWaitsEnded++;
    else if (was) this.establishedResets++;
    else if (from === 'SYN-SENT' || from === 'SYN-RECEIVED') this.attemptsFailed++;
  }
}
