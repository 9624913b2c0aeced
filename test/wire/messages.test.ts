import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARP_REPLY, ARP_REQUEST, ArpPacket, parseArp, writeArp } from '../../src/wire/arp.ts';
import {
  BROADCAST_MAC,
  EthernetHeader,
  isBroadcastFrame,
  isFrameFor,
  isGroupFrame,
  parseEthernet,
  writeEthernet,
} from '../../src/wire/ethernet.ts';
import {
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_UNREACHABLE,
  IcmpMessage,
  isIcmpError,
  parseIcmp,
  UNREACHABLE_FRAGMENTATION_NEEDED,
  writeIcmpEcho,
  writeIcmpError,
} from '../../src/wire/icmp.ts';
import {
  finishIcmpv6,
  ICMPV6_ECHO,
  ICMPV6_PACKET_TOO_BIG,
  isIcmpv6Error,
  parseIcmpv6,
  writeIcmpv6Echo,
  writeIcmpv6Error,
} from '../../src/wire/icmpv6.ts';
import { pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { pseudoSum6, writeIpv6 } from '../../src/wire/ipv6.ts';
import { parseQuoted, Quoted } from '../../src/wire/quoted.ts';
import { ACK, writeTcp } from '../../src/wire/tcp.ts';
import { finishUdp, parseUdp, UdpHeader, verifyUdp, writeUdp } from '../../src/wire/udp.ts';
import { check, FUZZ_TIMEOUT, fuzz, hex, SEEDED, toHex, WALL, walled } from './support.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u16 = fc.integer({ min: 0, max: 65535 });
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
const body = fc.uint8Array({ maxLength: 100 });
const ROUNDS = 100_000;

/** Runs a parser on a packet between canaries. */
function at<T, R>(packet: Uint8Array, parse: (b: Uint8Array, from: number, to: number, into: T) => R, into: T): R {
  return parse(walled(packet, 0xff), WALL, WALL + packet.length, into);
}

describe('Ethernet', () => {
  const FRAME = hex('ffffffffffff 02000000000a 0806 0001');

  test('a header is read octet by octet', () => {
    const h = new EthernetHeader();
    expect(at(FRAME, parseEthernet, h)).toBeNull();
    expect(h).toEqual(
      Object.assign(new EthernetHeader(), {
        dstHi: 0xffff,
        dstLo: -1,
        srcHi: 0x0200,
        srcLo: 10,
        srcAt: WALL + 6,
        type: 0x0806,
        payloadFrom: WALL + 14,
        payloadTo: WALL + 16,
      }),
    );
    expect(at(FRAME.subarray(0, 13), parseEthernet, h)).toBe('frame-truncated');
    expect(at(FRAME.subarray(0, 14), parseEthernet, h)).toBeNull();
  });

  test('what is written is read back, also when the destination stands there already', () => {
    fc.assert(
      fc.property(mac, mac, u16, (dst, src, type) => {
        const out = new Uint8Array(20).fill(0xee);
        expect(writeEthernet(out, 2, dst, 0, src, type)).toBe(16);
        expect(toHex(out)).toBe(`eeee${toHex(dst)}${toHex(src)}${type.toString(16).padStart(4, '0')}eeeeeeee`);
        const again = new Uint8Array(20).fill(0xee);
        again.set(dst, 2);
        writeEthernet(again, 2, again, 2, src, type);
        expect(again).toEqual(out);
        const h = new EthernetHeader();
        expect(parseEthernet(out, 2, 20, h)).toBeNull();
        expect(isFrameFor(h, dst)).toBe(true);
        expect(isFrameFor(h, src)).toBe(toHex(src) === toHex(dst));
        expect(isGroupFrame(h)).toBe((dst[0]! & 1) === 1);
        expect(h.type).toBe(type);
      }),
      SEEDED,
    );
  });

  test('broadcast is told from multicast and unicast', () => {
    const h = new EthernetHeader();
    const kinds = (dst: Uint8Array): boolean[] => {
      const out = new Uint8Array(14);
      writeEthernet(out, 0, dst, 0, hex('020000000001'), 0x0800);
      parseEthernet(out, 0, 14, h);
      return [isBroadcastFrame(h), isGroupFrame(h)];
    };
    expect(kinds(BROADCAST_MAC)).toEqual([true, true]);
    expect(kinds(hex('01005e000001'))).toEqual([false, true]);
    expect(kinds(hex('fffffffffffe'))).toEqual([false, true]);
    expect(kinds(hex('020000000002'))).toEqual([false, false]);
  });

  test(
    '100,000 frames of garbage: no throw, nothing read outside',
    () => {
      const h = new EthernetHeader();
      const seen = fuzz([FRAME], ROUNDS, (bytes, from, to) => {
        const reason = parseEthernet(bytes, from, to, h);
        return reason === null ? [reason, ...Object.values(h)] : [reason];
      });
      expect(Object.keys(seen).sort()).toEqual(['frame-truncated', 'null']);
    },
    FUZZ_TIMEOUT,
  );
});

describe('ARP', () => {
  const REQUEST = hex('0001 0800 06 04 0001 02000000000a 0a000001 000000000000 0a000002');

  test('a request is read octet by octet, and padding is ignored', () => {
    const arp = new ArpPacket();
    expect(at(Uint8Array.from([...REQUEST, ...new Uint8Array(18)]), parseArp, arp)).toBeNull();
    expect(arp).toEqual(
      Object.assign(new ArpPacket(), {
        operation: ARP_REQUEST,
        senderMacAt: WALL + 8,
        senderAddress: 0x0a000001,
        targetMacAt: WALL + 18,
        targetAddress: 0x0a000002,
      }),
    );
  });

  test('a request written is the vector; its target MAC is zero whatever was there', () => {
    const out = new Uint8Array(30).fill(0xee);
    expect(writeArp(out, 1, ARP_REQUEST, hex('02000000000a'), 0x0a000001, null, 0, 0x0a000002)).toBe(29);
    expect(toHex(out)).toBe(`ee${toHex(REQUEST)}ee`);
  });

  test.each([
    ['27 octets', 27, 0, 0],
    ['hardware not Ethernet', 28, 1, 6],
    ['protocol not IPv4', 28, 2, 0x86],
    ['MAC of another length', 28, 4, 8],
    ['address of another length', 28, 5, 16],
    ['operation 0', 28, 7, 0],
    ['operation 3', 28, 7, 3],
    ['a group as sender', 28, 8, 0xff],
  ])('%s is malformed', (_, length, offset, value) => {
    const packet = REQUEST.slice(0, length);
    packet[offset] = value;
    expect(at(packet, parseArp, new ArpPacket())).toBe('arp-malformed');
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(mac, mac, int32, int32, fc.constantFrom(1, 2), (sm, tm, sa, ta, operation) => {
        sm[0]! &= 0xfe;
        const out = new Uint8Array(40);
        writeArp(out, 3, operation, sm, sa, tm, 0, ta);
        const arp = new ArpPacket();
        expect(parseArp(out, 3, 31, arp)).toBeNull();
        expect(arp).toMatchObject({ operation, senderAddress: sa, targetAddress: ta });
        expect(toHex(out, arp.senderMacAt, arp.senderMacAt + 6)).toBe(toHex(sm));
        expect(toHex(out, arp.targetMacAt, arp.targetMacAt + 6)).toBe(toHex(tm));
      }),
      SEEDED,
    );
    expect(ARP_REPLY).toBe(2);
  });

  test(
    '100,000 packets of garbage: no throw, nothing read outside',
    () => {
      const arp = new ArpPacket();
      const seen = fuzz([REQUEST], ROUNDS, (bytes, from, to) => {
        const reason = parseArp(bytes, from, to, arp);
        return reason === null ? [reason, ...Object.values(arp)] : [reason];
      });
      expect(Object.keys(seen).sort()).toEqual(['arp-malformed', 'null']);
    },
    FUZZ_TIMEOUT,
  );
});

