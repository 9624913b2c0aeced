import { describe, expect, test } from 'vitest';
import { IcmpLimiter, mayAnswerWithError, PeerLimiter } from '../../src/ip/icmp-limits.ts';
import { parseAddress } from '../../src/wire/address.ts';

const may = (src: string, dst: string, broadcast = false, offset = 0, error = false): boolean => {
  const s = parseAddress(src)!;
  const d = parseAddress(dst)!;
  return mayAnswerWithError(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, broadcast, offset, error);
};

describe('an error may answer', () => {
  test.each([
    ['10.0.0.1', '10.0.0.2'],
    ['fd00::1', 'fd00::2'],
    ['fe80::1', 'fe80::2'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
  ])('a packet from %s to %s', (src, dst) => {
    expect(may(src, dst)).toBe(true);
  });

  test('never an error, a group or directed broadcast, or a later fragment (RFC 1122 §3.2.2, RFC 4443 §2.4)', () => {
    expect(may('10.0.0.1', '10.0.0.2', false, 0, true)).toBe(false);
    expect(may('10.0.0.1', '10.0.0.255', true)).toBe(false);
    expect(may('10.0.0.1', '10.0.0.2', false, 8)).toBe(false);
    expect(may('fd00::1', 'fd00::2', false, 0, true)).toBe(false);
  });

  test.each([
    ['0.0.0.0', '10.0.0.2'],
    ['0.1.2.3', '10.0.0.2'],
    ['127.0.0.1', '10.0.0.2'],
    ['224.0.0.1', '10.0.0.2'],
    ['240.0.0.1', '10.0.0.2'],
    ['255.255.255.255', '10.0.0.2'],
    ['10.0.0.1', '224.0.0.1'],
    ['10.0.0.1', '255.255.255.255'],
    ['::', 'fd00::2'],
    ['ff02::1', 'fd00::2'],
    ['fd00::1', 'ff02::1'],
  ])('never a packet from %s to %s', (src, dst) => {
    expect(may(src, dst)).toBe(false);
  });
});

describe('the limit of errors', () => {
  test('lets a burst through, then one per interval', () => {
    const limiter = new IcmpLimiter(100, 3);
    expect([0, 0, 0, 0].map((t) => limiter.allow(t))).toEqual([true, true, true, false]);
    expect(limiter.allow(9)).toBe(false);
    expect(limiter.allow(10)).toBe(true);
    expect(limiter.allow(10)).toBe(false);
  });

  test('saves up no more than a burst', () => {
    const limiter = new IcmpLimiter(100, 3);
    for (let i = 0; i < 3; i++) limiter.allow(0);
    expect([1e9, 1e9, 1e9, 1e9].map((t) => limiter.allow(t))).toEqual([true, true, true, false]);
  });

  test('counts a first call at any time as a full bucket, and gives nothing for a clock that goes back', () => {
    const limiter = new IcmpLimiter(1000, 1);
    expect(limiter.allow(1e6)).toBe(true);
    expect(limiter.allow(0)).toBe(false);
    expect(limiter.allow(1e6 + 0.5)).toBe(false);
    expect(limiter.allow(1e6 + 1)).toBe(true);
  });

  test('takes nothing away for a clock that goes back', () => {
    const limiter = new IcmpLimiter(1000, 2);
    expect([1000, 0, 0].map((t) => limiter.allow(t))).toEqual([true, true, false]);
  });

  test('over a second lets through what it says, the default as well', () => {
    const limiter = new IcmpLimiter();
    let sent = 0;
    for (let t = 0; t <= 1000; t += 0.25) if (limiter.allow(t)) sent++;
    expect(sent).toBe(1050);
  });

  test('that is none is a RangeError', () => {
    expect(() => new IcmpLimiter(-1, 1)).toThrow(RangeError);
    expect(() => new IcmpLimiter(1, 0)).toThrow(RangeError);
    expect(() => new IcmpLimiter(Number.NaN, 1)).toThrow(RangeError);
  });
});

describe('the limit for each peer', () => {
  test('lets six through at once, then one a second, and saves up no more than six', () => {
    const limiter = new PeerLimiter();
    const at = (now: number, count: number): number =>
      Array.from({ length: count }, () => limiter.allow(5, now)).filter((sent) => sent).length;
    expect([at(0, 10), at(999, 10), at(1000, 10), at(3000, 10), at(1e6, 10)]).toEqual([6, 0, 1, 2, 6]);
  });

  test('what one peer was sent takes nothing from another', () => {
    const limiter = new PeerLimiter();
    for (let n = 0; n < 100; n++) limiter.allow(5, 0);
    expect([limiter.allow(5, 0), limiter.allow(6, 0)]).toEqual([false, true]);
  });
});
