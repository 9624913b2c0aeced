// The names that assertions may use: fields of TCP_INFO, and a few constants of Linux.

import { view } from '../frames.ts';

type Reader = (v: DataView) => number;

const u8 =
  (at: number): Reader =>
  (v) =>
    v.getUint8(at);
const u32 =
  (at: number): Reader =>
  (v) =>
    v.getUint32(at, true);
const u64 =
  (at: number): Reader =>
  (v) =>
    Number(v.getBigUint64(at, true));

/** Fields of `struct tcp_info`, without their prefix `tcpi_`. */
const FIELDS: Readonly<Record<string, Reader>> = {
  state: u8(0),
  ca_state: u8(1),
  retransmits: u8(2),
  probes: u8(3),
  backoff: u8(4),
  options: u8(5),
  snd_wscale: (v) => v.getUint8(6) & 15,
  rcv_wscale: (v) => v.getUint8(6) >> 4,
  rto: u32(8),
  ato: u32(12),
  snd_mss: u32(16),
  rcv_mss: u32(20),
  unacked: u32(24),
  sacked: u32(28),
  lost: u32(32),
  retrans: u32(36),
  fackets: u32(40),
  last_data_sent: u32(44),
  last_ack_sent: u32(48),
  last_data_recv: u32(52),
  last_ack_recv: u32(56),
  pmtu: u32(60),
  rcv_ssthresh: u32(64),
  rtt: u32(68),
  rttvar: u32(72),
  snd_ssthresh: u32(76),
  snd_cwnd: u32(80),
  advmss: u32(84),
  reordering: u32(88),
  rcv_rtt: u32(92),
  rcv_space: u32(96),
  total_retrans: u32(100),
  pacing_rate: u64(104),
  max_pacing_rate: u64(112),
  bytes_acked: u64(120),
  bytes_received: u64(128),
  segs_out: u32(136),
  segs_in: u32(140),
  notsent_bytes: u32(144),
  min_rtt: u32(148),
  data_segs_in: u32(152),
  data_segs_out: u32(156),
  delivery_rate: u64(160),
  busy_time: u64(168),
  rwnd_limited: u64(176),
  sndbuf_limited: u64(184),
  delivered: u32(192),
  delivered_ce: u32(196),
  bytes_sent: u64(200),
  bytes_retrans: u64(208),
  dsack_dups: u32(216),
  reord_seen: u32(220),
  rcv_ooopack: u32(224),
  snd_wnd: u32(228),
  rcv_wnd: u32(232),
};

/** States and options of TCP_INFO by Linux's names. */
const CONSTANTS: Readonly<Record<string, number>> = {
  TCP_ESTABLISHED: 1,
  TCP_SYN_SENT: 2,
  TCP_SYN_RECV: 3,
  TCP_FIN_WAIT1: 4,
  TCP_FIN_WAIT2: 5,
  TCP_TIME_WAIT: 6,
  TCP_CLOSE: 7,
  TCP_CLOSE_WAIT: 8,
  TCP_LAST_ACK: 9,
  TCP_LISTEN: 10,
  TCP_CLOSING: 11,
  TCP_CA_Open: 0,
  TCP_CA_Disorder: 1,
  TCP_CA_CWR: 2,
  TCP_CA_Recovery: 3,
  TCP_CA_Loss: 4,
  TCPI_OPT_TIMESTAMPS: 1,
  TCPI_OPT_SACK: 2,
  TCPI_OPT_WSCALE: 4,
  TCPI_OPT_ECN: 8,
  TCPI_OPT_ECN_SEEN: 16,
  TCPI_OPT_SYN_DATA: 32,
  TCP_INFINITE_SSTHRESH: 0x7fffffff,
};

/** The value of a name of TCP_INFO, or `undefined`. A structure that is shorter reads as 0 where it ends. */
export function infoField(info: Uint8Array, name: string): number | undefined {
  if (Object.hasOwn(CONSTANTS, name)) return CONSTANTS[name];
  const short = name.startsWith('tcpi_') ? name.slice(5) : '';
  const read = Object.hasOwn(FIELDS, short) ? FIELDS[short] : undefined;
  if (read === undefined) return undefined;
  const whole = new Uint8Array(280);
  whole.set(info.subarray(0, 280));
  return read(view(whole));
}
