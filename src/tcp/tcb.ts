// What a connection remembers: the transmission control block of RFC 9293 §3.3.1, with all that later RFCs add to it.

import type { CongestionController } from '../base/congestion.ts';
import type { NetError, NetErrorCode } from '../base/errors.ts';
import type { ReceiveBuffer } from '../base/receive-buffer.ts';
import type { SendQueue } from '../base/send-queue.ts';
import type { Address } from '../wire/address.ts';
import { cubic } from './congestion/cubic.ts';
import type { Ecn } from './ecn.ts';
import type { TcpEnv } from './env.ts';
import type { FastOpen } from './fast-open.ts';
import type { Liveness } from './liveness.ts';
import type { Rack, Recovery } from './losses.ts';
import type { Pacer } from './pacing.ts';
import type { PathMtu } from './path-mtu.ts';
import type { Pieces } from './pieces.ts';
import { RttEstimator } from './rtt.ts';
import type { SackMemory } from './sack.ts';
import type { Scoreboard } from './scoreboard.ts';
import type { Statistics } from './statistics.ts';
import { NO_TIMERS, type Timers } from './timers.ts';
import { Usage } from './validation.ts';
import { ReceiveVariables, SendVariables } from './variables.ts';

/** The four-tuple of a connection, and where it leaves the host. */
export interface ConnectionAddressing {
  readonly local: Address;
  readonly localPort: number;
  readonly remote: Address;
  readonly remotePort: number;
  /** Partial checksum of the pseudo header without the length (RFC 9293 §3.1). */
  readonly pseudo: number;
  /** Largest segment payload the interface carries in one packet. */
  readonly localMss: number;
}

/**
 * The transmission control block (RFC 9293 §3.3.1): every field of a connection but its state and its handler, which only
 * `Connection` changes. All are there from the start with a value of their final kind, so that connections keep one shape.
 */
export class ControlBlock {
  /** @internal */
  readonly env: TcpEnv;
  /** Number of the connection within its host, from 1; traces use it. */
  readonly id: number;
  readonly addressing: ConnectionAddressing;
  /** The open was passive: this end listened (RFC 9293 §3.3.2). */
  readonly passive: boolean;

  /** @internal */
  readonly snd: SendVariables = new SendVariables();
  /** @internal */
  readonly rcv: ReceiveVariables = new ReceiveVariables();
  /** @internal */
  readonly rtt: RttEstimator;
  /** @internal */
  cc: CongestionController;
  /** @internal Segments in flight; lent by the host while there are any. */
  board: Scoreboard | null = null;
  /** @internal The bucket of pacing; made when something is paced. */
  pacer: Pacer | null = null;
  /** @internal Explicit congestion notification, where both ends can do it. */
  ecn: Ecn | null = null;
  /** @internal Fast open, where one of the two ends asked for it (RFC 7413). */
  fastOpen: FastOpen | null = null;
  /** @internal The search for the path MTU, where segments are smaller than they might be (RFC 4821). */
  mtu: PathMtu | null = null;
  /** @internal Which ranges out of order are news; made when there are any. */
  sackMemory: SackMemory | null = null;
  /** @internal Deadlines, and what is known of losses; lent by the host while any is armed. */
  timers: Timers = NO_TIMERS;
  /** @internal Octets written and not yet acknowledged; made at the first `send`. */
  sendQueue: SendQueue | null = null;
  /** @internal Octets received and not yet read; made at the first octet. */
  receiveBuffer: ReceiveBuffer | null = null;

