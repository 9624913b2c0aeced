// Connections in TIME-WAIT as records of 92 octets: all that may still be asked of them is to say the last ACK again.
//
//   records  | #0 | #1 | #2 | ...     21 words each, and a deadline; free ones are linked
//   slots    hash -> record           open addressing, as in table.ts
//   order    earliest <-> ... <-> latest deadline, by links in the records
//
// A connection is folded into a record once it has nothing to send. A segment for it makes a connection of the record
// again, which takes the segment as any other does and is folded again: there is one machine, not two. The program's own
// object stays with the program; it asks here whether its TIME-WAIT goes on.

import type { SipKey } from '../base/siphash.ts';
import type { Cause } from '../base/state.ts';
import { Connection } from '../tcp/connection.ts';
import { NOTHING, whatToSend } from '../tcp/output.ts';
import { OFF } from '../tcp/timers.ts';
import { Address, putTuple } from '../wire/address.ts';
import type { Host } from './host.ts';
import type { Interface } from './interface.ts';
import { tupleHash } from './table.ts';

/** Words of a record: 0 to 3 our address, 4 to 7 the peer's, then these; the first nine are those of `putTuple`. */
const PORTS = 8;
const SND_NXT = 9;
const RCV_NXT = 10;
const RCV_ADV = 11;
const TS_RECENT = 12;
const MAX_WND = 13;
/** When the last challenge ACK and the last answer to an unacceptable segment were sent, whole ms; `NEVER` for not yet. */
const CHALLENGE = 14;
const REFUSAL = 15;
const ID = 16;
/** Bits 0-3 and 4-7 the window scales, 8 timestamps, 9 SACK, 10 passive, 11-16 Diffserv, from 20 on the interface. */
const FLAGS = 17;
const HASH = 18;
const NEXT = 19;
const BEFORE = 20;
const WORDS = 21;

const NEVER = -0x80000000;
const SMALLEST = 16;
const NONE = -1;

/** The TIME-WAITs of one host. */
export class TimeWaits {
  /** Records in use. */
  size = 0;
  readonly #host: Host;
  readonly #key: SipKey;
  #words: Int32Array = new Int32Array(SMALLEST * WORDS);
  #deadlines: Float64Array = new Float64Array(SMALLEST);
  #slots: Int32Array = new Int32Array(2 * SMALLEST).fill(NONE);
  #used = 0;
  #free = NONE;
  #first = NONE;
  #last = NONE;
  /** What `list` has shown of records, so that it shows the same again. */
  readonly #shown: Map<number, Connection> = new Map();

  constructor(host: Host, key: SipKey) {
    this.#host = host;
    this.#key = key;
  }

  /** When the next of them ends; `Infinity` for never. */
  get nextDeadline(): number {
    return this.#first === NONE ? OFF : this.#deadlines[this.#first]!;
  }

  // --- folding ---

  /** Whether a connection in TIME-WAIT has nothing to say, so that a record will do. */
  static isReady(c: Connection): boolean {
    return !c.folded && !c.inWaiting && whatToSend(c) === NOTHING;
  }

