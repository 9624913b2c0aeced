// Path MTU: segments that the path is too narrow for (RFC 1191, RFC 8201), and the search for the largest that pass,
// which asks no router (RFC 4821, with what RFC 8899 adds).
//
// A probe is one segment of new text that is larger than the others. When it is acknowledged, all may be so large; when
// it alone is lost, the path is too narrow for it and not congested. SND.MSS stands for what the RFCs call eff_pmtu and
// search_low: sizes here are octets of text in a full segment, as that is. RFC 8899 confirms a size by a timer, for
// protocols whose peers acknowledge nothing; here every full segment that is acknowledged does.

import { seqDiff, seqGe, seqLt } from '../base/seq.ts';
import type { PathMtuEvent } from '../base/trace.ts';
import { IPV4_HEADER } from '../wire/ipv4.ts';
import { IPV6_HEADER } from '../wire/ipv6.ts';
import { TCP_HEADER, TIMESTAMP_OCTETS } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import { AGAIN, LOST } from './scoreboard.ts';
import { OFF } from './timers.ts';

/**
 * Least path MTU believed. IPv6: every link carries 1280 (RFC 8200 §5). IPv4: Linux believes no less than 552; forged
 * reports of less were attacks (CVE-2004-1060).
 */
const LEAST_MTU4 = 552;
const LEAST_MTU6 = 1280;

/** What became of the probe: there is none, it is in flight, or it was lost and it is seen whether it alone was. */
const NO_PROBE = 0;
const PROBE_OUT = 1;
const PROBE_LOST = 2;

/** The search of one connection (RFC 4821 §7.2); made when its segments are smaller than peer and interface would take. */
export class PathMtu {
  /** What peer and interface take. */
  ceiling: number;
  /** SEARCH_HIGH: the largest size that may pass yet. */
  high: number;
  /** Nothing speaks against `high` itself, so it is tried first: on most paths the search ends there. */
  fresh = true;
  /** When the search, which is over, begins again; `OFF` while it goes on. */
  raiseAt: number = OFF;
  /** `NO_PROBE`, `PROBE_OUT` or `PROBE_LOST`. */
  probe = 0;
  /** Numbers that the last probe has. */
  probeFrom = 0;
  probeTo = 0;
  /** SND.NXT when the probe was found lost: with that acknowledged and nothing else lost, its size was why. */
  judgeAt = 0;
  /** Losses in a row of probes of this size. */
  failures = 0;

  constructor(ceiling: number) {
    this.ceiling = ceiling;
    this.high = ceiling;
  }
}

// --- what is told or suspected ---

/** A new connection of a profile that trusts no path starts small (RFC 4821 §7.2). */
export function startPathMtu(c: Connection): void {
  const { snd, env } = c;
  const base = baseSize(c);
  if (env.profile.mtuProbing !== 'always' || snd.mss - base < env.profile.mtuThreshold) return;
  c.mtu = new PathMtu(snd.mss);
  snd.mss = base;
}

/** The path carries IP packets of `mtu` octets and no larger: somebody on the way has said so. */
export function pathMtuIs(c: Connection, mtu: number): void {
  const { snd, env } = c;
  const least = c.addressing.local.family === 4 ? LEAST_MTU4 : LEAST_MTU6;
  const size = Math.max(mtu, least) - headersOf(c);
  if (size >= snd.mss) {
    // What is sent passes. Only a probe can have been too large, and now its successor is known.
    const m = c.mtu;
    if (m === null || m.raiseAt !== OFF || size >= m.high) return;
    const tooLarge = m.probe === PROBE_OUT && seqDiff(m.probeTo, m.probeFrom) > size;
    m.high = size;
    m.fresh = true;
    m.failures = 0;
    if (tooLarge) loseProbe(c, m);
    restWhenDone(c, m);
    return;
  }
  if (env.profile.mtuProbing !== 'off') {
    c.mtu ??= new PathMtu(snd.mss);
    c.mtu.high = size;
    c.mtu.probe = NO_PROBE;
    c.mtu.raiseAt = env.now + env.profile.mtuRaise;
  }
  resize(c, size, 'told');
}

/**
 * A full segment was sent several times and nothing came back: perhaps somebody drops what is too large and does not
 * say so. The size to start from is tried, then half and half again, down to what every path carries (RFC 4821 §7.7).
 */
