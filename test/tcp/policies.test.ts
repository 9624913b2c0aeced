// Fields of the profile that change when timers fire and what is told, each against its neutral value.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import { connectPair, pair } from '../../src/sim/pair.ts';
import { established, Peer, synSent } from '../rfc/peer.ts';

/** When the lines that `advance` returned were sent, ms. */
function times(lines: readonly string[]): number[] {
  return lines.map((l) => Number(/^@(\d+)/.exec(l)![1]));
}

describe('timeouts', () => {
  test('slop is added to every timeout but that of the first SYN', () => {
    const p = new Peer({ profile: { rtoSlop: 200 } });
    synSent(p);
    expect(times(p.advance(8000))).toEqual([1000, 3200, 7400]);
  });

  test('slop is added to the timeout of data, back-off or not', () => {
    const p = new Peer({ profile: { rtoSlop: 200, rtoMin: 30, tailLossProbe: false } });
    const a = established(p);
    a.connection!.send(new Uint8Array(10), 0, 10);
    p.out();
    // The round trip took no time: the least timeout, 30 ms, and its doubles.
    expect(times(p.advance(900))).toEqual([230, 490, 810]);
  });

  test('an open that nobody answers is given up at its deadline, whatever the retries', () => {
    const p = new Peer({ profile: { openTimeout: 5000 } });
    const a = synSent(p);
    expect(times(p.advance(4999))).toEqual([1000, 3000]);
    expect(a.connection.state).toBe('SYN-SENT');
    expect(p.advance(2)).toEqual([]);
    p.out();
    expect(a.log).toEqual(['closed ETIMEDOUT']);
  });

  test('the deadline of opening is none of an open connection', () => {
    const p = new Peer({ profile: { openTimeout: 5000 } });
    const a = established(p);
    a.connection!.send(new Uint8Array(10), 0, 10);
    p.out();
    p.advance(20_000);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('the program hears of trouble after as many retransmissions as the profile says (R1)', () => {
    for (const troubleRetries of [3, 5]) {
      const p = new Peer({ profile: { troubleRetries, tailLossProbe: false } });
      const a = established(p);
      let heard = 0;
      a.connection!.handler = { onTrouble: () => heard++ };
      a.connection!.send(new Uint8Array(10), 0, 10);
      p.out();
      let sent = 0;
      while (heard === 0 && sent < 10) {
        sent += p.advance(100).length;
        p.out();
      }
      expect(sent).toBe(troubleRetries);
    }
  });
});

test('what comes twice is not reported where the profile says so', () => {
  for (const dsack of [true, false]) {
    const p = new Peer({ profile: { dsack, timestamps: false } });
    p.showOptions = true;
    established(p, { syn: 'sackOK' });
    p.send('P. 1:10 ack=1');
    p.advance(100);
    p.send('P. 1:10 ack=1');
    expect(p.out()).toEqual([dsack ? '. 1 ack=11 sack=1-11' : '. 1 ack=11']);
    p.send('. 21:10 ack=1');
    p.send('. 31:10 ack=1');
    p.out();
    p.send('. 31:10 ack=1');
    expect(p.out()).toEqual([dsack ? '. 1 ack=11 sack=31-41,21-41' : '. 1 ack=11 sack=21-41']);
  }
});

test('a receive buffer stays as it is where the profile says so', () => {
  const limit = (receiveAutotune: boolean): number => {
    const profile: Partial<Profile> = { receiveAutotune, receiveBuffer: 30_000, receiveBufferMax: 1_000_000 };
    const p = pair({ seed: 8, profile, impairments: { delay: 20 } });
    const { client, server } = connectPair(p);
    server.handler = { onReadable: (s) => s.consume(s.readable) };
    const fill = (): void => {
      while (client.send(new Uint8Array(50_000), 0, 50_000) === 50_000);
    };
    client.handler = { onWritable: fill };
    fill();
    p.network.run({ until: p.network.now + 2000 });
    return server.receiveLimit;
  };
  expect(limit(false)).toBe(30_000);
  expect(limit(true)).toBeGreaterThan(30_000);
});
