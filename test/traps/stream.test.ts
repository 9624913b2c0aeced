// Traps 14 to 20, 36, 37, 39, 40, 48, 49, 53: the stream and its ends, errors that are told, packets of the path.

import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { DROP, InvariantChecker, pair } from '../../src/sim/index.ts';
import { transfer } from '../harsh/transfer.ts';
import { established, Peer } from '../rfc/peer.ts';
import { OPEN, passes } from './script.ts';

it('trap 14: whichever data segment is lost, all octets arrive, once, and both ends close (default)', () => {
  for (let lost = 0; lost < 12; lost++) {
    let seen = 0;
    const done = transfer({
      seed: 14,
      size: 6000,
      close: 'client',
      impairments: { delay: 10 },
      prepare: (p) => {
        p.link.aToB.addRule((packet) => (packet.payload > 0 && seen++ === lost ? DROP : { kind: 'pass' }));
      },
    });
    expect(done, `segment ${lost} lost`).toBeDefined();
  }
});

it('trap 15: where a repetition brings other octets, those that came first stay (default)', () => {
  const p = new Peer();
  const a = established(p);
  p.send('P. 11:10 ack=1', new Uint8Array(10).fill(1));
  p.send('P. 16:10 ack=1', new Uint8Array(10).fill(2));
  p.send('P. 6:10 ack=1', new Uint8Array(10).fill(3));
  p.send('P. 1:10 ack=1', new Uint8Array(10).fill(4));
  const run = (value: number, count: number): number[] => new Array<number>(count).fill(value);
  expect(a.read).toEqual([...run(4, 5), ...run(3, 5), ...run(1, 10), ...run(2, 5)]);
});

it('trap 16: a FIN that comes early takes effect when everything before it is there, once (default)', () => {
  passes(`${OPEN}
    +0 < F. 201:301(100) ack 1 win 65535
    +0 > . 1:1(0) ack 1
    +0 %{ assert tcpi_state == TCP_ESTABLISHED }%
    +0 < . 1:101(100) ack 1 win 65535
    +0 > . 1:1(0) ack 101
    +0 %{ assert tcpi_state == TCP_ESTABLISHED }%
    +0 < . 101:201(100) ack 1 win 65535
    +0 > . 1:1(0) ack 302
    +0 %{ assert tcpi_state == TCP_CLOSE_WAIT }%
    +0 read(4, ..., 1000) = 300
    +0 read(4, ..., 1000) = 0
    // Text behind the FIN is no part of the stream.
    +0 < P. 302:402(100) ack 1 win 65535
    +0 ioctl(4, SIOCINQ, [0]) = 0`);
});

it('trap 17: a FIN that is lost is sent again, in FIN-WAIT-1, CLOSING and LAST-ACK (default)', () => {
  passes(`${OPEN}
    +0 shutdown(4, SHUT_WR) = 0
    +0 > F. 1:1(0) ack 1
    +.3 > F. 1:1(0) ack 1
    +.1 < F. 1:1(0) ack 1 win 65535
    +0 > . 2:2(0) ack 2
    +.5 > F. 1:1(0) ack 2
    +.1 < . 2:2(0) ack 2 win 65535
    +0 %{ assert tcpi_state == TCP_TIME_WAIT }%`);
  passes(`${OPEN}
    +0 < F. 1:1(0) ack 1 win 65535
    +0 > . 1:1(0) ack 2
    +0 shutdown(4, SHUT_WR) = 0
    +0 > F. 1:1(0) ack 2
    +.3 > F. 1:1(0) ack 2
    +.6 > F. 1:1(0) ack 2
    +.1 < . 2:2(0) ack 2 win 65535
    +0 %{ assert tcpi_state == TCP_CLOSE }%`);
});

it('trap 18: two SYNs that cross open one connection, and our SYN keeps its number (default)', () => {
  passes(`
     0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
    +0 connect(3, ..., ...) = -1 EINPROGRESS
    +0 > S 0:0(0) <...>
    +0 < S 0:0(0) win 65535 <mss 1000>
    +0 > S. 0:0(0) ack 1 <...>
    +.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
    +0 > . 1:1(0) ack 1
    +0 %{ assert tcpi_state == TCP_ESTABLISHED }%`);
});

