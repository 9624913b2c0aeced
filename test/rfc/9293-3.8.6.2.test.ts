// RFC 9293 §3.8.6.2, silly windows, both ways, and our own window: it closes, opens and never shrinks.

import { describe, expect, test } from 'vitest';
import { type App, established, Peer, type PeerOptions } from './peer.ts';

const MSS = 1000;

describe('the sender (§3.8.6.2.1)', () => {
  test('a window that opens by little is not filled by little (row 78 MUST-38, trap 28)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(20_000), 0, 20_000);
    p.out();
    p.send(`. 1 ack=10001 win=10`);
    expect(p.out()).toEqual([]);
    p.send(`. 1 ack=10001 win=999`);
    expect(p.out()).toEqual([]);
    p.send(`. 1 ack=10001 win=1000`);
    expect(p.out()).toEqual(['. 10001:1000 ack=1']);
  });

  test('the override timer sends the little after all, within 0.1 to 1 s (row 4 MUST-60)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(20_000), 0, 20_000);
    p.out();
    p.send(`. 1 ack=10001 win=10`);
    expect(p.advance(1000)[0]).toBe('@200 . 10001:10 ack=1');
  });

  test('half of the largest window the peer ever offered is enough: peers with small buffers get data', () => {
    const p = new Peer();
    const a = established(p, { mss: 1000 });
    // The peer's buffer was 65535; now another peer whose buffer never exceeds 600.
    const q = new Peer();
    const b = established(q);
    b.connection!.snd.maxWnd = 600;
    q.send('. 1 ack=1 win=300');
    b.connection!.send(new Uint8Array(5000), 0, 5000);
    expect(q.out()).toEqual(['. 1:300 ack=1']);
    p.send('. 1 ack=1 win=300');
    a.connection!.send(new Uint8Array(5000), 0, 5000);
    expect(p.out()).toEqual([]);
  });
});

/** A connection whose program reads nothing until told, with a small buffer and no scaling. */
function unread(receiveBuffer: number, options: PeerOptions = {}): { p: Peer; a: App } {
  const p = new Peer({ ...options, profile: { receiveBuffer, ...options.profile } });
  p.showWindow = true;
  const a = established(p, { reads: false });
  return { p, a };
}

/** The right edges that lines advertise. */
function edges(lines: readonly string[], shift = 0): number[] {
  return lines.map((l) => {
    const m = /ack=(\d+) win=(\d+)/.exec(l);
    return Number(m![1]) + (Number(m![2]) << shift);
  });
}

describe('the receiver (§3.8.6.2.2)', () => {
  test('a buffer that is full closes the window; what comes then is not taken', () => {
    const { p, a } = unread(4000);
    for (let k = 0; k < 4; k++) p.send(`. ${1 + k * MSS}:1000 ack=1`);
    expect(p.out().at(-1)).toBe('. 1 ack=4001 win=0');
    p.send('. 4001:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=4001 win=0']);
    expect(a.connection!.readable).toBe(4000);
  });

  test('reading one octet at a time advertises no silly window (row 76 MUST-39, trap 28)', () => {
    const { p, a } = unread(4000);
    for (let k = 0; k < 4; k++) p.send(`. ${1 + k * MSS}:1000 ack=1`);
    p.out();
    const lines: string[] = [];
    for (let n = 0; n < 4000; n++) {
      a.connection!.consume(1);
      lines.push(...p.out());
    }
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const win = Number(/win=(\d+)/.exec(line)![1]);
      expect(win === 0 || win >= MSS).toBe(true);
    }
  });

  test('neither do the answers to window probes (row 76 MUST-39, trap 28)', () => {
    const { p, a } = unread(4000);
    for (let k = 0; k < 4; k++) p.send(`. ${1 + k * MSS}:1000 ack=1`);
    p.out();
    for (let n = 0; n < 10; n++) {
      a.connection!.consume(50);
      p.advance(1000);
      p.send('. 4001:1 ack=1');
      expect(p.out()).toEqual(['. 1 ack=4001 win=0']);
    }
  });

  test('a program that reads nothing keeps the window shut for days, and every probe is answered (row 15 MAY-8)', () => {
    const { p, a } = unread(4000);
    for (let k = 0; k < 4; k++) p.send(`. ${1 + k * MSS}:1000 ack=1`);
    p.out();
    for (let n = 0; n < 5000; n++) {
      expect(p.advance(60_000)).toEqual([]);
      p.send('. 4000 ack=1');
      expect(p.out()).toEqual(['. 1 ack=4001 win=0']);
    }
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(a.log.filter((l) => l.startsWith('closed'))).toEqual([]);
  });

  test('a program that reads everything opens the window by itself: an update goes out', () => {
    const { p, a } = unread(4000);
    for (let k = 0; k < 4; k++) p.send(`. ${1 + k * MSS}:1000 ack=1`);
    p.out();
    a.connection!.consume(4000);
    expect(p.out()).toEqual(['. 1 ack=4001 win=4000']);
  });

  test('an answer to a probe tells of the room there is, when it is no silly one', () => {
    const { p, a } = unread(4000);
    for (let k = 0; k < 4; k++) p.send(`. ${1 + k * MSS}:1000 ack=1`);
    p.out();
    a.connection!.consume(1900);
    p.out();
    p.advance(1000);
    p.send('. 4000 ack=1');
    expect(p.out()).toEqual(['. 1 ack=4001 win=1900']);
  });

  test('our right edge never moves left, whatever comes in whatever order (trap 27, row 10 SHLD-14)', () => {
    for (const ws of [-1, 0]) {
      const p = new Peer({ profile: { receiveBuffer: ws < 0 ? 20_000 : 200_001 } });
      p.showWindow = true;
      const shift = ws < 0 ? 0 : 2;
      const a = established(p, { reads: false, ws });
      expect(a.connection!.rcv.scale).toBe(shift);
      const lines: string[] = [];
      let seq = 1;
      for (let n = 0; n < 300; n++) {
        const len = 1 + ((n * 7919) % 1000);
        const room = (a.connection!.rcv.adv - p.peerIss - seq) | 0;
        if (n % 5 === 3) p.send(`. ${seq + 1500}:${Math.min(len, 700)} ack=1`);
        else if (room > 0) {
          p.send(`. ${seq}:${Math.min(len, room)} ack=1`);
          seq = (a.connection!.rcv.nxt - p.peerIss) | 0;
        }
        if (n % 3 === 0) a.connection!.consume(Math.min(a.connection!.readable, (n * 31) % 900));
        lines.push(...p.advance(13).map((l) => l.replace(/^@\d+ /, '')));
      }
      const all = edges(lines, shift);
      expect(all.length).toBeGreaterThan(20);
      for (let k = 1; k < all.length; k++) expect(all[k]!).toBeGreaterThanOrEqual(all[k - 1]!);
    }
  });

  test('more than the buffer is never held, in order and out of order together', () => {
    const { p, a } = unread(10_000);
    for (let k = 20; k >= 0; k--) p.send(`. ${1 + k * 1000}:1000 ack=1`);
    expect(a.connection!.readable).toBe(10_000);
    expect(a.connection!.receiveBuffer!.memory).toBeLessThanOrEqual(16_384);
  });
});
