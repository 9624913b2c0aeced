// What a host is made of, and what one of its connections is opened with.

import type { Profile } from '../base/profile.ts';
import type { Tracer } from '../base/trace.ts';
import type { Connection } from '../tcp/connection.ts';
import type { SuperSegments } from '../tcp/trains.ts';
import type { ethernet } from './ethernet.ts';
import type { fastOpen } from './fast-open.ts';

/** What a host is made of. */
export interface HostOptions {
  /** Shown in traces; `host` by default. */
  readonly name?: string;
  /** At least 16 octets of secret: sequence numbers, ports and hash tables come from it (RFC 6528). */
  readonly key: Uint8Array;
  /** Overlays the default profile. */
  readonly profile?: Partial<Profile>;
  readonly trace?: Tracer | null;
  /** Ethernet with ARP: `ethernet` of `synfin`. Without it, interfaces of that medium are a `StateError`. */
  readonly ethernet?: typeof ethernet;
  /** TCP fast open: `fastOpen` of `synfin`. Without it, to ask for it is a `StateError`. */
  readonly fastOpen?: typeof fastOpen;
  /** `superSegments` of `synfin`. A profile whose `superSegment` is not 0 needs it: without it, a `StateError`. */
  readonly superSegments?: SuperSegments;
}

/** What `Host.connect` needs to know. */
export interface ConnectOptions {
  /** The peer's address, in text. */
  readonly address: string;
  readonly port: number;
  /** One of ours; by default the one of the interface that the route names. */
  readonly localAddress?: string;
  /** By default an ephemeral port. */
  readonly localPort?: number;
  /** Receive buffer, octets (SO_RCVBUF): it does not grow, and the window scale is for it. By default the profile's. */
  readonly receiveBuffer?: number;
  /** Largest segment offered and sent (TCP_MAXSEG); by default the profile's. */
  readonly maxSegment?: number;
  /**
   * What is sent before the host's next turn rides on the SYN when the peer has given a cookie before, and a cookie is asked
   * for when it has not (RFC 7413). Such octets may reach the peer's program twice: they must bear repetition. By default
   * what bit 1 of the profile's `fastOpen` says. Needs a host that was given `fastOpen`.
   */
  readonly fastOpen?: boolean;
}

/** Throws a `RangeError` for sizes that are none. */
export function assertSizes({
  receiveBuffer = 1,
  maxSegment = 88,
}: {
  receiveBuffer?: number;
  maxSegment?: number;
}): void {
  if (!(receiveBuffer >= 1)) throw new RangeError(`a receive buffer of ${receiveBuffer} octets is none`);
  if (!(maxSegment >= 88 && maxSegment <= 0xffff)) throw new RangeError(`segments of ${maxSegment} octets are none`);
}

/** A connection that is not open yet gets a receive buffer of its own size; 0 leaves it to the profile. */
export function sizeReceiveBuffer(c: Connection, octets: number): void {
  if (octets <= 0) return;
  c.receiveLimit = octets;
  c.receiveFixed = true;
}
