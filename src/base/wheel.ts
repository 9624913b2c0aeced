// The timer wheel of a host: exact deadlines, one per handle, cheap to move.
//
//            due      level 0 (4 ms a slot)   level 1 (128 ms)       ...  level 6 (49 days)
//           +---+     +--+--+--+-- .. --+     +--+--+-- .. --+            +--+--+-- .. --+
//   ticks   |<= |     |  |o |  |        |     |  |  |o       |            |  |  |        |
//   so far  |now|     +--+|-+--+-- .. --+     +--+--+|-      +            +--+--+-- .. --+
//           +-|-+         |  32 slots each, a bitmap says  |
//             o           o  which are not empty           o  <- each slot is a heap ordered by
//            / \         / \                              /|\    (deadline, order of arming)
//           o   o       o   o                            o o o
//
// A tick is 4 ms. An entry hangs at the level of the highest base-32 digit in which its tick differs from
// the wheel's, in the slot of that digit, so every entry of a lower level, and of an earlier slot of the
// same level, comes before it: the earliest entry of all is the root of the first slot that is not empty.
// As time passes, slots that it enters are spread over the levels below.
//
// Why heaps and not lists: `next()` is exact, and 100,000 connections that idle together share a slot; a
// list would be searched whole whenever its earliest entry moves. Pairing heaps take an entry in O(1), lose
// one in O(log n) amortised, and need no storage but three links per handle.
//
// Why a move is nearly free: a handle that is armed for later, or disarmed, stays where it hangs, and only
// its deadline is written. Where it hangs is a lower bound; when it comes to the root of the first slot it
// is hung anew by its true deadline. TCP moves its timers with every segment and lets few of them fire.

/** Milliseconds of a tick, and its inverse; a power of two, so that division is exact. */
const TICK = 4;
const PER_MS = 1 / TICK;
/** Ticks are int32; what lies beyond (99 days from the origin) shares the last one: slower, not wrong. */
const LAST_TICK = 0x7fffffff;
/** Base-32 digits of a tick. */
const LEVELS = 7;
/** Index of the heap of entries whose tick has come; the slots of the levels are before it. */
const DUE: number = LEVELS * 32;
/** In `#home`: the handle is not in use. */
const FREE = -2;

/**
 * Timers of one host: a handle per timer, a deadline per handle.
 *
 * Deadlines are milliseconds on whatever clock the owner uses, with fractions. Entries expire in the order of
 * their deadlines, those with the same deadline in the order of the `arm` calls that set it.
 */
export class TimerWheel {
  /** Handles that are armed. */
  armed = 0;
  readonly #origin: number;
  /** The wheel's tick: entries at or before it are in the due heap, all others after it. */
  #tick = 0;
  /** Earliest deadline; NaN when it has to be found. */
  #next = Infinity;
  /** Number of `arm` calls so far. */
  #order = 0;
  #capacity = 16;
  #used = 0;
  /** First free handle, linked by `#sibling`; -1 at the end. */
  #free = -1;

  /** Per handle: deadline (Infinity when off) and order of arming. */
  #deadline: Float64Array = new Float64Array(16);
  #armedAs: Float64Array = new Float64Array(16);
  /** Per handle: the deadline and order it hangs by, never later than the true ones; Infinity when it does not. */
  #hung: Float64Array = new Float64Array(16);
  #hungAs: Float64Array = new Float64Array(16);
  /** Heap links per handle: first child, next sibling, and previous sibling or parent; -1 for none. */
  #child: Int32Array = new Int32Array(16);
  #sibling: Int32Array = new Int32Array(16);
  #before: Int32Array = new Int32Array(16);
  /** Per handle that is a root: the index of its heap. */
  #home: Int32Array = new Int32Array(16);

  /** Root of each heap, -1 when it is empty. */
  readonly #root: Int32Array = new Int32Array(DUE + 1).fill(-1);
  /** Bit per slot that is not empty, a word per level; and bit per level that is not empty. */
  readonly #slots: Int32Array = new Int32Array(LEVELS);
  #levels = 0;

  /** @param origin a time at or a little before the first deadlines, ms; it affects speed only */
  constructor(origin = 0) {
    this.#origin = origin;
  }

