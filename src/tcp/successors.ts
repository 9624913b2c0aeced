// Full segments of new text that follow one another with nothing in between: decided together, booked one by one.
//
// `whatToSend` decides for a burst at a time. In a bulk transfer it says the same again and again, until a window or the
// text ends; nothing that it looks at changes but SND.NXT. So it is asked for the first, and what follows is counted.

import { seqDiff } from '../base/seq.ts';
import type { Connection } from './connection.ts';
import { armProbe } from './rack.ts';
import { TRAIN_END } from './scoreboard.ts';
import { burstSize } from './super-segments.ts';

/**
 * How many full segments of new text `whatToSend` and `transmit` would let follow the segment that has just left, each
 * with its header but for the number: the rest of its burst and whole bursts after it, without PSH or FIN, while nothing
 * is lost and no timer or bucket has a say. What was written does not end with them. True until anything happens to the
 * connection.
 */
export function successors(c: Connection): number {
  const { snd, board, recovery, pieces, env } = c;
  const { plan, profile } = env;
  const { mss } = snd;
  // The segment itself was one of them: new, and full.
  if (plan.len !== mss || ((plan.seq + mss) | 0) !== snd.nxt || board === null || board.count === 0) return 0;
  if ((board.flags(board.count - 1) & ~TRAIN_END) !== 0) return 0;
  if (c.mtu !== null || !c.isSynchronised() || c.acksOwed > 0 || c.ackNow || c.tailProbeDue) return 0;
  if ((board.sackedOctets | board.lostOctets | board.againOctets) !== 0) return 0;
  if (recovery.active || recovery.dupAcks > 0) return 0;
  if (profile.superSegment > 0 || profile.pushBursts || profile.pacing) return 0;
  if (c.cc.pacingRate > 0 || c.cc.model !== null) return 0;
  const { dataEnd, trainLeft } = c;
  const size = seqDiff(pieces === null ? dataEnd : pieces.firstEnd(dataEnd), snd.nxt);
  if (trainLeft % mss !== 0 || trainLeft >= size) return 0;
  if (trainLeft > 0 && (c.trainPush || c.trainWritten)) return 0;
  const usable = seqDiff((snd.una + snd.wnd) | 0, snd.nxt);
  // A burst that the windows let out whole does not wait for more of them (`defers`).
  const burst = burstSize(c) * mss;
  const bursts = Math.floor((Math.min(size - 1, usable, c.cc.cwnd - c.inFlight) - trainLeft) / burst);
  return (trainLeft + Math.max(bursts, 0) * burst) / mss;
}

/** Copies the text of the next of the `successors` to `out[at..]` and books it as `transmit` would. */
export function succeed(c: Connection, out: Uint8Array, at: number): void {
  const { snd, env, board } = c;
  const { nxt, mss } = snd;
  c.sendQueue?.copyTo(seqDiff(nxt, snd.base), mss, out, at);
  const end = (nxt + mss) | 0;
  c.segmentsOut++;
  if (c.trainLeft === 0) c.trainLeft = burstSize(c) * mss;
  c.trainLeft -= mss;
  board?.sent(nxt, end, mss, env, c.trainLeft === 0 ? TRAIN_END : 0);
  snd.nxt = end;
  // What the probe waits for is the same for any but a lone segment.
  if (board?.count === 2) armProbe(c);
  const s = c.count();
  s.dataSegmentsOut++;
  s.bytesSent += mss;
}
