// What a connection knows at this moment, as plain data: for panels, logs and tests that want to look inside.

import type { State } from '../base/state.ts';
import type { Connection } from './connection.ts';
import { OFF } from './timers.ts';

/** A timer of a connection that runs. */
export interface RunningTimer {
  readonly name:
    | 'retransmit'
    | 'reorder'
    | 'tail-probe'
    | 'persist'
    | 'delayed-ack'
    | 'keepalive'
    | 'fin-wait-2'
    | '2msl';
  /** When it goes off, milliseconds on the host's clock. */
  readonly at: number;
}

/**
 * The variables of a connection, by the names of RFC 9293 §3.3.1, RFC 5681 and RFC 6298. Sequence numbers are int32 as
 * the core keeps them (`>>> 0` for display), sizes octets, times milliseconds.
 */
export interface Inspection {
  readonly state: State;
  readonly iss: number;
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly sndWnd: number;
  /** Octets written and not acknowledged; those of them that were never sent. */
  readonly queued: number;
  readonly unsent: number;
  readonly mss: number;
  readonly irs: number;
  readonly rcvNxt: number;
  readonly rcvWnd: number;
  /** Octets the program can read, and the size of the buffer they are in. */
  readonly readable: number;
  readonly receiveLimit: number;
  /** Out-of-order data: octets `[from, to)` counted from RCV.NXT, ascending. */
  readonly outOfOrder: readonly (readonly [number, number])[];
  /** Timestamps were agreed on (RFC 7323), and the peer's that was taken last. */
  readonly timestamps: boolean;
  readonly tsRecent: number;
  readonly cwnd: number;
  /** `Infinity` before the first loss. */
  readonly ssthresh: number;
  readonly flightSize: number;
  /** -1 before the first measurement. */
  readonly srtt: number;
  readonly rttvar: number;
  /** The timeout as it would be armed now, back-off included, and the number of doublings in it. */
  readonly rto: number;
  readonly backoff: number;
  readonly recovering: boolean;
  readonly noDelay: boolean;
  readonly congestionControl: string;
  /** Segments sent again so far. */
  readonly retransmissions: number;
  /** Those that run, soonest first. */
  readonly timers: readonly RunningTimer[];
}

/** The congestion controllers' "arbitrarily high" (RFC 5681 §3.1): no threshold yet. */
const NO_THRESHOLD = 0x3fffffff;

function timersOf(c: Connection): RunningTimer[] {
  const t = c.timers;
  const all: RunningTimer[] = [
    { name: 'retransmit', at: t.retransmit },
    { name: 'reorder', at: t.reorder },
    { name: 'tail-probe', at: t.probe },
    { name: 'persist', at: t.persist },
    { name: 'delayed-ack', at: t.delayedAck },
    { name: 'keepalive', at: t.keepAlive },
    { name: 'fin-wait-2', at: t.finWait2 },
    { name: '2msl', at: t.timeWait },
  ];
  return all.filter((timer) => timer.at !== OFF).sort((a, b) => a.at - b.at);
}

/**
 * Reads a connection without changing it; what is returned stays as it is when the connection goes on.
 *
 * @example
 * const { sndUna, sndNxt, cwnd } = inspect(connection);
 */
export function inspect(c: Connection): Inspection {
  const { snd, rcv, rtt, cc, receiveBuffer } = c;
  const outOfOrder: [number, number][] = [];
  for (let i = 0; receiveBuffer !== null && i < receiveBuffer.ranges; i++) {
    outOfOrder.push([receiveBuffer.rangeFrom(i), receiveBuffer.rangeTo(i)]);
  }
  return {
    state: c.state,
    iss: snd.iss,
    sndUna: snd.una,
    sndNxt: snd.nxt,
    sndWnd: snd.wnd,
    queued: c.queued,
    unsent: c.unsent,
    mss: snd.mss,
    irs: rcv.irs,
    rcvNxt: rcv.nxt,
    rcvWnd: rcv.wnd,
    readable: c.readable,
    receiveLimit: c.receiveLimit,
    outOfOrder,
    timestamps: snd.tsOk,
    tsRecent: rcv.tsRecent,
    cwnd: cc.cwnd,
    ssthresh: cc.ssthresh >= NO_THRESHOLD ? Number.POSITIVE_INFINITY : cc.ssthresh,
    flightSize: c.flightSize,
    srtt: rtt.srtt,
    rttvar: rtt.rttvar,
    rto: rtt.timeout(c.env.profile),
    backoff: rtt.backoff,
    recovering: c.recovery.active,
    noDelay: c.noDelay,
    congestionControl: cc.name,
    retransmissions: c.retransmissions,
    timers: timersOf(c),
  };
}
