// Packets in: from a frame to the connection, listener or protocol it is for.
//
// Every path that does not take a packet ends in `host.drop` with its reason. Nothing throws on what the wire
// brings, and nothing is kept of the packet's bytes after `receive` returns.

import { CHECKSUM_NONE, type RxMeta } from '../base/packet.ts';
import { seqDiff, seqGt, seqLt } from '../base/seq.ts';
import { mayAnswerWithError } from '../ip/icmp-limits.ts';
import { segmentArrives } from '../tcp/arrives.ts';
import type { Connection } from '../tcp/connection.ts';
import { segmentArrivesInListen } from '../tcp/listen.ts';
import { Address, isMulticast } from '../wire/address.ts';
import { UNREACHABLE_PORT, UNREACHABLE_PROTOCOL } from '../wire/icmp.ts';
import { UNREACHABLE6_PORT } from '../wire/icmpv6.ts';
import { Ipv4Header, PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, PROTO_UDP, parseIpv4, pseudoSum4 } from '../wire/ipv4.ts';
import { Ipv6Header, parseIpv6, pseudoSum6 } from '../wire/ipv6.ts';
import { ACK, FIN, parseTcp, RST, Segment, SYN, segLen, verifyTcp } from '../wire/tcp.ts';
import { parseUdp, UdpHeader, verifyUdp } from '../wire/udp.ts';
import type { Host } from './host.ts';
import { IcmpInput } from './icmp-input.ts';
import type { Interface } from './interface.ts';
import type { Listener } from './listener.ts';
import { cookieArrives, isHeldBack, synArrives } from './opening.ts';
import { queueUnreachable } from './output.ts';
import { takesPlain } from './plain.ts';

/** The input side of one host, with the headers it reuses. */
export class Input {
  readonly #host: Host;
  readonly #ip4: Ipv4Header = new Ipv4Header();
  readonly #ip6: Ipv6Header = new Ipv6Header();
  readonly #udp: UdpHeader = new UdpHeader();
  readonly #seg: Segment = new Segment();
  readonly #icmp: IcmpInput;
  /** The packet in hand, as an ICMP error would quote it. */
  #packetFrom = 0;
  #packetTo = 0;
  #groupFrame = false;
  #broadcast = false;
  /** The connection that the last segment over IPv4 was for, while it is ESTABLISHED, and where it came in. */
  #last: Connection | null = null;
  #lastOn: Interface | null = null;
  /** It came over IPv4. Its addresses alone do not say so: an IPv6 address may have any word for its third. */
  #v4 = false;

  constructor(host: Host) {
    this.#host = host;
    this.#icmp = new IcmpInput(host);
  }

