// The profile: every constant and policy that stacks decide differently, in one record.
//
// `tcp/` and `host/` ask the record and never a name, so a behaviour is changed by overlaying fields.
// The defaults are the RFCs with the modern choices that Linux ships.

import type { CongestionControl } from './congestion.ts';

/**
 * Bits of `Profile.fastOpen`, by their numbers in Linux (net.ipv4.tcp_fastopen): connections ask for fast open, listeners
 * offer it, a connection sends text on its SYN without a cookie, and a listener takes it so.
 */
export const FAST_OPEN_CLIENT = 1;
export const FAST_OPEN_SERVER = 2;
export const FAST_OPEN_SEND_BARE = 4;
export const FAST_OPEN_TAKE_BARE = 0x200;

/** Constants and policies of a host. Times are milliseconds, sizes octets. */
export interface Profile {
  // --- retransmission (RFC 6298) ---
  /** RTO before the first measurement. RFC 6298 §2.1: 1 s. */
  readonly rtoInitial: number;
  /** RTO with which data starts when the SYN had to be sent again (RFC 6298 §5.7). */
  readonly rtoAfterSynLoss: number;
  /** Least RTO. RFC 6298 §2.4 says 1 s; Linux and gVisor use 200 ms, and so do we. */
  readonly rtoMin: number;
  /** Greatest RTO, and the cap of its back-off. RFC 6298 §2.5: at least 60 s. */
  readonly rtoMax: number;
  /** Least share of the variation in the RTO, beyond G: Linux adds at least 200 ms to SRTT; 0 for none. */
  readonly rtoVariationMin: number;
  /** Added to every timeout but that of the first SYN (FreeBSD: 200 ms of slop). */
  readonly rtoSlop: number;
  /** Every acknowledgement is a measurement, and the variation follows as in Linux; otherwise one segment at a time is. */
  readonly rttEveryAck: boolean;
  /** A passive opening times its SYN,ACK; a BSD has no measurement from it unless there are timestamps. */
  readonly timeSynAck: boolean;
  /**
   * What a connection leaves for the next one to the same address (RFC 9040): nothing; the round-trip time and the
   * reordering of the path (Linux); or the slow start threshold as well (Linux with tcp_no_ssthresh_metrics_save = 0).
   */
  readonly shareMetrics: 'none' | 'path' | 'all';
  /** Clock granularity G of RFC 6298 §2.3. */
  readonly clockGranularity: number;
  /** Retransmissions of a SYN before `ETIMEDOUT`. */
  readonly synRetries: number;
  /** Retransmission of a SYN from which on it carries the MSS alone, for peers that options confuse (BSD: 3); 0 for none. */
  readonly synBareFrom: number;
  /** Retransmissions of a SYN,ACK before the half-open connection is forgotten. */
  readonly synAckRetries: number;
  /** Time after which an active open that nobody answers is given up, whatever the retries; 0 for no limit (BSD: 75 s). */
  readonly openTimeout: number;
  /** Retransmissions after which the program hears of it (R1 of RFC 9293 §3.8.3, three at least; Linux tcp_retries1). */
  readonly troubleRetries: number;
  /** Retransmissions of data or FIN before `ETIMEDOUT` (R2 of RFC 9293 §3.8.3). */
  readonly dataRetries: number;
  /** How long data may stay unacknowledged before ETIMEDOUT, ms (RFC 9293 §3.8.3); 0 leaves it to the retries. */
  readonly userTimeout: number;
  /** Unanswered zero-window probes before `ETIMEDOUT`; answered ones never end a connection (§3.8.6.1). */
  readonly probeRetries: number;
  /**
   * F-RTO (RFC 5682): after a timeout new data goes out before more copies, so that what is acknowledged tells whether
   * the timeout was spurious. For connections without timestamps, whose echoes tell it at once (RFC 3522).
   */
  readonly frto: boolean;
  /** Cap of the zero-window probe interval. */
  readonly probeMax: number;

