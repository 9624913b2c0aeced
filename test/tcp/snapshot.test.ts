// A connection as bytes: what travels, what does not, and what bytes are refused.

import { describe, expect, test } from 'vitest';
import { NetError } from '../../src/base/errors.ts';
import { Prng } from '../../src/base/prng.ts';
import { MOVABLE } from '../../src/base/state.ts';
import { Host } from '../../src/host/host.ts';
import { nstat } from '../../src/host/nstat.ts';
import { restore, snapshot } from '../../src/host/snapshot.ts';
import { newReno } from '../../src/tcp/congestion/newreno.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { readSnapshot, TIMES, writeSnapshot } from '../../src/tcp/snapshot.ts';
import { established, Peer } from '../rfc/peer.ts';
import { STAGED, stage } from '../rfc/states.ts';

/** A connection with something of everything: in flight, lost, reported, unsent, unread, out of order. */
function busy(p = new Peer()): { p: Peer; c: Connection } {
  const c = established(p, { reads: false, syn: 'sackOK ts=100:0', ack: 'ts=101:0', ws: 3 }).connection!;
  c.setKeepAlive(true, 60_000);
  c.send(new Uint8Array(30_000).fill(7), 0, 30_000);
  p.out();
  p.advance(30);
  p.send('. 1 ack=989 ts=130:1000 sack=1977-2965');
  p.send('P. 1:100 ack=989 ts=131:1000');
  p.send('P. 301:100 ack=989 ts=132:1000');
  p.send('P. 601:50 ack=989 ts=133:1000');
  p.out();
  return { p, c };
}

/** A host with the address of the peer's, another key and another clock. */
function elsewhere(now: number, mtu = 1500): Host {
  const host = new Host({ name: 'there', key: new Uint8Array(16).fill(99), profile: { congestionControl: newReno } });
  host.addInterface({ medium: 'ip', mtu, addresses: ['10.0.0.1/24'] });
  host.tick(now);
  return host;
}

describe('a snapshot', () => {
  test('restored at another time on another clock says the same again, and so does what can be seen of the connection', () => {
    const { p, c } = busy();
    const before = tcpInfo(c);
    const bytes = snapshot(p.host, c);
    const there = elsewhere(9e9 + 0.25);
    const moved = restore(there, bytes);
    expect(tcpInfo(moved)).toEqual(before);
    expect(writeSnapshot(moved)).toEqual(bytes);
    expect(moved.state).toBe('ESTABLISHED');
  });

  test('leaves nothing behind, and says nothing to anybody', () => {
    const { p, c } = busy();
    const told: string[] = [];
    c.handler = { onReadable: () => told.push('readable'), onClose: () => told.push('close') };
    snapshot(p.host, c);
    told.length = 0;
    expect([p.out(), p.advance(100_000), told]).toEqual([[], [], []]);
    const { host } = p;
    expect([c.state, host.connectionCount, host.portsInUse, host.timersArmed, host.chunks.inUse]).toEqual([
      'CLOSED',
      0,
      0,
      0,
      0,
    ]);
    expect(nstat(host.counters)).toMatchObject({ TcpEstabResets: 0, TcpCurrEstab: 0, TcpOutRsts: 0 });
  });

  test('has no key in it', () => {
    const { p, c } = busy(new Peer({ key: 0xab }));
    const text = [...snapshot(p.host, c)].map((octet) => octet.toString(16)).join(' ');
    expect(text).not.toContain('ab ab ab ab');
  });

  test('goes on where it was: numbers, timestamps, the retransmission timer, what is unread', () => {
    const { p, c } = busy();
    const { nxt } = c.snd;
    const stamp = c.timestamp();
    const due = c.timers.retransmit - p.host.now;
    const there = elsewhere(5_000_000);
    const moved = restore(there, snapshot(p.host, c));
    expect([moved.snd.nxt, moved.timestamp(), moved.timers.retransmit - there.now]).toEqual([nxt, stamp, due]);
    there.tick(5_000_700);
    expect(moved.timestamp()).toBe(stamp + 700);
    const read = new Uint8Array(200);
    expect([moved.read(read, 0, 200), read.slice(0, 3)]).toEqual([100, Uint8Array.of(1, 2, 3)]);
  });

  test('tells its new handler of what there is to read, and of room to write', () => {
    const { p, c } = busy();
    const there = elsewhere(0);
    const moved = restore(there, snapshot(p.host, c));
    const told: string[] = [];
    moved.handler = { onReadable: () => told.push('readable') };
    while (there.deliver());
    expect(told).toEqual(['readable']);
  });

  test('on a link that carries less has its segments cut anew', () => {
    const { p, c } = busy();
    const moved = restore(elsewhere(0, 600), snapshot(p.host, c));
    expect(moved.snd.mss).toBe(600 - 40 - 12);
  });

  test.each(STAGED)('in %s: moved, or refused', (state) => {
    const p = new Peer();
    const { c } = stage(p, state);
    if (!MOVABLE.includes(state)) {
      expect(() => snapshot(p.host, c)).toThrow(`a connection in ${state} cannot be moved`);
      return;
    }
    const there = elsewhere(77);
    const moved = restore(there, snapshot(p.host, c));
    expect([moved.state, c.state, there.connectionCount]).toEqual([state, 'CLOSED', 1]);
  });

  test('names every moment that the parts of a connection keep', () => {
    // What looks like a moment, or stands among moments, and is a count or a number of the sequence space.
    const NONE = ['rcv.lastAckSent', 'timers.probes', 'timers.againRun', 'timers.againEnd'];
    const { c } = busy();
    const parts = readSnapshot(writeSnapshot(c)).parts;
    const looksLikeOne = /(?:At|Since|since|heard)$|^last[A-Z]/;
    const missing: string[] = [];
    for (const [part, fields] of parts) {
      for (const [name, value] of fields) {
        const known =
          TIMES[part]?.includes(name) === true || ['openedAt', 'textAt', 'ackAt', 'tsRecentAt'].includes(name);
        const found = looksLikeOne.test(name) || part === 'timers';
        if (typeof value === 'number' && found && !known && !NONE.includes(`${part}.${name}`))
          missing.push(`${part}.${name}`);
      }
    }
    expect(missing).toEqual([]);
  });
});

