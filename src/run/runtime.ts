// The loop that binds a host to links, a clock and one timer, in real time.
//
// The order of a turn is the owner's half of `docs/architecture.md` §3: inputs, `deliver` until it returns
// false, pump every link, sleep until `nextDeadline`.

import { NetError, StateError } from '../base/errors.ts';
import type { Link, LinkCaps, LinkPort, Medium } from '../base/link.ts';
import type { RxMeta, TxMeta } from '../base/packet.ts';
import { type Clock, LONGEST_DELAY, systemClock, type TimerHandle } from './clock.ts';
import { installKernel } from './kernel.ts';

/** What a runtime needs of a host's interfaces. */
export interface RunnableInterface {
  /** Set by the runtime while the link takes nothing: `nextDeadline` does not count its output then. */
  full: boolean;
}

/** What a runtime needs of a host: the owner's half of `Host`. `I` is the host's own interface type. */
export interface RunnableHost<I extends RunnableInterface> {
  /** Tells the time before commands. */
  tick(now: number): void;
  addInterface(options: InterfaceOptions): I;
  receive(i: I, bytes: Uint8Array, from: number, to: number, meta: RxMeta, now: number): void;
  transmit(i: I, out: Uint8Array, at: number, meta: TxMeta, now: number): number;
  /**
   * `Infinity` when nothing is pending, at most `now` when there is output. When nothing is due before `before`, which
   * the runtime is going to wake at, and something later, the answer may be `before`.
   */
  nextDeadline(before: number): number;
  timersFire(now: number): void;
  /** A link has dropped a packet of the host's. */
  linkRefused(): void;
  /** Calls the handlers of queued events; whether it called any. */
  deliver(): boolean;
  interfaceDown(i: I, error: NetError): void;
  close(): void;
  /** Set by the runtime: a command made output or a deadline. */
  onWake: (() => void) | null;
}

/** What `addInterface` is told. */
export interface InterfaceOptions {
  name?: string;
  medium: Medium;
  mtu: number;
  mac?: Uint8Array | null;
  caps?: LinkCaps;
  addresses: string[];
  gateways?: string[];
}

/** How a link is attached. */
export interface AttachOptions {
  /** Our addresses on it with their prefix lengths: `'10.77.0.2/24'`, `'fd00::2/64'`. */
  readonly addresses: readonly string[];
  /** Routers to everything that is not on link. */
  readonly gateways?: readonly string[];
  /** Shown in traces. */
  readonly name?: string;
}

/** How a runtime is made. */
export interface RuntimeOptions<I extends RunnableInterface> {
  readonly host: RunnableHost<I>;
  /** The platform's own when absent. */
  readonly clock?: Clock;
}

/** A host that runs in real time. */
export interface Runtime<I extends RunnableInterface> {
  /** Milliseconds on the clock the host lives by. */
  now(): number;
  /** Tells the host the time: to be called before commands, so that their deadlines count from now. */
  tick(): number;
  /**
   * Gives the host an interface over `link` and starts the link.
   *
   * @throws StateError when the runtime is closed, and whatever `addInterface` or the link's `open` throws
   */
  attach(link: Link, options: AttachOptions): I;
  /** Stops the link of an interface; every connection over it is settled with `error`. */
  detach(i: I, error: NetError): void;
  /** Runs one turn now, unless one is running: then it goes on for longer. */
  turn(): void;
  /** Pending deadlines keep the process alive (the default). */
  ref(): void;
  /** Pending deadlines do not keep the process alive. */
  unref(): void;
  /**
   * Ends the host and all links: everything pending is settled, last segments get their chance to leave, and
   * nothing runs afterwards. Safe to call twice.
   */
  close(): void;
}

/** Rounds of "events, then packets" in one turn before the event loop gets its chance. */
const ROUNDS = 64;
/** Errors of handlers in one turn before `deliver` is left for the next. */
const ERRORS = 100;
/** Packets of a batch that take so little time that a turn may go on with the clock as it was read for them. */
const SHORT_BATCH = 8;

/** The owner's end of one link. */
class Port<I extends RunnableInterface> implements LinkPort {
  readonly link: Link;
  readonly interface: I;
  /** The last pump asked until nothing was left; otherwise the link is full. */
  drained = true;
  open = true;
  readonly #loop: Loop<I>;

