// RFC 9293 §3.1 and §3.2, header and options, as a connection meets them; §3.8.5, the urgent pointer.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/wire/address.ts';
import { pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { finishTcp, writeTcp } from '../../src/wire/tcp.ts';
import { established, listening, octets, Peer, synSent } from './peer.ts';

const HOST = parseAddress('10.0.0.1')!.w3;
const PEER = parseAddress('10.0.0.2')!.w3;

/** The peer sends a segment with these option octets, padded with zeros to a multiple of four. */
function raw(
  p: Peer,
  flags: number,
  seq: number,
  ack: number,
  options: readonly number[],
  payload: readonly number[] = [],
  spoil: (packet: Uint8Array) => void = () => undefined,
): void {
  const padded = (options.length + 3) & ~3;
  const b = new Uint8Array(20 + 20 + padded + payload.length);
  writeTcp(
    b,
    20,
    p.peerPort,
    p.hostPort,
    (p.peerIss + seq) | 0,
    ack === -1 ? 0 : (p.hostIss + ack) | 0,
    flags,
    65_535,
    0,
    padded,
  );
  b.set(options, 40);
  b.set(payload, 40 + padded);
  finishTcp(b, 20, b.length - 20, pseudoSum4(PEER, HOST, 6, b.length - 20));
  writeIpv4(b, 0, b.length - 20, 1, 64, 6, 0, PEER, HOST, true);
  spoil(b);
  p.inject(b, b.length);
}

describe('options (§3.1)', () => {
  test('LISTEN: an option of length 0 ends the reading; the SYN still opens (trap 7, row 33 MUST-7, CVE-2020-24337)', () => {
    const p = new Peer();
    listening(p);
    raw(p, 2, 0, -1, [2, 4, 3, 232, 0xfe, 0]);
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    // The MSS before it counts.
    expect(p.host.connections()[0]!.snd.mss).toBe(1000);
  });

  test.each([
    ['length 1', [0xfe, 1, 2, 4, 3, 232]],
    ['a length beyond the header', [0xfe, 40, 0, 0]],
    ['a kind without a length at the very end', [1, 1, 1, 2]],
    ['an MSS of length 3', [2, 3, 9, 1]],
    ['an MSS of length 6', [2, 6, 1, 2, 3, 4, 0, 0]],
    ['a window scale of length 2', [3, 2, 1, 1]],
  ])('LISTEN: %s: the SYN opens, the option does not count (trap 7, trap 8)', (_name, options) => {
    const p = new Peer();
    listening(p);
    raw(p, 2, 0, -1, options);
    expect(p.out()).toHaveLength(1);
    expect(p.host.connections()[0]!.snd.mss).toBe(536);
    expect(p.host.connections()[0]!.snd.scale).toBe(0);
  });

  test('LISTEN: options that nobody knows are skipped (row 31 MUST-6), and alignment does not matter (row 34 MUST-64)', () => {
    const p = new Peer();
    listening(p);
    raw(p, 2, 0, -1, [253, 5, 1, 2, 3, 2, 4, 3, 232, 1, 3, 3, 5]);
    const c = p.host.connections()[0]!;
    expect([c.snd.mss, c.snd.scale]).toEqual([1000, 5]);
  });

  test('LISTEN: end, no-operation and MSS are understood (row 29 MUST-4); what is behind the end is not read', () => {
    const p = new Peer();
    listening(p);
    raw(p, 2, 0, -1, [1, 1, 2, 4, 3, 232, 1, 0, 3, 3, 5, 0]);
    const c = p.host.connections()[0]!;
    expect([c.snd.mss, c.snd.scale]).toEqual([1000, 0]);
  });

  test('SYN-SENT: our own options have their lengths, and fill whole words (row 32 MUST-68)', () => {
    const p = new Peer();
    synSent(p);
    const syn = p.packets[0]!;
    const stamp = [...syn.subarray(48, 52)];
    const expected = [2, 4, 1460 >> 8, 1460 & 0xff, 4, 2, 8, 10, ...stamp, 0, 0, 0, 0, 1, 3, 3, 4];
    expect([...syn.subarray(40)]).toEqual(expected);
    expect(syn[32]! >> 4).toBe(10);
  });

  test('whatever options we send: each has its length (row 32 MUST-68), and behind the list there are zeros (row 45 MUST-69)', () => {
    for (let bits = 0; bits < 8; bits++) {
      const profile = { sack: (bits & 1) > 0, timestamps: (bits & 2) > 0, windowScaling: (bits & 4) > 0 };
      const p = new Peer({ profile });
      const a = synSent(p);
      p.send('S. 0 ack=1 mss=1000 ws=2 sackOK ts=5:1');
      p.send('. 1001:10 ack=1 ts=6:1');
      a.connection.shutdown();
      p.out();
      const lengths = new Map([
        [2, 4],
        [3, 3],
        [4, 2],
        [8, 10],
      ]);
      for (const packet of p.packets) {
        let at = 40;
        const stop = 20 + (packet[32]! >> 4) * 4;
        while (at < stop && packet[at] !== 0) {
          const kind = packet[at]!;
          if (kind === 5) expect(packet[at + 1]! % 8).toBe(2);
          else if (kind !== 1) expect([kind, packet[at + 1]]).toEqual([kind, lengths.get(kind)]);
          at += kind === 1 ? 1 : packet[at + 1]!;
        }
        expect(at).toBeLessThanOrEqual(stop);
        expect([...packet.subarray(at, stop)].every((octet) => octet === 0)).toBe(true);
      }
      expect(p.packets.length).toBeGreaterThanOrEqual(3);
    }
  });

  test('ESTABLISHED: options come on any segment (row 30 MUST-5), and the text behind them is found', () => {
    const p = new Peer();
    const a = established(p);
    raw(p, 24, 1, 1, [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], [9, 8, 7]);
    expect(a.read).toEqual([9, 8, 7]);
  });

  test('any option octets whatever: never a throw, and SYNs open (trap 8)', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255), { maxLength: 40 }), (options) => {
        const p = new Peer();
        listening(p);
        raw(p, 2, 0, -1, options);
        const c = p.host.connections()[0]!;
        expect(c.state).toBe('SYN-RECEIVED');
        expect(c.snd.mss).toBeGreaterThanOrEqual(88);
        expect(c.snd.scale).toBeLessThanOrEqual(14);
      }),
      { seed: 9293, numRuns: 1000 },
    );
  });
});

