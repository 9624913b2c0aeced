// What a host counts, as `nstat` would show it.

import type { DropReason } from '../base/trace.ts';

/** Counters of a host; they only grow. */
export class Counters {
  /** Packets taken from links, and given to them. */
  packetsIn = 0;
  packetsOut = 0;
  /** TCP segments for a connection or listener, and sent by connections. */
  segmentsIn = 0;
  segmentsOut = 0;
  /** Resets sent that belong to no connection. */
  resetsOut = 0;
  /** UDP datagrams handed to sockets, and taken from them. */
  datagramsIn = 0;
  datagramsOut = 0;
  /** Connections opened actively and passively, and those that reached ESTABLISHED. */
  activeOpens = 0;
  passiveOpens = 0;
  established = 0;
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
}
