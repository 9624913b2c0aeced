// Reads a packet that the host sent, checks that it is well formed, and says it in a script's words.

import { IcmpMessage, parseIcmp } from '../../wire/icmp.ts';
import { parseIcmpv6 } from '../../wire/icmpv6.ts';
import { Ipv4Header, PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, parseIpv4, pseudoSum4 } from '../../wire/ipv4.ts';
import { Ipv6Header, parseIpv6, pseudoSum6 } from '../../wire/ipv6.ts';
import { ACK, CWR, ECE, FIN, PSH, parseTcp, RST, Segment, SYN, URG, verifyTcp } from '../../wire/tcp.ts';
import type { Conversation } from './conversation.ts';
import type { TcpOption } from './script.ts';

/** A packet of the host, read. Sequence numbers are int32, as on the wire. */
export interface Actual {
  /** Microseconds since the beginning of the script. */
  readonly time: number;
  /** Why it is not well formed; empty when it is. */
  readonly fault: string;
  readonly tos: number;
  readonly ttl: number;
  readonly flowLabel: number;
  readonly tcp: ActualTcp | null;
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | null;
}

/** A segment of the host. */
export interface ActualTcp {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly length: number;
  /** The options, in the order in which they stand there. */
  readonly options: readonly TcpOption[];
}

/** Reads a packet that the host sent. */
export function readActual(packet: Uint8Array, time: number): Actual {
  return (packet[0] ?? 0) >> 4 === 6 ? readV6(packet, time) : readV4(packet, time);
}

function readV4(packet: Uint8Array, time: number): Actual {
  const ip = new Ipv4Header();
  const fault = parseIpv4(packet, 0, packet.length, ip);
  const base = { time, tos: packet[1] ?? 0, ttl: packet[8] ?? 0, flowLabel: 0 };
  if (fault !== null) return { ...base, fault, tcp: null, icmp: null };
  const length = ip.payloadTo - ip.payloadFrom;
  const sum = pseudoSum4(ip.src, ip.dst, ip.protocol, length);
  if (ip.protocol === PROTO_TCP) return { ...base, icmp: null, ...readTcp(packet, ip.payloadFrom, ip.payloadTo, sum) };
  if (ip.protocol !== PROTO_ICMP) return { ...base, fault: `protocol ${ip.protocol}`, tcp: null, icmp: null };
  const icmp = new IcmpMessage();
  const bad = parseIcmp(packet, ip.payloadFrom, ip.payloadTo, icmp);
  return { ...base, fault: bad ?? '', tcp: null, icmp };
}

function readV6(packet: Uint8Array, time: number): Actual {
  const ip = new Ipv6Header();
  const fault = parseIpv6(packet, 0, packet.length, ip);
  const word = ((packet[0] ?? 0) << 24) | ((packet[1] ?? 0) << 16) | ((packet[2] ?? 0) << 8) | (packet[3] ?? 0);
  const base = { time, tos: (word >> 20) & 0xff, ttl: packet[7] ?? 0, flowLabel: word & 0xfffff };
  if (fault !== null) return { ...base, fault, tcp: null, icmp: null };
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3, nextHeader } = ip;
  const length = ip.payloadTo - ip.payloadFrom;
  const sum = pseudoSum6(src0, src1, src2, src3, dst0, dst1, dst2, dst3, nextHeader, length);
  if (nextHeader === PROTO_TCP) return { ...base, icmp: null, ...readTcp(packet, ip.payloadFrom, ip.payloadTo, sum) };
  if (nextHeader !== PROTO_ICMPV6) return { ...base, fault: `protocol ${nextHeader}`, tcp: null, icmp: null };
  const icmp = new IcmpMessage();
  const bad = parseIcmpv6(packet, ip.payloadFrom, ip.payloadTo, icmp, sum);
  return { ...base, fault: bad ?? '', tcp: null, icmp };
}

function readTcp(bytes: Uint8Array, from: number, to: number, sum: number): { fault: string; tcp: ActualTcp | null } {
  const seg = new Segment();
  const fault = parseTcp(bytes, from, to, seg);
  if (fault !== null) return { fault, tcp: null };
  const options = readOptions(bytes, from + 20, from + seg.dataOffset);
  const { srcPort, dstPort, seq, ack, flags } = seg;
  const tcp = { srcPort, dstPort, seq, ack, flags, window: seg.wnd, urgent: seg.urg, length: seg.len, options };
  return { fault: verifyTcp(bytes, from, to, sum) ? '' : 'tcp-bad-checksum', tcp };
}

