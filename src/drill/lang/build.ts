// Makes the packets that a script lets arrive.

import { finishIcmp, writeIcmp, writeIcmpError } from '../../wire/icmp.ts';
import { finishIcmpv6, writeIcmpv6Error } from '../../wire/icmpv6.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, pseudoSum4, writeIpv4 } from '../../wire/ipv4.ts';
import { pseudoSum6, writeIpv6 } from '../../wire/ipv6.ts';
import {
  ACK,
  finishTcp,
  putEnd,
  putMss,
  putNop,
  putSackBlocks,
  putSackPermitted,
  putTimestamps,
  putWscale,
  writeTcp,
} from '../../wire/tcp.ts';
import type { Conversation, Ends } from './conversation.ts';
import { icmpNumbers } from './icmp-names.ts';
import { optionLength } from './parse-packet.ts';
import type { IcmpSpec, IpInfo, TcpOption, TcpSpec } from './script.ts';

/** Hop limit of packets that a script lets arrive, where it names none. */
const HOPS = 255;
const ECN_BITS: Readonly<Record<string, number>> = { noecn: 0, ect1: 1, ect0: 2, ect01: 2, ce: 3 };
/** First octets of an experimental option of fast open (RFC 7413 appendix A, RFC 6994). */
const FAST_OPEN_MAGIC = [0xf9, 0x89];

/** The segment of a script as an IP packet from the peer. */
export function buildTcp(spec: TcpSpec, to: Conversation, ends: Ends, ticks: boolean): Uint8Array {
  const options = spec.options ?? [];
  const optionOctets = options.reduce((sum, option) => sum + optionLength(option), 0);
  const length = 20 + optionOctets + spec.length;
  const packet = new Uint8Array(header(ends) + length);
  const at = writeIp(packet, spec.ip, ends, true, PROTO_TCP, length);
  const srcPort = spec.srcPort > 0 ? spec.srcPort : to.remotePort;
  const dstPort = spec.dstPort > 0 ? spec.dstPort : to.localPort;
  const ack = (spec.flags & ACK) === 0 && spec.ack === 0 ? 0 : to.live(spec.ack);
  let end = writeTcp(
    packet,
    at,
    srcPort,
    dstPort,
    spec.seq | 0,
    ack,
    spec.flags,
    Math.max(spec.window, 0),
    spec.urgent,
    optionOctets,
  );
  for (const option of options) end = putOption(packet, end, option, to, ticks);
  finishTcp(packet, at, length, pseudoSum(ends, PROTO_TCP, length));
  return packet;
}

function putOption(out: Uint8Array, at: number, option: TcpOption, to: Conversation, ticks: boolean): number {
  switch (option.kind) {
    case 'nop':
      return putNop(out, at);
    case 'eol':
      return putEnd(out, at);
    case 'sackOK':
      return putSackPermitted(out, at);
    case 'mss':
      return putMss(out, at, option.value);
    case 'wscale':
      return putWscale(out, at, option.value);
    case 'TS':
      return putTimestamps(out, at, option.val | 0, to.liveStamp(option.ecr, ticks));
    case 'sack': {
      const left = Int32Array.from(option.blocks, ([from]) => to.live(from));
      const right = Int32Array.from(option.blocks, ([, end]) => to.live(end));
      return putSackBlocks(out, at, left, right, option.blocks.length);
    }
    default: {
      const data = option.kind === 'FOEXP' ? [...FAST_OPEN_MAGIC, ...option.data] : option.data;
      out[at] = option.number;
      out[at + 1] = 2 + data.length;
      out.set(data, at + 2);
      return at + 2 + data.length;
    }
  }
}

/**
 * The ICMP message of a script as an IP packet from the peer's side; `null` where this version of IP has no such
 * message. An error quotes a segment of the connection.
 */
export function buildIcmp(spec: IcmpSpec, about: Conversation, ends: Ends): Uint8Array | null {
  const numbers = icmpNumbers(spec.type, spec.code, ends.v6);
  if (numbers === null) return null;
  const quote = quoted(spec, about, ends);
  const length = 8 + quote.length;
  const packet = new Uint8Array(header(ends) + length);
  const at = writeIp(packet, spec.ip, ends, true, ends.v6 ? PROTO_ICMPV6 : PROTO_ICMP, length);
  const rest = spec.mtu >= 0 ? spec.mtu : spec.id << 16;
  if (ends.v6) {
    writeIcmpv6Error(packet, at, numbers.type, numbers.code, rest, quote, 0, quote.length);
    finishIcmpv6(packet, at, length, pseudoSum(ends, PROTO_ICMPV6, length));
  } else if (quote.length > 0) {
    writeIcmpError(packet, at, numbers.type, numbers.code, rest, quote, 0, quote.length);
  } else {
    writeIcmp(packet, at, numbers.type, numbers.code, rest);
    finishIcmp(packet, at, length);
  }
  return packet;
}

/** The front of a segment of ours: IP header, ports and sequence number. */
function quoted(spec: IcmpSpec, about: Conversation, ends: Ends): Uint8Array {
  const echo = spec.type === 'echo_request' || spec.type === 'echo_reply';
  if (echo) return new Uint8Array(0);
  const packet = new Uint8Array(header(ends) + 20);
  const at = writeIp(packet, { ecn: null, tos: -1, ttl: -1, flowLabel: -1 }, ends, false, PROTO_TCP, 20);
  writeTcp(packet, at, about.localPort, about.remotePort, about.live(spec.quoted), 0, 16, 0, 0, 0);
  return packet.subarray(0, at + 8);
}

function header(ends: Ends): number {
  return ends.v6 ? 40 : 20;
}

function pseudoSum(ends: Ends, protocol: number, length: number): number {
  const { local: d, remote: s } = ends;
  if (!ends.v6) return pseudoSum4(s[3]!, d[3]!, protocol, length);
  return pseudoSum6(s[0]!, s[1]!, s[2]!, s[3]!, d[0]!, d[1]!, d[2]!, d[3]!, protocol, length);
}

/** Writes the IP header; `inbound` from the peer to the host, the other way round otherwise. */
function writeIp(out: Uint8Array, ip: IpInfo, ends: Ends, inbound: boolean, protocol: number, length: number): number {
  const tos = ip.tos >= 0 ? ip.tos : ip.ecn === null ? 0 : (ECN_BITS[ip.ecn] ?? 0);
  const ttl = ip.ttl >= 0 ? ip.ttl : HOPS;
  const [s, d] = inbound ? [ends.remote, ends.local] : [ends.local, ends.remote];
  if (!ends.v6) return writeIpv4(out, 0, length, 0, ttl, protocol, tos, s[3]!, d[3]!, true);
  const label = Math.max(ip.flowLabel, 0);
  return writeIpv6(out, 0, length, protocol, ttl, tos, label, s[0]!, s[1]!, s[2]!, s[3]!, d[0]!, d[1]!, d[2]!, d[3]!);
}
