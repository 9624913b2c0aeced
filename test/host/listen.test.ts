// Listeners: who waits, who finds no room, SYN cookies (RFC 4987), and which of several listeners a SYN is for.

import { describe, expect, test } from 'vitest';
import { SipKey } from '../../src/base/siphash.ts';
import { SynCookies } from '../../src/host/cookies.ts';
import { Host } from '../../src/host/host.ts';
import { nstat } from '../../src/host/nstat.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { app, Peer } from '../rfc/peer.ts';

/** The peer's port, and what the host answered its SYN. */
function syn(p: Peer, port: number, options = 'mss=1400'): string[] {
  p.peerPort = port;
  p.send(`S 0 ${options}`);
  return p.out();
}

/** Completes the handshake that answered with sequence number `seq`, with `octets` of text. */
function ack(p: Peer, port: number, seq: number, octets = 0, options = ''): string[] {
  p.peerPort = port;
  p.send(`P. 1:${octets} ack=${seq + 1} ${options}`);
  return p.out();
}

const seqOf = (line: string): number => Number(line.split(' ')[1]);

describe('the accept queue', () => {
  test('a paused listener keeps its backlog of open connections, and hands them out in order when it resumes', () => {
    const p = new Peer();
    const ports: number[] = [];
    const l = p.host.listen({ port: 80, backlog: 2 }, (c) => ports.push(c.remotePort));
    l.pause();
    for (const port of [4000, 4001]) ack(p, port, seqOf(syn(p, port)[0]!));
    expect([l.pending, l.full, ports]).toEqual([2, true, []]);
    l.resume();
    p.out();
    expect([l.pending, l.full, ports]).toEqual([0, false, [4000, 4001]]);
  });

  test('a SYN that finds it full is not heard, and may try again', () => {
    const p = new Peer();
    const ports: number[] = [];
    const l = p.host.listen({ port: 80, backlog: 1 }, (c) => ports.push(c.remotePort));
    l.pause();
    ack(p, 4000, seqOf(syn(p, 4000)[0]!));
    expect(syn(p, 4001)).toEqual([]);
    expect(p.drops('accept-queue-full')).toBe(1);
    l.resume();
    p.out();
    const again = seqOf(syn(p, 4001)[0]!);
    ack(p, 4001, again);
    expect(ports).toEqual([4000, 4001]);
  });

  test.each([false, true])('a half-open connection whose ACK finds no room, abortOnOverflow %s', (abortOnOverflow) => {
    const p = new Peer({ profile: { abortOnOverflow } });
    const ports: number[] = [];
    const l = p.host.listen({ port: 80, backlog: 2 }, (c) => ports.push(c.remotePort));
    l.pause();
    const first = seqOf(syn(p, 4000)[0]!);
    const second = seqOf(syn(p, 4001)[0]!);
    ack(p, 4000, first);
    const third = seqOf(syn(p, 4002)[0]!);
    ack(p, 4001, second);
    const answer = ack(p, 4002, third, 5);
    expect(p.drops('accept-queue-full')).toBe(1);
    expect(nstat(p.host.counters).TcpExtListenOverflows).toBe(1);
    if (abortOnOverflow) {
      expect(answer).toHaveLength(1);
      expect(answer[0]).toMatch(/^R/);
      expect(p.host.connectionCount).toBe(2);
      return;
    }
    expect(answer).toEqual([]);
    l.resume();
    p.out();
    // The host says SYN,ACK again, and the peer tells its ACK and its text again.
    expect(p.advance(1100).join()).toMatch(/S\. /);
    ack(p, 4002, third, 5);
    expect(ports).toEqual([4000, 4001, 4002]);
    expect(p.host.connections().find((c) => c.remotePort === 4002)?.readable).toBe(5);
  });

  test('one that is reset while it waits is handed out, and closed', () => {
    const p = new Peer();
    const a = app();
    const l = p.host.listen({ port: 80 }, (c) => a.attach(c));
    l.pause();
    ack(p, 4000, seqOf(syn(p, 4000)[0]!));
    p.send('R 1');
    p.out();
    l.resume();
    p.out();
    expect([a.connection?.state, a.log, l.pending]).toEqual(['CLOSED', ['closed ECONNRESET'], 0]);
  });

  test('closing the listener resets those that wait', () => {
    const p = new Peer();
    const l = p.host.listen({ port: 80 }, () => undefined);
    l.pause();
    ack(p, 4000, seqOf(syn(p, 4000)[0]!));
    l.close();
    expect(p.out().join()).toMatch(/^R/);
    expect(p.host.connectionCount).toBe(0);
  });

  test('no listener gets a longer queue than the profile allows, nor none', () => {
    const host = new Host({ key: new Uint8Array(16), profile: { backlogMax: 7 } });
    expect(host.listen({ port: 80, backlog: 100 }, () => undefined).backlog).toBe(7);
    expect(host.listen({ port: 81, backlog: 0 }, () => undefined).backlog).toBe(1);
  });
});