it('trap 19: two FINs that cross lead through CLOSING to TIME-WAIT (default)', () => {
  passes(`${OPEN}
    +0 close(4) = 0
    +0 > F. 1:1(0) ack 1
    +0 < F. 1:1(0) ack 1 win 65535
    +0 > . 2:2(0) ack 2
    +.1 < . 2:2(0) ack 2 win 65535
    // Only TIME-WAIT answers a FIN once more.
    +1 < F. 1:1(0) ack 2 win 65535
    +0 > . 2:2(0) ack 2`);
});

it('trap 20: each direction ends alone: text for hours behind the FIN of either side (default)', () => {
  passes(`${OPEN}
    +0 < F. 1:1(0) ack 1 win 65535
    +0 > . 1:1(0) ack 2
    +7200 write(4, ..., 500) = 500
    +0 > P. 1:501(500) ack 2
    +.1 < . 2:2(0) ack 501 win 65535`);
  passes(`${OPEN}
    +0 shutdown(4, SHUT_WR) = 0
    +0 > F. 1:1(0) ack 1
    +.1 < . 1:1(0) ack 2 win 65535
    +7200 < P. 1:501(500) ack 2 win 65535
    +0 read(4, ..., 1000) = 500
    +.04 > . 2:2(0) ack 501`);
});

it('trap 36: "fragmentation needed" is believed about what is in flight alone, and down to a floor (default)', () => {
  const start = `${OPEN}
    +0 write(4, ..., 1000) = 1000
    +0 > P. 1:1001(1000) ack 1`;
  passes(`${start}
    +.05 < icmp unreachable frag_needed mtu 68 [90001:91001(1000)]
    +.05 < . 1:1(0) ack 1001 win 65535
    +0 write(4, ..., 1000) = 1000
    +0 > P. 1001:2001(1000) ack 1`);
  // The floor is 552 octets, as Linux has it, which hold 512 of text.
  passes(`${start}
    +.05 < icmp unreachable frag_needed mtu 68 [1:1001(1000)]
    +0 > . 1:513(512) ack 1
    +0 > P. 513:1001(488) ack 1
    +.1 < . 1:1(0) ack 1001 win 65535`);
});

it('trap 37: a path that swallows large segments without a word is crossed with smaller ones (default)', () => {
  const p = pair({ impairments: { delay: 10 } });
  p.link.aToB.addRule((packet) => (packet.to - packet.from > 1400 ? DROP : { kind: 'pass' }));
  let received = 0;
  p.server.listen({ port: 80 }, (c) => {
    c.handler = {
      onReadable: () => {
        received += c.readable;
        c.consume(c.readable);
      },
    };
  });
  const c = p.client.connect({ address: p.serverAddress, port: 80 });
  c.handler = { onOpen: () => c.send(new Uint8Array(100_000), 0, 100_000) };
  p.network.run({ until: 600_000 });
  expect(received).toBe(100_000);
});

it('trap 39: a peer that was rebooted learns it from the RST to its answer, and its next SYN opens (default)', () => {
  passes(`${OPEN}
    // The old connection is still open here when the peer, which has forgotten it, begins anew.
    +10 < S 5000:5000(0) win 65535 <mss 1000>
    +0 > . 1:1(0) ack 1
    +.1 < R 1:1(0) win 0
    +0 read(4, ..., 1) = -1 ECONNRESET
    +.9 < S 5000:5000(0) win 65535 <mss 1000>
    +0 > S. 0:0(0) ack 5001 <...>`);
  passes(`${OPEN}
    // And the other way round: our text into a connection that the peer has forgotten.
    +0 write(4, ..., 100) = 100
    +0 > P. 1:101(100) ack 1
    +.1 < R 1:1(0) win 0
    +0 read(4, ..., 1) = -1 ECONNRESET`);
});

