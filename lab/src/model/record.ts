// What a run leaves behind: plain data, so that it travels out of the worker.

import type { Inspection, TraceEvent } from 'synfin';
import type { RunSpec } from './actions.ts';
import type { End, Fate } from './scenario.ts';

/** What a program did or was told. */
export interface ProgramEvent {
  readonly at: number;
  readonly end: End;
  readonly what:
    | 'listen'
    | 'connect'
    | 'open'
    | 'send'
    | 'read'
    | 'ended'
    | 'shutdown'
    | 'abort'
    | 'closed'
    | 'asks'
    | 'answers'
    | 'got';
  /** What was sent, read or asked for; the error of `closed`, empty when there was none. */
  readonly text: string;
  /** Number of trace events told before it: its place among them. */
  readonly order: number;
}

/** A packet as it left its sender. */
export interface PacketRecord {
  readonly id: number;
  readonly at: number;
  readonly from: End;
  readonly bytes: Uint8Array;
  /** What was done to it, by the scenario or by hand; empty for nothing. */
  readonly fate: Fate | '';
  /** When a hand did it, ms; -1 for none. */
  readonly touchedAt: number;
  /** Time the path took when it was sent, ms. */
  readonly delay: number;
  /** It was made by a hand (`true` for a flood's too): no host of ours sent it. */
  readonly forged: boolean;
  /** When its copies arrived, in order, and as what: damaged ones differ from `bytes`. */
  readonly arrivals: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

/** The inside of one end, from one event on until the next of these. */
export interface Inside {
  readonly end: End;
  readonly at: number;
  /** Number of trace events told before it. */
  readonly order: number;
  readonly view: Inspection;
}

/** An answer that a browser got; `status` 0 when there was none. */
export interface Answer {
  readonly target: string;
  readonly at: number;
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

/** Everything a run leaves behind. */
export interface RunRecord {
  readonly spec: RunSpec;
  readonly events: readonly TraceEvent[];
  readonly program: readonly ProgramEvent[];
  readonly packets: readonly PacketRecord[];
  readonly insides: readonly Inside[];
  /** The number of the connection at each end; -1 where there was none. What belongs to others is beside the tale. */
  readonly connections: Readonly<Record<End, number>>;
  readonly answers: readonly Answer[];
  /** Virtual time when nothing was left to happen, or when it was cut off, ms. */
  readonly end: number;
  readonly digest: string;
}