  /** @internal Consecutive retransmissions or probes without an answer. */
  retries = 0;
  /** @internal Since when the peer has acknowledged nothing new of what is in flight. */
  silentSince = 0.5;
  /** @internal Keep-alive and user timeout; made when the program asks for one. */
  liveness: Liveness | null = null;
  /** @internal The program has closed: it reads no more, and nobody waits for the end. */
  orphan = false;
  /** @internal What `close` does with what is unsent: -1 sends it, 0 drops it and resets (SO_LINGER). */
  linger = -1;
  /** @internal Zero-window probes sent since the window was shut. */
  probes = 0;
  /** @internal Whether the SYN had to be sent again. */
  synResent = false;
  /** @internal ACKs owed for segments out of order, to be sent without text. */
  acksOwed = 0;
  /** @internal An ACK is owed at once; octets received since the last one sent. */
  ackNow = false;
  ackPending = 0;
  /** @internal A zero-window probe or a silly-window override is due. */
  probeDue = false;
  overrideDue = false;
  /** @internal A tail loss probe is due. */
  tailProbeDue = false;
  /** @internal A RST is to be sent before the connection is forgotten, with this sequence number. */
  resetDue = false;
  /** @internal When text last arrived, ACKs still to be sent without delay, and whether we answer data with data. */
  lastTextAt: number = Number.NEGATIVE_INFINITY;
  quickAcks = 0;
  dialogue = false;
  /** @internal End of the last small segment sent (Minshall). */
  smallEnd = 0;
  /** @internal What was written, in the pieces in which it leaves; made when a profile or a program has use for them. */
  pieces: Pieces | null = null;
  /** @internal Octets of a super-segment that have not been sent yet, whether PSH ends it, and whether a write does. */
  trainLeft = 0;
  trainPush = false;
  trainWritten = false;
  /** @internal Lost segments sent again in a row, and where the last of them ended. */
  againRun = 0;
  againEnd = 0;
  /** @internal More is to be written at once: a small segment waits for it, or for the next thing that happens. */
  moreFollows = false;
  /** @internal What ends here is not held back by Nagle's algorithm or a cork. */
  releasedTo = 0;
  /** @internal Size of the send buffer that the program has set; -1 leaves it to the profile and the path. */
  sendFixed = -1;
  /** @internal What it has grown to by itself. */
  sendGrown = 0;
  /** @internal Unsent octets below which there is room to write; -1 for no limit. */
  notSentLowWater: number;
  /** @internal Congestion control was what stopped sending, up to this sequence number; and what a profile watches besides. */
  limited = false;
  limitedSeq = 0;
  readonly usage: Usage | null;
  /** How long FIN-WAIT-2 may last once the program has closed, ms (TCP_LINGER2); the profile's at first. */
  finWaitTime: number;
  /** @internal Small segments are held back until `setCork(false)`, or for an RTO. */
  corked = false;
  /** @internal Nagle's algorithm is off. */
  noDelay: boolean;
  /** @internal When the last challenge ACK and the last answer to an unacceptable segment were sent. */
  lastChallenge: number = Number.NEGATIVE_INFINITY;
  lastRefusal: number = Number.NEGATIVE_INFINITY;
  /** @internal When a segment with text was last sent, for the restart after idleness (RFC 5681 §4.1). */
  lastDataSent: number = Number.NEGATIVE_INFINITY;
  /** @internal Consecutive failures to resolve the next hop. */
  neighbourFailures = 0;

  /** @internal Events not yet delivered. */
  events = 0;
  /** @internal */
  wantsWritable = false;
  /** @internal The program was told, or will be, that it is over. */
  closeAnnounced = false;
  /** Why the connection failed, once it has; what a soft ICMP error said before that. */
  error: NetError | null = null;
  /** @internal A soft error, reported only if the connection then times out (RFC 9293 §3.9.2.2). */
  softError: NetErrorCode | null = null;

  /** @internal What hinders the connection now, for the program to hear of. */
  trouble: NetErrorCode | null = null;
  /** @internal Differentiated Services codepoint of what is sent. */
  diffserv = 0;

  /** @internal Host bookkeeping: timer handle, queue membership, listener, interface. */
  timerHandle = -1;
  /** @internal Where segments leave: the interface, and the next hop on an Ethernet link (int32). */
  interfaceIndex = -1;
  nextHop = 0;
  /** @internal */
  inReady = false;
  /** @internal */
  inDirty = false;
  /** @internal It is in TIME-WAIT, and the host keeps a record instead of this object. */
  folded = false;
  /** @internal It waits aside for its next hop to be resolved. */
  inWaiting = false;
  /** @internal */
  inEvents = false;
  /** @internal */
  accepted = false;

  /** Octets the receive buffer may hold now; what the program had taken at the last measurement, and when that was. */
  receiveLimit: number;
  /** @internal The program has set that size: it does not grow by itself any more. */
  receiveFixed = false;
  deliveredThen = 0;
  measuredAt: number = Number.NEGATIVE_INFINITY;

  /** Octets the program has consumed; with `readable` it accounts for everything received in order. */
  delivered = 0;
  /** Octets the program has given to `send`. */
  written = 0;
  /** Segments sent again. */
  retransmissions = 0;
  /** @internal Segments in and out, and what `info` tells beyond that; made with the first text. */
  segmentsIn = 0;
  segmentsOut = 0;
  statistics: Statistics | null = null;
  /** @internal When it began, when text in order and an acknowledgement last came: whole ms, int32 and so no boxes. */
  openedAt: number;
  textAt: number;
  ackAt: number;

  /** @internal What is known of losses, which nothing is written into before `Connection.arm`. */
  get recovery(): Recovery {
    return this.timers.recovery;
  }

  /** @internal Likewise. */
  get rack(): Rack {
    return this.timers.rack;
  }

  /** @internal */
  constructor(env: TcpEnv, id: number, addressing: ConnectionAddressing, passive: boolean) {
    this.env = env;
    this.id = id;
    this.addressing = addressing;
    this.passive = passive;
    this.rtt = new RttEstimator(env.profile);
    this.cc = (env.profile.congestionControl ?? cubic)();
    this.usage = env.profile.growWhenHalfUsed ? new Usage() : null;
    this.noDelay = !env.profile.nagle;
    this.notSentLowWater = env.profile.notSentLowWater;
    this.snd.mss = addressing.localMss;
    this.receiveLimit = env.profile.receiveBuffer;
    this.finWaitTime = env.profile.finWait2;
    this.openedAt = Math.floor(env.now) | 0;
    this.textAt = this.openedAt;
    this.ackAt = this.openedAt;
  }
}
