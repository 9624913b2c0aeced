import { describe, expect, it } from 'vitest';
import type { LinkPort } from '../../src/base/link.ts';
import { CHECKSUM_PARTIAL, TxMeta } from '../../src/base/packet.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { tapLink } from '../../src/link/tap-pcap.ts';
import { TestPort } from './ports.ts';

describe('tap', () => {
  it('shows every packet in both directions and changes none', () => {
    const pipe = createPipe();
    const seen: string[] = [];
    const near = tapLink(pipe.a, (direction, bytes, from, to) =>
      seen.push(`${direction} ${[...bytes.subarray(from, to)]}`),
    );
    const a = new TestPort().queue([1, 2]);
    const b = new TestPort().queue([3]);
    near.open(a);
    pipe.b.open(b);
    near.pump();
    pipe.b.pump();
    pipe.deliverPending();
    expect(seen).toEqual(['out 1,2', 'in 3']);
    expect([a.received.length, b.received.length]).toEqual([1, 1]);
    expect([near.medium, near.mtu, near.mac]).toEqual([pipe.a.medium, pipe.a.mtu, pipe.a.mac]);
  });

  it('has packets made whole, for a link that would take their text from where it lies', () => {
    let port: LinkPort | undefined;
    const asked: number[] = [];
    const inner = createPipe().a;
    inner.open = (its) => {
      port = its;
    };
    const near = tapLink(inner, () => {});
    const owner = new TestPort().queue([1]);
    owner.describe = (meta) => asked.push(meta.gather);
    near.open(owner);
    const meta = new TxMeta();
    meta.gather = 1;
    expect(port!.transmit(new Uint8Array(10), 0, meta)).toBe(1);
    expect(asked).toEqual([0]);
  });

  it('finishes partial checksums for the sink only (RFC 1071)', () => {
    const pipe = createPipe({ caps: { txChecksum: true, tso: 0 } });
    const shown: number[][] = [];
    const near = tapLink(pipe.a, (_, bytes, from, to) => shown.push([...bytes.subarray(from, to)]));
    // RFC 1071 §3: the octets 00 01 f2 03 f4 f5 f6 f7 sum to ddf2; the field at 4 holds a part of the sum.
    const a = new TestPort().queue(
      [0xaa, 0xbb, 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7],
      [0xff, 0xff, 0x00, 0x00, 0x01],
      [0x00, 0x00, 0x12, 0x34, 0xed, 0xcb],
    );
    a.describe = (meta) => {
      meta.checksum = CHECKSUM_PARTIAL;
      meta.csumStart = 2;
      meta.csumOffset = 0;
    };
    const b = new TestPort();
    near.open(a);
    pipe.b.open(b);
    near.pump();
    pipe.deliverPending();
    expect(shown[0]!.slice(0, 4)).toEqual([0xaa, 0xbb, 0x22, 0x0d]);
    expect(shown[0]!.slice(4)).toEqual([0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
    // An odd octet at the end counts as the high half of a word.
    expect(shown[1]).toEqual([0xff, 0xff, 0xfe, 0xff, 0x01]);
    // A sum of zero is sent as all ones: zero means "none" in UDP (RFC 768).
    expect(shown[2]).toEqual([0x00, 0x00, 0xff, 0xff, 0xed, 0xcb]);
    expect([...b.received[0]!].slice(2, 4)).toEqual([0x00, 0x01]);
  });

  it('leaves a packet alone whose descriptor points outside of it', () => {
    const pipe = createPipe({ caps: { txChecksum: true, tso: 0 } });
    const shown: number[][] = [];
    const near = tapLink(pipe.a, (_, bytes, from, to) => shown.push([...bytes.subarray(from, to)]));
    const a = new TestPort().queue([1, 2, 3]);
    a.describe = (meta) => {
      meta.checksum = CHECKSUM_PARTIAL;
      meta.csumStart = 60_000;
      meta.csumOffset = 16;
    };
    near.open(a);
    near.pump();
    expect(shown).toEqual([[1, 2, 3]]);
  });
});
