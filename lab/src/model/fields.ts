// The octets of a segment with a name for each: IPv4 header, TCP header, options, what the programs said.

/** Which header a field belongs to. */
export type Layer = 'ip' | 'tcp' | 'option' | 'text';

/** Names of fields; the catalogues explain them. */
const FIELD_NAMES = [
  'version',
  'tos',
  'total-length',
  'ip-id',
  'fragment',
  'ttl',
  'protocol',
  'ip-checksum',
  'source',
  'destination',
  'source-port',
  'destination-port',
  'seq',
  'ack',
  'data-offset',
  'flags',
  'window',
  'checksum',
  'urgent',
  'mss',
  'window-scale',
  'sack-permitted',
  'sack',
  'timestamps',
  'padding',
  'other-option',
  'payload',
] as const;

/** The name of a field. */
type FieldName = (typeof FIELD_NAMES)[number];

/** A field: octets `[from, to)` of the packet. */
export interface Field {
  readonly name: FieldName;
  readonly layer: Layer;
  readonly from: number;
  readonly to: number;
  /** As a reader writes it. */
  readonly value: string;
}

/** One flag of the TCP header. */
export interface FlagBit {
  readonly name: FlagName;
  readonly set: boolean;
}

/** The flags in the order of the header (RFC 9293 §3.1), most significant first. */
export const FLAG_NAMES = ['CWR', 'ECE', 'URG', 'ACK', 'PSH', 'RST', 'SYN', 'FIN'] as const;

/** The name of a flag. */
type FlagName = (typeof FLAG_NAMES)[number];

function big(bytes: Uint8Array, from: number, length: number): number {
  let value = 0;
  for (let i = from; i < from + length; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

/** The flags of a flags octet. */
export function flagBits(flags: number): FlagBit[] {
  return FLAG_NAMES.map((name, i) => ({ name, set: (flags & (0x80 >> i)) !== 0 }));
}

/** What an octet is as a character; a dot for those that are none. */
export function printable(octet: number): string {
  return octet >= 32 && octet < 127 ? String.fromCharCode(octet) : '\u00b7';
}

function ipFields(bytes: Uint8Array): Field[] {
  const address = (at: number) => [...bytes.subarray(at, at + 4)].join('.');
  const field = (name: FieldName, from: number, to: number, value: string): Field => ({
    name,
    layer: 'ip',
    from,
    to,
    value,
  });
  const fragment = big(bytes, 6, 2);
  return [
    field('version', 0, 1, `${bytes[0]! >> 4}, ${(bytes[0]! & 15) * 4} B`),
    field('tos', 1, 2, hex(bytes[1]!, 2)),
    field('total-length', 2, 4, `${big(bytes, 2, 2)} B`),
    field('ip-id', 4, 6, hex(big(bytes, 4, 2), 4)),
    field('fragment', 6, 8, (fragment & 0x4000) !== 0 ? 'DF' : hex(fragment, 4)),
    field('ttl', 8, 9, String(bytes[8])),
    field('protocol', 9, 10, `${bytes[9]} (TCP)`),
    field('ip-checksum', 10, 12, hex(big(bytes, 10, 2), 4)),
    field('source', 12, 16, address(12)),
    field('destination', 16, 20, address(16)),
  ];
}

/** The ranges of a SACK option (RFC 2018 §3). */
function sackBlocks(bytes: Uint8Array, from: number, to: number): string {
  const blocks: string[] = [];
  for (let at = from; at + 8 <= to; at += 8) blocks.push(`${big(bytes, at, 4)}\u2013${big(bytes, at + 4, 4)}`);
  return blocks.join(', ');
}

function optionFields(bytes: Uint8Array, from: number, to: number): Field[] {
  const fields: Field[] = [];
  const push = (name: FieldName, at: number, length: number, value: string) =>
    fields.push({ name, layer: 'option', from: at, to: at + length, value });
  for (let at = from; at < to; ) {
    const kind = bytes[at]!;
    if (kind <= 1) {
      push('padding', at, 1, kind === 1 ? 'NOP' : 'EOL');
      at++;
      continue;
    }
    const length = Math.min(Math.max(bytes[at + 1] ?? 2, 2), to - at);
    if (kind === 2) push('mss', at, length, `${big(bytes, at + 2, 2)} B`);
    else if (kind === 3) push('window-scale', at, length, `${bytes[at + 2]} (x ${2 ** (bytes[at + 2] ?? 0)})`);
    else if (kind === 4) push('sack-permitted', at, length, '');
    else if (kind === 5) push('sack', at, length, sackBlocks(bytes, at + 2, at + length));
    else if (kind === 8) push('timestamps', at, length, `${big(bytes, at + 2, 4)}, ${big(bytes, at + 6, 4)}`);
    else push('other-option', at, length, `kind ${kind}`);
    at += length;
  }
  return fields;
}

/**
 * Names the octets of an IPv4 packet with a TCP segment in it.
 *
 * @param seq the sequence number in letters, such as `x+1`, shown beside the number; likewise `ack`
 */
export function fieldsOf(bytes: Uint8Array, seq = '', ack = ''): Field[] {
  const ipLength = ((bytes[0] ?? 0) & 15) * 4;
  if (bytes.length < ipLength + 20 || bytes[0]! >> 4 !== 4) return [];
  const t = ipLength;
  const headerLength = (bytes[t + 12]! >> 4) * 4;
  const end = Math.min(big(bytes, 2, 2), bytes.length);
  const field = (name: FieldName, from: number, length: number, value: string): Field => ({
    name,
    layer: 'tcp',
    from: t + from,
    to: t + from + length,
    value,
  });
  const letter = (text: string) => (text === '' ? '' : `${text} = `);
  const flags = bytes[t + 13]!;
  const hasAck = (flags & 16) !== 0;
  const set = flagBits(flags).filter((f) => f.set);
  const fields = [
    ...ipFields(bytes),
    field('source-port', 0, 2, String(big(bytes, t, 2))),
    field('destination-port', 2, 2, String(big(bytes, t + 2, 2))),
    field('seq', 4, 4, `${letter(seq)}${big(bytes, t + 4, 4)}`),
    field('ack', 8, 4, hasAck ? `${letter(ack)}${big(bytes, t + 8, 4)}` : String(big(bytes, t + 8, 4))),
    field('data-offset', 12, 1, `${headerLength} B`),
    field('flags', 13, 1, set.map((f) => f.name).join(' ')),
    field('window', 14, 2, `${big(bytes, t + 14, 2)} B`),
    field('checksum', 16, 2, hex(big(bytes, t + 16, 2), 4)),
    field('urgent', 18, 2, String(big(bytes, t + 18, 2))),
    ...optionFields(bytes, t + 20, t + headerLength),
  ];
  const from = t + headerLength;
  if (end > from) fields.push({ name: 'payload', layer: 'text', from, to: end, value: `${end - from} B` });
  return fields;
}

/** What a packet carries, as text; at most `most` characters, without line ends. */
export function payloadText(bytes: Uint8Array, most: number): string {
  const ipLength = ((bytes[0] ?? 0) & 15) * 4;
  const from = ipLength + ((bytes[ipLength + 12] ?? 0) >> 4) * 4;
  const end = Math.min(big(bytes, 2, 2), bytes.length);
  let text = '';
  for (let i = from; i < end && text.length < most; i++) {
    const octet = bytes[i]!;
    if (octet === 13 || octet === 10) break;
    text += printable(octet);
  }
  return text;
}
