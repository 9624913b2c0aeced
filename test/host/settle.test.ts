// The end of everything: `host.close()` and an interface that goes down settle every connection, in every state, once.

import { describe, expect, test } from 'vitest';
import { NetError } from '../../src/base/errors.ts';
import { RxMeta } from '../../src/base/packet.ts';
import type { State } from '../../src/base/state.ts';
import { ping } from '../../src/host/ping.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { app, listening, Peer, synSent } from '../rfc/peer.ts';
import { STAGED, stage } from '../rfc/states.ts';
import { drain, end } from './wire.ts';

interface Subject {
  readonly c: Connection;
  readonly log: string[];
}

/** A connection in any state but CLOSED and LISTEN, with a program attached where the program knows of it. */
function subject(p: Peer, state: State): Subject {
  if (state === 'SYN-SENT') {
    const a = synSent(p);
    return { c: a.connection, log: a.log };
  }
  const s = stage(p, state);
  return { c: s.c, log: s.a.log };
}

const ALL: readonly State[] = ['SYN-SENT', ...STAGED];
/** States in which the program has been told of the end already, or never knew. */
const UNTOLD: readonly State[] = ['SYN-RECEIVED'];
const TOLD: readonly State[] = ['TIME-WAIT'];

function left(p: Peer): readonly number[] {
  return [p.host.connectionCount, p.host.portsInUse, p.host.timersArmed];
}

describe('host.close()', () => {
  test.each(ALL)('%s: the connection is settled once with ECONNABORTED, and nothing is left', (state) => {
    const p = new Peer();
    const { c, log } = subject(p, state);
    p.host.close();
    p.out();
    expect(c.state).toBe('CLOSED');
    const closes = log.filter((l) => l.startsWith('closed'));
    if (UNTOLD.includes(state)) expect(closes).toEqual([]);
    else expect(closes).toEqual([TOLD.includes(state) ? 'closed' : 'closed ECONNABORTED']);
    expect(left(p)).toEqual([0, 0, 0]);
    expect(p.advance(3_600_000)).toEqual([]);
    expect(log.filter((l) => l.startsWith('closed'))).toEqual(closes);
  });

  test.each(['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT'] as const)(
    '%s: the peer learns of it by a reset',
    (state) => {
      const p = new Peer();
      const s = stage(p, state);
      p.host.close();
      expect(p.out()).toEqual([`R. ${s.nxt} ack=${s.rn}`]);
    },
  );

  test('TIME-WAIT and SYN-SENT: nobody is told', () => {
    for (const state of ['TIME-WAIT', 'SYN-SENT'] as const) {
      const p = new Peer();
      subject(p, state);
      p.host.close();
      expect(p.out()).toEqual([]);
    }
  });

  test('listeners stop: a SYN is refused; connect, listen and ping are refused to the program', () => {
    const p = new Peer();
    listening(p);
    p.host.close();
    p.send('S 0 mss=1000');
    expect(p.out()).toEqual(['R. 0 ack=1']);
    expect(() => p.host.connect({ address: '10.0.0.2', port: 1 })).toThrow(/closed/);
    expect(() => p.host.listen({ port: 1 }, () => undefined)).toThrow(/closed/);
    expect(() => ping(p.host, { address: '10.0.0.2' }, () => undefined)).toThrow(/closed/);
    p.host.close();
  });

  test('an echo request on its way is settled', () => {
    const p = new Peer();
    const told: string[] = [];
    ping(p.host, { address: '10.0.0.2' }, (error) => told.push(error?.code ?? 'answered'));
    p.out();
    p.host.close();
    p.advance(60_000);
    expect(told).toEqual(['ECONNABORTED']);
  });

  test('a connection that failed at birth is settled all the same', () => {
    const p = new Peer();
    const a = app();
    a.attach(p.host.connect({ address: '192.0.2.1', port: 80 }));
    p.host.close();
    p.out();
    expect(a.log).toEqual(['closed ENETUNREACH']);
  });

  test('an open connection that the program was not given yet is not given any more', () => {
    const p = new Peer();
    const accepted: Connection[] = [];
    p.host.listen({ port: 80 }, (c) => accepted.push(c));
    p.send('S 0 mss=1000');
    p.out();
    p.host.close();
    p.send('. 1 ack=1');
    p.out();
    expect(accepted).toEqual([]);
    expect(left(p)).toEqual([0, 0, 0]);
  });

  test('a hundred connections: each is told once', () => {
    const p = new Peer();
    let closes = 0;
    for (let n = 0; n < 100; n++) {
      const c = p.host.connect({ address: '10.0.0.2', port: 4000 + n });
      c.handler = { onClose: () => closes++ };
    }
    p.out();
    p.host.close();
    p.out();
    expect(closes).toBe(100);
    expect(left(p)).toEqual([0, 0, 0]);
  });
});

