// RFC 9293 §3.8.6.3 and RFC 5681 §4.2: when to acknowledge; and what is kept of text that came out of order.

import { describe, expect, test } from 'vitest';
import { RxMeta } from '../../src/base/packet.ts';
import { type App, established, octets, Peer, type PeerOptions } from './peer.ts';

function open(options: PeerOptions = {}): { p: Peer; a: App } {
  const p = new Peer(options);
  const a = established(p);
  return { p, a };
}

describe('delayed ACK (row 73 SHLD-18)', () => {
  test('one small segment is acknowledged after the delay, under 500 ms (row 74 MUST-40)', () => {
    const { p } = open();
    p.send('P. 1:10 ack=1');
    expect(p.out()).toEqual([]);
    expect(p.advance(499)).toEqual(['@40 . 1 ack=11']);
  });

  test('every second full-sized segment is acknowledged at once (row 75 SHLD-19)', () => {
    const { p } = open();
    p.send('. 1:1000 ack=1');
    expect(p.out()).toEqual([]);
    p.send('. 1001:1000 ack=1');
    expect(p.out()).toEqual(['. 1 ack=2001']);
    p.send('. 2001:1000 ack=1');
    expect(p.out()).toEqual([]);
    p.send('. 3001:1000 ack=1');
    expect(p.out()).toEqual(['. 1 ack=4001']);
    expect(p.advance(500)).toEqual([]);
  });

  test('several segments in one batch are acknowledged together (row 69 MUST-58)', () => {
    const { p } = open();
    p.send('. 1:10 ack=1');
    p.send('. 11:10 ack=1');
    p.send('. 21:10 ack=1');
    expect(p.advance(500)).toEqual(['@40 . 1 ack=31']);
  });

  test('a queue of segments is processed whole before any ACK goes out (row 69 MUST-58, row 71 MUST-59)', () => {
    /** A link that brings everything it has before it takes anything. */
    class Batch extends Peer {
      holds = false;
      override inject(bytes: Uint8Array, length: number): void {
        if (this.holds) this.host.receive(this.iface, bytes, 0, length, new RxMeta(), this.now);
        else super.inject(bytes, length);
      }
    }
    const p = new Batch();
    established(p);
    p.holds = true;
    for (let k = 0; k < 10; k++) p.send(`. ${1 + k * 1000}:1000 ack=1`);
    // One of them out of order and one twice change nothing about it.
    p.send('. 11001:1000 ack=1');
    p.send('. 10001:1000 ack=1');
    expect(p.out().at(-1)).toBe('. 1 ack=12001');
    for (let k = 12; k < 22; k++) p.send(`. ${1 + k * 1000}:1000 ack=1`);
    expect(p.out()).toEqual(['. 1 ack=22001']);
  });

  test('data that go out anyway take the ACK along', () => {
    const { p, a } = open();
    p.send('P. 1:10 ack=1');
    a.connection!.send(new Uint8Array(5), 0, 5);
    expect(p.out()).toEqual(['P. 1:5 ack=11']);
    p.send('. 11 ack=6');
    expect(p.advance(500)).toEqual([]);
  });

  test('the delay counts from the first segment that waits', () => {
    const { p } = open();
    p.send('P. 1:10 ack=1');
    p.advance(30);
    p.send('P. 11:10 ack=1');
    expect(p.advance(100)).toEqual(['@10 . 1 ack=21']);
  });

  test('the profile sets the delay; 0 acknowledges everything at once', () => {
    const { p } = open({ profile: { delayedAck: 0 } });
    p.send('P. 1:10 ack=1');
    expect(p.out()).toEqual(['. 1 ack=11']);
  });

  test('where the second segment counts whatever its size, the second small one is acknowledged at once', () => {
    const { p } = open({ profile: { ackOnSecond: true } });
    p.send('P. 1:10 ack=1');
    expect(p.out()).toEqual([]);
    p.send('P. 11:10 ack=1');
    expect(p.out()).toEqual(['. 1 ack=21']);
    // More than a segment in one, as a link that joins them brings it.
    p.send('P. 21:1461 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1482']);
  });

  test('an ACK is never acknowledged', () => {
    const { p, a } = open();
    a.connection!.send(new Uint8Array(5), 0, 5);
    p.out();
    p.send('. 1 ack=6');
    expect(p.advance(10_000)).toEqual([]);
  });

  test('FIN is acknowledged at once', () => {
    const { p } = open();
    p.send('F. 1 ack=1');
    expect(p.out()).toEqual(['. 1 ack=2']);
  });
});