  /** `c` leaves ESTABLISHED: none of its segments is plain any more, and nothing here keeps it. */
  forget(c: Connection): void {
    if (this.#last === c) this.#last = null;
  }

  /** One packet, link header included. */
  receive(i: Interface, bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    const { ethernet } = i;
    if (ethernet === null) {
      this.#groupFrame = false;
      if (to - from < 1) this.#host.drop('ip-truncated', null);
      else if (bytes[from]! >> 4 === 6) this.#ipv6(i, bytes, from, to, meta);
      else this.#ipv4(i, bytes, from, to, meta);
      return;
    }
    const version = ethernet.receive(bytes, from, to);
    const { payloadFrom, payloadTo } = ethernet.header;
    this.#groupFrame = ethernet.group;
    if (version === 4) this.#ipv4(i, bytes, payloadFrom, payloadTo, meta);
    else if (version === 6) this.#ipv6(i, bytes, payloadFrom, payloadTo, meta);
  }

  #ipv4(i: Interface, bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    const host = this.#host;
    const last = this.#last;
    if (last !== null && this.#lastOn === i && !this.#groupFrame) {
      if (takesPlain(host, last, this.#seg, bytes, from, to, meta)) return;
    }
    const ip = this.#ip4;
    const reason = parseIpv4(bytes, from, to, ip);
    if (reason !== null) {
      host.drop(reason, null);
      return;
    }
    const { src, dst } = ip;
    // RFC 1122 §3.2.1.3: a source is one host; LAND (CVE-1999-0016) had our own address there.
    const net = src >>> 24;
    const inside = i === host.loopback.interface;
    if (!inside && (net >= 224 || net === 0 || net === 127 || i.isBroadcast(src) || i.has(0, 0, 0xffff, src))) {
      host.drop('ip-bad-source', null);
      return;
    }
    this.#broadcast = dst === -1 || i.isBroadcast(dst) || isMulticast(0, 0, 0xffff, dst);
    if (!this.#broadcast && !(inside ? host.hasAddress(0, 0, 0xffff, dst) : i.has(0, 0, 0xffff, dst))) {
      host.drop('not-for-us', null);
      return;
    }
    if (ip.fragmentOffset !== 0 || ip.mf) {
      host.drop('ip-fragment', null);
      return;
    }
    this.#packetFrom = from;
    this.#packetTo = ip.payloadTo;
    this.#v4 = true;
    const seg = this.#seg;
    seg.src0 = 0;
    seg.src1 = 0;
    seg.src2 = 0xffff;
    seg.src3 = src;
    seg.dst0 = 0;
    seg.dst1 = 0;
    seg.dst2 = 0xffff;
    seg.dst3 = dst;
    seg.ecn = ip.ecn;
    this.#transport(i, bytes, ip.payloadFrom, ip.payloadTo, ip.protocol, meta);
  }

  #ipv6(i: Interface, bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    const host = this.#host;
    const ip = this.#ip6;
    const reason = parseIpv6(bytes, from, to, ip);
    if (reason !== null) {
      host.drop(reason, null);
      return;
    }
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = ip;
    const nobody = (src0 | src1 | src2) === 0 && src3 >>> 0 <= 1;
    // Unspecified and loopback sources never come from a wire (RFC 4291 §2.5.2, §2.5.3).
    const inside = i === host.loopback.interface;
    if (!inside && (nobody || isMulticast(src0, src1, src2, src3) || i.has(src0, src1, src2, src3))) {
      host.drop('ip-bad-source', null);
      return;
    }
    this.#broadcast = isMulticast(dst0, dst1, dst2, dst3);
    const ours = inside ? host.hasAddress(dst0, dst1, dst2, dst3) : i.has(dst0, dst1, dst2, dst3);
    if (!this.#broadcast && !ours) {
      host.drop('not-for-us', null);
      return;
    }
    this.#packetFrom = from;
    this.#packetTo = ip.payloadTo;
    this.#v4 = false;
    const seg = this.#seg;
    seg.src0 = src0;
    seg.src1 = src1;
    seg.src2 = src2;
    seg.src3 = src3;
    seg.dst0 = dst0;
    seg.dst1 = dst1;
    seg.dst2 = dst2;
    seg.dst3 = dst3;
    seg.ecn = ip.ecn;
    this.#transport(i, bytes, ip.payloadFrom, ip.payloadTo, ip.nextHeader, meta);
  }

  #transport(i: Interface, bytes: Uint8Array, from: number, to: number, protocol: number, meta: RxMeta): void {
    if (protocol === PROTO_TCP) this.#tcp(i, bytes, from, to, meta);
    else if (protocol === PROTO_ICMP && this.#v4) {
      this.#icmp.icmp4(i, this.#seg, bytes, from, to, this.#isForGroup());
    } else if (protocol === PROTO_ICMPV6 && !this.#v4) {
      this.#icmp.icmp6(i, this.#seg, bytes, from, to, this.#isForGroup());
    } else if (protocol === PROTO_UDP) this.#udpDatagram(i, bytes, from, to, meta);
    else {
      this.#host.drop('ip-unknown-protocol', null);
      if (this.#v4) this.#unreachable(i, bytes, UNREACHABLE_PROTOCOL);
    }
  }

  #isForGroup(): boolean {
    return this.#broadcast || this.#groupFrame;
  }

  #pseudo(protocol: number, length: number): number {
    const s = this.#seg;
    if (this.#v4) return pseudoSum4(s.src3, s.dst3, protocol, length);
    return pseudoSum6(s.src0, s.src1, s.src2, s.src3, s.dst0, s.dst1, s.dst2, s.dst3, protocol, length);
  }