describe('an opening that fails', () => {
  const connect = (options: string, wait: string, error: string): string => `
     0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
    ${options}
    +0...${wait} connect(3, ..., ...) = -1 ${error}
    +0 > S 0:0(0) <...>`;

  it('trap 40: refused, unreachable, given up: each is told, at its time (default)', () => {
    passes(`${connect('', '0.1', 'ECONNREFUSED')}\n+.1 < R. 0:0(0) ack 1 win 0`);
    passes(`${connect('', '0.1', 'EHOSTUNREACH')}\n+.1 < icmp unreachable host_unreachable [0:0(0)]`);
    const limit = '+0 setsockopt(3, SOL_TCP, TCP_USER_TIMEOUT, [5000], 4) = 0';
    passes(`${connect(limit, '5', 'ETIMEDOUT')}\n+1 > S 0:0(0) <...>\n+2 > S 0:0(0) <...>`);
  });
});

it('trap 48: keep-alives of the peer are answered, and their octet is not read (default)', () => {
  const alive = Array.from({ length: 10 }, () => '+75 < . 0:1(1) ack 1 win 65535\n+0 > . 1:1(0) ack 1').join('\n');
  passes(`${OPEN}${alive}
    +0 ioctl(4, SIOCINQ, [0]) = 0
    +0 < P. 1:101(100) ack 1 win 65535
    +0 read(4, ..., 1000) = 100
    +.04 > . 1:1(0) ack 101`);
});

it('trap 49: a SYN from our own address, or from many, is not answered on a link (default)', () => {
  for (const source of [
    [10, 0, 0, 1],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
    [0, 0, 0, 0],
    [127, 0, 0, 1],
  ]) {
    const p = new Peer();
    p.host.listen({ port: 80 }, () => {});
    const packet = new Uint8Array(40);
    packet.set([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, ...source, 10, 0, 0, 1]);
    packet.set([0, 80, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0], 20);
    checksum(packet, 10, 0, 20, 0);
    checksum(packet, 36, 20, 40, (source[0]! << 8) + source[1]! + (source[2]! << 8) + source[3]! + 0x0a01 + 26);
    p.inject(packet, 40);
    expect(p.out(), source.join('.')).toEqual([]);
    expect(p.host.connections()).toEqual([]);
  }
});

function checksum(packet: Uint8Array, at: number, from: number, to: number, start: number): void {
  let total = start;
  for (let i = from; i < to; i += 2) total += (packet[i]! << 8) | (packet[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  packet[at] = (~total >> 8) & 255;
  packet[at + 1] = ~total & 255;
}

it('trap 53: the buffer of a packet may be used again as soon as it was handed over (default)', () => {
  const p = new Peer();
  const a = established(p, { reads: false });
  const prng = new Prng(53);
  const text = Uint8Array.from({ length: 1000 }, () => prng.below(256));
  // The peer builds every segment in one buffer; out of order, so that the host has to keep octets.
  for (const at of [500, 250, 750, 0]) p.send(`P. ${1 + at}:250 ack=1`, text.subarray(at, at + 250));
  const c = a.connection!;
  expect(c.readable).toBe(1000);
  const got = new Uint8Array(1000);
  c.read(got, 0, 1000);
  expect(got).toEqual(text);
});

describe('invariants', () => {
  it('trap 46: whatever is in flight, a timer runs, at a round trip of 10 us as well (default)', () => {
    for (const delay of [0, 0.005, 0.5]) {
      const p = pair({ seed: 46, impairments: { delay, loss: 0.1 } });
      const checker = new InvariantChecker([p.client, p.server]);
      checker.attach(p.network);
      let received = 0;
      p.server.listen({ port: 80 }, (c) => {
        c.handler = {
          onReadable: () => {
            received += c.readable;
            c.consume(c.readable);
          },
        };
      });
      const c = p.client.connect({ address: p.serverAddress, port: 80 });
      c.handler = { onOpen: () => c.send(new Uint8Array(200_000), 0, 200_000) };
      p.network.run({ until: 3_600_000 });
      expect(received, `delay ${delay}`).toBe(200_000);
    }
  });

  it('trap 47: duplicates do not push the retransmission timer on (default)', () => {
    // A hundred octets to a peer that only repeats itself: the timer ends where it would have ended.
    passes(`${OPEN}
      +0 write(4, ..., 100) = 100
      +0 > P. 1:101(100) ack 1
      +.1 < . 1:1(0) ack 1 win 65535
      +.1 < . 1:1(0) ack 1 win 65535
      +.1 > P. 1:101(100) ack 1`);
  });
});
