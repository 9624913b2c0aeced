// The scoreboard: what is in flight, segment by segment, and what is known of each (RFC 6675 §3, RFC 8985 §5).
//
//   una                                                              nxt
//   | rec 0      | rec 1     | rec 2     | rec 3     | rec 4 ...      |
//     LOST         SACKED      SACKED      LOST|AGAIN   (in flight)
//
// One record for each segment sent, in sequence order, in a ring of columns: a segment in flight costs 17 octets. A
// super-segment has a record for each wire segment in it, since loss takes those one by one. SYN and FIN are
// octets of the sequence space like any other.

import { seqDiff, seqGe, seqGt, seqLe, seqLt } from '../base/seq.ts';

/** The receiver has it, though not everything before it. */
export const SACKED = 1;
/** It counts as lost and is to be sent again. */
export const LOST = 2;
/** It was sent again since it was lost. */
export const AGAIN = 4;
/** It was sent more than once in its life: its acknowledgement is ambiguous (Karn). */
export const EVER_AGAIN = 8;
/** It was the last of the segments that left together; a write ended with it, so it carries PSH each time. */
export const TRAIN_END = 16;
export const PUSHED = 32;

const SMALLEST = 16;

/** Before every time. */
const NEVER = Number.NEGATIVE_INFINITY;

/** What one acknowledgement delivered: filled by `acknowledge` and `sack`, read by recovery. Reused. */
export class Delivery {
  /** Octets and segments newly known to have arrived, by either. */
  octets = 0;
  segments = 0;
  /** Of those, octets that only SACK told of. */
  sacked = 0;
  /** The segment sent last among those that arrived now: when, and up to which number; negative when there is none. */
  sentAt: number = NEVER;
  end = 0;
  /** That segment had been sent more than once. */
  ambiguous = false;
  /** When the last of what was acknowledged in order, or else the highest SACK told of, was sent; and whether again. */
  lastAt: number = NEVER;
  lastAgain = false;
  lastEnd = 0;
  inOrder = false;
  /** When the first of what was acknowledged in order, and of what SACK told of, was sent, if once only; negative for none. */
  firstAt: number = NEVER;
  firstSackedAt: number = NEVER;
  /** Something that had been sent more than once was acknowledged in order. */
  copies = false;
  /** Something never sent again arrived from below what had arrived before: the path reorders; the least such number. */
  reordered = false;
  lowest = 0;
  /** Something that had been sent only once arrived: where the first such ends. */
  once = false;
  onceEnd = 0;
  /** Highest number known to have arrived before this acknowledgement. */
  fack = 0;

  /** Nothing has arrived yet, beyond what was known up to `fack`. */
  reset(fack: number): void {
    this.octets = 0;
    this.segments = 0;
    this.sacked = 0;
    this.sentAt = NEVER;
    this.end = 0;
    this.ambiguous = false;
    this.lastAt = NEVER;
    this.lastAgain = false;
    this.inOrder = false;
    this.firstAt = NEVER;
    this.firstSackedAt = NEVER;
    this.copies = false;
    this.reordered = false;
    this.lowest = 0;
    this.once = false;
    this.onceEnd = 0;
    this.fack = fack;
  }
}

/** Segments in flight of one connection. */
export class Scoreboard {
  /** Records held. */
  count = 0;
  /** Octets that are SACKED, LOST, and AGAIN; LOST ones that were sent again count in both. */
  sackedOctets = 0;
  lostOctets = 0;
  againOctets = 0;
  /** Records that are SACKED, LOST, AGAIN, and TRAIN_END. */
  sackedCount = 0;
  lostCount = 0;
  againCount = 0;
  trains = 0;
  /** Highest number the receiver is known to have (RFC 8985 RACK.fack). */
  fack = 0;
  #head = 0;
  /** Records before this one (counted from the head) are not LOST without AGAIN. */
  #hint = 0;
  #from: Int32Array = new Int32Array(SMALLEST);
  #to: Int32Array = new Int32Array(SMALLEST);
  #at: Float64Array = new Float64Array(SMALLEST);
  #flags: Uint8Array = new Uint8Array(SMALLEST);

