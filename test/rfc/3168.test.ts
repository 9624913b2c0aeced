// RFC 3168, explicit congestion notification: agreed on by SYNs, marked by the path, echoed, obeyed.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import { connectPair, pair } from '../../src/sim/pair.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { readSnapshot, writeSnapshot } from '../../src/tcp/snapshot.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { pseudoSum4 } from '../../src/wire/ipv4.ts';
import { finishTcp } from '../../src/wire/tcp.ts';
import { flood } from '../tcp/flood.ts';
import { type App, app, listening, Peer } from './peer.ts';

const MSS = 1000;
const address = (text: string): number => parseAddress(text)!.w3;

/** The answer to a SYN of these flags on a packet of this codepoint. */
function answer(flags: string, ecn = 0, profile: Partial<Profile> = {}): string {
  const p = new Peer({ profile });
  listening(p);
  p.send(`${flags} 0 mss=1000 ecn=${ecn}`);
  return p.out()[0]!.split(' ')[0]!;
}

/** An open connection with ECN, the peer having asked for it. */
function agreed(profile: Partial<Profile> = {}): { p: Peer; a: App } {
  const p = new Peer({ profile });
  const a = listening(p);
  p.send('SEW 0 mss=1000');
  p.out();
  p.send('. 1 ack=1');
  p.out();
  return { p, a };
}

/** The same with ten segments in flight. */
function sending(profile: Partial<Profile> = {}): { p: Peer; a: App; first: string[] } {
  const { p, a } = agreed(profile);
  a.connection!.send(new Uint8Array(200_000), 0, 200_000);
  return { p, a, first: p.out() };
}

describe('agreeing (§6.1.1)', () => {
  test('a SYN with ECE and CWR is answered with ECE alone', () => {
    expect(answer('SEW')).toBe('S.E');
  });

  test('one of the two bits asks for nothing', () => {
    expect([answer('SE'), answer('SW'), answer('S')]).toEqual(['S.', 'S.', 'S.']);
  });

  test('a SYN whose packet is ECN-capable itself is not believed', () => {
    expect(answer('SEW', 2)).toBe('S.');
  });

  test('a SYN that asks for accurate ECN, with AE too, is answered as by a server that knows only this (RFC 9768 §3.1.2)', () => {
    const asks = (flags: string): string => {
      const p = new Peer();
      listening(p);
      const inject = p.inject.bind(p);
      p.inject = (bytes, length): void => {
        // AE is the bit beside the header length that the sum nonce had.
        bytes[20 + 12]! |= 1;
        finishTcp(bytes, 20, length - 20, pseudoSum4(address('10.0.0.2'), address('10.0.0.1'), 6, length - 20));
        inject(bytes, length);
      };
      p.send(`${flags} 0 mss=1000`);
      const sent = p.out()[0]!.split(' ')[0]!;
      // What we do not know of we do not say either.
      expect(p.packets[0]![20 + 12]! & 0x0f).toBe(0);
      return sent;
    };
    expect(asks('SEW')).toBe('S.E');
    expect(asks('S')).toBe('S.');
  });

  test('a profile without ECN does not answer', () => {
    expect(answer('SEW', 0, { ecn: 'off' })).toBe('S.');
  });

  test('a SYN that comes again without the bits is answered without', () => {
    const p = new Peer();
    listening(p);
    p.send('SEW 0 mss=1000');
    p.out();
    p.send('S 0 mss=1000');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
  });

  /** We open; the peer answers with these flags. Then ten octets go out. */
  function opened(profile: Partial<Profile>, flags: string, lost = false): { syns: string[]; data: string[] } {
    const p = new Peer({ profile });
    const a = app();
    a.attach(p.host.connect({ address: '10.0.0.2', port: 4000, localPort: 80 }));
    const syns = p.out();
    if (lost) syns.push(...p.advance(1000));
    p.send(`${flags} 0 ack=1 mss=1000`);
    p.out();
    a.connection!.send(new Uint8Array(10), 0, 10);
    return { syns: syns.map((line) => line.split(' ').find((word) => word.startsWith('S'))!), data: p.out() };
  }

  test('we ask only when the profile says so', () => {
    expect(opened({}, 'S.').syns).toEqual(['S']);
    expect(opened({ ecn: 'ask' }, 'S.').syns).toEqual(['SEW']);
  });

  test('agreed on, text leaves as ECT(0); refused, it does not', () => {
    expect(opened({ ecn: 'ask' }, 'S.E').data).toEqual(['P. 1:10 ack=1 ecn=2']);
    expect(opened({ ecn: 'ask' }, 'S.').data).toEqual(['P. 1:10 ack=1']);
  });

  test('a peer that reflects both bits does not know what they mean', () => {
    expect(opened({ ecn: 'ask' }, 'S.EW').data).toEqual(['P. 1:10 ack=1']);
  });

  test('ECE on the answer to a SYN that did not ask is nothing', () => {
    expect(opened({}, 'S.E').data).toEqual(['P. 1:10 ack=1']);
  });

  test('a SYN that is sent again asks no more (§6.1.1.1)', () => {
    const { syns, data } = opened({ ecn: 'ask' }, 'S.E', true);
    expect(syns).toEqual(['SEW', 'S']);
    expect(data).toEqual(['P. 1:10 ack=1']);
  });
});

