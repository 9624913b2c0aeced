// What a connection tells of itself: the fields of Linux's TCP_INFO, by their names and in their units.

import type { State } from '../base/state.ts';
import type { Connection } from './connection.ts';
import { reorderingDegree } from './rack.ts';
import type { Busyness } from './statistics.ts';

/**
 * The state of a connection as `getsockopt(TCP_INFO)` of Linux tells it.
 *
 * Times are microseconds, but for `tcpi_last_*`, which are milliseconds since then; windows that Linux counts in segments
 * are in segments of `tcpi_snd_mss` here too. What Linux counts segment by segment and this stack octet by octet
 * (`tcpi_delivered`) is octets divided by `tcpi_snd_mss`, rounded up. Fields of
 * the structure that are absent here are not known to this stack.
 */
export interface TcpInfo {
  /** Linux's number of the state: ESTABLISHED 1, SYN-SENT 2, SYN-RECEIVED 3, FIN-WAIT-1 4, ... CLOSING 11. */
  readonly tcpi_state: number;
  /** 0 open, 1 disorder, 3 recovery, 4 loss. 2, "window reduced", is for ECN. */
  readonly tcpi_ca_state: number;
  /** Retransmissions, or probes, without an answer. */
  readonly tcpi_retransmits: number;
  /** Zero-window probes without an opened window. */
  readonly tcpi_probes: number;
  /** Doublings of the retransmission timeout in force. */
  readonly tcpi_backoff: number;
  /** Options agreed on: 1 timestamps, 2 SACK, 4 window scale. */
  readonly tcpi_options: number;
  readonly tcpi_snd_wscale: number;
  readonly tcpi_rcv_wscale: number;
  readonly tcpi_rto: number;
  /** Delay of a delayed ACK: one figure of the profile, where Linux adapts it. */
  readonly tcpi_ato: number;
  readonly tcpi_snd_mss: number;
  readonly tcpi_rcv_mss: number;
  /** Segments in flight; of those, reported by SACK, lost, and sent again. */
  readonly tcpi_unacked: number;
  readonly tcpi_sacked: number;
  readonly tcpi_lost: number;
  readonly tcpi_retrans: number;
  readonly tcpi_last_data_sent: number;
  readonly tcpi_last_data_recv: number;
  readonly tcpi_last_ack_recv: number;
  /** Path MTU as far as it is known: the interface's, unless the path has told of less. */
  readonly tcpi_pmtu: number;
  /** The window offered at most, octets. */
  readonly tcpi_rcv_ssthresh: number;
  readonly tcpi_rtt: number;
  readonly tcpi_rttvar: number;
  /** Segments; 0x7fffffff while there is no threshold. */
  readonly tcpi_snd_ssthresh: number;
  readonly tcpi_snd_cwnd: number;
  readonly tcpi_advmss: number;
  readonly tcpi_reordering: number;
  /** Round-trip time as the receiver sees it; 0 before the first measurement. */
  readonly tcpi_rcv_rtt: number;
  /** Octets the receive buffer may hold now. */
  readonly tcpi_rcv_space: number;
  readonly tcpi_total_retrans: number;
  readonly tcpi_bytes_acked: number;
  readonly tcpi_bytes_received: number;
  readonly tcpi_segs_out: number;
  readonly tcpi_segs_in: number;
  readonly tcpi_notsent_bytes: number;
  /** Least round-trip time; 0xffffffff before the first measurement. */
  readonly tcpi_min_rtt: number;
  readonly tcpi_data_segs_in: number;
  readonly tcpi_data_segs_out: number;
  /** Time with something to send; of it, limited by the peer's window, and by the send buffer. */
  readonly tcpi_busy_time: number;
  readonly tcpi_rwnd_limited: number;
  readonly tcpi_sndbuf_limited: number;
  readonly tcpi_delivered: number;
  /** Octets of text sent, copies included, and the copies alone. */
  readonly tcpi_bytes_sent: number;
  readonly tcpi_bytes_retrans: number;
  readonly tcpi_dsack_dups: number;
  /** How often the path was seen to reorder. */
  readonly tcpi_reord_seen: number;
  readonly tcpi_rcv_ooopack: number;
  readonly tcpi_snd_wnd: number;
  readonly tcpi_rcv_wnd: number;
  /** Firings of the retransmission timer since the connection was open. */
  readonly tcpi_total_rto: number;
}

/** Linux's numbers for the states of RFC 9293 §3.3.2. */
export const STATE_NUMBER: Readonly<Record<State, number>> = {
  ESTABLISHED: 1,
  'SYN-SENT': 2,
  'SYN-RECEIVED': 3,
  'FIN-WAIT-1': 4,
  'FIN-WAIT-2': 5,
  'TIME-WAIT': 6,
  CLOSED: 7,
  'CLOSE-WAIT': 8,
  'LAST-ACK': 9,
  LISTEN: 10,
  CLOSING: 11,
};

/** Linux's name for "no threshold yet", in segments. */
const INFINITE_SSTHRESH = 0x7fff_ffff;
/** Thresholds from here on were never set by a loss. */
const UNSET_SSTHRESH = 0x3fff_ffff;
const UNKNOWN = 0xffff_ffff;