describe('what is refused', () => {
  test('bytes that are cut off, anywhere, and those with more behind them', () => {
    const { c } = busy();
    const bytes = writeSnapshot(c);
    for (let n = 0; n < bytes.length; n += n < 300 ? 1 : 97) {
      expect(() => readSnapshot(bytes.subarray(0, n))).toThrow(RangeError);
    }
    expect(() => readSnapshot(Uint8Array.of(...bytes.subarray(0), 0))).toThrow('octets too many');
  });

  test('another version, and what is no snapshot at all', () => {
    const { c } = busy();
    const bytes = writeSnapshot(c);
    bytes[9] = 200;
    expect(() => readSnapshot(bytes)).toThrow('version 200 is not 1');
    expect(() => readSnapshot(new Uint8Array(100))).toThrow('not a snapshot, at octet 8');
  });

  test('octets changed at random end in a RangeError or in a snapshot, quickly (seed 3)', () => {
    const { c } = busy();
    const good = writeSnapshot(c);
    const prng = new Prng(3);
    let refused = 0;
    for (let n = 0; n < 2000; n++) {
      const bytes = good.slice();
      for (let k = prng.below(4); k >= 0; k--) bytes[prng.below(400)] = prng.below(256);
      try {
        readSnapshot(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  test('fields of a version that had more are left out', () => {
    const { p, c } = busy();
    (c.snd as unknown as { unheard: number }).unheard = 5;
    const moved = restore(elsewhere(0), snapshot(p.host, c));
    expect('unheard' in moved.snd).toBe(false);
  });

  test('a place that is taken, an address that is another host’s, a host without a way, and one that is not the owner', () => {
    const { p, c } = busy();
    const bytes = writeSnapshot(c);
    const code = (host: Host): string => {
      try {
        restore(host, bytes);
        return 'fine';
      } catch (error) {
        return (error as NetError).code;
      }
    };
    const there = elsewhere(0);
    expect([code(there), code(there)]).toEqual(['fine', 'EADDRINUSE']);
    const other = new Host({ key: new Uint8Array(16) });
    const i = other.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.7/24'] });
    expect(code(other)).toBe('EADDRNOTAVAIL');
    const down = elsewhere(0);
    down.interfaceDown(down.interfaces[0]!, new NetError('ENETDOWN', 'read'));
    expect([code(down), i.up]).toEqual(['ENETUNREACH', true]);
    expect(() => snapshot(elsewhere(0), c)).toThrow('cannot be moved');
    p.host.close();
    expect(() => snapshot(p.host, c)).toThrow('the host is closed');
  });
});