export function suspectBlackHole(c: Connection): void {
  const { board, snd } = c;
  if (board === null || board.count === 0) return;
  const silent = Math.min(seqDiff(board.to(0), board.from(0)), snd.mss);
  const base = baseSize(c);
  const size = silent > base ? base : Math.max(silent >> 1, leastSize(c));
  if (size >= silent) return;
  c.mtu ??= new PathMtu(snd.mss);
  const m = c.mtu;
  // Perhaps the path was only down for a while: what had passed before is tried first.
  m.high = Math.max(m.raiseAt === OFF ? m.high : snd.mss, size);
  m.fresh = true;
  m.failures = 0;
  m.probe = NO_PROBE;
  m.raiseAt = OFF;
  resize(c, size, 'black-hole');
  restWhenDone(c, m);
}

/** The size to start from: in IPv6 at least what every path carries. */
function baseSize(c: Connection): number {
  const { mtuBase } = c.env.profile;
  return c.addressing.local.family === 4 ? mtuBase : Math.max(mtuBase, LEAST_MTU6 - headersOf(c));
}

/** The size below which no search goes. */
function leastSize(c: Connection): number {
  const { mtuFloor, minMss } = c.env.profile;
  const least = Math.max(mtuFloor, minMss);
  return c.addressing.local.family === 4 ? least : Math.max(least, LEAST_MTU6 - headersOf(c));
}

function headersOf(c: Connection): number {
  const ip = c.addressing.local.family === 4 ? IPV4_HEADER : IPV6_HEADER;
  return ip + TCP_HEADER + (c.snd.tsOk ? TIMESTAMP_OCTETS : 0);
}

/** Segments have at most `mss` octets from now on; larger ones in flight cannot arrive and are sent again, cut. */
function resize(c: Connection, mss: number, why: PathMtuEvent['why']): void {
  const { snd, board, env } = c;
  const shrinks = mss < snd.mss;
  snd.mss = mss;
  if (c.sendQueue !== null) c.sendQueue.grain = mss;
  if (!c.isSynchronised()) return;
  c.cc.resized(mss);
  if (env.trace !== null) env.trace({ type: 'path-mtu', at: env.now, host: env.name, conn: c.id, mss, why });
  if (board === null || !shrinks) return;
  for (let i = 0; i < board.count; i++) {
    // Not congestion: the window stays (RFC 1191 §6.5, RFC 8201 §5.4).
    if (seqDiff(board.to(i), board.from(i)) > mss) board.markLost(i);
  }
}

// --- probes ---

/** What peer and interface take; the interface may be another than it was, after a move. */
function ceilingOf(c: Connection, m: PathMtu): number {
  return Math.min(m.ceiling, c.addressing.localMss - (c.snd.tsOk ? TIMESTAMP_OCTETS : 0));
}

/** The size that the next probe has (RFC 4821 §7.3); 0 when the search is over, for now or for good. */
function nextSize(c: Connection, m: PathMtu): number {
  const { mss } = c.snd;
  const again = m.raiseAt !== OFF;
  if (again && c.env.now < m.raiseAt) return 0;
  const high = again ? ceilingOf(c, m) : m.high;
  if (high - mss < c.env.profile.mtuThreshold) return 0;
  return again || m.fresh ? high : (mss + high) >> 1;
}

/**
 * Octets of a probe that is due with what is sent next (RFC 4821 §7.4); 0 for none, -1 when it waits for the congestion
 * window, and new text with it. What follows a probe must be enough to tell of its loss without a timeout.
 */
export function mtuProbeDue(c: Connection): number {
  const m = c.mtu;
  if (m === null || m.probe !== NO_PROBE || !c.isSynchronised()) return 0;
  const { snd, board, recovery, pieces, cc, env } = c;
  if (recovery.guarded || recovery.dupAcks > 0) return 0;
  if (board !== null && (board.sackedCount > 0 || board.lostCount > 0)) return 0;
  const size = nextSize(c, m);
  if (size === 0) return 0;
  const needed = size + (env.profile.dupThresh + 1) * snd.mss;
  const usable = seqDiff((snd.una + snd.wnd) | 0, snd.nxt);
  if (c.unsent < needed || usable < needed || cc.cwnd < needed) return 0;
  // Records are not joined: what ends within the probe goes out as it is.
  if (pieces !== null && seqDiff(pieces.firstEnd(c.dataEnd), snd.nxt) <= size) return 0;
  if (c.inFlight + size <= cc.cwnd) return size;
  return c.flightSize > 0 ? -1 : 0;
}

