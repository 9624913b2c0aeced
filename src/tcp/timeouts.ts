// What the timers of a connection do when they fire (RFC 9293 §3.10.8, RFC 6298 §5).
//
// Each fires at most once per call, however far the clock jumped; giving up counts attempts, never the time
// that passed, so a suspended machine wakes up with its connections alive.

import type { Connection } from './connection.ts';
import { awaitsText, keepAliveTimedOut, userTimeoutPassed, withinUserTimeout } from './liveness.ts';
import { probeInterval } from './output.ts';
import { suspectBlackHole } from './path-mtu.ts';
import { probeTimedOut, reorderingTimedOut } from './rack.ts';
import { retransmissionTimedOut } from './recovery.ts';
import { OFF, traceTimer } from './timers.ts';

/** Fires every timer of the connection that is due. Spurious calls do nothing. */
export function timersFire(c: Connection): void {
  const { timers, env } = c;
  const { now } = env;
  if (timers.timeWait <= now) {
    traceTimer(c, '2msl', 1);
    c.finish('2MSL timeout', null);
    return;
  }
  if (timers.delayedAck <= now) {
    timers.delayedAck = OFF;
    c.ackNow = true;
    env.counts.delayedAcks++;
    traceTimer(c, 'delayed-ack', 1);
  }
  if (timers.pace <= now) timers.pace = OFF;
  if (timers.reorder <= now) reorderingTimedOut(c, now);
  // Before the retransmission timer, which it moves: a probe may be due no later (RFC 8985 §7.2).
  if (timers.probe <= now) probeTimedOut(c, now);
  if (timers.keepAlive <= now) keepAliveTimedOut(c);
  if (timers.finWait2 <= now) {
    traceTimer(c, 'fin-wait-2', 1);
    c.finish('timeout', null);
    return;
  }
  if (timers.retransmit <= now) retransmit(c);
  if (timers.persist <= now) persist(c);
  env.touch(c);
}

/** RFC 6298 §5.4 to §5.7. */
function retransmit(c: Connection): void {
  const { timers, env, snd } = c;
  const { now, profile } = env;
  timers.retransmit = OFF;
  if (snd.una === snd.nxt) return;
  if (givesUp(c, c.retries >= retriesAllowed(c) || now >= openDeadline(c))) return;
  traceTimer(c, 'retransmit', c.retries + 1);
  env.counts.timeouts++;
  if (c.isSynchronised()) {
    c.count().timeouts++;
    // A window shut by the peer explains the silence about what it no longer takes: no congestion.
    if (snd.wnd === 0) c.board?.markLost(0);
    else retransmissionTimedOut(c, now);
  } else if (!awaitsText(c)) {
    c.synResent = true;
    c.fastOpen?.pause(c);
    c.board?.markLost(0);
  }
  timers.probe = OFF;
  c.rack.probing = false;
  c.retries++;
  if (c.retries === profile.troubleRetries) {
    c.report('ETIMEDOUT');
    env.pathDoubtful(c);
  }
  c.rtt.backoff++;
  c.arm().retransmit = withinUserTimeout(
    c,
    Math.min(now + c.rtt.timeout(profile), openDeadline(c)),
    c.timers.silentSince,
  );
  // A shut window explains the silence: nothing is known against the path then.
  if (profile.mtuProbing !== 'off' && c.retries >= profile.blackHoleRetries && snd.wnd > 0) suspectBlackHole(c);
}

/** Ends a connection that has been tried for long enough (`over`), or whose user timeout has passed; false otherwise. */
function givesUp(c: Connection, over: boolean): boolean {
  const late = userTimeoutPassed(c, c.timers.silentSince);
  if (late) traceTimer(c, 'user-timeout', 1);
  if (over || late) c.fail(c.softError ?? 'ETIMEDOUT', 'timeout');
  return over || late;
}

/** When an active open is given up; never in other states. */
function openDeadline(c: Connection): number {
  const { openTimeout } = c.env.profile;
  return c.state === 'SYN-SENT' && openTimeout > 0 ? c.timers.silentSince + openTimeout : OFF;
}

function retriesAllowed(c: Connection): number {
  const { profile } = c.env;
  const own = c.liveness === null ? -1 : c.liveness.synRetries;
  if (c.state === 'SYN-SENT') return own >= 0 ? own : profile.synRetries;
  if (c.state === 'SYN-RECEIVED') return profile.synAckRetries;
  return c.orphan ? Math.min(profile.orphanRetries, profile.dataRetries) : profile.dataRetries;
}

/** Data waits for the window: probe a shut one, or send a small segment into an open one. */
function persist(c: Connection): void {
  const { timers, env, snd } = c;
  timers.persist = OFF;
  if (snd.wnd !== 0) {
    c.overrideDue = true;
    return;
  }
  if (c.retries === 0) c.arm().silentSince = env.now;
  const allowed = c.orphan ? env.profile.orphanRetries : env.profile.probeRetries;
  if (givesUp(c, c.retries >= allowed)) return;
  c.retries++;
  traceTimer(c, 'persist', c.retries);
  env.counts.windowProbes++;
  c.probeDue = true;
  timers.probes++;
  c.arm().persist = withinUserTimeout(c, env.now + probeInterval(c), c.timers.silentSince);
}
