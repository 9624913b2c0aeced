// What a connection knows of losses, apart from its scoreboard: the variables of RACK (`rack.ts`) and of recovery (`recovery.ts`).

/** What RACK keeps of one connection (RFC 8985 §5.2). */
export class Rack {
  /** The segment sent last among those known to have arrived: when, and up to which number. */
  sentAt: number = Number.NEGATIVE_INFINITY;
  end = 0;
  /** The round-trip time it had, ms; 0 before the first. */
  rtt = 0;
  /** The path has been seen to reorder; how often, and by how many segments at most (0: no more than is usual). */
  reordering = false;
  reorderings = 0;
  degree = 0;
  /** Reordering window in quarters of the least round-trip time; it grows with each DSACK (§6.2 step 4). */
  quarters = 1;
  /** Recoveries after which a widened window goes back to one quarter. */
  persist = 0;
  /** SND.NXT when a DSACK last widened the window: once per round trip. */
  dsackRound = 0;
  dsackSeen = false;
  /** A tail loss probe is out: what it ends at, and whether it repeated something. */
  probing = false;
  probeEnd = 0;
  probeRepeats = false;

  /**
   * Begins with nothing in flight.
   *
   * @param rtt the last round-trip time measured, ms; negative before the first
   */
  begin(rtt: number): void {
    this.sentAt = Number.NEGATIVE_INFINITY;
    this.end = 0;
    this.probeEnd = 0;
    this.rtt = Math.max(rtt, 0);
  }

  /** With nothing in flight, `begin` would know all that this does. */
  isIdle(rtt: number): boolean {
    return !(this.reordering || this.dsackSeen || this.probing) && this.degree === 0 && this.rtt === Math.max(rtt, 0);
  }
}

/** What is known of losses on one connection. */
export class Recovery {
  /** Consecutive duplicate acknowledgements (without SACK). */
  dupAcks = 0;
  /** Fast recovery is on, until SND.UNA reaches `recover`. */
  active = false;
  /**
   * SND.NXT when the last recovery began. Until it is passed, losses belong to that recovery and are no new
   * reason to slow down; and without SACK, duplicates may be echoes of our own copies (RFC 6582 §3.2 step 2).
   */
  recover = 0;
  guarded = false;
  /** Proportional rate reduction (RFC 9937 §6): octets in flight at the start, delivered and sent since. */
  prrFlight = 0;
  prrDelivered = 0;
  prrOut = 0;

  /**
   * The first acknowledgement after a repetition will show by its echo whether the original or the copy is answered
   * (Eifel, RFC 3522): until then, our timestamp at the repetition.
   */
  undecided = false;
  stamp = 0;
  /**
   * The reduction can be taken back when all that was sent again since is reported to have come twice: how many segments
   * that still are (-1 before the first), and SND.UNA at the time.
   */
  undoable = false;
  undoCount = -1;
  undoFrom = 0;
  /** Which acknowledgement F-RTO awaits since the timer fired: `FRTO_OFF`, `FRTO_FIRST` or `FRTO_SECOND`. */
  frto = 0;

  /** Nothing is being repaired, and nothing may yet turn out to have been for nothing: what else it holds counts no more. */
  get isIdle(): boolean {
    const { active, guarded, undecided, undoable } = this;
    return !(active || guarded || undecided || undoable) && this.dupAcks === 0 && this.frto === 0;
  }

  /** Forgets the numbers of the connection that had it, which has left it idle. */
  clear(): void {
    this.recover = 0;
    this.prrFlight = 0;
    this.prrDelivered = 0;
    this.prrOut = 0;
    this.stamp = 0;
    this.undoCount = -1;
    this.undoFrom = 0;
  }
}
