// RFC 6528, initial sequence numbers that cannot be guessed, and how RFC 9293 §3.4.1 and §3.6.1 use them.

import { describe, expect, test } from 'vitest';
import { seqDiff, seqGt } from '../../src/base/seq.ts';
import { SipKey } from '../../src/base/siphash.ts';
import { Host } from '../../src/host/host.ts';
import { initialSequenceNumber } from '../../src/tcp/isn.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { Peer, synSent } from './peer.ts';
import { stage } from './states.ts';

const A = parseAddress('10.0.0.1')!;
const B = parseAddress('10.0.0.2')!;
const key = (fill: number, size = 16): SipKey => new SipKey(new Uint8Array(size).fill(fill));

describe('M + F(four-tuple, key)', () => {
  test('the key has at least 128 bits: a shorter one is refused', () => {
    expect(() => new Host({ key: new Uint8Array(15) })).toThrow(RangeError);
    expect(() => new Host({ key: new Uint8Array(16) })).not.toThrow();
  });

  test('of one four-tuple they grow by one in 4 microseconds (row 48 MUST-8)', () => {
    const k = key(1);
    const at = (ms: number): number => initialSequenceNumber(k, ms, A, 1, B, 2);
    for (const ms of [0, 0.004, 1, 1.5, 1000, 3_600_000, 1e9]) {
      expect(seqDiff(at(ms + 1), at(ms))).toBe(250);
    }
    expect(seqDiff(at(0.004), at(0))).toBe(1);
  });

  test('of one four-tuple they are monotone through the wrap of 2^32, for a whole cycle of 4.77 hours (trap 6)', () => {
    const k = key(2);
    let last = initialSequenceNumber(k, 0, A, 1, B, 2);
    for (let ms = 1_000_000; ms < 20_000_000; ms += 1_000_000) {
      const next = initialSequenceNumber(k, ms, A, 1, B, 2);
      expect(seqGt(next, last)).toBe(true);
      last = next;
    }
  });

  test('every part of the four-tuple counts, and which end is which', () => {
    const k = key(3);
    const all = new Set([
      initialSequenceNumber(k, 0, A, 1, B, 2),
      initialSequenceNumber(k, 0, A, 2, B, 1),
      initialSequenceNumber(k, 0, B, 1, A, 2),
      initialSequenceNumber(k, 0, A, 1, B, 3),
      initialSequenceNumber(k, 0, A, 3, B, 2),
      initialSequenceNumber(k, 0, parseAddress('10.0.0.3')!, 1, B, 2),
      initialSequenceNumber(k, 0, A, 1, parseAddress('10.0.0.3')!, 2),
      initialSequenceNumber(k, 0, parseAddress('fd00::1')!, 1, parseAddress('fd00::2')!, 2),
      initialSequenceNumber(k, 0, parseAddress('fd00::1')!, 1, parseAddress('fd01::2')!, 2),
    ]);
    expect(all.size).toBe(9);
  });

  test('every octet of the key counts (row 49 SHLD-1)', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 16; i++) {
      const bytes = new Uint8Array(16);
      bytes[i] = 1;
      seen.add(initialSequenceNumber(new SipKey(bytes), 0, A, 1, B, 2));
    }
    expect(seen.size).toBe(16);
  });

  test('across four-tuples they are spread evenly: chi-square over 16 bins of 4096 numbers (trap 6, row 50 MUST-9)', () => {
    const k = key(4);
    for (const shift of [28, 14, 0]) {
      const bins = new Array<number>(16).fill(0);
      for (let port = 1; port <= 4096; port++) {
        const iss = initialSequenceNumber(k, 0, A, port, B, 80);
        bins[(iss >>> shift) & 15]!++;
      }
      const chi = bins.reduce((sum, n) => sum + ((n - 256) * (n - 256)) / 256, 0);
      // 15 degrees of freedom: above 44.3 once in 10,000 keys; the key is fixed, so this never flickers.
      expect(chi).toBeLessThan(44.3);
      expect(chi).toBeGreaterThan(0);
    }
  });

  test('differences of neighbouring ports tell nothing: none repeats among 1000', () => {
    const k = key(5);
    const steps = new Set<number>();
    for (let port = 1; port <= 1000; port++) {
      const one = initialSequenceNumber(k, 0, A, port, B, 80);
      const next = initialSequenceNumber(k, 0, A, port + 1, B, 80);
      steps.add(seqDiff(next, one));
    }
    expect(steps.size).toBe(1000);
  });
});