  // --- closing ---
  /** How long TIME-WAIT lasts, 2MSL as a whole. RFC 9293: 4 minutes; Linux: 60 s. */
  readonly timeWait: number;
  /** Most connections in TIME-WAIT; beyond them the oldest ends early (Linux: tcp_max_tw_buckets). */
  readonly timeWaitMax: number;
  /** How long FIN-WAIT-2 may last once the program has closed and nobody can read (RFC 9293 has no limit; Linux: 60 s). */
  readonly finWait2: number;
  /** Retransmissions for a connection that the program has closed (Linux tcp_orphan_retries: 8). */
  readonly orphanRetries: number;
  /**
   * Most connections that their programs have closed and that still send; beyond them the oldest is reset (Linux:
   * tcp_max_orphans, where it is the newest).
   */
  readonly orphanMax: number;
  /** Closing with unread octets resets, so that the peer knows that they were lost (RFC 9293 §3.6.1, RFC 2525 §2.17). */
  readonly resetOnUnread: boolean;
  /** A listener that closes resets half-open connections; Linux and the BSDs forget them without a word. */
  readonly resetHalfOpen: boolean;
  /** TIME-WAIT ignores RST (RFC 1337). RFC 9293 and Linux obey an exact one. */
  readonly timeWaitIgnoresRst: boolean;
  /** A RST is an error for the program in CLOSING and LAST-ACK too (Linux, BSD); to RFC 9293 nothing is lost there. */
  readonly lateResetTells: boolean;
  /** A RST anywhere in the window ends a connection (RFC 793; BSD insecure_rst); by default only an exact one (RFC 5961 §3). */
  readonly resetInWindow: boolean;
  /** A SYN in the window resets a connection (RFC 793; BSD insecure_syn); by default it is challenged (RFC 5961 §4). */
  readonly synInWindowResets: boolean;
  /** Which ICMP errors end an opening: all that say unreachable (Linux), those that say refused or expired (BSD), none. */
  readonly icmpEnds: 'unreachable' | 'refused' | 'none';
  /** Which segments for closed ports are answered by a RST: all (RFC 9293 §3.10.7.1), all but SYNs, none (BSD blackhole). */
  readonly closedPorts: 'reset' | 'reset-not-syn' | 'silent';
  /** A SYN with a FIN opens a connection like one without (BSD); by default it is dropped (Linux). */
  readonly synFinOpens: boolean;

  // --- acknowledging ---
  /** Longest delay of an ACK. RFC 9293 §3.8.6.3: under 500 ms; Linux: 40 ms. */
  readonly delayedAck: number;
  /** ACKs sent without delay when data begins to arrive, before a dialogue is seen (Linux: 16); 0 for none. */
  readonly quickAcks: number;
  /** The ACK of a FIN that ends received data may wait like any other (Linux); at once by default. */
  readonly delayFinAck: boolean;
  /** An ACK of what was never sent is answered by an ACK (RFC 9293 §3.10.7.4, fifth); Linux drops it in silence. */
  readonly answerUnsentAck: boolean;
  /** Full-sized segments that force an ACK (RFC 5681 §4.2: at least every second). */
  readonly ackEvery: number;
  /** The second segment forces an ACK whatever its size, and so does one larger than the MSS (BSD). */
  readonly ackOnSecond: boolean;
  /** Least time between challenge ACKs of one connection (RFC 5961 §7), and how many of them may come at once. */
  readonly challengeAckInterval: number;
  readonly challengeAcks: number;
  /** Least time between answers to segments that are not acceptable, per connection. */
  readonly outOfWindowAckInterval: number;

