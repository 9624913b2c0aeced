// ICMP and ICMPv6 in: echo is answered, errors find the connection they are about.

import type { NetErrorCode } from '../base/errors.ts';
import { seqGe, seqLt } from '../base/seq.ts';
import type { Connection } from '../tcp/connection.ts';
import { Address } from '../wire/address.ts';
import {
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  IcmpMessage,
  parseIcmp,
  UNREACHABLE_FRAGMENTATION_NEEDED,
  UNREACHABLE_PORT,
  UNREACHABLE_PROTOCOL,
} from '../wire/icmp.ts';
import {
  ICMPV6_ECHO,
  ICMPV6_ECHO_REPLY,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
  parseIcmpv6,
  UNREACHABLE6_NO_ROUTE,
  UNREACHABLE6_PORT,
} from '../wire/icmpv6.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, PROTO_UDP } from '../wire/ipv4.ts';
import { pseudoSum6 } from '../wire/ipv6.ts';
import { parseQuoted, Quoted } from '../wire/quoted.ts';
import type { Segment } from '../wire/tcp.ts';
import type { Host } from './host.ts';
import type { Interface } from './interface.ts';
import { queueEcho } from './output.ts';

/** Codes of ICMP "unreachable" that speak of the network, not of the host (RFC 1122 §4.2.3.9). */
const NET_CODES: ReadonlySet<number> = new Set([0, 5, 6, 9, 11]);

/** Codes that say that somebody on the way does not allow it: for the network, for the host, altogether (RFC 1812 §5.2.7.1). */
const PROHIBITED_CODES: ReadonlySet<number> = new Set([9, 10, 13]);

/** The ICMP side of a host's input. */
export class IcmpInput {
  readonly #host: Host;
  readonly #message: IcmpMessage = new IcmpMessage();
  readonly #quoted: Quoted = new Quoted();

  constructor(host: Host) {
    this.#host = host;
  }

  /** An ICMP message; `at` carries the addresses of its packet. */
  icmp4(i: Interface, at: Segment, bytes: Uint8Array, from: number, to: number, group: boolean): void {
    const m = this.#message;
    const reason = parseIcmp(bytes, from, to, m);
    if (reason !== null) {
      this.#host.drop(reason, null);
      return;
    }
    if (m.type === ICMP_ECHO) this.#echo(i, at, bytes, group);
    else if (m.type === ICMP_ECHO_REPLY) this.#reply(at);
    else if (m.type === ICMP_UNREACHABLE && m.code === UNREACHABLE_FRAGMENTATION_NEEDED) {
      // Routers from before RFC 1191 leave the field zero: then only the floor is sure.
      this.#tooBig(bytes, m.rest & 0xffff);
    } else if (m.type === ICMP_UNREACHABLE) this.#unreachable(bytes, this.#code4(m.code));
    else if (m.type === ICMP_TIME_EXCEEDED || m.type === ICMP_PARAMETER_PROBLEM) this.#undelivered(bytes);
    else this.#host.drop('icmp-unknown-type', null);
  }

  /** An ICMPv6 message. */
  icmp6(i: Interface, at: Segment, bytes: Uint8Array, from: number, to: number, group: boolean): void {
    const m = this.#message;
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = at;
    const sum = pseudoSum6(src0, src1, src2, src3, dst0, dst1, dst2, dst3, PROTO_ICMPV6, to - from);
    const reason = parseIcmpv6(bytes, from, to, m, sum);
    if (reason !== null) {
      this.#host.drop(reason, null);
      return;
    }
    if (m.type === ICMPV6_ECHO) this.#echo(i, at, bytes, group);
    else if (m.type === ICMPV6_ECHO_REPLY) this.#reply(at);
    else if (m.type === ICMPV6_UNREACHABLE) this.#unreachable(bytes, code6(m.code));
    else if (m.type === ICMPV6_PACKET_TOO_BIG) this.#tooBig(bytes, m.rest >>> 0);
    else if (m.type === ICMPV6_TIME_EXCEEDED || m.type === ICMPV6_PARAMETER_PROBLEM) this.#undelivered(bytes);
    else this.#host.drop('icmp-unknown-type', null);
  }

  #echo(i: Interface, at: Segment, bytes: Uint8Array, group: boolean): void {
    // RFC 1122 §3.2.2.6: an echo to a group may be discarded; answering it is how smurf attacks worked.
    if (group) {
      this.#host.drop('not-for-us', null);
      return;
    }
    const m = this.#message;
    const local = new Address(at.dst0, at.dst1, at.dst2, at.dst3);
    const remote = new Address(at.src0, at.src1, at.src2, at.src3);
    queueEcho(this.#host, i, local, remote, false, m.id, m.seq, bytes, m.bodyFrom, m.bodyTo);
  }