describe('as hosts use it', () => {
  test('an active open takes it: the same host, key, time and ports give the same ISS, another key another', () => {
    const iss = (fill: number): number => {
      const p = new Peer({ key: fill });
      synSent(p);
      return p.hostIss;
    };
    expect(iss(1)).toBe(iss(1));
    expect(iss(1)).not.toBe(iss(2));
  });

  test('a passive open takes it as well', () => {
    const iss = (fill: number): number => {
      const p = new Peer({ key: fill });
      stage(p, 'SYN-RECEIVED');
      return p.hostIss;
    };
    expect(iss(1)).not.toBe(iss(2));
  });

  test('a SYN that is sent again keeps its number', () => {
    const p = new Peer();
    synSent(p);
    expect(p.advance(1000)).toEqual(['@1000 S 0 mss=1460 ws=4']);
  });
});

describe('out of TIME-WAIT (§3.6.1)', () => {
  test('TIME-WAIT: a SYN beyond RCV.NXT opens a new connection (row 64 MAY-2, trap 22)', () => {
    const p = new Peer();
    const s = stage(p, 'TIME-WAIT');
    p.send(`S ${s.rn + 1} mss=1000`);
    expect(s.c.state).toBe('CLOSED');
    const fresh = p.host.connections();
    expect(fresh.map((c) => c.state)).toEqual(['SYN-RECEIVED']);
    expect(p.out()).toHaveLength(1);
    expect(s.a.log.filter((l) => l.startsWith('closed'))).toEqual(['closed']);
  });

  test('TIME-WAIT: a SYN at or before RCV.NXT is an old duplicate: ACK, and nothing new (trap 22)', () => {
    for (const seq of [0, 1, 2]) {
      const p = new Peer();
      const s = stage(p, 'TIME-WAIT');
      p.send(`S ${seq} mss=1000`);
      expect(p.out()).toEqual([`. ${s.nxt} ack=${s.rn}`]);
      expect(s.c.state).toBe('TIME-WAIT');
    }
  });

  test('TIME-WAIT: with nobody listening any more a SYN does not end it', () => {
    const p = new Peer();
    const s = stage(p, 'TIME-WAIT');
    s.a.listener!.close();
    p.send(`S ${s.rn + 1} mss=1000`);
    expect(s.c.state).toBe('TIME-WAIT');
  });

  test('TIME-WAIT: the new ISS lies beyond everything the old connection sent, however fast that was (§3.6.1)', () => {
    const p = new Peer();
    const s = stage(p, 'ESTABLISHED');
    // 100 KB in no time: 0.4 s of the clock's numbers.
    const data = new Uint8Array(100_000);
    let sent = 0;
    while (sent < 100_000) {
      sent += s.c.send(data, 0, Math.min(data.length, 100_000 - sent));
      while (s.c.flightSize > 0 || s.c.unsent > 0) {
        p.out();
        p.send(`. 1 ack=${(s.c.snd.nxt - p.hostIss) | 0}`);
      }
    }
    s.c.shutdown();
    p.out();
    p.send(`F. 1 ack=${(s.c.snd.nxt - p.hostIss) | 0}`);
    expect(s.c.state).toBe('TIME-WAIT');
    const end = s.c.snd.nxt;
    p.send('S 100 mss=1000');
    const [fresh] = p.host.connections();
    expect(fresh!.state).toBe('SYN-RECEIVED');
    expect(seqGt(fresh!.snd.iss, end)).toBe(true);
  });
});
