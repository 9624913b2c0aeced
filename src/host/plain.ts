// From the IP header to the connection by a short way: the packet that looks like the one before it, of the same flow.
//
// What the general way (`input.ts`) finds out of addresses holds for every packet between the same two on the same
// interface, so it is not asked again; every sum is. Headers are read a word at a time and go nowhere but to the
// connection, by `arrivesPlain`. Any other packet is left untouched to the general way.

import { fold, onesSum } from '../base/checksum.ts';
import { CHECKSUM_NONE, type RxMeta } from '../base/packet.ts';
import type { Connection } from '../tcp/connection.ts';
import { arrivesPlain } from '../tcp/plain.ts';
import { get32 } from '../wire/bytes.ts';
import { IPV4_HEADER, PROTO_TCP, sumOfWords } from '../wire/ipv4.ts';
import { ACK, PSH, type Segment, TCP_FLAGS_OFFSET, TCP_HEADER, TIMESTAMP_OCTETS } from '../wire/tcp.ts';
import type { Host } from './host.ts';

/** Octets of both headers without options, and of a TCP header with the one set of options that plain segments have. */
const BARE = IPV4_HEADER + TCP_HEADER;
const STAMPED = TCP_HEADER + TIMESTAMP_OCTETS;
/** Offset of the flags in a packet whose IP header has no options. */
const FLAGS_AT = IPV4_HEADER + TCP_FLAGS_OFFSET;
/** NOP, NOP, kind and length of the timestamps option, as everybody aligns it (RFC 7323 Appendix A). */
const TS_WORD = 0x0101080a;

/**
 * Takes in the IPv4 packet `bytes[from, to)` when it is a plain segment of `c`, to which the packet before it belonged.
 *
 * @param seg filled with what a connection reads of a plain segment
 * @returns false when it is none, or damaged: then nothing has changed
 */
export function takesPlain(
  host: Host,
  c: Connection,
  seg: Segment,
  bytes: Uint8Array,
  from: number,
  to: number,
  meta: RxMeta,
): boolean {
  if (to - from < BARE || host.trace !== null || c.state !== 'ESTABLISHED') return false;
  // Where the flags are when the rest is as it should be: what opens and closes goes no further.
  if ((bytes[from + FLAGS_AT]! & ~PSH) !== ACK) return false;
  const word0 = get32(bytes, from);
  const total = word0 & 0xffff;
  // Version 4, no options, no ECN codepoint.
  if ((word0 & 0xff030000) !== 0x45000000 || total < BARE || total > to - from) return false;
  const word1 = get32(bytes, from + 4);
  const word2 = get32(bytes, from + 8);
  const src = get32(bytes, from + 12);
  const dst = get32(bytes, from + 16);
  // No fragment.
  if ((word1 & 0x3fff) !== 0 || (word2 & 0xff0000) !== PROTO_TCP << 16) return false;
  const { local, localPort, remote, remotePort } = c.addressing;
  const ports = get32(bytes, from + 20);
  if (src !== remote.w3 || dst !== local.w3 || ports !== ((remotePort << 16) | localPort)) return false;
  if (fold(sumOfWords(word0, word1, word2, src, dst)) !== 0xffff) return false;

  if (!takesSegment(c, seg, bytes, from + IPV4_HEADER, from + total, ports, meta)) return false;
  host.counters.segmentsIn++;
  return true;
}

/** The segment in `bytes[from, to)`, of which the ports are known to be right. */
function takesSegment(
  c: Connection,
  seg: Segment,
  bytes: Uint8Array,
  from: number,
  to: number,
  ports: number,
  meta: RxMeta,
): boolean {
  const seq = get32(bytes, from + 4);
  const ack = get32(bytes, from + 8);
  const word3 = get32(bytes, from + 12);
  const header = (word3 >>> 28) << 2;
  const stamped = header === STAMPED;
  if (stamped ? to - from < STAMPED || get32(bytes, from + TCP_HEADER) !== TS_WORD : header !== TCP_HEADER)
    return false;
  const tsVal = stamped ? get32(bytes, from + TCP_HEADER + 4) : 0;
  const tsEcr = stamped ? get32(bytes, from + TCP_HEADER + 8) : 0;
  if (meta.checksum === CHECKSUM_NONE) {
    let sum = sumOfWords(ports, seq, ack, word3, get32(bytes, from + 16)) + c.addressing.pseudo + to - from;
    if (stamped) sum += sumOfWords(TS_WORD, tsVal, tsEcr, 0, 0);
    if (to - from > header) sum = onesSum(bytes, from + header, to, sum);
    if (fold(sum) !== 0xffff) return false;
  }
  seg.seq = seq;
  seg.ack = ack;
  seg.flags = (word3 >>> 16) & 0xff;
  seg.wnd = word3 & 0xffff;
  seg.bytes = bytes;
  seg.at = from + header;
  seg.len = to - from - header;
  seg.hasTs = stamped;
  seg.tsVal = tsVal;
  seg.tsEcr = tsEcr;
  seg.sackCount = 0;
  seg.gsoSize = meta.gsoSize;
  seg.lender = meta.lender;
  return arrivesPlain(c, seg);
}