  // --- sending ---
  /** Hold back small segments while data is unacknowledged (RFC 9293 §3.7.4); `setNoDelay` per connection. */
  readonly nagle: boolean;
  /** Nagle holds a small segment only while another small one is unacknowledged (Minshall's variant; Linux). */
  readonly nagleMinshall: boolean;
  /** PSH ends every burst of several segments, not only what was written (Linux since 5.4). */
  readonly pushBursts: boolean;
  /**
   * Segments are planned in super-segments of at most so many octets, as for a link that cuts them itself, and writes
   * are taken in whole pieces of that size (Linux); 0 plans each segment on its own. Others than 0 need `superSegments`.
   */
  readonly superSegment: number;
  /** Segments that leave together at most where each is planned on its own, and no more than a millisecond of the rate. */
  readonly burstMost: number;
  /** Segments a super-segment or burst has at least (Linux tcp_min_tso_segs). */
  readonly superSegmentLeast: number;
  /** Half-life of the larger bursts of short paths: they halve with each 2^n microseconds of round trip (tcp_tso_rtt_log). */
  readonly superSegmentNear: number;
  /** A burst waits for more of the window while less than this part of it is free (Linux tcp_tso_win_divisor); 0 never waits. */
  readonly superSegmentDivisor: number;
  /** Octets of bookkeeping that a piece of the send queue takes from the send buffer, where there are super-segments. */
  readonly pieceOverhead: number;
  /** Unsent octets at which a program is told that it may write again (TCP_NOTSENT_LOWAT); -1 for no limit. */
  readonly notSentLowWater: number;
  /** What is in flight and what was delivered is counted in segments, small ones as whole ones (Linux), not in octets. */
  readonly countSegments: boolean;
  /**
   * After an RTO of idleness the congestion window goes back to the initial one (RFC 5681 §4.1), or is halved for each
   * RTO down to it, as is what a program leaves unused (RFC 2861; Linux tcp_slow_start_after_idle), or stays.
   */
  readonly idleRestart: 'reset' | 'halve' | 'none';
  /** Slow start goes on while more than half of the window was in use (Linux); RFC 7661 wants all of it. */
  readonly growWhenHalfUsed: boolean;
  /** Override timer of sender silly-window avoidance (RFC 9293 §3.8.6.2.1: 0.1 to 1 s); 0 for the RTO (Linux). */
  readonly sillyWindowOverride: number;
  /** Initial congestion window, segments (RFC 6928). */
  readonly initialWindow: number;
  /** Duplicate ACKs that start fast retransmit (RFC 5681 §3.2). */
  readonly dupThresh: number;
  /** Selective acknowledgements, both ways (RFC 2018), and with them RACK (RFC 8985). */
  readonly sack: boolean;
  /** What comes twice is reported (RFC 2883). */
  readonly dsack: boolean;
  /** Timestamps and protection against old duplicates (RFC 7323). */
  readonly timestamps: boolean;
  /** A segment without the timestamps that were agreed on is dropped (RFC 7323 §3.2); Linux takes it. */
  readonly timestampsRequired: boolean;
  /**
   * How SACK tells what is lost: by time (RACK, RFC 8985), by what has arrived above it (RFC 6675 §4), or as that
   * counting all below the highest that arrived (forward acknowledgement, Linux before 4.x) until the path reorders.
   */
  readonly lossDetection: 'rack' | 'sack' | 'fack';
  /**
   * With fewer than four segments in flight and nothing to send, fewer duplicates tell of a loss: at once (RFC 5827), or
   * after a quarter of a round trip (Linux before RACK).
   */
  readonly earlyRetransmit: 'none' | 'quick' | 'delayed';
  /** Least delay of a timer that detects losses, beyond what the algorithm says (Linux: 2 ms). */
  readonly reorderSlack: number;
  /** RACK's round-trip time is that of the segment delivered last by sequence number (Linux), or of the one sent last. */
  readonly rackRttOfLast: boolean;
  /** What a loss reduces: the data in flight (RFC 5681 equation 4), or the congestion window (Linux; RFC 9438 §4.6). */
  readonly reduceFrom: 'flight' | 'window';
  /** Rate reduction adds a segment below ssthresh while nothing more is lost (RFC 9937), or always (RFC 6937, SSRB). */
  readonly prrBound: 'safe-ack' | 'ssrb';
  /** Most segments by which a path is believed to reorder (Linux tcp_max_reordering). */
  readonly maxReordering: number;
  /** Tail loss probe (RFC 8985 §7). */
  readonly tailLossProbe: boolean;
  /** How long a peer may hold back an ACK (RFC 8985 §7.2 TLP.max_ack_delay). */
  readonly maxAckDelay: number;
  /** Limited transmit (RFC 3042). */
  readonly limitedTransmit: boolean;
  /** Congestion control, handed in: `bbr`, `newReno`, `integerCubic` or a program's own; `null` for CUBIC (RFC 9438). */
  readonly congestionControl: CongestionControl | null;

  /**
   * Explicit congestion notification (RFC 3168): never, when the peer asks for it, or asked for by us as well (Linux
   * tcp_ecn 0, 2, 1).
   */
  readonly ecn: 'off' | 'answer' | 'ask';