  /** A new handle, `>= 0`, not armed. */
  alloc(): number {
    let h = this.#free;
    if (h >= 0) {
      this.#free = this.#sibling[h]!;
    } else {
      if (this.#used === this.#capacity) this.#grow();
      h = this.#used++;
    }
    this.#deadline[h] = Infinity;
    this.#hung[h] = Infinity;
    this.#child[h] = -1;
    this.#sibling[h] = -1;
    this.#before[h] = -1;
    this.#home[h] = -1;
    return h;
  }

  /** Disarms `h` and gives the handle back. Throws a `RangeError` when it is not in use. */
  free(h: number): void {
    this.#check(h);
    this.disarm(h);
    if (this.#hung[h] !== Infinity) this.#take(h);
    this.#home[h] = FREE;
    this.#sibling[h] = this.#free;
    this.#free = h;
  }

  /**
   * Sets or moves the deadline of `h`.
   *
   * @param deadline ms, finite, `>= 0`; one in the past expires at the next `expire`
   */
  arm(h: number, deadline: number): void {
    this.#check(h);
    // Written so that NaN fails too.
    if (!(deadline >= 0 && deadline < Infinity)) throw new RangeError(`deadline ${deadline} is not a time`);
    const old = this.#deadline[h]!;
    if (old === Infinity) this.armed++;
    this.#deadline[h] = deadline;
    this.#armedAs[h] = ++this.#order;
    if (deadline < this.#hung[h]!) {
      if (this.#hung[h] !== Infinity) this.#take(h);
      this.#hang(h);
    }
    if (deadline <= this.#next) this.#next = deadline;
    else if (old === this.#next) this.#next = NaN;
  }

  /** Takes the deadline of `h` away; nothing happens when it has none. */
  disarm(h: number): void {
    this.#check(h);
    const old = this.#deadline[h]!;
    if (old === Infinity) return;
    this.#deadline[h] = Infinity;
    this.armed--;
    if (old === this.#next) this.#next = NaN;
  }

  /** Deadline of `h`, ms; Infinity when it is not armed. */
  deadlineOf(h: number): number {
    this.#check(h);
    return this.#deadline[h]!;
  }

  /** The earliest deadline, exactly; Infinity when nothing is armed. */
  next(): number {
    if (Number.isNaN(this.#next)) {
      const h = this.#earliest();
      this.#next = h < 0 ? Infinity : this.#deadline[h]!;
    }
    return this.#next;
  }

  /**
   * A time that no deadline is earlier than: where the first entry hangs, which costs nothing to look at. Its deadline may
   * have moved on since; `next` finds out.
   */
  bound(): number {
    if (!Number.isNaN(this.#next)) return this.#next;
    const h = this.#root[this.#firstHeap()]!;
    return h < 0 ? Infinity : this.#hung[h]!;
  }

  /**
   * Disarms the earliest handle whose deadline is at or before `now` and returns it; -1 when there is none.
   * Called until it returns -1, it gives all that is due; handlers may arm and free in between.
   *
   * @param now ms; a clock that went back is taken as it is, and nothing expires early
   */
  expire(now: number): number {
    const tick = this.#tickOf(now);
    if (tick > this.#tick) this.#enter(tick);
    if (this.bound() > now || this.next() > now) return -1;
    const h = this.#earliest();
    this.#take(h);
    this.#deadline[h] = Infinity;
    this.armed--;
    this.#next = NaN;
    return h;
  }

  #check(h: number): void {
    if (!(h >= 0 && h < this.#used) || this.#home[h] === FREE) throw new RangeError(`timer ${h} is not in use`);
  }

  #tickOf(time: number): number {
    const ticks = (time - this.#origin) * PER_MS;
    return ticks >= LAST_TICK ? LAST_TICK : ticks <= 0 ? 0 : ticks | 0;
  }

  /** The earliest handle, after hanging anew what has moved since it was hung; -1 when nothing is armed. */
  #earliest(): number {
    for (;;) {
      const h = this.#root[this.#firstHeap()]!;
      if (h < 0) return -1;
      if (this.#hungAs[h] === this.#armedAs[h] && this.#deadline[h] !== Infinity) return h;
      this.#take(h);
      if (this.#deadline[h] !== Infinity) this.#hang(h);
    }
  }

  /** Index of the heap whose root is the earliest of all; the due heap when all are empty. */
  #firstHeap(): number {
    if (this.#root[DUE]! >= 0 || this.#levels === 0) return DUE;
    const level = lowestBit(this.#levels);
    return (level << 5) | lowestBit(this.#slots[level]!);
  }

  /** Moves the wheel on to `tick`: slots that have come are spread over the levels below, or are due. */
  #enter(tick: number): void {
    while (this.#levels !== 0) {
      const level = lowestBit(this.#levels);
      const slot = lowestBit(this.#slots[level]!);
      const shift = 5 * level;
      // The digits above the level are the wheel's own; the top level has none, and no shift by 35 exists.
      const above = level === LEVELS - 1 ? 0 : (this.#tick >> (shift + 5)) << (shift + 5);
      const start = above | (slot << shift);
      if (start > tick) break;
      const heap = (level << 5) | slot;
      const root = this.#root[heap]!;
      this.#setRoot(heap, -1);
      this.#tick = start;
      // All of a slot of level 0 have this very tick.
      if (level === 0) this.#addTo(DUE, root);
      else this.#spread(root);
    }
    this.#tick = tick;
  }

  /** Hangs every entry below `root`, and itself, anew. */
  #spread(root: number): void {
    let list = root;
    while (list >= 0) {
      const h = list;
      list = this.#sibling[h]!;
      const child = this.#child[h]!;
      if (child >= 0) {
        let last = child;
        while (this.#sibling[last]! >= 0) last = this.#sibling[last]!;
        this.#sibling[last] = list;
        list = child;
      }
      this.#child[h] = -1;
      this.#sibling[h] = -1;
      this.#before[h] = -1;
      if (this.#deadline[h] === Infinity) this.#hung[h] = Infinity;
      else this.#hang(h);
    }
  }

  /** Puts `h`, which hangs nowhere, where its deadline belongs. */
  #hang(h: number): void {
    const deadline = this.#deadline[h]!;
    this.#hung[h] = deadline;
    this.#hungAs[h] = this.#armedAs[h]!;
    const tick = this.#tickOf(deadline);
    if (tick <= this.#tick) {
      this.#addTo(DUE, h);
      return;
    }
    const level = ((31 - Math.clz32(tick ^ this.#tick)) / 5) | 0;
    this.#addTo((level << 5) | ((tick >> (5 * level)) & 31), h);
  }

  /** Melds the heap below `h` into the heap of that index. */
  #addTo(heap: number, h: number): void {
    const root = this.#root[heap]!;
    this.#setRoot(heap, root < 0 ? h : this.#link(root, h));
  }

  #setRoot(heap: number, h: number): void {
    this.#root[heap] = h;
    if (h >= 0) this.#home[h] = heap;
    if (heap === DUE) return;
    const level = heap >> 5;
    const bit = 1 << (heap & 31);
    if (h >= 0) {
      this.#slots[level]! |= bit;
      this.#levels |= 1 << level;
    } else {
      this.#slots[level]! &= ~bit;
      if (this.#slots[level] === 0) this.#levels &= ~(1 << level);
    }
  }

  /** Takes `h` out of its heap. */
  #take(h: number): void {
    const before = this.#before[h]!;
    const after = this.#sibling[h]!;
    const rest = this.#pair(this.#child[h]!);
    if (before < 0) {
      this.#setRoot(this.#home[h]!, rest);
    } else {
      // What hung below `h` may hang in its place: it is later than `h`, and so than the parent.
      const heir = rest >= 0 ? rest : after;
      if (this.#child[before] === h) this.#child[before] = heir;
      else this.#sibling[before] = heir;
      if (heir >= 0) this.#before[heir] = before;
      if (rest >= 0) {
        this.#sibling[rest] = after;
        if (after >= 0) this.#before[after] = rest;
      }
    }
    this.#child[h] = -1;
    this.#sibling[h] = -1;
    this.#before[h] = -1;
    this.#hung[h] = Infinity;
  }

  /** Hangs the later of two roots below the earlier, which it returns; its `#sibling` is the caller's. */
  #link(a: number, b: number): number {
    const da = this.#hung[a]!;
    const db = this.#hung[b]!;
    const aFirst = da < db || (da === db && this.#hungAs[a]! < this.#hungAs[b]!);
    const root = aFirst ? a : b;
    const below = aFirst ? b : a;
    const child = this.#child[root]!;
    this.#sibling[below] = child;
    if (child >= 0) this.#before[child] = below;
    this.#before[below] = root;
    this.#child[root] = below;
    return root;
  }

  /** One heap of a list of siblings, by the two passes that give pairing heaps their name; -1 for none. */
  #pair(first: number): number {
    let pairs = -1;
    let a = first;
    while (a >= 0) {
      const b = this.#sibling[a]!;
      const rest = b < 0 ? -1 : this.#sibling[b]!;
      const root = b < 0 ? a : this.#link(a, b);
      this.#sibling[root] = pairs;
      pairs = root;
      a = rest;
    }
    if (pairs < 0) return -1;
    let root = pairs;
    let other = this.#sibling[root]!;
    while (other >= 0) {
      const rest = this.#sibling[other]!;
      root = this.#link(root, other);
      other = rest;
    }
    this.#sibling[root] = -1;
    this.#before[root] = -1;
    return root;
  }

  #grow(): void {
    const n = 2 * this.#capacity;
    this.#capacity = n;
    this.#deadline = widen(this.#deadline, new Float64Array(n));
    this.#armedAs = widen(this.#armedAs, new Float64Array(n));
    this.#hung = widen(this.#hung, new Float64Array(n));
    this.#hungAs = widen(this.#hungAs, new Float64Array(n));
    this.#child = widen(this.#child, new Int32Array(n));
    this.#sibling = widen(this.#sibling, new Int32Array(n));
    this.#before = widen(this.#before, new Int32Array(n));
    this.#home = widen(this.#home, new Int32Array(n));
  }
}

function widen<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Index of the lowest bit that is set in `word`, which is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
