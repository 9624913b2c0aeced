// RFC 9293 §3.9.1.8 and §3.9.1.9: what the program is told of while a connection goes on, and the Diffserv field.

import { describe, expect, test } from 'vitest';
import { drain, end, icmpError } from '../host/wire.ts';
import { established, Peer, type PeerOptions, synSent } from './peer.ts';

/** An open connection with octets in flight, and what its program hears of trouble. */
function troubled(options: PeerOptions = {}): { p: Peer; a: ReturnType<typeof established>; heard: string[] } {
  const p = new Peer(options);
  const a = established(p);
  const heard: string[] = [];
  a.connection!.handler = { ...a.connection!.handler, onTrouble: (_s, error) => heard.push(error.code) };
  a.connection!.send(new Uint8Array(5), 0, 5);
  p.out();
  return { p, a, heard };
}

function icmp(p: Peer, type: number, code: number): void {
  const packet = icmpError(type, code, p.packets.at(-1)!, '10.0.0.254', '10.0.0.1');
  p.inject(packet, packet.length);
}

describe('asynchronous reports (§3.9.1.8)', () => {
  test.each([
    [0, 'ENETUNREACH'],
    [1, 'EHOSTUNREACH'],
    [5, 'ENETUNREACH'],
  ])('ESTABLISHED: unreachable, code %d, is told at once as %s (row 106 SHLD-25, row 115 MUST-47)', (code, name) => {
    const { p, a, heard } = troubled();
    icmp(p, 3, code);
    expect(heard).toEqual([name]);
    expect([a.connection!.state, a.log]).toEqual(['ESTABLISHED', ['accept']]);
    p.send('. 1 ack=6');
    expect(a.connection!.queued).toBe(0);
  });

  test.each([
    [11, 0],
    [11, 1],
    [12, 0],
  ])('ESTABLISHED: type %d, code %d, is told at once (row 106 SHLD-25, row 115 MUST-47)', (type, code) => {
    const { p, a, heard } = troubled({ profile: { dataRetries: 2 } });
    icmp(p, type, code);
    expect(heard).toEqual(['EHOSTUNREACH']);
    expect([a.connection!.state, a.log]).toEqual(['ESTABLISHED', ['accept']]);
    p.advance(100_000);
    expect(a.log).toEqual(['accept', 'closed EHOSTUNREACH']);
  });

  test('SYN-SENT: time exceeded is told, and the opening goes on (row 106 SHLD-25, row 110 MUST-56)', () => {
    const p = new Peer();
    const a = synSent(p);
    const heard: string[] = [];
    a.connection.handler = { onTrouble: (_s, error) => heard.push(error.code) };
    icmp(p, 11, 0);
    expect([heard, a.connection.state]).toEqual([['EHOSTUNREACH'], 'SYN-SENT']);
  });

  test('ESTABLISHED: an error that quotes what is not in flight is not told', () => {
    const { p, heard } = troubled();
    p.send('. 1 ack=6');
    for (const type of [3, 11, 12]) icmp(p, type, 0);
    expect(heard).toEqual([]);
    expect(p.drops('icmp-unmatched')).toBe(3);
  });

  test('ESTABLISHED: the third retransmission is told (row 84 SHLD-9), no earlier (row 85 SHLD-10), once', () => {
    const { p, a, heard } = troubled();
    p.advance(1399);
    expect([heard, a.connection!.retransmissions]).toEqual([[], 2]);
    p.advance(1);
    expect([heard, a.connection!.retransmissions]).toEqual([['ETIMEDOUT'], 3]);
    p.advance(60_000);
    expect(heard).toEqual(['ETIMEDOUT']);
    expect(a.connection!.state).toBe('ESTABLISHED');
  });

  test('ESTABLISHED: an answer, and then three of another segment: told again (row 115 MUST-47)', () => {
    const { p, a, heard } = troubled();
    p.advance(1400);
    p.send('. 1 ack=6');
    a.connection!.send(new Uint8Array(5), 0, 5);
    p.advance(60_000);
    expect(heard).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
  });

  test('SYN-SENT: SYNs that nobody answers are told in the same way (row 84 SHLD-9, row 87 MUST-22)', () => {
    const p = new Peer();
    const a = synSent(p);
    const heard: string[] = [];
    a.connection.handler = { onTrouble: (_s, error) => heard.push(error.code) };
    p.advance(6999);
    expect(heard).toEqual([]);
    p.advance(1);
    expect(heard).toEqual(['ETIMEDOUT']);
    p.send('S. 0 ack=1 mss=1000');
    expect(a.connection.state).toBe('ESTABLISHED');
  });

  test('ESTABLISHED: a program that leaves the method out hears nothing, and nothing breaks (row 116 SHLD-20)', () => {
    const { p, a, heard } = troubled();
    a.connection!.handler = { ...a.connection!.handler, onTrouble: undefined } as never;
    icmp(p, 3, 1);
    p.advance(2000);
    p.send('. 1 ack=6');
    expect([heard, a.connection!.queued, a.log]).toEqual([[], 0, ['accept']]);
  });

  test('ESTABLISHED: source quench is not told', () => {
    const { p, heard } = troubled();
    icmp(p, 4, 0);
    expect(heard).toEqual([]);
  });
});

