// What `inspect` reads of a connection, and the two settings a program may change in mid-flight.

import { describe, expect, test } from 'vitest';
import { type ConnectedPair, connectPair, type Pair, pair } from '../../src/sim/pair.ts';
import { DROP } from '../../src/sim/rules.ts';
import { newReno } from '../../src/tcp/congestion/newreno.ts';
import { inspect } from '../../src/tcp/inspect.ts';

const DELAY = 50;

function opened(): { p: Pair; c: ConnectedPair } {
  const p = pair({ seed: 3, impairments: { delay: DELAY } });
  return { p, c: connectPair(p) };
}

/** Runs for `ms` more. */
function wait(p: Pair, ms: number): void {
  p.network.run({ until: p.network.now + ms });
}

describe('inspect', () => {
  test('tells both rulers: what is in flight at one end, and what waits to be read at the other', () => {
    const { p, c } = opened();
    c.client.send(new Uint8Array(500), 0, 500);
    wait(p, 1);
    const sent = inspect(c.client);
    expect((sent.sndNxt - sent.sndUna) | 0).toBe(500);
    expect(sent).toMatchObject({ state: 'ESTABLISHED', queued: 500, unsent: 0, flightSize: 500, srtt: 2 * DELAY });
    wait(p, 4 * DELAY);
    expect(inspect(c.server)).toMatchObject({ readable: 500, rcvNxt: sent.sndNxt, outOfOrder: [] });
    expect(inspect(c.client)).toMatchObject({ queued: 0, flightSize: 0, timers: [] });
    // What was read stays as it was.
    expect(sent.flightSize).toBe(500);
  });

  test('tells what came out of order, and the timers with the soonest first', () => {
    const { p, c } = opened();
    let data = 0;
    p.link.aToB.addRule((packet) => (packet.payload > 0 && data++ === 0 ? DROP : { kind: 'pass' }));
    const mss = inspect(c.client).mss;
    c.client.send(new Uint8Array(2 * mss), 0, 2 * mss);
    wait(p, DELAY + 1);
    expect(inspect(c.server).outOfOrder).toEqual([[mss, 2 * mss]]);
    const { timers } = inspect(c.client);
    expect(timers.map((t) => t.name)).toContain('retransmit');
    expect(timers.map((t) => t.at)).toEqual(timers.map((t) => t.at).sort((a, b) => a - b));
    expect(inspect(c.client).ssthresh).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('in mid-flight', () => {
  test('another congestion control takes over the window as it is', () => {
    const { p, c } = opened();
    c.client.send(new Uint8Array(100_000), 0, 100_000);
    wait(p, 5 * DELAY);
    const before = inspect(c.client);
    c.client.setCongestionControl(newReno);
    expect(inspect(c.client)).toMatchObject({ cwnd: before.cwnd, congestionControl: 'newreno' });
    expect(before.congestionControl).toBe('cubic');
    wait(p, 10_000);
    expect(c.server.readable).toBe(100_000);
  });

  test('a smaller receive buffer takes no promise back, offers nothing until it has drained, and grows no more', () => {
    const { p, c } = opened();
    const edge = () => (inspect(c.server).rcvNxt + inspect(c.server).rcvWnd) | 0;
    const promised = edge();
    c.server.setReceiveBuffer(4000);
    c.client.send(new Uint8Array(20_000), 0, 20_000);
    wait(p, 10 * DELAY);
    // The field of the window is rounded up to 2^scale octets, so that the edge never moves left.
    expect((edge() - promised) | 0).toBeGreaterThanOrEqual(0);
    expect((edge() - promised) | 0).toBeLessThan(inspect(c.server).mss);
    expect(c.server.readable).toBe(20_000);
    // The program reads all of what comes, for many round trips.
    c.server.handler = { onReadable: (s) => s.consume(s.readable) };
    const total = inspect(c.server).rcvWnd + 100_000;
    let left = total;
    const write = (): void => {
      left -= c.client.send(new Uint8Array(left), 0, left);
    };
    c.client.handler = { onWritable: write };
    write();
    wait(p, 60_000);
    expect(left).toBe(0);
    expect(inspect(c.server)).toMatchObject({ receiveLimit: 4000 });
    expect(inspect(c.server).rcvWnd).toBeLessThan(4000 + 256);
    expect(() => c.server.setReceiveBuffer(0)).toThrow(RangeError);
  });
});