describe('SYN cookies', () => {
  /** A listener with room for one half-open connection, which somebody has taken. */
  function pressed(profile = {}): { p: Peer; a: ReturnType<typeof app> } {
    const p = new Peer({ profile });
    const a = app();
    p.host.listen({ port: 80, backlog: 1 }, (c) => a.attach(c));
    expect(syn(p, 3999)).toHaveLength(1);
    return { p, a };
  }

  test('a SYN beyond the backlog is answered and not remembered; its ACK opens the connection, with its text', () => {
    const { p, a } = pressed();
    const seq = seqOf(syn(p, 4000)[0]!);
    expect(p.host.connectionCount).toBe(1);
    expect(ack(p, 4000, seq, 20)).toEqual([]);
    expect([a.connection?.state, a.read.length, a.connection?.snd.mss]).toEqual(['ESTABLISHED', 20, 1300]);
    const states = p.trace.filter((e) => e.type === 'state' && e.conn === a.connection!.id);
    expect(states.map((e) => (e.type === 'state' ? e.to : ''))).toEqual(['LISTEN', 'ESTABLISHED']);
    expect(nstat(p.host.counters)).toMatchObject({ TcpExtSyncookiesSent: 1, TcpExtSyncookiesRecv: 1 });
    // Both directions work: numbers were read back right.
    a.connection!.send(new Uint8Array(3), 0, 3);
    expect(p.out()).toEqual([`P. ${seq + 1}:3 ack=21`]);
  });

  test('timestamps bring window scale and SACK back', () => {
    const { p, a } = pressed();
    p.showOptions = true;
    p.peerPort = 4000;
    p.send('S 0 mss=1460 ws=9 sackOK ts=777:0');
    const line = p.out()[0]!;
    expect(line).toMatch(/mss=1460 ws=4 sackOK ts=/);
    const stamp = Number(/ts=(-?\d+):777/.exec(line)![1]);
    const { seq } = p.trace.filter((e) => e.type === 'segment' && e.dir === 'out').at(-1) as { seq: number };
    p.hostIss = seq;
    p.send(`. 1 ack=1 win=100 ts=800:${stamp}`);
    const { snd } = a.connection!;
    expect([snd.scale, snd.sackOk, snd.tsOk, snd.wnd, snd.mss]).toEqual([9, true, true, 51_200, 1448]);
    // No stamp of ours goes back, and the one that held options is no round trip.
    a.connection!.send(new Uint8Array(1), 0, 1);
    expect(Number(/ts=(-?\d+):800/.exec(p.out()[0]!)![1])).toBeGreaterThanOrEqual(stamp);
    expect(tcpInfo(a.connection!).tcpi_rtt).toBe(0);
  });

  test('without timestamps there is no scale and no SACK', () => {
    const { p, a } = pressed();
    const [line] = syn(p, 4000, 'mss=1460 ws=9 sackOK');
    expect(line).not.toMatch(/ws=|sack/);
    ack(p, 4000, seqOf(line!));
    expect([a.connection!.snd.scale, a.connection!.rcv.scale, a.connection!.snd.sackOk]).toEqual([0, 0, false]);
  });

  test('an ACK that is no cookie is reset, and counted', () => {
    const { p, a } = pressed();
    const seq = seqOf(syn(p, 4000)[0]!);
    // From another port, for another number, and with another sequence number.
    expect(ack(p, 4001, seq)[0]).toMatch(/^R /);
    expect(ack(p, 4000, seq + 9)[0]).toMatch(/^R /);
    p.peerPort = 4000;
    p.send(`. 2 ack=${seq + 1}`);
    expect(p.out()[0]).toMatch(/^R /);
    expect([a.connection, nstat(p.host.counters).TcpExtSyncookiesFailed]).toEqual([null, 3]);
  });

  test('where none was sent lately, an ACK is no cookie whatever it says', () => {
    const { p } = pressed();
    const seq = seqOf(syn(p, 4000)[0]!);
    p.advance(200_000);
    expect(ack(p, 4000, seq)[0]).toMatch(/^R /);
    expect(nstat(p.host.counters).TcpExtSyncookiesFailed).toBe(0);
  });

  test('a cookie is taken for one period more than its own, for its four-tuple, number and key only', () => {
    const cookies = new SynCookies(new SipKey(new Uint8Array(16).fill(1)));
    const other = new SynCookies(new SipKey(new Uint8Array(16).fill(2)));
    const [local, remote] = [parseAddress('10.0.0.1')!, parseAddress('10.0.0.2')!];
    const a = { local, localPort: 80, remote, remotePort: 4000, pseudo: 0, localMss: 1460 };
    for (let n = 0; n < 200; n++) {
      const at = n * 7919;
      const mss = [100, 536, 1299, 1300, 1440, 1459, 1460, 9000][n & 7]!;
      const cookie = cookies.make(a, n * 77_777, mss, at);
      expect(cookies.open(a, n * 77_777, cookie, at)).toBe([536, 536, 536, 1300, 1440, 1440, 1460, 1460][n & 7]);
      expect(cookies.open(a, n * 77_777, cookie, at + 64_000)).toBeGreaterThan(0);
      expect(cookies.open(a, n * 77_777, cookie, at + 128_000)).toBe(-1);
      expect(cookies.open(a, n * 77_777 + 1, cookie, at)).toBe(-1);
      expect(cookies.open({ ...a, remotePort: 4001 }, n * 77_777, cookie, at)).toBe(-1);
      expect(other.open(a, n * 77_777, cookie, at)).toBe(-1);
    }
  });

  test('a cookie that comes back to a full accept queue is not heard', () => {
    const { p } = pressed({ synCookies: 'always' });
    const l = p.host.listen({ port: 81, backlog: 1 }, () => undefined);
    l.pause();
    p.hostPort = 81;
    const first = seqOf(syn(p, 4000)[0]!);
    const second = seqOf(syn(p, 4001)[0]!);
    expect(ack(p, 4000, first)).toEqual([]);
    expect(ack(p, 4001, second)).toEqual([]);
    expect([l.pending, p.drops('accept-queue-full'), p.host.connectionCount]).toEqual([1, 1, 1]);
    l.resume();
    p.out();
    ack(p, 4001, second);
    expect(p.host.connectionCount).toBe(2);
  });
});

