// BBR: congestion control by a model of the path, its rate and its least delay (draft-ietf-ccwg-bbr, version 3).
//
//   STARTUP -> DRAIN -> ProbeBW: DOWN -> CRUISE -> REFILL -> UP -> DOWN ...   and now and then PROBE-RTT
//
// Names are the draft's. Rates are octets per ms. What is simpler here: losses are judged by what was sent again;
// acknowledgements that come in clumps get a fixed allowance instead of a measured one; what is random in the draft comes
// from sequence numbers, which are. What differs: a round trip counts as lossy from six losses on, as the draft has
// it for STARTUP only. In small flights single random losses are more than 2 %, and each would take from the bounds.

import {
  type CongestionControl,
  type CongestionController,
  NO_THRESHOLD,
  type PathModel,
} from '../../base/congestion.ts';
import { DeliveryRate, type RateSample } from './delivery-rate.ts';

/** Where BBR stands. */
export type BbrState = 'startup' | 'drain' | 'down' | 'cruise' | 'refill' | 'up' | 'probe-rtt';

/** Gains of the pacing rate and of the window by state (draft §2.4, §4.6). */
const PACING_GAIN: Readonly<Record<BbrState, number>> = {
  startup: 2.773,
  drain: 0.5,
  down: 0.9,
  cruise: 1,
  refill: 1,
  up: 1.25,
  'probe-rtt': 1,
};
const WINDOW_GAIN: Readonly<Record<BbrState, number>> = {
  startup: 2,
  drain: 2,
  down: 2,
  cruise: 2,
  refill: 2,
  up: 2.25,
  'probe-rtt': 0.5,
};
/** Share of losses that says that too much is in flight, what is left of a bound then, and room for others. */
const LOSS_THRESHOLD = 0.02;
/** Fewer losses than these in a round trip are chance, whatever their share. */
const LEAST_LOSSES = 6;
const BETA = 0.7;
const HEADROOM = 0.15;
/** Pacing stays this much under the rate, so that queues drain. */
const MARGIN = 0.99;
/** Growth in a round that says that the pipe is not full yet, and rounds without it that say that it is. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** A least delay is believed so long; older than the half of it, it is measured anew for `PROBE_RTT_TIME`, ms. */
const MIN_RTT_LIFETIME = 10_000;
const PROBE_RTT_INTERVAL = 5000;
const PROBE_RTT_TIME = 200;
/** Time between probes for more rate, at least and at most, ms; and rounds at most, so that Reno is not crowded out. */
const PROBE_WAIT = 2000;
const PROBE_WAIT_SPREAD = 1000;
const PROBE_ROUNDS = 63;
/** Least window, and what clumps of acknowledgements may need on top, segments. */
const LEAST_WINDOW = 4;
const CLUMP = 3;

/** BBR version 3. */
export class Bbr implements CongestionController, PathModel {
  readonly name = 'bbr';
  cwnd = 0;
  ssthresh: number = NO_THRESHOLD;
  readonly model: PathModel = this;
  readonly #rate: DeliveryRate = new DeliveryRate();
  #state: BbrState = 'startup';
  #mss = 536;
  /** The rate by which segments leave; 0 before the first round-trip time. */
  #pacing = 0.5;
  /** Highest rates of this cycle of probing and of the one before. */
  #bwNow = 0.5;
  #bwBefore = 0.5;
  /** The least delay in use and when it was seen; and the one that the next PROBE-RTT will take over. */
  #minRtt: number = Number.POSITIVE_INFINITY;
  #minRttAt = 0.5;
  #probeMin: number = Number.POSITIVE_INFINITY;
  #probeMinAt = 0.5;
  /** Round trips: one is over when what was sent after its beginning is delivered. */
  #rounds = 0;
  #roundEnd = 0;
  #roundStart = false;
  #roundLost = 0;
  #roundDelivered = 0;
  #lossy = false;
  /** Highest rate and most delivered in this round; whether it had losses. */
  #bwLatest = 0.5;
  #inflightLatest = 0;
  /** Bounds by what was seen of losses: for long, and for this cycle. */
  #inflightLong: number = Number.POSITIVE_INFINITY;
  #inflightShort: number = Number.POSITIVE_INFINITY;
  #bwShort: number = Number.POSITIVE_INFINITY;
  /** Is the pipe full: the rate to be beaten, rounds without, and the verdict for now and for good. */
  #fullBw = 0.5;
  #fullCount = 0;
  #fullNow = false;
  #full = false;
  /** The cycle of probing: when it began, how long it waits, rounds since the last probe, and how fast it raises. */
  #cycleAt = 0.5;
  #wait = 0.5;
  #roundsSinceProbe = 0;
  #raise = 1;
  #probed = false;
  /** PROBE-RTT: its end once the flight is small enough (NaN before), and the window to go back to. */
  #probeRttEnd: number = Number.NaN;
  #priorWindow = 0;

