// RFC 9293 §3.8.6, managing the window: the sender's side: zero windows and probes, shrinking, silly windows.

import { describe, expect, test } from 'vitest';
import { type App, established, Peer, type PeerOptions, synSent } from './peer.ts';

/** An established connection whose peer has closed its window, and 500 octets that wait. */
function shut(options: PeerOptions = {}): { p: Peer; a: App } {
  const p = new Peer(options);
  const a = established(p);
  p.send('. 1 ack=1 win=0');
  a.connection!.send(new Uint8Array(500), 0, 500);
  expect(p.out()).toEqual([]);
  return { p, a };
}

const times = (lines: readonly string[]): number[] => lines.map((l) => Number(l.slice(1).split(' ')[0]));

describe('zero-window probing (§3.8.6.1)', () => {
  test('the first probe goes out after an RTO; then the interval doubles, up to its cap (row 17 MUST-36, row 18 SHLD-29, row 19 SHLD-30)', () => {
    const { p } = shut({ profile: { probeMax: 1500 } });
    expect(times(p.advance(6500))).toEqual([200, 600, 1400, 2900, 4400, 5900]);
  });

  test('a probe makes every TCP answer: its number is outside the peer’s window (trap 25)', () => {
    const { p } = shut();
    const [probe] = p.advance(200);
    expect(probe).toBe('@200 . 0 ack=1');
    expect(p.trace.filter((e) => e.type === 'segment' && e.dir === 'out' && e.probe)).toHaveLength(1);
  });

  test('it waits at most 60 s between probes by default (trap 23)', () => {
    const { p } = shut();
    const at: number[] = [];
    for (let n = 0; n < 40; n++) {
      for (const t of times(p.advance(10_000))) at.push(n * 10_000 + t);
      p.send('. 1 ack=1 win=0');
    }
    const gaps = at.slice(1).map((t, k) => t - at[k]!);
    expect(Math.max(...gaps)).toBe(60_000);
  });

  test('probes that are answered never end the connection, for days (row 20 MUST-37, trap 23)', () => {
    const { p, a } = shut();
    for (let n = 0; n < 3000; n++) {
      if (p.advance(60_000).length > 0) p.send('. 1 ack=1 win=0');
    }
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.send('. 1 ack=1 win=1000');
    expect(p.out()).toEqual(['P. 1:500 ack=1']);
  });

  test('probes that stay unanswered end it: ETIMEDOUT (trap 41)', () => {
    const { p, a } = shut({ profile: { probeRetries: 4 } });
    expect(p.advance(3_600_000)).toHaveLength(4);
    expect(a.log).toEqual(['accept', 'closed ETIMEDOUT']);
    expect([p.host.connectionCount, p.host.timersArmed]).toEqual([0, 0]);
  });

  test('a window update that is lost heals with the answer to the next probe (trap 23)', () => {
    const { p, a } = shut();
    // The peer opened its window; nobody heard of it.
    expect(p.advance(200)).toHaveLength(1);
    p.send('. 1 ack=1 win=2000');
    expect(p.out()).toEqual(['P. 1:500 ack=1']);
    p.send('. 1 ack=501 win=2000');
    expect(a.connection!.queued).toBe(0);
    expect(p.host.timersArmed).toBe(0);
  });

  test('a window update sends what waits at once, and stops the probes', () => {
    const { p } = shut();
    p.advance(50);
    p.send('. 1 ack=1 win=2000');
    expect(p.out()).toEqual(['P. 1:500 ack=1']);
    p.send('. 1 ack=501 win=0');
    expect(p.advance(600_000)).toEqual([]);
  });

  test('probes do not touch cwnd and ssthresh, and no retransmission follows from them (trap 24)', () => {
    const { p, a } = shut();
    const { cwnd, ssthresh } = a.connection!.cc;
    for (let n = 0; n < 8; n++) {
      p.advance(30_000);
      p.send('. 1 ack=1 win=0');
    }
    expect([a.connection!.cc.cwnd, a.connection!.cc.ssthresh]).toEqual([cwnd, ssthresh]);
    expect(a.connection!.retransmissions).toBe(0);
  });

  test('after a shut window the timeout of data is not the backed-off one of the probes', () => {
    const { p } = shut();
    p.advance(20_000);
    p.send('. 1 ack=1 win=2000');
    expect(p.out()).toEqual(['P. 1:500 ack=1']);
    expect(p.advance(250)).toEqual(['@200 P. 1:500 ack=1']);
  });

  test('the window shuts behind data in flight: the rest waits, then is probed for', () => {
    const p = new Peer();
    const a = established(p);
    p.send('. 1 ack=1 win=1000');
    a.connection!.send(new Uint8Array(3000), 0, 3000);
    expect(p.out()).toEqual(['. 1:1000 ack=1']);
    p.send('. 1 ack=1001 win=0');
    expect(p.advance(250)).toEqual(['@200 . 1000 ack=1']);
    p.send('. 1 ack=1001 win=5000');
    expect(p.out()).toEqual(['. 1001:1000 ack=1', 'P. 2001:1000 ack=1']);
  });

  test('an idle connection with a shut window is left in peace', () => {
    const p = new Peer();
    established(p);
    p.send('. 1 ack=1 win=0');
    expect(p.advance(3_600_000)).toEqual([]);
    expect(p.host.timersArmed).toBe(0);
  });
});