describe('out of order (RFC 5681 §4.2)', () => {
  test('text ahead of a hole is kept (row 70 SHLD-31), and answered by a duplicate ACK at once (row 72 MAY-13)', () => {
    const { p, a } = open();
    p.send('. 1001:1000 ack=1');
    p.send('. 2001:1000 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1', '. 1 ack=1']);
    expect(a.read).toEqual([]);
    p.send('. 1:1000 ack=1');
    expect(p.out()).toEqual(['. 1 ack=3001']);
    expect(a.read).toEqual(octets(1, 3001));
  });

  test('text that fills a part of a hole is acknowledged at once', () => {
    const { p } = open();
    p.send('. 2001:1000 ack=1');
    p.out();
    p.send('. 1:1000 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1001']);
    p.send('. 1001:1000 ack=1');
    expect(p.out()).toEqual(['. 1 ack=3001']);
  });

  test('any order of ten segments gives the same octets, once (row 70 SHLD-31)', () => {
    for (let shift = 1; shift < 10; shift++) {
      const { p, a } = open();
      for (let k = 0; k < 10; k++) p.send(`. ${1 + ((k * 7 + shift) % 10) * 100}:100 ack=1`);
      expect(a.read).toEqual(octets(1, 1001));
    }
  });

  test('duplicates and overlaps of every kind give the same octets, once', () => {
    const { p, a } = open();
    for (const [from, len] of [
      [301, 100],
      [251, 100],
      [351, 100],
      [201, 300],
      [301, 100],
      [701, 50],
      [101, 50],
      [1, 120],
      [1, 10],
      [60, 200],
      [401, 340],
    ] as const) {
      p.send(`. ${from}:${len} ack=1`);
    }
    expect(a.read).toEqual(octets(1, 751));
  });

  test('of two contents for one place the first copy wins, always (trap 15)', () => {
    const { p, a } = open();
    p.send('. 6:10 ack=1', new Uint8Array(10).fill(0x41));
    p.send('. 11:10 ack=1', new Uint8Array(10).fill(0x42));
    p.send('. 1:20 ack=1', new Uint8Array(20).fill(0x43));
    expect(a.read).toEqual([...Array(5).fill(0x43), ...Array(10).fill(0x41), ...Array(5).fill(0x42)]);
  });

  test('what was delivered is not changed by what comes again (trap 15)', () => {
    const { p, a } = open();
    p.send('. 1:10 ack=1', new Uint8Array(10).fill(0x41));
    p.send('. 6:10 ack=1', new Uint8Array(10).fill(0x42));
    expect(a.read).toEqual([...Array(10).fill(0x41), ...Array(5).fill(0x42)]);
  });

  test('ranges beyond the budget are not taken, and not acknowledged; they may come again (trap 13)', () => {
    const { p, a } = open({ profile: { reassemblyRanges: 4 } });
    for (let k = 0; k < 10; k++) p.send(`. ${11 + k * 20}:10 ack=1`);
    expect(p.drops('reassembly-budget')).toBe(6);
    expect(a.connection!.receiveBuffer!.ranges).toBe(4);
    for (let k = 0; k < 10; k++) {
      p.send(`. ${1 + k * 20}:10 ack=1`);
      p.send(`. ${11 + k * 20}:10 ack=1`);
    }
    expect(a.read).toEqual(octets(1, 201));
  });

  test('100,000 holes of one octet keep neither memory nor ranges beyond the budget (trap 13, CVE-2018-5390)', () => {
    const { p, a } = open({ profile: { receiveBuffer: 65_535 } });
    for (let n = 0; n < 100_000; n++) p.send(`. ${3 + ((n * 2) % 65_000)}:1 ack=1`);
    const buffer = a.connection!.receiveBuffer!;
    expect(buffer.ranges).toBe(512);
    expect(buffer.memory).toBeLessThanOrEqual(65_535 + 16_384);
  });

  test('text beyond the window is not kept', () => {
    const { p, a } = open({ profile: { receiveBuffer: 5000 } });
    p.send('. 4501:1000 ack=1');
    expect(a.connection!.receiveBuffer!.pending).toBe(500);
    p.send('. 5001:1000 ack=1');
    expect(a.connection!.receiveBuffer!.pending).toBe(500);
  });
});