describe('UDP', () => {
  const DATAGRAM = hex('1f90 0035 000b 0000 616263 0000');

  test('a header is read; what is behind its length is not payload', () => {
    const h = new UdpHeader();
    expect(at(DATAGRAM, parseUdp, h)).toBeNull();
    expect(h).toMatchObject({ srcPort: 8080, dstPort: 53, length: 11, checksum: 0 });
    expect([h.payloadFrom, h.payloadTo]).toEqual([WALL + 8, WALL + 11]);
  });

  test.each([
    ['7 octets', 7, 7],
    ['a length below 8', 11, 7],
    ['a length beyond the packet', 11, 12],
  ])('%s is malformed', (_, octets, length) => {
    const packet = DATAGRAM.slice(0, octets);
    packet[5] = length;
    expect(at(packet, parseUdp, new UdpHeader())).toBe('udp-malformed');
  });

  test('what is written is read back, with a checksum that verifies and is never 0', () => {
    fc.assert(
      fc.property(u16, u16, body, int32, int32, (sp, dp, data, src, dst) => {
        const out = new Uint8Array(120);
        const length = 8 + data.length;
        expect(writeUdp(out, 5, sp, dp, data.length)).toBe(13);
        out.set(data, 13);
        const pseudo = pseudoSum4(src, dst, 17, length);
        finishUdp(out, 5, length, pseudo);
        const h = new UdpHeader();
        expect(parseUdp(out, 5, 120, h)).toBeNull();
        expect(h).toMatchObject({ srcPort: sp, dstPort: dp, length, payloadFrom: 13, payloadTo: 5 + length });
        expect(h.checksum).not.toBe(0);
        expect(verifyUdp(out, 5, h.payloadTo, pseudo, 4)).toBe(true);
        expect(verifyUdp(out, 5, h.payloadTo, pseudo + 1, 6)).toBe(false);
      }),
      SEEDED,
    );
  });

  test('a checksum that comes out as 0 is sent as ffff (RFC 768)', () => {
    const out = new Uint8Array(8);
    writeUdp(out, 0, 0, 0, 0);
    // The words are 0, 0, 8 and this pseudo sum makes them ffff.
    finishUdp(out, 0, 8, 0xffff - 8);
    expect(toHex(out)).toBe('000000000008ffff');
    expect(verifyUdp(out, 0, 8, 0xffff - 8, 6)).toBe(true);
  });

  test('no checksum is fine over IPv4 and an error over IPv6 (RFC 8200 §8.1)', () => {
    expect(verifyUdp(DATAGRAM, 0, 11, 1, 4)).toBe(true);
    expect(verifyUdp(DATAGRAM, 0, 11, 1, 6)).toBe(false);
  });

  test(
    '100,000 datagrams of garbage: no throw, nothing read outside',
    () => {
      const h = new UdpHeader();
      const seen = fuzz([DATAGRAM], ROUNDS, (bytes, from, to) => {
        const reason = parseUdp(bytes, from, to, h);
        if (reason !== null) return [reason];
        check(h.payloadFrom === from + 8 && h.payloadTo >= h.payloadFrom && h.payloadTo <= to, 'the payload is inside');
        return [reason, ...Object.values(h), verifyUdp(bytes, from, h.payloadTo, 99, 4)];
      });
      expect(Object.keys(seen).sort()).toEqual(['null', 'udp-malformed']);
    },
    FUZZ_TIMEOUT,
  );
});