describe('a window that shrinks (§3.8.6)', () => {
  function shrunk(win: number): { p: Peer; a: App } {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(10_000), 0, 10_000);
    expect(p.out()).toHaveLength(10);
    p.send(`. 1 ack=1001 win=${win}`);
    return { p, a };
  }

  test('no new data go beyond the new edge, and nobody aborts (row 11 SHLD-15, row 14 MUST-34, trap 26)', () => {
    const { p, a } = shrunk(1000);
    a.connection!.send(new Uint8Array(5000), 0, 5000);
    expect(p.out()).toEqual([]);
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(a.connection!.flightSize).toBe(9000);
  });

  test('what is within the new edge is sent again, and the transfer completes (row 12 SHLD-16, row 14 MUST-34, trap 26)', () => {
    const { p, a } = shrunk(1000);
    let next = 1001;
    for (let n = 0; n < 200 && a.connection!.queued > 0; n++) {
      for (const line of p.advance(500)) {
        const [, range] = line.replace(/^@\d+ /, '').split(' ');
        const [seq, len] = range!.split(':').map(Number);
        // A peer with room for 1000 octets at a time.
        if (seq === next) next += Math.min(len ?? 0, 1000);
      }
      p.send(`. 1 ack=${next} win=1000`);
    }
    expect(next).toBe(10_001);
    expect(a.connection!.queued).toBe(0);
    expect(p.payload.size).toBe(10_000);
  });

  test('a window that shut over data in flight explains their silence: no congestion, cwnd and ssthresh stay (trap 24)', () => {
    const { p, a } = shrunk(0);
    const { cwnd, ssthresh } = a.connection!.cc;
    expect(p.advance(1000).length).toBeGreaterThan(0);
    expect([a.connection!.cc.cwnd, a.connection!.cc.ssthresh]).toEqual([cwnd, ssthresh]);
  });

  test('a window that shrinks to nothing is probed as any shut one (row 16 MUST-35), with data beyond its edge (row 21 MAY-7)', () => {
    const { p, a } = shrunk(0);
    const lines = p.advance(3200);
    expect(times(lines)).toEqual([200, 600, 1400, 3000]);
    expect(new Set(lines.map((l) => l.replace(/^@\d+ /, '')))).toEqual(new Set(['. 1001:1000 ack=1']));
    p.send('. 1 ack=10001 win=0');
    a.connection!.send(new Uint8Array(10), 0, 10);
    const later = p.advance(60_000);
    expect(later.length).toBeGreaterThanOrEqual(1);
    expect(later[0]).toMatch(/ \. 10000 ack=1$/);
    p.send('. 1 ack=10001 win=5000');
    expect(p.out()).toEqual(['P. 10001:10 ack=1']);
  });

  test('data beyond the new edge time nobody out while the peer answers (row 13 SHLD-17)', () => {
    const { p, a } = shrunk(0);
    for (let n = 0; n < 500; n++) {
      p.advance(60_000);
      p.send('. 1 ack=1001 win=0');
    }
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.send('. 1 ack=10001 win=20000');
    expect(a.connection!.queued).toBe(0);
  });
});

describe('window scaling (RFC 7323 §2)', () => {
  function scaled(ws: number, win: number, options: PeerOptions = {}): { p: Peer; a: App } {
    const p = new Peer(options);
    const a = synSent(p);
    p.send(`S. 0 ack=1 mss=1000 ws=${ws}`);
    p.out();
    p.send(`. 1 ack=1 win=${win}`);
    return { p, a };
  }

  test('the field is shifted by what the peer said', () => {
    expect(scaled(7, 512).a.connection!.snd.wnd).toBe(65_536);
    expect(scaled(0, 512).a.connection!.snd.wnd).toBe(512);
  });

  test('a shift above 14 counts as 14 (RFC 7323 §2.3, trap 10)', () => {
    expect(scaled(255, 3).a.connection!.snd.wnd).toBe(3 << 14);
    expect(scaled(15, 65_535).a.connection!.snd.wnd).toBe(65_535 << 14);
  });

  test('the largest window there is, 1 GiB, is used without overflow (row 8 MUST-1, row 9 REC-1)', () => {
    const { p, a } = scaled(14, 65_535);
    a.connection!.send(new Uint8Array(100_000), 0, 100_000);
    a.connection!.cc.cwnd = 2 ** 30;
    expect(p.out()).toHaveLength(100);
  });

  test('when we do not offer it, the peer’s offer is not used', () => {
    const p = new Peer({ profile: { windowScaling: false } });
    const a = synSent(p);
    p.send('S. 0 ack=1 mss=1000 ws=7');
    p.out();
    p.send('. 1 ack=1 win=512');
    expect(a.connection.snd.wnd).toBe(512);
  });

  test('on a segment without SYN the option changes nothing (trap 10)', () => {
    const { p, a } = scaled(2, 512);
    p.send('. 1 ack=1 win=512 ws=9 mss=100');
    expect(a.connection!.snd.wnd).toBe(2048);
    expect(a.connection!.snd.mss).toBe(1000);
  });
});
