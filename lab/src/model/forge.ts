// Packets made by hand: an IPv4 header and a TCP segment with their checksums, as an attacker or a teacher writes them.

/** What goes into the headers. Sequence numbers are taken modulo 2^32; addresses are dotted quads. */
export interface ForgedPacket {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly wnd: number;
  readonly payload: Uint8Array;
  /** Timestamps option, `null` for none: `[value, echo]` (RFC 7323 §3). */
  readonly timestamps: readonly [number, number] | null;
}

const IP_HEADER = 20;
const TCP_HEADER = 20;
const PROTOCOL_TCP = 6;

/** The ones' complement sum of 16-bit words (RFC 1071), going on from `sum`. */
function sumOf(bytes: Uint8Array, from: number, to: number, sum: number): number {
  let total = sum;
  for (let i = from; i < to; i += 2) total += (bytes[i]! << 8) | (i + 1 < to ? bytes[i + 1]! : 0);
  return total;
}

function checksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

function putAddress(bytes: Uint8Array, at: number, address: string): void {
  address.split('.').forEach((part, i) => {
    bytes[at + i] = Number(part);
  });
}

/** Writes a packet with both checksums right (RFC 791 §3.1, RFC 9293 §3.1). */
export function forge(p: ForgedPacket): Uint8Array {
  const options = p.timestamps === null ? 0 : 12;
  const header = TCP_HEADER + options;
  const bytes = new Uint8Array(IP_HEADER + header + p.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x45;
  view.setUint16(2, bytes.length);
  // DF: nothing on this path would cut it.
  view.setUint16(6, 0x4000);
  bytes[8] = 64;
  bytes[9] = PROTOCOL_TCP;
  putAddress(bytes, 12, p.source);
  putAddress(bytes, 16, p.destination);
  view.setUint16(10, checksum(sumOf(bytes, 0, IP_HEADER, 0)));
  const t = IP_HEADER;
  view.setUint16(t, p.sourcePort);
  view.setUint16(t + 2, p.destinationPort);
  view.setUint32(t + 4, p.seq >>> 0);
  view.setUint32(t + 8, p.ack >>> 0);
  bytes[t + 12] = (header / 4) << 4;
  bytes[t + 13] = p.flags;
  view.setUint16(t + 14, p.wnd);
  if (p.timestamps !== null) {
    // NOP, NOP, kind 8, length 10.
    view.setUint32(t + 20, 0x0101_080a);
    view.setUint32(t + 24, p.timestamps[0] >>> 0);
    view.setUint32(t + 28, p.timestamps[1] >>> 0);
  }
  bytes.set(p.payload, t + header);
  const pseudo = sumOf(bytes, 12, 20, PROTOCOL_TCP + bytes.length - IP_HEADER);
  view.setUint16(t + 16, checksum(sumOf(bytes, t, bytes.length, pseudo)));
  return bytes;
}
