// Buffers that grow with the path: a window's worth per round trip is all that a connection can carry.
//
// The receiver watches how much the program takes in a round trip and offers twice that, so that a sender whose window
// doubles each round trip is never held back by ours (what Linux calls dynamic right-sizing). The sender keeps room for
// twice its congestion window. Both stop at a maximum, and neither ever shrinks.

import type { Connection } from './connection.ts';

/**
 * Least round-trip time, ms, at which buffers grow. Below it the first buffer carries hundreds of megabytes a second, and
 * a larger one only falls out of the processor's cache: measured on a memory link, twice the time per segment.
 */
const WORTHWHILE = 2;

/** The program has taken octets: once per round trip, the receive buffer may grow. */
export function growReceiveBuffer(c: Connection): void {
  const { env, rtt } = c;
  const { now, profile } = env;
  if (c.receiveFixed || c.receiveLimit >= profile.receiveBufferMax || rtt.least < WORTHWHILE) return;
  if (now - c.measuredAt < rtt.srtt) return;
  const taken = c.delivered - c.deliveredThen;
  const first = c.measuredAt === Number.NEGATIVE_INFINITY;
  c.measuredAt = now;
  c.deliveredThen = c.delivered;
  if (first) return;
  // Sixteen segments on top, so that a small window gets off the ground.
  const wanted = 2 * taken + 16 * c.rcv.mss;
  if (wanted > c.receiveLimit) c.receiveLimit = Math.min(wanted, profile.receiveBufferMax);
}

/** Octets that the send buffer of a connection may hold now. */
export function sendLimit(c: Connection): number {
  const { profile } = c.env;
  if (c.rtt.least < WORTHWHILE) return profile.sendBuffer;
  return Math.max(profile.sendBuffer, Math.min(2 * c.cc.cwnd, profile.sendBufferMax));
}
