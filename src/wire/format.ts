// One line of text for any packet, in tcpdump's spirit; garbage gets a line too.
//
// For people, not for the fast path: it makes header objects and strings for every packet. Numbers are shown
// as on the wire, never relative, so that a line means the same wherever it stands.

import { fold, onesSum } from '../base/checksum.ts';
import type { Medium } from '../base/link.ts';
import { formatAddress, formatMac, V4_MAPPED } from './address.ts';
import { ARP_REQUEST, ArpPacket, parseArp } from './arp.ts';
import { get16 } from './bytes.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, EthernetHeader, parseEthernet } from './ethernet.ts';
import * as icmp from './icmp.ts';
import * as icmpv6 from './icmpv6.ts';
import { Ipv4Header, PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, PROTO_UDP, parseIpv4, pseudoSum4 } from './ipv4.ts';
import { Ipv6Header, parseIpv6, pseudoSum6 } from './ipv6.ts';
import { parseQuoted, Quoted } from './quoted.ts';
import { ACK, CWR, ECE, FIN, PSH, parseTcp, RST, Segment, SYN, URG } from './tcp.ts';
import { parseUdp, UDP_HEADER, UdpHeader } from './udp.ts';

/**
 * Describes the packet in `bytes[from, to)` in one line, without a line end. Never throws, whatever it is.
 *
 * @example
 * ```text
 * IP 10.0.0.1.49152 > 10.0.0.2.80: Flags [S], seq 7, win 64240, options [mss 1460], length 0
 * ```
 * @param medium whether an Ethernet header comes first
 */
export function formatPacket(bytes: Uint8Array, from: number, to: number, medium: Medium): string {
  return medium === 'ethernet' ? formatFrame(bytes, from, to) : formatIp(bytes, from, to);
}

function formatFrame(bytes: Uint8Array, from: number, to: number): string {
  const header = new EthernetHeader();
  const reason = parseEthernet(bytes, from, to, header);
  if (reason !== null) return refused('Ethernet', reason, from, to);
  switch (header.type) {
    case ETHERTYPE_ARP:
      return formatArp(bytes, header.payloadFrom, to);
    case ETHERTYPE_IPV4:
    case ETHERTYPE_IPV6:
      return formatIp(bytes, header.payloadFrom, to);
    default: {
      const type = header.type.toString(16).padStart(4, '0');
      return `${formatMac(bytes, from + 6)} > ${formatMac(bytes, from)}, ethertype 0x${type}, length ${to - from}`;
    }
  }
}

function refused(what: string, reason: string, from: number, to: number): string {
  return `${what} [${reason}], length ${to - from}`;
}

function quad(w3: number): string {
  return formatAddress(0, 0, V4_MAPPED, w3);
}

function formatArp(bytes: Uint8Array, from: number, to: number): string {
  const arp = new ArpPacket();
  const reason = parseArp(bytes, from, to, arp);
  if (reason !== null) return refused('ARP', reason, from, to);
  const sender = quad(arp.senderAddress);
  if (arp.operation === ARP_REQUEST) return `ARP, Request who-has ${quad(arp.targetAddress)} tell ${sender}`;
  return `ARP, Reply ${sender} is-at ${formatMac(bytes, arp.senderMacAt)}`;
}

/** What the lines of both versions need of their header. */
interface Ip {
  readonly name: 'IP' | 'IP6';
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly from: number;
  readonly to: number;
  /** Sum of the pseudo header for the whole payload. */
  readonly pseudo: number;
  /** A fragment, whose checksum covers more than is here. */
  readonly fragment: boolean;
}

function formatIp(bytes: Uint8Array, from: number, to: number): string {
  if (to <= from) return 'IP [ip-truncated], length 0';
  return bytes[from]! >> 4 === 6 ? formatIp6(bytes, from, to) : formatIp4(bytes, from, to);
}

function formatIp4(bytes: Uint8Array, from: number, to: number): string {
  const h = new Ipv4Header();
  const reason = parseIpv4(bytes, from, to, h, false);
  if (reason !== null) return refused('IP', reason, from, to);
  const bad = fold(onesSum(bytes, from, from + h.ihl, 0)) === 0xffff ? '' : ' [bad IP checksum]';
  const src = quad(h.src);
  const dst = quad(h.dst);
  const length = h.payloadTo - h.payloadFrom;
  if (h.fragmentOffset !== 0) {
    const more = h.mf ? '+' : '';
    return `IP ${src} > ${dst}: fragment ${h.id}:${length}@${h.fragmentOffset}${more}, protocol ${h.protocol}${bad}`;
  }
  const line = formatTransport(bytes, {
    name: 'IP',
    src,
    dst,
    protocol: h.protocol,
    from: h.payloadFrom,
    to: h.payloadTo,
    pseudo: pseudoSum4(h.src, h.dst, h.protocol, length),
    fragment: h.mf,
  });
  return h.mf ? `${line}, first fragment ${h.id}${bad}` : line + bad;
}

