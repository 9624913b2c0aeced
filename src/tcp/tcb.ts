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
import { Flags } from './flags.ts';
import type { Liveness } from './liveness.ts';
import type { Rack, Recovery } from './losses.ts';
import type { Pacer } from './pacing.ts';
import type { PathMtu } from './path-mtu.ts';
import type { Pieces } from './pieces.ts';
import { Rare, USUAL } from './rare.ts';
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
export class ControlBlock extends Flags {
  /** @internal */
  readonly env: TcpEnv;
  /** Number of the connection within its host, from 1; traces use it. */
  readonly id: number;
  readonly addressing: ConnectionAddressing;

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
  /** @internal Explicit congestion notification, where both ends can do it. */
  ecn: Ecn | null = null;
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

  /** @internal What few connections have. */
  rare: Rare = USUAL;

  /** @internal Consecutive retransmissions or probes without an answer. */
  retries = 0;
  /** @internal ACKs owed for segments out of order, to be sent without text. */
  acksOwed = 0;
  /** @internal Octets received since the last ACK. */
  ackPending = 0;
  /** @internal ACKs still to be sent without delay. */
  quickAcks = 0;
  /** @internal What was written, in the pieces in which it leaves; made when a profile or a program has use for them. */
  pieces: Pieces | null = null;
  /** @internal Octets of a super-segment that have not been sent yet. */
  trainLeft = 0;
  /** @internal What ends here is not held back by Nagle's algorithm or a cork. */
  releasedTo = 0;
  /** @internal Unsent octets below which there is room to write; -1 for no limit. */
  notSentLowWater: number;
  /** @internal Up to this sequence number congestion control was what stopped sending. */
  limitedSeq = 0;

  /** @internal Events not yet delivered. */
  events = 0;
  /** Why the connection failed, once it has. */
  error: NetError | null = null;

  /** @internal Handle of the host's timer wheel. */
  timerHandle = -1;
  /** @internal Where segments leave: the interface, and the next hop on an Ethernet link (int32). */
  interfaceIndex = -1;
  nextHop = 0;

  /** Octets the receive buffer may hold now. */
  receiveLimit: number;

  /** Octets the program has consumed; with `readable` it accounts for everything received in order. */
  delivered = 0;
  /** Octets the program has given to `send`. */
  written = 0;
  /** @internal Segments in and out, and what `info` tells beyond that; made with the first text. */
  segmentsIn = 0;
  segmentsOut = 0;
  statistics: Statistics | null = null;
  /** @internal When it began, when text in order and an acknowledgement last came: whole ms, int32 and so no boxes. */
  openedAt: number;
  textAt: number;
  ackAt: number;

  /** Segments sent again. */
  get retransmissions(): number {
    return this.statistics === null ? 0 : this.statistics.resent;
  }

  /** @internal When a segment with text was last sent, for the restart after idleness (RFC 5681 §4.1). */
  get lastDataSent(): number {
    return this.statistics === null ? Number.NEGATIVE_INFINITY : this.statistics.lastDataSent;
  }

  /** @internal When text last arrived, where the profile acknowledges some of it quickly. */
  get lastTextAt(): number {
    return this.statistics === null ? Number.NEGATIVE_INFINITY : this.statistics.lastTextAt;
  }

  /** @internal See `Rare`; likewise the next six. */
  get usage(): Usage | null {
    return this.rare.usage;
  }

  /** @internal */
  get liveness(): Liveness | null {
    return this.rare.liveness;
  }

  /** @internal */
  get fastOpen(): FastOpen | null {
    return this.rare.fastOpen;
  }

  /** @internal Whether the program has, or may have, a connection that is still in SYN-RECEIVED (RFC 7413 §4.2). */
  get early(): boolean {
    return this.rare.fastOpen !== null && this.rare.fastOpen.queue !== null;
  }

  /** @internal */
  get pacer(): Pacer | null {
    return this.rare.pacer;
  }

  /** @internal */
  get softError(): NetErrorCode | null {
    return this.rare.softError;
  }

  /** @internal */
  get diffserv(): number {
    return this.rare.diffserv;
  }

  /** @internal What few connections have, to write into. */
  ownRare(): Rare {
    if (this.rare === USUAL) this.rare = new Rare();
    return this.rare;
  }

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
    super();
    this.env = env;
    this.id = id;
    this.addressing = addressing;
    this.passive = passive;
    this.rtt = new RttEstimator(env.profile);
    this.cc = (env.profile.congestionControl ?? cubic)();
    if (env.profile.growWhenHalfUsed) this.ownRare().usage = new Usage();
    this.noDelay = !env.profile.nagle;
    this.notSentLowWater = env.profile.notSentLowWater;
    this.snd.mss = addressing.localMss;
    this.receiveLimit = env.profile.receiveBuffer;
    this.openedAt = Math.floor(env.now) | 0;
    this.textAt = this.openedAt;
    this.ackAt = this.openedAt;
  }
}
