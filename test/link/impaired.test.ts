import { describe, expect, it } from 'vitest';
import { NetError } from '../../src/base/errors.ts';
import { PLAIN_LINK, RxMeta, TxMeta } from '../../src/base/index.ts';
import type { Link, LinkPort } from '../../src/base/link.ts';
import { type ImpairClock, type ImpairedLink, type ImpairOptions, impairLink } from '../../src/link/impaired.ts';
import { TestPort } from './ports.ts';

/** A clock that goes when it is told to. */
class FakeClock implements ImpairClock {
  #now = 1000;
  #timers: { at: number; fire: () => void }[] = [];
  now(): number {
    return this.#now;
  }
  setTimer(fire: () => void, delay: number): unknown {
    const timer = { at: this.#now + delay, fire };
    this.#timers.push(timer);
    return timer;
  }
  clearTimer(timer: unknown): void {
    this.#timers = this.#timers.filter((t) => t !== timer);
  }
  get armed(): number {
    return this.#timers.length;
  }
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.clearTimer(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = end;
  }
}

/** The link inside: it writes down what it is given, and hands in what it is told to. */
class Inner implements Link {
  readonly medium = 'ip';
  readonly mtu = 1500;
  readonly mac = null;
  caps = PLAIN_LINK;
  readonly sent: number[][] = [];
  room = Number.POSITIVE_INFINITY;
  closed = false;
  port: LinkPort | null = null;
  open(port: LinkPort): void {
    this.port = port;
  }
  pump(): void {
    const out = new Uint8Array(2000);
    for (; this.room > 0; this.room--) {
      const length = this.port!.transmit(out, 3, new TxMeta());
      if (length === 0) return;
      this.sent.push([...out.subarray(3, 3 + length)]);
    }
  }
  close(): void {
    this.closed = true;
  }
  comes(...packets: number[][]): void {
    for (const p of packets) {
      const lent = Uint8Array.of(0, ...p, 0);
      this.port!.receive(lent, 1, 1 + p.length, new RxMeta());
      // Borrowed until `receive` returns.
      lent.fill(0xee);
    }
    this.port!.turn();
  }
}

function setUp(options: ImpairOptions = {}): { clock: FakeClock; inner: Inner; link: ImpairedLink; port: TestPort } {
  const clock = new FakeClock();
  const inner = new Inner();
  const link = impairLink(inner, { clock, ...options });
  const port = new TestPort();
  port.onTurn = () => link.pump();
  link.open(port);
  return { clock, inner, link, port };
}

describe('an impaired link', () => {
  it('delays both ways, each by its own knob, and ends what arrives with one turn', () => {
    const { clock, inner, link, port } = setUp({ impairments: { delay: 10 }, in: { delay: 30 } });
    port.queue([1], [2]);
    link.pump();
    inner.comes([7], [8]);
    expect([inner.sent, port.received]).toEqual([[], []]);
    clock.advance(9.9);
    expect(inner.sent).toEqual([]);
    clock.advance(0.1);
    expect(inner.sent).toEqual([[1], [2]]);
    clock.advance(19.9);
    expect(port.received).toEqual([]);
    clock.advance(0.1);
    expect(port.received.map((b) => [...b])).toEqual([[7], [8]]);
    expect(port.diary).toEqual(['receive 1', 'receive 1', 'turn']);
    expect([link.in.counters.arrived, link.out.counters.arrived]).toEqual([2, 2]);
    expect(clock.armed).toBe(0);
  });

  it('without delay passes everything at once, answers too', () => {
    const { inner, port } = setUp();
    port.queue([1]);
    inner.comes([9]);
    expect(port.received.map((b) => [...b])).toEqual([[9]]);
    expect(inner.sent).toEqual([[1]]);
  });

  it('delivers nothing from inside a pump', () => {
    const { inner, link, port } = setUp();
    inner.port!.receive(Uint8Array.of(5), 0, 1, new RxMeta());
    port.queue([1]);
    link.pump();
    expect([inner.sent, port.received]).toEqual([[], []]);
    inner.port!.turn();
    expect(port.received.map((b) => [...b])).toEqual([[5]]);
  });

  it('loses the same packets for the same seed, others for another, and all when the path goes dark', () => {
    const survivors = (seed: number): number[] => {
      const { inner, link, port } = setUp({ out: { loss: 0.3 }, seed });
      port.queue(...Array.from({ length: 100 }, (_, n) => [n]));
      link.pump();
      return inner.sent.map(([n]) => n!);
    };
    expect(survivors(7)).toEqual(survivors(7));
    expect(survivors(7)).not.toEqual(survivors(8));
    expect(survivors(7).length).toBeGreaterThan(50);
    expect(survivors(7).length).toBeLessThan(90);
    const { inner, link, port } = setUp();
    link.impair({ loss: 1 });
    inner.comes([1]);
    port.queue([2]);
    link.pump();
    expect([inner.sent, port.received]).toEqual([[], []]);
    expect([link.in.counters.lost, link.out.counters.lost]).toEqual([1, 1]);
  });

  it('keeps what a full inner link does not take, in order, and lets the host wait behind it', () => {
    const { inner, link, port } = setUp();
    inner.room = 2;
    port.queue(...Array.from({ length: 400 }, (_, n) => [n & 255, n >> 8]));
    link.pump();
    expect(inner.sent.length).toBe(2);
    link.pump();
    expect(port.outgoing.length).toBeGreaterThan(100);
    inner.room = Number.POSITIVE_INFINITY;
    inner.port!.writable();
    expect(port.diary).toEqual(['writable']);
    link.pump();
    expect(inner.sent.map(([low, high]) => low! + high! * 256)).toEqual(Array.from({ length: 400 }, (_, n) => n));
  });

  it('ends with its inner link, tells the failure once, and leaves no timer', () => {
    const { clock, inner, link, port } = setUp({ impairments: { delay: 5 } });
    port.queue([1]);
    link.pump();
    inner.comes([2]);
    inner.port!.down(new NetError('ENETDOWN', 'read'));
    expect([port.diary, clock.armed]).toEqual([['down ENETDOWN'], 0]);
    inner.comes([3]);
    link.pump();
    link.close();
    clock.advance(100);
    expect([inner.closed, inner.sent, port.received]).toEqual([true, [], []]);
  });

  it('refuses offloads and knobs that cannot be', () => {
    const inner = new Inner();
    inner.caps = { txChecksum: true, tso: 65_535 };
    expect(() => impairLink(inner)).toThrow('open it with `vnet: false`');
    expect(() => impairLink(new Inner(), { out: { loss: 2 } })).toThrow('loss cannot be 2');
  });
});
