// TCP_INFO of a connection as the judge reads it: 280 octets, with each field where Linux has it.

import type { State } from '../base/state.ts';
import { STATE_NUMBER, type TcpInfo } from '../host/index.ts';
import { view } from './frames.ts';

/** Octets of the structure as the judge reads it. */
export const TCP_INFO_LENGTH = 280;

/** Offsets of the fields of 32 bits. */
const WORDS: readonly (readonly [number, keyof TcpInfo])[] = [
  [8, 'tcpi_rto'],
  [12, 'tcpi_ato'],
  [16, 'tcpi_snd_mss'],
  [20, 'tcpi_rcv_mss'],
  [24, 'tcpi_unacked'],
  [28, 'tcpi_sacked'],
  [32, 'tcpi_lost'],
  [36, 'tcpi_retrans'],
  [44, 'tcpi_last_data_sent'],
  [52, 'tcpi_last_data_recv'],
  [56, 'tcpi_last_ack_recv'],
  [60, 'tcpi_pmtu'],
  [64, 'tcpi_rcv_ssthresh'],
  [68, 'tcpi_rtt'],
  [72, 'tcpi_rttvar'],
  [76, 'tcpi_snd_ssthresh'],
  [80, 'tcpi_snd_cwnd'],
  [84, 'tcpi_advmss'],
  [88, 'tcpi_reordering'],
  [92, 'tcpi_rcv_rtt'],
  [96, 'tcpi_rcv_space'],
  [100, 'tcpi_total_retrans'],
  [136, 'tcpi_segs_out'],
  [140, 'tcpi_segs_in'],
  [144, 'tcpi_notsent_bytes'],
  [148, 'tcpi_min_rtt'],
  [152, 'tcpi_data_segs_in'],
  [156, 'tcpi_data_segs_out'],
  [192, 'tcpi_delivered'],
  [216, 'tcpi_dsack_dups'],
  [220, 'tcpi_reord_seen'],
  [224, 'tcpi_rcv_ooopack'],
  [228, 'tcpi_snd_wnd'],
  [232, 'tcpi_rcv_wnd'],
];

/** Offsets of the fields of 64 bits. */
const LONGS: readonly (readonly [number, keyof TcpInfo])[] = [
  [120, 'tcpi_bytes_acked'],
  [128, 'tcpi_bytes_received'],
  [168, 'tcpi_busy_time'],
  [176, 'tcpi_rwnd_limited'],
  [184, 'tcpi_sndbuf_limited'],
  [200, 'tcpi_bytes_sent'],
  [208, 'tcpi_bytes_retrans'],
];

/** Fills a structure for a socket that has no connection: only its state says something. */
export function emptyTcpInfo(state: State): Uint8Array {
  const out = new Uint8Array(TCP_INFO_LENGTH);
  out[0] = STATE_NUMBER[state];
  return out;
}

/** Writes what a connection tells into the structure. */
export function infoBytes(info: TcpInfo): Uint8Array {
  const out = new Uint8Array(TCP_INFO_LENGTH);
  const v = view(out);
  out[0] = info.tcpi_state;
  out[1] = info.tcpi_ca_state;
  out[2] = info.tcpi_retransmits;
  out[3] = info.tcpi_probes;
  out[4] = info.tcpi_backoff;
  out[5] = info.tcpi_options;
  out[6] = info.tcpi_snd_wscale | (info.tcpi_rcv_wscale << 4);
  v.setUint16(240, Math.min(info.tcpi_total_rto, 0xffff), true);
  for (const [at, name] of WORDS) v.setUint32(at, Math.min(info[name], 0xffff_ffff), true);
  for (const [at, name] of LONGS) v.setBigUint64(at, BigInt(Math.floor(info[name])), true);
  return out;
}
