// RFC 6191, connections out of TIME-WAIT whose timestamps prove that they are new (RFC 9293 §3.6.1).

import { describe, expect, test } from 'vitest';
import { established, octets, Peer } from './peer.ts';

/** A connection in TIME-WAIT; the latest timestamp of the peer was 200, its next number is 12. */
function waiting(stamps = true): { p: Peer; a: ReturnType<typeof established> } {
  const p = new Peer();
  const ts = (value: number): string => (stamps ? `ts=${value}:1000` : '');
  const a = established(p, { syn: stamps ? 'ts=100:0' : '', ack: ts(101) });
  p.send(`P. 1:10 ack=1 ${ts(150)}`);
  a.connection!.shutdown();
  p.out();
  p.send(`F. 11 ack=2 ${ts(200)}`);
  p.out();
  if (a.connection!.state !== 'TIME-WAIT') throw new Error(a.connection!.state);
  return { p, a };
}

describe('TIME-WAIT, and a SYN', () => {
  test.each([0, 5, 11, -100_000])('a newer timestamp opens with any number, here %d (row 65 SHLD-4, §2)', (seq) => {
    const { p, a } = waiting();
    p.send(`S ${seq} mss=1000 ts=201:0`);
    expect(a.connection!.state).toBe('CLOSED');
    const [fresh] = p.host.connections();
    expect(fresh!.state).toBe('SYN-RECEIVED');
    expect(p.out()).toHaveLength(1);
    // What the old connection still had on its way is no part of the new one, whatever its number.
    p.hostIss = fresh!.snd.iss;
    p.hostTsOffset = fresh!.snd.tsOffset;
    p.send(`. ${seq + 1} ack=1 ts=202:1000`);
    expect(fresh!.state).toBe('ESTABLISHED');
    p.send(`P. ${seq + 1}:10 ack=1 ts=150:1000`);
    expect(fresh!.readable).toBe(0);
    expect(p.drops('tcp-old-timestamp')).toBe(1);
    expect(a.read).toEqual(octets(1, 11));
  });

  test.each([200, 199, 100])(
    'a timestamp that is no newer, here %d, proves nothing: ACK, and TIME-WAIT stays',
    (value) => {
      const { p, a } = waiting();
      p.send(`S 5 mss=1000 ts=${value}:0`);
      expect(a.connection!.state).toBe('TIME-WAIT');
      expect(p.out()).toEqual(['. 2 ack=12']);
    },
  );

  test('an older timestamp is a SYN of long ago, whatever its number', () => {
    const { p, a } = waiting();
    p.send('S 5000 mss=1000 ts=199:0');
    expect(a.connection!.state).toBe('TIME-WAIT');
    expect(p.out()).toEqual(['. 2 ack=12']);
    p.send('S 5000 mss=1000 ts=200:0');
    expect(a.connection!.state).toBe('CLOSED');
  });

  test('without timestamps on the SYN, or on the old connection, the number decides', () => {
    const { p, a } = waiting();
    p.send('S 5 mss=1000');
    expect(a.connection!.state).toBe('TIME-WAIT');
    const old = waiting(false);
    old.p.send('S 5 mss=1000 ts=201:0');
    expect(old.a.connection!.state).toBe('TIME-WAIT');
    old.p.send('S 13 mss=1000 ts=201:0');
    expect(old.a.connection!.state).toBe('CLOSED');
  });
});