  // --- pacing ---
  /** Segments leave at a rate, and not in bursts. */
  readonly pacing: boolean;
  /** The rate in windows per round trip: below half of the slow start threshold, and above (Linux: 2 and 1.2). */
  readonly pacingSlowStart: number;
  readonly pacingAvoidance: number;
  /** Segments that may leave at once. */
  readonly pacingBurst: number;
  /** How late timers may be: what the rate brings in this time may leave at once as well. 0 for exact timers. */
  readonly timerSlack: number;

  // --- sizes ---
  /** Send buffer of a connection, at first and at most: it holds two congestion windows. */
  readonly sendBuffer: number;
  readonly sendBufferMax: number;
  /**
   * Receive buffer of a connection, at first and at most: it grows with what the program takes in a round trip. The
   * window never exceeds it, and neither do out-of-order data.
   */
  readonly receiveBuffer: number;
  readonly receiveBufferMax: number;
  /** The receive buffer is rounded up to whole segments once their size is known (BSD). */
  readonly receiveWholeSegments: boolean;
  /** Receive buffers grow by themselves (Linux tcp_moderate_rcvbuf). */
  readonly receiveAutotune: boolean;
  /**
   * Octets that all receive buffers of a host may take together (Linux: tcp_mem). From three quarters of it on windows do
   * not grow and nothing is put aside; beyond it what is out of order is dropped again, then what is new.
   */
  readonly receiveMemory: number;
  /** Out-of-order ranges kept per connection; more are not taken (and not acknowledged). */
  readonly reassemblyRanges: number;
  /** MSS assumed when the peer names none (RFC 9293 §3.7.1), IPv4 and IPv6. */
  readonly defaultMss4: number;
  readonly defaultMss6: number;
  /** Least MSS believed: a smaller offer is raised to this (CVE-2019-11479). */
  readonly minMss: number;
  /**
   * Whether the path MTU is searched for by segments that are larger than the others (RFC 4821): never; where a path swallows
   * what is large or a router has told of less than the first link carries; or by every connection, which then begins
   * with `mtuBase` (Linux tcp_mtu_probing 0, 1, 2).
   */
  readonly mtuProbing: 'off' | 'black-hole' | 'always';
  /** Retransmissions of a full segment after which smaller ones are tried (RFC 4821 §7.7). */
  readonly blackHoleRetries: number;
  /** Octets of text in a segment with which a search begins (Linux tcp_base_mss), and below which it does not go. */
  readonly mtuBase: number;
  readonly mtuFloor: number;
  /** The search ends when it is known to fewer octets than these (Linux tcp_probe_threshold). */
  readonly mtuThreshold: number;
  /** Time after which a path is tried again for more than it carried (PMTU_RAISE_TIMER of RFC 8899; Linux tcp_probe_interval). */
  readonly mtuRaise: number;
  /** Probes of one size lost in a row, and nothing with them, that show it to be too large (MAX_PROBES of RFC 8899; Linux: 1). */
  readonly mtuTries: number;
  /** Largest MSS offered and used (TCP_MAXSEG); 0 for what the interface carries. */
  readonly maxSegment: number;
  /** Order of the options of a SYN: window scale before SACK and timestamps (BSD), or behind them (Linux). */
  readonly synScaleFirst: boolean;
  /** The window follows the buffer octet by octet, rounded down (BSD), and not in steps of a segment (§3.8.6.2.2). */
  readonly windowFollowsBuffer: boolean;
  /** Offer window scaling (RFC 7323 §2). */
  readonly windowScaling: boolean;

  // --- listening and identifying ---
  /** Open connections that wait for the program, and half-open ones, per listener, when `listen` names no number. */
  readonly backlog: number;
  /** Most that `listen` may ask for (Linux: somaxconn). */
  readonly backlogMax: number;
  /** Half-open connections per listener when there are no SYN cookies (Linux: tcp_max_syn_backlog). */
  readonly synBacklog: number;
  /** SYN cookies (RFC 4987 §3.6): when no more half-open connections fit, for every SYN, or never. */
  readonly synCookies: 'pressure' | 'always' | 'never';
  /** An opening that finds no room among those that wait is reset; otherwise its ACK is not heard, and the peer tries again. */
  readonly abortOnOverflow: boolean;
  /** TCP fast open (RFC 7413): bits `FAST_OPEN_CLIENT` and the others; 0, and so off, by default. */
  readonly fastOpen: number;
  /** How long text on a SYN is not tried again with a peer after one was not answered (RFC 7413 §4.1.3.1). */
  readonly fastOpenPause: number;
  /** Ephemeral ports, half open (RFC 6335: 49152-65535). */
  readonly ephemeralFrom: number;
  readonly ephemeralTo: number;
  /** Hop limit of packets sent. */
  readonly ttl: number;

