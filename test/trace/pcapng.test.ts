// Capture files: what is written can be read, the same packets give the same bytes, damage is named.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCapture } from '../../src/trace/capture.ts';
import { DIRECTION_OUT, PcapngWriter } from '../../src/trace/pcapng.ts';

const SEED = { seed: 20261122, numRuns: 300 };
const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

/** A small file with two interfaces, three packets and a comment. */
function sample(resolution: 'us' | 'ns' = 'us'): Uint8Array {
  const writer = new PcapngWriter({ resolution });
  const a = writer.interface('client', 'ip');
  const b = writer.interface('server', 'ethernet');
  const bytes = Uint8Array.of(9, 1, 2, 3, 4, 5, 9);
  writer.packet(a, 0, bytes, 1, 6, 'shake 1: 握手');
  writer.packet(b, 20.5, bytes, 0, 4, '', DIRECTION_OUT);
  writer.packet(a, 60_000_000.25, bytes, 0, 0);
  return writer.finish();
}

describe('PcapngWriter', () => {
  test('the bytes of a file are fixed: no clock, no machine', () => {
    expect(hex(sample())).toBe(hex(sample()));
    const writer = new PcapngWriter();
    writer.packet(writer.interface('a', 'ip'), 1, Uint8Array.of(0x45), 0, 1);
    expect(hex(writer.finish())).toBe(
      [
        '0a0d0d0a2c0000004d3c2b1a01000000ffffffffffffffff',
        '0400060073796e66696e0000000000002c000000',
        '010000002800000065000000000000000200010061000000',
        '09000100060000000000000028000000',
        '06000000240000000000000000000000e80300000100000001000000',
        '4500000024000000',
      ].join(''),
    );
  });

  test('what is written is read back: names, times, octets, comments', () => {
    for (const resolution of ['us', 'ns'] as const) {
      const file = sample(resolution);
      const capture = readCapture(file);
      expect(capture.problems).toEqual([]);
      expect(capture.interfaces).toEqual([
        { name: 'client', linkType: 101 },
        { name: 'server', linkType: 1 },
      ]);
      const seen = capture.packets.map((p) => [
        p.interfaceId,
        p.seconds,
        p.nanoseconds,
        [...file.subarray(p.from, p.to)],
        p.comment,
      ]);
      expect(seen).toEqual([
        [0, 0, 0, [1, 2, 3, 4, 5], 'shake 1: 握手'],
        [1, 0, 20_500_000, [9, 1, 2, 3], ''],
        [0, 60_000, 250_000, [], ''],
      ]);
    }
  });

  test('a sink gets the blocks as they are made, and together they are the file', () => {
    const parts: number[] = [];
    const writer = new PcapngWriter({ sink: (block) => parts.push(...block) });
    writer.packet(writer.interface('a', 'ip'), 1, Uint8Array.of(0x45), 0, 1);
    expect(writer.finish().length).toBe(0);
    expect(readCapture(Uint8Array.from(parts)).packets.length).toBe(1);
  });

  test('a packet of an interface that was not declared is a mistake of the caller', () => {
    expect(() => new PcapngWriter().packet(0, 0, new Uint8Array(1), 0, 1)).toThrow(RangeError);
  });
});

/** A big-endian file written by hand: section, interface with 2^-10 s, simple packet, enhanced packet. */
function bigEndian(): Uint8Array {
  const words: number[] = [];
  const u32 = (...values: number[]) => {
    for (const v of values) words.push((v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255);
  };
  u32(0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff, 28);
  u32(1, 32, 0x00650000, 3, 0x00090001, 0x8a000000, 0, 32);
  u32(3, 20, 7, 0x61626300, 20);
  u32(6, 36, 0, 0, 1536, 2, 2, 0x61620000, 36);
  return Uint8Array.from(words);
}

/** Classic pcap of one packet. */
function classic(magic: number, little: boolean): Uint8Array {
  const bytes = new Uint8Array(24 + 16 + 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, little);
  view.setUint16(4, 2, little);
  view.setUint16(6, 4, little);
  view.setUint32(16, 65535, little);
  view.setUint32(20, 1, little);
  view.setUint32(24, 12, little);
  view.setUint32(28, 345, little);
  view.setUint32(32, 2, little);
  view.setUint32(36, 60, little);
  return bytes;
}

describe('readCapture', () => {
  test('reads big-endian sections, simple packets cut by the snap length, and binary time units', () => {
    const capture = readCapture(bigEndian());
    expect(capture.problems).toEqual([]);
    expect(capture.packets.map((p) => [p.to - p.from, p.wireLength, p.seconds, p.nanoseconds])).toEqual([
      [3, 7, 0, 0],
      [2, 2, 1, 500_000_000],
    ]);
  });

  test('a second section may have another byte order, and numbers its interfaces anew', () => {
    const first = sample();
    const second = bigEndian();
    const file = new Uint8Array(first.length + second.length);
    file.set(first);
    file.set(second, first.length);
    const capture = readCapture(file);
    expect(capture.problems).toEqual([]);
    expect(capture.interfaces.length).toBe(3);
    expect(capture.packets.map((p) => p.interfaceId)).toEqual([0, 1, 0, 2, 2]);
  });

  test.each([
    ['microseconds, little', 0xa1b2c3d4, true, 345_000],
    ['microseconds, big', 0xa1b2c3d4, false, 345_000],
    ['nanoseconds, little', 0xa1b23c4d, true, 345],
    ['nanoseconds, big', 0xa1b23c4d, false, 345],
  ])('reads classic pcap with %s', (_name, magic, little, nanoseconds) => {
    const capture = readCapture(classic(magic, little));
    expect(capture.problems).toEqual([]);
    expect(capture.packets[0]).toMatchObject({ seconds: 12, nanoseconds, wireLength: 60, from: 40, to: 42 });
  });

  test('damage is named with its offset, and what came before it is kept', () => {
    expect(readCapture(new Uint8Array(2)).problems).toEqual([{ offset: 0, reason: 'not-a-capture' }]);
    expect(readCapture(new Uint8Array(64)).problems).toEqual([{ offset: 0, reason: 'not-a-capture' }]);
    const file = sample();
    const second = readCapture(file).packets[1]!.offset;
    const cut = readCapture(file.subarray(0, second + 20));
    expect(cut.problems).toEqual([{ offset: second, reason: 'block-truncated' }]);
    expect(cut.packets.length).toBe(1);
    const bad = file.slice();
    bad[second + 4] = 3;
    expect(readCapture(bad).problems).toEqual([{ offset: second + 4, reason: 'block-bad-length' }]);
    const foreign = file.slice();
    foreign[second + 8] = 7;
    expect(readCapture(foreign).problems).toEqual([{ offset: second + 8, reason: 'interface-unknown' }]);
  });

  test('a file cut anywhere never throws and says where it ends', () => {
    for (const file of [sample(), bigEndian(), classic(0xa1b2c3d4, true)]) {
      for (let length = 0; length < file.length; length++) {
        const capture = readCapture(file.slice(0, length));
        for (const p of capture.problems) expect(p.offset).toBeLessThanOrEqual(length);
        for (const p of capture.packets) expect(p.to).toBeLessThanOrEqual(length);
      }
    }
  });

  test('damaged octets never throw, and no packet leaves the file', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(sample(), bigEndian(), classic(0xa1b2c3d4, false)),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        (whole, changes) => {
          const file = whole.slice();
          for (const [at, value] of changes) file[at % file.length] = value;
          for (const p of readCapture(file).packets) {
            expect(p.from <= p.to && p.to <= file.length).toBe(true);
          }
        },
      ),
      SEED,
    );
  });
});