  /** First number of record `i`, `0 <= i < count`. */
  from(i: number): number {
    return this.#from[this.#slot(i)]!;
  }

  /** Number past the last of record `i`. */
  to(i: number): number {
    return this.#to[this.#slot(i)]!;
  }

  /** When record `i` was last sent, ms. */
  sentAt(i: number): number {
    return this.#at[this.#slot(i)]!;
  }

  /** `SACKED | LOST | AGAIN | EVER_AGAIN` of record `i`. */
  flags(i: number): number {
    return this.#flags[this.#slot(i)]!;
  }

  #slot(i: number): number {
    return (this.#head + i) & (this.#flags.length - 1);
  }

  /** Segments that are in the network, as far as is known. */
  get segmentsInFlight(): number {
    return this.count - this.sackedCount - this.lostCount + this.againCount;
  }

  /** Octets of `flight` that are in the network, as far as is known (RFC 6675 §4 SetPipe). */
  pipe(flight: number): number {
    return flight - this.sackedOctets - this.lostOctets + this.againOctets;
  }

  /** Nothing is in flight any more. */
  clear(): void {
    this.count = 0;
    this.#head = 0;
    this.#hint = 0;
    this.sackedOctets = 0;
    this.lostOctets = 0;
    this.againOctets = 0;
    this.sackedCount = 0;
    this.lostCount = 0;
    this.againCount = 0;
    this.trains = 0;
  }

