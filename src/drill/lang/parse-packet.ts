// Reads the packets of a script: `< S 0:0(0) win 1000 <mss 1460>` and `> icmp unreachable port_unreachable`.

import { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../wire/tcp.ts';
import type { Cursor } from './cursor.ts';
import { ICMP_CODES, ICMP_TYPES } from './icmp-names.ts';
import type { IcmpSpec, IpInfo, TcpOption, TcpSpec } from './script.ts';

const FLAGS = /-|[FSRPUEW]*\.?/y;
const FLAG_BITS: Readonly<Record<string, number>> = {
  F: FIN,
  S: SYN,
  R: RST,
  P: PSH,
  '.': ACK,
  U: URG,
  E: ECE,
  W: CWR,
};
const HEX = /[0-9a-fA-F]+/y;
const SACK_BLOCK = /(-?\d+):(-?\d+)/y;

/** Reads a packet; its direction comes next. */
export function parsePacket(c: Cursor): TcpSpec | IcmpSpec {
  const inbound = c.takes('<');
  if (!inbound) c.needs('>');
  const ip = parseIpInfo(c);
  if (c.takesWord('icmp')) return parseIcmp(c, inbound, ip);
  if (c.peekWord() === 'udp') c.fail('UDP packets are not understood');
  return parseTcp(c, inbound, ip);
}

function parseIpInfo(c: Cursor): IpInfo {
  let info: IpInfo = { ecn: null, tos: -1, ttl: -1, flowLabel: -1 };
  const close = c.takes('(') ? ')' : c.takes('[') ? ']' : '';
  if (close === '') return info;
  do {
    const at = c.next;
    const word = c.word('ect0, ect1, ect01, ce, noecn, tos, ttl or flowlabel');
    if (word === 'tos') info = { ...info, tos: inRange(c, 'tos', 255) };
    else if (word === 'ttl') info = { ...info, ttl: inRange(c, 'ttl', 255) };
    else if (word === 'flowlabel') info = { ...info, flowLabel: inRange(c, 'flowlabel', 0xfffff) };
    else if (word === 'ect0' || word === 'ect1' || word === 'ect01' || word === 'ce' || word === 'noecn') {
      info = { ...info, ecn: word };
    } else c.fail(`'${word}' is nothing that an IP header has here`, at);
  } while (c.takes(','));
  c.needs(close);
  return info;
}

function inRange(c: Cursor, what: string, most: number): number {
  const at = c.next;
  const value = c.integer(`a number for ${what}`);
  if (value < 0 || value > most) c.fail(`${what} is 0 to ${most}, not ${value}`, at);
  return value;
}

function parseTcp(c: Cursor, inbound: boolean, ip: IpInfo): TcpSpec {
  let srcPort = 0;
  let dstPort = 0;
  if (/\d/.test(c.text[c.next] ?? '')) {
    srcPort = inRange(c, 'a port', 65_535);
    c.needs('>');
    dstPort = inRange(c, 'a port', 65_535);
  }
  const flags = parseFlags(c);
  const at = c.next;
  const seq = sequence(c, 'a sequence number');
  c.needs(':');
  const end = sequence(c, 'the sequence number behind the last octet');
  c.needs('(');
  const length = inRange(c, 'the length', 65_495);
  c.needs(')');
  if (((seq + length) | 0) !== (end | 0)) c.fail(`${seq}:${end} is not ${length} octets`, at);
  const ack = c.takesWord('ack') ? sequence(c, 'an acknowledgement number') : 0;
  const window = c.takesWord('win') ? inRange(c, 'the window', 65_535) : -1;
  const urgent = c.takesWord('urg') ? inRange(c, 'the urgent pointer', 65_535) : 0;
  const options = parseOptions(c);
  return { protocol: 'tcp', inbound, ip, srcPort, dstPort, flags, seq, length, ack, window, urgent, options };
}

function sequence(c: Cursor, what: string): number {
  const at = c.next;
  const value = c.integer(what);
  if (value < -0x8000_0000 || value > 0xffff_ffff) c.fail(`${value} has more than 32 bits`, at);
  return value;
}

function parseFlags(c: Cursor): number {
  const text = c.match(FLAGS)?.[0] ?? '';
  if (text === '') c.expected("flags (letters of FSRPUEW, '.' for ACK, or '-' for none)");
  let flags = 0;
  for (const letter of text) flags |= FLAG_BITS[letter] ?? 0;
  return flags;
}

function parseOptions(c: Cursor): readonly TcpOption[] | null {
  // The next event may be a packet as well, but it has a time in front of its direction.
  if (!c.takes('<')) return [];
  const at = c.next;
  if (c.takes('...')) {
    c.needs('>');
    return null;
  }
  const options: TcpOption[] = [];
  do options.push(parseOption(c));
  while (c.takes(','));
  c.needs('>');
  const octets = options.reduce((sum, option) => sum + optionLength(option), 0);
  if (octets > 40) c.fail(`${octets} octets of options do not fit into a header`, at);
  if (octets % 4 !== 0) c.fail(`${octets} octets of options: pad them with nop or eol to a multiple of 4`, at);
  return options;
}

/** Octets of an option on the wire. */
export function optionLength(option: TcpOption): number {
  switch (option.kind) {
    case 'nop':
    case 'eol':
      return 1;
    case 'sackOK':
      return 2;
    case 'mss':
      return 4;
    case 'wscale':
      return 3;
    case 'sack':
      return 2 + 8 * option.blocks.length;
    case 'TS':
      return 10;
    case 'FOEXP':
      return 4 + option.data.length;
    default:
      return 2 + option.data.length;
  }
}

function parseOption(c: Cursor): TcpOption {
  const at = c.next;
  const word = c.word('a TCP option');
  switch (word) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return { kind: word };
    case 'mss':
      return { kind: word, value: inRange(c, 'mss', 65_535) };
    case 'wscale':
      return { kind: word, value: inRange(c, 'wscale', 255) };
    case 'sack':
      return parseSack(c);
    case 'TS': {
      if (!c.takesWord('val')) c.expected("'val'");
      const val = sequence(c, 'a timestamp');
      if (!c.takesWord('ecr')) c.expected("'ecr'");
      return { kind: 'TS', val, ecr: sequence(c, 'the timestamp that is echoed') };
    }
    case 'FO':
      return { kind: word, number: 34, data: octets(c) };
    case 'FOEXP':
      return { kind: word, number: 254, data: octets(c) };
    case 'md5':
      return { kind: word, number: 19, data: octets(c) };
    case 'unknown':
      return { kind: word, number: inRange(c, 'the kind of an option', 255), data: octets(c) };
    default:
      return c.fail(`'${word}' is no TCP option that is understood`, at);
  }
}