  constructor() {
    this.#pacing = 0;
    this.#bwNow = 0;
    this.#bwBefore = 0;
    this.#fullBw = 0;
    this.#bwLatest = 0;
  }

  /** Where it stands, for those who watch. */
  get state(): BbrState {
    return this.#state;
  }

  get pacingRate(): number {
    return this.#pacing;
  }

  opened(mss: number, segments: number): void {
    this.#mss = mss;
    this.cwnd = segments * mss;
  }

  resized(mss: number): void {
    this.#mss = mss;
  }

  sampled(rtt: number, una: number, _nxt: number, now: number): void {
    if (this.#wait === 0.5) this.#wait = chance(una);
    if (rtt <= this.#probeMin || now - this.#probeMinAt > PROBE_RTT_INTERVAL) {
      // Too old: measured anew, in a flight small enough to leave no queue.
      if (rtt > this.#probeMin && this.#state !== 'probe-rtt' && this.#full) this.#enterProbeRtt();
      if (rtt <= this.#probeMin || this.#state === 'probe-rtt') {
        this.#probeMin = rtt;
        this.#probeMinAt = now;
      }
    }
    if (this.#probeMin < this.#minRtt || now - this.#minRttAt > MIN_RTT_LIFETIME) {
      this.#minRtt = this.#probeMin;
      this.#minRttAt = this.#probeMinAt;
    }
    if (this.#pacing === 0) this.#pacing = (PACING_GAIN.startup * this.cwnd) / Math.max(rtt, 1);
  }

  sent(end: number, octets: number, again: boolean, inFlight: number, now: number): void {
    this.#rate.sent(end, octets, again, inFlight, now);
  }

  starved(inFlight: number): void {
    this.#rate.appLimited(inFlight);
  }

  delivered(octets: number, sentAt: number, end: number, inFlight: number, una: number, now: number): void {
    const leastRtt = this.#minRtt === Number.POSITIVE_INFINITY ? 0 : this.#minRtt;
    this.#rate.deliver(octets, sentAt, end, leastRtt, now);
    const { sample } = this.#rate;
    this.#updateRound(sample);
    this.#updateSignals(sample);
    this.#checkFull(sample);
    if (this.#state === 'startup' && this.#full) this.#state = 'drain';
    if (this.#state === 'drain' && inFlight <= this.#bdp(1)) this.#probeDown(una, now);
    this.#cycle(sample, inFlight, una, now);
    this.#probeRtt(inFlight, una, now);
    if (this.#roundStart) {
      this.#bwLatest = sample.rate;
      this.#inflightLatest = sample.delivered;
    }
    this.#setPacing();
    this.#setWindow(octets);
  }

  #updateRound(s: RateSample): void {
    this.#roundStart = s.rate > 0 && s.priorDelivered >= this.#roundEnd;
    if (!this.#roundStart) return;
    const delivered = this.#rate.delivered - this.#roundDelivered;
    const lost = this.#rate.lost - this.#roundLost;
    this.#lossy = this.#tooMuch(lost, delivered);
    this.#roundDelivered = this.#rate.delivered;
    this.#roundLost = this.#rate.lost;
    this.#roundEnd = this.#rate.delivered;
    this.#rounds++;
    this.#roundsSinceProbe++;
  }

  /** The highest rate, and after a round with losses the bounds of this cycle (draft §4.5.10). */
  #updateSignals(s: RateSample): void {
    if (s.rate > 0 && (s.rate >= this.#bwMax || !s.appLimited) && s.rate > this.#bwNow) this.#bwNow = s.rate;
    if (s.rate > this.#bwLatest) this.#bwLatest = s.rate;
    if (s.delivered > this.#inflightLatest) this.#inflightLatest = s.delivered;
    if (!this.#roundStart || !this.#lossy) return;
    const probing = this.#state === 'startup' || this.#state === 'refill' || this.#state === 'up';
    if (probing) return;
    if (this.#bwShort === Number.POSITIVE_INFINITY) this.#bwShort = this.#bwMax;
    if (this.#inflightShort === Number.POSITIVE_INFINITY) this.#inflightShort = this.cwnd;
    this.#bwShort = Math.max(this.#bwLatest, BETA * this.#bwShort);
    this.#inflightShort = Math.max(this.#inflightLatest, BETA * this.#inflightShort);
  }

  /** Whether the rate has stopped growing, or a start loses too much (draft §4.3.1.2, §4.3.1.3). */
  #checkFull(s: RateSample): void {
    if (!this.#roundStart || this.#fullNow) return;
    if (this.#state === 'startup' && this.#lossy) {
      this.#full = true;
      this.#fullNow = true;
      this.#inflightLong = Math.max(this.#bdp(1), this.#inflightLatest);
      return;
    }
    if (s.appLimited) return;
    if (s.rate >= this.#fullBw * FULL_GROWTH) {
      this.#fullBw = s.rate;
      this.#fullCount = 0;
      return;
    }
    this.#fullNow = ++this.#fullCount >= FULL_ROUNDS;
    this.#full = this.#full || this.#fullNow;
  }

  /** The phases of ProbeBW (draft §4.3.3). */
  #cycle(s: RateSample, inFlight: number, una: number, now: number): void {
    switch (this.#state) {
      case 'down':
        if (this.#timeToProbe(now)) this.#refill();
        else if (inFlight <= Math.min(this.#bdp(1), this.#withHeadroom())) this.#state = 'cruise';
        break;
      case 'cruise':
        if (this.#timeToProbe(now)) this.#refill();
        break;
      case 'refill':
        if (!this.#roundStart || this.#rounds < this.#raise) break;
        this.#state = 'up';
        this.#raise = this.#mss;
        this.#probed = true;
        this.#resetFull(s.rate);
        break;
      case 'up':
        this.#up(s, inFlight, una, now);
        break;
      default:
    }
  }

  #up(s: RateSample, inFlight: number, una: number, now: number): void {
    if (this.#probed && this.#tooMuch(s.lost, s.sentInFlight)) {
      // The bound is what was in flight when it was too much, and no less than the model says (draft §4.5.6.2).
      this.#inflightLong = Math.max(s.sentInFlight, BETA * Math.min(this.#bdp(1), this.cwnd));
      this.#probeDown(una, now);
      return;
    }
    if (inFlight + 2 * this.#mss >= this.cwnd && this.cwnd >= this.#inflightLong) {
      // The bound is what holds it back: raised by more with every round, as slow start does.
      if (this.#roundStart) this.#raise *= 2;
      this.#inflightLong += this.#raise / Math.max(this.cwnd / this.#mss, 1);
      this.#resetFull(s.rate);
    } else if (this.#fullNow) {
      this.#probeDown(una, now);
    }
  }

  /** Whether `lost` octets of a flight say that it was too large (draft §4.5.6.2). */
  #tooMuch(lost: number, flight: number): boolean {
    return lost >= LEAST_LOSSES * this.#mss && lost > LOSS_THRESHOLD * flight;
  }

  #resetFull(rate: number): void {
    this.#fullBw = rate;
    this.#fullCount = 0;
    this.#fullNow = false;
  }

  #timeToProbe(now: number): boolean {
    const rounds = Math.min(this.#bdp(1) / this.#mss, PROBE_ROUNDS);
    return now - this.#cycleAt > this.#wait || this.#roundsSinceProbe >= rounds;
  }

  /** A cycle begins by draining what the probe has queued; the rates of the cycle before last are forgotten. */
  #probeDown(una: number, now: number): void {
    if (this.#probed) {
      this.#bwBefore = this.#bwNow;
      this.#bwNow = 0;
    }
    this.#probed = false;
    this.#state = 'down';
    this.#cycleAt = now;
    this.#wait = chance(una);
    this.#roundsSinceProbe = 0;
  }

  /** One round at the rate of the path before more is tried: the pipe is full then, and no bound of the cycle holds. */
  #refill(): void {
    this.#state = 'refill';
    this.#resetShort();
    this.#raise = this.#rounds + 1;
    this.#roundEnd = this.#rate.delivered;
  }

  #resetShort(): void {
    this.#bwShort = Number.POSITIVE_INFINITY;
    this.#inflightShort = Number.POSITIVE_INFINITY;
  }

  #enterProbeRtt(): void {
    this.#state = 'probe-rtt';
    this.#probeRttEnd = Number.NaN;
    this.#priorWindow = this.cwnd;
    this.#probeMin = Number.POSITIVE_INFINITY;
  }

  /** PROBE-RTT lasts from when the flight is small, for its time and a round (draft §4.3.4.4). */
  #probeRtt(inFlight: number, una: number, now: number): void {
    if (this.#state !== 'probe-rtt') return;
    if (Number.isNaN(this.#probeRttEnd)) {
      if (inFlight <= this.#probeRttWindow()) {
        this.#probeRttEnd = now + PROBE_RTT_TIME;
        this.#roundEnd = this.#rate.delivered;
      }
    } else if (this.#roundStart || now >= this.#probeRttEnd) {
      if (now < this.#probeRttEnd) return;
      this.#probeMinAt = now;
      this.cwnd = Math.max(this.cwnd, this.#priorWindow);
      this.#resetShort();
      this.#probeDown(una, now);
      this.#state = 'cruise';
    }
  }

  #setPacing(): void {
    if (this.#bw === 0) return;
    const rate = PACING_GAIN[this.#state] * this.#bw * MARGIN;
    if (this.#full || rate > this.#pacing) this.#pacing = rate;
  }

  #setWindow(octets: number): void {
    const most = this.#bdp(WINDOW_GAIN[this.#state]) + CLUMP * this.#mss;
    if (this.#full) this.cwnd = Math.min(this.cwnd + octets, most);
    else if (this.cwnd < most) this.cwnd += octets;
    const { state } = this;
    let bound = this.#inflightLong;
    if (state === 'cruise' || state === 'probe-rtt') bound = this.#withHeadroom();
    bound = Math.min(bound, this.#inflightShort);
    if (state === 'probe-rtt') bound = Math.min(bound, this.#probeRttWindow());
    this.cwnd = Math.floor(Math.max(Math.min(this.cwnd, bound), LEAST_WINDOW * this.#mss));
  }

  #probeRttWindow(): number {
    return Math.max(this.#bdp(WINDOW_GAIN['probe-rtt']), LEAST_WINDOW * this.#mss);
  }

  #withHeadroom(): number {
    return Math.max(this.#inflightLong * (1 - HEADROOM), LEAST_WINDOW * this.#mss);
  }

  get #bwMax(): number {
    return Math.max(this.#bwNow, this.#bwBefore);
  }

  get #bw(): number {
    return Math.min(this.#bwMax, this.#bwShort);
  }

  /** So many bandwidth-delay products, octets; the initial window before anything was measured. */
  #bdp(gain: number): number {
    if (this.#bw === 0 || this.#minRtt === Number.POSITIVE_INFINITY) return gain * 10 * this.#mss;
    return gain * this.#bw * this.#minRtt;
  }

  /** What is acknowledged comes in by `delivered`. */
  acked(): void {}

  /** Losses come in by what is sent again. */
  reduce(): void {}

  /** All is lost: one segment, and what is acknowledged opens the window again. */
  timedOut(): void {
    this.cwnd = this.#mss;
  }

  undo(): void {
    this.cwnd = Math.max(this.cwnd, Math.floor(this.#bdp(1)));
  }

  /** The rate is known, and pacing keeps to it after a pause. */
  idle(): void {}

  resumed(): void {}
}

/** BBR, version 3 of its draft, for `congestionControl`. */
export const bbr: CongestionControl = () => new Bbr();

/** A time until the next probe, from a number that peers cannot foresee. */
function chance(una: number): number {
  const mixed = Math.imul(una ^ (una >>> 16), 0x45d9f3b) >>> 8;
  return PROBE_WAIT + (mixed / 0x1000000) * PROBE_WAIT_SPREAD;
}