function formatIp6(bytes: Uint8Array, from: number, to: number): string {
  const h = new Ipv6Header();
  const reason = parseIpv6(bytes, from, to, h);
  if (reason !== null && reason !== 'ip-extension-header') return refused('IP6', reason, from, to);
  const src = formatAddress(h.src0, h.src1, h.src2, h.src3);
  const dst = formatAddress(h.dst0, h.dst1, h.dst2, h.dst3);
  if (reason !== null) {
    return `IP6 ${src} > ${dst}: extension header ${h.nextHeader}, length ${h.payloadLength}`;
  }
  const next = h.nextHeader;
  const length = h.payloadLength;
  return formatTransport(bytes, {
    name: 'IP6',
    src,
    dst,
    protocol: next,
    from: h.payloadFrom,
    to: h.payloadTo,
    pseudo: pseudoSum6(h.src0, h.src1, h.src2, h.src3, h.dst0, h.dst1, h.dst2, h.dst3, next, length),
    fragment: false,
  });
}

function formatTransport(bytes: Uint8Array, ip: Ip): string {
  const way = `${ip.name} ${ip.src} > ${ip.dst}:`;
  switch (ip.protocol) {
    case PROTO_TCP:
      return formatTcp(bytes, ip, way);
    case PROTO_UDP:
      return formatUdp(bytes, ip, way);
    case PROTO_ICMP:
      if (ip.name === 'IP') return formatIcmp(bytes, ip, way, 0, 'ICMP', describeIcmp);
      break;
    case PROTO_ICMPV6:
      if (ip.name === 'IP6') return formatIcmp(bytes, ip, way, ip.pseudo, 'ICMP6', describeIcmpv6);
      break;
  }
  return `${way} protocol ${ip.protocol}, length ${ip.to - ip.from}`;
}

/**
 * A note when the transport checksum is wrong. One that was left to a link to finish (`CHECKSUM_PARTIAL`) is
 * wrong too, until the link has.
 */
function badChecksum(bytes: Uint8Array, ip: Ip, to: number): string {
  return ip.fragment || fold(onesSum(bytes, ip.from, to, ip.pseudo)) === 0xffff ? '' : ' [bad checksum]';
}

function formatTcp(bytes: Uint8Array, ip: Ip, way: string): string {
  const seg = new Segment();
  const reason = parseTcp(bytes, ip.from, ip.to, seg);
  if (reason !== null) return refused(`${way} TCP`, reason, ip.from, ip.to);
  const seq = seg.seq >>> 0;
  const until = seg.len > 0 ? `:${(seg.seq + seg.len) >>> 0}` : '';
  const ack = (seg.flags & ACK) !== 0 ? `, ack ${seg.ack >>> 0}` : '';
  const urg = (seg.flags & URG) !== 0 ? `, urg ${seg.urg}` : '';
  const options = formatOptions(seg);
  return (
    `${ip.name} ${ip.src}.${seg.srcPort} > ${ip.dst}.${seg.dstPort}: Flags [${formatFlags(seg.flags)}], ` +
    `seq ${seq}${until}${ack}, win ${seg.wnd}${urg}${options}, length ${seg.len}${badChecksum(bytes, ip, ip.to)}`
  );
}

/** Flags in tcpdump's letters, as in `S.`; `none` when no bit is set. */
export function formatFlags(flags: number): string {
  const letters =
    ((flags & FIN) !== 0 ? 'F' : '') +
    ((flags & SYN) !== 0 ? 'S' : '') +
    ((flags & RST) !== 0 ? 'R' : '') +
    ((flags & PSH) !== 0 ? 'P' : '') +
    ((flags & ACK) !== 0 ? '.' : '') +
    ((flags & URG) !== 0 ? 'U' : '') +
    ((flags & ECE) !== 0 ? 'E' : '') +
    ((flags & CWR) !== 0 ? 'W' : '');
  return letters === '' ? 'none' : letters;
}

function formatOptions(seg: Segment): string {
  const list: string[] = [];
  if (seg.mss >= 0) list.push(`mss ${seg.mss}`);
  if (seg.sackPermitted) list.push('sackOK');
  if (seg.hasTs) list.push(`TS val ${seg.tsVal >>> 0} ecr ${seg.tsEcr >>> 0}`);
  if (seg.wscale >= 0) list.push(`wscale ${seg.wscale}`);
  if (seg.sackCount > 0) {
    const blocks: string[] = [];
    for (let i = 0; i < seg.sackCount; i++) blocks.push(`{${seg.sackLeft[i]! >>> 0}:${seg.sackRight[i]! >>> 0}}`);
    list.push(`sack ${blocks.length} ${blocks.join('')}`);
  }
  return list.length === 0 ? '' : `, options [${list.join(',')}]`;
}