describe('which listener', () => {
  const KEY = new Uint8Array(16);
  function host(): Host {
    const h = new Host({ key: KEY });
    h.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.1/24', '10.0.0.9/24', 'fd00::1/64'] });
    return h;
  }
  function found(h: Host, text: string): string {
    const a = parseAddress(text)!;
    const l = h.ports.listener(a.w0, a.w1, a.w2, a.w3, 80);
    return l === null ? 'none' : (l.address?.toString() ?? `all of ${l.family}`);
  }
  const take = (): void => undefined;

  test('the one on the address goes before the one on its family, that before the one on all, in whatever order they came', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const h = host();
      const options = ['10.0.0.1', '0.0.0.0', '::'].map((address) => ({ port: 80, address, reuseAddress: true }));
      for (const n of order) h.listen(options[n]!, take);
      expect([found(h, '10.0.0.1'), found(h, '10.0.0.9'), found(h, 'fd00::1')]).toEqual([
        '10.0.0.1',
        'all of 4',
        'all of 0',
      ]);
    }
  });

  test('IPv4 only, IPv6 only, and both', () => {
    const v4 = host();
    v4.listen({ port: 80, address: '0.0.0.0' }, take);
    expect([found(v4, '10.0.0.1'), found(v4, 'fd00::1')]).toEqual(['all of 4', 'none']);
    // The other family is free.
    v4.listen({ port: 80, address: '::', ipv6Only: true }, take);
    expect(found(v4, 'fd00::1')).toBe('all of 6');
    const both = host();
    both.listen({ port: 80, address: '::' }, take);
    expect([found(both, '10.0.0.1'), found(both, 'fd00::1')]).toEqual(['all of 0', 'all of 0']);
  });

  test.each([
    ['10.0.0.1', '10.0.0.1', false, 'EADDRINUSE'],
    ['10.0.0.1', '10.0.0.1', true, 'EADDRINUSE'],
    ['10.0.0.1', '10.0.0.9', false, 'fine'],
    ['10.0.0.1', '0.0.0.0', false, 'EADDRINUSE'],
    ['0.0.0.0', '10.0.0.1', false, 'EADDRINUSE'],
    ['0.0.0.0', '10.0.0.1', true, 'fine'],
    ['::', '10.0.0.1', false, 'EADDRINUSE'],
    ['::', '0.0.0.0', false, 'EADDRINUSE'],
    ['::', '0.0.0.0', true, 'fine'],
    ['::', '::', true, 'EADDRINUSE'],
    ['0.0.0.0', 'fd00::1', false, 'fine'],
    ['10.0.0.2', '10.0.0.2', true, 'EADDRNOTAVAIL'],
  ])('%s, then %s, reuseAddress %s: %s', (first, second, reuseAddress, outcome) => {
    const h = host();
    const listen = (address: string): string => {
      try {
        h.listen({ port: 80, address, reuseAddress }, take);
        return 'fine';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const before = listen(first);
    expect(before === 'fine' ? listen(second) : before).toBe(outcome);
  });
});
