// Openings that come to a listener: half-open connections, SYN cookies when there are too many, and what finds no room.

import { seqGt } from '../base/seq.ts';
import type { Connection } from '../tcp/connection.ts';
import { openByCookie, openPassive } from '../tcp/opening.ts';
import type { ConnectionAddressing } from '../tcp/tcb.ts';
import { largestBuffer, scaleFor } from '../tcp/window.ts';
import {
  ACK,
  FIN,
  putMss,
  putNop,
  putSackPermitted,
  putTimestamps,
  putWscale,
  RST,
  type Segment,
  SYN,
} from '../wire/tcp.ts';
import { COOKIE_LIFE, readStamp, stampOptions } from './cookies.ts';
import type { Host } from './host.ts';
import type { Interface } from './interface.ts';
import type { Listener } from './listener.ts';
import { queueSegment } from './output.ts';

/** How far beyond the last number of an old connection the next one begins, where the clock does not say. */
const ISS_STEP = 0x10000;

/** Octets of options of a SYN,ACK at most. */
const SYN_OPTIONS = new Uint8Array(40);

/**
 * A SYN for a listener.
 *
 * @param former the connection of the same four-tuple that the SYN has just ended
 * @returns the half-open connection; `null` when there is none, because of cookies or for want of room
 */
export function synArrives(
  host: Host,
  listener: Listener,
  i: Interface,
  seg: Segment,
  addressing: ConnectionAddressing,
  former: Connection | null,
): Connection | null {
  const { synCookies, synBacklog } = host.profile;
  if (listener.full) {
    host.drop('accept-queue-full', null);
    return null;
  }
  const many = listener.halfOpen.size >= listener.backlog;
  if (synCookies === 'always' || (many && synCookies === 'pressure')) {
    answerWithCookie(host, listener, i, addressing, seg);
    return null;
  }
  if (many || (synCookies === 'never' && listener.halfOpen.size >= synBacklog)) {
    host.drop('listen-backlog', null);
    return null;
  }
  const c = host.makePassive(listener, addressing, i);
  let iss = host.issFor(addressing);
  // "Larger than the largest sequence number it used on the previous connection incarnation" (RFC 9293
  // §3.6.1): one that sent faster than 250 octets in a millisecond has outrun the clock of ISNs.
  if (former !== null && !seqGt(iss, former.snd.nxt)) iss = (former.snd.nxt + ISS_STEP) | 0;
  openPassive(c, seg, iss);
  if (listener.fastOpen !== null) host.fastOpens?.offer(host, listener.fastOpen, c, seg);
  return c;
}

/** A SYN,ACK of which nothing is remembered. */
function answerWithCookie(host: Host, listener: Listener, i: Interface, a: ConnectionAddressing, seg: Segment): void {
  const { profile, now } = host;
  const fallback = a.local.family === 4 ? profile.defaultMss4 : profile.defaultMss6;
  const iss = host.cookies.make(a, seg.seq, seg.mss > 0 ? seg.mss : fallback, now);
  const stamped = seg.hasTs && profile.timestamps;
  let at = putMss(SYN_OPTIONS, 0, a.localMss);
  if (stamped) {
    if (seg.sackPermitted && profile.sack) at = putSackPermitted(SYN_OPTIONS, at);
    else at = putNop(SYN_OPTIONS, putNop(SYN_OPTIONS, at));
    const clock = (Math.floor(now) + host.timestampOffsetOf(a)) | 0;
    at = putTimestamps(SYN_OPTIONS, at, stampOptions(clock, seg), seg.tsVal);
    if (seg.wscale >= 0 && profile.windowScaling) {
      at = putWscale(SYN_OPTIONS, putNop(SYN_OPTIONS, at), scaleFor(listener.receiveBuffer || largestBuffer(profile)));
    }
  }
  const wnd = Math.min(listener.receiveBuffer || profile.receiveBuffer, 0xffff);
  if (!queueSegment(host, i, a, iss, (seg.seq + 1) | 0, SYN | ACK, wnd, SYN_OPTIONS, at, 'LISTEN')) return;
  host.counts.cookiesSent++;
  listener.cookiesUntil = now + COOKIE_LIFE;
}

/**
 * An ACK for a listener and for no connection: perhaps it brings a cookie back.
 *
 * @returns the connection it opens, in ESTABLISHED; `null` when it is no cookie; or the listener, when it is one and
 *   there is no room
 */
export function cookieArrives(
  host: Host,
  listener: Listener,
  i: Interface,
  seg: Segment,
  addressing: ConnectionAddressing,
): Connection | Listener | null {
  const { now } = host;
  if (now > listener.cookiesUntil || (seg.flags & (SYN | RST | ACK)) !== ACK) return null;
  const mss = host.cookies.open(addressing, (seg.seq - 1) | 0, (seg.ack - 1) | 0, now);
  if (mss < 0) {
    host.counts.cookiesRefused++;
    return null;
  }
  if (listener.full) {
    host.drop('accept-queue-full', null);
    return listener;
  }
  host.counts.cookiesTaken++;
  seg.mss = mss;
  if (seg.hasTs) readStamp(seg.tsEcr, seg);
  const c = host.makePassive(listener, addressing, i);
  openByCookie(c, seg);
  return c;
}

/** Whether the ACK that would open a connection does not: its listener waits for text, or has no room. */
export function isHeldBack(host: Host, c: Connection, seg: Segment): boolean {
  if (!c.passive || c.early || (seg.flags & (SYN | RST | ACK)) !== ACK || seg.ack !== c.snd.nxt) return false;
  const listener = host.events.listenerOf(c);
  if (listener === null) return false;
  if (listener.deferral > c.retries && defers(c, seg, listener.deferral)) {
    host.drop('accept-deferred', c);
    return true;
  }
  if (!listener.full) return false;
  host.drop('accept-queue-full', c);
  if (host.profile.abortOnOverflow) c.abort();
  return true;
}

/**
 * Whether this is an ACK of the SYN,ACK and nothing else, which is not enough. The SYN,ACK is not repeated meanwhile, but
 * once at the end, so that the peer's answer opens the connection then (Linux).
 */
function defers(c: Connection, seg: Segment, deferral: number): boolean {
  if (seg.len > 0 || (seg.flags & FIN) !== 0 || seg.seq !== c.rcv.nxt) return false;
  c.awaitText(deferral);
  return true;
}
