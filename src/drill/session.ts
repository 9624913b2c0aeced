// One script of the judge: a fresh host, its virtual clock, and the requests that drive both.

import { RxMeta, TxMeta } from '../base/packet.ts';
import type { Tracer } from '../base/trace.ts';
import { fastOpen, Host, type Interface, superSegments } from '../host/index.ts';
import { type Answer, type Call, Calls, errnoOf } from './calls.ts';
import { E } from './errno.ts';
import {
  ascii,
  BLOCKED,
  COMPLETE,
  OP,
  PACKET,
  RESULT,
  Reader,
  type Reply,
  type Request,
  writeReply,
} from './frames.ts';
import { DEFAULT_BUFFER } from './options.ts';
import { PROFILES, profileName, type WritableProfile } from './profiles.ts';
import { type SystemEnv, system } from './system.ts';

/** The host's clock when the script begins, ms: nothing has happened for a while. */
const START = 100_000;
/** Room for the largest IP packet. */
const PACKET_ROOM = 65_536;
/** Turns at one moment after which a host is said to spin. */
const SPIN = 10_000;

/** A blocked call, and the request it answers. */
interface Waiting {
  readonly call: Call;
  readonly seq: number;
}

/** Serves the requests of one script. */
export class Session {
  readonly #trace: Tracer | null;
  #host: Host | null = null;
  #interface: Interface | null = null;
  #calls: Calls | null = null;
  #system: SystemEnv | null = null;
  #waiting: Waiting | null = null;
  /** Microseconds of the judge's clock at `START`. */
  #epoch = 0;
  /** The judge's clock. */
  #now = 0;
  #out: Uint8Array[] = [];
  readonly #rx: RxMeta = new RxMeta();
  readonly #tx: TxMeta = new TxMeta();
  readonly #buffer: Uint8Array = new Uint8Array(PACKET_ROOM);

  /** @param trace told what the host of the script does */
  constructor(trace: Tracer | null = null) {
    this.#trace = trace;
  }

  /** The host of the script; `null` before HELLO. */
  get host(): Host | null {
    return this.#host;
  }

  /** Its sockets; `null` before HELLO. */
  get calls(): Calls | null {
    return this.#calls;
  }

  /** Answers one request: frames to send back, in order. Throws for what only a broken judge sends. */
  request(q: Request): Uint8Array[] {
    this.#out = [];
    if (q.op === OP.HELLO) {
      this.#hello(q);
      this.#reply(RESULT, q.seq, 1, 0, null);
      return this.#out;
    }
    const host = this.#host;
    if (host === null) throw new Error('a request before HELLO');
    this.#advance(q.now);
    const r = new Reader(q.body);
    switch (q.op) {
      case OP.BYE:
        this.#reply(RESULT, q.seq, 0, 0, null);
        break;
      case OP.ADVANCE:
        this.#runUntil(r.i64(), 0);
        this.#reply(RESULT, q.seq, 0, 0, null);
        break;
      case OP.RUN: {
        const limit = r.i64();
        this.#runUntil(limit, r.u8());
        this.#reply(RESULT, q.seq, 0, 0, null);
        break;
      }
      case OP.INJECT:
        this.#inject(host, q.body);
        this.#reply(RESULT, q.seq, 0, 0, null);
        break;
      default:
        this.#command(q, r);
    }
    return this.#out;
  }