describe('the receiver (§6.1.3)', () => {
  test('a mark is echoed at once and on every ACK, until CWR comes (row 125 SHLD-8)', () => {
    const { p } = agreed();
    p.send('. 1:1000 ack=1 ecn=3');
    expect(p.out()).toEqual(['.E 1 ack=1001']);
    p.send('. 1001:1000 ack=1 ecn=2');
    p.send('. 2001:1000 ack=1 ecn=2');
    expect(p.out()).toEqual(['.E 1 ack=3001']);
    p.send('.W 3001:1000 ack=1 ecn=2');
    p.send('. 4001:1000 ack=1 ecn=2');
    expect(p.out()).toEqual(['. 1 ack=5001']);
  });

  test('a mark on the segment that brings CWR begins the echo anew', () => {
    const { p } = agreed();
    p.send('. 1:1000 ack=1 ecn=3');
    p.out();
    p.send('.W 1001:1000 ack=1 ecn=3');
    expect(p.out()).toEqual(['.E 1 ack=2001']);
  });

  test('without agreement marks say nothing', () => {
    const p = new Peer();
    listening(p);
    p.send('S 0 mss=1000');
    p.out();
    p.send('. 1 ack=1');
    p.send('. 1:1000 ack=1 ecn=3');
    p.send('. 1001:1000 ack=1 ecn=3');
    expect(p.out()).toEqual(['. 1 ack=2001']);
  });

  test('our own text carries the echo as well', () => {
    const { p, a } = agreed();
    p.send('. 1:1000 ack=1 ecn=3');
    p.out();
    a.connection!.send(new Uint8Array(10), 0, 10);
    expect(p.out()).toEqual(['P.E 1:10 ack=1001 ecn=2']);
  });
});