  constructor(loop: Loop<I>, link: Link, i: I) {
    this.#loop = loop;
    this.link = link;
    this.interface = i;
  }

  receive(bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    if (this.open) this.#loop.host.receive(this.interface, bytes, from, to, meta, this.#loop.inputNow());
  }

  transmit(out: Uint8Array, at: number, meta: TxMeta): number {
    if (!this.open) return 0;
    const length = this.#loop.host.transmit(this.interface, out, at, meta, this.#loop.batchNow());
    this.drained = length === 0;
    return length;
  }

  turn(): void {
    this.#loop.turn();
  }

  writable(): void {
    this.interface.full = false;
    this.#loop.turn();
  }

  refused(): void {
    this.#loop.host.linkRefused();
  }

  down(error: NetError): void {
    this.#loop.detach(this.interface, error);
  }
}

class Loop<I extends RunnableInterface> implements Runtime<I> {
  readonly host: RunnableHost<I>;
  readonly #clock: Clock;
  readonly #ports: Port<I>[] = [];
  #timer: TimerHandle = null;
  /** The moment the timer was set for, before rounding; `Infinity` when none is set. */
  #timerFor = Number.POSITIVE_INFINITY;
  /** It has fired. */
  #due = false;
  /** Nothing is due before this. Later than `#timerFor` only when the timer is late, the event loop having had no chance. */
  #lookAt = Number.POSITIVE_INFINITY;
  #hold = true;
  #inTurn = false;
  #again = false;
  #soon = false;
  #closing = false;
  #closed = false;
  /** The time of this batch of inputs or outputs; negative when it must be read anew. */
  #now = -1;
  /** Packets that came in at that time. */
  #inputs = 0;
  readonly #errors: unknown[] = [];
  readonly #fire = (): void => {
    this.#timer = null;
    this.#timerFor = Number.POSITIVE_INFINITY;
    this.#due = true;
    this.turn();
  };
  readonly #wake = (): void => {
    if (this.#inTurn) {
      this.#again = true;
      return;
    }
    // What the program does until the turn comes happens at one moment: reading the clock for each command would cost more.
    if (this.#soon) return;
    this.tick();
    if (this.#closed) return;
    this.#soon = true;
    this.#clock.soon(this.#awake);
  };
  readonly #awake = (): void => {
    this.#soon = false;
    this.turn();
  };

  constructor(host: RunnableHost<I>, clock: Clock) {
    this.host = host;
    this.#clock = clock;
    host.tick(clock.now());
    host.onWake = this.#wake;
  }

  now(): number {
    return this.#clock.now();
  }

  tick(): number {
    const now = this.#clock.now();
    this.host.tick(now);
    return now;
  }

  /** One reading of the clock serves a whole batch: reading it per packet would cost more than a header. */
  batchNow(): number {
    if (this.#now < 0) this.#now = this.#clock.now();
    return this.#now;
  }

  /** `batchNow` for one packet more that came in. */
  inputNow(): number {
    this.#inputs++;
    return this.batchNow();
  }

  attach(link: Link, options: AttachOptions): I {
    if (this.#closing) throw new StateError('attach: the runtime is closed');
    this.tick();
    const interfaceOptions: InterfaceOptions = {
      medium: link.medium,
      mtu: link.mtu,
      mac: link.mac,
      caps: link.caps,
      addresses: [...options.addresses],
    };
    if (options.name !== undefined) interfaceOptions.name = options.name;
    if (options.gateways !== undefined) interfaceOptions.gateways = [...options.gateways];
    const i = this.host.addInterface(interfaceOptions);
    const port = new Port(this, link, i);
    this.#ports.push(port);
    try {
      link.open(port);
    } catch (error) {
      this.detach(i, new NetError('ENETDOWN', 'open'));
      throw error;
    }
    this.#wake();
    return i;
  }

  detach(i: I, error: NetError): void {
    const index = this.#ports.findIndex((port) => port.interface === i);
    const port = this.#ports[index];
    if (port === undefined) return;
    this.#ports.splice(index, 1);
    port.open = false;
    port.link.close();
    this.tick();
    this.host.interfaceDown(i, error);
    this.#wake();
  }

  turn(): void {
    if (this.#inTurn) {
      this.#again = true;
      return;
    }
    if (this.#closed) return;
    this.#inTurn = true;
    let done = false;
    try {
      done = this.#run();
    } finally {
      this.#inTurn = false;
      this.#now = -1;
      if (this.#errors.length > 0) this.#report();
    }
    if (this.#closing) this.#finish();
    else if (done) this.#arm();
    else this.#setTimer(this.#clock.now());
  }

  /** The turn itself; false when there is more to do after the event loop had its chance. */
  #run(): boolean {
    const { host } = this;
    for (let round = 0; round < ROUNDS; round++) {
      this.#again = false;
      // What came in moments ago is answered by the same reading of the clock: another costs more than a header does.
      if (round > 0 || this.#inputs === 0 || this.#inputs > SHORT_BATCH) this.#now = -1;
      this.#inputs = 0;
      const now = this.batchNow();
      host.tick(now);
      // Of a deadline that was set since the timer was, and is due already, `#arm` hears at the end of the turn.
      if (this.#due || now >= this.#lookAt) {
        this.#lookAt = Number.POSITIVE_INFINITY;
        host.timersFire(now);
      }
      this.#due = false;
      this.#deliver();
      this.#pump();
      if (!this.#again) return true;
    }
    return false;
  }

  /** Runs the program's handlers. One that throws does not keep the others from running. */
  #deliver(): void {
    while (this.#errors.length < ERRORS) {
      try {
        if (!this.host.deliver()) return;
      } catch (error) {
        this.#errors.push(error);
      }
    }
  }

  #pump(): void {
    for (const port of this.#ports) {
      if (port.interface.full) continue;
      port.drained = false;
      port.link.pump();
      // Output that a full link keeps from leaving must not count as due: the timer would spin.
      port.interface.full = port.open && !port.drained;
    }
  }

  /** Throws what handlers threw, each on a stack of its own, where the platform looks for uncaught errors. */
  #report(): void {
    for (const error of this.#errors.splice(0)) {
      this.#clock.soon(() => {
        throw error;
      });
    }
  }

  /**
   * Sets the timer to the next deadline. A timer that fires too early is left alone: it costs one empty turn, while
   * setting it anew for every segment would cost more than the segment.
   */
  #arm(): void {
    const deadline = this.host.nextDeadline(this.#lookAt);
    if (deadline === Number.POSITIVE_INFINITY) {
      this.#lookAt = deadline;
      this.#clearTimer();
      return;
    }
    if (deadline < this.#lookAt) this.#lookAt = deadline;
    // Reading the clock costs as much as a header: only for a deadline that came nearer.
    if (this.#timerFor > deadline) this.#setTimer(deadline);
  }

  #setTimer(deadline: number): void {
    this.#clearTimer();
    // Platforms count whole milliseconds; rounding down would fire before the deadline and spin until it is there.
    const delay = Math.max(0, Math.ceil(deadline - this.#clock.now()));
    this.#timerFor = deadline;
    this.#timer = this.#clock.setTimer(this.#fire, Math.min(delay, LONGEST_DELAY));
    if (!this.#hold) this.#clock.holdTimer(this.#timer, false);
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#timerFor = Number.POSITIVE_INFINITY;
  }

  ref(): void {
    this.#hold = true;
    if (this.#timer !== null) this.#clock.holdTimer(this.#timer, true);
  }

  unref(): void {
    this.#hold = false;
    if (this.#timer !== null) this.#clock.holdTimer(this.#timer, false);
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.tick();
    this.host.close();
    // Resets leave and handlers hear of the end before the links go; inside a turn, that turn does it.
    this.turn();
  }

  #finish(): void {
    this.#closed = true;
    this.host.onWake = null;
    this.#clearTimer();
    for (const port of this.#ports.splice(0)) {
      port.open = false;
      port.link.close();
    }
  }
}

/**
 * Makes a host run in real time. The host belongs to the runtime from then on: nobody else may call its inputs.
 *
 * @example
 * ```ts
 * const runtime = createRuntime({ host });
 * runtime.attach(openTun({ name: 'synfin0' }), { addresses: ['10.77.0.2/24'] });
 * host.listen({ port: 80 }, (stream) => { ... });
 * ```
 */
export function createRuntime<I extends RunnableInterface>(options: RuntimeOptions<I>): Runtime<I> {
  installKernel();
  return new Loop(options.host, options.clock ?? systemClock());
}