function formatUdp(bytes: Uint8Array, ip: Ip, way: string): string {
  const h = new UdpHeader();
  const reason = parseUdp(bytes, ip.from, ip.to, h);
  // A first fragment holds less than its UDP length says.
  if (reason !== null && !(ip.fragment && ip.to - ip.from >= UDP_HEADER)) {
    return refused(`${way} UDP`, reason, ip.from, ip.to);
  }
  const ports = `${ip.src}.${get16(bytes, ip.from)} > ${ip.dst}.${get16(bytes, ip.from + 2)}`;
  if (reason !== null) return `${ip.name} ${ports}: UDP, length ${get16(bytes, ip.from + 4) - UDP_HEADER}`;
  const unsummed = h.checksum === 0 && ip.name === 'IP';
  const bad = unsummed ? '' : badChecksum(bytes, ip, h.payloadTo);
  return `${ip.name} ${ports}: UDP, length ${h.payloadTo - h.payloadFrom}${bad}`;
}

function formatIcmp(
  bytes: Uint8Array,
  ip: Ip,
  way: string,
  pseudo: number,
  name: string,
  describe: (m: icmp.IcmpMessage) => string,
): string {
  const m = new icmp.IcmpMessage();
  const reason = icmp.parseIcmpWith(bytes, ip.from, ip.to, m, pseudo);
  if (reason !== null && !ip.fragment) return refused(`${way} ${name}`, reason, ip.from, ip.to);
  if (reason !== null) return `${way} ${name}, length ${ip.to - ip.from}`;
  const isError = ip.name === 'IP' ? icmp.isIcmpError(m.type) : icmpv6.isIcmpv6Error(m.type);
  const about = isError ? formatQuoted(bytes, m.bodyFrom, m.bodyTo) : '';
  return `${way} ${name} ${describe(m)}${about}, length ${ip.to - ip.from}`;
}

function describeIcmp(m: icmp.IcmpMessage): string {
  switch (m.type) {
    case icmp.ICMP_ECHO:
      return `echo request, id ${m.id}, seq ${m.seq}`;
    case icmp.ICMP_ECHO_REPLY:
      return `echo reply, id ${m.id}, seq ${m.seq}`;
    case icmp.ICMP_UNREACHABLE: {
      if (m.code === icmp.UNREACHABLE_FRAGMENTATION_NEEDED) return `fragmentation needed, mtu ${m.rest & 0xffff}`;
      const what = ['net', 'host', 'protocol', 'port'][m.code];
      return what === undefined ? `unreachable, code ${m.code}` : `${what} unreachable`;
    }
    case icmp.ICMP_TIME_EXCEEDED:
      return 'time exceeded';
    default:
      return `type ${m.type}, code ${m.code}`;
  }
}

function describeIcmpv6(m: icmp.IcmpMessage): string {
  switch (m.type) {
    case icmpv6.ICMPV6_ECHO:
      return `echo request, id ${m.id}, seq ${m.seq}`;
    case icmpv6.ICMPV6_ECHO_REPLY:
      return `echo reply, id ${m.id}, seq ${m.seq}`;
    case icmpv6.ICMPV6_UNREACHABLE: {
      const what = ['no route', 'prohibited', 'beyond scope', 'address unreachable', 'port unreachable'][m.code];
      return what ?? `unreachable, code ${m.code}`;
    }
    case icmpv6.ICMPV6_PACKET_TOO_BIG:
      return `packet too big, mtu ${m.rest >>> 0}`;
    case icmpv6.ICMPV6_TIME_EXCEEDED:
      return 'time exceeded';
    default:
      return `type ${m.type}, code ${m.code}`;
  }
}

/** In parentheses, the packet that an error is about, as far as it can be read. */
function formatQuoted(bytes: Uint8Array, from: number, to: number): string {
  const q = new Quoted();
  if (!parseQuoted(bytes, from, to, q)) return '';
  const src = formatAddress(q.src0, q.src1, q.src2, q.src3);
  const dst = formatAddress(q.dst0, q.dst1, q.dst2, q.dst3);
  switch (q.protocol) {
    case PROTO_TCP:
      return ` (TCP ${src}.${q.srcPort} > ${dst}.${q.dstPort}, seq ${q.seq >>> 0})`;
    case PROTO_UDP:
      return ` (UDP ${src}.${q.srcPort} > ${dst}.${q.dstPort})`;
    default:
      return ` (ICMP ${src} > ${dst}, id ${q.icmpId}, seq ${q.icmpSeq})`;
  }
}
