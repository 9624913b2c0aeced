import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksumOf, fold } from '../../src/base/checksum.ts';
import { pseudoSum4 } from '../../src/wire/ipv4.ts';
import {
  ACK,
  CWR,
  ECE,
  FIN,
  finishTcp,
  finishTcpPartial,
  PSH,
  parseTcp,
  putEnd,
  putMss,
  putNop,
  putSackBlocks,
  putSackPermitted,
  putTimestamps,
  putWscale,
  RST,
  Segment,
  SYN,
  segLen,
  URG,
  verifyTcp,
  writeTcp,
} from '../../src/wire/tcp.ts';
import { check, type Findings, FUZZ_TIMEOUT, fuzz, hex, SEEDED, toHex, WALL, walled } from './support.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u16 = fc.integer({ min: 0, max: 65535 });
const port = fc.integer({ min: 1, max: 65535 });

/** A SYN as Linux sends it: MSS 1460, SACK permitted, timestamps, NOP, window scale 7. */
const LINUX_SYN = hex(
  'd431 0050 a9f1e2d2 00000000 a0 02 faf0 0000 0000 020405b4 0402 080a 8f2c0011 00000000 01 030307',
);
/** Data with the usual layout: NOP, NOP, timestamps. */
const DATA = hex('0050 d431 00000005 fffffff0 80 18 01f6 0000 0000 0101080a 00000001 ffffffff 68656c6c6f');

function parse(packet: Uint8Array, into = new Segment()): { reason: string | null; seg: Segment } {
  return { reason: parseTcp(walled(packet, 0x03), WALL, WALL + packet.length, into), seg: into };
}

/** A header with these option octets, padded with zeros to a multiple of four. */
function withOptions(options: string, payload = ''): Uint8Array {
  const area = hex(options);
  const padded = (area.length + 3) & ~3;
  const bytes = new Uint8Array(20 + padded + payload.length);
  writeTcp(bytes, 0, 1, 2, 3, 4, SYN, 5, 0, padded);
  bytes.set(area, 20);
  for (let i = 0; i < payload.length; i++) bytes[20 + padded + i] = payload.charCodeAt(i);
  return bytes;
}

function options(seg: Segment): Record<string, unknown> {
  const sack = Array.from({ length: seg.sackCount }, (_, i) => [seg.sackLeft[i], seg.sackRight[i]]);
  const { mss, wscale, sackPermitted, hasTs, tsVal, tsEcr } = seg;
  return { mss, wscale, sackPermitted, hasTs, tsVal, tsEcr, sack };
}

const NONE = { mss: -1, wscale: -1, sackPermitted: false, hasTs: false, tsVal: 0, tsEcr: 0, sack: [] };

