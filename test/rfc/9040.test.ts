// RFC 9040, temporal sharing: what a connection leaves for the next one to the same address, and what it cannot.

import { describe, expect, test } from 'vitest';
import { bbr } from '../../src/tcp/congestion/bbr.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { type App, app, Peer, type PeerOptions } from './peer.ts';

const MSS = 1000;
const HOUR = 3_600_000;

interface Ending {
  /** Round trips of data, each of so many ms. */
  readonly rounds?: number;
  readonly rtt?: number;
  /** `fin` in good order, our end first; `peer` theirs first; `reset` by the peer. */
  readonly end?: 'fin' | 'peer' | 'reset';
  /** The window is halved by a loss after the first round. */
  readonly loss?: boolean;
}

/** Opens a connection to the peer; its SYN is answered after `rtt` ms. */
function opened(p: Peer, port: number, rtt = 20): { a: App; c: Connection } {
  const a = app();
  const c = p.host.connect({ address: '10.0.0.2', port });
  a.attach(c);
  p.hostPort = c.localPort;
  p.peerPort = port;
  p.out();
  p.hostIss = c.snd.iss;
  p.advance(rtt);
  p.send(`S. 0 ack=1 mss=${MSS} sackOK`);
  p.out();
  return { a, c };
}

/** A whole connection: opened, used, ended. */
function visit(p: Peer, port: number, ending: Ending = {}): void {
  const { rounds = 6, rtt = 200, end = 'fin', loss = false } = ending;
  const { c } = opened(p, port, rtt);
  let next = 1;
  for (let n = 0; n < rounds; n++) {
    c.send(new Uint8Array(MSS), 0, MSS);
    p.out();
    p.advance(rtt);
    next += MSS;
    p.send(`. 1 ack=${next}`);
  }
  if (loss) {
    c.send(new Uint8Array(10 * MSS), 0, 10 * MSS);
    p.out();
    p.advance(rtt);
    p.send(`. 1 ack=${next} sack=${next + MSS}-${next + 10 * MSS}`);
    p.out();
    p.advance(rtt);
    next += 10 * MSS;
    p.send(`. 1 ack=${next}`);
    p.out();
  }
  if (end === 'reset') {
    p.send('R 1');
    expect(c.state).toBe('CLOSED');
    return;
  }
  if (end === 'peer') {
    p.send(`F. 1 ack=${next}`);
    c.close();
    p.out();
    p.send(`. 2 ack=${next + 1}`);
    expect(c.state).toBe('CLOSED');
    return;
  }
  c.close();
  p.out();
  p.send(`F. 1 ack=${next + 1}`);
  p.out();
  expect(c.state).toBe('TIME-WAIT');
}

/** The timeout with which the next connection begins, when its own handshake took 20 ms. */
function firstTimeout(p: Peer, port = 9000): number {
  const { c } = opened(p, port);
  const { rto } = c.rtt;
  c.abort();
  p.out();
  return rto;
}

const fresh = (profile: PeerOptions['profile'] = {}): Peer => new Peer({ profile });

/** 20 ms measured: the least timeout there is. */
const ALONE = 200;

describe('the round-trip time', () => {
  test.each(['fin', 'peer'] as const)(
    'a connection that ended in good order (%s) leaves it: the next waits long enough at once',
    (end) => {
      const p = fresh();
      expect(firstTimeout(p)).toBe(ALONE);
      visit(p, 4000, { end });
      expect(firstTimeout(p)).toBeGreaterThan(ALONE);
      expect(firstTimeout(p)).toBeLessThan(1000);
    },
  );

  test('the estimate itself is the new connection’s own', () => {
    const p = fresh();
    visit(p, 4000);
    expect(opened(p, 4001).c.rtt.srtt).toBe(20);
  });

  test('a path that was quicker lowers no timeout', () => {
    const p = fresh();
    visit(p, 4000, { rtt: 1 });
    expect(opened(p, 4001, 300).c.rtt.rto).toBe(300 + 4 * 150);
  });

  test('a SYN that was sent twice measures nothing: what is known takes the place of 3 s (RFC 6298 §5.7)', () => {
    const rto = (known: boolean): number => {
      const p = fresh();
      if (known) visit(p, 4000);
      return opened(p, 4001, 1500).c.rtt.rto;
    };
    expect(rto(false)).toBe(3000);
    expect(rto(true)).toBeLessThan(1000);
  });

  test('a listener’s connections begin with it too', () => {
    const p = fresh();
    visit(p, 4000);
    let rto = 0;
    p.host.listen({ port: 80 }, (c) => {
      rto = c.rtt.rto;
    });
    p.hostPort = 80;
    p.peerPort = 4001;
    p.send('S 0 mss=1000');
    const iss = p.trace.filter((e) => e.type === 'iss').at(-1);
    p.hostIss = iss?.type === 'iss' ? iss.iss : 0;
    p.out();
    p.advance(20);
    p.send('. 1 ack=1');
    expect(rto).toBeGreaterThan(ALONE);
  });

  test('another address knows nothing of it', () => {
    const p = fresh();
    visit(p, 4000);
    const c = p.host.connect({ address: '10.0.0.3', port: 80 });
    expect(c.rtt.rto).toBe(1000);
    expect(p.host.metrics.size).toBe(1);
  });

  test('it is forgotten after an hour', () => {
    const p = fresh();
    visit(p, 4000);
    p.advance(HOUR - 1000);
    expect(firstTimeout(p)).toBeGreaterThan(ALONE);
    p.advance(1000);
    expect(firstTimeout(p, 9001)).toBe(ALONE);
    expect(p.host.metrics.size).toBe(0);
  });

  /** What a connection leaves that has measured this, and the timeout with which one begins that has measured 20 ms. */
  function merged(p: Peer, srtt: number, rttvar: number): number {
    const { c } = opened(p, 4000);
    Object.assign(c.rtt, { srtt, rttvar, samples: 4 });
    p.host.metrics.store(c);
    c.abort();
    p.out();
    return firstTimeout(p);
  }

  test('a longer time counts at once, a shorter one by and by', () => {
    const p = fresh();
    expect(merged(p, 400, 25)).toBe(500);
    expect(merged(p, 800, 50)).toBe(1000);
    expect(merged(p, 400, 10)).toBe(750 + 4 * 40);
  });

  test('what varied much and was no slower changes nothing', () => {
    const p = fresh();
    expect(merged(p, 15, 500)).toBe(ALONE);
  });

  test('an estimate that has just failed, with a back-off in force, is not left', () => {
    const p = fresh();
    const { c } = opened(p, 4000);
    Object.assign(c.rtt, { srtt: 400, samples: 4, backoff: 1 });
    p.host.metrics.store(c);
    expect(p.host.metrics.size).toBe(0);
  });
});

