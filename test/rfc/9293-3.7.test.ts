// RFC 9293 §3.7, segmentation: the MSS option (§3.7.1), what is sent with it, and the Nagle algorithm (§3.7.4).

import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/tcp/connection.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { pseudoSum6 } from '../../src/wire/ipv6.ts';
import { finishTcp, parseTcp, Segment } from '../../src/wire/tcp.ts';
import { drain, type End, end, feed } from '../host/wire.ts';
import { type App, established, listening, octets, Peer, type PeerOptions } from './peer.ts';

/** Writes `octets` to an open connection whose SYN carried `syn`, and returns the lengths of what goes out. */
function lengths(syn: string, count: number, options: PeerOptions = {}): number[] {
  const p = new Peer(options);
  const a = listening(p);
  p.send(`S 0 ${syn}`);
  p.out();
  p.send('. 1 ack=1');
  p.out();
  a.connection!.send(new Uint8Array(count), 0, count);
  return p.out().map((l) => Number(l.split(' ')[1]!.split(':')[1]));
}

describe('the MSS option (§3.7.1)', () => {
  test('ours is the MTU less 40: 1460 on a link of 1500, 8960 on one of 9000 (row 36 SHLD-5, row 38 MAY-3, row 44 MUST-67)', () => {
    for (const mtu of [1500, 9000, 576]) {
      const p = new Peer({ mtu });
      listening(p);
      p.send('S 0 mss=1460');
      expect(p.out()).toEqual([`S. 0 ack=1 mss=${mtu - 40}`]);
    }
  });

  test('it is sent on SYNs only (row 43 MUST-65)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(3000), 0, 3000);
    p.send('P. 1:10 ack=1');
    a.connection!.shutdown();
    for (const line of p.advance(3000)) expect(line).not.toContain('mss');
  });

  test('without the option 536 is assumed (row 39 MUST-15)', () => {
    expect(lengths('', 1072)).toEqual([536, 536]);
  });

  test('segments are as large as the peer takes, and as our link takes (row 7 SHLD-28, row 35 MUST-14, row 41 MUST-16)', () => {
    expect(lengths('mss=1000', 2000)).toEqual([1000, 1000]);
    expect(lengths('mss=9000', 2920)).toEqual([1460, 1460]);
    expect(lengths('mss=65535', 2920)).toEqual([1460, 1460]);
  });

  test.each([
    ['mss=0', 536],
    ['mss=1', 88],
    ['mss=87', 88],
    ['mss=88', 88],
    ['mss=89', 89],
  ])('%s: segments of %d octets: 0 is no offer, tiny ones are raised (trap 9, CVE-2019-11479)', (syn, mss) => {
    expect(lengths(syn, mss * 3)).toEqual([mss, mss, mss]);
  });

  test('a megabyte to a peer with MSS 1 arrives, in segments of at least the floor (trap 9)', () => {
    const p = new Peer();
    const a = listening(p);
    p.send('S 0 mss=1');
    p.out();
    p.send('. 1 ack=1');
    let written = 0;
    let acked = 1;
    const data = Uint8Array.from(octets(0, 65_536));
    for (let n = 0; n < 10_000 && acked <= 200_000; n++) {
      if (written < 200_000) written += a.connection!.send(data, 0, Math.min(65_536, 200_000 - written));
      const lines = p.out();
      for (const line of lines) {
        const len = Number(line.split(' ')[1]!.split(':')[1]);
        expect(len === 88 || acked + len > 200_000 - 88).toBe(true);
        acked += len;
      }
      p.send(`. 1 ack=${acked}`);
    }
    expect(acked).toBe(200_001);
  });

  test('PSH is set where the queue ends, and not before (row 5 MUST-61)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(2500), 0, 2500);
    expect(p.out()).toEqual(['. 1:1000 ack=1', '. 1001:1000 ack=1', 'P. 2001:500 ack=1'].slice(0, 2));
    p.send('. 1 ack=2001');
    expect(p.out()).toEqual(['P. 2001:500 ack=1']);
  });
});

