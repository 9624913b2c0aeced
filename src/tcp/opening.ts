// Opening: active and passive, the options of a SYN, and the moment of ESTABLISHED (RFC 9293 §3.5, §3.10.1).

import type { Cause } from '../base/state.ts';
import { type Segment, TIMESTAMP_OCTETS } from '../wire/tcp.ts';
import { processAck } from './acks.ts';
import { type Connection, EVENT_OPEN } from './connection.ts';
import { ecnOfPeerSyn } from './ecn.ts';
import { startPathMtu } from './path-mtu.ts';
import { MAX_SCALE, scaleOf } from './window.ts';

/** OPEN, active: CLOSED to SYN-SENT (RFC 9293 §3.10.1). */
export function openActive(c: Connection, iss: number): void {
  setIss(c, iss);
  c.enter('SYN-SENT', 'active open');
  c.env.touch(c);
}

/** A SYN arrived for a listener: LISTEN to SYN-RECEIVED on a connection of its own (RFC 9293 §3.10.7.2). */
export function openPassive(c: Connection, seg: Segment, iss: number): void {
  setIss(c, iss);
  c.segmentsIn = 1;
  c.enter('LISTEN', 'passive open');
  takePeerSyn(c, seg);
  c.enter('SYN-RECEIVED', 'rcv SYN');
  c.env.touch(c);
}

/**
 * The ACK of a SYN cookie arrived: LISTEN to ESTABLISHED, since nothing was kept of the SYN (RFC 4987 §3.6).
 *
 * @param syn the segment in hand, with the options that the SYN had; its numbers are those of the ACK
 */
export function openByCookie(c: Connection, syn: Segment): void {
  const { snd, rcv, env } = c;
  setIss(c, (syn.ack - 1) | 0);
  c.segmentsIn = 1;
  c.segmentsOut = 1;
  c.enter('LISTEN', 'passive open');
  takePeerSyn(c, syn);
  rcv.irs = (syn.seq - 1) | 0;
  rcv.nxt = syn.seq;
  rcv.lastAckSent = rcv.nxt;
  rcv.adv = (rcv.adv - 1) | 0;
  snd.una = syn.ack;
  snd.nxt = syn.ack;
  if (env.trace !== null) env.trace({ type: 'iss', at: env.now, host: env.name, conn: c.id, iss: snd.iss });
  becomeEstablished(c, syn, 'rcv ACK of SYN');
}

function setIss(c: Connection, iss: number): void {
  const { snd } = c;
  snd.iss = iss;
  snd.una = iss;
  snd.nxt = iss;
  if (c.usage !== null) c.usage.seq = iss;
  c.releasedTo = iss;
  snd.tsOffset = c.env.timestampOffset(c);
  snd.base = (iss + 1) | 0;
}

/** IRS, the peer's MSS and window scale, from its SYN. Text on a SYN is left to be sent again, but for fast open. */
export function takePeerSyn(c: Connection, seg: Segment): void {
  const { snd, rcv, addressing } = c;
  const { profile } = c.env;
  rcv.irs = seg.seq;
  rcv.nxt = (seg.seq + 1) | 0;
  rcv.lastAckSent = rcv.nxt;
  const offered = Math.min(c.receiveLimit, 0xffff);
  rcv.adv = (rcv.nxt + offered) | 0;
  const fallback = addressing.local.family === 4 ? profile.defaultMss4 : profile.defaultMss6;
  let mss = seg.mss > 0 ? seg.mss : fallback;
  if (mss < profile.minMss) mss = profile.minMss;
  snd.mss = Math.min(mss, addressing.localMss);
  if (profile.receiveWholeSegments) c.receiveLimit = Math.ceil(c.receiveLimit / snd.mss) * snd.mss;
  rcv.mss = Math.min(addressing.localMss, fallback);
  if (seg.wscale >= 0 && profile.windowScaling) {
    // A shift above 14 is used as 14 (RFC 7323 §2.3).
    snd.scale = Math.min(seg.wscale, MAX_SCALE);
    rcv.scale = scaleOf(c);
  }
  ecnOfPeerSyn(c, seg);
  snd.sackOk = seg.sackPermitted && profile.sack;
  snd.tsOk = seg.hasTs && profile.timestamps;
  if (snd.tsOk) {
    rcv.tsRecent = seg.tsVal;
    rcv.tsRecentAt = Math.floor(c.env.now / 1000);
    // "MSS does not count options": a full segment has that much less text (RFC 9293 §3.7.1, RFC 6691).
    snd.mss -= TIMESTAMP_OCTETS;
  }
  startPathMtu(c);
  c.env.recallPathMtu(c);
  // "The Window field in a segment where the SYN bit is set MUST NOT be scaled" (RFC 7323 §2.2).
  snd.wnd = seg.wnd;
  snd.maxWnd = seg.wnd;
  snd.maxEdge = (snd.una + seg.wnd) | 0;
  snd.wl1 = seg.seq;
  snd.wl2 = seg.ack;
}

/** Our SYN is acknowledged: ESTABLISHED, on this end (RFC 9293 §3.10.7.3 and §3.10.7.4 fifth). */
export function becomeEstablished(c: Connection, seg: Segment, cause: Cause): void {
  const { profile } = c.env;
  if (c.synResent && c.rtt.rto < profile.rtoAfterSynLoss) c.rtt.rto = profile.rtoAfterSynLoss;
  c.rtt.backoff = 0;
  if (c.passive && !profile.timeSynAck && c.timers.timing.on) c.timers.timing.on = false;
  const { early } = c;
  if (!early) {
    c.cc.opened(c.snd.mss, profile.initialWindow);
    // RFC 6928 §2: a lost SYN or SYN,ACK leaves one segment.
    if (c.synResent) c.cc.idle(1);
  }
  const now = Math.floor(c.env.now) | 0;
  c.textAt = now;
  c.ackAt = now;
  c.enter('ESTABLISHED', cause);
  if (!early) c.announce(EVENT_OPEN);
  if (cause === 'rcv ACK of SYN') processAck(c, seg);
  // After the measurement that the handshake may have brought.
  c.env.metrics.recall(c);
  c.fastOpen?.sendAgain(c);
  c.closeOurs();
}
