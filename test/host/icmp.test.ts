// Echo and errors: answering, asking, and what UDP gets that nobody listens to; over IPv4 and IPv6.

import { describe, expect, test } from 'vitest';
import { ping } from '../../src/host/ping.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { Ipv4Header, parseIpv4, pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { pseudoSum6, writeIpv6 } from '../../src/wire/ipv6.ts';
import { finishUdp, writeUdp } from '../../src/wire/udp.ts';
import { drain, type End, end, feed, icmpError, run } from './wire.ts';

const FAMILIES = [
  ['IPv4', '10.0.0.1', '10.0.0.2', 24],
  ['IPv6', 'fd00::1', 'fd00::2', 64],
  // Words of this address look like those of a mapped IPv4 address from the third on.
  ['IPv6 with ffff in the middle', 'fd00::ffff:a00:1', 'fd00::ffff:a00:2', 64],
] as const;

function udp(from: string, to: string, payload: number): Uint8Array {
  const a = parseAddress(from)!;
  const b = parseAddress(to)!;
  const header = a.family === 4 ? 20 : 40;
  const length = 8 + payload;
  const out = new Uint8Array(header + length);
  writeUdp(out, header, 5000, 53, payload);
  if (a.family === 4) {
    finishUdp(out, header, length, pseudoSum4(a.w3, b.w3, 17, length));
    writeIpv4(out, 0, length, 1, 64, 17, 0, a.w3, b.w3, false);
  } else {
    finishUdp(out, header, length, pseudoSum6(a.w0, a.w1, a.w2, a.w3, b.w0, b.w1, b.w2, b.w3, 17, length));
    writeIpv6(out, 0, length, 17, 64, 0, 0, a.w0, a.w1, a.w2, a.w3, b.w0, b.w1, b.w2, b.w3);
  }
  return out;
}

