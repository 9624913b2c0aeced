// The stub resolver against name servers of memory and a clock by hand: what it believes, asks again and gives up.

import { describe, expect, it } from 'vitest';
import { NetError } from '../../src/base/errors.ts';
import type { StreamHandler } from '../../src/base/stream.ts';
import { DnsClient, type DnsFailure, type DnsNetwork, type DnsOptions } from '../../src/services/dns-client.ts';
import { DNS_TYPES, type DnsType, parseDns } from '../../src/wire/dns.ts';
import { answerTo, name, pointer, record } from '../wire/dns-support.ts';

const ONE = { address: '10.0.0.53', port: 53 };
const TWO = { address: '10.0.1.53', port: 53 };

interface Asked {
  readonly bytes: Uint8Array;
  readonly id: number;
  readonly question: string;
  readonly type: number;
  readonly to: string;
  readonly from: number;
  answer(bytes: Uint8Array, address?: string, port?: number): void;
}

/** A network whose servers are the test. */
class Bench implements DnsNetwork {
  now = 0;
  readonly asked: Asked[] = [];
  readonly streams: {
    ends: string[];
    written: number[];
    handler: StreamHandler | null;
    feed(bytes: number[]): void;
  }[] = [];
  readonly bound: Set<number> = new Set();
  taken: number[] = [];
  outcome: [DnsFailure | null, string[]] | null = null;
  #timers: { at: number; fire: () => void }[] = [];
  #state = 1;

  bind(port: number, onMessage: (bytes: Uint8Array, address: string, port: number) => void) {
    if (this.taken.includes(port)) return null;
    this.bound.add(port);
    return {
      send: (bytes: Uint8Array, address: string): void => {
        const message = parseDns(bytes);
        if (typeof message === 'string') throw new Error(message);
        this.asked.push({
          ...{ bytes, id: message.id, question: message.question, type: message.questionType, to: address, from: port },
          answer: (answer, from = address, fromPort = 53) => onMessage(answer, from, fromPort),
        });
      },
      close: () => void this.bound.delete(port),
    };
  }

  connect(): never {
    const pending: number[] = [];
    const made = {
      ends: [] as string[],
      written: [] as number[],
      handler: null as StreamHandler | null,
      feed: (bytes: number[]) => {
        pending.push(...bytes);
        made.handler?.onReadable?.(stream as never);
      },
    };
    const stream = {
      set handler(handler: StreamHandler) {
        made.handler = handler;
      },
      get readable() {
        return pending.length;
      },
      ended: false,
      read: (into: Uint8Array, from: number, to: number) => {
        const taken = pending.splice(0, to - from);
        into.set(taken, from);
        return taken.length;
      },
      send: (bytes: Uint8Array, from: number, to: number) => made.written.push(...bytes.slice(from, to)) && to - from,
      abort: () => void made.ends.push('abort'),
      shutdown: () => void made.ends.push('shutdown'),
    };
    this.streams.push(made);
    return stream as never;
  }

  random(): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) | 0;
    return this.#state ^ (this.#state >>> 13);
  }

  after(delay: number, fire: () => void): () => void {
    const timer = { at: this.now + delay, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Lets time pass. */
  pass(time: number): void {
    const until = this.now + time;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > until) break;
      this.now = next.at;
      this.#timers = this.#timers.filter((one) => one !== next);
      next.fire();
    }
    this.now = until;
  }

  resolve(text: string, type: DnsType = 'A', servers = [ONE], options: DnsOptions = {}): void {
    new DnsClient(this, servers, options).resolve(text, type, (failure, records) => {
      if (this.outcome !== null) throw new Error('told twice');
      this.outcome = [failure, records.map(({ data }) => data)];
    });
  }

  get last(): Asked {
    return this.asked.at(-1)!;
  }
}

const a = (owner: number[], last: number): number[] => record(owner, DNS_TYPES.A, [10, 0, 0, last]);
const found = (asked: Asked, last = 7): Uint8Array => answerTo(asked.bytes, [a(pointer(12), last)]);