describe('a TCP header', () => {
  test('is read octet by octet: a SYN with every option Linux sends', () => {
    const { reason, seg } = parse(LINUX_SYN);
    expect(reason).toBeNull();
    expect(seg).toMatchObject({
      srcPort: 54321,
      dstPort: 80,
      seq: 0xa9f1e2d2 | 0,
      ack: 0,
      flags: SYN,
      wnd: 64240,
      urg: 0,
      dataOffset: 40,
      at: WALL + 40,
      len: 0,
    });
    expect(options(seg)).toEqual({
      ...NONE,
      mss: 1460,
      wscale: 7,
      sackPermitted: true,
      hasTs: true,
      tsVal: 0x8f2c0011 | 0,
    });
  });

  test('is read octet by octet: data behind timestamps', () => {
    const { reason, seg } = parse(DATA);
    expect(reason).toBeNull();
    expect(seg).toMatchObject({ srcPort: 80, dstPort: 54321, seq: 5, ack: -16, flags: PSH | ACK, wnd: 502, len: 5 });
    expect(options(seg)).toEqual({ ...NONE, hasTs: true, tsVal: 1, tsEcr: -1 });
    expect(String.fromCharCode(...seg.bytes.subarray(seg.at, seg.at + seg.len))).toBe('hello');
  });

  test('leaves nothing of the segment read before', () => {
    const seg = new Segment();
    parse(LINUX_SYN, seg);
    parse(withOptions('05 12 00000001 00000002 00000003 00000004'), seg);
    expect(options(seg)).toEqual({
      ...NONE,
      sack: [
        [1, 2],
        [3, 4],
      ],
    });
    parse(withOptions(''), seg);
    expect(options(seg)).toEqual(NONE);
  });

  test('the flags are the bits of RFC 9293 §3.1', () => {
    expect([FIN, SYN, RST, PSH, ACK, URG, ECE, CWR]).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
  });

  test.each([
    ['tcp-truncated', 0, 0x50],
    ['tcp-truncated', 19, 0x50],
    ['tcp-bad-data-offset', 20, 0x40],
    ['tcp-bad-data-offset', 40, 0x00],
    ['tcp-bad-data-offset', 20, 0x60],
    ['tcp-bad-data-offset', 59, 0xf0],
  ])('%s: %i octets, octet 12 is %i', (reason, length, offset) => {
    const packet = new Uint8Array(60);
    writeTcp(packet, 0, 1, 2, 0, 0, ACK, 0, 0, 0);
    packet[12] = offset;
    expect(parse(packet.slice(0, length)).reason).toBe(reason);
  });

  test('port 0 on either side is refused', () => {
    const bytes = new Uint8Array(20);
    writeTcp(bytes, 0, 0, 2, 0, 0, ACK, 0, 0, 0);
    expect(parse(bytes).reason).toBe('tcp-port-zero');
    writeTcp(bytes, 0, 1, 0, 0, 0, ACK, 0, 0, 0);
    expect(parse(bytes).reason).toBe('tcp-port-zero');
    writeTcp(bytes, 0, 256, 256, 0, 0, ACK, 0, 0, 0);
    expect(parse(bytes).reason).toBeNull();
  });

  test.each([
    [0, 0],
    [SYN, 1],
    [FIN, 1],
    [SYN | FIN, 2],
    [255, 2],
    [255 - SYN - FIN, 0],
  ])('flags %i count as %i octets of sequence space', (flags, extra) => {
    const seg = new Segment();
    seg.len = 7;
    seg.flags = flags;
    expect(segLen(seg)).toBe(7 + extra);
  });

  test('what is written is read back, with a checksum that verifies', () => {
    const payload = fc.uint8Array({ maxLength: 200 });
    const fields = fc.tuple(port, port, int32, int32, fc.nat(255), u16, u16);
    fc.assert(
      fc.property(fields, payload, fc.nat(9), ([sp, dp, seq, ack, flags, wnd, urg], data, at) => {
        const out = new Uint8Array(at + 20 + data.length + 3).fill(0xee);
        expect(writeTcp(out, at, sp, dp, seq, ack, flags, wnd, urg, 0)).toBe(at + 20);
        out.set(data, at + 20);
        const length = 20 + data.length;
        const pseudo = pseudoSum4(seq, ack, 6, length);
        finishTcp(out, at, length, pseudo);
        expect(verifyTcp(out, at, at + length, pseudo)).toBe(true);
        expect(verifyTcp(out, at, at + length, pseudo + 1)).toBe(false);
        const seg = new Segment();
        expect(parseTcp(out, at, at + length, seg)).toBeNull();
        expect(seg).toMatchObject({ srcPort: sp, dstPort: dp, seq, ack, flags, wnd, urg, dataOffset: 20 });
        expect([seg.bytes === out, seg.at, seg.len]).toEqual([true, at + 20, data.length]);
        expect(options(seg)).toEqual(NONE);
        expect([...out.subarray(0, at), ...out.subarray(at + length)].every((b) => b === 0xee)).toBe(true);
      }),
      SEEDED,
    );
  });

  test('with a partial checksum holds the folded pseudo header, and summing from its start finishes it', () => {
    const pseudo = pseudoSum4(0x0a000001, -1, 6, 25);
    const out = DATA.slice();
    finishTcpPartial(out, 0, pseudo);
    expect((out[16]! << 8) | out[17]!).toBe(fold(pseudo));
    // What a network card does: sum everything, the field included, and store the complement.
    const sum = checksumOf(out, 0, out.length, 0);
    out[16] = sum >> 8;
    out[17] = sum & 255;
    expect(verifyTcp(out, 0, out.length, pseudo)).toBe(true);
    const whole = DATA.slice();
    finishTcp(whole, 0, whole.length, pseudo);
    expect(toHex(whole)).toBe(toHex(out));
  });

  test('any single bit turned is caught by the checksum', () => {
    const pseudo = pseudoSum4(1, 2, 6, DATA.length);
    const good = DATA.slice();
    finishTcp(good, 0, good.length, pseudo);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3]! ^= 128 >> (bit & 7);
      expect(verifyTcp(bad, 0, bad.length, pseudo), `bit ${bit}`).toBe(false);
    }
  });
});