describe.each(FAMILIES)('%s', (_name, one, two, bits) => {
  const pair = (): [End, End] => [end('a', `${one}/${bits}`), end('b', `${two}/${bits}`)];

  test('an echo request is answered, and the asker told once, with the round trip', () => {
    const [a, b] = pair();
    const told: (string | number)[] = [];
    ping(a.host, { address: two }, (error, rtt) => told.push(error?.code ?? rtt));
    const [request] = drain(a);
    a.host.tick(25);
    b.host.tick(25);
    feed(b, request!);
    const [reply] = drain(b);
    feed(a, reply!, 50);
    feed(a, reply!, 60);
    expect(told).toEqual([50]);
    expect(a.host.counters.drops['icmp-unmatched']).toBe(1);
    expect(a.host.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('the data come back as they went, of any size', () => {
    for (const size of [0, 1, 56, 57, 1400]) {
      const [a, b] = pair();
      let answered = 0;
      ping(a.host, { address: two, size }, () => answered++);
      run(a, b, 100);
      expect(answered).toBe(1);
    }
  });

  test('nobody answers: ETIMEDOUT after the time asked for, once', () => {
    const [a] = pair();
    const told: string[] = [];
    ping(a.host, { address: two, timeout: 300 }, (error) => told.push(`${error?.code} ${error?.address}`));
    drain(a);
    expect(a.host.nextDeadline()).toBe(300);
    a.host.timersFire(299);
    drain(a);
    expect(told).toEqual([]);
    a.host.timersFire(300);
    drain(a);
    expect(told).toEqual([`ETIMEDOUT ${two}`]);
  });

  test('two requests at once are told apart', () => {
    const [a, b] = pair();
    const told: string[] = [];
    ping(a.host, { address: two, timeout: 100 }, (error) => told.push(`first ${error?.code ?? 'answered'}`));
    ping(a.host, { address: two, timeout: 100 }, (error) => told.push(`second ${error?.code ?? 'answered'}`));
    const [, second] = drain(a);
    feed(b, second!);
    feed(a, drain(b)[0]!);
    a.host.timersFire(200);
    drain(a);
    expect(told).toEqual(['second answered', 'first ETIMEDOUT']);
  });

  test('UDP where nobody listens is answered by "port unreachable"', () => {
    const [a, b] = pair();
    feed(b, udp(one, two, 10));
    const [answer] = drain(b);
    const at = bits === 24 ? 20 : 40;
    expect([answer![at], answer![at + 1]]).toEqual(bits === 24 ? [3, 3] : [1, 4]);
    expect(b.host.counters.drops['udp-no-port']).toBe(1);
    // It quotes what it is about.
    expect(answer!.subarray(at + 8, at + 8 + at + 8)).toEqual(udp(one, two, 10).subarray(0, at + 8));
    // And the other end can make nothing of it, without harm.
    feed(a, answer!);
    expect(a.host.counters.drops['icmp-unmatched']).toBe(1);
  });

  test('UDP with a wrong checksum is dropped, unanswered', () => {
    const [, b] = pair();
    const packet = udp(one, two, 10);
    packet[packet.length - 1]! ^= 1;
    feed(b, packet);
    expect(drain(b)).toEqual([]);
    expect(b.host.counters.drops['udp-bad-checksum']).toBe(1);
  });

  test('a flood of UDP is answered by six errors, whoever sent it', () => {
    const [, b] = pair();
    for (let n = 0; n < 1000; n++) feed(b, udp(one, two, 10));
    expect(drain(b)).toHaveLength(6);
  });

  test('a flood from one address leaves errors for others (CVE-2020-25705)', () => {
    const [, b] = pair();
    const other = bits === 24 ? '10.0.0.77' : 'fd00::77';
    for (let n = 0; n < 1000; n++) feed(b, udp(one, two, 10));
    drain(b);
    feed(b, udp(other, two, 10));
    expect(drain(b)).toHaveLength(1);
  });

  test('floods from many addresses are answered by a number of errors that they cannot foresee', () => {
    const counts = [1, 2, 3].map((key) => {
      const b = end('b', `${two}/${bits}`, {}, null, key);
      for (let n = 1; n < 200; n++) feed(b, udp(bits === 24 ? `10.0.0.${n + 20}` : `fd00::${n + 20}`, two, 10));
      return drain(b).length;
    });
    for (const count of counts) expect(count).toBeGreaterThan(30);
    for (const count of counts) expect(count).toBeLessThanOrEqual(64);
    expect(new Set(counts).size).toBeGreaterThan(1);
  });

  test('a wrong ICMP checksum is dropped, unanswered', () => {
    const [a, b] = pair();
    ping(a.host, { address: two }, () => undefined);
    const [request] = drain(a);
    request![request!.length - 1]! ^= 1;
    feed(b, request!);
    expect(drain(b)).toEqual([]);
    expect(b.host.counters.drops['icmp-bad-checksum']).toBe(1);
  });
});

describe('IPv4 only', () => {
  test('an ICMP error about our request fails it: EHOSTUNREACH', () => {
    const a = end('a', '10.0.0.1/24');
    const told: string[] = [];
    ping(a.host, { address: '10.0.0.2' }, (error) => told.push(error?.code ?? 'answered'));
    const [request] = drain(a);
    feed(a, icmpError(3, 1, request!, '10.0.0.254', '10.0.0.1'));
    drain(a);
    expect(told).toEqual(['EHOSTUNREACH']);
  });

  test('no route: ENETUNREACH, told from deliver', () => {
    const a = end('a', '10.0.0.1/24');
    const told: string[] = [];
    ping(a.host, { address: '192.0.2.1' }, (error) => told.push(error?.code ?? 'answered'));
    expect(told).toEqual([]);
    drain(a);
    expect(told).toEqual(['ENETUNREACH']);
  });

  test('a reply from another address than was asked answers nothing', () => {
    const a = end('a', '10.0.0.1/24');
    const b = end('b', '10.0.0.2/24');
    const told: string[] = [];
    ping(a.host, { address: '10.0.0.2' }, (error) => told.push(error?.code ?? 'answered'));
    feed(b, drain(a)[0]!);
    const [reply] = drain(b);
    const forged = reply!.slice();
    writeIpv4(
      forged,
      0,
      forged.length - 20,
      1,
      64,
      1,
      0,
      parseAddress('10.0.0.3')!.w3,
      parseAddress('10.0.0.1')!.w3,
      false,
    );
    feed(a, forged);
    expect([told, a.host.counters.drops['icmp-unmatched']]).toEqual([[], 1]);
    feed(a, reply!);
    expect(told).toEqual(['answered']);
  });

  test('an echo request to a broadcast address is not answered (RFC 1122 §3.2.2.6)', () => {
    const a = end('a', '10.0.0.1/24');
    const b = end('b', '10.0.0.2/24');
    ping(a.host, { address: '10.0.0.2' }, () => undefined);
    const [request] = drain(a);
    const header = new Ipv4Header();
    expect(parseIpv4(request!, 0, request!.length, header)).toBe(null);
    const body = request!.slice(20);
    writeIpv4(request!, 0, body.length, 1, 64, 1, 0, header.src, parseAddress('10.0.0.255')!.w3, false);
    feed(b, request!);
    expect(drain(b)).toEqual([]);
  });

  test('an ICMP error is never answered, whatever it quotes (RFC 1122 §3.2.2)', () => {
    const b = end('b', '10.0.0.2/24');
    feed(b, icmpError(3, 3, udp('10.0.0.2', '10.0.0.1', 10), '10.0.0.1', '10.0.0.2'));
    feed(b, icmpError(11, 0, new Uint8Array(28), '10.0.0.1', '10.0.0.2'));
    expect(drain(b)).toEqual([]);
  });

  test('replies that wait are bounded: what does not fit is dropped and counted', () => {
    const a = end('a', '10.0.0.1/24');
    const b = end('b', '10.0.0.2/24');
    ping(a.host, { address: '10.0.0.2' }, () => undefined);
    const [request] = drain(a);
    for (let n = 0; n < 100; n++) feed(b, request!);
    expect(drain(b)).toHaveLength(64);
    expect(b.host.counters.drops['reply-queue-full']).toBe(36);
    feed(b, request!);
    expect(drain(b)).toHaveLength(1);
  });
});
