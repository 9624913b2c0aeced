// What few connections have: settings of a program other than the usual ones, and what seldom happens.

import type { NetErrorCode } from '../base/errors.ts';
import type { FastOpen } from './fast-open.ts';
import type { Liveness } from './liveness.ts';
import type { Pacer } from './pacing.ts';
import type { Usage } from './validation.ts';

/** A connection has one of its own once something in it is not as usual (`Connection.ownRare`), and `USUAL` before. */
export class Rare {
  /** Keep-alive and user timeout; made when the program asks for one. */
  liveness: Liveness | null = null;
  /** Fast open, where one of the two ends asked for it (RFC 7413). */
  fastOpen: FastOpen | null = null;
  /** The bucket of pacing; made when something is paced. */
  pacer: Pacer | null = null;
  /** How much of the congestion window is used, where the profile watches that (`growWhenHalfUsed`). */
  usage: Usage | null = null;
  /** A repeated segment to report in the next ACK (RFC 2883): `[dsackFrom, dsackTo)`, empty when equal. */
  dsackFrom = 0;
  dsackTo = 0;
  /** What `close` does with what is unsent: -1 sends it, 0 drops it and resets (SO_LINGER). */
  linger = -1;
  /** How long FIN-WAIT-2 may last once the program has closed, ms (TCP_LINGER2); -1 for the profile's. */
  finWaitTime = -1;
  /** Size of the send buffer that the program has set; -1 leaves it to the profile and the path. */
  sendFixed = -1;
  /** What it has grown to by itself, where the profile counts memory. */
  sendGrown = 0;
  /** Differentiated Services codepoint of what is sent. */
  diffserv = 0;
  /** When the last challenge ACK and the last answer to an unacceptable segment were sent. */
  lastChallenge: number = Number.NEGATIVE_INFINITY;
  lastRefusal: number = Number.NEGATIVE_INFINITY;
  /** A soft error, reported only if the connection then times out (RFC 9293 §3.9.2.2). */
  softError: NetErrorCode | null = null;
  /** What hinders the connection now, for the program to hear of. */
  trouble: NetErrorCode | null = null;
  /** Consecutive failures to resolve the next hop. */
  neighbourFailures = 0;
}

/** What all others share. Nothing is ever written into it. */
export const USUAL: Rare = new Rare();
