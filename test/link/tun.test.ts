import { release } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  CHECKSUM_PARTIAL,
  CHECKSUM_VERIFIED,
  GSO_TCP4,
  GSO_TCP6,
  type PacketBody,
  RxMeta,
  TxMeta,
} from '../../src/base/packet.ts';
import { type Ffi, openTun, TunError, type TunLink, type TunOptions, takesLarge } from '../../src/link/tun.ts';
import { readVnet, writeVnet } from '../../src/link/vnet.ts';
import { TestPort } from './ports.ts';

const TUNSETIFF = 0x400454ca;
const SIOCGIFINDEX = 0x8933;
const SIOCGIFMTU = 0x8921;

/** A kernel in memory: packets to read, results to give, and a list of what was asked. */
class FakeKernel implements Ffi {
  readonly incoming: Uint8Array[] = [];
  readonly written: number[][] = [];
  readonly calls: string[] = [];
  readonly closed: number[] = [];
  readonly polls: { events: number; done: (result: number) => void }[] = [];
  exists = false;
  openResult = 7;
  failing = new Map<number, number>();
  readResult = 0;
  writeResults: number[] = [];
  flags = 0;

  open(): number {
    return this.openResult;
  }
  socket(): number {
    return 5;
  }
  close(fd: number): number {
    this.closed.push(fd);
    return 0;
  }
  ioctl(_fd: number, request: number, argument: Uint8Array): number {
    this.calls.push(request.toString(16));
    const failure = this.failing.get(request);
    if (failure !== undefined) return -failure;
    const view = new DataView(argument.buffer);
    if (request === SIOCGIFINDEX) return this.exists ? 0 : -19;
    if (request === SIOCGIFMTU) view.setInt32(16, 1400, true);
    if (request === TUNSETIFF) {
      this.flags = view.getUint16(16, true);
      this.exists = true;
      if (argument[3] === 0x25) argument.set([0x66, 0x69, 0x6e, 0x33], 3);
    }
    return 0;
  }
  ioctlValue(_fd: number, request: number, value: number): number {
    this.calls.push(`${request.toString(16)}=${value}`);
    return -(this.failing.get(request) ?? 0);
  }
  read(_fd: number, buffer: Uint8Array): number {
    const packet = this.incoming.shift();
    if (packet === undefined) return this.readResult === 0 ? -11 : this.readResult;
    buffer.set(packet);
    return packet.length;
  }
  write(_fd: number, buffer: Uint8Array, length: number): number {
    const result = this.writeResults.shift() ?? length;
    if (result >= 0) this.written.push([...buffer.subarray(0, length)]);
    return result;
  }
  /** As the write of one packet; with the octets of its parts told apart. */
  writev(_fd: number, head: Uint8Array, length: number, body: PacketBody): number {
    this.calls.push(`writev ${length}+${body.length} in ${body.count}`);
    const packet = new Uint8Array(length + body.length);
    packet.set(head.subarray(0, length));
    body.copyTo(packet, length);
    return this.write(_fd, packet, packet.length);
  }
  poll(_fd: number, events: number, _timeout: number, done: (result: number) => void): void {
    this.polls.push({ events, done });
  }
  /** The device has packets: the waiting thread comes back. */
  readable(...packets: number[][]): void {
    for (const packet of packets) this.incoming.push(Uint8Array.from(packet));
    this.polls.shift()!.done(1);
  }
}

function open(kernel: FakeKernel, options: Partial<TunOptions> = {}): { link: TunLink; port: TestPort } {
  const link = openTun({ name: 'synfin0', vnet: false, wake: 'poll', ffi: kernel, ...options });
  const port = new TestPort();
  link.open(port);
  return { link, port };
}

