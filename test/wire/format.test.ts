import { describe, expect, test } from 'vitest';
import { ARP_REPLY, ARP_REQUEST, writeArp } from '../../src/wire/arp.ts';
import { writeEthernet } from '../../src/wire/ethernet.ts';
import { formatFlags, formatPacket } from '../../src/wire/format.ts';
import { ICMP_ECHO, ICMP_UNREACHABLE, UNREACHABLE_PORT, writeIcmpEcho, writeIcmpError } from '../../src/wire/icmp.ts';
import { finishIcmpv6, ICMPV6_PACKET_TOO_BIG, writeIcmpv6Error } from '../../src/wire/icmpv6.ts';
import { pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { pseudoSum6, writeIpv6 } from '../../src/wire/ipv6.ts';
import {
  ACK,
  finishTcp,
  PSH,
  putMss,
  putNop,
  putSackBlocks,
  putSackPermitted,
  putTimestamps,
  putWscale,
  SYN,
  writeTcp,
} from '../../src/wire/tcp.ts';
import { finishUdp, writeUdp } from '../../src/wire/udp.ts';
import { FUZZ_TIMEOUT, fuzz, hex, WALL, walled } from './support.ts';

const A = 0x0a000001;
const B = 0x0a000002;
const MAC = hex('02000000000a');

/** An IPv4 packet around what `fill` writes at its argument; `fill` returns the end. */
function ip4(protocol: number, fill: (out: Uint8Array, at: number) => number): Uint8Array {
  const out = new Uint8Array(1500);
  const end = fill(out, 20);
  writeIpv4(out, 0, end - 20, 77, 64, protocol, 0, A, B, true);
  return out.slice(0, end);
}

const SYN_PACKET = ip4(6, (out, at) => {
  writeTcp(out, at, 49152, 80, -1, 0, SYN, 64240, 0, 20);
  let end = putMss(out, at + 20, 1460);
  end = putSackPermitted(out, end);
  end = putTimestamps(out, end, -1, 0);
  end = putNop(out, end);
  end = putWscale(out, end, 7);
  finishTcp(out, at, 40, pseudoSum4(A, B, 6, 40));
  return end;
});
const DATA_PACKET = ip4(6, (out, at) => {
  writeTcp(out, at, 80, 49152, -2, 5, PSH | ACK, 502, 0, 12);
  const end = putSackBlocks(out, putNop(out, putNop(out, at + 20)), Int32Array.of(9), Int32Array.of(-1), 1);
  finishTcp(out, at, 36, pseudoSum4(A, B, 6, 36));
  return end + 4;
});
const UDP_PACKET = ip4(17, (out, at) => {
  writeUdp(out, at, 53, 1024, 3);
  finishUdp(out, at, 11, pseudoSum4(A, B, 17, 11));
  return at + 11;
});
const PING = ip4(1, (out, at) => writeIcmpEcho(out, at, ICMP_ECHO, 1, 2, MAC, 0, 6));
const REFUSED = ip4(1, (out, at) =>
  writeIcmpError(out, at, ICMP_UNREACHABLE, UNREACHABLE_PORT, 0, UDP_PACKET, 0, UDP_PACKET.length),
);
const TOO_BIG = ((): Uint8Array => {
  const out = new Uint8Array(400);
  const inner = new Uint8Array(60);
  writeTcp(inner, writeIpv6(inner, 0, 20, 6, 64, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2), 1, 2, 3, 0, ACK, 0, 0, 0);
  const length = writeIcmpv6Error(out, 40, ICMPV6_PACKET_TOO_BIG, 0, 1400, inner, 0, 60) - 40;
  writeIpv6(out, 0, length, 58, 64, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2);
  finishIcmpv6(out, 40, length, pseudoSum6(0, 0, 0, 1, 0, 0, 0, 2, 58, length));
  return out.slice(0, 40 + length);
})();

function line(packet: Uint8Array): string {
  return formatPacket(walled(packet, 0x45), WALL, WALL + packet.length, 'ip');
}

function framed(type: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(14 + payload.length);
  writeEthernet(out, 0, hex('02000000000b'), 0, MAC, type);
  out.set(payload, 14);
  return out;
}

function changed(packet: Uint8Array, at: number, ...octets: number[]): Uint8Array {
  const copy = packet.slice();
  copy.set(octets, at);
  return copy;
}

describe('one line for a packet', () => {
  test.each([
    [
      'a SYN',
      SYN_PACKET,
      'IP 10.0.0.1.49152 > 10.0.0.2.80: Flags [S], seq 4294967295, win 64240, ' +
        'options [mss 1460,sackOK,TS val 4294967295 ecr 0,wscale 7], length 0',
    ],
    [
      'data and a SACK block',
      DATA_PACKET,
      'IP 10.0.0.1.80 > 10.0.0.2.49152: Flags [P.], seq 4294967294:2, ack 5, win 502, ' +
        'options [sack 1 {9:4294967295}], length 4',
    ],
    ['a datagram', UDP_PACKET, 'IP 10.0.0.1.53 > 10.0.0.2.1024: UDP, length 3'],
    ['a datagram without a checksum', changed(UDP_PACKET, 26, 0, 0), 'IP 10.0.0.1.53 > 10.0.0.2.1024: UDP, length 3'],
    ['a datagram with a wrong one', changed(UDP_PACKET, 26, 9, 9), /UDP, length 3 \[bad checksum\]$/],
    ['an echo', PING, 'IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 2, length 14'],
    [
      'an error with the packet it is about',
      REFUSED,
      'IP 10.0.0.1 > 10.0.0.2: ICMP port unreachable (UDP 10.0.0.1.53 > 10.0.0.2.1024), length 39',
    ],
    ['an IPv6 error', TOO_BIG, 'IP6 ::1 > ::2: ICMP6 packet too big, mtu 1400 (TCP ::1.1 > ::2.2, seq 3), length 68'],
    ['another protocol', ip4(47, (_, at) => at + 9), 'IP 10.0.0.1 > 10.0.0.2: protocol 47, length 9'],
    ['a wrong TCP checksum', changed(DATA_PACKET, DATA_PACKET.length - 1, 1), /, length 4 \[bad checksum\]$/],
    ['a wrong IP checksum', changed(SYN_PACKET, 8, 63), /, length 0 \[bad IP checksum\]$/],
    [
      'a later fragment',
      changed(UDP_PACKET, 6, 0x20, 1),
      'IP 10.0.0.1 > 10.0.0.2: fragment 77:11@8+, protocol 17 [bad IP checksum]',
    ],
    ['nothing', new Uint8Array(0), 'IP [ip-truncated], length 0'],
    ['a stump', SYN_PACKET.subarray(0, 19), 'IP [ip-truncated], length 19'],
    ['a TCP stump', ip4(6, (_, at) => at + 5), 'IP 10.0.0.1 > 10.0.0.2: TCP [tcp-truncated], length 5'],
    ['a wrong ICMP checksum', changed(PING, 28, 99), /ICMP \[icmp-bad-checksum\], length 14$/],
    ['an extension header', changed(TOO_BIG, 6, 44), 'IP6 ::1 > ::2: extension header 44, length 68'],
  ])('%s', (_, packet, expected) => {
    if (typeof expected === 'string') expect(line(packet)).toBe(expected);
    else expect(line(packet)).toMatch(expected);
  });

  test('frames', () => {
    const arp = new Uint8Array(28);
    writeArp(arp, 0, ARP_REQUEST, MAC, A, null, 0, B);
    const show = (frame: Uint8Array): string => formatPacket(frame, 0, frame.length, 'ethernet');
    expect(show(framed(0x0806, arp))).toBe('ARP, Request who-has 10.0.0.2 tell 10.0.0.1');
    writeArp(arp, 0, ARP_REPLY, MAC, A, MAC, 0, B);
    expect(show(framed(0x0806, arp))).toBe('ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:0a');
    expect(show(framed(0x0806, arp.subarray(1)))).toBe('ARP [arp-malformed], length 27');
    expect(show(framed(0x0800, PING))).toBe(line(PING));
    expect(show(framed(0x86dd, TOO_BIG))).toBe(line(TOO_BIG));
    expect(show(framed(0x88cc, MAC))).toBe('02:00:00:00:00:0a > 02:00:00:00:00:0b, ethertype 0x88cc, length 20');
    expect(show(MAC)).toBe('Ethernet [frame-truncated], length 6');
  });

  test('flags are letters in a fixed order', () => {
    expect(formatFlags(0)).toBe('none');
    expect(formatFlags(255)).toBe('FSRP.UEW');
  });
});

test(
  '20,000 packets and frames of garbage each get one short printable line, from their own octets',
  () => {
    const samples = [SYN_PACKET, DATA_PACKET, UDP_PACKET, PING, REFUSED, TOO_BIG];
    for (const medium of ['ip', 'ethernet'] as const) {
      const types = [0x0800, 0x86dd, 0x0806];
      const packets = medium === 'ip' ? samples : samples.flatMap((s) => types.map((t) => framed(t, s)));
      fuzz(packets, 10_000, (bytes, from, to) => {
        const text = formatPacket(bytes, from, to, medium);
        if (!/^[ -~]{1,400}$/.test(text)) expect.fail(text);
        return [text];
      });
    }
  },
  FUZZ_TIMEOUT,
);