  /**
   * `[from, to)` was sent for the first time, in segments of `mss` octets; `end` of `TRAIN_END | PUSHED` for the last.
   *
   * @param clock tells the time: a fraction of a millisecond handed over as a number is an object on the heap, each time
   */
  sent(from: number, to: number, mss: number, clock: { readonly now: number }, end = 0): void {
    const { now } = clock;
    const length = seqDiff(to, from);
    // A FIN rides on the last segment rather than having a record of one octet.
    const records = length > mss + 1 ? Math.ceil((length - 1) / mss) : 1;
    while (this.count + records > this.#flags.length) this.#grow();
    // A super-segment has up to two hundred: what does not change is asked once.
    const starts = this.#from;
    const stops = this.#to;
    const times = this.#at;
    const flags = this.#flags;
    let slot = this.#slot(this.count);
    let at = from;
    for (let left = records - 1; left > 0; left--) {
      starts[slot] = at;
      at = (at + mss) | 0;
      stops[slot] = at;
      times[slot] = now;
      flags[slot] = 0;
      slot = (slot + 1) & (flags.length - 1);
    }
    starts[slot] = at;
    stops[slot] = to;
    times[slot] = now;
    flags[slot] = end;
    this.count += records;
    if ((end & TRAIN_END) !== 0) this.trains++;
  }

  /** A record as it was on another scoreboard, behind those that are here. */
  recall(from: number, to: number, flags: number, at: number): void {
    if (this.count === this.#flags.length) this.#grow();
    const slot = this.#slot(this.count++);
    this.#from[slot] = from;
    this.#to[slot] = to;
    this.#at[slot] = at;
    this.#flags[slot] = flags;
    const octets = seqDiff(to, from);
    if ((flags & TRAIN_END) !== 0) this.trains++;
    if ((flags & SACKED) !== 0) {
      this.sackedOctets += octets;
      this.sackedCount++;
      if (seqGt(to, this.fack)) this.fack = to;
    }
    if ((flags & LOST) !== 0) {
      this.lostOctets += octets;
      this.lostCount++;
    }
    if ((flags & AGAIN) !== 0) {
      this.againOctets += octets;
      this.againCount++;
    }
  }

  /** The first record that is to be sent again, or -1. */
  firstLost(): number {
    if (this.lostOctets === this.againOctets) return -1;
    for (let i = this.#hint; i < this.count; i++) {
      if ((this.#flags[this.#slot(i)]! & (LOST | AGAIN)) === LOST) {
        this.#hint = i;
        return i;
      }
    }
    this.#hint = this.count;
    return -1;
  }

  /** The first record that may have been lost, below what has arrived, and was never sent again (RFC 6675 NextSeg 3); or -1. */
  firstDoubtful(): number {
    for (let i = 0; i < this.count; i++) {
      const slot = this.#slot(i);
      if (seqGt(this.#to[slot]!, this.fack)) return -1;
      if ((this.#flags[slot]! & (SACKED | LOST | AGAIN)) === 0) return i;
    }
    return -1;
  }

  /**
   * Marks what at least `degree` segments above it show to be lost (RFC 6675 §4 IsLost): segments that have arrived, or
   * with `forward` any below the highest that has.
   *
   * @returns true when something was marked that was not
   */
  markBelow(degree: number, forward: boolean): boolean {
    let above = 0;
    let found = false;
    let reached = false;
    for (let i = this.count - 1; i >= 0; i--) {
      const flags = this.#flags[this.#slot(i)]!;
      if ((flags & SACKED) !== 0) {
        reached = true;
        above++;
      } else {
        // What was sent again counts as in flight until its timer fires.
        if (above >= degree && (flags & (LOST | AGAIN)) === 0) found = this.markLost(i) || found;
        if (forward && reached) above++;
      }
    }
    return found;
  }

  /** Record `i` was sent again, as one that is lost, up to `to`, which may be before its end: then it is split there. */
  sentAgain(i: number, to: number, now: number): void {
    if (seqLt(to, this.to(i))) this.#split(i, to);
    if ((this.flags(i) & LOST) === 0) this.markLost(i);
    const slot = this.#slot(i);
    this.#flags[slot] = this.#flags[slot]! | AGAIN | EVER_AGAIN;
    this.#at[slot] = now;
    this.againOctets += seqDiff(this.#to[slot]!, this.#from[slot]!);
    this.againCount++;
  }

  /** A probe repeats record `i` without its being lost. */
  repeated(i: number, now: number): void {
    const slot = this.#slot(i);
    this.#flags[slot] = this.#flags[slot]! | EVER_AGAIN;
    this.#at[slot] = now;
  }

  /** Record `i` counts as lost, once more if it was sent again already. False when the receiver has it. */
  markLost(i: number): boolean {
    const slot = this.#slot(i);
    const flags = this.#flags[slot]!;
    if ((flags & SACKED) !== 0) return false;
    const octets = seqDiff(this.#to[slot]!, this.#from[slot]!);
    if ((flags & LOST) === 0) {
      this.lostOctets += octets;
      this.lostCount++;
    }
    if ((flags & AGAIN) !== 0) {
      this.againOctets -= octets;
      this.againCount--;
    }
    this.#flags[slot] = (flags | LOST) & ~AGAIN;
    if (i < this.#hint) this.#hint = i;
    return true;
  }

  /** Nothing is lost after all: what counted so is in flight. */
  nothingLost(): void {
    for (let i = 0; i < this.count; i++) {
      const slot = this.#slot(i);
      this.#flags[slot] = this.#flags[slot]! & ~(LOST | AGAIN);
    }
    this.lostOctets = 0;
    this.againOctets = 0;
    this.lostCount = 0;
    this.againCount = 0;
    this.#hint = 0;
  }

  /** Forgets what SACK said: the receiver has taken it back, as it may (RFC 2018 §8). */
  renege(): void {
    for (let i = 0; i < this.count; i++) {
      const slot = this.#slot(i);
      this.#flags[slot] = this.#flags[slot]! & ~SACKED;
    }
    this.sackedOctets = 0;
    this.sackedCount = 0;
  }

  /** Everything before `una` has arrived. */
  acknowledge(una: number, into: Delivery): void {
    while (this.count > 0) {
      const slot = this.#head;
      const to = this.#to[slot]!;
      if (seqGt(to, una)) {
        this.#cutHead(slot, una, into);
        break;
      }
      const octets = seqDiff(to, this.#from[slot]!);
      const flags = this.#flags[slot]!;
      if ((flags & TRAIN_END) !== 0) this.trains--;
      if ((flags & SACKED) === 0) {
        if ((flags & EVER_AGAIN) !== 0) into.copies = true;
        else if (into.firstAt === NEVER) into.firstAt = this.#at[slot]!;
        into.lastAt = this.#at[slot]!;
        into.lastAgain = (flags & EVER_AGAIN) !== 0;
        into.inOrder = true;
        this.#arrived(slot, flags, octets, into);
      } else {
        this.sackedOctets -= octets;
        this.sackedCount--;
      }
      this.#head = (this.#head + 1) & (this.#flags.length - 1);
      this.count--;
      if (this.#hint > 0) this.#hint--;
      if (flags === 0) this.#passAlike(una, into);
    }
    if (this.count === 0) this.#head = 0;
    if (seqGt(una, this.fack)) this.fack = una;
  }

  /**
   * A record that was sent once, and of which nothing else is known, has arrived. Those behind it that are like it, all
   * but the last that `una` covers, were sent after it and would change nothing but sums: a super-segment has dozens.
   */
  #passAlike(una: number, into: Delivery): void {
    const mask = this.#flags.length - 1;
    const first = this.#head;
    if (this.count < 2 || !this.#isAlike(first, una)) return;
    let passed = 0;
    let head = first;
    while (passed + 1 < this.count) {
      const next = (head + 1) & mask;
      if (!this.#isAlike(next, una)) break;
      head = next;
      passed++;
    }
    into.octets += seqDiff(this.#from[head]!, this.#from[first]!);
    into.segments += passed;
    this.#head = head;
    this.count -= passed;
    this.#hint = Math.max(this.#hint - passed, 0);
  }

  /** Whether the record in a slot was sent once, nothing else is known of it, and `una` covers it. */
  #isAlike(slot: number, una: number): boolean {
    return this.#flags[slot] === 0 && seqLe(this.#to[slot]!, una);
  }

  /** The receiver has `[left, right)`; what is not wholly covered stays as it is. */
  sack(left: number, right: number, into: Delivery): void {
    let i = this.#firstFrom(left);
    for (; i < this.count; i++) {
      const slot = this.#slot(i);
      const to = this.#to[slot]!;
      if (seqGt(to, right)) break;
      const flags = this.#flags[slot]!;
      if ((flags & SACKED) !== 0) continue;
      const octets = seqDiff(to, this.#from[slot]!);
      if ((flags & EVER_AGAIN) === 0 && into.firstSackedAt === NEVER) into.firstSackedAt = this.#at[slot]!;
      if (!into.inOrder && (into.lastAt === NEVER || seqGt(to, into.lastEnd))) {
        into.lastAt = this.#at[slot]!;
        into.lastAgain = (flags & EVER_AGAIN) !== 0;
        into.lastEnd = to;
      }
      this.#arrived(slot, flags, octets, into);
      this.#flags[slot] = (flags & (EVER_AGAIN | TRAIN_END | PUSHED)) | SACKED;
      this.sackedOctets += octets;
      this.sackedCount++;
      into.sacked += octets;
      if (seqGt(to, this.fack)) this.fack = to;
    }
  }

  /** Record in `slot` has arrived: it is lost no longer, and may be the latest sent that did. */
  #arrived(slot: number, flags: number, octets: number, into: Delivery): void {
    if ((flags & LOST) !== 0) {
      this.lostOctets -= octets;
      this.lostCount--;
    }
    if ((flags & AGAIN) !== 0) {
      this.againOctets -= octets;
      this.againCount--;
    }
    into.octets += octets;
    into.segments++;
    const at = this.#at[slot]!;
    const to = this.#to[slot]!;
    const once = (flags & EVER_AGAIN) === 0;
    const from = this.#from[slot]!;
    if (once && seqLt(from, into.fack) && (!into.reordered || seqLt(from, into.lowest))) {
      into.reordered = true;
      into.lowest = from;
    }
    if (once && (!into.once || seqLt(to, into.onceEnd))) {
      into.once = true;
      into.onceEnd = to;
    }
    if (at > into.sentAt || (at === into.sentAt && seqGe(to, into.end))) {
      into.sentAt = at;
      into.end = to;
      into.ambiguous = !once;
    }
  }

  /** `una` lies inside the first record: its front has arrived. */
  #cutHead(slot: number, una: number, into: Delivery): void {
    const from = this.#from[slot]!;
    if (!seqGt(una, from)) return;
    const octets = seqDiff(una, from);
    const flags = this.#flags[slot]!;
    this.#from[slot] = una;
    if ((flags & SACKED) !== 0) this.sackedOctets -= octets;
    else into.octets += octets;
    if ((flags & LOST) !== 0) this.lostOctets -= octets;
    if ((flags & AGAIN) !== 0) this.againOctets -= octets;
  }

  /** Index of the first record that begins at `seq` or behind it. */
  #firstFrom(seq: number): number {
    let lo = 0;
    let hi = this.count;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (seqLe(seq, this.from(mid))) hi = mid;
      else lo = mid + 1;
    }
    return lo;
  }

  /** Cuts record `i` in two at `at`; both keep its flags. Rare: only when a segment can no longer go out whole. */
  #split(i: number, at: number): void {
    if (this.count === this.#flags.length) this.#grow();
    for (let k = this.count; k > i; k--) {
      const to = this.#slot(k);
      const from = this.#slot(k - 1);
      this.#from[to] = this.#from[from]!;
      this.#to[to] = this.#to[from]!;
      this.#at[to] = this.#at[from]!;
      this.#flags[to] = this.#flags[from]!;
    }
    this.count++;
    this.#to[this.#slot(i)] = at;
    this.#from[this.#slot(i + 1)] = at;
    const flags = this.flags(i);
    if ((flags & SACKED) !== 0) this.sackedCount++;
    if ((flags & LOST) !== 0) this.lostCount++;
    if ((flags & AGAIN) !== 0) this.againCount++;
    // The end is that of the second half.
    const slot = this.#slot(i);
    this.#flags[slot] = flags & ~(TRAIN_END | PUSHED);
  }

  #grow(): void {
    const size = this.#flags.length * 2;
    const from = new Int32Array(size);
    const to = new Int32Array(size);
    const at = new Float64Array(size);
    const flags = new Uint8Array(size);
    for (let i = 0; i < this.count; i++) {
      const slot = this.#slot(i);
      from[i] = this.#from[slot]!;
      to[i] = this.#to[slot]!;
      at[i] = this.#at[slot]!;
      flags[i] = this.#flags[slot]!;
    }
    this.#from = from;
    this.#to = to;
    this.#at = at;
    this.#flags = flags;
    this.#head = 0;
  }
}

/** Scoreboards a host keeps for the next connection with something in flight. */
const BOARDS_KEPT = 64;

/** The scoreboards of a host that no connection uses now. */
export class SpareBoards {
  readonly #boards: (Scoreboard | null)[] = new Array<Scoreboard | null>(BOARDS_KEPT).fill(null);
  /** How many there are: `push` and `pop` of an array cost more than all that is done with a board. */
  #count = 0;

  /** An empty scoreboard. */
  take(): Scoreboard {
    if (this.#count === 0) return new Scoreboard();
    const board = this.#boards[--this.#count]!;
    this.#boards[this.#count] = null;
    return board;
  }

  /** Takes one back, whatever it holds. */
  give(board: Scoreboard): void {
    board.clear();
    if (this.#count < BOARDS_KEPT) this.#boards[this.#count++] = board;
  }
}
