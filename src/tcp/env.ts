// What a connection needs of the host that holds it: time, constants, memory, and somebody to tell.

import type { Profile } from '../base/profile.ts';
import type { ChunkPool } from '../base/receive-buffer.ts';
import type { Cause, State } from '../base/state.ts';
import type { DropReason, Tracer } from '../base/trace.ts';
import type { Connection } from './connection.ts';
import type { Plan } from './output.ts';
import type { SackBlocks } from './sack.ts';
import type { Delivery, SpareBoards } from './scoreboard.ts';
import type { TcpCounters } from './statistics.ts';
import type { Timers } from './timers.ts';
import type { SuperSegments } from './trains.ts';

/** What is known of paths from earlier connections (RFC 9040). */
export interface PathMetrics {
  /** Applies it to a connection that has just become open. */
  recall(connection: Connection): void;
}

/** The surroundings of a connection. The host implements it; tests may do with less. */
export interface TcpEnv {
  /** Name of the host, for traces. */
  readonly name: string;
  /** The latest time any input told, milliseconds, monotonic. */
  readonly now: number;
  readonly profile: Profile;
  readonly trace: Tracer | null;
  /** How writes and segments are planned where the profile has super-segments; `null` where each segment is on its own. */
  readonly superSegments: SuperSegments | null;
  /** Counts of all connections together. */
  readonly counts: TcpCounters;
  /** Memory of receive queues, shared by all connections of the host. */
  readonly chunks: ChunkPool;
  /** Scratch in which `whatToSend` describes a segment; one per host, because nothing re-enters. */
  readonly plan: Plan;
  /** Scratch in which an acknowledgement is summed up; one per host likewise. */
  readonly delivery: Delivery;
  /** Scratch for the SACK blocks of a segment. */
  readonly blocks: SackBlocks;
  /** Scoreboards that no connection uses now. */
  readonly boards: SpareBoards;
  /** Rows of deadlines that no connection uses now. */
  readonly timerRows: Timers[];
  /** Number of the packet in hand, for traces; 0 when it has none. */
  readonly packetId: number;
  /** The MTU of the path to the connection's peer, as far as it is known; else that of the interface. */
  pathMtu(connection: Connection): number;
  /** Applies what is known of the path's MTU to a connection whose MSS was just agreed on. */
  recallPathMtu(connection: Connection): void;
  /** A search has found that the path carries packets of `mtu` octets: for the connections that come after. */
  pathMtuFound(connection: Connection, mtu: number): void;
  /** So much was sent again that the way to the peer may be dead: IP is told (RFC 9293 §3.8.3, R1). */
  pathDoubtful(connection: Connection): void;
  /** The program has closed a connection that goes on for the peer's sake. */
  orphaned(connection: Connection): void;
  /** What earlier connections have learnt. */
  readonly metrics: PathMetrics;
  /** A keyed 32-bit offset for the timestamps of a connection (RFC 7323 §5.4: not the same on two). */
  timestampOffset(connection: Connection): number;
  /** A command of the program begins, perhaps long after the last input: the host may learn the time. */
  begin(): void;
  /** The connection may have output, or another earliest deadline, than before. */
  touch(connection: Connection): void;
  /** The connection has an event for the program. */
  announce(connection: Connection): void;
  /** The connection left `from` for the state it has now: tables, backlogs and counts may change. */
  moved(connection: Connection, from: State, cause: Cause): void;
  /** Whether the TIME-WAIT of a folded connection goes on; and to have that connection itself in it again. */
  stillWaits(connection: Connection): boolean;
  reclaim(connection: Connection): void;
  /** Sends <SEQ=seq><CTL=RST> to the connection's peer without touching the connection. */
  reset(connection: Connection, seq: number): void;
  /** Something that came in was not taken: counted and traced. */
  drop(reason: DropReason, connection: Connection | null): void;
}