describe('options', () => {
  test('written are the octets of the RFCs', () => {
    const out = new Uint8Array(80).fill(0xee);
    let at = putMss(out, 1, 1460);
    at = putSackPermitted(out, at);
    at = putTimestamps(out, at, -2, 3);
    at = putNop(out, at);
    at = putWscale(out, at, 7);
    at = putSackBlocks(out, at, Int32Array.of(1, -1), Int32Array.of(2, -2), 2);
    at = putEnd(out, at);
    expect(toHex(out, 0, at + 1)).toBe(
      `ee${'020405b4'}${'0402'}${'080afffffffe00000003'}${'01'}${'030307'}${'051200000001'}${'00000002fffffffffffffffe'}${'00'}ee`,
    );
  });

  const option = fc.oneof(
    fc.record({ kind: fc.constant('mss' as const), value: u16 }),
    fc.record({ kind: fc.constant('wscale' as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant('sackPermitted' as const) }),
    fc.record({ kind: fc.constant('ts' as const), value: int32, echo: int32 }),
    fc.record({ kind: fc.constant('sack' as const), edges: fc.array(int32, { minLength: 2, maxLength: 8 }) }),
    fc.record({ kind: fc.constant('nop' as const) }),
    fc.record({
      kind: fc.constant('unknown' as const),
      code: fc.integer({ min: 9, max: 255 }),
      fill: fc.uint8Array({ maxLength: 8 }),
    }),
  );

  test('written in any order are read back; the later of two alike counts', () => {
    fc.assert(
      fc.property(fc.array(option, { maxLength: 9 }), (list) => {
        const area = new Uint8Array(200);
        const expected: Record<string, unknown> = { ...NONE };
        let at = 0;
        for (const o of list) {
          const before = at;
          const was = { ...expected };
          if (o.kind === 'mss' || o.kind === 'wscale') {
            at = o.kind === 'mss' ? putMss(area, at, o.value) : putWscale(area, at, o.value);
            expected[o.kind] = o.value;
          }
          if (o.kind === 'nop') at = putNop(area, at);
          if (o.kind === 'sackPermitted') {
            at = putSackPermitted(area, at);
            expected['sackPermitted'] = true;
          }
          if (o.kind === 'ts') {
            at = putTimestamps(area, at, o.value, o.echo);
            Object.assign(expected, { hasTs: true, tsVal: o.value, tsEcr: o.echo });
          }
          if (o.kind === 'sack') {
            const n = o.edges.length >> 1;
            const left = Int32Array.from({ length: n }, (_, i) => o.edges[2 * i]!);
            const right = Int32Array.from({ length: n }, (_, i) => o.edges[2 * i + 1]!);
            at = putSackBlocks(area, at, left, right, n);
            expected['sack'] = Array.from(left, (l, i) => [l, right[i]]);
          }
          if (o.kind === 'unknown') {
            area.set([o.code, 2 + o.fill.length, ...o.fill], at);
            at += 2 + o.fill.length;
          }
          if (at > 40) {
            at = before;
            Object.assign(expected, was);
            break;
          }
        }
        expect(options(parse(withOptions(toHex(area, 0, at))).seg)).toEqual(expected);
      }),
      SEEDED,
    );
  });

  test('trap 7: a length of 0 or 1 ends the reading, earlier options stay, the segment is processed', () => {
    for (const length of ['00', '01']) {
      const { reason, seg } = parse(withOptions(`020405b4 fe${length} 030307 0402`, 'data'));
      expect(reason).toBeNull();
      expect(options(seg)).toEqual({ ...NONE, mss: 1460 });
      expect(seg.len).toBe(4);
    }
    expect(parse(withOptions('fe00')).reason).toBeNull();
  });

  test('trap 8: a length beyond the header ends the reading, also when octets of the payload are there', () => {
    // The payload would complete an MSS option; the header ends before it.
    expect(options(parse(withOptions('030307 01 01 01 02 04', '\x05\xb4')).seg)).toEqual({ ...NONE, wscale: 7 });
    expect(options(parse(withOptions('0402 fe 03')).seg)).toEqual({ ...NONE, sackPermitted: true });
    expect(options(parse(withOptions('01 01 08 0a 00000001')).seg)).toEqual(NONE);
    // A kind with no room for its length; the canaries behind it would be one.
    expect(options(parse(withOptions('0402 01 08')).seg)).toEqual({ ...NONE, sackPermitted: true });
  });

  test.each([
    ['MSS of 3', '0203 05 01'],
    ['MSS of 5', '0205 05b4 00'],
    ['MSS of 2', '0202'],
    ['window scale of 2', '0302'],
    ['window scale of 4', '0304 0707'],
    ['SACK permitted of 3', '0403 00'],
    ['timestamps of 9', '0809 00000001 000000'],
    ['timestamps of 11', '080b 00000001 00000002 00'],
    ['SACK of 2', '0502'],
    ['SACK of 9', '0509 00000001 000000'],
    ['SACK of 14', '050e 00000001 00000002 00000003'],
  ])('trap 8: %s octets is skipped, what follows is read', (_, bad) => {
    const seg = parse(withOptions(`${bad} 020405b4`)).seg;
    expect(options(seg)).toEqual({ ...NONE, mss: 1460 });
    const after = parse(withOptions(`${bad} 030309`)).seg;
    expect(options(after)).toEqual({ ...NONE, wscale: 9 });
  });

  test('trap 8: an empty SACK option does not undo the one before it', () => {
    expect(parse(withOptions('050a 00000001 00000002 0502')).seg.sackCount).toBe(1);
  });

  test('trap 9: an MSS of 0 or 1 is given as it is', () => {
    expect(parse(withOptions('02040000')).seg.mss).toBe(0);
    expect(parse(withOptions('02040001')).seg.mss).toBe(1);
    expect(parse(withOptions('0204ffff')).seg.mss).toBe(65535);
  });

  test('trap 10: a window scale above 14 is given as it is', () => {
    expect(parse(withOptions('0303ff')).seg.wscale).toBe(255);
    expect(parse(withOptions('030300')).seg.wscale).toBe(0);
  });

  test('an end of options hides what follows', () => {
    expect(options(parse(withOptions('0402 00 02 04 05b4')).seg)).toEqual({ ...NONE, sackPermitted: true });
  });

  test('four SACK blocks fit; behind timestamps three', () => {
    const four = `0522${'0000000100000002'.repeat(4)}`;
    expect(parse(withOptions(four)).seg.sackCount).toBe(4);
    const three = `0101080a 00000001 00000002 0101 051a${'0000000300000004'.repeat(3)}`;
    const seg = parse(withOptions(three)).seg;
    expect(options(seg)).toMatchObject({ hasTs: true, tsVal: 1, tsEcr: 2 });
    expect(seg.sackCount).toBe(3);
    expect([...seg.sackRight.subarray(0, 3)]).toEqual([4, 4, 4]);
  });
});

test(
  '100,000 random, mutated and truncated segments: no throw, nothing read outside',
  () => {
    const samples = [
      LINUX_SYN,
      DATA,
      withOptions(`0101080a0000000100000002 0101051a${'0000000300000004'.repeat(3)}`, 'x'),
    ];
    const seg = new Segment();
    const seen = fuzz(samples, 100_000, (bytes, from, to): Findings => {
      const reason = parseTcp(bytes, from, to, seg);
      if (reason !== null) return [reason];
      check(seg.at === from + seg.dataOffset && seg.at + seg.len === to, 'the payload ends where the packet does');
      const { srcPort, dstPort, seq, ack, flags, wnd, urg, mss, wscale, sackPermitted, hasTs, tsVal, tsEcr } = seg;
      const sack = Array.from({ length: seg.sackCount }, (_, i) => `${seg.sackLeft[i]}-${seg.sackRight[i]}`);
      const fixed = [reason, srcPort, dstPort, seq, ack, flags, wnd, urg, seg.at, seg.len];
      return [...fixed, mss, wscale, sackPermitted, hasTs, tsVal, tsEcr, ...sack];
    });
    expect(Object.keys(seen).sort()).toEqual(['null', 'tcp-bad-data-offset', 'tcp-port-zero', 'tcp-truncated']);
  },
  FUZZ_TIMEOUT,
);

test(
  '100,000 random option areas: no throw, nothing read outside',
  () => {
    const samples = [44, 60].map((length) => {
      const bytes = new Uint8Array(length);
      bytes.set(LINUX_SYN.subarray(0, Math.min(40, length)));
      return bytes;
    });
    const seg = new Segment();
    fuzz(samples, 100_000, (bytes, from, to): Findings => {
      if (to - from < 24) return ['short'];
      // Whatever the fuzzer did, the header fills the packet and the ports are good.
      const was = bytes.slice(from, to);
      bytes.set([0, 1, 0, 2], from);
      bytes[from + 12] = Math.min((to - from) >> 2, 15) << 4;
      const reason = parseTcp(bytes, from, to, seg);
      bytes.set(was, from);
      check(reason === null, 'a header that is good');
      const { mss, wscale, sackPermitted, hasTs, tsVal, tsEcr, sackCount } = seg;
      return [reason, mss, wscale, sackPermitted, hasTs, tsVal, tsEcr, sackCount];
    });
  },
  FUZZ_TIMEOUT,
);
