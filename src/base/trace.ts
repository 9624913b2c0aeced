// What a stack tells of itself: one event type for ladders, narration, pcapng, the lab and captures read back.
//
// A host with no tracer builds none of these objects. Events are plain data (JSON-able), in the order in
// which things happened, with the host's own clock; whoever receives one may keep it.

import type { Cause, State } from './state.ts';

/** Why a packet, or a part of one, was not taken: counted per host and traced; never thrown. */
export type DropReason =
  // link and IP
  | 'frame-truncated'
  | 'not-for-us'
  | 'unknown-ethertype'
  | 'arp-malformed'
  | 'ip-truncated'
  | 'ip-bad-version'
  | 'ip-bad-header-length'
  | 'ip-bad-total-length'
  | 'ip-bad-checksum'
  | 'ip-bad-source'
  | 'ip-fragment'
  | 'ip-ttl-zero'
  | 'ip-extension-header'
  | 'ip-unknown-protocol'
  | 'icmp-truncated'
  | 'icmp-bad-checksum'
  | 'icmp-unknown-type'
  | 'icmp-unmatched'
  | 'udp-malformed'
  | 'udp-bad-checksum'
  | 'udp-no-port'
  | 'udp-queue-full'
  // TCP header
  | 'tcp-truncated'
  | 'tcp-bad-data-offset'
  | 'tcp-bad-checksum'
  | 'tcp-port-zero'
  | 'tcp-syn-fin'
  // TCP by RFC 9293 §3.10.7
  | 'tcp-no-connection'
  | 'tcp-listen-not-syn'
  | 'tcp-syn-sent-bad-ack'
  | 'tcp-out-of-window'
  | 'tcp-rst-not-exact'
  | 'tcp-syn-in-window'
  | 'tcp-no-ack'
  | 'tcp-ack-too-old'
  | 'tcp-ack-too-new'
  | 'tcp-no-timestamp'
  | 'tcp-old-timestamp'
  | 'tcp-time-wait-rst'
  | 'tcp-after-close'
  // limits
  | 'listen-backlog'
  | 'accept-queue-full'
  | 'accept-deferred'
  | 'reassembly-budget'
  | 'memory-budget'
  | 'reply-queue-full'
  | 'neighbour-unresolved'
  | 'link-refused'
  | 'link-down';

/** A segment sent or received by a host. */
export interface SegmentEvent {
  readonly type: 'segment';
  /** Milliseconds on the host's clock. */
  readonly at: number;
  readonly host: string;
  readonly dir: 'out' | 'in';
  /** Pairs the transmission with its arrivals (`TxMeta.id`, `RxMeta.id`); 0 when unknown. */
  readonly packet: number;
  /** Number of the connection within its host, from 1; 0 when the segment belongs to none. */
  readonly conn: number;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  /** Sequence number, int32 as the core keeps it; `>>> 0` for display. */
  readonly seq: number;
  /** Acknowledgement number, int32; meaningful when `flags` has ACK. */
  readonly ack: number;
  /** Header flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. */
  readonly flags: number;
  /** Payload octets. */
  readonly len: number;
  /** Window as on the wire, unscaled. */
  readonly wnd: number;
  /** State of this end once the segment was sent or processed. */
  readonly state: State;
  /** Out: at least one sequence number of it was sent before. In: nothing in it was new. */
  readonly again: boolean;
  /** Out: a zero-window or keep-alive probe. */
  readonly probe: boolean;
}

/** A connection moved along an edge. */
export interface StateEvent {
  readonly type: 'state';
  readonly at: number;
  readonly host: string;
  readonly conn: number;
  readonly from: State;
  readonly to: State;
  readonly cause: Cause;
}

/** A connection's numbers, told once both are known: ladders print offsets from them. */
export interface IssEvent {
  readonly type: 'iss';
  readonly at: number;
  readonly host: string;
  readonly conn: number;
  readonly iss: number;
}

/** Something that came in was not taken. */
export interface DropEvent {
  readonly type: 'drop';
  readonly at: number;
  readonly host: string;
  readonly packet: number;
  /** 0 when no connection is concerned. */
  readonly conn: number;
  readonly reason: DropReason;
}

/** A timer of a connection did its work. */
export interface TimerEvent {
  readonly type: 'timer';
  readonly at: number;
  readonly host: string;
  readonly conn: number;
  readonly timer: 'retransmit' | 'persist' | 'delayed-ack' | '2msl' | 'fin-wait-2' | 'keepalive' | 'user-timeout';
  /** Consecutive firings without progress, from 1. */
  readonly count: number;
}

/** 2MSL was started, or started again because the peer repeated its FIN. */
export interface TimeWaitEvent {
  readonly type: 'time-wait';
  readonly at: number;
  readonly host: string;
  readonly conn: number;
  readonly until: number;
  readonly again: boolean;
}

/** Congestion state after it changed. */
export interface CongestionEvent {
  readonly type: 'congestion';
  readonly at: number;
  readonly host: string;
  readonly conn: number;
  readonly why: 'ack' | 'ecn' | 'fast-retransmit' | 'partial-ack' | 'recovered' | 'undo' | 'rto' | 'idle';
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly flightSize: number;
  readonly srtt: number;
  readonly rto: number;
}

/** The largest segment of a connection has another size: a router said so, a path swallowed it, or a probe arrived. */
export interface PathMtuEvent {
  readonly type: 'path-mtu';
  readonly at: number;
  readonly host: string;
  readonly conn: number;
  /** Octets of text in a full segment from now on. */
  readonly mss: number;
  readonly why: 'told' | 'black-hole' | 'probe-passed';
}

/** What the path did to a packet; told by simulated links. */
export interface PathEvent {
  readonly type: 'path';
  readonly at: number;
  readonly link: string;
  readonly packet: number;
  readonly verdict: 'lost' | 'queue-full' | 'duplicated' | 'reordered' | 'corrupted' | 'delayed';
}

/** Anything a stack or a simulated path tells. */
export type TraceEvent =
  | SegmentEvent
  | StateEvent
  | IssEvent
  | DropEvent
  | TimerEvent
  | TimeWaitEvent
  | CongestionEvent
  | PathMtuEvent
  | PathEvent;

/** Receives events as they happen. Must not call back into the host. */
export type Tracer = (event: TraceEvent) => void;