  /** Makes a record of a connection, which leaves the host's table. */
  fold(c: Connection): void {
    const host = this.#host;
    if (this.size >= host.profile.timeWaitMax && this.#first !== NONE) {
      // The oldest: its peer has had the most time to repeat its FIN.
      host.counts.timeWaitsCut++;
      this.#end(this.#first, 'ABORT');
    }
    host.table.remove(c);
    const row = this.#take();
    const w = this.#words;
    const at = row * WORDS;
    const { snd, rcv, addressing } = c;
    putTuple(w, at, addressing.local, addressing.localPort, addressing.remote, addressing.remotePort);
    w[at + SND_NXT] = snd.nxt;
    w[at + RCV_NXT] = rcv.nxt;
    w[at + RCV_ADV] = rcv.adv;
    w[at + TS_RECENT] = rcv.tsRecent;
    w[at + MAX_WND] = snd.maxWnd;
    w[at + CHALLENGE] = whole(c.rare.lastChallenge);
    w[at + REFUSAL] = whole(c.rare.lastRefusal);
    w[at + ID] = c.id;
    w[at + FLAGS] =
      snd.scale |
      (rcv.scale << 4) |
      (snd.tsOk ? 0x100 : 0) |
      (snd.sackOk ? 0x200 : 0) |
      (c.passive ? 0x400 : 0) |
      (c.diffserv << 11) |
      (c.interfaceIndex << 20);
    w[at + HASH] = tupleHash(this.#key, w[at + 3]!, w[at + 4]!, w[at + 5]!, w[at + 6]!, w[at + 7]!, w[at + PORTS]!);
    this.#deadlines[row] = c.timers.timeWait;
    this.#place(row);
    this.#enqueue(row);
    c.folded = true;
  }

  /** The connection of a four-tuple, made of its record again; `null` when there is none. */
  unfold(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    localPort: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    remotePort: number,
  ): Connection | null {
    const row = this.#find(l0, l1, l2, l3, localPort, r0, r1, r2, r3, remotePort);
    if (row === NONE) return null;
    const c = this.#shown.get(this.#words[row * WORDS + ID]!) ?? this.#connection(row);
    this.#back(c, row);
    return c;
  }

  /** Whether this four-tuple is in TIME-WAIT as a record. */
  has(local: Address, localPort: number, remote: Address, remotePort: number): boolean {
    return this.#at(local, localPort, remote, remotePort) !== NONE;
  }

  /** Whether the TIME-WAIT of a connection that was folded goes on. */
  goesOn(c: Connection): boolean {
    const row = this.#rowOf(c);
    if (row !== NONE) return this.#words[row * WORDS + ID] === c.id;
    return this.#standIn(c) !== null;
  }

  /** The program has a command for a connection that was folded: this very object takes its record's place. */
  reclaim(c: Connection): void {
    const row = this.#rowOf(c);
    if (row !== NONE) {
      if (this.#words[row * WORDS + ID] === c.id) this.#back(c, row);
      return;
    }
    const other = this.#standIn(c);
    if (other === null) return;
    this.#host.table.remove(other);
    other.folded = true;
    c.folded = false;
    c.arm().timeWait = other.timers.timeWait;
    this.#host.table.add(c);
  }

  /** The connection that a record of `c` has become, while it is one. */
  #standIn(c: Connection): Connection | null {
    const { local, localPort, remote, remotePort } = c.addressing;
    const other = this.#host.table.at(local, localPort, remote, remotePort);
    return other !== null && other !== c && other.id === c.id ? other : null;
  }

  /** All of them as connections; the same objects each time. */
  list(): Connection[] {
    const all: Connection[] = [];
    for (let row = this.#first; row !== NONE; row = this.#words[row * WORDS + NEXT]!) {
      const id = this.#words[row * WORDS + ID]!;
      let c = this.#shown.get(id);
      if (c === undefined) {
        c = this.#connection(row);
        this.#shown.set(id, c);
      }
      all.push(c);
    }
    return all;
  }

  // --- the end ---

  /** Ends those whose time has passed. */
  expire(now: number): void {
    const { trace, name } = this.#host;
    while (this.#first !== NONE && this.#deadlines[this.#first]! <= now) {
      const conn = this.#words[this.#first * WORDS + ID]!;
      if (trace !== null) trace({ type: 'timer', at: now, host: name, conn, timer: '2msl', count: 1 });
      this.#end(this.#first, '2MSL timeout');
    }
  }

  /** Ends those that leave by an interface, or have its address; all of them without one. */
  endAll(i: Interface | null): void {
    let row = this.#first;
    while (row !== NONE) {
      const w = this.#words;
      const at = row * WORDS;
      const next = w[at + NEXT]!;
      const over = i === null || w[at + FLAGS]! >> 20 === i.index || i.has(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!);
      if (over) this.#end(row, 'error');
      row = next;
    }
  }

  #end(row: number, cause: Cause): void {
    const host = this.#host;
    const id = this.#words[row * WORDS + ID]!;
    const port = this.#words[row * WORDS + PORTS]! >>> 16;
    this.#drop(row);
    this.#shown.delete(id);
    host.ports.release(port);
    host.counters.moved('TIME-WAIT', 'CLOSED', cause);
    if (host.trace === null) return;
    host.trace({ type: 'state', at: host.now, host: host.name, conn: id, from: 'TIME-WAIT', to: 'CLOSED', cause });
  }

