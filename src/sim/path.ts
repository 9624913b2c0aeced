// One direction of a link: what leaves one host, and when and in which shape it reaches the other.
//
// Rules decide first, chance after them. Every kind of impairment draws from a stream of its own, and
// every packet draws once from each, so turning one knob (or adding a rule) leaves the fate that
// the other knobs deal to the packets of the same run as it was.

import type { Medium } from '../base/link.ts';
import type { Prng } from '../base/prng.ts';
import type { PathEvent, Tracer } from '../base/trace.ts';
import { type Impairments, PERFECT_PATH, withImpairments } from './impairments.ts';
import type { BufferPool } from './pool.ts';
import { PASS, PathPacket, type Rule, type RuleGuard, type Verdict } from './rules.ts';
import type { Scheduled } from './scheduler.ts';

/** A packet on its way. It owns `buffer` until it has arrived. */
export class Flight implements Scheduled {
  at = 0;
  order = 0;
  readonly path: Path;
  /** The packet is `buffer[0, length)`. */
  readonly buffer: Uint8Array;
  readonly length: number;
  readonly id: number;
  /** A bit of it was flipped. */
  readonly corrupted: boolean;

  constructor(path: Path, buffer: Uint8Array, length: number, id: number, corrupted: boolean) {
    this.path = path;
    this.buffer = buffer;
    this.length = length;
    this.id = id;
    this.corrupted = corrupted;
  }
}

/** Where a path puts what will arrive. */
export interface FlightQueue {
  push(flight: Flight, at: number): void;
}

/** What a path needs to be. */
export interface PathOptions {
  /** Shown in `PathEvent.link`, such as `'client>server'`. */
  readonly name: string;
  readonly medium: Medium;
  readonly impairments?: Partial<Impairments>;
  /** The path forks its own streams from it. */
  readonly prng: Prng;
  /** Where the buffers of packets in flight come from and go back to. */
  readonly pool: BufferPool;
  readonly queue: FlightQueue;
  readonly trace?: Tracer | null;
}

/** Counts of what a path did; every packet offered is in `sent`. */
export interface PathCounters {
  sent: number;
  arrived: number;
  lost: number;
  queueFull: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  marked: number;
}

/** Departures that do not take place. */
const LOST = -1;
const NO_ROOM = -2;

/** A one-way path with delay, chance and rules. */
export class Path {
  readonly name: string;
  readonly medium: Medium;
  readonly counters: PathCounters = {
    sent: 0,
    arrived: 0,
    lost: 0,
    queueFull: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    marked: 0,
  };
  #knobs: Impairments;
  readonly #pool: BufferPool;
  readonly #queue: FlightQueue;
  readonly #trace: Tracer | null;
  readonly #streams: Streams;
  readonly #view = new PathPacket();
  readonly #fate = { lost: false, twice: false, held: false, heldFor: 0, damaged: false, where: 0.5, jitter: 0.5 };
  #rules: InstalledRule[] = [];
  /** When the packet sent last has left the sender, for `rate`. */
  #busyUntil = 0;
  /** The latest ordinary arrival: jitter never overtakes it. */
  #lastArrival = 0;

  constructor(options: PathOptions) {
    this.name = options.name;
    this.medium = options.medium;
    this.#knobs = withImpairments(PERFECT_PATH, options.impairments ?? {});
    this.#pool = options.pool;
    this.#queue = options.queue;
    this.#trace = options.trace ?? null;
    this.#streams = forkStreams(options.prng);
  }

  /** The knobs as they stand. */
  get impairments(): Readonly<Impairments> {
    return this.#knobs;
  }

  /** Turns some knobs, in mid-flight too: packets on their way are not touched. `RangeError` as `withImpairments`. */
  impair(changes: Partial<Impairments>): void {
    // A shorter or faster path is another path: its first packet may overtake what is still on the old one.
    const { delay, rate } = this.#knobs;
    this.#knobs = withImpairments(this.#knobs, changes);
    if (this.#knobs.delay !== delay || this.#knobs.rate !== rate) {
      this.#lastArrival = 0;
      this.#busyUntil = 0;
    }
  }

  /** Installs a rule behind those that are there. The first rule whose verdict is not "pass" wins. */
  addRule(rule: Rule): RuleGuard {
    const installed: InstalledRule = {
      rule,
      hits: 0,
      remove: () => {
        this.#rules = this.#rules.filter((r) => r !== installed);
      },
    };
    this.#rules = [...this.#rules, installed];
    return installed;
  }

  /**
   * Takes a packet from its sender: `buffer[0, length)`. The buffer, lent by the pool, is the path's from
   * now on.
   */
  send(buffer: Uint8Array, length: number, id: number, now: number): void {
    const view = this.#view;
    view.set(buffer, length, this.medium, id, this.counters.sent++, now);
    const verdict = this.#judge(view);
    this.#draw(verdict.kind === 'pass' && !view.isArp);
    if (verdict.kind === 'drop') {
      this.#lose(buffer, id, now, 'lost');
    } else if (verdict.kind === 'deliver') {
      this.#tell('delayed', id, now);
      this.#queue.push(new Flight(this, buffer, length, id, false), now + verdict.delay);
    } else {
      this.#carry(view, verdict, now);
    }
  }

