// TCP_INFO of a connection: 280 octets, with each field where Linux has it.

import type { State } from '../base/state.ts';
import type { Host } from '../host/index.ts';
import type { Connection } from '../sim/index.ts';
import { view } from './frames.ts';

/** Octets of the structure as the judge reads it. */
export const TCP_INFO_LENGTH = 280;

/** Linux's numbers for the states of RFC 9293 §3.3.2. */
const STATE_NUMBER: Readonly<Record<State, number>> = {
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
const INFINITE_SSTHRESH = 0x7fffffff;

/** What the agent measures of a connection beside the connection: milliseconds and counts. */
export class Watch {
  openedAt = 0;
  lastDataReceived = 0;
  lastAckReceived = 0;
  lastDataSent = 0;
  segmentsIn = 0;
  segmentsOut = 0;
  dataSegmentsIn = 0;
  dataSegmentsOut = 0;
  bytesSent = 0;
  outOfOrder = 0;
  /** Time with something queued, limited by the peer's window, limited by the send buffer. */
  busy = 0;
  windowLimited = 0;
  bufferLimited = 0;
  #kind = 0;
  #since = 0;

  /** Books the time since the last call, and remembers what kind of time begins: 0 idle, 1 busy, 2 window, 3 buffer. */
  account(kind: number, now: number): void {
    const spent = now - this.#since;
    this.#since = now;
    if (this.#kind > 0) this.busy += spent;
    if (this.#kind === 2) this.windowLimited += spent;
    if (this.#kind === 3) this.bufferLimited += spent;
    this.#kind = kind;
  }

  /** The same kind goes on; the sums are brought up to now. */
  catchUp(now: number): void {
    this.account(this.#kind, now);
  }
}

/** Fills a structure for a socket that has no connection: only its state says something. */
export function emptyTcpInfo(state: State): Uint8Array {
  const out = new Uint8Array(TCP_INFO_LENGTH);
  out[0] = STATE_NUMBER[state];
  return out;
}

/** Reads the structure from a connection. */
export function tcpInfo(host: Host, c: Connection, watch: Watch): Uint8Array {
  const out = emptyTcpInfo(c.state);
  const v = view(out);
  const { snd, rcv, rtt, cc, board } = c;
  const { now, profile } = host;
  const mss = Math.max(snd.mss, 1);
  const segments = (octets: number): number => Math.ceil(octets / mss);
  const since = (at: number): number => Math.max(Math.floor(now - at), 0);
  const put = (at: number, value: number): void => v.setUint32(at, Math.min(Math.max(value, 0), 0xffffffff), true);
  const putLong = (at: number, value: number): void => v.setBigUint64(at, BigInt(Math.max(Math.floor(value), 0)), true);
  watch.catchUp(now);
  v.setUint8(1, congestionState(c));
  v.setUint8(2, c.retries);
  v.setUint8(3, c.probes);
  v.setUint8(4, rtt.backoff);
  v.setUint8(5, (snd.tsOk ? 1 : 0) | (snd.sackOk ? 2 : 0) | (rcv.scale > 0 || snd.scale > 0 ? 4 : 0));
  v.setUint8(6, snd.scale | (rcv.scale << 4));
  put(8, Math.round(rtt.timeout(profile) * 1000));
  put(12, Math.round(profile.delayedAck * 1000));
  put(16, snd.mss);
  put(20, rcv.mss);
  const outstanding = Math.max(c.flightSize - (c.finSent && !c.finAcked ? 1 : 0), 0);
  put(24, board === null ? segments(outstanding) : board.count);
  put(28, board === null ? 0 : segments(board.sackedOctets));
  put(32, board === null ? 0 : segments(board.lostOctets));
  put(36, board === null ? 0 : segments(board.againOctets));
  put(44, since(watch.lastDataSent));
  put(52, since(watch.lastDataReceived));
  put(56, since(watch.lastAckReceived));
  put(60, host.interfaces[0]?.mtu ?? 1500);
  put(64, Math.min(profile.receiveBuffer, rcv.wnd));
  put(68, rtt.srtt < 0 ? 0 : Math.round(rtt.srtt * 1000));
  put(72, Math.round((rtt.srtt < 0 ? profile.rtoInitial / 4 : rtt.rttvar) * 1000));
  put(76, cc.ssthresh >= 0x3fff_ffff ? INFINITE_SSTHRESH : Math.floor(cc.ssthresh / mss));
  put(80, Math.max(Math.floor(cc.cwnd / mss), 1));
  put(84, c.addressing.localMss);
  put(88, profile.dupThresh);
  put(100, c.retransmissions);
  putLong(120, Math.max(snd.base - snd.iss - 1, 0));
  putLong(128, c.delivered + c.readable);
  put(136, watch.segmentsOut);
  put(140, watch.segmentsIn);
  put(144, c.unsent);
  put(148, rtt.least < 0 ? 0xffffffff : Math.round(rtt.least * 1000));
  put(152, watch.dataSegmentsIn);
  put(156, watch.dataSegmentsOut);
  putLong(168, watch.busy * 1000);
  putLong(176, watch.windowLimited * 1000);
  putLong(184, watch.bufferLimited * 1000);
  const deliveredOctets = Math.max(snd.base - snd.iss - 1, 0) + (board === null ? 0 : board.sackedOctets);
  put(192, segments(deliveredOctets) + (c.isSynchronised() ? 1 : 0));
  putLong(200, watch.bytesSent);
  putLong(208, Math.max(watch.bytesSent - Math.max(snd.nxt - snd.iss - 1, 0), 0));
  put(224, watch.outOfOrder);
  put(228, snd.wnd);
  put(232, rcv.wnd);
  return out;
}

/** Linux's congestion states: 0 open, 1 disorder, 2 window reduced, 3 recovery, 4 loss. */
function congestionState(c: Connection): number {
  const { recovery, board } = c;
  if (recovery.active) return 3;
  if (recovery.guarded) return 4;
  if (recovery.dupAcks > 0 || (board !== null && board.sackedOctets > 0)) return 1;
  return 0;
}