describe('the sender (§6.1.2)', () => {
  test('new text is ECT(0); ACKs and what is sent again are not (§6.1.4, §6.1.5)', () => {
    const { p, first } = sending();
    expect(first.every((line) => line.endsWith('ecn=2'))).toBe(true);
    expect(p.advance(201)).toEqual(['@200 . 1:1000 ack=1']);
    p.send('. 1:1000 ack=1');
    p.send('. 1001:1000 ack=1');
    expect(p.out()).toEqual(['. 10001 ack=2001']);
  });

  test('an echo halves the window, and the next new segment says CWR, once', () => {
    const { p, a } = sending();
    const { cc } = a.connection!;
    p.send(`.E 1 ack=${1 + MSS}`);
    p.out();
    expect([cc.cwnd, cc.ssthresh]).toEqual([4500, 4500]);
    const lines: string[] = [];
    for (let k = 2; k <= 9; k++) {
      p.send(`. 1 ack=${1 + k * MSS}`);
      lines.push(...p.out());
    }
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['.W', '.', '.', '.']);
  });

  test('echoes until everything that was in flight is acknowledged are the same mark, and let nothing grow', () => {
    const { p, a } = sending();
    const { cc } = a.connection!;
    for (let k = 1; k <= 10; k++) p.send(`.E 1 ack=${1 + k * MSS}`);
    expect(cc.cwnd).toBe(4500);
    p.out();
    p.send('.E 1 ack=11001');
    p.send('.E 1 ack=12001');
    expect(cc.cwnd).toBeLessThan(4500);
  });

  test('a loss in the window of data that was marked is not a second reason', () => {
    const { p, a } = sending();
    const { cc } = a.connection!;
    p.send(`.E 1 ack=${1 + MSS}`);
    const { ssthresh } = cc;
    for (let k = 0; k < 3; k++) p.send(`. 1 ack=${1 + MSS}`);
    expect(a.connection!.recovery.active).toBe(true);
    expect(cc.ssthresh).toBe(ssthresh);
  });

  test('a loss brings CWR as well', () => {
    const { p } = sending();
    for (let k = 0; k < 3; k++) p.send('. 1 ack=1');
    p.out();
    // Two more had left by limited transmit.
    p.send('. 1 ack=12001');
    expect(p.out()[0]).toMatch(/^\.W 12001:1000 /);
  });

  test('without agreement ECE says nothing', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1000');
    p.out();
    p.send('. 1 ack=1');
    a.connection!.send(new Uint8Array(20_000), 0, 20_000);
    p.out();
    p.send('.E 1 ack=1001');
    expect(a.connection!.cc.cwnd).toBeGreaterThan(10 * MSS);
  });

  test('info tells of it: agreed (8), and marks seen (16)', () => {
    const { p, a } = agreed();
    expect(tcpInfo(a.connection!).tcpi_options & 24).toBe(8);
    p.send('. 1:1000 ack=1 ecn=3');
    expect(tcpInfo(a.connection!).tcpi_options & 24).toBe(24);
  });
});

test('what is known of ECN travels with a connection', () => {
  const { p, a } = agreed();
  p.send('. 1:1000 ack=1 ecn=3');
  p.out();
  const ecn = readSnapshot(writeSnapshot(a.connection!)).parts.get('ecn');
  expect([ecn?.get('echo'), ecn?.get('marksIn')]).toEqual([true, 1]);
});

describe.each([false, true])('over a bottleneck that marks (IPv6: %s)', (ipv6) => {
  /** Octets that a second brought, packets lost, packets marked. */
  function transfer(ecn: 'off' | 'ask'): { received: number; lost: number; marked: number } {
    const path = { delay: 10, rate: 1_250_000, queue: 100_000, mark: 15_000 };
    const p = pair({ seed: 4, ipv6, impairments: path, profile: { ecn } });
    const { client, server } = connectPair(p);
    const flow = flood(client, server);
    p.network.run({ until: p.network.now + 10_000 });
    const { queueFull, marked } = p.link.aToB.counters;
    return { received: flow.received, lost: queueFull, marked };
  }

  test('the path is full and loses nothing', () => {
    const { received, lost, marked } = transfer('ask');
    expect(marked).toBeGreaterThan(10);
    expect(lost).toBe(0);
    expect(received).toBeGreaterThan(0.9 * 12_500_000 * (1428 / 1500));
  });

  test('without ECN it marks nothing and loses', () => {
    const { lost, marked } = transfer('off');
    expect(marked).toBe(0);
    expect(lost).toBeGreaterThan(10);
  });
});