/** The Diffserv codepoints of IPv4 packets. */
const codepoints = (packets: readonly Uint8Array[]): number[] => packets.map((packet) => packet[1]! >> 2);

describe('the Diffserv field (§3.9.1.9)', () => {
  test('the program sets it, and every packet has it, the SYN too (row 117 MUST-48, row 118 SHLD-22)', () => {
    for (const codepoint of [0, 1, 46, 63]) {
      const e = end('a', '10.0.0.1/24');
      const c = e.host.connect({ address: '10.0.0.2', port: 80 });
      c.setDiffserv(codepoint);
      expect(codepoints(drain(e))).toEqual([codepoint]);
      const p = new Peer();
      const a = established(p);
      const before = p.packets.length;
      a.connection!.setDiffserv(codepoint);
      a.connection!.send(new Uint8Array(2500), 0, 2500);
      p.send('P. 1:10 ack=1001');
      p.advance(1000);
      a.connection!.abort();
      p.out();
      const sent = p.packets.slice(before);
      expect(sent.length).toBeGreaterThan(3);
      expect(new Set(codepoints(sent))).toEqual(new Set([codepoint]));
      // The two bits of ECN are not the program's.
      expect(sent.every((packet) => (packet[1]! & 3) === 0)).toBe(true);
    }
  });

  test('over IPv6 it is in the traffic class (row 117 MUST-48, row 118 SHLD-22)', () => {
    const e = end('a', 'fd00::1/64');
    e.host.connect({ address: 'fd00::2', port: 80 }).setDiffserv(46);
    const [packet] = drain(e);
    expect(((packet![0]! << 4) | (packet![1]! >> 4)) & 0xff).toBe(46 << 2);
  });

  test('ESTABLISHED: it can be changed, and other connections keep theirs (row 119 SHLD-21)', () => {
    const p = new Peer();
    const a = established(p);
    const other = p.host.connect({ address: '10.0.0.2', port: 81 });
    a.connection!.setDiffserv(10);
    a.connection!.send(new Uint8Array(5), 0, 5);
    p.out();
    a.connection!.setDiffserv(20);
    p.send('. 1 ack=6');
    a.connection!.send(new Uint8Array(5), 0, 5);
    p.out();
    const [sixth] = p.packets.slice(-1);
    expect(codepoints([sixth!])).toEqual([20]);
    expect(other.diffserv).toBe(0);
    expect(new Set(codepoints(p.packets))).toEqual(new Set([0, 10, 20]));
  });

  test.each([-1, 64, 1.5, Number.NaN])('%d is none: RangeError at the caller', (codepoint) => {
    const p = new Peer();
    const a = established(p);
    expect(() => a.connection!.setDiffserv(codepoint)).toThrow(RangeError);
    expect(a.connection!.diffserv).toBe(0);
  });
});
