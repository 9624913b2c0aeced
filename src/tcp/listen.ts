// SEGMENT ARRIVES in LISTEN (RFC 9293 §3.10.7.2) and in CLOSED (§3.10.7.1): where no connection exists yet.

import { ACK, RST, type Segment, SYN } from '../wire/tcp.ts';

/** What a segment means that arrived for a port and no connection. */
export type ListenVerdict = 'open' | 'reset' | 'ignore' | 'not-syn';

/** A segment has arrived in LISTEN; SYN and FIN are not both set. */
export function segmentArrivesInListen(seg: Segment): ListenVerdict {
  // First, check for a RST: nothing can have been sent that it could answer.
  if ((seg.flags & RST) !== 0) return 'ignore';
  // Second, check for an ACK: "any acknowledgment is bad if it arrives on a connection still in LISTEN".
  if ((seg.flags & ACK) !== 0) return 'reset';
  // Third, check for a SYN. Fourth, other data or control: drop.
  return (seg.flags & SYN) !== 0 ? 'open' : 'not-syn';
}