function failure(run: () => unknown): TunError {
  try {
    run();
  } catch (error) {
    if (error instanceof TunError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('TUN link', () => {
  it('takes an existing device as it is, and configures one that it made', () => {
    const kernel = new FakeKernel();
    kernel.exists = true;
    const { link } = open(kernel);
    expect([link.created, link.mtu, link.mac, link.caps.tso]).toEqual([false, 1400, null, 0]);
    expect(kernel.flags).toBe(0x1001);
    expect(kernel.calls).toEqual(['8933', '400454ca', '400454d0=0', '8921']);
    const fresh = new FakeKernel();
    const made = open(fresh, { kernelAddresses: ['10.77.0.1/24', 'fd77::1/64'], vnet: true }).link;
    expect([made.created, made.caps.tso, made.caps.txChecksum]).toEqual([true, 65_535, true]);
    expect(fresh.flags).toBe(0x5001);
    // index, attach, offloads, MTU, queue, IPv4 address and mask, index and IPv6 address, flags, MTU again
    const calls = '8933 400454ca 400454d0=7 400454d8 8922 8943 8916 891c 8933 8916 8913 8914 8921';
    expect(fresh.calls.join(' ')).toBe(calls);
  });

  it('lets the kernel choose a number', () => {
    const kernel = new FakeKernel();
    expect(openTun({ name: 'syn%d', ffi: kernel, wake: 'poll' }).name).toBe('synfin3');
  });

  it('reads until there is nothing, at most 64 packets a turn', () => {
    const kernel = new FakeKernel();
    const { port } = open(kernel);
    kernel.readable(...Array.from({ length: 70 }, (_, i) => [0x45, i]));
    expect(port.received.length).toBe(64);
    expect(port.diary.filter((line) => line === 'turn').length).toBe(1);
    kernel.readable();
    expect(port.received.map((p) => p[1])).toEqual(Array.from({ length: 70 }, (_, i) => i));
  });

  it('gives the program its turn after every 256 KiB of them, and none when there was nothing', () => {
    const kernel = new FakeKernel();
    const { link, port } = open(kernel);
    kernel.readable(...Array.from({ length: 9 }, () => new Array(65_536).fill(0)));
    const four = new Array(4).fill('receive 65536');
    expect(port.diary).toEqual([...four, 'turn', ...four, 'turn', 'receive 65536', 'turn']);
    kernel.readable();
    expect(port.diary).toHaveLength(12);
    // The program may close the link in its turn.
    port.onTurn = () => link.close();
    kernel.readable(...Array.from({ length: 5 }, () => new Array(65_536).fill(0)));
    expect(port.diary.slice(12)).toEqual([...four, 'turn']);
    expect(kernel.incoming).toHaveLength(1);
  });

  it('looks for answers at once after a bulk was written, not after little, and lets the event loop breathe', async () => {
    const kernel = new FakeKernel();
    const { link, port } = open(kernel);
    port.queue(new Array(1000).fill(1));
    kernel.incoming.push(Uint8Array.of(1));
    link.pump();
    await Promise.resolve();
    expect(kernel.incoming).toHaveLength(1);
    // A kernel that answers every bulk, and a program that answers every answer.
    const bulk = (): number[][] => Array.from({ length: 33 }, () => new Array(1000).fill(1));
    let turns = 0;
    port.onTurn = () => {
      if (++turns === 500) return;
      kernel.incoming.push(Uint8Array.of(1));
      port.queue(...bulk());
      link.pump();
    };
    port.queue(...bulk());
    link.pump();
    for (let n = 0; n < 1000; n++) await Promise.resolve();
    expect(link.counters.read).toBe(32);
    // Told by the event loop, it goes on.
    kernel.readable([2]);
    for (let n = 0; n < 1000; n++) await Promise.resolve();
    expect(link.counters.read).toBeGreaterThan(60);
    link.close();
  });

  it('keeps a packet that did not fit, sends it first, and says writable then', () => {
    const kernel = new FakeKernel();
    const { link, port } = open(kernel);
    kernel.writeResults = [2, -11, -11];
    port.queue([1, 1], [2, 2], [3, 3]);
    link.pump();
    link.pump();
    expect(port.outgoing.length).toBe(1);
    expect(link.counters.full).toBe(1);
    const room = () => kernel.polls.splice(1, 1)[0]!;
    expect(kernel.polls[1]!.events).toBe(4);
    room().done(0);
    expect(port.diary).toEqual([]);
    room().done(4);
    expect(port.diary).toEqual(['writable']);
    link.pump();
    expect(kernel.written).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('counts a packet that the kernel refuses or takes in part, says so, and goes on', () => {
    const kernel = new FakeKernel();
    const { link, port } = open(kernel);
    kernel.writeResults = [-22, 1, -4, 2];
    port.queue([1, 1], [2, 2], [3, 3]);
    link.pump();
    expect([link.counters.refused, link.counters.written]).toEqual([2, 1]);
    expect(port.diary.filter((entry) => entry === 'refused')).toHaveLength(2);
  });

  it.each([
    ['write', 5, 'EIO', /is down: sudo ip link set synfin0 up$/],
    ['write', 77, 'EBADFD', /deleted while it was attached/],
    ['read', 77, 'EBADFD', /deleted while it was attached/],
  ])('goes down once when %s fails with errno %i, and holds nothing', (call, errno, code, sentence) => {
    const kernel = new FakeKernel();
    const { link, port } = open(kernel);
    if (call === 'read') {
      kernel.readResult = -errno;
      kernel.readable();
    } else {
      kernel.writeResults = [-errno];
      port.queue([1, 1], [2, 2]);
      link.pump();
      kernel.polls.shift()!.done(0);
    }
    link.pump();
    expect(port.diary.filter((line) => line.startsWith('down'))).toEqual(['down ENETDOWN']);
    expect(link.failure).toMatchObject({ code, errno: -errno });
    expect(link.failure!.message).toMatch(sentence);
    expect(kernel.closed.filter((fd) => fd === 7)).toEqual([7]);
    expect(kernel.polls).toEqual([]);
  });

  it('does not close the descriptor while a thread waits for it', () => {
    const kernel = new FakeKernel();
    const { link } = open(kernel);
    link.close();
    link.close();
    expect(kernel.closed).toEqual([5]);
    kernel.polls.shift()!.done(0);
    expect(kernel.closed).toEqual([5, 7]);
  });

  it.each([
    ['EACCES on opening', 13, 0, 'EACCES', 'chmod 0666 /dev/net/tun'],
    ['a missing node', 2, 0, 'ENOENT', 'mknod /dev/net/tun c 10 200'],
    ['a missing driver', 19, 0, 'ENODEV', 'modprobe tun'],
    ['no right to attach', 1, TUNSETIFF, 'EPERM', 'sudo ip tuntap add dev synfin0 mode tun user $USER'],
    ['a device of another kind', 22, TUNSETIFF, 'EINVAL', 'ip -d link show synfin0'],
    ['a device in use', 16, TUNSETIFF, 'EBUSY', 'attached already'],
    ['no right to configure', 1, 0x8914, 'EPERM', 'run as root'],
  ])('%s is one sentence with the cure', (_, errno, request, code, cure) => {
    const kernel = new FakeKernel();
    if (request === 0) kernel.openResult = -errno;
    else kernel.failing.set(request, errno);
    const error = failure(() => open(kernel));
    expect(error.code).toBe(code);
    expect(error.message).toContain(cure);
    expect(error.message).not.toContain('\n');
    expect(kernel.closed).toEqual(request === 0 ? [5] : [5, 7]);
  });

  it('does not create when told not to', () => {
    expect(failure(() => open(new FakeKernel(), { create: false })).code).toBe('ERR_NO_DEVICE');
  });

  it('refuses names, sizes and addresses out of range', () => {
    const ffi = new FakeKernel();
    for (const name of ['', 'sixteen-octets-x', 'a/b', 'a b']) expect(() => openTun({ name, ffi })).toThrow(RangeError);
    expect(() => openTun({ name: 'x', mtu: 65_522, ffi })).toThrow(RangeError);
    expect(() => openTun({ name: 'x', kernelAddresses: ['10.0.0.300/24'], ffi })).toThrow(RangeError);
  });

  it('puts the vnet header in front of every packet and takes it off again', () => {
    const kernel = new FakeKernel();
    const { link, port } = open(kernel, { vnet: true });
    port.describe = (meta) => {
      meta.checksum = CHECKSUM_PARTIAL;
      meta.csumStart = 40;
      meta.csumOffset = 16;
      meta.gsoType = GSO_TCP6;
      meta.gsoSize = 0x0102;
      meta.headerLength = 60;
    };
    port.queue([0x60, 1]);
    link.pump();
    expect(kernel.written).toEqual([[1, 4, 60, 0, 2, 1, 40, 0, 16, 0, 0x60, 1]]);
    kernel.readable(kernel.written[0]!, [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x45], [1, 2, 3]);
    expect(port.received.map((p) => [...p])).toEqual([[0x60, 1], [0x45]]);
    expect(port.metas).toMatchObject([
      { checksum: CHECKSUM_PARTIAL, csumStart: 40, csumOffset: 16, gsoType: GSO_TCP6, gsoSize: 0x0102 },
      { checksum: CHECKSUM_VERIFIED, csumStart: 0, csumOffset: 0, gsoType: 0, gsoSize: 0 },
    ]);
  });
});

describe('a large packet that came in', () => {
  const large = (n: number): number[] => Array.from({ length: 40_000 }, (_, i) => (i * n) & 0xff);

  it('may be kept where it lies: the next one is read to another place, until the first is given back', () => {
    const kernel = new FakeKernel();
    const { port } = open(kernel);
    const places: string[] = [];
    const read = kernel.read.bind(kernel);
    kernel.read = (fd, buffer) => {
      const result = read(fd, buffer);
      if (result > 0) places.push(`${buffer.byteOffset}`);
      return result;
    };
    port.keeps = true;
    kernel.readable(large(1), large(3), large(5), [0x45, 1], [0x45, 2]);
    expect([new Set(places.slice(0, 4)).size, places[3] === places[4]]).toEqual([4, true]);
    const { kept } = port;
    expect(kept!.length).toBe(120_000);
    const all = new Uint8Array(70_000);
    kept!.copyTo(45_000, 70_000, all, 0);
    expect(Buffer.compare(all, Uint8Array.from([...large(1), ...large(3), ...large(5)].slice(45_000, 115_000)))).toBe(
      0,
    );
    kept!.drop(40_000);
    expect(kept!.peek()).toEqual(Uint8Array.from(large(3)));
    kernel.readable(large(7));
    kernel.readable(large(9));
    // The place of the first is used again, after the one that was free.
    expect([places[5], places[6]]).toEqual([places[3], places[0]]);
    expect(kept!.length).toBe(160_000);
  });

  it('is only lent to a host that copies, and so is a small one to any', () => {
    const kernel = new FakeKernel();
    const { port } = open(kernel);
    kernel.readable(large(1), large(3), [0x45, 1]);
    expect(port.metas.map((meta) => meta.lender !== null)).toEqual([true, true, false]);
    expect(port.received[1]).toEqual(Uint8Array.from(large(3)));
  });
});

describe('a packet whose text was not copied', () => {
  /** A port that has one packet: `1 2` and the text, where that lies. */
  function lending(text: Uint8Array): TestPort {
    const port = new TestPort();
    const asked = port.transmit.bind(port);
    port.transmit = (out, at, meta) => {
      if (asked(out, at, meta) === 0) return 0;
      if (meta.gather === 0 || text.length < meta.gather) {
        out.set(text, at + 2);
      } else {
        meta.body.add(text, 0, 5);
        meta.body.add(text, 5, text.length);
      }
      return 2 + text.length;
    };
    return port.queue([1, 2]);
  }
  const wire = (text: Uint8Array): Uint8Array => new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2].concat([...text]));
  const long = (): Uint8Array => Uint8Array.from({ length: 20_000 }, (_, i) => i);

  function attach(kernel: FakeKernel, port: TestPort, options: Partial<TunOptions> = {}): TunLink {
    const link = openTun({ name: 'synfin0', wake: 'poll', ffi: kernel, ...options });
    link.open(port);
    return link;
  }

  it('is written in one call, headers and pieces, when it is long and the device finishes sums', () => {
    const kernel = new FakeKernel();
    const port = lending(long());
    const link = attach(kernel, port);
    link.pump();
    expect(kernel.calls.at(-1)).toBe('writev 12+20000 in 2');
    expect(Buffer.compare(Buffer.from(kernel.written[0]!), wire(long()))).toBe(0);
    // The next packet is whole, and nothing of the last one's text is left to it.
    port.transmit = (out, at, meta) => {
      expect(meta.body.length).toBe(0);
      return TestPort.prototype.transmit.call(port, out, at, meta);
    };
    port.queue([7]);
    link.pump();
    expect(kernel.written[1]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    expect(link.counters.written).toBe(2);
  });

  it.each([
    ['its text is short', {}, 1000],
    ['the device takes no unfinished sums', { vnet: false }, 20_000],
    ['no such call is at hand', { ffi: undefined }, 20_000],
  ])('is asked for whole when %s', (_, options, length) => {
    const kernel = new FakeKernel();
    const text = long().subarray(0, length);
    if ('ffi' in options) Object.assign(kernel, { writev: undefined });
    attach(kernel, lending(text), 'vnet' in options ? options : {}).pump();
    expect(kernel.calls.filter((call) => call.startsWith('writev'))).toEqual([]);
    const expected = wire(text).subarray('vnet' in options ? 10 : 0);
    expect(Buffer.compare(Buffer.from(kernel.written[0]!), expected)).toBe(0);
  });

  it.each([11, 105])(
    'keeps its text when the device is full (errno %i), whatever becomes of the memory it lay in',
    (full) => {
      const kernel = new FakeKernel();
      const text = long();
      const port = lending(text);
      const link = attach(kernel, port);
      kernel.writeResults = [-4, -full, -full];
      link.pump();
      text.fill(0xee);
      expect([kernel.written.length, link.counters.full]).toEqual([0, 1]);
      const room = () => kernel.polls.splice(1, 1)[0]!.done(4);
      room();
      room();
      expect(Buffer.compare(Buffer.from(kernel.written[0]!), wire(long()))).toBe(0);
      expect([kernel.written.length, link.counters.full, port.diary]).toEqual([1, 2, ['writable']]);
    },
  );

  it('may be larger than 64 KiB where the kernel takes that, and has room when it has to wait', () => {
    expect(['2.6.32', '5.15.0-generic', '6.2.16', '6.3.0', '6.18.44-x', '7.0'].map(takesLarge)).toEqual([
      ...[false, false, false],
      ...[true, true, true],
    ]);
    expect(() => attach(new FakeKernel(), new TestPort(), { superSegment: 65_534 })).toThrow(RangeError);
    expect(() => attach(new FakeKernel(), new TestPort(), { superSegment: 262_145 })).toThrow(RangeError);
    const plain = attach(new FakeKernel(), new TestPort(), { superSegment: 200_000, vnet: false });
    expect(plain.caps.tso).toBe(0);
    const kernel = new FakeKernel();
    kernel.writeResults = [-11];
    const text = Uint8Array.from({ length: 150_000 }, (_, i) => i ^ (i >> 8));
    const port = lending(text);
    const link = attach(kernel, port, { superSegment: 200_000 });
    expect(link.caps.tso).toBe(takesLarge(release()) ? 200_000 : 65_535);
    if (link.caps.tso < 200_000) return;
    link.pump();
    kernel.polls.at(-1)!.done(4);
    expect(Buffer.compare(Uint8Array.from(kernel.written[0]!), wire(text))).toBe(0);
  });

  it('counts as lost when the kernel refuses it', () => {
    const kernel = new FakeKernel();
    const port = lending(long());
    kernel.writeResults = [-22, 20_011];
    port.queue([3, 4]);
    const link = attach(kernel, port);
    link.pump();
    expect([link.counters.refused, link.counters.written, port.diary]).toEqual([2, 0, ['refused', 'refused']]);
  });
});

describe('vnet header', () => {
  it('forgets the packet before, in both directions', () => {
    const rx = new RxMeta();
    readVnet(Uint8Array.of(1, 0x81, 54, 0, 0xb4, 5, 34, 0, 16, 0), 0, rx);
    expect(rx).toMatchObject({ checksum: CHECKSUM_PARTIAL, gsoType: GSO_TCP4, gsoSize: 1460 });
    readVnet(new Uint8Array(10), 0, rx);
    expect(rx).toEqual(new RxMeta());
    const out = new Uint8Array(10).fill(255);
    writeVnet(out, 0, new TxMeta());
    expect([...out]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
