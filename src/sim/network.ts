// A network of hosts in virtual time: it owns the clock, the links and the loop that drives every host.
//
// The loop is the owner's loop of `docs/architecture.md` §3. After every input all hosts are settled:
// handlers run until there are no more events, links are pumped until nobody has anything to send; only
// then does time move, to the next arrival, call or deadline, whichever is first. Ties: arrivals and calls
// in the order of scheduling, then deadlines in the order of the hosts.

import { type Medium, PLAIN_LINK } from '../base/link.ts';
import { RxMeta, TxMeta } from '../base/packet.ts';
import { Prng } from '../base/prng.ts';
import type { Profile } from '../base/profile.ts';
import type { TraceEvent, Tracer } from '../base/trace.ts';
import { ethernet, fastOpen, Host, superSegments } from '../host/index.ts';
import { VirtualClock } from './clock.ts';
import { Digest, labelOf } from './digest.ts';
import type { Impairments } from './impairments.ts';
import { type Capture, type CapturedPacket, LinkEnd, SimLink } from './link.ts';
import type { HostLike } from './owner.ts';
import { type Flight, Path } from './path.ts';
import { BufferPool } from './pool.ts';
import { type Scheduled, Scheduler } from './scheduler.ts';

/** How a network is made. */
export interface NetworkOptions {
  /** Everything that is left to chance follows from it: host keys, and with them ISNs, and every path. */
  readonly seed: number;
  /** Overlay on the default profile, for every host. */
  readonly profile?: Partial<Profile>;
  /** Told everything that hosts and paths tell, in order. With a tracer the digest covers the events too. */
  readonly trace?: Tracer | null;
}

/** How a host of a network is made. */
export interface NetworkHostOptions {
  /** Addresses of its interfaces, such as `'10.0.0.1/24'`; a link may name others. */
  readonly addresses?: string[];
  /** Overlay on the network's profile. */
  readonly profile?: Partial<Profile>;
}

/** Two directions with knobs of their own. */
export interface TwoWays {
  readonly aToB?: Partial<Impairments>;
  readonly bToA?: Partial<Impairments>;
}

/** How a link is made. */
export interface LinkOptions {
  /** `'ip'` unless said otherwise. */
  readonly medium?: Medium;
  /** Largest IP packet of the interfaces, 1500 unless said otherwise. A path's `mtu` knob is another thing. */
  readonly mtu?: number;
  /** Addresses of the ends, in place of those of the hosts. */
  readonly addressesA?: string[];
  readonly addressesB?: string[];
  readonly gatewaysA?: string[];
  readonly gatewaysB?: string[];
}

/** How long to run; without any of these until nothing is left to happen. */
export interface RunOptions {
  /** Stop when the clock reaches this (ms); it then shows exactly this. */
  readonly until?: number;
  /** Run until nothing is left to happen, which is also what happens without options. */
  readonly idle?: true;
  /** Stop as soon as this is true; asked before every event. */
  readonly when?: () => boolean;
  /** Events after which the run is taken for endless and an `Error` is thrown. */
  readonly maxEvents?: number;
}

/** A bound for runs that name none: minutes of real time, so no honest test meets it. */
const MAX_EVENTS = 20_000_000;
/** Events at one instant, and packets pumped at one instant, before time is said to stand still. */
const MAX_AT_ONCE = 200_000;
/** Layer 2 in front of a packet, and some room that finds hosts which write too far. */
const HEADROOM = 14;

/** A host and the ends of the links plugged into it. */
interface Node {
  readonly name: string;
  readonly host: HostLike;
  readonly addresses: string[];
  readonly ends: LinkEnd[];
}

/** A call of the program's own at a time of its choosing. */
class Call implements Scheduled {
  at = 0;
  order = 0;
  run: (() => void) | null;

  constructor(run: () => void) {
    this.run = run;
  }
}

/**
 * Hosts, links and a clock that jumps from event to event.
 *
 * @example
 * const network = new Network({ seed: 7 });
 * const a = network.host('a', { addresses: ['10.0.0.1/24'] });
 * const b = network.host('b', { addresses: ['10.0.0.2/24'] });
 * network.connect(a, b, { delay: 20, loss: 0.03 });
 * b.listen({ port: 80 }, (stream) => stream.shutdown());
 * a.connect({ address: '10.0.0.2', port: 80 });
 * network.run();
 */