describe('ICMP', () => {
  const ECHO = hex('08 00 a6f1 0001 0002 5100 0000');

  test('an echo is read and its checksum verified', () => {
    const m = new IcmpMessage();
    const sum = new Uint8Array(ECHO.length);
    writeIcmpEcho(sum, 0, ICMP_ECHO, 1, 2, hex('51000000'), 0, 4);
    // By hand: 0800 + 0001 + 0002 + 5100 = 5903, and its complement is a6fc.
    expect(toHex(sum)).toBe('0800a6fc0001000251000000');
    expect(at(sum, parseIcmp, m)).toBeNull();
    expect(m).toMatchObject({ type: 8, code: 0, rest: 0x00010002, id: 1, seq: 2 });
    expect([m.bodyFrom, m.bodyTo]).toEqual([WALL + 8, WALL + 12]);
    expect(at(ECHO, parseIcmp, m)).toBe('icmp-bad-checksum');
    expect(at(ECHO.subarray(0, 7), parseIcmp, m)).toBe('icmp-truncated');
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.constantFrom(ICMP_ECHO, ICMP_ECHO_REPLY), u16, u16, body, (type, id, seq, data) => {
        const out = new Uint8Array(130).fill(0xee);
        const end = writeIcmpEcho(out, 3, type, id, seq, data, 0, data.length);
        expect(end).toBe(11 + data.length);
        expect(out[end]).toBe(0xee);
        const m = new IcmpMessage();
        expect(parseIcmp(out, 3, end, m)).toBeNull();
        expect(m).toMatchObject({ type, code: 0, id, seq, bodyFrom: 11, bodyTo: end });
        expect(toHex(out, 11, end)).toBe(toHex(data));
      }),
      SEEDED,
    );
  });

  test('an error quotes what fits 576 octets in all (RFC 1812 §4.3.2.3)', () => {
    const packet = Uint8Array.from({ length: 1500 }, (_, i) => i);
    const out = new Uint8Array(1500);
    const end = writeIcmpError(out, 0, ICMP_UNREACHABLE, UNREACHABLE_FRAGMENTATION_NEEDED, 1400, packet, 0, 1500);
    expect(20 + end).toBe(576);
    const m = new IcmpMessage();
    expect(parseIcmp(out, 0, end, m)).toBeNull();
    expect(m).toMatchObject({ type: 3, code: 4, rest: 1400, bodyFrom: 8, bodyTo: 556 });
    expect(toHex(out, 8, 556)).toBe(toHex(packet, 0, 548));
    expect(writeIcmpError(out, 0, 3, 3, 0, packet, 10, 38)).toBe(36);
    expect(toHex(out, 8, 36)).toBe(toHex(packet, 10, 38));
  });

  test('errors are told from questions (RFC 1122 §3.2.2)', () => {
    expect(Array.from({ length: 256 }, (_, i) => i).filter(isIcmpError)).toEqual([3, 4, 5, 11, 12]);
    expect(Array.from({ length: 256 }, (_, i) => i).filter(isIcmpv6Error)).toHaveLength(128);
    expect(isIcmpv6Error(127) && !isIcmpv6Error(128)).toBe(true);
  });

  test('ICMPv6 includes its addresses in the checksum, and quotes what fits 1280 octets (RFC 4443 §2.4)', () => {
    const pseudo = (length: number): number => pseudoSum6(1, 2, 3, 4, 5, 6, 7, 8, 58, length);
    const out = new Uint8Array(1500);
    const m = new IcmpMessage();
    let end = writeIcmpv6Echo(out, 2, ICMPV6_ECHO, 7, 9, hex('616263'), 0, 3);
    finishIcmpv6(out, 2, end - 2, pseudo(end - 2));
    expect(parseIcmpv6(out, 2, end, m, pseudo(end - 2))).toBeNull();
    expect(m).toMatchObject({ type: 128, id: 7, seq: 9, bodyFrom: 10, bodyTo: 13 });
    expect(parseIcmpv6(out, 2, end, m, pseudo(end - 2) + 1)).toBe('icmp-bad-checksum');
    expect(parseIcmpv6(out, 2, 9, m, 0)).toBe('icmp-truncated');
    end = writeIcmpv6Error(out, 0, ICMPV6_PACKET_TOO_BIG, 0, 1400, new Uint8Array(1500).fill(5), 0, 1500);
    finishIcmpv6(out, 0, end, pseudo(end));
    expect(40 + end).toBe(1280);
    expect(parseIcmpv6(out, 0, end, m, pseudo(end))).toBeNull();
    expect(m).toMatchObject({ type: 2, code: 0, rest: 1400 });
  });

  test(
    '100,000 messages of garbage: no throw, nothing read outside',
    () => {
      const good = new Uint8Array(40);
      const end = writeIcmpEcho(good, 0, ICMP_ECHO, 1, 2, good, 0, 20);
      const m = new IcmpMessage();
      for (const pseudo of [0, 77]) {
        const seen = fuzz([good.slice(0, end)], ROUNDS / 2, (bytes, from, to) => {
          const reason = parseIcmpv6(bytes, from, to, m, pseudo);
          return reason === null ? [reason, ...Object.values(m)] : [reason];
        });
        // With the wrong pseudo header a good one comes by chance.
        if (pseudo === 0) expect(Object.keys(seen).sort()).toEqual(['icmp-bad-checksum', 'icmp-truncated', 'null']);
      }
    },
    FUZZ_TIMEOUT,
  );
});