describe('the MSS option over IPv6 (§3.7.1)', () => {
  /** `a` has connected to `b`, whose SYN,ACK carries the option unless `mss6` is `null`. */
  function opened(mss6: number | null): { a: End; b: End; c: Connection; syn: Segment; synAck: Segment } {
    const a = end('a', 'fd00::1/64');
    const b = end('b', 'fd00::2/64');
    b.host.listen({ port: 80 }, () => undefined);
    const c = a.host.connect({ address: 'fd00::2', port: 80 });
    const segment = (packet: Uint8Array): Segment => {
      const seg = new Segment();
      expect(parseTcp(packet, 40, packet.length, seg)).toBe(null);
      return seg;
    };
    const [first] = drain(a);
    feed(b, first!);
    const [second] = drain(b);
    const answer = segment(second!).mss;
    if (mss6 === null) {
      // The MSS option becomes no-operations, in place, and the sum follows.
      second!.fill(1, 60, 64);
      const s = parseAddress('fd00::2')!;
      const d = parseAddress('fd00::1')!;
      const length = second!.length - 40;
      finishTcp(second!, 40, length, pseudoSum6(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, 6, length));
    }
    feed(a, second!);
    const synAck = segment(second!);
    synAck.mss = answer;
    return { a, b, c, syn: segment(first!), synAck };
  }

  test('every SYN has it: 1440 on a link of 1500 (row 37 SHLD-5, row 38 MAY-3)', () => {
    const { syn, synAck } = opened(1440);
    expect([syn.mss, synAck.mss]).toEqual([1440, 1440]);
  });

  test('without it 1220 is assumed, options included (row 40 MUST-15, row 41 MUST-16)', () => {
    for (const [offer, most] of [
      [1440, 1440],
      [null, 1220],
    ] as const) {
      const { a, c } = opened(offer);
      c.send(new Uint8Array(10_000), 0, 10_000);
      const sizes = drain(a).map((packet) => packet.length - 40 - 20);
      // Timestamps are on every segment, and the MSS does not count them.
      expect(Math.max(...sizes)).toBe(most);
    }
  });
});

describe('Nagle (§3.7.4)', () => {
  function open(profile: PeerOptions['profile'] = {}): { p: Peer; a: App; write(n: number): string[] } {
    const p = new Peer({ profile });
    const a = established(p);
    return {
      p,
      a,
      write(n): string[] {
        a.connection!.send(new Uint8Array(n), 0, n);
        return p.out();
      },
    };
  }

  test('with nothing in flight a small segment goes out at once', () => {
    expect(open().write(3)).toEqual(['P. 1:3 ack=1']);
  });

  test('with data in flight small writes wait for the ACK (row 79 SHLD-7), and then go out together (row 1 MAY-16, row 2 SHLD-27)', () => {
    const { p, write } = open();
    write(3);
    expect([...write(4), ...write(5), ...write(6)]).toEqual([]);
    p.send('. 1 ack=4');
    expect(p.out()).toEqual(['P. 4:15 ack=1']);
  });

  test('a full segment does not wait', () => {
    const { write } = open();
    write(3);
    expect(write(999)).toEqual([]);
    expect(write(1)).toEqual(['P. 4:1000 ack=1']);
  });

  test('the program can turn it off: every write goes out (row 80 MUST-17)', () => {
    const { a, write } = open();
    a.connection!.setNoDelay(true);
    expect([...write(3), ...write(4), ...write(5)]).toEqual(['P. 1:3 ack=1', 'P. 4:4 ack=1', 'P. 8:5 ack=1']);
  });

  test('turning it off sends what it held back', () => {
    const { p, a, write } = open();
    write(3);
    write(4);
    a.connection!.setNoDelay(true);
    expect(p.out()).toEqual(['P. 4:4 ack=1']);
    a.connection!.setNoDelay(false);
    expect(write(5)).toEqual([]);
  });

  test('the profile can turn it off for all', () => {
    const { write } = open({ nagle: false });
    expect([...write(3), ...write(4)]).toHaveLength(2);
  });

  test('the end of the stream does not wait: FIN takes the last octets along', () => {
    const { p, a, write } = open();
    write(3);
    write(4);
    a.connection!.shutdown();
    expect(p.out()).toEqual(['FP. 4:4 ack=1']);
  });

  test('write-write-read with delayed ACKs over there costs one delay without, none with NODELAY (trap 29)', () => {
    for (const noDelay of [false, true]) {
      const { p, a, write } = open();
      a.connection!.setNoDelay(noDelay);
      write(10);
      write(10);
      let waited = 0;
      while (p.payload.size < 20 && waited < 500) {
        // The peer's delayed ACK, after 40 ms.
        p.advance(40);
        waited += 40;
        p.send('. 1 ack=11');
        p.out();
      }
      expect(waited).toBe(noDelay ? 0 : 40);
    }
  });
});