function parseSack(c: Cursor): TcpOption {
  const blocks: [number, number][] = [];
  for (let found = c.match(SACK_BLOCK); found !== null; found = c.match(SACK_BLOCK)) {
    blocks.push([Number(found[1]), Number(found[2])]);
  }
  if (blocks.length === 0) c.expected('a block, as 1001:2001');
  return { kind: 'sack', blocks };
}

function octets(c: Cursor): number[] {
  const text = c.match(HEX)?.[0] ?? '';
  if (text.length % 2 !== 0) c.fail('two hexadecimal digits make an octet', c.at - text.length);
  return Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

function parseIcmp(c: Cursor, inbound: boolean, ip: IpInfo): IcmpSpec {
  const at = c.next;
  const type = c.word('the type of the ICMP message');
  if (ICMP_TYPES[type] === undefined && !/^type_\d+$/.test(type)) c.fail(`'${type}' is no type of ICMP`, at);
  const codeAt = c.next;
  let code = c.peekWord();
  if (code === 'mtu' || code === 'id') code = '';
  if (code !== '') {
    c.word('a code');
    const known = ICMP_CODES[type]?.[code] !== undefined || /^code_\d+$/.test(code);
    if (!known) c.fail(`'${code}' is no code of ICMP ${type}`, codeAt);
  }
  const mtu = c.takesWord('mtu') ? inRange(c, 'the MTU', 0x7fff_ffff) : -1;
  const id = c.takesWord('id') ? inRange(c, 'the identifier', 65_535) : 0;
  let quoted = 0;
  if (c.takes('[')) {
    quoted = sequence(c, 'a sequence number');
    c.needs(':');
    sequence(c, 'a sequence number');
    c.needs('(');
    inRange(c, 'the length', 65_495);
    c.needs(')');
    c.needs(']');
  }
  return { protocol: 'icmp', inbound, ip, type, code, mtu, id, quoted };
}