export class Network {
  readonly #clock = new VirtualClock();
  readonly #queue = new Scheduler<Flight | Call>();
  readonly #prng: Prng;
  readonly #profile: Partial<Profile>;
  readonly #user: Tracer | null;
  readonly #digest = new Digest();
  readonly #nodes: Node[] = [];
  readonly #links: SimLink[] = [];
  /** Where a path leads. */
  readonly #targets = new Map<Path, LinkEnd>();
  readonly #rx = new RxMeta();
  readonly #tx = new TxMeta();
  #captures: Capture[] = [];
  #hooks: (() => void)[] = [];
  #packets = 0;
  #events = 0;
  #atOnce = 0;
  #running = false;

  constructor(options: NetworkOptions) {
    this.#prng = new Prng(options.seed);
    this.#profile = options.profile ?? {};
    this.#user = options.trace ?? null;
  }

  /** Virtual time, ms. */
  get now(): number {
    return this.#clock.now;
  }

  /** Events since the beginning: arrivals, calls and timers. */
  get events(): number {
    return this.#events;
  }

  /** Packets hosts have sent since the beginning; the last one's id. */
  get packets(): number {
    return this.#packets;
  }

  /** Packets on their way now. */
  get inFlight(): number {
    let lent = 0;
    for (const link of this.#links) lent += link.pool.lent;
    return lent;
  }

  /** The hosts, in the order in which they came. */
  get hosts(): readonly HostLike[] {
    return this.#nodes.map((node) => node.host);
  }

  /**
   * Fingerprint of the run so far: 16 hexadecimal digits over every packet (bytes, time, fate) and, when
   * there is a tracer, every event. Two runs with one digest are the same run.
   */
  get digest(): string {
    return this.#digest.hex;
  }

  /** Makes a host. Its key follows from the seed and its name; a name is used once (`RangeError`). */
  host(name: string, options: NetworkHostOptions = {}): Host {
    const key = new Uint8Array(32);
    this.#prng.fork(labelOf(`key of ${name}`)).fill(key);
    const host = new Host({
      name,
      key,
      ethernet,
      fastOpen,
      superSegments,
      profile: { ...this.#profile, ...options.profile },
      trace: this.#user === null ? null : (event) => this.#tell(event),
    });
    return this.add(name, host, options.addresses);
  }

  /** Puts something that behaves like a host on the network: a scripted peer, a toy, another stack. */
  add<H extends HostLike>(name: string, host: H, addresses: string[] = []): H {
    if (this.#nodes.some((node) => node.name === name)) throw new RangeError(`there is a host '${name}' already`);
    this.#nodes.push({ name, host: host, addresses, ends: [] });
    host.tick(this.now);
    return host;
  }

  /**
   * Puts a link between two hosts of this network.
   *
   * @param impairments knobs for both directions, or for each
   */
  connect(
    a: HostLike,
    b: HostLike,
    impairments: Partial<Impairments> | TwoWays = {},
    options: LinkOptions = {},
  ): SimLink {
    const nodeA = this.#node(a);
    const nodeB = this.#node(b);
    const index = this.#links.length;
    const medium = options.medium ?? 'ip';
    const mtu = options.mtu ?? 1500;
    const pool = new BufferPool(mtu + HEADROOM);
    const twoWays = splitWays(impairments);
    const path = (from: Node, to: Node, knobs: Partial<Impairments>, way: string) =>
      new Path({
        name: `${from.name}>${to.name}`,
        medium,
        impairments: knobs,
        prng: this.#prng.fork(labelOf(`link ${index} ${way}`)),
        pool,
        queue: this.#queue,
        trace: (event) => this.#tell(event),
      });
    const aToB = path(nodeA, nodeB, twoWays.aToB ?? {}, 'a>b');
    const bToA = path(nodeB, nodeA, twoWays.bToA ?? {}, 'b>a');
    const end = (node: Node, out: Path, side: number, addresses?: string[], gateways?: string[]): LinkEnd => {
      const handle = node.host.addInterface({
        name: `link${index}`,
        medium,
        mtu,
        mac: medium === 'ethernet' ? macOf(index, side) : null,
        caps: PLAIN_LINK,
        addresses: addresses ?? node.addresses,
        gateways: gateways ?? [],
      });
      const made = new LinkEnd(node.host, handle, out, pool);
      node.ends.push(made);
      return made;
    };
    const endA = end(nodeA, aToB, 0, options.addressesA, options.gatewaysA);
    const endB = end(nodeB, bToA, 1, options.addressesB, options.gatewaysB);
    const link = new SimLink(medium, mtu, endA, endB, pool, (out, bytes) => this.#inject(out, pool, bytes));
    this.#targets.set(aToB, endB);
    this.#targets.set(bToA, endA);
    this.#links.push(link);
    return link;
  }

  /**
   * Tells the time without letting anything happen, for owners that follow a real clock: commands given next count from
   * it. It stops short of the next arrival or call, which `run` makes happen; a time that has passed is a no-op.
   */
  tick(time: number): void {
    const to = Math.min(time, this.#queue.nextAt);
    if (!this.#running && to > this.now) this.#advance(to);
  }

  /** Calls `run` at `time` (ms, not before now) as an event of its own; returns how to call it off. */
  at(time: number, run: () => void): () => void {
    if (time < this.now) throw new RangeError(`${time} ms has passed: it is ${this.now} ms`);
    const call = new Call(run);
    this.#queue.push(call, time);
    return () => {
      call.run = null;
    };
  }

  /** Calls `run` in `delay` ms; returns how to call it off. */
  after(delay: number, run: () => void): () => void {
    return this.at(this.now + delay, run);
  }

  /** Calls `hook` after every event, when all hosts are settled; returns how to uninstall it. */
  onEvent(hook: () => void): () => void {
    this.#hooks = [...this.#hooks, hook];
    return () => {
      this.#hooks = this.#hooks.filter((h) => h !== hook);
    };
  }

  /** Shows `capture` every packet as it leaves its sender and as it arrives; returns how to uninstall it. */
  capture(capture: Capture): () => void {
    this.#captures = [...this.#captures, capture];
    return () => {
      this.#captures = this.#captures.filter((c) => c !== capture);
    };
  }

  /**
   * Lets things happen, and returns the number of events that did.
   *
   * Throws an `Error` that says where when more than `maxEvents` happen, or when time stands still: a
   * simulation that does not end is a defect, and this is how it is found.
   */
  run(options: RunOptions = {}): number {
    const first = this.#events;
    this.#settle();
    while (this.#goesOn(options, first)) this.step();
    return this.#events - first;
  }

  /**
   * As `run`, for programs that wait for promises: after every event their callbacks run before time moves.
   *
   * Only for promises that the simulation itself resolves. What waits for a timer or a thread of the platform is
   * not waited for, because nothing here can know of it.
   */
  async runAsync(options: RunOptions = {}): Promise<number> {
    const first = this.#events;
    await turns();
    this.#settle();
    while (this.#goesOn(options, first)) {
      this.step();
      await turns();
    }
    return this.#events - first;
  }

  /** Whether a run that began at event `first` has another event to make; at its end the clock shows `until`. */
  #goesOn(options: RunOptions, first: number): boolean {
    if (options.when?.() === true) return false;
    this.#settle();
    const at = this.nextAt;
    const until = options.until ?? Number.POSITIVE_INFINITY;
    if (at > until || at === Number.POSITIVE_INFINITY) {
      if (until !== Number.POSITIVE_INFINITY && until > this.now) this.#advance(until);
      return false;
    }
    const most = options.maxEvents ?? MAX_EVENTS;
    if (this.#events - first >= most) {
      throw new Error(`the run has not ended after ${most} events, at ${this.now} ms: ${this.#waiting()}`);
    }
    return true;
  }

  /** Jumps to the next event and lets it happen; false when there is none. */
  step(): boolean {
    if (this.#running) throw new Error('a network cannot be run from inside its own run');
    this.#running = true;
    try {
      this.#settle();
      const at = this.nextAt;
      if (at === Number.POSITIVE_INFINITY) return false;
      this.#atOnce = at > this.now ? 0 : this.#atOnce + 1;
      if (this.#atOnce > MAX_AT_ONCE) throw new Error(`time stands still at ${this.now} ms: ${this.#waiting()}`);
      this.#advance(Math.max(at, this.now));
      this.#events++;
      if (this.#queue.nextAt <= this.now) this.#happen(this.#queue.pop()!);
      else this.#fireOne();
      this.#settle();
    } finally {
      this.#running = false;
    }
    for (const hook of this.#hooks) hook();
    return true;
  }

  /** When the next event is due, ms; `Infinity` when nothing is left to happen. May be in the past: then it is now. */
  get nextAt(): number {
    let at = this.#queue.nextAt;
    for (const node of this.#nodes) {
      const deadline = node.host.nextDeadline();
      if (deadline < at) at = deadline;
    }
    return at;
  }

  #node(host: HostLike): Node {
    const node = this.#nodes.find((n) => n.host === host);
    if (node === undefined) throw new RangeError('a link needs hosts of its own network');
    return node;
  }

  #advance(time: number): void {
    this.#clock.advanceTo(time);
    // All of them: a handler of one host may give a command to another.
    for (const node of this.#nodes) node.host.tick(time);
  }

  #happen(event: Flight | Call): void {
    if (event instanceof Call) {
      event.run?.();
      return;
    }
    const end = this.#targets.get(event.path)!;
    this.#digest.number(this.now);
    this.#digest.int32(event.corrupted ? -event.id : event.id);
    if (event.corrupted) this.#digest.bytes(event.buffer, 0, event.length);
    this.#show('receiver', event.path, event.buffer, event.length, event.id, event.corrupted);
    const meta = this.#rx;
    meta.reset();
    meta.id = event.id;
    end.host.receive(end.handle, event.buffer, 0, event.length, meta, this.now);
    event.path.release(event);
  }

  /** Fires the timers of the first host that wants it now. */
  #fireOne(): void {
    for (const node of this.#nodes) {
      if (node.host.nextDeadline() <= this.now) {
        node.host.timersFire(this.now);
        return;
      }
    }
  }

  /** Events to handlers and packets to paths until neither moves. */
  #settle(): void {
    let moves = 0;
    for (let moved = true; moved; ) {
      moved = false;
      for (const node of this.#nodes) {
        while (node.host.deliver()) {
          moved = true;
          if (++moves > MAX_AT_ONCE) throw new Error(`${node.name} never runs out of events at ${this.now} ms`);
        }
      }
      for (const node of this.#nodes) {
        for (const end of node.ends) {
          while (this.#pull(end)) {
            moved = true;
            if (++moves > MAX_AT_ONCE) throw new Error(`${node.name} never stops sending at ${this.now} ms`);
          }
        }
      }
    }
  }

  /** Moves one packet from a host into its path; false when it has none. */
  #pull(end: LinkEnd): boolean {
    const meta = this.#tx;
    meta.reset();
    meta.id = this.#packets + 1;
    const buffer = end.pool.lend();
    const length = end.host.transmit(end.handle, buffer, 0, meta, this.now);
    if (length <= 0) {
      end.pool.release(buffer);
      return false;
    }
    this.#launch(end.out, buffer, length);
    return true;
  }

  #launch(path: Path, buffer: Uint8Array, length: number): void {
    const id = ++this.#packets;
    this.#digest.number(this.now);
    this.#digest.int32(id);
    this.#digest.bytes(buffer, 0, length);
    this.#show('sender', path, buffer, length, id, false);
    path.send(buffer, length, id, this.now);
  }

  #inject(path: Path, pool: BufferPool, bytes: Uint8Array): void {
    if (bytes.length > pool.size) throw new RangeError(`${bytes.length} octets do not fit a buffer of ${pool.size}`);
    const buffer = pool.lend();
    buffer.set(bytes);
    this.#launch(path, buffer, bytes.length);
  }

  #show(
    point: CapturedPacket['point'],
    path: Path,
    bytes: Uint8Array,
    to: number,
    id: number,
    corrupted: boolean,
  ): void {
    if (this.#captures.length === 0) return;
    const packet: CapturedPacket = {
      at: this.now,
      point,
      path: path.name,
      medium: path.medium,
      id,
      corrupted,
      bytes,
      from: 0,
      to,
    };
    for (const capture of this.#captures) capture(packet);
  }

  #tell(event: TraceEvent): void {
    if (this.#user === null) return;
    this.#digest.event(event);
    this.#user(event);
  }

  /** Who wants what, for the message of a run that does not end. */
  #waiting(): string {
    const hosts = this.#nodes.map((node) => `${node.name} wants ${node.host.nextDeadline()} ms`);
    return `${this.#queue.size} on the way, ${hosts.join(', ')}`;
  }
}

/** How often promise callbacks that make others get their turn: longer chains than this are rare. */
const TURNS = 32;

async function turns(): Promise<void> {
  for (let i = 0; i < TURNS; i++) await null;
}

function splitWays(impairments: Partial<Impairments> | TwoWays): TwoWays {
  if ('aToB' in impairments || 'bToA' in impairments) return impairments as TwoWays;
  const both = impairments as Partial<Impairments>;
  return { aToB: both, bToA: both };
}

/** A locally administered address (RFC 7042 §2.1), one per end of a link. */
function macOf(link: number, side: number): Uint8Array {
  return Uint8Array.of(0x02, 0x73, 0x79, (link >> 8) & 0xff, link & 0xff, side + 1);
}
