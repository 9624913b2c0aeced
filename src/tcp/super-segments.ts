// Bursts: how many segments leave together, and when it pays to wait for more of the window.
//
// Who leaves a full queue in few and larger bursts meets it full less often, and several losses at once count once: a flow
// that sends its segments in twos, as they are acknowledged, gets less than its share beside one that does not. Linux
// hands its links many segments as one, sizes that by the rate of the connection and marks its end with PSH, whatever
// the link; a profile that has `superSegment` does as it does. The others send bursts of `burstMost` segments or fewer.

import type { Connection } from './connection.ts';

/** Least time between a segment and the next burst, ms, from which on waiting for more of the window is pointless. */
const RECENT = 1;

/** Segments of one burst: what the rate sends in about a millisecond, and more on the shortest paths. */
export function burstSize(c: Connection): number {
  const { rtt, snd, cc, env } = c;
  const { superSegment, superSegmentLeast, superSegmentNear, burstMost } = env.profile;
  const most = superSegment > 0 ? superSegment : burstMost * snd.mss;
  const halvings = Math.min(Math.floor((Math.max(rtt.least, 0) * 1000) / (1 << superSegmentNear)), 31);
  const near = superSegmentNear === 0 ? 0 : superSegment >> halvings;
  let octets = most;
  if (rtt.srtt > 0) {
    // Twice the rate in early slow start, 1.2 times later; a 1024th of a second of it.
    const window = Math.max(cc.cwnd, c.flightSize);
    const rate = ((cc.cwnd < cc.ssthresh / 2 ? 2 : 1.2) * window * 1000) / rtt.srtt;
    octets = Math.min(rate / 1024 + near, most);
  }
  return Math.max(Math.floor(octets / snd.mss), superSegmentLeast);
}

/**
 * Whether a piece of `size` octets, more than one segment, waits for a larger super-segment: when the window has only
 * little room, the last one has just left, and an acknowledgement is due soon enough to make more.
 *
 * @param room octets the congestion window lets out, `usable` octets the peer's does
 * @param tail more may be written to it
 * @param ends the program adds nothing more to it
 */
export function defers(
  c: Connection,
  size: number,
  room: number,
  usable: number,
  most: number,
  tail: boolean,
  ends: boolean,
): boolean {
  const { snd, cc, rtt, board, recovery, env } = c;
  const { superSegmentDivisor } = env.profile;
  if (superSegmentDivisor <= 0 || recovery.guarded || env.now - c.lastDataSent >= RECENT) return false;
  const limit = Math.min(room, usable);
  if (limit >= most * snd.mss || (!tail && limit >= size)) return false;
  if (limit >= Math.floor(Math.min(snd.wnd, cc.cwnd) / superSegmentDivisor)) return false;
  if (board === null || board.count === 0) return false;
  // The acknowledgement of the oldest is still far: it would come too late.
  if (env.now - board.sentAt(0) <= Math.max(rtt.srtt, 0) / 2) return false;
  if (room < usable ? room <= size : usable <= size) return true;
  return !ends;
}
