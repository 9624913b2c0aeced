// TIME-WAIT as records: what they answer, how they end, how many there may be, and that nobody can tell the difference.

import { describe, expect, test } from 'vitest';
import { NetError } from '../../src/base/errors.ts';
import { Prng } from '../../src/base/prng.ts';
import { SipKey } from '../../src/base/siphash.ts';
import { Host } from '../../src/host/host.ts';
import { nstat } from '../../src/host/nstat.ts';
import { TimeWaits } from '../../src/host/time-wait.ts';
import { Connection } from '../../src/tcp/connection.ts';
import { Address } from '../../src/wire/address.ts';
import { Peer } from '../rfc/peer.ts';
import { stage } from '../rfc/states.ts';

const TW = 60_000;

/** A connection in TIME-WAIT, folded: RCV.NXT and SND.NXT are 2, relatively. */
function waiting(profile = {}): { p: Peer; c: Connection } {
  const p = new Peer({ profile });
  const { c } = stage(p, 'TIME-WAIT');
  expect(p.advance(10)).toEqual([]);
  expect(c.folded).toBe(true);
  return { p, c };
}

describe('a record', () => {
  test('says the last ACK again, and its time starts anew', () => {
    const { p, c } = waiting();
    p.advance(TW - 100);
    p.send('F. 1 ack=2');
    expect(p.out()).toEqual(['. 2 ack=2']);
    expect(p.advance(TW - 1)).toEqual([]);
    expect([c.state, p.host.connectionCount, p.host.portsInUse]).toEqual(['TIME-WAIT', 1, 1]);
    p.advance(1);
    expect([c.state, p.host.connectionCount, p.host.portsInUse, p.host.timersArmed]).toEqual(['CLOSED', 0, 0, 0]);
  });

  test('answers old segments no more often than a connection does', () => {
    const { p } = waiting();
    const answers: number[] = [];
    for (let n = 0; n < 20; n++) {
      p.send('. 90000 ack=2');
      answers.push(p.out().length);
      p.advance(100);
    }
    expect(answers.reduce((a, b) => a + b)).toBe(4);
  });

  test('keeps timestamps: what is old is refused, the answer carries ours', () => {
    const p = new Peer();
    p.showOptions = true;
    const { c } = (() => {
      const l: { c: Connection | null } = { c: null };
      p.host.listen({ port: 80 }, (s) => {
        l.c = s;
      });
      p.send('S 0 mss=1000 ts=100:0');
      p.out();
      p.send('. 1 ack=1 ts=101:0');
      p.out();
      return { c: l.c! };
    })();
    c.shutdown();
    p.out();
    p.send('F. 1 ack=2 ts=102:0');
    p.advance(0);
    expect(c.folded).toBe(true);
    p.send('F. 1 ack=2 ts=50:0');
    expect(p.drops('tcp-old-timestamp')).toBe(1);
    p.out();
    p.advance(600);
    p.send('F. 1 ack=2 ts=103:0');
    expect(p.out()).toEqual(['. 2 ack=2 ts=1600:103']);
  });

  test('a later SYN opens a new connection out of it, an earlier one is answered', () => {
    const { p, c } = waiting();
    p.send('S -10 mss=1000');
    expect(p.out()).toEqual(['. 2 ack=2']);
    p.advance(600);
    p.send('S 900 mss=1000');
    expect(p.out()[0]).toMatch(/^S\. /);
    expect([c.state, p.host.connections().map((x) => x.state)]).toEqual(['CLOSED', ['SYN-RECEIVED']]);
  });

  test.each([true, false])('an exact RST, timeWaitIgnoresRst %s', (timeWaitIgnoresRst) => {
    const { p, c } = waiting({ timeWaitIgnoresRst });
    p.send('R 2');
    p.out();
    expect(c.state).toBe(timeWaitIgnoresRst ? 'TIME-WAIT' : 'CLOSED');
  });

  test('tells the trace what a connection would have told, under the same number', () => {
    const { p, c } = waiting();
    p.send('F. 1 ack=2');
    p.out();
    p.advance(TW);
    const told = p.trace.filter((e) => 'conn' in e && e.conn === c.id).slice(-5);
    expect(
      told.map((e) =>
        e.type === 'segment' ? `${e.dir} ${e.state}` : e.type === 'state' ? `${e.from} ${e.to} ${e.cause}` : e.type,
      ),
    ).toEqual(['time-wait', 'in TIME-WAIT', 'out TIME-WAIT', 'timer', 'TIME-WAIT CLOSED 2MSL timeout']);
  });

  test('its local port is not given to the same peer again', () => {
    const p = new Peer({ profile: { ephemeralFrom: 50_000, ephemeralTo: 50_001 } });
    const connect = (): Connection => p.host.connect({ address: '10.0.0.2', port: 4000 });
    const c = connect();
    p.hostPort = c.localPort;
    p.out();
    p.send('S. 0 ack=1 mss=1000');
    p.out();
    c.shutdown();
    p.out();
    p.send('F. 1 ack=2');
    p.advance(0);
    expect([c.state, c.folded, connect().error?.code]).toEqual(['TIME-WAIT', true, 'EADDRNOTAVAIL']);
    p.advance(TW);
    expect(connect().state).toBe('SYN-SENT');
  });
});