/** Reads a connection. Changes nothing but the sums of times, which are brought up to now. */
export function tcpInfo(c: Connection): TcpInfo {
  const { snd, rcv, rtt, cc, board, statistics: s, env } = c;
  const { now, profile } = env;
  s?.account(s.kind, now);
  const mss = Math.max(snd.mss, 1);
  const segments = (octets: number): number => Math.ceil(octets / mss);
  const micros = (ms: number): number => Math.round(ms * 1000);
  const since = (at: number): number => Math.max(Math.floor(now) - at, 0) | 0;
  const acked = c.written - c.queued;
  const opened = c.openedAt;
  const outstanding = Math.max(c.flightSize - (c.finSent && !c.finAcked ? 1 : 0), 0);
  const delivered = segments(acked + (board === null ? 0 : board.sackedOctets));
  return {
    tcpi_state: STATE_NUMBER[c.state],
    tcpi_ca_state: congestionState(c),
    tcpi_retransmits: c.retries,
    tcpi_probes: c.timers.probes,
    tcpi_backoff: rtt.backoff,
    tcpi_options:
      (snd.tsOk ? 1 : 0) | (snd.sackOk ? 2 : 0) | (rcv.scale > 0 || snd.scale > 0 ? 4 : 0) | ecnOptions(c) | synData(c),
    tcpi_snd_wscale: snd.scale,
    tcpi_rcv_wscale: rcv.scale,
    tcpi_rto: micros(rtt.timeout(profile)),
    tcpi_ato: micros(profile.delayedAck),
    tcpi_snd_mss: snd.mss,
    tcpi_rcv_mss: rcv.mss,
    tcpi_unacked: board === null ? segments(outstanding) : board.count,
    tcpi_sacked: board === null ? 0 : board.sackedCount,
    tcpi_lost: board === null ? 0 : board.lostCount,
    tcpi_retrans: board === null ? 0 : board.againCount,
    tcpi_last_data_sent: c.lastDataSent < 0 ? since(opened) : since(Math.floor(c.lastDataSent)),
    tcpi_last_data_recv: since(c.textAt),
    tcpi_last_ack_recv: since(c.ackAt),
    tcpi_pmtu: env.pathMtu(c),
    tcpi_rcv_ssthresh: Math.min(c.receiveLimit, Math.max(rcv.wnd, 0)),
    tcpi_rtt: rtt.srtt < 0 ? 0 : micros(rtt.srtt),
    tcpi_rttvar: micros(rtt.srtt < 0 ? profile.rtoInitial / 4 : rtt.rttvar),
    tcpi_snd_ssthresh: cc.ssthresh >= UNSET_SSTHRESH ? INFINITE_SSTHRESH : Math.floor(cc.ssthresh / mss),
    tcpi_snd_cwnd: Math.max(Math.floor(cc.cwnd / mss), 1),
    tcpi_advmss: c.addressing.localMss,
    tcpi_reordering: reorderingDegree(c),
    tcpi_rcv_rtt: s === null || s.receiverRtt < 0 ? 0 : micros(s.receiverRtt),
    tcpi_rcv_space: c.receiveLimit,
    tcpi_total_retrans: c.retransmissions,
    tcpi_bytes_acked: acked,
    tcpi_bytes_received: c.delivered + c.readable,
    tcpi_segs_out: c.segmentsOut,
    tcpi_segs_in: c.segmentsIn,
    tcpi_notsent_bytes: c.unsent,
    tcpi_min_rtt: rtt.least < 0 ? UNKNOWN : micros(rtt.least),
    tcpi_data_segs_in: s === null ? 0 : s.dataSegmentsIn,
    tcpi_data_segs_out: s === null ? 0 : s.dataSegmentsOut,
    tcpi_busy_time: s === null ? 0 : micros(s.busy),
    tcpi_rwnd_limited: s === null ? 0 : micros(s.windowLimited),
    tcpi_sndbuf_limited: s === null ? 0 : micros(s.bufferLimited),
    tcpi_delivered: delivered + (c.isSynchronised() ? 1 : 0),
    tcpi_bytes_sent: s === null ? 0 : s.bytesSent,
    tcpi_bytes_retrans: s === null ? 0 : s.bytesResent,
    tcpi_dsack_dups: s === null ? 0 : s.duplicatesTold,
    tcpi_reord_seen: c.rack.reorderings,
    tcpi_rcv_ooopack: s === null ? 0 : s.outOfOrder,
    tcpi_snd_wnd: snd.wnd,
    tcpi_rcv_wnd: Math.max(rcv.wnd, 0),
    tcpi_total_rto: s === null ? 0 : s.timeouts,
  };
}

/** Linux's congestion states: 0 open, 1 disorder, 3 recovery, 4 loss. */
function congestionState(c: Connection): number {
  const { recovery, board } = c;
  if (recovery.active) return 3;
  if (recovery.guarded) return 4;
  if (recovery.dupAcks > 0 || (board !== null && board.sackedOctets > 0)) return 1;
  return 0;
}

/** What holds the connection back now; `congested` when it is the congestion window, which the peer's then does not. */
export function busyness(c: Connection, congested: boolean): Busyness {
  const { snd, unsent } = c;
  if (c.queued === 0 && (c.flightSize === 0 || !c.isSynchronised())) return 0;
  if (unsent > 0 && !congested && c.flightSize + Math.min(unsent, snd.mss) > snd.wnd) return 2;
  return c.wantsWritable && unsent === 0 ? 3 : 1;
}

/** Text on a SYN was taken (TCPI_OPT_SYN_DATA). */
function synData(c: Connection): number {
  return c.fastOpen?.taken === true ? 32 : 0;
}

/** TCPI_OPT_ECN, and TCPI_OPT_ECN_SEEN once a packet came marked. */
function ecnOptions(c: Connection): number {
  if (c.ecn === null) return 0;
  return c.ecn.marksIn > 0 ? 24 : 8;
}
