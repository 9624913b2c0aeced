// Whether the congestion window is evidence of anything: one that was not filled, or lay idle, has not been tested
// (RFC 5681 §4.1, RFC 2861, RFC 7661).

import { seqGe, seqLe } from '../base/seq.ts';
import type { Connection } from './connection.ts';

/** How much of the congestion window is used, where the profile asks for more than whether it is filled (`growWhenHalfUsed`). */
export class Usage {
  /** Most octets in flight in the window that ends at `seq`. */
  most = 0;
  seq = 0;
  /** Something new was sent since the last look. */
  sent = false;
  /** Most octets in flight since the window was last full or last taken back, and when that was. */
  used = 0;
  since = 0.5;
}

/** Nothing more can be sent now; `limited` when the congestion window is why. */
export function windowUsed(c: Connection, limited: boolean): void {
  const { usage, snd, cc, env } = c;
  if (usage === null) {
    if (limited) {
      c.limited = true;
      c.limitedSeq = snd.nxt;
    } else if (c.limited && seqLe(c.limitedSeq, snd.una)) {
      c.limited = false;
    }
    return;
  }
  if (!c.isSynchronised()) return;
  const full = limited || c.inFlight >= cc.cwnd;
  if (!usage.sent && !full) return;
  usage.sent = false;
  const flight = c.charged;
  if (full || seqGe(snd.una, usage.seq) || (!c.limited && flight > usage.most)) {
    c.limited = full;
    usage.most = flight;
    usage.seq = snd.nxt;
  }
  if (c.limited || (cc.cwnd < cc.ssthresh && cc.cwnd < 2 * usage.most)) {
    usage.used = 0;
    usage.since = env.now;
    return;
  }
  if (flight > usage.used) usage.used = flight;
  if (env.profile.idleRestart === 'halve' && env.now - usage.since >= c.rtt.rto) takeBack(c, usage);
}

/** The program has left a part of the window unused for an RTO: half of that part goes (RFC 2861 §2). */
function takeBack(c: Connection, usage: Usage): void {
  const { cc, snd, env } = c;
  const calm = !c.recovery.guarded && c.recovery.dupAcks === 0 && !c.wantsWritable;
  if (calm) {
    const used = Math.max(usage.used, env.profile.initialWindow * snd.mss);
    if (used < cc.cwnd) {
      rememberThreshold(c);
      cc.idle(Math.floor((cc.cwnd + used) / 2 / snd.mss));
    }
    usage.used = 0;
  }
  usage.since = env.now;
}

/** The window may be opened again up to three quarters of what it was by slow start (RFC 2861 §2). */
function rememberThreshold(c: Connection): void {
  const { cc } = c;
  if (!c.recovery.active) cc.ssthresh = Math.max(cc.ssthresh, Math.floor((cc.cwnd * 3) / 4));
}

/** Whether what `una` acknowledges was sent while the congestion window was full, or full enough to let it grow. */
export function wasLimited(c: Connection, una: number): boolean {
  const { usage, cc } = c;
  if (usage === null) return c.limited && seqLe(una, c.limitedSeq);
  return c.limited || (cc.cwnd < cc.ssthresh && cc.cwnd < 2 * usage.most);
}

/** Something is about to be sent after an idle time: the path may no longer carry the whole window (RFC 5681 §4.1). */
export function restartWhenIdle(c: Connection): void {
  const { env, rtt, cc, snd } = c;
  const { idleRestart, initialWindow } = env.profile;
  if (idleRestart === 'none' || c.flightSize > 0 || c.lastDataSent === Number.NEGATIVE_INFINITY) return;
  let idle = env.now - c.lastDataSent - rtt.rto;
  if (!(idle > 0)) return;
  let segments = Math.floor(cc.cwnd / snd.mss);
  if (idleRestart === 'halve') {
    rememberThreshold(c);
    // Once for each RTO; the size of the window bounds the steps.
    for (; idle > 0 && segments > initialWindow; idle -= rtt.rto) segments >>= 1;
    segments = Math.max(segments, initialWindow);
  } else {
    segments = initialWindow;
  }
  cc.idle(segments);
  if (c.usage === null) return;
  c.usage.since = env.now;
  c.usage.used = 0;
}
