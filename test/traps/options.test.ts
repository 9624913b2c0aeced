// Traps 7 to 13 and 30 to 34: options, numbers that wrap, timestamps, blocks, urgent octets.

import { expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { established, Peer } from '../rfc/peer.ts';
import { LISTEN, OPEN, passes, STAMPED } from './script.ts';

it.each(['unknown 254', 'unknown 253 00', 'unknown 2 05'])(
  'trap 7: an option that is empty, or of a wrong length, ends nothing: the SYN opens (default): %s',
  (option) => {
    const octets = option === 'unknown 254' ? 2 : 3;
    passes(`${LISTEN}
      +0 < S 0:0(0) win 1000 <mss 1000,${option}${',nop'.repeat(4 - octets)}>
      +0 > S. 0:0(0) ack 1 <mss 1460>`);
  },
);

it('trap 8: no option octets whatever make the host throw, read too far or stop opening (default)', () => {
  const prng = new Prng(8);
  for (let round = 0; round < 400; round++) {
    const p = new Peer();
    p.host.listen({ port: 80 }, () => {});
    const octets = 4 * (1 + prng.below(10));
    const packet = new Uint8Array(40 + octets);
    packet.set([0x45, 0, 0, packet.length, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1]);
    packet.set([15, 160, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, (5 + octets / 4) << 4, 2, 4, 0, 0, 0, 0, 0], 20);
    for (let i = 40; i < packet.length; i++) packet[i] = prng.below(256);
    sum(packet, 10, 0, 20, 0);
    const pseudo = 0x0a00 + 0x0002 + 0x0a00 + 0x0001 + 6 + packet.length - 20;
    sum(packet, 36, 20, packet.length, pseudo);
    p.inject(packet, packet.length);
    expect(p.out().length, `round ${round} of seed 8`).toBe(1);
  }
});

/** Stores the Internet checksum of `packet[from, to)` at `at`. */
function sum(packet: Uint8Array, at: number, from: number, to: number, start: number): void {
  let total = start;
  for (let i = from; i < to; i += 2) total += (packet[i]! << 8) | (packet[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  packet[at] = (~total >> 8) & 255;
  packet[at + 1] = ~total & 255;
}

it.each([
  [0, 536],
  [1, 88],
  [87, 88],
  [500, 500],
])('trap 9: an MSS of %d makes segments of %d octets (default)', (mss, size) => {
  passes(`${LISTEN}
    +0 < S 0:0(0) win 65535 <mss ${mss}>
    +0 > S. 0:0(0) ack 1 <mss 1460>
    +.1 < . 1:1(0) ack 1 win 65535
    +0 accept(3, ..., ...) = 4
    +0 write(4, ..., ${2 * size}) = ${2 * size}
    +0 > . 1:${size + 1}(${size}) ack 1
    +0 > P. ${size + 1}:${2 * size + 1}(${size}) ack 1`);
});

it('trap 10: a window scale beyond 14 is 14, and no SYN has a scaled window (default)', () => {
  passes(`${LISTEN}
    +0 < S 0:0(0) win 65535 <mss 1000,nop,wscale 255>
    +0 > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 7>
    +.1 < . 1:1(0) ack 1 win 4
    +0 accept(3, ..., ...) = 4
    +0 %{ assert tcpi_snd_wscale == 14 and tcpi_snd_wnd == 65536 }%`);
});

it('trap 11: blocks outside of what is in flight, inverted and empty ones mark nothing (default)', () => {
  passes(`${LISTEN}
    +0 < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop>
    +0 > S. 0:0(0) ack 1 <...>
    +.1 < . 1:1(0) ack 1 win 65535
    +0 accept(3, ..., ...) = 4
    +0 write(4, ..., 4000) = 4000
    +0 > P. 1:4001(4000) ack 1
    +.05 < . 1:1(0) ack 1 win 65535 <nop,nop,sack 4001:9001 3001:2001 1001:1001>
    +0 < . 1:1(0) ack 1 win 65535 <nop,nop,sack -9000:1 5000001:5000101>
    +0 %{ assert tcpi_sacked == 0 and tcpi_lost == 0 and tcpi_unacked == 4 }%`);
});

it('trap 12: what was reported by SACK and is not any more is sent again after the timeout (default)', () => {
  passes(`${LISTEN}
    +0 < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop>
    +0 > S. 0:0(0) ack 1 <...>
    +.1 < . 1:1(0) ack 1 win 65535
    +0 accept(3, ..., ...) = 4
    +0 write(4, ..., 3000) = 3000
    +0 > P. 1:3001(3000) ack 1
    +.1 < . 1:1(0) ack 1 win 65535 <nop,nop,sack 1001:3001>
    // The first is sent again; it arrives, and the peer has forgotten the others.
    * > . 1:1001(1000) ack 1
    +.1 < . 1:1(0) ack 1001 win 65535
    * > . 1001:2001(1000) ack 1
    +.1 < . 1:1(0) ack 2001 win 65535
    * > P. 2001:3001(1000) ack 1
    +.1 < . 1:1(0) ack 3001 win 65535`);
});

it('trap 13: 10,000 islands of one octet keep to the cap of ranges, and the stream goes on (default)', () => {
  const p = new Peer();
  const a = established(p);
  for (let i = 0; i < 10_000; i++) {
    p.send(`. ${3 + 2 * i}:1 ack=1`);
    if (i % 500 === 0) p.out();
  }
  p.out();
  expect(a.connection!.state).toBe('ESTABLISHED');
  expect(a.connection!.receiveBuffer!.ranges).toBe(512);
  p.send('. 1:2 ack=1');
  expect(a.read.length).toBe(3);
});

it('trap 30: a stream that crosses 2^32 on both sides arrives whole (default)', () => {
  const p = new Peer({ peerIss: -20 });
  const a = established(p);
  const said: string[] = [];
  for (let at = 1; at < 61; at += 10) {
    p.send(`P. ${at}:10 ack=1`);
    said.push(...p.out(), ...p.advance(100));
  }
  expect(a.read).toEqual(Array.from({ length: 60 }, (_, k) => (k + 1) & 0xff));
  expect(said.at(-1)).toContain('. 1 ack=61');
});

it('trap 31: a timestamp from before is an old duplicate: ACK and drop; a RST needs none (default)', () => {
  passes(`${STAMPED}
    +0 < P. 1:101(100) ack 1 win 65535 <nop,nop,TS val 900 ecr 100>
    +0 > . 1:1(0) ack 1 <nop,nop,TS val 200 ecr 1100>
    +0 ioctl(4, SIOCINQ, [0]) = 0
    +1 < R 1:1(0) win 0
    +0 %{ assert tcpi_state == TCP_CLOSE }%`);
});

it('trap 31: after more than 24 idle days a timestamp proves nothing: text is taken (default)', () => {
  passes(`${STAMPED}
    +2160000 < P. 1:101(100) ack 1 win 65535 <nop,nop,TS val ${1100 - 2 ** 31} ecr 100>
    +0 ioctl(4, SIOCINQ, [100]) = 0
    +.04 > . 1:1(0) ack 101 <nop,nop,TS val 200 ecr ${1100 - 2 ** 31}>`);
});

it('trap 32: a segment beyond the window leaves TS.Recent alone (default)', () => {
  passes(`${STAMPED}
    +.1 < P. 9000001:9000101(100) ack 1 win 65535 <nop,nop,TS val ${2 ** 31 - 1} ecr 100>
    +0 > . 1:1(0) ack 1 <nop,nop,TS val 200 ecr 1100>
    +1 < P. 1:101(100) ack 1 win 65535 <nop,nop,TS val 1200 ecr 100>
    +.04 > . 1:1(0) ack 101 <nop,nop,TS val 300 ecr 1200>`);
});

it('trap 33: the ACK that opens may lack the timestamp; text without it is dropped in silence (default)', () => {
  passes(`${LISTEN}
    +0 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 1000 ecr 0>
    +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 1000>
    +.1 < . 1:1(0) ack 1 win 65535
    +0 accept(3, ..., ...) = 4
    +0 < P. 1:101(100) ack 1 win 65535
    +0 ioctl(4, SIOCINQ, [0]) = 0`);
});

it('trap 33: segments without the timestamp are taken (linux)', () => {
  passes(
    `${LISTEN}
     +0 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 1000 ecr 0>
     +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 1000>
     +.1 < . 1:1(0) ack 1 win 65535
     +0 accept(3, ..., ...) = 4
     +0 < P. 1:101(100) ack 1 win 65535
     +0 > . 1:1(0) ack 101 <nop,nop,TS val 200 ecr 1000>
     +0 ioctl(4, SIOCINQ, [100]) = 0`,
    'linux',
  );
});

it.each([
  [0, ''],
  [1, ''],
  [100, ''],
  [65_535, ''],
  [3, 'F'],
])(
  'trap 34: an urgent pointer of %d on a segment of 10 octets %s takes nothing from the stream (default)',
  (urg, fin) => {
    const end = fin === '' ? 11 : 12;
    passes(`${OPEN}
    +0 < ${fin}PU. 1:11(10) ack 1 win 65535 urg ${urg}
    +0 read(4, "\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", 100) = 10
    ${fin === '' ? '+.04' : '+0'} > . 1:1(0) ack ${end}`);
  },
);
