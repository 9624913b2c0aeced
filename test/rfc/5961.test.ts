// RFC 5961, blind attacks in the window: RST (§3), SYN (§4), data injection (§5), and the limit of answers (§7).

import { describe, expect, test } from 'vitest';
import { established, Peer } from './peer.ts';
import { SYNCHRONISED, stage } from './states.ts';

const FAR = 2 ** 30;

describe('§3, blind reset with RST', () => {
  test('ESTABLISHED: a RST at RCV.NXT resets: ECONNRESET (RFC 5961 §3.2, trap 1)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('R 1');
    expect(a.log).toEqual(['accept', 'closed ECONNRESET']);
    expect(p.out()).toEqual([]);
  });

  test('ESTABLISHED: a RST elsewhere in the window earns one challenge ACK, and the connection lives (RFC 5961 §3.2, trap 1)', () => {
    for (const seq of [2, 100, 65_000]) {
      const p = new Peer();
      const a = established(p);
      p.send(`R ${seq}`);
      expect(p.out()).toEqual(['. 1 ack=1']);
      expect(a.connection!.state).toBe('ESTABLISHED');
    }
  });

  test('ESTABLISHED: a RST outside the window earns silence (RFC 5961 §3.2, trap 1)', () => {
    const p = new Peer();
    const a = established(p);
    for (const seq of [0, -1, -FAR, 10_000_000, FAR]) p.send(`R ${seq}`);
    expect(p.out()).toEqual([]);
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(p.drops('tcp-out-of-window')).toBe(5);
  });

  test('ESTABLISHED: a RST whose text covers RCV.NXT is not exact: its number is where it begins (RFC 5961 §3.2)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('R -999:1400');
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(p.out().length).toBeLessThanOrEqual(1);
  });

  test('ESTABLISHED: a RST at RCV.NXT that carries text is believed (row 59 SHLD-2)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('R. 1:12 ack=1');
    expect(a.connection!.state).toBe('CLOSED');
    expect(a.read).toEqual([]);
  });

  test('ESTABLISHED: the peer that lost its state answers our challenge ACK with an exact RST, which is believed (trap 39)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('S 3000 mss=1000');
    expect(p.out()).toEqual(['. 1 ack=1']);
    // SYN-SENT there: an ACK of something else: <SEQ=SEG.ACK><CTL=RST>.
    p.send('R 1');
    expect(a.log).toEqual(['accept', 'closed ECONNRESET']);
  });
});

describe('§4, blind reset with SYN', () => {
  test.each(SYNCHRONISED.filter((s) => s !== 'TIME-WAIT'))(
    '%s: a SYN in the window earns a challenge ACK, never a reset (RFC 5961 §4.2, trap 2)',
    (state) => {
      const p = new Peer();
      const s = stage(p, state);
      p.send(`S ${s.rn + 10}`);
      expect(p.out()).toEqual([`. ${s.nxt} ack=${s.rn}`]);
      expect(s.c.state).toBe(state);
      expect((s.c.rcv.nxt - p.peerIss) | 0).toBe(s.rn);
    },
  );

  test.each([1, 0, -FAR, FAR])(
    'ESTABLISHED: a SYN at %d earns the same ACK, in the window or not (RFC 5961 §4.2)',
    (seq) => {
      const p = new Peer();
      const a = established(p);
      p.send(`S ${seq} mss=1000`);
      expect(p.out()).toEqual(['. 1 ack=1']);
      expect(a.connection!.state).toBe('ESTABLISHED');
    },
  );
});

describe('§5, blind data injection', () => {
  test('ESTABLISHED: text whose ACK is older than SND.UNA - MAX.SND.WND is not delivered, and earns an ACK (RFC 5961 §5.2, row 124 MAY-12, trap 3)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(100), 0, 100);
    p.out();
    p.send('. 1 ack=101');
    p.send(`P. 1:10 ack=${-FAR}`);
    expect(p.out()).toEqual(['. 101 ack=1']);
    expect(a.read).toEqual([]);
    expect(p.drops('tcp-ack-too-old')).toBe(1);
  });

  test('ESTABLISHED: text whose ACK is beyond SND.NXT is not delivered, and earns an ACK (RFC 5961 §5.2, trap 3)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('P. 1:10 ack=2');
    expect(p.out()).toEqual(['. 1 ack=1']);
    expect(a.read).toEqual([]);
    expect(p.drops('tcp-ack-too-new')).toBe(1);
  });

  test('ESTABLISHED: an ACK that is old but plausible does not keep text out (RFC 5961 §5.2)', () => {
    const p = new Peer();
    const a = established(p);
    a.connection!.send(new Uint8Array(100), 0, 100);
    p.out();
    p.send('. 1 ack=101');
    p.send('P. 1:10 ack=1');
    expect(a.read).toHaveLength(10);
  });

  test('the edge itself: SND.UNA - MAX.SND.WND is plausible, one less is not (RFC 5961 §5.2)', () => {
    for (const [below, taken] of [
      [65_535, 10],
      [65_536, 0],
    ] as const) {
      const p = new Peer();
      const a = established(p);
      p.send(`P. 1:10 ack=${1 - below}`);
      expect(a.read).toHaveLength(taken);
    }
  });
});

describe('§7, answers are limited, per connection', () => {
  test('ESTABLISHED: of many RSTs in the window one in 500 ms earns a challenge ACK (RFC 5961 §7)', () => {
    const p = new Peer();
    established(p);
    for (let n = 0; n < 200; n++) p.send(`R ${2 + n}`);
    expect(p.out()).toEqual(['. 1 ack=1']);
    p.advance(499);
    p.send('R 7');
    expect(p.out()).toEqual([]);
    p.advance(1);
    p.send('R 7');
    expect(p.out()).toEqual(['. 1 ack=1']);
  });

  test('the limit is of one connection: 200 bad RSTs on one do not change what another answers (trap 4, CVE-2016-5696)', () => {
    const p = new Peer();
    established(p);
    p.peerPort = 4001;
    p.send('S 0 mss=1000');
    const other = p.host.connections().find((c) => c.remotePort === 4001)!;
    p.hostIss = other.snd.iss;
    p.send('. 1 ack=1');
    p.peerPort = 4000;
    for (let n = 0; n < 200; n++) p.send(`R ${2 + n}`);
    expect(p.out().length).toBe(2);
    p.peerPort = 4001;
    p.send('R 50');
    expect(p.out()).toEqual(['. 1 ack=1']);
  });

  test('two ends that disagree about the numbers do not storm each other with ACKs (trap 5)', () => {
    const p = new Peer();
    established(p);
    let answers = 0;
    for (let ms = 0; ms < 60_000; ms += 10) {
      p.send('. 1 ack=2');
      p.send('. 0 ack=1');
      answers += p.out().length;
      p.advance(10);
    }
    // At most one for each kind in half a second.
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThanOrEqual(2 * 2 * 60);
  });

  test('ESTABLISHED: text that comes again is always acknowledged at once: it is no attack (§3.10.7.4 first)', () => {
    const p = new Peer();
    established(p);
    p.send('P. 1:10 ack=1');
    p.advance(100);
    for (let n = 0; n < 5; n++) {
      p.send('P. 1:10 ack=1');
      expect(p.out()).toEqual(['. 1 ack=11']);
    }
  });
});