  /** What chance has in store for the packet in hand: all draws, whatever comes of them. */
  #draw(corruptible: boolean): void {
    const s = this.#streams;
    const k = this.#knobs;
    const fate = this.#fate;
    fate.lost = s.loss.nextFloat() < k.loss;
    fate.twice = s.duplicate.nextFloat() < k.duplicate;
    fate.held = s.reorder.nextFloat() < k.reorder;
    fate.heldFor = s.reorder.nextFloat() * k.reorderDelay;
    fate.damaged = s.corrupt.nextFloat() < k.corrupt && corruptible;
    fate.where = s.corrupt.nextFloat();
    fate.jitter = s.jitter.nextFloat() * k.jitter;
  }

  /** Lets a packet go the path's ordinary way, with what chance, or the verdict in its place, does to it. */
  #carry(view: PathPacket, verdict: Verdict, now: number): void {
    const { bytes: buffer, to: length, id } = view;
    const k = this.#knobs;
    const fate = this.#fate;
    const chance = verdict.kind === 'pass';
    const full = k.rate > 0 && ((this.#busyUntil - now) * k.rate) / 1000 > k.mark;
    const departure = length - view.ip > k.mtu ? LOST : this.#departure(length, now);
    if (departure === LOST || departure === NO_ROOM || (fate.lost && chance)) {
      this.#lose(buffer, id, now, departure === NO_ROOM ? 'queue-full' : 'lost');
      return;
    }
    if (full) this.#mark(view);
    const arrival = Math.max(departure + k.delay + fate.jitter, this.#lastArrival);
    this.#lastArrival = arrival;
    const copy = (chance ? fate.twice : verdict.kind === 'duplicate') ? this.#pool.lend() : null;
    if (copy !== null) copy.set(buffer.subarray(0, length));
    let corrupted = false;
    if (verdict.kind === 'corrupt') corrupted = this.#flip(view, verdict.bit, now);
    else if (fate.damaged) corrupted = this.#flip(view, Math.floor(fate.where * (length - view.ip) * 8), now);
    let at = arrival;
    if (fate.held && chance) {
      this.counters.reordered++;
      this.#tell('reordered', id, now);
      at += fate.heldFor;
    }
    this.#queue.push(new Flight(this, buffer, length, id, corrupted), at);
    if (copy !== null) {
      this.counters.duplicated++;
      this.#tell('duplicated', id, now);
      this.#queue.push(new Flight(this, copy, length, id, false), arrival);
    }
  }

  /** Gives the buffer of a flight that has arrived back to the pool. */
  release(flight: Flight): void {
    this.counters.arrived++;
    this.#pool.release(flight.buffer);
  }

  #judge(view: PathPacket): Verdict {
    for (const r of this.#rules) {
      const verdict = r.rule(view);
      if (verdict.kind !== 'pass') {
        r.hits++;
        return verdict;
      }
    }
    return PASS;
  }

  /** When the last bit has left the sender, or `NO_ROOM`. */
  #departure(length: number, now: number): number {
    const { rate, queue } = this.#knobs;
    if (rate === 0) return now;
    const start = Math.max(now, this.#busyUntil);
    const waiting = ((start - now) * rate) / 1000;
    if (waiting > 0 && waiting + length > queue) return NO_ROOM;
    this.#busyUntil = start + (length * 1000) / rate;
    return this.#busyUntil;
  }

  /** Marks a packet that says that it may be marked (RFC 3168 §5). */
  #mark(view: PathPacket): void {
    const { bytes, ip } = view;
    if (view.isArp) return;
    if (bytes[ip]! >> 4 === 6) {
      // The lowest two bits of the traffic class, which begins in the middle of the first octet.
      if ((bytes[ip + 1]! & 0x30) === 0) return;
      bytes[ip + 1]! |= 0x30;
    } else {
      const ecn = bytes[ip + 1]! & 3;
      if (ecn === 0) return;
      bytes[ip + 1]! |= 3;
      // RFC 1624: the header's checksum falls by what the word has gained.
      let sum = ((bytes[ip + 10]! << 8) | bytes[ip + 11]!) - (3 - ecn);
      if (sum < 0) sum += 0xffff;
      bytes[ip + 10] = sum >> 8;
      bytes[ip + 11] = sum & 0xff;
    }
    this.counters.marked++;
  }

  #flip(view: PathPacket, bit: number, now: number): boolean {
    const octet = view.ip + (bit >> 3);
    if (!(bit >= 0 && octet < view.to)) throw new RangeError(`a packet of ${view.to} octets has no bit ${bit}`);
    view.bytes[octet]! ^= 0x80 >> (bit & 7);
    this.counters.corrupted++;
    this.#tell('corrupted', view.id, now);
    return true;
  }

  #lose(buffer: Uint8Array, id: number, now: number, verdict: 'lost' | 'queue-full'): void {
    if (verdict === 'lost') this.counters.lost++;
    else this.counters.queueFull++;
    this.#tell(verdict, id, now);
    this.#pool.release(buffer);
  }

  #tell(verdict: PathEvent['verdict'], id: number, now: number): void {
    if (this.#trace !== null) this.#trace({ type: 'path', at: now, link: this.name, packet: id, verdict });
  }
}

interface InstalledRule extends RuleGuard {
  rule: Rule;
  hits: number;
}

/** One stream of chance per kind of impairment. */
interface Streams {
  readonly loss: Prng;
  readonly duplicate: Prng;
  readonly reorder: Prng;
  readonly corrupt: Prng;
  readonly jitter: Prng;
}

function forkStreams(prng: Prng): Streams {
  return {
    loss: prng.fork(1),
    duplicate: prng.fork(2),
    reorder: prng.fork(3),
    corrupt: prng.fork(4),
    jitter: prng.fork(5),
  };
}