describe('the packet that an error quotes', () => {
  const tcp4 = new Uint8Array(40);
  writeTcp(tcp4, writeIpv4(tcp4, 0, 20, 1, 64, 6, 0, 0x0a000001, 0x0a000002, true), 49152, 80, -5, 0, ACK, 0, 0, 0);
  const tcp6 = new Uint8Array(60);
  const A6 = 0xfd000000 | 0;
  writeTcp(tcp6, writeIpv6(tcp6, 0, 20, 6, 64, 0, 0, A6, 0, 0, 1, A6, 0, 0, 2), 49152, 80, 77, 0, ACK, 0, 0, 0);

  test('of TCP gives addresses, ports and sequence number, from 8 octets behind the IP header', () => {
    const q = new Quoted();
    expect(at(tcp4.subarray(0, 28), parseQuoted, q)).toBe(true);
    expect(q).toMatchObject({ family: 4, protocol: 6, src2: 0xffff, src3: 0x0a000001, dst3: 0x0a000002 });
    expect(q).toMatchObject({ srcPort: 49152, dstPort: 80, seq: -5 });
    expect(at(tcp4.subarray(0, 27), parseQuoted, q)).toBe(false);
    expect(at(tcp6.subarray(0, 48), parseQuoted, q)).toBe(true);
    expect(q).toMatchObject({ family: 6, protocol: 6, src0: A6, src2: 0, src3: 1, dst0: A6, dst3: 2, seq: 77 });
    expect(at(tcp6.subarray(0, 47), parseQuoted, q)).toBe(false);
  });

  test('is read behind IP options', () => {
    const packet = Uint8Array.from([0x46, ...tcp4.subarray(1, 20), 1, 1, 1, 1, ...tcp4.subarray(20, 28)]);
    const q = new Quoted();
    expect(at(packet, parseQuoted, q)).toBe(true);
    expect(q.srcPort).toBe(49152);
    expect(at(packet.subarray(0, 31), parseQuoted, q)).toBe(false);
  });

  test('of UDP gives ports and no sequence number of the quote before', () => {
    const q = new Quoted();
    at(tcp4, parseQuoted, q);
    const udp = tcp4.slice();
    udp[9] = 17;
    expect(at(udp, parseQuoted, q)).toBe(true);
    expect(q).toMatchObject({ protocol: 17, srcPort: 49152, dstPort: 80, seq: 0 });
  });

  test('of an echo gives identifier and sequence number, each family its own ICMP', () => {
    const q = new Quoted();
    const echo = new Uint8Array(28);
    writeIcmpEcho(echo, writeIpv4(echo, 0, 8, 1, 64, 1, 0, 1, 2, true), ICMP_ECHO, 258, 3, echo, 0, 0);
    expect(at(echo, parseQuoted, q)).toBe(true);
    expect(q).toMatchObject({ icmpType: 8, icmpId: 258, icmpSeq: 3, srcPort: 0 });
    echo[9] = 58;
    expect(at(echo, parseQuoted, q)).toBe(false);
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['version 5', tcp4.slice().fill(0x55, 0, 1)],
    ['a header length of 16', tcp4.slice().fill(0x44, 0, 1)],
    ['a later fragment', tcp4.slice().fill(1, 7, 8)],
    ['another protocol', tcp4.slice().fill(47, 9, 10)],
    ['an extension header', tcp6.slice().fill(44, 6, 7)],
    ['a v4-mapped source', tcp6.slice().fill(0, 8, 18).fill(255, 18, 20)],
  ])('%s is not taken', (_, packet) => {
    expect(at(packet, parseQuoted, new Quoted())).toBe(false);
  });

  test(
    '100,000 quotes of garbage: no throw, nothing read outside',
    () => {
      const q = new Quoted();
      const seen = fuzz([tcp4, tcp4.subarray(0, 28), tcp6, tcp6.subarray(0, 48)], ROUNDS, (bytes, from, to) => {
        const taken = parseQuoted(bytes, from, to, q);
        return taken ? [taken, ...Object.values(q)] : [taken];
      });
      expect(Object.keys(seen).sort()).toEqual(['false', 'true']);
    },
    FUZZ_TIMEOUT,
  );
});