  #reply(at: Segment): void {
    const host = this.#host;
    if (!host.pings?.answered(this.#message.id, at.src0, at.src1, at.src2, at.src3, host.now)) {
      host.drop('icmp-unmatched', null);
    }
  }

  /** An error about a packet of ours: it must name a connection and a number in flight (RFC 5927 §4.1). */
  #unreachable(bytes: Uint8Array, code: NetErrorCode): void {
    const host = this.#host;
    const m = this.#message;
    const q = this.#quoted;
    if (!parseQuoted(bytes, m.bodyFrom, m.bodyTo, q)) {
      host.drop('icmp-unmatched', null);
      return;
    }
    if (q.protocol === PROTO_ICMP || q.protocol === PROTO_ICMPV6) {
      const pingCode = code === 'ENETUNREACH' || code === 'ECONNREFUSED' ? code : 'EHOSTUNREACH';
      if (!host.pings?.unreachable(q.icmpId, pingCode)) host.drop('icmp-unmatched', null);
      return;
    }
    if (q.protocol === PROTO_UDP) {
      this.#undeliveredDatagram(code);
      return;
    }
    const c = this.#quotedConnection();
    if (c === null) return;
    const { icmpEnds } = host.profile;
    c.unreachable(code, icmpEnds === 'unreachable' || (icmpEnds === 'refused' && code === 'ECONNREFUSED'));
    host.touch(c);
  }

  #code4(code: number): NetErrorCode {
    if (code === UNREACHABLE_PORT || code === UNREACHABLE_PROTOCOL) return 'ECONNREFUSED';
    // Who may not be talked to has refused, to a BSD, which has more to say of it than of a network that is not there.
    if (this.#host.profile.icmpEnds !== 'unreachable' && PROHIBITED_CODES.has(code)) return 'ECONNREFUSED';
    return NET_CODES.has(code) ? 'ENETUNREACH' : 'EHOSTUNREACH';
  }

  /** A datagram of ours did not arrive: its socket is told (RFC 1122 §4.1.3.3). */
  #undeliveredDatagram(code: NetErrorCode): void {
    const q = this.#quoted;
    const local = new Address(q.src0, q.src1, q.src2, q.src3);
    const remote = new Address(q.dst0, q.dst1, q.dst2, q.dst3);
    const known = this.#host.datagrams?.unreachable(local, q.srcPort, remote, q.dstPort, code);
    if (known !== true) this.#host.drop('icmp-unmatched', null);
  }

  /**
   * Time exceeded, or a parameter problem: a packet of ours was lost on the way, and the next may not be. In no state
   * does it end a connection (RFC 9293 §3.9.2.2); the program is told. An opening of a BSD ends when the time is exceeded.
   */
  #undelivered(bytes: Uint8Array): void {
    const m = this.#message;
    if (!parseQuoted(bytes, m.bodyFrom, m.bodyTo, this.#quoted)) {
      this.#host.drop('icmp-unmatched', null);
      return;
    }
    const c = this.#quotedConnection();
    if (c === null) return;
    const expired = m.type === ICMP_TIME_EXCEEDED || m.type === ICMPV6_TIME_EXCEEDED;
    if (this.#host.profile.icmpEnds === 'refused' && expired && c.state === 'SYN-SENT') {
      c.unreachable('EHOSTUNREACH');
      this.#host.touch(c);
      return;
    }
    c.ownRare().softError = 'EHOSTUNREACH';
    c.report('EHOSTUNREACH');
  }

  /** A packet of ours was too large for a link on the way, which carries `mtu` octets (RFC 1191 §4, RFC 8201 §4). */
  #tooBig(bytes: Uint8Array, mtu: number): void {
    const host = this.#host;
    const m = this.#message;
    if (!parseQuoted(bytes, m.bodyFrom, m.bodyTo, this.#quoted)) {
      host.drop('icmp-unmatched', null);
      return;
    }
    const c = this.#quotedConnection();
    if (c === null) return;
    host.pathMtuIs(c, mtu);
    host.touch(c);
  }

  /** The connection that the quoted segment belongs to, if what it quotes is in flight (RFC 5927 §4.1). */
  #quotedConnection(): Connection | null {
    const host = this.#host;
    const q = this.#quoted;
    const c =
      q.protocol === PROTO_TCP
        ? host.table.find(q.src0, q.src1, q.src2, q.src3, q.srcPort, q.dst0, q.dst1, q.dst2, q.dst3, q.dstPort)
        : null;
    if (c !== null && seqGe(q.seq, c.snd.una) && seqLt(q.seq, c.snd.nxt)) return c;
    host.drop('icmp-unmatched', c);
    return null;
  }
}

function code6(code: number): NetErrorCode {
  if (code === UNREACHABLE6_PORT) return 'ECONNREFUSED';
  return code === UNREACHABLE6_NO_ROUTE ? 'ENETUNREACH' : 'EHOSTUNREACH';
}
