// The contract of congestion control: what loss recovery tells, and the window it gets back.
//
// Loss recovery (`tcp/recovery.ts`, `tcp/rack.ts`) finds out what was lost and moves `cwnd` while it repairs; a
// controller decides how the window grows in between and how far it falls. Octets and milliseconds throughout.

/** `ssthresh` before the first loss: "arbitrarily high" (RFC 5681 §3.1). */
export const NO_THRESHOLD = 0x3fffffff;

/** What a controller that goes by a model of the path is told besides. It moves the window itself, in recovery too. */
export interface PathModel {
  /** A segment that ends at `end` has left, for the first time or `again`; with it `inFlight` octets are in flight. */
  sent(end: number, octets: number, again: boolean, inFlight: number, now: number): void;
  /**
   * `octets` were delivered, by whatever kind of acknowledgement.
   *
   * @param sentAt when the segment left that was sent last among them, which ends at `end`; negative when none is known
   * @param inFlight octets in flight from now on
   */
  delivered(octets: number, sentAt: number, end: number, inFlight: number, una: number, now: number): void;
  /** The program has nothing more to send, with `inFlight` octets in flight. */
  starved(inFlight: number): void;
}

/** How much may be in flight. */
export interface CongestionController {
  /** Its name, for who looks inside, and for snapshots. */
  readonly name: string;
  /** Congestion window, octets (RFC 5681 §2). */
  cwnd: number;
  /** Slow start threshold, octets (RFC 5681 §2). */
  ssthresh: number;
  /** The rate at which segments are to leave, octets per ms; 0 where the window is all it knows. */
  readonly pacingRate: number;
  /** The controller itself, when it goes by a model of the path; `null` when it goes by losses. */
  readonly model: PathModel | null;
  /** The connection is open: initial window of `segments` segments of `mss` octets. */
  opened(mss: number, segments: number): void;
  /** Its segments have at most `mss` octets from now on; the window stays, in octets (RFC 4821 §7.6.1). */
  resized(mss: number): void;
  /** A round-trip time of `rtt` ms was measured, with SND.UNA and SND.NXT as they are. */
  sampled(rtt: number, una: number, nxt: number, now: number): void;
  /**
   * New data was acknowledged outside of recovery.
   *
   * @param acked octets newly acknowledged
   * @param limited the window, not the program, was what held sending back (RFC 7661)
   */
  acked(acked: number, limited: boolean, now: number): void;
  /** A loss ends the growth with `flightSize` in flight: sets `ssthresh`; recovery brings `cwnd` down to it. */
  reduce(flightSize: number, now: number): void;
  /** The retransmission timer fired; `first` when it is the first time for this data (RFC 5681 §3.1). */
  timedOut(flightSize: number, first: boolean, now: number): void;
  /** The last `reduce` or first `timedOut` was for nothing: as it was before, at least (RFC 4015, RFC 9438 §4.9). */
  undo(): void;
  /** Nothing was sent for longer than a retransmission timeout (RFC 5681 §4.1). */
  idle(segments: number): void;
  /** Sending begins with nothing in flight, `idle` ms after text was last sent: that time grew nothing. */
  resumed(idle: number, now: number): void;
}

/** A kind of congestion control: makes what governs one connection. `bbr` is one; a program may have its own. */
export type CongestionControl = () => CongestionController;
