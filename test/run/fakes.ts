// A host, a clock and a link that do what the test says and write down what they were asked.

import type { NetError } from '../../src/base/errors.ts';
import { type Link, type LinkPort, PLAIN_LINK } from '../../src/base/link.ts';
import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import type { Clock, InterfaceOptions, RunnableHost, RunnableInterface } from '../../src/run/index.ts';

export class FakeClock implements Clock {
  time = 1000;
  readonly soonList: (() => void)[] = [];
  timers: { at: number; delay: number; fire: () => void; hold: boolean }[] = [];
  set = 0;
  /** What each reading takes. */
  takes = 0;

  now(): number {
    this.time += this.takes;
    return this.time;
  }
  setTimer(fire: () => void, delay: number): unknown {
    const timer = { at: this.time + delay, delay, fire, hold: true };
    this.timers.push(timer);
    this.set++;
    return timer;
  }
  clearTimer(timer: unknown): void {
    this.timers = this.timers.filter((each) => each !== timer);
  }
  holdTimer(timer: unknown, hold: boolean): void {
    for (const each of this.timers) if (each === timer) each.hold = hold;
  }
  soon(run: () => void): void {
    this.soonList.push(run);
  }
  /** Runs what was to run soon. */
  flush(): void {
    for (const run of this.soonList.splice(0)) run();
  }
  /** Lets time pass and fires what is due, at most 1000 times. */
  advance(ms: number): number {
    const end = this.time + ms;
    for (let fired = 0; fired < 1000; fired++) {
      const next = this.timers.sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) {
        this.time = end;
        return fired;
      }
      this.time = Math.max(this.time, next.at);
      this.timers = this.timers.filter((each) => each !== next);
      next.fire();
    }
    throw new Error('the timer spins');
  }
}

export class FakeInterface implements RunnableInterface {
  full = false;
  readonly name: string;
  /** Packets to send. */
  output = 0;

  constructor(name: string) {
    this.name = name;
  }
}

export class FakeHost implements RunnableHost<FakeInterface> {
  readonly interfaces: FakeInterface[] = [];
  readonly diary: string[] = [];
  onWake: (() => void) | null = null;
  deadline = Number.POSITIVE_INFINITY;
  readonly events: (() => void)[] = [];
  onTimers: (now: number) => void = () => {};
  time = 0;
  options: InterfaceOptions | null = null;

  tick(now: number): void {
    this.time = now;
  }
  addInterface(options: InterfaceOptions): FakeInterface {
    this.options = options;
    const i = new FakeInterface(options.name ?? '');
    this.interfaces.push(i);
    return i;
  }
  receive(i: FakeInterface, bytes: Uint8Array, from: number, to: number, _meta: RxMeta, now: number): void {
    this.diary.push(`receive ${i.name} ${[...bytes.subarray(from, to)]} at ${now}`);
  }
  transmit(i: FakeInterface, out: Uint8Array, at: number, _meta: TxMeta, now: number): number {
    if (i.output === 0) return 0;
    out[at] = i.output--;
    this.diary.push(`transmit ${i.name} at ${now}`);
    return 1;
  }
  nextDeadline(): number {
    for (const i of this.interfaces) if (i.output > 0 && !i.full) return this.time;
    return this.deadline;
  }
  linkRefused(): void {
    this.diary.push('refused');
  }
  timersFire(now: number): void {
    if (now < this.deadline) return;
    this.diary.push(`timers at ${now}`);
    this.deadline = Number.POSITIVE_INFINITY;
    this.onTimers(now);
  }
  deliver(): boolean {
    const event = this.events.shift();
    event?.();
    return event !== undefined;
  }
  interfaceDown(i: FakeInterface, error: NetError): void {
    this.diary.push(`down ${i.name} ${error.code}`);
  }
  close(): void {
    this.diary.push('close');
    this.events.push(() => this.diary.push('told of the end'));
  }
  /** A command of the program that has something to send. */
  command(name: string, packets: number): void {
    for (const i of this.interfaces) if (i.name === name) i.output += packets;
    this.onWake?.();
  }
}

export class FakeLink implements Link {
  readonly medium = 'ip';
  readonly mtu = 1500;
  readonly caps = PLAIN_LINK;
  readonly mac = null;
  port: LinkPort | null = null;
  room = Number.POSITIVE_INFINITY;
  sent = 0;
  pumps = 0;
  closed = 0;
  readonly #buffer = new Uint8Array(2000);
  readonly #tx = new TxMeta();

  open(port: LinkPort): void {
    this.port = port;
  }
  pump(): void {
    this.pumps++;
    while (this.room > 0 && this.port!.transmit(this.#buffer, 0, this.#tx) > 0) {
      this.room--;
      this.sent++;
    }
  }
  close(): void {
    this.closed++;
  }
  incoming(...octets: number[]): void {
    const meta = new RxMeta();
    for (const octet of octets) this.port!.receive(Uint8Array.of(octet), 0, 1, meta);
    this.port!.turn();
  }
}
