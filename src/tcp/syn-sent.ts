// SEGMENT ARRIVES in SYN-SENT: RFC 9293 §3.10.7.3, step by step.

import { seqGt, seqLe } from '../base/seq.ts';
import { ACK, RST, type Segment, SYN } from '../wire/tcp.ts';
import { processAck } from './acks.ts';
import type { Connection } from './connection.ts';
import { becomeEstablished, takePeerSyn } from './opening.ts';

/** A segment has arrived in SYN-SENT. */
export function segmentArrivesInSynSent(c: Connection, seg: Segment): void {
  const { snd, env } = c;
  // First, check the ACK bit.
  const acks = (seg.flags & ACK) !== 0;
  const resets = (seg.flags & RST) !== 0;
  if (acks && (seqLe(seg.ack, snd.iss) || seqGt(seg.ack, snd.nxt))) {
    env.drop('tcp-syn-sent-bad-ack', c);
    if (!resets) c.resetOutOfBlue(seg.ack);
    return;
  }
  // Second, check the RST bit: only one that acknowledges our SYN is believed (RFC 5961 §3.2).
  if (resets) {
    if (acks) {
      if (c.fastOpen?.fallsBack(c) !== true) c.fail('ECONNREFUSED', 'rcv RST');
    } else env.drop('tcp-no-ack', c);
    return;
  }
  // Third, security: obsolete. Fourth, check the SYN bit. Fifth, neither SYN nor RST: drop.
  if ((seg.flags & SYN) === 0) {
    env.drop('tcp-no-ack', c);
    return;
  }
  takePeerSyn(c, seg);
  c.ackNow = true;
  if (acks) {
    c.fastOpen?.learn(c, seg);
    processAck(c, seg);
    // `processAck` scales; the window of a SYN is not (RFC 7323 §2.2).
    snd.wnd = seg.wnd;
    snd.maxWnd = seg.wnd;
    snd.maxEdge = (snd.una + seg.wnd) | 0;
    becomeEstablished(c, seg, 'rcv SYN,ACK');
    return;
  }
  // Both ends opened at once: our SYN goes out again, now with ACK (RFC 9293 §3.5, figure 7).
  c.board?.markLost(0);
  c.enter('SYN-RECEIVED', 'rcv SYN');
}
