// Errors that reach the program: each network failure has its code, its moment, and is told once.

import { describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.ts';
import { app, established, Peer, synSent } from '../rfc/peer.ts';
import { SYNCHRONISED, stage } from '../rfc/states.ts';
import { icmpError } from './wire.ts';

const OURS = '10.0.0.1';

/** The ICMP error about the latest packet of the host that arrives from a router. */
function icmp(p: Peer, type: number, code: number, change: (quoted: Uint8Array) => void = () => undefined): void {
  const quoted = p.packets.at(-1)!.slice();
  change(quoted);
  const packet = icmpError(type, code, quoted, '10.0.0.254', OURS);
  p.inject(packet, packet.length);
}

const seqPlus = (n: number) => (b: Uint8Array) => {
  const v = new DataView(b.buffer);
  v.setInt32(24, v.getInt32(24) + n);
};

describe('ECONNREFUSED', () => {
  test('SYN-SENT: a reset: told once, with address and port', () => {
    const p = new Peer();
    const a = synSent(p);
    p.send('R. 0 ack=1');
    p.send('R. 0 ack=1');
    expect(a.log).toEqual(['closed ECONNREFUSED']);
    expect(a.connection.error!.message).toBe('connect ECONNREFUSED 10.0.0.2:4000');
    expect(a.connection.error!.errno).toBe(-111);
  });

  test('SYN-SENT: ICMP port unreachable about our SYN (RFC 9293 §3.9.2.2, MUST-54, SHLD-26)', () => {
    const p = new Peer();
    const a = synSent(p);
    icmp(p, 3, 3);
    expect(a.log).toEqual(['closed ECONNREFUSED']);
    expect([p.host.connectionCount, p.host.timersArmed, p.host.portsInUse]).toEqual([0, 0, 0]);
  });

  test.each([-1, 1, 100_000])(
    'SYN-SENT: ICMP that quotes a number %d off our SYN is not believed (RFC 5927 §4.1)',
    (off) => {
      const p = new Peer();
      const a = synSent(p);
      icmp(p, 3, 3, seqPlus(off));
      expect(a.connection.state).toBe('SYN-SENT');
      expect(p.drops('icmp-unmatched')).toBe(1);
    },
  );

  test('SYN-SENT: ICMP that quotes other ports or addresses is not believed', () => {
    for (const at of [12, 16, 20, 22]) {
      const p = new Peer();
      const a = synSent(p);
      icmp(p, 3, 3, (b) => (b[at]! ^= 1));
      expect(a.connection.state).toBe('SYN-SENT');
    }
  });
});

describe('ECONNRESET', () => {
  test('ESTABLISHED: a reset: told once, after what could be read', () => {
    const p = new Peer();
    const a = established(p);
    p.send('P. 1:5 ack=1');
    p.send('R 6');
    expect(a.read).toHaveLength(5);
    expect(a.log).toEqual(['accept', 'closed ECONNRESET']);
    expect(a.connection!.send(new Uint8Array(1), 0, 1)).toBe(0);
  });
});

describe('ETIMEDOUT', () => {
  test('SYN-SENT: nothing answers: after about 127 s by default', () => {
    const p = new Peer();
    const a = synSent(p);
    p.advance(126_000);
    expect(a.log).toEqual([]);
    p.advance(2000);
    expect(a.log).toEqual(['closed ETIMEDOUT']);
  });

  test('ESTABLISHED: a soft error before it is the reason that is told (RFC 9293 §3.9.2.2, SHLD-25)', () => {
    const p = new Peer({ profile: { dataRetries: 2 } });
    const a = established(p);
    a.connection!.send(new Uint8Array(5), 0, 5);
    p.out();
    icmp(p, 3, 1);
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.advance(100_000);
    expect(a.log).toEqual(['accept', 'closed EHOSTUNREACH']);
  });
});

describe('EHOSTUNREACH and ENETUNREACH', () => {
  test.each([
    [1, 'EHOSTUNREACH'],
    [0, 'ENETUNREACH'],
    [13, 'EHOSTUNREACH'],
    [2, 'ECONNREFUSED'],
  ])('SYN-SENT: ICMP unreachable, code %d: %s', (code, name) => {
    const p = new Peer();
    const a = synSent(p);
    icmp(p, 3, code);
    expect(a.log).toEqual([`closed ${name}`]);
    expect(a.connection.error!.syscall).toBe('connect');
  });

  test('connect: no route: ENETUNREACH, told once and from deliver only', () => {
    const p = new Peer();
    const a = app();
    const c = p.host.connect({ address: '192.0.2.1', port: 80 });
    a.attach(c);
    expect(a.log).toEqual([]);
    expect(p.out()).toEqual([]);
    expect(a.log).toEqual(['closed ENETUNREACH']);
    expect(c.state).toBe('CLOSED');
    expect([p.host.connectionCount, p.host.portsInUse]).toEqual([0, 0]);
  });

  test.each(['0.0.0.0', '224.0.0.1', '255.255.255.255', 'ff02::1', '::'])(
    'connect: %s is no peer: ENETUNREACH (MUST-46)',
    (address) => {
      const p = new Peer();
      const a = app();
      a.attach(p.host.connect({ address, port: 80 }));
      p.out();
      expect(a.log).toEqual(['closed ENETUNREACH']);
    },
  );

  test('connect: an interface that is down has no way out: ENETUNREACH', () => {
    const p = new Peer();
    p.iface.up = false;
    const a = app();
    a.attach(p.host.connect({ address: '10.0.0.2', port: 80 }));
    p.out();
    expect(a.log).toEqual(['closed ENETUNREACH']);
  });
});

describe('soft errors (trap 35, MUST-56)', () => {
  const kinds = [
    [3, 0],
    [3, 1],
    [3, 2],
    [3, 3],
    [3, 4],
    [11, 0],
    [12, 0],
    [4, 0],
  ] as const;
  test.each(kinds)(
    'ESTABLISHED: ICMP type %d code %d about data in flight does not end the connection',
    (type, code) => {
      const p = new Peer();
      const a = established(p);
      a.connection!.send(new Uint8Array(5), 0, 5);
      p.out();
      icmp(p, type, code);
      expect(a.connection!.state).toBe('ESTABLISHED');
      expect(a.log).toEqual(['accept']);
      p.send('. 1 ack=6');
      expect(a.connection!.flightSize).toBe(0);
    },
  );

  test.each(SYNCHRONISED)('%s: ICMP port unreachable does not end it', (state) => {
    const p = new Peer();
    const s = stage(p, state);
    icmp(p, 3, 3);
    expect(s.c.state).toBe(state);
  });

  test('SYN-SENT: time exceeded, parameter problem and source quench do not end it (MUST-55, MUST-56)', () => {
    const p = new Peer();
    const a = synSent(p);
    for (const type of [11, 12, 4]) icmp(p, type, 0);
    expect(a.connection.state).toBe('SYN-SENT');
    p.send('S. 0 ack=1 mss=1000');
    expect(a.connection.state).toBe('ESTABLISHED');
  });

  test('SYN-RECEIVED of a listener: ICMP unreachable does not end it: anybody could have sent that SYN', () => {
    const p = new Peer();
    const s = stage(p, 'SYN-RECEIVED');
    icmp(p, 3, 1);
    expect(s.c.state).toBe('SYN-RECEIVED');
  });
});

describe('EADDRINUSE and EADDRNOTAVAIL', () => {
  const code = (f: () => unknown): string => {
    try {
      f();
    } catch (e) {
      return (e as { code: string }).code;
    }
    return 'nothing thrown';
  };

  test('listen: a port that is listened on, on the same address or on all of them', () => {
    const { host } = new Peer();
    host.listen({ port: 80 }, () => undefined);
    expect(code(() => host.listen({ port: 80 }, () => undefined))).toBe('EADDRINUSE');
    expect(code(() => host.listen({ port: 80, address: OURS }, () => undefined))).toBe('EADDRINUSE');
    host.listen({ port: 81, address: OURS }, () => undefined);
    expect(code(() => host.listen({ port: 81, address: '0.0.0.0' }, () => undefined))).toBe('EADDRINUSE');
  });

  test('listen: a listener that was closed gives its port back', () => {
    const { host } = new Peer();
    host.listen({ port: 80 }, () => undefined).close();
    expect(code(() => host.listen({ port: 80 }, () => undefined))).toBe('nothing thrown');
  });

  test('listen: an address that is not ours', () => {
    const { host } = new Peer();
    expect(code(() => host.listen({ port: 80, address: '10.0.0.9' }, () => undefined))).toBe('EADDRNOTAVAIL');
  });

  test('connect: a local address that is not ours, a local port whose four-tuple is taken', () => {
    const p = new Peer();
    const first = p.host.connect({ address: '10.0.0.2', port: 4000, localPort: 5000 });
    expect(first.localPort).toBe(5000);
    const a = app();
    a.attach(p.host.connect({ address: '10.0.0.2', port: 4000, localPort: 5000 }));
    const b = app();
    b.attach(p.host.connect({ address: '10.0.0.2', port: 4000, localAddress: '10.0.0.9' }));
    p.out();
    expect([...a.log, ...b.log]).toEqual(['closed EADDRINUSE', 'closed EADDRNOTAVAIL']);
    // Another peer, or another port of it, is another four-tuple.
    expect(p.host.connect({ address: '10.0.0.2', port: 4001, localPort: 5000 }).state).toBe('SYN-SENT');
  });

  test('connect: when all ephemeral ports to a peer are taken: EADDRNOTAVAIL, and no endless search (trap 54)', () => {
    const p = new Peer({ profile: { ephemeralFrom: 50_000, ephemeralTo: 50_010 } });
    const ports = new Set<number>();
    for (let n = 0; n < 10; n++) ports.add(p.host.connect({ address: '10.0.0.2', port: 80 }).localPort);
    expect(ports.size).toBe(10);
    const a = app();
    a.attach(p.host.connect({ address: '10.0.0.2', port: 80 }));
    p.out();
    expect(a.log).toEqual(['closed EADDRNOTAVAIL']);
    expect(p.host.connect({ address: '10.0.0.3', port: 80 }).state).toBe('SYN-SENT');
  });

  test('mistakes of the caller are thrown at the caller', () => {
    const { host } = new Peer();
    expect(() => host.connect({ address: 'nonsense', port: 80 })).toThrow(RangeError);
    expect(() => host.connect({ address: OURS, port: 0 })).toThrow(RangeError);
    expect(() => host.connect({ address: OURS, port: 65_536 })).toThrow(RangeError);
    expect(() => host.listen({ port: 1.5 }, () => undefined)).toThrow(RangeError);
    expect(() => new Host({ key: new Uint8Array(3) })).toThrow(RangeError);
  });
});
