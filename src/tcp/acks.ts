// The ACK field of a synchronised connection: SND.UNA, the send window, duplicates (RFC 9293 §3.10.7.4 fifth).

import { seqDiff, seqGt, seqLe, seqLt, seqMax } from '../base/seq.ts';
import { FIN, type Segment, SYN } from '../wire/tcp.ts';
import { type Connection, EVENT_WRITABLE } from './connection.ts';
import { duplicateAcknowledgement, newlyAcknowledged } from './recovery.ts';
import { OFF } from './timers.ts';

/** Processes SEG.ACK, which is known not to be beyond SND.NXT nor absurdly old, and SEG.WND. */
export function processAck(c: Connection, seg: Segment): void {
  const { snd } = c;
  const advance = seqDiff(seg.ack, snd.una);
  const wnd = seg.wnd << snd.scale;
  if (advance > 0) {
    acknowledge(c, seg.ack, advance);
  } else if (
    // RFC 5681 §2: a duplicate has data outstanding, no text, no SYN or FIN, the same number and window.
    advance === 0 &&
    seg.len === 0 &&
    (seg.flags & (SYN | FIN)) === 0 &&
    wnd === snd.wnd &&
    snd.una !== snd.nxt
  ) {
    duplicateAcknowledgement(c, c.env.now);
  }
  if (advance >= 0) updateWindow(c, seg, wnd);
}

/** SND.UNA moves to `ack`: octets leave the queue, measurements and recovery follow. */
function acknowledge(c: Connection, ack: number, advance: number): void {
  const { snd, rtt, timers, env } = c;
  const { now, profile } = env;
  snd.una = ack;
  const dataEnd = c.dataEnd;
  const upTo = seqGt(ack, dataEnd) ? dataEnd : ack;
  const octets = seqDiff(upTo, snd.base);
  if (octets > 0) {
    c.sendQueue?.drop(octets);
    snd.base = upTo;
  }
  rtt.acked(ack, now, profile);
  c.retries = 0;
  newlyAcknowledged(c, advance, now);
  timers.retransmit = snd.una === snd.nxt ? OFF : now + rtt.timeout(profile);
  if (c.wantsWritable && c.writable << 1 >= profile.sendBuffer) {
    c.wantsWritable = false;
    c.announce(EVENT_WRITABLE);
  }
}

/** SND.WND from the newest segment only, by SND.WL1 and SND.WL2 (RFC 9293 §3.10.7.4). */
function updateWindow(c: Connection, seg: Segment, wnd: number): void {
  const { snd, timers } = c;
  if (!(seqLt(snd.wl1, seg.seq) || (snd.wl1 === seg.seq && seqLe(snd.wl2, seg.ack)))) return;
  const opened = wnd > snd.wnd;
  snd.wnd = wnd;
  snd.wl1 = seg.seq;
  snd.wl2 = seg.ack;
  if (wnd > snd.maxWnd) snd.maxWnd = wnd;
  snd.maxEdge = seqMax(snd.maxEdge, (snd.una + wnd) | 0);
  // An answer to a probe shows that the peer lives: a window that stays shut is no reason to give up.
  if (snd.una === snd.nxt || wnd === 0) c.retries = 0;
  if (opened && timers.persist !== OFF) {
    timers.persist = OFF;
    c.probeDue = false;
    c.probes = 0;
  }
}
