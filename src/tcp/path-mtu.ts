// Path MTU: segments that the path is too narrow for (RFC 1191, RFC 8201), and paths that say nothing (RFC 4821).

import { seqDiff } from '../base/seq.ts';
import { IPV4_HEADER } from '../wire/ipv4.ts';
import { IPV6_HEADER } from '../wire/ipv6.ts';
import { TCP_HEADER } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';

/**
 * Least path MTU believed. IPv6: every link carries 1280 (RFC 8200 §5). IPv4: Linux believes no less than 552; forged
 * reports of less were attacks (CVE-2004-1060).
 */
export const LEAST_MTU4 = 552;
export const LEAST_MTU6 = 1280;

/** Octets of timestamps and padding on every segment. */
const TIMESTAMP_OCTETS = 12;

/** The path carries IP packets of `mtu` octets and no larger. */
export function pathMtuIs(c: Connection, mtu: number): void {
  const v4 = c.addressing.local.family === 4;
  const believed = Math.max(mtu, v4 ? LEAST_MTU4 : LEAST_MTU6);
  const headers = (v4 ? IPV4_HEADER : IPV6_HEADER) + TCP_HEADER + (c.snd.tsOk ? TIMESTAMP_OCTETS : 0);
  shrinkTo(c, believed - headers);
}

/**
 * A full segment was sent several times and nothing came back: perhaps somebody drops what is too large and does not
 * say so. Half of the size is tried, as RFC 4821 §7.7 advises, down to what every path carries.
 */
export function suspectBlackHole(c: Connection): void {
  const { board, snd } = c;
  const least = c.addressing.local.family === 4 ? LEAST_MTU4 - 40 : LEAST_MTU6 - 60;
  if (board === null || board.count === 0 || seqDiff(board.to(0), board.from(0)) <= least) return;
  shrinkTo(c, Math.max(snd.mss >> 1, least));
}

/** Segments have at most `mss` octets from now on; larger ones in flight cannot arrive and are sent again, cut. */
function shrinkTo(c: Connection, mss: number): void {
  const { snd, board } = c;
  if (mss >= snd.mss) return;
  snd.mss = mss;
  if (c.sendQueue !== null) c.sendQueue.grain = mss;
  if (board === null || !c.isSynchronised()) return;
  for (let i = 0; i < board.count; i++) {
    // Not congestion: the window stays (RFC 1191 §6.5, RFC 8201 §5.4).
    if (seqDiff(board.to(i), board.from(i)) > mss) board.markLost(i);
  }
}
