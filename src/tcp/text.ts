// Segment text: into the receive buffer, in order or not, and when to acknowledge (RFC 9293 §3.10.7.4 seventh).

import { ReceiveBuffer } from '../base/receive-buffer.ts';
import { seqDiff } from '../base/seq.ts';
import type { Segment } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import { OFF } from './timers.ts';

/** Takes the text of a segment that was trimmed to the window; `seg.len > 0`. */
export function processText(c: Connection, seg: Segment): void {
  const { rcv, env } = c;
  c.receiveBuffer ??= new ReceiveBuffer(env.chunks);
  const buffer = c.receiveBuffer;
  const offset = seqDiff(seg.seq, rcv.nxt);
  if (offset === 0 && buffer.ranges === 0) {
    buffer.append(seg.bytes, seg.at, seg.at + seg.len);
    rcv.nxt = (rcv.nxt + seg.len) | 0;
    if (seg.len > rcv.mss) rcv.mss = seg.gsoSize > 0 ? seg.gsoSize : seg.len;
    c.announceReadable();
    acknowledgeSoon(c, seg.len);
    return;
  }
  // Out of order, or filling a hole: acknowledged at once, so that the sender learns of the hole and of its end
  // (RFC 5681 §4.2).
  c.ackNow = true;
  const grown = buffer.insert(offset, seg.bytes, seg.at, seg.at + seg.len, env.profile.reassemblyRanges);
  if (grown < 0) {
    env.drop('reassembly-budget', c);
  } else if (grown > 0) {
    rcv.nxt = (rcv.nxt + grown) | 0;
    c.announceReadable();
  }
}

/** The delayed ACK: every second full-sized segment, and never later than the timer (RFC 9293 §3.8.6.3). */
function acknowledgeSoon(c: Connection, octets: number): void {
  const { profile, now } = c.env;
  c.ackPending += octets;
  if (c.ackPending >= profile.ackEvery * c.rcv.mss || profile.delayedAck <= 0) {
    c.ackNow = true;
  } else if (c.timers.delayedAck === OFF) {
    c.timers.delayedAck = now + profile.delayedAck;
  }
}
