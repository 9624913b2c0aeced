// The runner's side of the agent's protocol: requests go to a session in the same program, and replies are read back.

import type { Tracer } from '../../base/trace.ts';
import { COMPLETE, OP, PACKET, REPLY_HEADER, view } from '../frames.ts';
import { Session } from '../session.ts';
import { type Actual, readActual } from './actual.ts';
import { textOctets } from './values.ts';

/** The judge's clock when a script begins, microseconds. */
const EPOCH = 1_000_000_000;
/** How long the runner waits for anything: a day. */
const PATIENCE = 86_400_000_000;

/** What a call gave. `errno` is Linux's, 0 when there was no error. */
export interface Returned {
  readonly ret: number;
  readonly errno: number;
  readonly payload: Uint8Array;
  /** Microseconds since the beginning of the script. */
  readonly time: number;
}

/** A session, and what came of it that the script has not asked for yet. */
export class AgentLink {
  readonly session: Session;
  /** The clock, microseconds since the beginning of the script. */
  now = 0;
  /** Packets that no event has matched yet, oldest first. */
  readonly packets: Actual[] = [];
  #seq = 0;
  #blocked = -1;
  #completed: Returned | null = null;

  /** Opens the session. `args` are packetdrill's own options. */
  constructor(profile: string, args: readonly string[], trace: Tracer) {
    this.session = new Session(trace);
    const lines = [`flags\tsynfin,profile=${profile}`, ...args.map((arg) => `arg\t${arg}`)];
    this.#request(OP.HELLO, -1, textOctets(lines.join('\n')));
  }

  /** A call is blocked. */
  get isBlocked(): boolean {
    return this.#blocked >= 0;
  }

  /** Lets time pass until `time`; what is due on the way happens at its own time. */
  advance(time: number): void {
    if (time <= this.now) return;
    this.#request(OP.ADVANCE, -1, micros(EPOCH + time));
    this.now = time;
  }

  /** Lets time pass until a packet leaves. `false` when nothing more would ever happen. */
  runUntilPacket(): boolean {
    for (;;) {
      if (this.packets.length > 0) return true;
      const before = this.#completed;
      this.#request(OP.RUN, -1, run(EPOCH + this.now + PATIENCE, 1));
      if (this.packets.length === 0 && this.#completed === before) return false;
    }
  }

  /** Lets time pass until the blocked call returns; `null` when it never would. */
  runUntilReturn(): Returned | null {
    if (this.#completed === null) this.#request(OP.RUN, -1, run(EPOCH + this.now + PATIENCE, 2));
    return this.takeReturned();
  }

  /** What the blocked call gave, if it has returned. */
  takeReturned(): Returned | null {
    const done = this.#completed;
    if (done !== null) this.#blocked = -1;
    this.#completed = null;
    return done;
  }

  /** A packet arrives now. */
  inject(packet: Uint8Array): void {
    this.#request(OP.INJECT, -1, packet);
  }

  /** A shell line. */
  system(text: string): number {
    return this.#request(OP.SYSTEM, -1, textOctets(text))?.ret ?? 1;
  }

  /** A call; `null` when it is blocked. */
  call(op: number, fd: number, body: Uint8Array): Returned | null {
    return this.#request(op, fd, body);
  }

  #request(op: number, fd: number, body: Uint8Array): Returned | null {
    const seq = ++this.#seq;
    let result: Returned | null = null;
    for (const frame of this.session.request({ op, seq, now: EPOCH + this.now, fd, body })) {
      const v = view(frame);
      const time = Number(v.getBigInt64(12, true)) - EPOCH;
      const payload = frame.subarray(REPLY_HEADER);
      const kind = v.getUint8(4);
      if (kind === PACKET) {
        this.packets.push(readActual(payload, time));
        continue;
      }
      const returned = { ret: Number(v.getBigInt64(20, true)), errno: v.getInt32(28, true), payload, time };
      if (kind === COMPLETE) this.#completed = returned;
      else if (kind === 0) result = returned;
      else this.#blocked = seq;
      this.now = Math.max(this.now, time);
    }
    return result;
  }
}

function micros(value: number): Uint8Array {
  const out = new Uint8Array(8);
  view(out).setBigInt64(0, BigInt(value), true);
  return out;
}

function run(limit: number, until: number): Uint8Array {
  const out = new Uint8Array(9);
  out.set(micros(limit));
  out[8] = until;
  return out;
}
