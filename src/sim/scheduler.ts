// The event queue of a simulation: what happens next, with ties decided by the order of scheduling.

/** Something with a time. The scheduler writes both fields; the item lives in one scheduler at a time. */
export interface Scheduled {
  /** When it happens, ms. */
  at: number;
  /** Which of those at the same time comes first; unique within a scheduler. */
  order: number;
}

/**
 * A binary heap on (`at`, `order`).
 *
 * The second key makes ties exact: two items at the same time come out in the order in which they went
 * in, whatever the shape of the heap, so a run is the same run on every engine.
 */
export class Scheduler<T extends Scheduled> {
  #heap: T[] = [];
  #order = 0;

  /** Number of items waiting. */
  get size(): number {
    return this.#heap.length;
  }

  /** The time of the next item, ms; `Infinity` when there is none. */
  get nextAt(): number {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0]!.at;
  }

  /** Schedules `item` at `at` (ms). A time that is not a number is a `RangeError`: it would sort nowhere. */
  push(item: T, at: number): void {
    if (Number.isNaN(at)) throw new RangeError('an event needs a time');
    item.at = at;
    item.order = this.#order++;
    const heap = this.#heap;
    let i = heap.length;
    heap.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const p = heap[parent]!;
      if (before(p, item)) break;
      heap[i] = p;
      i = parent;
    }
    heap[i] = item;
  }

  /** The next item, without taking it; `null` when there is none. */
  peek(): T | null {
    return this.#heap.length === 0 ? null : this.#heap[0]!;
  }

  /** Takes the next item; `null` when there is none. */
  pop(): T | null {
    const heap = this.#heap;
    if (heap.length === 0) return null;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return top;
  }

  /** Puts `item` at the root and lets it sink to its place. */
  #sink(item: T): void {
    const heap = this.#heap;
    const size = heap.length;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child++;
      const c = heap[child]!;
      if (before(item, c)) break;
      heap[i] = c;
      i = child;
    }
    heap[i] = item;
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