describe('a resolution', () => {
  it('asks a server, takes its answer, and keeps nothing', () => {
    const bench = new Bench();
    bench.resolve('WWW.Example.org');
    expect([bench.last.question, bench.last.type, bench.last.to]).toEqual(['www.example.org', 1, '10.0.0.53']);
    bench.last.answer(found(bench.last));
    expect([bench.outcome, bench.bound.size, bench.asked.length]).toEqual([[null, ['10.0.0.7']], 0, 1]);
    bench.pass(100_000);
    expect(bench.asked.length).toBe(1);
  });

  it('trap 52: an answer counts only from the server, to that port, with that id and that question (default)', () => {
    const bench = new Bench();
    bench.resolve('a.example');
    const asked = bench.last;
    const good = found(asked);
    const other = good.slice();
    other[1]! ^= 1;
    asked.answer(other);
    const changed = good.slice();
    changed[13]! ^= 1;
    asked.answer(changed);
    asked.answer(good, '10.0.0.54');
    asked.answer(good, '10.0.0.53', 54);
    const question = good.slice();
    question[2]! &= 0x7f;
    asked.answer(question);
    asked.answer(answerTo(asked.bytes, [a(pointer(200), 9)]));
    expect(bench.outcome).toBe(null);
    asked.answer(good);
    expect(bench.outcome).toEqual([null, ['10.0.0.7']]);
  });

  it('trap 52: each attempt has a port and an id of its own, spread over all there are (default)', () => {
    const ids = new Set<number>();
    const ports = new Set<number>();
    const bench = new Bench();
    for (let i = 0; i < 200; i++) {
      bench.outcome = null;
      bench.resolve('a.example');
      bench.pass(1000);
      for (const asked of bench.asked.splice(0)) {
        ids.add(asked.id);
        ports.add(asked.from);
      }
      bench.pass(20_000);
    }
    expect([ids.size > 390, ports.size > 390]).toEqual([true, true]);
    expect([Math.max(...ids) > 60_000, Math.min(...ports) >= 1024, Math.max(...ports) > 60_000]).toEqual([
      ...[true, true, true],
    ]);
    bench.asked.length = 0;
    bench.taken = Array.from({ length: 65_536 }, (_, i) => i).slice(1);
    bench.resolve('a.example');
    expect(bench.last.from).toBe(0);
  });

  it('asks the next server when one is silent, and each of them three times, longer every round', () => {
    const bench = new Bench();
    bench.resolve('a.example', 'A', [ONE, TWO]);
    const times: [number, string][] = [[0, bench.last.to]];
    for (let i = 0; i < 200; i++) {
      const before = bench.asked.length;
      bench.pass(100);
      if (bench.asked.length > before) times.push([bench.now, bench.last.to]);
    }
    expect(times).toEqual([
      [0, ONE.address],
      [1000, TWO.address],
      [2000, ONE.address],
      [4000, TWO.address],
      [6000, ONE.address],
      [10_000, TWO.address],
    ]);
    expect([bench.outcome, bench.bound.size]).toEqual([['timeout', []], 0]);
  });

  it('takes no for an answer, but not a failure while there is another server', () => {
    const bench = new Bench();
    bench.resolve('nobody.example', 'A', [ONE, TWO]);
    bench.last.answer(answerTo(bench.last.bytes, [], 0x8182));
    expect([bench.last.to, bench.outcome]).toEqual([TWO.address, null]);
    bench.last.answer(answerTo(bench.last.bytes, [], 0x8183));
    expect(bench.outcome).toEqual(['not-found', []]);
    const refused = new Bench();
    refused.resolve('a.example', 'A', [ONE], { rounds: 2 });
    for (let i = 0; i < 2; i++) refused.last.answer(answerTo(refused.last.bytes, [], 0x8185));
    refused.pass(0);
    expect([refused.outcome, refused.asked.length]).toEqual([['refused', []], 2]);
    const empty = new Bench();
    empty.resolve('a.example', 'AAAA');
    empty.last.answer(answerTo(empty.last.bytes, []));
    expect(empty.outcome).toEqual(['no-data', []]);
    const bad = new Bench();
    bad.resolve('a..b');
    bad.pass(0);
    expect([bad.outcome, bad.asked.length]).toEqual([['bad-name', []], 0]);
  });

  it('follows aliases inside of an answer and by new questions, and not in circles', () => {
    const bench = new Bench();
    bench.resolve('a.example');
    const alias = (owner: string, to: string): number[] => record(name(owner), DNS_TYPES.CNAME, name(to));
    bench.last.answer(
      answerTo(bench.last.bytes, [
        a(name('c.example'), 3),
        alias('b.example', 'c.example'),
        alias('a.example', 'b.example'),
      ]),
    );
    expect(bench.outcome).toEqual([null, ['10.0.0.3']]);
    const twice = new Bench();
    twice.resolve('a.example');
    twice.last.answer(answerTo(twice.last.bytes, [alias('a.example', 'z.example'), a(name('other.example'), 1)]));
    expect(twice.last.question).toBe('z.example');
    twice.last.answer(found(twice.last, 9));
    expect(twice.outcome).toEqual([null, ['10.0.0.9']]);
    const circle = new Bench();
    circle.resolve('a.example');
    for (let i = 0; i < 100 && circle.outcome === null; i++) {
      circle.last.answer(
        answerTo(circle.last.bytes, [alias('a.example', 'b.example'), alias('b.example', 'a.example')]),
      );
      const { question } = circle.last;
      if (question === 'b.example') circle.last.answer(answerTo(circle.last.bytes, [alias('b.example', 'a.example')]));
    }
    expect([circle.outcome, circle.asked.length < 20]).toEqual([['no-data', []], true]);
    const endless = new Bench();
    endless.resolve('n0.example');
    for (let i = 0; i < 100 && endless.outcome === null; i++) {
      const { bytes, question } = endless.last;
      endless.last.answer(answerTo(bytes, [alias(question, `n${i + 1}.example`)]));
    }
    expect([endless.outcome, endless.asked.length]).toEqual([['no-data', []], 9]);
  });

  it('asks over TCP for what was truncated, however the answer is cut', () => {
    const bench = new Bench();
    bench.resolve('a.example');
    bench.last.answer(answerTo(bench.last.bytes, [], 0x8380));
    const [stream] = bench.streams;
    stream!.handler!.onOpen!({
      send: (b: Uint8Array, f: number, t: number) => stream!.written.push(...b.slice(f, t)) && t - f,
    } as never);
    const query = bench.last.bytes;
    expect(stream!.written).toEqual([0, query.length, ...query]);
    const answer = found(bench.last, 8);
    for (const octet of [answer.length >> 8, answer.length & 255, ...answer]) stream!.feed([octet]);
    expect([bench.outcome, bench.bound.size, stream!.ends]).toEqual([[null, ['10.0.0.8']], 0, ['shutdown']]);
    bench.pass(2000);
    expect(stream!.ends).toEqual(['shutdown', 'abort']);
  });

  it('does not believe TCP more than UDP, and tries on when it breaks off', () => {
    const bench = new Bench();
    bench.resolve('a.example', 'A', [ONE, TWO]);
    bench.last.answer(answerTo(bench.last.bytes, [], 0x8380));
    const wrong = found(bench.last);
    wrong[0]! ^= 1;
    bench.streams[0]!.feed([wrong.length >> 8, wrong.length & 255, ...wrong]);
    expect([bench.outcome, bench.last.to]).toEqual([null, TWO.address]);
    bench.last.answer(answerTo(bench.last.bytes, [], 0x8380));
    bench.streams[1]!.handler!.onClose!(null as never, null);
    expect(bench.asked.length).toBe(3);
  });

  it('goes to the next server where no way leads to one, and hides no other error', () => {
    const bench = new Bench();
    bench.resolve('a.example', 'A', [ONE, TWO]);
    bench.connect = () => {
      throw new NetError('ENETUNREACH', 'connect', ONE.address, 53);
    };
    bench.last.answer(answerTo(bench.last.bytes, [], 0x8380));
    expect([bench.outcome, bench.last.to]).toEqual([null, TWO.address]);
    bench.connect = () => {
      throw new TypeError('a mistake');
    };
    expect(() => bench.last.answer(answerTo(bench.last.bytes, [], 0x8380))).toThrow('a mistake');
  });
});

it('a resolver without servers is refused', () => {
  expect(() => new Bench().resolve('a.example', 'A', [])).toThrow(RangeError);
});