  // --- records ---

  /** What a record says, as a connection that is folded. */
  #connection(row: number): Connection {
    const w = this.#words;
    const at = row * WORDS;
    const host = this.#host;
    const flags = w[at + FLAGS]!;
    const local = new Address(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!);
    const remote = new Address(w[at + 4]!, w[at + 5]!, w[at + 6]!, w[at + 7]!);
    const ports = w[at + PORTS]!;
    const addressing = host.addressing(1500, local, ports >>> 16, remote, ports & 0xffff);
    const c = new Connection(host, w[at + ID]!, addressing, (flags & 0x400) !== 0);
    const { snd, rcv } = c;
    snd.nxt = w[at + SND_NXT]!;
    snd.una = snd.nxt;
    // A connection without octets would have had these numbers.
    snd.base = (snd.nxt - 1) | 0;
    snd.iss = (snd.nxt - 2) | 0;
    snd.finQueued = true;
    snd.maxWnd = w[at + MAX_WND]!;
    snd.scale = flags & 15;
    snd.tsOk = (flags & 0x100) !== 0;
    snd.sackOk = (flags & 0x200) !== 0;
    snd.tsOffset = host.timestampOffset(c);
    rcv.nxt = w[at + RCV_NXT]!;
    rcv.irs = (rcv.nxt - 2) | 0;
    rcv.adv = w[at + RCV_ADV]!;
    rcv.lastAckSent = rcv.nxt;
    rcv.scale = (flags >> 4) & 15;
    rcv.finSeen = true;
    rcv.finSeq = (rcv.nxt - 1) | 0;
    rcv.finished = true;
    c.adopt('TIME-WAIT');
    const diffserv = (flags >> 11) & 63;
    if (diffserv !== 0) c.ownRare().diffserv = diffserv;
    host.route(c);
    if (c.interfaceIndex < 0) c.interfaceIndex = flags >> 20;
    c.closeAnnounced = true;
    c.accepted = true;
    c.folded = true;
    this.#refresh(c, row);
    return c;
  }

  /** What may have changed since a connection was folded, or shown. */
  #refresh(c: Connection, row: number): void {
    const w = this.#words;
    const at = row * WORDS;
    c.rcv.tsRecent = w[at + TS_RECENT]!;
    c.rcv.tsRecentAt = Math.floor(this.#host.now / 1000);
    const challenge = w[at + CHALLENGE]!;
    const refusal = w[at + REFUSAL]!;
    if (challenge !== NEVER) c.ownRare().lastChallenge = challenge;
    if (refusal !== NEVER) c.ownRare().lastRefusal = refusal;
    c.arm().timeWait = this.#deadlines[row]!;
  }

  /** A connection takes its record's place in the host's table. */
  #back(c: Connection, row: number): void {
    this.#refresh(c, row);
    this.#shown.delete(c.id);
    this.#drop(row);
    c.folded = false;
    this.#host.table.add(c);
    this.#host.touch(c);
  }

  #rowOf(c: Connection): number {
    const { local, localPort, remote, remotePort } = c.addressing;
    return this.#at(local, localPort, remote, remotePort);
  }

  #at(local: Address, localPort: number, remote: Address, remotePort: number): number {
    const { w0, w1, w2, w3 } = local;
    return this.#find(w0, w1, w2, w3, localPort, remote.w0, remote.w1, remote.w2, remote.w3, remotePort);
  }

  #find(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    localPort: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    remotePort: number,
  ): number {
    if (this.size === 0) return NONE;
    const w = this.#words;
    const ports = (localPort << 16) | remotePort;
    const hash = tupleHash(this.#key, l3, r0, r1, r2, r3, ports);
    const mask = this.#slots.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const row = this.#slots[i]!;
      if (row === NONE) return NONE;
      const at = row * WORDS;
      if (w[at + HASH] !== hash || w[at + PORTS] !== ports) continue;
      const sameRemote = w[at + 7] === r3 && w[at + 6] === r2 && w[at + 5] === r1 && w[at + 4] === r0;
      if (sameRemote && w[at + 3] === l3 && w[at + 2] === l2 && w[at + 1] === l1 && w[at] === l0) return row;
    }
  }

  /** A free record. */
  #take(): number {
    this.size++;
    const free = this.#free;
    if (free !== NONE) {
      this.#free = this.#words[free * WORDS + NEXT]!;
      return free;
    }
    if (this.#used === this.#deadlines.length) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const count = 2 * this.#deadlines.length;
    const words = new Int32Array(count * WORDS);
    words.set(this.#words);
    this.#words = words;
    const deadlines = new Float64Array(count);
    deadlines.set(this.#deadlines);
    this.#deadlines = deadlines;
    this.#slots = new Int32Array(2 * count).fill(NONE);
    for (let row = this.#first; row !== NONE; row = words[row * WORDS + NEXT]!) this.#place(row);
  }

  /** Puts a record into the slots. */
  #place(row: number): void {
    const mask = this.#slots.length - 1;
    let i = this.#words[row * WORDS + HASH]! & mask;
    while (this.#slots[i] !== NONE) i = (i + 1) & mask;
    this.#slots[i] = row;
  }

  /** Puts a record among the others by its deadline: at the end, unless the profile has changed meanwhile. */
  #enqueue(row: number): void {
    const w = this.#words;
    const deadline = this.#deadlines[row]!;
    let before = this.#last;
    while (before !== NONE && this.#deadlines[before]! > deadline) before = w[before * WORDS + BEFORE]!;
    const next = before === NONE ? this.#first : w[before * WORDS + NEXT]!;
    w[row * WORDS + BEFORE] = before;
    w[row * WORDS + NEXT] = next;
    if (before === NONE) this.#first = row;
    else w[before * WORDS + NEXT] = row;
    if (next === NONE) this.#last = row;
    else w[next * WORDS + BEFORE] = row;
  }

  /** Frees a record. */
  #drop(row: number): void {
    const w = this.#words;
    const before = w[row * WORDS + BEFORE]!;
    const next = w[row * WORDS + NEXT]!;
    if (before === NONE) this.#first = next;
    else w[before * WORDS + NEXT] = next;
    if (next === NONE) this.#last = before;
    else w[next * WORDS + BEFORE] = before;
    this.#unplace(row);
    w[row * WORDS + NEXT] = this.#free;
    this.#free = row;
    this.size--;
  }

  /** Takes a record out of the slots; what follows in the same run moves up where it may. */
  #unplace(row: number): void {
    const slots = this.#slots;
    const w = this.#words;
    const mask = slots.length - 1;
    let hole = w[row * WORDS + HASH]! & mask;
    while (slots[hole] !== row) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; slots[i] !== NONE; i = (i + 1) & mask) {
      const home = w[slots[i]! * WORDS + HASH]! & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      slots[hole] = slots[i]!;
      hole = i;
    }
    slots[hole] = NONE;
  }
}

function whole(at: number): number {
  return at === Number.NEGATIVE_INFINITY ? NEVER : Math.floor(at) | 0;
}
