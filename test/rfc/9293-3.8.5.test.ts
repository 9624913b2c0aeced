// RFC 9293 §3.8.5, urgent data as they are received: told, counted, and read in line.

import { describe, expect, test } from 'vitest';
import { established, octets, Peer, type PeerOptions } from './peer.ts';

/** A program that reads when it is told to, and a list of how much was urgent whenever it was told of that. */
function urgently(options: PeerOptions = {}): {
  p: Peer;
  c: () => NonNullable<ReturnType<typeof established>['connection']>;
  told: number[];
} {
  const p = new Peer(options);
  const a = established(p, { reads: false });
  const told: number[] = [];
  a.connection!.handler = { onUrgent: () => told.push(a.connection!.urgent) };
  return { p, c: () => a.connection!, told };
}

describe('the urgent pointer', () => {
  test('ESTABLISHED: a pointer is told at once, and again when it advances, and only then (row 26 MUST-32)', () => {
    const { p, told } = urgently();
    p.send('UP. 1:10 ack=1 urg=5');
    expect(told).toEqual([5]);
    p.send('UP. 11:10 ack=1 urg=10');
    expect(told).toEqual([5, 20]);
    // The same, an earlier one, and none.
    p.send('U. 21 ack=1 urg=0');
    p.send('UP. 11:10 ack=1 urg=3');
    p.send('P. 21:10 ack=1');
    expect(told).toEqual([5, 20]);
  });

  test('ESTABLISHED: it may be ahead of the octets (row 26 MUST-32), which count as they are read (row 27 MUST-33)', () => {
    const { p, c, told } = urgently();
    p.send('U. 1 ack=1 urg=30');
    expect([told, c().urgent, c().readable]).toEqual([[30], 30, 0]);
    p.send('P. 1:20 ack=1');
    expect(c().urgent).toBe(30);
    c().consume(15);
    expect(c().urgent).toBe(15);
    p.send('P. 21:20 ack=1');
    c().consume(15);
    expect([c().urgent, c().readable]).toEqual([0, 10]);
    // Done: a pointer to what was read tells nothing, a new one does.
    p.send('U. 41 ack=1 urg=0');
    expect([told, c().urgent]).toEqual([[30, 10], 10]);
    c().consume(10);
    p.send('UP. 31:10 ack=1 urg=5');
    p.send('U. 41 ack=1 urg=0');
    expect([told, c().urgent]).toEqual([[30, 10], 0]);
  });

  test('ESTABLISHED: with a shut window it counts as well, with text and without (row 22 MUST-66)', () => {
    for (const text of ['U. 1001 ack=1 urg=5', 'U. 1001:5 ack=1 urg=5']) {
      const { p, c, told } = urgently({ profile: { receiveBuffer: 1000 } });
      p.send('. 1:1000 ack=1');
      p.out();
      expect(c().rcv.wnd).toBe(0);
      p.send(text);
      expect([told, c().urgent, c().readable]).toEqual([[1005], 1005, 1000]);
    }
  });

  test('ESTABLISHED: 300,000 urgent octets, more than a pointer can say at once (row 25 MUST-31)', () => {
    const { p, c, told } = urgently();
    const read: number[] = [];
    for (let seq = 1; seq < 300_001; seq += 1000) {
      p.send(`UP. ${seq}:1000 ack=1 urg=${Math.min(65_535, 300_001 - seq)}`);
      expect(c().urgent).toBe(Math.min(65_535, 300_001 - seq));
      read.push(...c().peek().subarray(0, 1));
      c().consume(1000);
    }
    expect(c().urgent).toBe(0);
    expect(read).toHaveLength(300);
    // Told for as long as it advanced: until the pointer reached the end of them.
    expect(told).toHaveLength(Math.ceil((300_000 - 65_535) / 1000) + 1);
  });

  test('ESTABLISHED: the first octet that is not urgent is the one it names (row 24 MUST-62), in line with all others', () => {
    const { p, c } = urgently();
    p.send('UP. 1:10 ack=1 urg=4');
    const { urgent } = c();
    expect([...c().peek().subarray(0, urgent)]).toEqual(octets(1, 5));
    c().consume(urgent);
    expect(c().urgent).toBe(0);
    expect([...c().peek()]).toEqual(octets(5, 11));
  });

  test('a segment that comes twice does not move the pointer when its front is cut off (row 26 MUST-32)', () => {
    const { p, c, told } = urgently();
    p.send('P. 1:10 ack=1');
    p.send('UP. 1:20 ack=1 urg=20');
    expect([told, c().urgent]).toEqual([[20], 20]);
  });

  test('a pointer past the FIN: what will never come does not count', () => {
    const { p, c } = urgently();
    p.send('UF. 1:3 ack=1 urg=65535');
    expect([c().urgent, c().readable]).toEqual([3, 3]);
    c().consume(3);
    expect([c().urgent, c().ended]).toEqual([0, true]);
    p.send('U. 5 ack=1 urg=9');
    expect(c().urgent).toBe(0);
  });

  test('a program that is not interested reads the stream, and nothing of it changes (row 23 MUST-30)', () => {
    const p = new Peer();
    const a = established(p);
    p.send('UP. 1:10 ack=1 urg=5');
    p.send('UP. 11:10 ack=1 urg=65535');
    expect([a.read, a.log]).toEqual([octets(1, 21), ['accept']]);
  });
});
