// The receive window: what is offered, without silly windows and without ever taking back (RFC 9293 §3.8.6).

import type { Profile } from '../base/profile.ts';
import type { Connection } from './connection.ts';

/** Largest shift (RFC 7323 §2.3). */
export const MAX_SCALE = 14;

/** The shift with which a 16-bit window field can offer a buffer of `octets`. */
export function scaleFor(octets: number): number {
  let scale = 0;
  while (scale < MAX_SCALE && 0xffff * (1 << scale) < octets) scale++;
  return scale;
}

/** The shift a connection offers: for the largest buffer it can come to have, or the one its program has set. */
export function scaleOf(c: Connection): number {
  return scaleFor(c.receiveFixed ? c.receiveLimit : largestBuffer(c.env.profile));
}

/** The largest receive buffer a connection can come to have: the window scale is agreed on once, at the start. */
export function largestBuffer(profile: Profile): number {
  const { receiveBuffer, receiveBufferMax } = profile;
  return Math.max(receiveBuffer, receiveBufferMax);
}

/** Segments that a window offers while the host is short of memory. */
const PRESSED_SEGMENTS = 4;

/** Octets by which the right edge could move now. */
function edgeGain(c: Connection): number {
  const most = 0xffff << c.rcv.scale;
  let free = c.receiveLimit - c.readable;
  if (free > most) free = most;
  // Under pressure a few segments are enough to go on with.
  if (c.env.chunks.pressed) free = Math.min(free, PRESSED_SEGMENTS * c.rcv.mss);
  return (c.rcv.nxt + Math.max(free, 0) - c.rcv.adv) | 0;
}

/** Least step of the right edge: silly-window avoidance of the receiver (RFC 9293 §3.8.6.2.2). */
function leastStep(c: Connection): number {
  const half = c.receiveLimit >> 1;
  return Math.min(c.rcv.mss, half);
}

/** Moves the right edge as far as silly-window avoidance allows, and returns the window field to send. */
export function offerWindow(c: Connection): number {
  const { rcv } = c;
  const gain = edgeGain(c);
  if (c.env.profile.windowFollowsBuffer) {
    if (gain > 0) rcv.adv = (rcv.adv + gain) | 0;
    // The peer may see an edge up to 2^scale - 1 octets left of ours: what it sends to the old one is still taken.
    return rcv.wnd >> rcv.scale;
  }
  if (gain >= leastStep(c)) rcv.adv = (rcv.adv + gain) | 0;
  // Rounded up, so that the edge the peer computes is never left of the one it computed before; the
  // receive queue takes the up to 2^scale - 1 octets more that this can let in.
  const field = (rcv.wnd + (1 << rcv.scale) - 1) >> rcv.scale;
  rcv.adv = (rcv.nxt + (field << rcv.scale)) | 0;
  return field;
}

/** Below this, what the peer believes it may send has become little. */
const LITTLE = 32 * 1024;

/**
 * After the program has read: whether the peer should be told at once that there is room. It is told when the
 * edge can take a real step and the peer may soon have to stop; otherwise the next ACK of data brings the news.
 */
export function windowUpdateDue(c: Connection): boolean {
  if (c.rcv.finished || !c.isSynchronised()) return false;
  const half = c.receiveLimit >> 1;
  if (c.rcv.wnd >= Math.min(half, LITTLE)) return false;
  const step = edgeGain(c);
  return step >= leastStep(c) && (step >= 2 * c.rcv.mss || step >= half);
}
