// What a connection measures of itself for `info`, and what all connections of a host count together.

/** What held a connection back, as Linux tells it apart: nothing to send, the path, the peer's window, our buffer. */
export type Busyness = 0 | 1 | 2 | 3;

/** Figures and measurements of one connection; made with its first text, since most idle ones have none. Milliseconds and counts. */
export class Statistics {
  /** Segments with text, in and out; octets of text sent, copies included. */
  dataSegmentsIn = 0;
  dataSegmentsOut = 0;
  bytesSent = 0;
  /** Of those, octets that had been sent before. */
  bytesResent = 0;
  /** Segments sent again, with text or not. */
  resent = 0;
  /** End of the last small segment sent (Minshall). */
  smallEnd = 0;
  /** Segments that were put aside because something before them was missing. */
  outOfOrder = 0;
  /** Reports of duplicates (RFC 2883). */
  duplicatesTold = 0;
  /** Retransmission timeouts. */
  timeouts = 0;
  /** Time with something queued or in flight; of it, limited by the peer's window, and by the send buffer. */
  busy = 0;
  windowLimited = 0;
  bufferLimited = 0;
  /** When a segment with text was last sent; when text last arrived, where the profile asks. */
  lastDataSent: number = Number.NEGATIVE_INFINITY;
  lastTextAt: number = Number.NEGATIVE_INFINITY;
  /** What the program had taken when the receive buffer was last measured by it, and when that was. */
  deliveredThen = 0;
  measuredAt: number = Number.NEGATIVE_INFINITY;
  /** Round-trip time as the receiver sees it, ms, -1 before the first; the number or echo that begins the next, and when. */
  receiverRtt = -1;
  rttMark = 0;
  rttAt = -1;
  #kind: Busyness = 0;
  #since = 0;

  /** Books the time since the last call as what it was, and remembers what kind of time begins. */
  account(kind: Busyness, now: number): void {
    const spent = now - this.#since;
    this.#since = now;
    if (this.#kind > 0) this.busy += spent;
    if (this.#kind === 2) this.windowLimited += spent;
    if (this.#kind === 3) this.bufferLimited += spent;
    this.#kind = kind;
  }

  /** The kind of time that goes on. */
  get kind(): Busyness {
    return this.#kind;
  }
}

/** Counts of all connections of a host; they only grow. */
export class TcpCounters {
  /** Segments sent again, whatever for. */
  retransmitted = 0;
  /** Of those, in fast recovery, and after a timeout. */
  retransmittedFast = 0;
  retransmittedAfterTimeout = 0;
  /** Firings of the retransmission timer, of SYNs too; tail loss probes. */
  timeouts = 0;
  lossProbes = 0;
  /** Timeouts that F-RTO showed to be for nothing (RFC 5682). */
  spuriousTimeouts = 0;
  /** Probes of the path MTU that arrived, and that were lost with nothing else. */
  mtuProbesPassed = 0;
  mtuProbesFailed = 0;
  /** Fast recoveries begun, with SACK and without. */
  sackRecoveries = 0;
  renoRecoveries = 0;
  /** ACKs that the timer of delayed ACKs sent. */
  delayedAcks = 0;
  /** SYN cookies sent, those that came back, and ACKs that were none. */
  cookiesSent = 0;
  cookiesTaken = 0;
  cookiesRefused = 0;
  /** Segments put aside because something before them was missing. */
  outOfOrder = 0;
  /** Reports of duplicates that came (RFC 2883). */
  duplicatesTold = 0;
  /** Challenge ACKs sent (RFC 5961), and of those, for a SYN. */
  challenges = 0;
  synChallenges = 0;
  /** Resets with which connections ended on our side. */
  resets = 0;
  /** TIME-WAITs that were cut short to keep within the most there may be. */
  timeWaitsCut = 0;
  /** Times that memory was short when text came, and that what was out of order had to go. */
  prunes = 0;
  prunedAside = 0;
  keepAliveProbes = 0;
  windowProbes = 0;
  /** Connections given up because nobody answered; closed with octets that nobody had read; closed to lose the rest. */
  abortedOnTimeout = 0;
  abortedOnData = 0;
  abortedOnLinger = 0;
  /** Closed connections that were reset before their end, because there were too many of them. */
  abortedOnMemory = 0;
}