/** The probe has left, up to `end`. */
export function mtuProbeSent(c: Connection, from: number, end: number): void {
  const m = c.mtu;
  if (m === null) return;
  if (m.raiseAt !== OFF) {
    m.raiseAt = OFF;
    m.high = ceilingOf(c, m);
    m.fresh = true;
    m.failures = 0;
  }
  m.probe = PROBE_OUT;
  m.probeFrom = from;
  m.probeTo = end;
}

/** SND.UNA has moved: perhaps past the probe (RFC 4821 §7.6.1), or past all that was in flight when it was lost (§7.6.2). */
export function mtuProbeAcknowledged(c: Connection, m: PathMtu): void {
  const { snd, env } = c;
  const size = seqDiff(m.probeTo, m.probeFrom);
  if (m.probe === PROBE_OUT && seqGe(snd.una, m.probeTo)) {
    m.probe = NO_PROBE;
    m.failures = 0;
    env.counts.mtuProbesPassed++;
    resize(c, size, 'probe-passed');
    conclude(c, m);
  } else if (m.probe === PROBE_LOST && seqGe(snd.una, m.judgeAt)) {
    m.probe = NO_PROBE;
    env.counts.mtuProbesFailed++;
    // A lone loss may be chance: several in a row are none (RFC 8899 §5.1.2, MAX_PROBES).
    if (++m.failures < env.profile.mtuTries) return;
    m.failures = 0;
    m.high = size - 1;
    m.fresh = false;
    conclude(c, m);
  }
}

/** Where the search is over, the connections that come after learn what it found. */
function conclude(c: Connection, m: PathMtu): void {
  if (!restWhenDone(c, m)) return;
  c.env.pathMtuFound(c, c.snd.mss + headersOf(c));
  if (c.snd.mss >= ceilingOf(c, m)) c.mtu = null;
}

/** With nothing left to try between what passes and what does not, the search rests for a while (RFC 8899 §5.1.1). */
function restWhenDone(c: Connection, m: PathMtu): boolean {
  const { now, profile } = c.env;
  if (m.high - c.snd.mss >= profile.mtuThreshold) return false;
  m.raiseAt = now + profile.mtuRaise;
  return true;
}

/**
 * Segments were found lost. When it is the probe and nothing else, that says nothing of congestion (RFC 4821 §7.6.2); with
 * others it says nothing of the path MTU either (§7.6.4).
 *
 * @returns true when the loss is to cost nothing
 */
export function onlyProbeLost(c: Connection, m: PathMtu): boolean {
  const { board } = c;
  if (m.probe === NO_PROBE || board === null) return false;
  let probe = false;
  let others = false;
  for (let i = 0; i < board.count; i++) {
    if ((board.flags(i) & (LOST | AGAIN)) !== LOST) continue;
    if (seqGe(board.from(i), m.probeFrom) && seqLt(board.from(i), m.probeTo)) probe = true;
    else others = true;
  }
  if (!probe && m.probe === PROBE_OUT) return false;
  if (m.probe === PROBE_LOST || others || c.recovery.guarded) {
    // More was lost in the same round trip, or the copy of the probe was.
    m.probe = NO_PROBE;
    return false;
  }
  m.probe = PROBE_LOST;
  m.judgeAt = c.snd.nxt;
  return true;
}

/** Whether a probe that was lost alone is being sent again, cut. */
export function repairsProbe(m: PathMtu): boolean {
  return m.probe === PROBE_LOST;
}

/** The retransmission timer fired: whatever it means, it is no answer to the probe (RFC 4821 §7.6.4). */
export function forgetProbe(m: PathMtu): void {
  m.probe = NO_PROBE;
}

/** A router has said that the probe did not pass: its text is sent again at once, cut. */
function loseProbe(c: Connection, m: PathMtu): void {
  const { board } = c;
  m.probe = NO_PROBE;
  for (let i = 0; board !== null && i < board.count; i++) {
    if (board.from(i) === m.probeFrom) board.markLost(i);
  }
}
