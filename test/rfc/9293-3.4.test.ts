// RFC 9293 §3.4, sequence numbers: everything works the same when numbers cross 2^32, and 2^31, on either side.

import { describe, expect, test } from 'vitest';
import { app, established, listening, octets, Peer, synSent } from './peer.ts';

/** Edges of the two readings of 32 bits: unsigned wraps at 0, signed at 2^31. */
const EDGES: readonly (readonly [string, number])[] = [
  ['2^32', 0],
  ['2^31', (2 ** 31) | 0],
];

/** The clock at which a listener on port 80 draws an ISS `before` numbers short of `edge`. */
function clockFor(edge: number, before: number): number {
  const probe = new Peer({ now: 0 });
  listening(probe);
  probe.send('S 0 mss=1000');
  probe.out();
  // ISNs grow by 250 in a millisecond (RFC 6528).
  return ((edge - before - probe.hostIss) >>> 0) / 250;
}

describe.each(EDGES)('across %s (trap 30)', (_name, edge) => {
  test('our numbers: data, ACKs, retransmission and FIN', () => {
    const p = new Peer({ now: clockFor(edge, 15_500) });
    const a = established(p);
    expect((edge - p.hostIss) | 0).toBe(15_500);
    const data = Uint8Array.from(octets(1, 40_001));
    a.connection!.send(data, 0, data.length);
    let acked = 1;
    let dropped = false;
    for (let n = 0; n < 500 && acked < 40_001; n++) {
      for (const line of p.advance(n % 7 === 0 ? 250 : 1)) {
        const [seq, len] = line
          .replace(/^@\d+ /, '')
          .split(' ')[1]!
          .split(':')
          .map(Number);
        // The segment that crosses is lost once.
        if (!dropped && seq! <= 15_500 && seq! + len! > 15_500) {
          dropped = true;
          continue;
        }
        if (seq === acked) acked += len ?? 0;
      }
      p.send(`. 1 ack=${acked}`);
    }
    expect([acked, dropped]).toEqual([40_001, true]);
    for (let k = 1; k <= 40_000; k += 997) expect(p.payload.get(k)).toBe(k & 0xff);
    a.connection!.shutdown();
    expect(p.out()).toEqual(['F. 40001 ack=1']);
    p.send('F. 1 ack=40002');
    expect(a.connection!.state).toBe('TIME-WAIT');
  });

  test('our numbers: the SYN is the last before the edge, the first octet the first behind it', () => {
    const p = new Peer({ now: clockFor(edge, 1) });
    const a = established(p);
    a.connection!.send(Uint8Array.of(7), 0, 1);
    expect(p.out()).toEqual(['P. 1:1 ack=1']);
    p.send('. 1 ack=2');
    expect(a.connection!.flightSize).toBe(0);
  });

  test('our numbers: fast retransmit across the edge', () => {
    const p = new Peer({ now: clockFor(edge, 2500) });
    const a = established(p);
    a.connection!.send(new Uint8Array(10_000), 0, 10_000);
    p.out();
    p.send('. 1 ack=2001');
    p.out();
    for (let n = 0; n < 3; n++) p.send('. 1 ack=2001');
    expect(p.out()).toContain('. 2001:1000 ack=1');
    p.send('. 1 ack=10001');
    expect(a.connection!.flightSize).toBe(0);
    expect(a.connection!.recovery.active).toBe(false);
  });

  test('the peer’s numbers: text in order, out of order, overlapping, and FIN', () => {
    const p = new Peer({ peerIss: edge - 3001 });
    const a = established(p);
    for (const [from, len] of [
      [3001, 1000],
      [2501, 1000],
      [5001, 500],
      [1, 1000],
      [1001, 1600],
      [4001, 1000],
    ] as const) {
      p.send(`. ${from}:${len} ack=1`);
    }
    p.send('F. 5501 ack=1');
    expect(a.read).toEqual(octets(1, 5501));
    expect(p.out().at(-1)).toBe('. 1 ack=5502');
    expect(a.connection!.state).toBe('CLOSE-WAIT');
  });

  test('the peer’s numbers: what lies before and beyond the window is refused on both sides of the edge', () => {
    for (const before of [1, 2, 100, 65_536]) {
      const p = new Peer({ peerIss: edge - before });
      const a = established(p);
      p.send(`R ${-10}`);
      p.send(`R ${70_000}`);
      p.send(`. ${-100}:50 ack=1`);
      p.send(`. ${70_000}:50 ack=1`);
      expect(a.read).toEqual([]);
      expect(a.connection!.state).toBe('ESTABLISHED');
      p.send('R 1');
      expect(a.connection!.state).toBe('CLOSED');
    }
  });

  test('the peer’s numbers: our window crosses the edge, and shuts and opens there', () => {
    const p = new Peer({ peerIss: edge - 2000, profile: { receiveBuffer: 4000 } });
    p.showWindow = true;
    const a = established(p, { reads: false });
    for (let k = 0; k < 4; k++) p.send(`. ${1 + k * 1000}:1000 ack=1`);
    expect(p.out().at(-1)).toBe('. 1 ack=4001 win=0');
    a.connection!.consume(4000);
    expect(p.out()).toEqual(['. 1 ack=4001 win=4000']);
  });

  test('the peer’s numbers: SND.WL1 follows them', () => {
    const p = new Peer({ peerIss: edge - 5 });
    const a = established(p);
    p.send('. 11:10 ack=1 win=800');
    expect(a.connection!.snd.wnd).toBe(800);
    p.send('. 1:10 ack=1 win=900');
    expect(a.connection!.snd.wnd).toBe(800);
    p.send('. 21 ack=1 win=1000');
    expect(a.connection!.snd.wnd).toBe(1000);
  });

  test('an active open to a peer whose SYN is at the edge', () => {
    for (const d of [-1, 0, 1]) {
      const p = new Peer({ peerIss: edge + d });
      const a = synSent(p);
      p.send('S. 0 ack=1 mss=1000');
      expect(p.out()).toEqual(['. 1 ack=1']);
      expect(a.connection.state).toBe('ESTABLISHED');
    }
  });
});

test('2 GB of numbers later, timers, duplicates and windows still work: nothing lags half a space behind', () => {
  const p = new Peer();
  const a = app();
  const c = p.host.connect({ address: '10.0.0.2', port: 4000 });
  a.attach(c);
  p.hostPort = c.localPort;
  p.out();
  p.send('S. 0 ack=1 mss=1000 ws=14 win=65535');
  p.out();
  // As if octets had flowed: every variable of the sender that is kept per octet has moved along.
  const leap = 3_000_000_000;
  const { snd } = c;
  for (const name of ['una', 'nxt', 'base', 'wl2', 'maxEdge'] as const) snd[name] = (snd[name] + leap) | 0;
  p.hostIss = (p.hostIss + leap) | 0;
  c.send(new Uint8Array(5000), 0, 5000);
  p.send('. 1 ack=1 win=1000');
  expect(p.out().length).toBeGreaterThan(0);
  for (let n = 0; n < 3; n++) p.send('. 1 ack=1 win=1000');
  expect(p.out()).toContain('. 1:1000 ack=1');
  p.send('. 1 ack=5001');
  expect(c.flightSize).toBe(0);
  expect(c.recovery.active).toBe(false);
});