describe('the object of the program', () => {
  test('is in TIME-WAIT until it is over, then CLOSED', () => {
    const { p, c } = waiting();
    expect(c.state).toBe('TIME-WAIT');
    p.advance(TW);
    expect([c.state, c.timers.earliest]).toEqual(['CLOSED', Number.POSITIVE_INFINITY]);
  });

  test('can be aborted: the record is gone, told once', () => {
    const { p, c } = waiting();
    c.abort();
    expect(p.out()).toEqual([]);
    expect([c.state, p.host.connectionCount, p.host.portsInUse, p.host.timersArmed]).toEqual(['CLOSED', 0, 0, 0]);
    expect(p.trace.filter((e) => e.type === 'state' && e.to === 'CLOSED')).toHaveLength(1);
  });

  test('can be aborted between a segment and the next turn, when its record is a connection again', () => {
    const { p, c } = waiting();
    const [shown] = p.host.connections();
    expect([shown === c, shown!.id, shown!.state]).toEqual([false, c.id, 'TIME-WAIT']);
    p.host.timeWaits.unfold(0, 0, 0xffff, 0x0a000001, 80, 0, 0, 0xffff, 0x0a000002, 4000);
    expect([c.state, shown!.folded]).toEqual(['TIME-WAIT', false]);
    c.abort();
    p.out();
    expect([c.state, shown!.state, p.host.connectionCount, p.host.portsInUse]).toEqual(['CLOSED', 'CLOSED', 0, 0]);
  });

  test('is readable still: what came before the FIN', () => {
    const p = new Peer();
    let c: Connection | null = null;
    p.host.listen({ port: 80 }, (s) => {
      c = s;
    });
    p.send('S 0 mss=1000');
    p.out();
    p.send('. 1 ack=1');
    p.out();
    c!.shutdown();
    p.out();
    p.send('FP. 1:5 ack=2');
    p.advance(10);
    expect([c!.folded, c!.readable]).toEqual([true, 5]);
    expect(c!.read(new Uint8Array(9), 0, 9)).toBe(5);
    expect(p.advance(100)).toEqual([]);
    expect([c!.ended, p.host.chunks.inUse]).toEqual([true, 0]);
  });
});

describe('all of them', () => {
  test('end with the interface they leave by, and with the host', () => {
    const one = waiting();
    one.p.host.interfaceDown(one.p.iface, new NetError('ENETDOWN', 'read'));
    expect([one.c.state, one.p.host.connectionCount, one.p.host.portsInUse]).toEqual(['CLOSED', 0, 0]);
    const two = waiting();
    two.p.host.close();
    expect([two.c.state, two.p.host.connectionCount, two.p.host.portsInUse]).toEqual(['CLOSED', 0, 0]);
  });

  test('are no more than the profile allows: the oldest ends early, and is counted', () => {
    const p = new Peer({ profile: { timeWaitMax: 3 } });
    const all: Connection[] = [];
    p.host.listen({ port: 80 }, (c) => {
      all.push(c);
      c.shutdown();
    });
    for (let n = 0; n < 5; n++) {
      p.peerPort = 4000 + n;
      p.send('S 0 mss=1000');
      const seq = Number(p.out()[0]!.split(' ')[1]);
      p.send(`. 1 ack=${seq + 1}`);
      p.out();
      p.send(`F. 1 ack=${seq + 2}`);
      p.advance(10);
    }
    expect(all.map((c) => c.state)).toEqual(['CLOSED', 'CLOSED', 'TIME-WAIT', 'TIME-WAIT', 'TIME-WAIT']);
    expect(nstat(p.host.counters)).toMatchObject({ TcpExtTCPTimeWaitOverflow: 2, TcpExtTW: 2 });
  });

  test('behave as a plain list does, whatever comes and goes (model, seed 11)', () => {
    const host = new Host({ key: new Uint8Array(16) });
    const waits = new TimeWaits(host, new SipKey(new Uint8Array(16).fill(5)));
    const prng = new Prng(11);
    const model = new Map<number, { c: Connection; until: number }>();
    const local = new Address(0, 0, 0xffff, 0x0a000001);
    const remoteOf = (n: number): Address => (n & 1 ? new Address(1, 2, 3, n >> 3) : new Address(0, 0, 0xffff, n >> 3));
    let now = 0;
    for (let step = 0; step < 5000; step++) {
      now += prng.below(10);
      const n = prng.below(1000);
      const known = model.get(n);
      if (known === undefined) {
        const addressing = host.addressing(1500, local, 80, remoteOf(n), 1000 + (n & 7));
        const c = new Connection(host, step + 1, addressing, true);
        c.adopt('TIME-WAIT');
        // Mostly in order; a setting that was changed makes some end before older ones.
        const until = now + (prng.chance(0.05) ? 5000 : 20_000);
        c.timers.timeWait = until;
        waits.fold(c);
        model.set(n, { c, until });
      } else if (prng.chance(0.3)) {
        const r = remoteOf(n);
        const back = waits.unfold(0, 0, 0xffff, local.w3, 80, r.w0, r.w1, r.w2, r.w3, 1000 + (n & 7));
        expect([back?.id, back?.timers.timeWait]).toEqual([known.c.id, known.until]);
        host.table.remove(back!);
        model.delete(n);
      } else {
        expect(waits.goesOn(known.c)).toBe(true);
      }
      if (step % 100 === 0) {
        expect(waits.nextDeadline).toBe(Math.min(Number.POSITIVE_INFINITY, ...[...model.values()].map((m) => m.until)));
        expect(waits.list()).toHaveLength(model.size);
      }
      waits.expire(now);
      for (const [key, m] of model) if (m.until <= now) model.delete(key);
      expect(waits.size).toBe(model.size);
    }
    expect(waits.size).toBeGreaterThan(100);
  });
});