  #tcp(i: Interface, bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    const host = this.#host;
    const seg = this.#seg;
    const reason = parseTcp(bytes, from, to, seg);
    if (reason !== null) {
      host.drop(reason, null);
      return;
    }
    if (meta.checksum === CHECKSUM_NONE && !verifyTcp(bytes, from, to, this.#pseudo(PROTO_TCP, to - from))) {
      host.drop('tcp-bad-checksum', null);
      return;
    }
    if (this.#isForGroup()) {
      // "A TCP implementation MUST silently discard an incoming SYN segment that is addressed to a broadcast or
      // multicast address" (RFC 9293 §3.9.2.3); nothing else belongs there either.
      host.drop('not-for-us', null);
      return;
    }
    if ((seg.flags & (SYN | FIN)) === (SYN | FIN)) {
      if (!host.profile.synFinOpens) {
        host.drop('tcp-syn-fin', null);
        return;
      }
      seg.flags &= ~FIN;
    }
    seg.gsoSize = meta.gsoSize;
    seg.lender = meta.lender;
    host.counters.segmentsIn += meta.gsoSize > 0 && seg.len > 0 ? Math.ceil(seg.len / meta.gsoSize) : 1;
    const { dst0, dst1, dst2, dst3, dstPort, src0, src1, src2, src3, srcPort } = seg;
    const c =
      host.table.find(dst0, dst1, dst2, dst3, dstPort, src0, src1, src2, src3, srcPort) ??
      host.timeWaits.unfold(dst0, dst1, dst2, dst3, dstPort, src0, src1, src2, src3, srcPort);
    this.#last = this.#v4 && c !== null && c.state === 'ESTABLISHED' ? c : null;
    this.#lastOn = i;
    if (c !== null && !(c.state === 'TIME-WAIT' && this.#reopens(c, seg))) this.#toConnection(c, seg);
    else this.#toListener(i, seg, c);
  }

  #toConnection(c: Connection, seg: Segment): void {
    if (c.state === 'SYN-RECEIVED' && isHeldBack(this.#host, c, seg)) return;
    if (this.#host.trace === null) {
      segmentArrives(c, seg);
      return;
    }
    const { seq, ack, flags, len, wnd } = seg;
    const length = segLen(seg);
    const again = length > 0 && c.state !== 'SYN-SENT' && !seqGt((seq + length) | 0, c.rcv.nxt);
    segmentArrives(c, seg);
    this.#traceIn(c, seq, ack, flags, len, wnd, again);
  }

  /**
   * A SYN with a later number than anything of the old connection may open a new one out of TIME-WAIT
   * (RFC 9293 §3.6.1); the numbers of the two cannot be confused then. Where both have timestamps, these decide: with a
   * newer one PAWS keeps the old segments out, whatever their numbers; an older one is a SYN of long ago (RFC 6191 §2).
   */
  #reopens(c: Connection, seg: Segment): boolean {
    if ((seg.flags & (SYN | ACK | RST)) !== SYN) return false;
    const age = c.snd.tsOk && seg.hasTs ? seqDiff(seg.tsVal, c.rcv.tsRecent) : 0;
    if (age < 0 || (age === 0 && !seqLt(c.rcv.nxt, seg.seq))) return false;
    if (this.#listenerFor(seg) === null) return false;
    c.finish('rcv SYN in TIME-WAIT', null);
    return true;
  }

  #listenerFor(seg: Segment): Listener | null {
    return this.#host.ports.listener(seg.dst0, seg.dst1, seg.dst2, seg.dst3, seg.dstPort);
  }

  /** `former` is the connection of the same four-tuple that the SYN has just ended. */
  #toListener(i: Interface, seg: Segment, former: Connection | null): void {
    const host = this.#host;
    const listener = this.#listenerFor(seg);
    const verdict = listener === null ? 'reset' : segmentArrivesInListen(seg);
    const { seq, ack, flags, len, wnd } = seg;
    const mss = listener?.maxSegment || undefined;
    const addressing = host.addressing(i.mtu, this.#local(i), seg.dstPort, this.#remote(), seg.srcPort, mss);
    if (listener !== null && verdict === 'open') {
      const c = synArrives(host, listener, i, seg, addressing, former);
      if (host.trace !== null) this.#traceIn(c, seq, ack, flags, len, wnd, false);
      return;
    }
    if (listener !== null && verdict === 'reset') {
      const opened = cookieArrives(host, listener, i, seg, addressing);
      if (opened === listener) return;
      if (opened !== null) {
        this.#toConnection(opened as Connection, seg);
        return;
      }
    }
    host.drop(verdict === 'not-syn' ? 'tcp-listen-not-syn' : 'tcp-no-connection', null);
    if (host.trace !== null) this.#traceIn(null, seq, ack, flags, len, wnd, false);
    if (verdict !== 'reset') return;
    host.refuse(i, addressing, seg.flags, seg.ack, (seg.seq + segLen(seg)) | 0);
  }

  /** Our address of the packet in hand: the interface's own object, so that connections share it. */
  #local(i: Interface): Address {
    const s = this.#seg;
    for (const p of i.prefixes) {
      const a = p.address;
      if (a.w3 === s.dst3 && a.w2 === s.dst2 && a.w1 === s.dst1 && a.w0 === s.dst0) return a;
    }
    return new Address(s.dst0, s.dst1, s.dst2, s.dst3);
  }

  #remote(): Address {
    const s = this.#seg;
    return new Address(s.src0, s.src1, s.src2, s.src3);
  }

