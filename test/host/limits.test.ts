// What a host does when a way out, a neighbour or its own memory fails it.

import { describe, expect, test } from 'vitest';
import { nstat } from '../../src/host/nstat.ts';
import { createRuntime } from '../../src/run/index.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { FakeClock, FakeHost, FakeLink } from '../run/fakes.ts';
import { drain, end, feed, program, run } from './wire.ts';

const MAC_A = Uint8Array.of(2, 0, 0, 0, 0, 1);
const MAC_B = Uint8Array.of(2, 0, 0, 0, 0, 2);
const isArp = (frame: Uint8Array): boolean => frame[12] === 8 && frame[13] === 6;

describe('a path that has gone silent', () => {
  test('ESTABLISHED: at R1 the next hop is asked whether it is there, though its answer was fresh (row 81 MUST-20)', () => {
    const [a, b] = [end('a', '10.0.0.1/24', {}, MAC_A), end('b', '10.0.0.2/24', {}, MAC_B)];
    b.host.listen({ port: 80 }, (s) => program(s));
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    program(c);
    run(a, b, 100);
    const begun = a.host.now;
    c.send(Uint8Array.of(1), 0, 1);
    const asked: number[] = [];
    let copies = 0;
    run(a, b, 12_000, (from, frame) => {
      if (from !== a) return false;
      if (!isArp(frame)) copies++;
      // The first question goes to the MAC that is known, and no other.
      else if (asked.push(copies) === 1) expect([...frame.subarray(0, 6)]).toEqual([...MAC_B]);
      return true;
    });
    // The first, a tail loss probe, and two by the timer: before the third.
    expect(asked[0]).toBe(4);
    expect(a.host.now - begun).toBeLessThan(60_000);
    // It never answers, so it is given up, and the program hears of that.
    expect(c.softError).toBe('EHOSTUNREACH');
  });

  test('ESTABLISHED: a next hop that answers is used on', () => {
    const [a, b] = [end('a', '10.0.0.1/24', {}, MAC_A), end('b', '10.0.0.2/24', {}, MAC_B)];
    b.host.listen({ port: 80 }, (s) => program(s));
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    program(c);
    run(a, b, 100);
    c.send(Uint8Array.of(1), 0, 1);
    let asked = 0;
    run(a, b, 6000, (from, frame) => {
      if (from === a && isArp(frame)) asked++;
      return from === a && !isArp(frame);
    });
    expect(asked).toBe(1);
    expect(c.softError).toBe(null);
    expect(c.state).toBe('ESTABLISHED');
  });
});

describe('a link that drops what it asked for', () => {
  test('the packet is counted and traced, and goes out again by the timer; the window is none the larger', () => {
    const [a, b] = [end('a', '10.0.0.1/24'), end('b', '10.0.0.2/24')];
    b.host.listen({ port: 80 }, (s) => program(s));
    const c = a.host.connect({ address: '10.0.0.2', port: 80 });
    const p = program(c);
    run(a, b, 100);
    const { cwnd } = c.cc;
    c.send(new Uint8Array(1000), 0, 1000);
    let refused = 0;
    run(a, b, 10_000, (from) => {
      if (from !== a || refused === 3) return false;
      refused++;
      expect(c.cc.cwnd).toBeLessThanOrEqual(cwnd);
      a.host.linkRefused();
      return true;
    });
    expect(a.host.counters.drops['link-refused']).toBe(3);
    expect(a.trace.filter((e) => e.type === 'drop' && e.reason === 'link-refused')).toHaveLength(3);
    expect(c.queued).toBe(0);
    expect(a.host.counters.tcp.timeouts).toBeGreaterThan(0);
    expect(p.log).toEqual(['open']);
  });

  test('the runtime hands on what the link says', () => {
    const host = new FakeHost();
    const link = new FakeLink();
    createRuntime({ host, clock: new FakeClock() }).attach(link, { addresses: [] });
    link.port?.refused();
    expect(host.diary).toContain('refused');
  });
});

describe('too many connections that their programs have closed', () => {
  /** Three connections, one after the other, of a host that keeps one orphan; `use` ends each. */
  function inTurn(use: (c: Connection, settle: (ms: number) => void) => void): number {
    const [a, b] = [end('a', '10.0.0.1/24', { orphanMax: 1 }), end('b', '10.0.0.2/24')];
    b.host.listen({ port: 80 }, (s) => program(s, true));
    for (let n = 0; n < 3; n++) {
      const c = a.host.connect({ address: '10.0.0.2', port: 80 });
      run(a, b, 100);
      use(c, (ms) => run(a, b, ms));
    }
    return a.host.counters.tcp.abortedOnMemory;
  }

  test('the oldest is reset and counted, the others end in their own time', () => {
    const [a, b] = [end('a', '10.0.0.1/24', { orphanMax: 2 }), end('b', '10.0.0.2/24')];
    b.host.listen({ port: 80 }, (s) => program(s));
    const all = Array.from({ length: 3 }, () => a.host.connect({ address: '10.0.0.2', port: 80 }));
    run(a, b, 100);
    for (const c of all) {
      c.send(new Uint8Array(10), 0, 10);
      c.close();
    }
    expect(all.map((c) => c.state)).toEqual(['CLOSED', 'FIN-WAIT-1', 'FIN-WAIT-1']);
    expect(a.host.counters.tcp.abortedOnMemory).toBe(1);
    expect(nstat(a.host.counters)['TcpExtTCPAbortOnMemory']).toBe(1);
    for (const packet of drain(a)) feed(b, packet);
    // The peer of the one that was reset has heard of it.
    expect(b.host.connectionCount).toBe(2);
  });

  test('those that have ended count no more', () => {
    const aborted = inTurn((c, settle) => {
      c.close();
      settle(100);
    });
    expect(aborted).toBe(0);
  });

  test.each([
    ['in TIME-WAIT', 100, 'TIME-WAIT'],
    ['after it', 61_000, 'CLOSED'],
  ])('those that are closed %s do not count', (_, after, state) => {
    const aborted = inTurn((c, settle) => {
      c.shutdown();
      settle(after);
      c.close();
      expect(c.state).toBe(state);
    });
    expect(aborted).toBe(0);
  });
});
