// DNS messages: what is written can be read, and what is meant to harm a reader is refused.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/wire/address.ts';
import { DNS_TYPES, type DnsMessage, type DnsType, parseDns, reverseName, writeDnsQuery } from '../../src/wire/dns.ts';
import { answerTo, name, pointer, record } from './dns-support.ts';

const ask = (text: string, type: DnsType = 'A'): Uint8Array => writeDnsQuery(0x1234, text, type)!;
const parsed = (bytes: Uint8Array): DnsMessage => {
  const message = parseDns(bytes);
  if (typeof message === 'string') throw new Error(message);
  return message;
};

describe('a question', () => {
  it('carries id, the wish for recursion, name and type, and is read again', () => {
    const bytes = ask('Www.Example.org.', 'AAAA');
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '1234010000010000000000000357777707457861' + '6d706c65036f726700001c0001',
    );
    expect(parsed(bytes)).toEqual({
      ...{ id: 0x1234, isResponse: false, truncated: false, rcode: 0, answers: [] },
      ...{ question: 'www.example.org', questionType: DNS_TYPES.AAAA },
    });
  });

  it('is not made of what is no name', () => {
    const names = ['', '.', 'a..b', `${'a'.repeat(64)}.b`, `${'ab.'.repeat(85)}c`, 'a b', 'ä'];
    expect(names.map((text) => writeDnsQuery(1, text, 'A'))).toEqual(names.map(() => null));
    expect(writeDnsQuery(1, `${'a'.repeat(63)}.b`, 'A')).not.toBe(null);
  });
});

describe('an answer', () => {
  it('is read, its compressed names too, and types that nobody asked for are left out', () => {
    const question = ask('a.example');
    const message = parsed(
      answerTo(question, [
        record(pointer(12), DNS_TYPES.CNAME, [1, 98, ...pointer(14)], 60),
        record(pointer(12), 16, [3, 97, 98, 99]),
        record(name('b.example'), DNS_TYPES.A, [10, 0, 0, 7], 0xffff_ffff),
        record(pointer(12), DNS_TYPES.AAAA, [0xfe, 0x80, ...Array(13).fill(0), 1]),
      ]),
    );
    expect(message.answers.map(({ name: own, type, data, ttl }) => [own, type, data, ttl])).toEqual([
      ['a.example', 'CNAME', 'b.example', 60],
      ['b.example', 'A', '10.0.0.7', 0],
      ['a.example', 'AAAA', 'fe80::1', 300],
    ]);
  });

  it('trap 52: a pointer to itself, forward, in a circle or into the header is an error at once', () => {
    const question = ask('a.example');
    const at = question.length;
    const fault = (...owner: number[]): unknown => parseDns(answerTo(question, [record(owner, 1, [1, 2, 3, 4])]));
    expect([
      fault(...pointer(at)),
      fault(...pointer(at + 40)),
      fault(1, 97, ...pointer(at)),
      fault(...pointer(0)),
      fault(...pointer(11)),
    ]).toEqual(Array(5).fill('dns-bad-pointer'));
    // Backwards is well, as long as it leads somewhere.
    expect(fault(1, 98, ...pointer(14))).toMatchObject({ answers: [{ name: 'b.example' }] });
  });

  it('trap 52: labels and names beyond their limits, and dots inside of labels, are errors', () => {
    const question = ask('a.example');
    const fault = (owner: number[]): unknown => parseDns(answerTo(question, [record(owner, 1, [1, 2, 3, 4])]));
    expect(fault([64, ...Array(64).fill(97), 0])).toBe('dns-bad-name');
    expect(fault([128, 1, 0])).toBe('dns-bad-name');
    expect(
      fault([
        ...Array(4)
          .fill([63, ...Array(63).fill(97)])
          .flat(),
        0,
      ]),
    ).toBe('dns-bad-name');
    expect(fault([3, 97, 46, 98, 0])).toBe('dns-bad-name');
    expect(fault([3, 97, 0, 98, 0])).toBe('dns-bad-name');
    expect(parseDns(answerTo(question, [record(pointer(12), 1, [1, 2, 3])]))).toBe('dns-bad-record');
    expect(parseDns(answerTo(question, [record(pointer(12), 5, [...name('b.example'), 0])]))).toBe('dns-bad-record');
  });

  it('never throws and never hangs, whatever the octets are (fixed seed)', () => {
    const question = ask('a.example');
    const good = answerTo(question, [
      record(pointer(12), 5, name('b.example')),
      record(name('b.example'), 1, [1, 2, 3, 4]),
    ]);
    const seed = 52;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255))), fc.nat(good.length), (changes, cut) => {
        const bytes = good.slice(0, cut);
        for (const [at, octet] of changes) if (at < bytes.length) bytes[at] = octet;
        const message = parseDns(bytes);
        return typeof message === 'string' || message.answers.length <= 256;
      }),
      { seed, numRuns: 3000 },
    );
  });
});

it('the names of addresses are theirs backwards', () => {
  expect(reverseName(parseAddress('10.1.2.3')!)).toBe('3.2.1.10.in-addr.arpa');
  expect(reverseName(parseAddress('fe80::12')!)).toBe(
    '2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa',
  );
});