describe('headers that are wrong', () => {
  test('ESTABLISHED: a wrong checksum: dropped, counted, silence (row 47 MUST-3)', () => {
    const p = new Peer();
    const a = established(p);
    for (let bit = 0; bit < 8; bit++) raw(p, 24, 1, 1, [], [1, 2, 3], (b) => (b[41]! ^= 1 << bit));
    raw(p, 4, 1, 0, [], [], (b) => (b[36]! ^= 1));
    expect(p.out()).toEqual([]);
    expect(a.read).toEqual([]);
    expect(p.drops('tcp-bad-checksum')).toBe(9);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('the pseudo header counts: a segment for another address is not ours by its checksum (§3.1)', () => {
    const p = new Peer();
    const a = established(p);
    raw(p, 24, 1, 1, [], [1, 2, 3], (b) => {
      // From 10.0.0.3, with the sum of 10.0.0.2; the IP header is right.
      const tcp = b.slice(20);
      writeIpv4(b, 0, tcp.length, 1, 64, 6, 0, parseAddress('10.0.0.3')!.w3, HOST, true);
    });
    expect(p.drops('tcp-bad-checksum')).toBe(1);
    expect(a.read).toEqual([]);
  });

  test('ESTABLISHED: a data offset below 5, or beyond the segment: dropped, counted (trap 8)', () => {
    const p = new Peer();
    const a = established(p);
    for (const offset of [0, 1, 4, 6, 15]) raw(p, 24, 1, 1, [], [1, 2, 3], (b) => (b[32] = offset << 4));
    expect(p.drops('tcp-bad-data-offset')).toBe(5);
    expect(a.read).toEqual([]);
  });

  test('ESTABLISHED: segments cut short at any octet: dropped, never a throw', () => {
    const p = new Peer();
    const a = established(p);
    const whole = new Uint8Array(60);
    raw(
      p,
      24,
      1,
      1,
      [],
      Array.from({ length: 20 }, () => 1),
      (b) => {
        whole.set(b);
        b.fill(0);
      },
    );
    for (let cut = 0; cut < 60; cut++) p.inject(whole, cut);
    expect(a.read).toEqual([]);
    expect(p.out()).toEqual([]);
    p.inject(whole, 60);
    expect(a.read).toHaveLength(20);
  });
});

describe('the urgent pointer (§3.8.5, trap 34)', () => {
  test.each([0, 1, 5, 6, 100, 65_535])(
    'ESTABLISHED: URG with a pointer of %d: the stream is the same, in line',
    (urg) => {
      const p = new Peer();
      const a = established(p);
      p.send(`UP. 1:5 ack=1 urg=${urg}`);
      p.send('P. 6:5 ack=1');
      expect(a.read).toEqual(octets(1, 11));
    },
  );

  test('URG on SYN, on FIN, without text, past the FIN: nothing underflows', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('SU 0 mss=1000 urg=65535');
    expect(p.out()).toHaveLength(1);
    p.send('U. 1 ack=1 urg=9');
    p.send('UF. 1:3 ack=1 urg=65535');
    expect(a.read).toEqual(octets(1, 4));
    expect(a.connection!.state).toBe('CLOSE-WAIT');
    p.send('U. 5 ack=1 urg=1');
    expect(a.connection!.state).toBe('CLOSE-WAIT');
    expect(a.connection!.ended).toBe(true);
  });

  test('URG brings no octet in through a shut window (trap 34)', () => {
    const p = new Peer({ profile: { receiveBuffer: 1000 } });
    const a = established(p, { reads: false });
    p.send('. 1:1000 ack=1');
    p.out();
    p.send('U. 1001 ack=1 urg=5');
    p.send('U. 1001:5 ack=1 urg=5');
    expect(a.connection!.readable).toBe(1000);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('a pointer without the flag means nothing', () => {
    const p = new Peer();
    const a = established(p);
    p.send('P. 1:5 ack=1 urg=3');
    expect(a.read).toEqual(octets(1, 6));
  });
});

describe('keep-alives of the peer (trap 48)', () => {
  test('ESTABLISHED: SEG.SEQ=RCV.NXT-1 with 0 or 1 octet earns an ACK each, and the octet is not taken', () => {
    for (const octet of [0, 1]) {
      const p = new Peer();
      const a = established(p);
      p.send('P. 1:10 ack=1');
      p.out();
      for (let n = 0; n < 10; n++) {
        p.advance(75_000);
        p.send(`. 10:${octet} ack=1`, octet === 1 ? Uint8Array.of(99) : undefined);
        expect(p.out()).toEqual(['. 1 ack=11']);
      }
      p.send('P. 11:10 ack=1');
      expect(a.read).toEqual(octets(1, 21));
    }
  });
});
