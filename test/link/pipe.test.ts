import { describe, expect, it } from 'vitest';
import { CHECKSUM_PARTIAL, GSO_TCP4 } from '../../src/base/packet.ts';
import { createPipe, type Pipe, type PipeOptions } from '../../src/link/pipe.ts';
import { TestPort } from './ports.ts';

function pair(options: PipeOptions = {}): { pipe: Pipe; a: TestPort; b: TestPort } {
  const pipe = createPipe(options);
  const a = new TestPort();
  const b = new TestPort();
  pipe.a.open(a);
  pipe.b.open(b);
  return { pipe, a, b };
}

describe('memory pipe', () => {
  it('delivers nothing inside pump, and everything in order with one turn when the owner says so', () => {
    const { pipe, a, b } = pair();
    a.queue([1, 1], [2, 2, 2], [3]);
    pipe.a.pump();
    expect(b.diary).toEqual([]);
    expect(pipe.deliverPending()).toBe(true);
    expect(b.received.map((p) => [...p])).toEqual([[1, 1], [2, 2, 2], [3]]);
    expect(b.diary).toEqual(['receive 2', 'receive 3', 'receive 1', 'turn']);
    expect(pipe.deliverPending()).toBe(false);
  });

  it('stops pulling when the queue is full and says writable once it drained', () => {
    const { pipe, a, b } = pair({ capacity: 2 });
    a.queue([1], [2], [3], [4], [5]);
    pipe.a.pump();
    expect(a.outgoing.length).toBe(3);
    pipe.a.pump();
    expect(a.outgoing.length).toBe(3);
    pipe.deliverPending();
    expect(a.diary).toEqual(['writable']);
    pipe.a.pump();
    expect(a.outgoing.length).toBe(1);
    pipe.deliverPending();
    pipe.a.pump();
    pipe.deliverPending();
    expect(b.received.map((p) => p[0])).toEqual([1, 2, 3, 4, 5]);
    expect(a.diary).toEqual(['writable', 'writable']);
  });

  it('does not re-enter: what is sent during a delivery waits for the next one', () => {
    const { pipe, a, b } = pair();
    b.onTurn = () => {
      b.queue([9]);
      pipe.b.pump();
      a.queue([7]);
      pipe.a.pump();
      expect(pipe.deliverPending()).toBe(false);
      expect(a.inside + b.inside).toBe(0);
    };
    a.queue([1]);
    pipe.a.pump();
    pipe.deliverPending();
    b.onTurn = () => {};
    expect(b.received.length).toBe(1);
    pipe.deliverPending();
    expect(b.received.map((p) => p[0])).toEqual([1, 7]);
    expect(a.received.map((p) => p[0])).toEqual([9]);
  });

  it('schedules one delivery for a batch, and another for what that delivery made', () => {
    const scheduled: (() => void)[] = [];
    const { pipe, a, b } = pair({ schedule: (deliver) => scheduled.push(deliver) });
    a.queue([1], [2]);
    pipe.a.pump();
    a.queue([3]);
    pipe.a.pump();
    expect(scheduled.length).toBe(1);
    b.onTurn = () => {
      b.onTurn = () => {};
      b.queue([4]);
      pipe.b.pump();
    };
    scheduled.shift()!();
    expect(b.received.length).toBe(3);
    // The first end of the pair had its turn before: its packet is the next batch.
    expect(a.received.length + scheduled.length).toBe(1);
    for (const next of scheduled.splice(0)) next();
    expect(a.received.map((p) => p[0])).toEqual([4]);
    expect(scheduled.length).toBe(0);
  });

  it('hands the descriptor over as the sender wrote it, and numbers the packets', () => {
    const { pipe, a, b } = pair({ caps: { txChecksum: true, tso: 65_535 } });
    a.describe = (meta) => {
      meta.checksum = CHECKSUM_PARTIAL;
      meta.csumStart = 20;
      meta.csumOffset = 16;
      meta.gsoType = GSO_TCP4;
      meta.gsoSize = 1448;
    };
    a.queue(
      Array.from({ length: 40_000 }, (_, i) => i & 255),
      [1],
    );
    pipe.a.pump();
    pipe.deliverPending();
    expect(b.received[0]!.length).toBe(40_000);
    const expected = { checksum: 2, csumStart: 20, csumOffset: 16, gsoType: 1, gsoSize: 1448 };
    expect(b.metas).toMatchObject([
      { id: 1, ...expected },
      { id: 2, ...expected },
    ]);
  });

  it('reuses its buffers: a packet kept by reference is overwritten later, a copied one is not', () => {
    const { pipe, a } = pair({ capacity: 1 });
    const kept: Uint8Array[] = [];
    const port = new TestPort();
    port.receive = (bytes, from, to) => {
      kept.push(bytes.subarray(from, to));
    };
    pipe.b.close();
    pipe.b.open(port);
    for (const value of [1, 2, 3]) {
      a.queue([value]);
      pipe.a.pump();
      pipe.deliverPending();
    }
    expect(kept.length).toBe(3);
    expect(new Set(kept.map((view) => view.byteOffset)).size).toBe(1);
  });

  it('an end that closed hears nothing more, and its peer is not stuck', () => {
    const { pipe, a, b } = pair({ capacity: 1 });
    a.queue([1], [2]);
    pipe.a.pump();
    pipe.b.close();
    expect(a.diary).toEqual(['writable']);
    pipe.a.pump();
    pipe.deliverPending();
    expect(b.diary).toEqual([]);
    expect(a.diary).toEqual(['writable', 'writable']);
  });

  it('is Ethernet with two addresses when asked, and bare IP without', () => {
    const { pipe } = pair({ medium: 'ethernet', mtu: 9000 });
    expect([pipe.a.medium, pipe.a.mtu]).toEqual(['ethernet', 9000]);
    expect(pipe.a.mac).not.toEqual(pipe.b.mac);
    expect(pair().pipe.a.mac).toBeNull();
  });

  it('refuses sizes out of range', () => {
    expect(() => createPipe({ mtu: 67 })).toThrow(RangeError);
    expect(() => createPipe({ mtu: 65_536 })).toThrow(RangeError);
    expect(() => createPipe({ capacity: 0 })).toThrow(RangeError);
  });

  it('gives away the buffer of a large packet, and has it back when it was read', () => {
    const { pipe, a, b } = pair({ caps: { txChecksum: true, tso: 65_535 } });
    b.keeps = true;
    const large = (n: number): number[] => Array.from({ length: 40_000 }, (_, i) => (i * n) & 0xff);
    a.queue(large(1), [1], large(3));
    pipe.a.pump();
    pipe.deliverPending();
    // What comes later does not write to it.
    for (let n = 5; n < 25; n++) a.queue(large(n));
    b.keeps = false;
    pipe.a.pump();
    pipe.deliverPending();
    const all = new Uint8Array(80_000);
    b.kept!.copyTo(0, 80_000, all, 0);
    expect(Buffer.compare(all, Uint8Array.from([...large(1), ...large(3)]))).toBe(0);
    b.kept!.drop(80_000);
    expect([b.kept!.length, b.kept!.memory]).toEqual([0, 0]);
  });
});