  #hello(q: Request): void {
    const settings = readHello(ascii(q.body));
    this.#epoch = q.now;
    this.#now = q.now;
    const key = Uint8Array.from({ length: 16 }, (_, i) => i * 17 + 3);
    const traced = this.#trace === null ? {} : { trace: this.#trace };
    const name = profileName(settings.flags);
    const host = new Host({ name: 'drill', key, fastOpen, superSegments, profile: PROFILES[name], ...traced });
    host.tick(START);
    this.#interface = host.addInterface({
      medium: 'ip',
      mtu: settings.mtu,
      addresses: [settings.local],
      gateways: [settings.remote],
    });
    this.#host = host;
    // The record belongs to this host alone, and scripts change settings while it runs.
    const profile = host.profile as WritableProfile;
    const env = {
      host,
      profile,
      bsd: name === 'freebsd',
      receiveSpace: name === 'freebsd' ? profile.receiveBuffer : DEFAULT_BUFFER,
      keepIdle: 7200,
      keepInterval: 75,
      keepCount: 9,
      recent: false,
    };
    this.#calls = new Calls(env);
    this.#system = env;
  }

  // --- time ---

  #ms(micros: number): number {
    return START + (micros - this.#epoch) / 1000;
  }

  /** Rounded up, so that a timer never fires early. */
  #micros(ms: number): number {
    return this.#epoch + Math.ceil((ms - START) * 1000 - 0.001);
  }

  #advance(micros: number): void {
    if (micros > this.#now) this.#now = micros;
    this.#host?.tick(this.#ms(this.#now));
  }

  /** Fires timers in order up to `limit`; `until` 1 stops after a packet, 2 after a completion, 0 goes to the limit. */
  #runUntil(limit: number, until: number): void {
    const host = this.#host;
    if (host === null) return;
    let spins = 0;
    for (;;) {
      const due = Math.min(host.nextDeadline(), this.#waiting?.call.deadline ?? Infinity);
      const at = due === Infinity ? Infinity : Math.max(this.#micros(due), this.#now);
      if (at > limit) break;
      spins = at > this.#now ? 0 : spins + 1;
      if (spins > SPIN) throw new Error(`the host spins at ${this.#now}`);
      this.#advance(at);
      host.timersFire(Math.max(due, host.now));
      const produced = this.#settle();
      if ((until & produced) !== 0) return;
    }
    if (until === 0) this.#advance(limit);
  }

  /**
   * Delivers events, sends what there is and finishes the blocked call, until nothing happens any more.
   *
   * @returns 1 when packets were sent, 2 when a call was completed, 3 for both
   */
  #settle(): number {
    const host = this.#host;
    if (host === null) return 0;
    let produced = 0;
    for (;;) {
      while (host.deliver());
      this.#calls?.refresh();
      if (this.#pump(host)) produced |= 1;
      else if (this.#complete()) produced |= 2;
      else break;
    }
    return produced;
  }

  #pump(host: Host): boolean {
    const i = this.#interface;
    if (i === null) return false;
    let any = false;
    for (;;) {
      const length = host.transmit(i, this.#buffer, 0, this.#tx, host.now);
      if (length === 0) return any;
      any = true;
      const packet = this.#buffer.slice(0, length);
      this.#push({ kind: PACKET, seq: 0, time: this.#now, ret: 0, errno: 0, payload: packet });
    }
  }

  #complete(): boolean {
    const waiting = this.#waiting;
    const host = this.#host;
    if (waiting === null || host === null) return false;
    const { call, seq } = waiting;
    const outcome = evaluate(() => call.attempt() ?? (host.now >= call.deadline ? call.timedOut() : null));
    if (outcome === null) return false;
    this.#waiting = null;
    this.#reply(COMPLETE, seq, outcome.ret, outcome.errno, outcome.payload);
    return true;
  }

  // --- packets ---

  #inject(host: Host, packet: Uint8Array): void {
    const i = this.#interface;
    if (i === null) return;
    this.#rx.reset();
    host.receive(i, packet, 0, packet.length, this.#rx, host.now);
    this.#settle();
  }

  // --- calls ---

  #command(q: Request, r: Reader): void {
    const outcome = evaluate(() => {
      const result = this.#dispatch(q, r);
      if (result === null || !('attempt' in result)) return result;
      const answer = result.attempt();
      if (answer !== null) return answer;
      if (result.blocking) {
        this.#waiting = { call: result, seq: q.seq };
        return null;
      }
      return notNow(q.op, result);
    });
    this.#settleCall(q, outcome);
  }

  #settleCall(q: Request, outcome: Outcome | null): void {
    if (outcome === null) {
      const { seq } = q;
      // What the call has done so far may make output, and that output may be what it waits for.
      const waiting = this.#waiting;
      this.#waiting = null;
      this.#settle();
      this.#waiting = waiting;
      const again = waiting === null ? null : evaluate(() => waiting.call.attempt());
      if (again === null) {
        this.#reply(BLOCKED, seq, 0, 0, null);
        return;
      }
      this.#waiting = null;
      this.#settle();
      this.#reply(RESULT, seq, again.ret, again.errno, again.payload);
      return;
    }
    this.#settle();
    this.#reply(RESULT, q.seq, outcome.ret, outcome.errno, outcome.payload);
  }

  #dispatch(q: Request, r: Reader): Answer | Call | null {
    const calls = this.#calls;
    const env = this.#system;
    if (calls === null || env === null) return null;
    const { fd } = q;
    switch (q.op) {
      case OP.SYSTEM:
        return { ret: system(env, ascii(q.body)), payload: null };
      case OP.SOCKET:
        return calls.socket(r);
      case OP.BIND:
        return calls.bind(fd, r);
      case OP.LISTEN:
        return calls.listen(fd, r);
      case OP.ACCEPT:
        return calls.accept(fd);
      case OP.CONNECT:
        return calls.connect(fd, r);
      case OP.RECV:
        return calls.receive(fd, r);
      case OP.SEND:
        return calls.send(fd, r);
      case OP.FCNTL:
        return calls.fcntl(fd, r);
      case OP.IOCTL:
        return calls.ioctl(fd, r);
      case OP.CLOSE:
        return calls.close(fd);
      case OP.SHUTDOWN:
        return calls.shutdown(fd, r);
      case OP.GETSOCKOPT:
        return calls.getsockopt(fd, r);
      case OP.SETSOCKOPT:
        return calls.setsockopt(fd, r);
      case OP.POLL:
        return calls.poll(r);
      case OP.EPOLL_CREATE:
        return calls.epollCreate();
      case OP.EPOLL_CTL:
        return calls.epollControl(fd, r);
      case OP.EPOLL_WAIT:
        return calls.epollWait(fd, r);
      default:
        return { ret: -E.ENOSYS, payload: null };
    }
  }

  #reply(kind: Reply['kind'], seq: number, ret: number, errno: number, payload: Uint8Array | null): void {
    this.#push({ kind, seq, time: this.#now, ret, errno, payload });
  }

  #push(reply: Reply): void {
    this.#out.push(writeReply(reply));
  }
}