  #udpDatagram(i: Interface, bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    const host = this.#host;
    const reason = parseUdp(bytes, from, to, this.#udp);
    if (reason !== null) {
      host.drop(reason, null);
      return;
    }
    const v4 = this.#v4;
    const sum = this.#pseudo(PROTO_UDP, this.#udp.length);
    if (meta.checksum === CHECKSUM_NONE && !verifyUdp(bytes, from, from + this.#udp.length, sum, v4 ? 4 : 6)) {
      host.drop('udp-bad-checksum', null);
      return;
    }
    const { srcPort, dstPort, payloadFrom, payloadTo } = this.#udp;
    const local = this.#local(i);
    const group = this.#isForGroup();
    if (host.datagrams?.arrives(bytes, payloadFrom, payloadTo, local, dstPort, this.#remote(), srcPort, group)) return;
    host.drop('udp-no-port', null);
    this.#unreachable(i, bytes, v4 ? UNREACHABLE_PORT : UNREACHABLE6_PORT);
  }

  /** Answers the packet in hand with "unreachable", where an answer is allowed at all. */
  #unreachable(i: Interface, bytes: Uint8Array, code: number): void {
    const host = this.#host;
    const s = this.#seg;
    const group = this.#isForGroup();
    const may = mayAnswerWithError(s.src0, s.src1, s.src2, s.src3, s.dst0, s.dst1, s.dst2, s.dst3, group, 0, false);
    if (!may || !host.mayTellError(s.src0, s.src1, s.src2, s.src3)) return;
    queueUnreachable(host, i, this.#local(i), this.#remote(), code, bytes, this.#packetFrom, this.#packetTo);
  }

  #traceIn(
    c: Connection | null,
    seq: number,
    ack: number,
    flags: number,
    len: number,
    wnd: number,
    again: boolean,
  ): void {
    const host = this.#host;
    const s = this.#seg;
    host.trace?.({
      type: 'segment',
      at: host.now,
      host: host.name,
      dir: 'in',
      packet: host.packetId,
      conn: c === null ? 0 : c.id,
      src: this.#remote().toString(),
      srcPort: s.srcPort,
      dst: new Address(s.dst0, s.dst1, s.dst2, s.dst3).toString(),
      dstPort: s.dstPort,
      seq,
      ack: (flags & ACK) !== 0 ? ack : 0,
      flags,
      len,
      wnd,
      state: c === null ? 'CLOSED' : c.state,
      again,
      probe: false,
    });
  }
}
