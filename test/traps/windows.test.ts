// Traps 23 to 29: windows that shut, shrink and stay small, and the two delays that wait for each other.

import { describe, expect, it } from 'vitest';
import { established, Peer } from '../rfc/peer.ts';
import { LISTEN, OPEN, passes } from './script.ts';

/** A peer whose window has room for one segment. */
const NARROW = `${LISTEN}
  +0 < S 0:0(0) win 1000 <mss 1000>
  +0 > S. 0:0(0) ack 1 <...>
 +.1 < . 1:1(0) ack 1 win 1000
  +0 accept(3, ..., ...) = 4
  +0 write(4, ..., 2000) = 2000
  +0 > . 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 0
`;

describe('a shut window', () => {
  it('trap 23: the probe finds the window open again where the news of it was lost (default)', () => {
    passes(`${NARROW}
      +.25 > . 1000:1000(0) ack 1
      +.5 > . 1000:1000(0) ack 1
      +.1 < . 1:1(0) ack 1001 win 1000
      +0 > P. 1001:2001(1000) ack 1`);
  });

  it('trap 23: probes that are answered keep a connection for ever, at most 60 s apart (default)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('. 1 ack=1 win=0');
    a.connection!.send(new Uint8Array(100), 0, 100);
    p.out();
    let gap = 0;
    for (const end = p.now + 12 * 3_600_000; p.now < end; ) {
      const due = p.host.nextDeadline() - p.now;
      gap = Math.max(gap, due);
      p.advance(due);
      p.send('. 1 ack=1 win=0');
      p.out();
    }
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(gap).toBe(60_000);
  });

  it('trap 24: unanswered probes say nothing of congestion: cwnd and ssthresh stay (default)', () => {
    passes(`${NARROW}
      +0 %{ cwnd = tcpi_snd_cwnd; ssthresh = tcpi_snd_ssthresh }%
      +.25 > . 1000:1000(0) ack 1
      +.5 > . 1000:1000(0) ack 1
      +1 > . 1000:1000(0) ack 1
      +2 > . 1000:1000(0) ack 1
      +4 > . 1000:1000(0) ack 1
      +.1 < . 1:1(0) ack 1001 win 1000
      +0 > P. 1001:2001(1000) ack 1
      +0 %{ assert tcpi_snd_cwnd == cwnd and tcpi_snd_ssthresh == ssthresh, tcpi_snd_cwnd }%`);
  });

  it('trap 25: a probe has a number that is acknowledged already, so that every peer must answer (default)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('. 1 ack=1 win=0');
    a.connection!.send(new Uint8Array(100), 0, 100);
    const [probe] = p.advance(10_000);
    expect(probe).toMatch(/ \. 0 ack=1$/);
  });
});

it('trap 26: a window that shrinks below what is in flight resets nothing; what fits is sent again (default)', () => {
  passes(`${OPEN}
    +0 write(4, ..., 4000) = 4000
    +0 > P. 1:4001(4000) ack 1
    +.1 < . 1:1(0) ack 1001 win 1000
    * > . 1001:2001(1000) ack 1
    +.1 < . 1:1(0) ack 2001 win 1000
    * > . 2001:3001(1000) ack 1
    +.1 < . 1:1(0) ack 3001 win 1000
    * > P. 3001:4001(1000) ack 1
    +.1 < . 1:1(0) ack 4001 win 1000
    +0 %{ assert tcpi_state == TCP_ESTABLISHED and tcpi_unacked == 0 }%`);
});

it('trap 27: a smaller buffer does not take back what was offered: the right edge never moves left (default)', () => {
  const p = new Peer({ profile: { receiveBuffer: 10_000 } });
  p.showWindow = true;
  const a = established(p, { reads: false });
  let edge = 0;
  const told = (lines: readonly string[]): void => {
    for (const line of lines) {
      const [, ack = '0', win = '0'] = /ack=(\d+) win=(\d+)/.exec(line) ?? [];
      const right = Number(ack) + Number(win);
      expect(right).toBeGreaterThanOrEqual(edge);
      edge = Math.max(edge, right);
    }
  };
  p.send('. 1:1000 ack=1');
  told(p.advance(100));
  expect(edge).toBe(10_001);
  a.connection!.setReceiveBuffer(2000);
  for (let at = 1001; at < 9001; at += 1000) {
    p.send(`. ${at}:1000 ack=1`);
    told(p.advance(100));
  }
  expect(edge).toBe(10_001);
});

it('trap 28: a program that reads octet by octet opens no window of a few octets (default)', () => {
  const p = new Peer({ profile: { receiveBuffer: 4000 } });
  p.showWindow = true;
  const a = established(p, { reads: false });
  for (let at = 1; at < 4001; at += 1000) p.send(`. ${at}:1000 ack=1`);
  const windows: number[] = [];
  const note = (lines: readonly string[]): void => {
    for (const line of lines) windows.push(Number(/win=(\d+)/.exec(line)?.[1]));
  };
  note(p.advance(100));
  const c = a.connection!;
  for (let i = 0; i < 4000; i++) {
    c.consume(1);
    note(p.out());
    // A probe of the peer must not be told of a few octets either.
    if (i % 100 === 0) {
      p.send('. 4000 ack=1');
      note(p.advance(1000));
    }
  }
  expect(windows.length).toBeGreaterThan(3);
  expect(windows.filter((window) => window > 0 && window < 1000)).toEqual([]);
});

it('trap 29: two small writes and a peer that holds its ACK back: with TCP_NODELAY nothing waits (default)', () => {
  const writes = (second: string): string => `
    +0 write(4, ..., 100) = 100
    +0 > P. 1:101(100) ack 1
    +0 write(4, ..., 100) = 100
    ${second}`;
  passes(`${OPEN}+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0${writes('+0 > P. 101:201(100) ack 1')}`);
  // Without, the second waits for the ACK of the first, which a peer holds back 40 ms.
  passes(`${OPEN}${writes('+.04 < . 1:1(0) ack 101 win 65535\n+0 > P. 101:201(100) ack 1')}`);
});