describe('what a peer cannot leave', () => {
  test('a connection that was reset leaves nothing', () => {
    const p = fresh();
    visit(p, 4000, { end: 'reset' });
    expect(p.host.metrics.size).toBe(0);
  });

  test('one that measured fewer than four round trips leaves nothing', () => {
    const p = fresh();
    // The SYN and the FIN are measured as well.
    visit(p, 4000, { rounds: 1 });
    expect(p.host.metrics.size).toBe(0);
    visit(p, 4001, { rounds: 2 });
    expect(p.host.metrics.size).toBe(1);
  });

  test('however slow it made itself, the next first timeout is 3 s at most', () => {
    const p = fresh();
    visit(p, 4000, { rtt: 20_000 });
    expect(firstTimeout(p)).toBe(3000);
  });

  test('a SYN alone neither stores nor reads anything', () => {
    const p = fresh();
    visit(p, 4000);
    const c = p.host.connect({ address: '10.0.0.2', port: 4001 });
    expect(c.rtt.rto).toBe(1000);
    c.abort();
    expect(p.host.metrics.size).toBe(1);
  });

  test('1,024 addresses are remembered; the one that was heard of longest ago goes', () => {
    const p = fresh();
    const { metrics } = p.host;
    visit(p, 4000);
    const { c } = opened(p, 4001);
    c.rtt.samples = 4;
    for (let n = 0; n < 3000; n++) {
      const remote = { toString: (): string => `peer ${n}` };
      metrics.store(Object.create(c, { addressing: { value: { ...c.addressing, remote } } }) as Connection);
    }
    expect(metrics.size).toBe(1024);
    c.abort();
    expect(firstTimeout(p)).toBe(ALONE);
  });
});

describe('by profile', () => {
  test('none: nothing is kept', () => {
    const p = fresh({ shareMetrics: 'none' });
    visit(p, 4000);
    expect(p.host.metrics.size).toBe(0);
  });

  test('path: slow start begins as ever after a connection that had losses', () => {
    const p = fresh();
    visit(p, 4000, { loss: true });
    expect(opened(p, 4001).c.cc.ssthresh).toBe(0x3fffffff);
  });

  /** A connection ends in good order with this window and threshold, in segments. */
  function left(p: Peer, port: number, cwnd: number, ssthresh: number): void {
    const { c } = opened(p, port, 200);
    c.rtt.samples = 4;
    c.cc.cwnd = cwnd * MSS;
    c.cc.ssthresh = ssthresh * MSS;
    c.close();
    p.out();
    p.send('F. 1 ack=2');
    expect(c.state).toBe('TIME-WAIT');
  }

  test('all: the slow start threshold is kept as well, half old and half new', () => {
    const p = fresh({ shareMetrics: 'all' });
    left(p, 4000, 30, 20);
    expect(opened(p, 4001).c.cc.ssthresh).toBe(20 * MSS);
    left(p, 4002, 80, 20);
    expect(opened(p, 4003).c.cc.ssthresh).toBe(30 * MSS);
    // One that never left slow start shows that it was too low.
    left(p, 4004, 90, 2_000_000);
    expect(opened(p, 4005).c.cc.ssthresh).toBe(45 * MSS);
  });

  test('all: no threshold is below the initial window, and none is for a controller that has a model', () => {
    const p = fresh({ shareMetrics: 'all' });
    left(p, 4000, 2, 2);
    expect(opened(p, 4001).c.cc.ssthresh).toBe(10 * MSS);
    const { c } = opened(p, 4002);
    c.setCongestionControl(bbr);
    c.cc.ssthresh = 0x3fffffff;
    p.host.metrics.recall(c);
    expect(c.cc.ssthresh).toBe(0x3fffffff);
  });

  test('the reordering that a path has shown is kept', () => {
    const p = fresh();
    const { c } = opened(p, 4000, 200);
    c.rtt.samples = 4;
    c.send(new Uint8Array(10 * MSS), 0, 10 * MSS);
    p.out();
    p.send(`. 1 ack=1 sack=${1 + 5 * MSS}-${1 + 6 * MSS}`);
    p.send(`. 1 ack=${1 + MSS} sack=${1 + 5 * MSS}-${1 + 6 * MSS}`);
    expect(c.rack.degree).toBe(6);
    p.send(`. 1 ack=${1 + 10 * MSS}`);
    const { degree } = c.rack;
    c.close();
    p.out();
    p.send(`F. 1 ack=${2 + 10 * MSS}`);
    expect(opened(p, 4001).c.rack.degree).toBe(degree);
  });
});