  // --- neighbours ---
  /** Time between ARP requests, and their number before `EHOSTUNREACH`. */
  readonly arpInterval: number;
  readonly arpTries: number;
  /** How long a resolved neighbour is believed without confirmation. */
  readonly arpLifetime: number;
}

/** What a user gets. */
export const DEFAULT_PROFILE: Profile = {
  rtoInitial: 1000,
  rtoAfterSynLoss: 3000,
  rtoMin: 200,
  rtoMax: 120_000,
  rtoVariationMin: 0,
  rtoSlop: 0,
  rttEveryAck: false,
  timeSynAck: true,
  shareMetrics: 'path',
  clockGranularity: 1,
  synRetries: 6,
  synBareFrom: 0,
  synAckRetries: 5,
  openTimeout: 0,
  troubleRetries: 3,
  dataRetries: 15,
  userTimeout: 0,
  probeRetries: 15,
  frto: true,
  probeMax: 60_000,

  timeWait: 60_000,
  timeWaitMax: 262_144,
  finWait2: 60_000,
  orphanRetries: 8,
  orphanMax: 65_536,
  resetOnUnread: true,
  resetHalfOpen: true,
  timeWaitIgnoresRst: true,
  lateResetTells: false,
  resetInWindow: false,
  synInWindowResets: false,
  icmpEnds: 'unreachable',
  closedPorts: 'reset',
  synFinOpens: false,

  delayedAck: 40,
  quickAcks: 0,
  delayFinAck: false,
  answerUnsentAck: true,
  ackEvery: 2,
  ackOnSecond: false,
  challengeAckInterval: 500,
  challengeAcks: 1,
  outOfWindowAckInterval: 500,

  nagle: true,
  nagleMinshall: false,
  pushBursts: false,
  superSegment: 0,
  burstMost: 8,
  superSegmentLeast: 2,
  superSegmentNear: 9,
  superSegmentDivisor: 3,
  pieceOverhead: 0,
  notSentLowWater: -1,
  countSegments: false,
  idleRestart: 'reset',
  growWhenHalfUsed: false,
  sillyWindowOverride: 200,
  initialWindow: 10,
  dupThresh: 3,
  sack: true,
  dsack: true,
  timestamps: true,
  timestampsRequired: true,
  lossDetection: 'rack',
  earlyRetransmit: 'none',
  reorderSlack: 0,
  rackRttOfLast: false,
  reduceFrom: 'flight',
  prrBound: 'safe-ack',
  maxReordering: 300,
  tailLossProbe: true,
  maxAckDelay: 200,
  limitedTransmit: true,
  congestionControl: null,
  ecn: 'answer',

  pacing: false,
  pacingSlowStart: 2,
  pacingAvoidance: 1.2,
  pacingBurst: 8,
  timerSlack: 2,

  sendBuffer: 512 * 1024,
  sendBufferMax: 4 * 1024 * 1024,
  receiveBuffer: 512 * 1024,
  receiveBufferMax: 6 * 1024 * 1024,
  receiveWholeSegments: false,
  receiveAutotune: true,
  receiveMemory: 512 * 1024 * 1024,
  reassemblyRanges: 512,
  defaultMss4: 536,
  defaultMss6: 1220,
  minMss: 88,
  mtuProbing: 'black-hole',
  blackHoleRetries: 3,
  mtuBase: 1024,
  mtuFloor: 512,
  mtuThreshold: 8,
  mtuRaise: 600_000,
  mtuTries: 3,
  maxSegment: 0,
  synScaleFirst: false,
  windowFollowsBuffer: false,
  windowScaling: true,

  backlog: 511,
  backlogMax: 4096,
  synBacklog: 1024,
  synCookies: 'pressure',
  abortOnOverflow: false,
  fastOpen: 0,
  fastOpenPause: 3_600_000,
  ephemeralFrom: 49_152,
  ephemeralTo: 65_536,
  ttl: 64,

  arpInterval: 1000,
  arpTries: 3,
  arpLifetime: 60_000,
};
