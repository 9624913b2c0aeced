// What a network needs of a host: the part of `Host` by which an owner drives it.
//
// Written down apart so that anything that behaves like a host can be put on a simulated network: a
// scripted peer, a toy in a test, another stack.

import type { LinkCaps, Medium } from '../base/link.ts';
import type { RxMeta, TxMeta } from '../base/packet.ts';

/** What a host is told of an interface it gets. Addresses are text with a prefix length: `'10.0.0.1/24'`. */
export interface InterfaceSpec {
  readonly name: string;
  readonly medium: Medium;
  readonly mtu: number;
  readonly mac: Uint8Array | null;
  readonly caps: LinkCaps;
  readonly addresses: string[];
  readonly gateways: string[];
}

/** A host as its owner sees it (`docs/architecture.md` §3). `I` is its handle of an interface. */
export interface HostLike<I = unknown> {
  /** Tells the time before commands are given. */
  tick(now: number): void;
  /** Gives the host a way out. */
  addInterface(spec: InterfaceSpec): I;
  /** Takes a packet: `bytes[from, to)`, borrowed until the call returns. */
  receive(i: I, bytes: Uint8Array, from: number, to: number, meta: RxMeta, now: number): void;
  /** Writes the next packet for `i` at `out[at]` and returns its length, or 0. */
  transmit(i: I, out: Uint8Array, at: number, meta: TxMeta, now: number): number;
  /** When the host wants `timersFire`; `Infinity` for never. */
  nextDeadline(): number;
  /** Does what is due. */
  timersFire(now: number): void;
  /** Calls the handlers of queued events; true when it called any. */
  deliver(): boolean;
}