describe('interfaceDown()', () => {
  const down = new NetError('ENETDOWN', 'read');

  test.each(ALL)(
    '%s: the connection is settled once with the link’s error, nothing is sent, nothing is left',
    (state) => {
      const p = new Peer();
      const { c, log } = subject(p, state);
      p.host.interfaceDown(p.iface, down);
      expect(p.out()).toEqual([]);
      expect(c.state).toBe('CLOSED');
      const closes = log.filter((l) => l.startsWith('closed'));
      if (UNTOLD.includes(state)) expect(closes).toEqual([]);
      else expect(closes).toEqual([TOLD.includes(state) ? 'closed' : 'closed ENETDOWN']);
      expect(left(p)).toEqual([0, 0, 0]);
      p.host.interfaceDown(p.iface, down);
      expect(p.advance(3_600_000)).toEqual([]);
      expect(log.filter((l) => l.startsWith('closed'))).toEqual(closes);
    },
  );

  test('what comes in meanwhile is dropped and counted; listeners live on and work when the link is back', () => {
    const p = new Peer();
    const a = listening(p);
    p.host.interfaceDown(p.iface, down);
    p.send('S 0 mss=1000');
    expect(p.out()).toEqual([]);
    expect(p.drops('link-down')).toBe(1);
    p.host.interfaceUp(p.iface);
    p.send('S 0 mss=1000');
    expect(p.out()).toHaveLength(1);
    p.send('. 1 ack=1');
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('an echo request on its way is settled by its own time limit', () => {
    const p = new Peer();
    const told: string[] = [];
    ping(p.host, { address: '10.0.0.2', timeout: 700 }, (error) => told.push(error?.code ?? 'answered'));
    p.out();
    p.host.interfaceDown(p.iface, down);
    p.advance(60_000);
    expect(told).toEqual(['ETIMEDOUT']);
  });

  test('a connection that leaves by it under the address of another interface is settled as well', () => {
    const p = new Peer();
    const other = p.host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['192.168.7.1/24'] });
    const a = app();
    a.attach(p.host.connect({ address: '192.168.7.2', port: 80, localAddress: '10.0.0.1' }));
    p.host.interfaceDown(other, down);
    p.out();
    expect(a.log).toEqual(['closed ENETDOWN']);
    expect(left(p)).toEqual([0, 0, 0]);
  });

  test('connections over another interface live on', () => {
    const p = new Peer();
    const other = p.host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['192.168.7.1/24'] });
    const { c } = subject(p, 'ESTABLISHED');
    p.host.interfaceDown(other, down);
    expect(c.state).toBe('ESTABLISHED');
    p.send('P. 1:3 ack=1');
    expect(p.advance(50)).toEqual(['@40 . 1 ack=4']);
  });

  test('replies that wait are forgotten with the link', () => {
    const e = end('a', '10.0.0.1/24');
    const [syn] = drainSyn();
    e.host.receive(e.iface, syn!, 0, syn!.length, new RxMeta(), 0);
    e.host.interfaceDown(e.iface, down);
    e.host.interfaceUp(e.iface);
    expect(drain(e)).toEqual([]);
    e.host.receive(e.iface, syn!, 0, syn!.length, new RxMeta(), 0);
    expect(drain(e)).toHaveLength(1);
  });
});

/** A SYN from 10.0.0.2 to a port of 10.0.0.1 where nobody listens. */
function drainSyn(): Uint8Array[] {
  const b = end('b', '10.0.0.2/24');
  b.host.connect({ address: '10.0.0.1', port: 9 });
  return drain(b);
}

describe('handlers', () => {
  test('a program that aborts is told of the end once, whatever else comes', () => {
    const p = new Peer();
    const s = stage(p, 'ESTABLISHED');
    s.c.abort();
    s.c.abort();
    s.c.shutdown();
    p.out();
    p.send('R 1');
    p.host.close();
    p.advance(100_000);
    expect(s.a.log).toEqual(['accept', 'closed']);
  });

  test('a handler that throws does not keep the others from their events', () => {
    const p = new Peer();
    const told: number[] = [];
    for (let n = 0; n < 3; n++) {
      const c = p.host.connect({ address: '10.0.0.2', port: 4000 + n });
      c.handler = {
        onClose: () => {
          told.push(n);
          if (n === 1) throw new Error('the program is broken');
        },
      };
    }
    p.out();
    p.host.close();
    expect(() => p.out()).toThrow('the program is broken');
    p.out();
    expect(told).toEqual([0, 1, 2]);
  });

  test('a handler may command the host: nothing re-enters', () => {
    const p = new Peer();
    const s = stage(p, 'ESTABLISHED');
    const depth = { now: 0, most: 0 };
    s.c.handler = {
      onReadable: () => {
        depth.now++;
        depth.most = Math.max(depth.most, depth.now);
        s.c.consume(s.c.readable);
        if (!s.c.ended) s.c.send(new Uint8Array(10), 0, 10);
        p.host.connect({ address: '10.0.0.2', port: 9 });
        s.c.shutdown();
        depth.now--;
      },
      onClose: () => p.host.close(),
    };
    p.send('P. 1:5 ack=1');
    p.out();
    expect(depth.most).toBe(1);
    p.send(`F. 6 ack=${12}`);
    p.out();
    expect(left(p)).toEqual([0, 0, 0]);
  });

  test('a handler that comes late is told of what is there', () => {
    const p = new Peer();
    let late: Connection | null = null;
    p.host.listen({ port: 80 }, (c) => {
      late = c;
    });
    p.send('S 0 mss=1000');
    p.out();
    p.send('P. 1:5 ack=1');
    p.send('F. 6 ack=1');
    p.out();
    const a = app();
    a.attach(late!);
    p.out();
    expect(a.read).toHaveLength(5);
    expect(a.log).toEqual(['ended']);
  });
});