/** The options octet by octet, since a script knows their order and padding. */
function readOptions(bytes: Uint8Array, from: number, to: number): TcpOption[] {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options: TcpOption[] = [];
  for (let at = from; at < to; ) {
    const number = bytes[at] ?? 0;
    if (number < 2) {
      options.push({ kind: number === 0 ? 'eol' : 'nop' });
      at++;
      continue;
    }
    const length = Math.max(bytes[at + 1] ?? 0, 2);
    if (at + length > to) return [...options, { kind: 'unknown', number, data: [...bytes.subarray(at + 1, to)] }];
    options.push(readOption(v, bytes, at, number, length));
    at += length;
  }
  return options;
}

function readOption(v: DataView, bytes: Uint8Array, at: number, number: number, length: number): TcpOption {
  if (number === 2 && length === 4) return { kind: 'mss', value: v.getUint16(at + 2) };
  if (number === 3 && length === 3) return { kind: 'wscale', value: v.getUint8(at + 2) };
  if (number === 4 && length === 2) return { kind: 'sackOK' };
  if (number === 8 && length === 10) return { kind: 'TS', val: v.getUint32(at + 2), ecr: v.getUint32(at + 6) };
  if (number === 5 && (length - 2) % 8 === 0) {
    const blocks: [number, number][] = [];
    for (let i = at + 2; i < at + length; i += 8) blocks.push([v.getInt32(i), v.getInt32(i + 4)]);
    return { kind: 'sack', blocks };
  }
  const data = [...bytes.subarray(at + 2, at + length)];
  if (number === 34) return { kind: 'FO', number, data };
  if (number === 254 && data[0] === 0xf9 && data[1] === 0x89) return { kind: 'FOEXP', number, data: data.slice(2) };
  return { kind: number === 19 ? 'md5' : 'unknown', number, data };
}

/** An option as a script writes it. */
export function formatOption(option: TcpOption): string {
  switch (option.kind) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return option.kind;
    case 'mss':
    case 'wscale':
      return `${option.kind} ${option.value}`;
    case 'TS':
      return `TS val ${option.val >>> 0} ecr ${option.ecr >>> 0}`;
    case 'sack':
      return `sack ${option.blocks.map(([from, to]) => `${from}:${to}`).join(' ')}`;
    default: {
      const data = option.data.map((octet) => octet.toString(16).padStart(2, '0')).join('');
      const name = option.kind === 'unknown' ? `unknown ${option.number}` : option.kind;
      return data === '' ? name : `${name} ${data}`;
    }
  }
}

/** Letters of flags in the order in which scripts write them. */
const FLAG_LETTERS = [
  ['F', FIN],
  ['S', SYN],
  ['R', RST],
  ['P', PSH],
  ['U', URG],
  ['E', ECE],
  ['W', CWR],
  ['.', ACK],
] as const;

/** Flags as a script writes them. */
export function formatFlags(flags: number): string {
  let text = '';
  for (const [letter, bit] of FLAG_LETTERS) if ((flags & bit) !== 0) text += letter;
  return text === '' ? '-' : text;
}

/** Seconds with all six digits. */
export function formatTime(micros: number): string {
  return (micros / 1_000_000).toFixed(6);
}

/** A packet in a script's words and numbers. */
export function formatActual(actual: Actual, of: Conversation | null): string {
  const time = formatTime(actual.time);
  if (actual.icmp !== null) return `${time} > icmp type_${actual.icmp.type} code_${actual.icmp.code}`;
  const t = actual.tcp;
  if (t === null) return `${time} > ${actual.fault}`;
  const seq = (of === null || !of.known ? t.seq : of.script(t.seq)) >>> 0;
  const ack = (t.flags & 16) === 0 ? '' : ` ack ${t.ack >>> 0}`;
  const urg = (t.flags & 32) === 0 ? '' : ` urg ${t.urgent}`;
  const options = t.options.length === 0 ? '' : ` <${t.options.map(formatOption).join(',')}>`;
  const range = `${seq}:${(seq + t.length) >>> 0}(${t.length})`;
  return `${time} > ${formatFlags(t.flags)} ${range}${ack} win ${t.window}${urg}${options}`;
}