/** An answer, or the errno of a failure. */
interface Outcome {
  readonly ret: number;
  readonly errno: number;
  readonly payload: Uint8Array | null;
}

function evaluate(call: () => Answer | null): Outcome | null {
  try {
    const answer = call();
    if (answer === null) return null;
    if (answer.ret < -1) return { ret: -1, errno: -answer.ret, payload: null };
    return { ret: answer.ret, errno: 0, payload: answer.payload };
  } catch (error) {
    return { ret: -1, errno: errnoOf(error), payload: null };
  }
}

/** A call that may not wait and has to. */
function notNow(op: number, call: Call): Answer {
  if (op === OP.CONNECT) return { ret: -E.EINPROGRESS, payload: null };
  if (op === OP.POLL || op === OP.EPOLL_WAIT) return call.timedOut();
  return { ret: -E.EAGAIN, payload: null };
}

/** What HELLO says of the script's surroundings. */
interface Settings {
  flags: string;
  mtu: number;
  local: string;
  remote: string;
}

function readHello(text: string): Settings {
  let flags = '';
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const tab = line.indexOf('\t');
    const key = line.slice(0, tab);
    const value = line.slice(tab + 1).trim();
    if (key === 'flags') flags = value;
    if (key !== 'arg' && key !== 'script-option') continue;
    for (const word of value.split(/\s+/)) {
      const match = /^--([\w]+)=(.*)$/.exec(word);
      if (match !== null) options.set(match[1] ?? '', match[2] ?? '');
    }
  }
  const v6 = options.get('ip_version') === 'ipv6';
  const local = options.get('local_ip') ?? (v6 ? 'fd3d:0a0b:17d6::1' : '192.168.0.1');
  const remote = options.get('remote_ip') ?? (v6 ? 'fd3d:fa7b:d17d::1' : '192.0.2.1');
  const mtu = Number(options.get('mtu') ?? 1500);
  return { flags, mtu: mtu > 0 ? mtu : 1500, local: `${local}/${v6 ? 48 : 16}`, remote };
}
