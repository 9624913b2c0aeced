// Packets out: who is next, and the headers in front of a segment.
//
// Order: ARP, replies that belong to no connection, connections with control segments, connections in turn.

import { CHECKSUM_PARTIAL, type TxMeta } from '../base/packet.ts';
import type { State } from '../base/state.ts';
import type { Connection } from '../tcp/connection.ts';
import { NOTHING, rest, restIfDone, transmit, whatToSend } from '../tcp/output.ts';
import type { ConnectionAddressing } from '../tcp/tcb.ts';
import type { Address } from '../wire/address.ts';
import {
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_HEADER,
  ICMP_QUOTE_MAX,
  ICMP_UNREACHABLE,
  writeIcmpEcho,
  writeIcmpError,
} from '../wire/icmp.ts';
import {
  finishIcmpv6,
  ICMPV6_ECHO,
  ICMPV6_ECHO_REPLY,
  ICMPV6_QUOTE_MAX,
  ICMPV6_UNREACHABLE,
  writeIcmpv6Echo,
  writeIcmpv6Error,
} from '../wire/icmpv6.ts';
import { IPV4_HEADER, PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, pseudoSum4, writeIpv4 } from '../wire/ipv4.ts';
import { IPV6_HEADER, pseudoSum6, writeIpv6 } from '../wire/ipv6.ts';
import { finishTcp, TCP_HEADER, writeTcp } from '../wire/tcp.ts';
import type { Host } from './host.ts';
import type { Interface } from './interface.ts';
import type { Reply, ReplyQueue } from './replies.ts';
import type { ConnectionRing } from './ring.ts';

const NO_OPTIONS: Uint8Array = new Uint8Array(0);

/** Writes the next packet of an interface at `out[at]`; returns its length, or 0. */
export function transmitPacket(host: Host, i: Interface, out: Uint8Array, at: number, meta: TxMeta): number {
  if (i.quiet) return 0;
  if (host.stencil.left > 0) {
    const next = host.stencil.next(host, i, out, at);
    if (next > 0) return next;
  }
  const { ethernet } = i;
  let length = 0;
  if (ethernet !== null) {
    ethernet.wakeWaiting();
    length = ethernet.transmit(out, at);
  }
  if (length === 0 && i.replies.length > 0) length = transmitReply(host, i, i.replies, out, at);
  if (length === 0 && i.urgent.length > 0) length = transmitFrom(host, i, i.urgent, out, at, meta);
  if (length === 0) length = transmitInTurn(host, i, out, at, meta);
  // What could not be sent may have begun to ask for its neighbour.
  if (length === 0 && ethernet !== null) length = ethernet.transmit(out, at);
  return length;
}

/** Datagrams and segments take turns: a flood of either does not keep the other from the link. */
function transmitInTurn(host: Host, i: Interface, out: Uint8Array, at: number, meta: TxMeta): number {
  i.datagramsNext = !i.datagramsNext;
  if (i.datagramsNext) {
    return transmitReply(host, i, i.datagrams, out, at) || transmitFrom(host, i, i.ready, out, at, meta);
  }
  return transmitFrom(host, i, i.ready, out, at, meta) || transmitReply(host, i, i.datagrams, out, at);
}

/** Whether `transmitPacket` would write something. Connections that have nothing leave their queue here. */
export function hasOutput(i: Interface): boolean {
  if (i.quiet) return false;
  i.ethernet?.wakeWaiting();
  if (i.ethernet?.owes || waits(i.replies) || waits(i.datagrams)) return true;
  for (const ring of [i.urgent, i.ready]) {
    while (ring.length > 0) {
      if (whatToSend(ring.first()) !== NOTHING) return true;
      const c = ring.shift();
      c.inReady = false;
      rest(c);
    }
  }
  return false;
}

/** Serves the connections of one queue in turn, one segment each. */
function transmitFrom(
  host: Host,
  i: Interface,
  ring: ConnectionRing,
  out: Uint8Array,
  at: number,
  meta: TxMeta,
): number {
  while (ring.length > 0) {
    const c = ring.shift();
    c.inReady = false;
    if (host.interfaceOf(c) !== i) continue;
    if (i.ethernet !== null && !i.ethernet.reaches(c)) continue;
    const length = transmitSegment(host, i, c, out, at, meta);
    if (length === 0) continue;
    // In no queue a second time, when `touch` is told.
    c.inReady = true;
    if (!c.inDirty) host.touch(c);
    if (restIfDone(c)) c.inReady = false;
    else {
      i.ready.push(c);
      host.stencil.cut(host, i, c, out, at, length);
    }
    host.counters.segmentsOut += meta.gsoSize > 0 ? Math.ceil((length - meta.headerLength) / meta.gsoSize) : 1;
    return length;
  }
  return 0;
}

function transmitSegment(host: Host, i: Interface, c: Connection, out: Uint8Array, at: number, meta: TxMeta): number {
  const { local, remote } = c.addressing;
  const v4 = local.family === 4;
  const ipAt = at + i.linkHeader;
  const ipHeader = v4 ? IPV4_HEADER : IPV6_HEADER;
  const { tso, txChecksum } = i.caps;
  const most = v4 ? tso : Math.min(tso, 0xffff);
  const room = most > 0 ? most - ipHeader - TCP_HEADER : 0;
  const length = transmit(c, out, ipAt + ipHeader, room, txChecksum, meta);
  if (length === 0) return 0;
  const tos = (c.diffserv << 2) | host.plan.ecn;
  if (v4) {
    writeIpv4(out, ipAt, length, host.nextIpId(), host.profile.ttl, PROTO_TCP, tos, local.w3, remote.w3, true);
  } else {
    writeIpv6(
      out,
      ipAt,
      length,
      PROTO_TCP,
      host.profile.ttl,
      tos,
      0,
      local.w0,
      local.w1,
      local.w2,
      local.w3,
      remote.w0,
      remote.w1,
      remote.w2,
      remote.w3,
    );
  }
  if (meta.checksum === CHECKSUM_PARTIAL) {
    meta.csumStart = i.linkHeader + ipHeader;
    meta.headerLength += i.linkHeader + ipHeader;
  }
  i.ethernet?.frame(out, at, c.nextHop);
  return i.linkHeader + ipHeader + length;
}

/** Whether a queue has a packet that could be sent now. */
function waits(queue: ReplyQueue): boolean {
  return queue.length > 0 && !queue.stuck;
}

function transmitReply(host: Host, i: Interface, queue: ReplyQueue, out: Uint8Array, at: number): number {
  if (!waits(queue)) return 0;
  for (let n = queue.length; n > 0; n--) {
    const reply = queue.first();
    if (i.ethernet !== null) {
      const known = i.ethernet.resolve(reply.nextHop);
      if (known === false) {
        host.drop('neighbour-unresolved', null);
        queue.drop();
        continue;
      }
      if (known === null) {
        queue.defer();
        continue;
      }
      i.ethernet.frame(out, at, reply.nextHop);
    }
    out.set(reply.bytes.subarray(0, reply.length), at + i.linkHeader);
    if (reply.event !== null) host.trace?.({ ...reply.event, at: host.now, packet: host.packetId });
    queue.drop();
    return i.linkHeader + reply.length;
  }
  queue.stuck = queue.length > 0;
  return 0;
}

/** Room for an IP packet with `payload` octets to `remote`; the header is written, `null` when the queue is full. */
function claimReply(
  host: Host,
  i: Interface,
  local: Address,
  remote: Address,
  protocol: number,
  payload: number,
): Reply | null {
  return claim(host, i, i.replies, local, remote, protocol, payload, 0);
}

/**
 * Room in one of the interface's queues for an IP packet; see `claimReply`.
 *
 * @param ttl time to live or hop limit; 0 for the profile's
 */
export function claim(
  host: Host,
  i: Interface,
  queue: ReplyQueue,
  local: Address,
  remote: Address,
  protocol: number,
  payload: number,
  ttl: number,
): Reply | null {
  const v4 = local.family === 4;
  const header = v4 ? IPV4_HEADER : IPV6_HEADER;
  const reply = header + payload > i.mtu ? null : queue.claim(header + payload);
  if (reply === null) {
    host.drop('reply-queue-full', null);
    return null;
  }
  reply.length = header + payload;
  reply.event = null;
  queue.stuck = false;
  const route = host.routes.lookup(remote.w0, remote.w1, remote.w2, remote.w3);
  reply.nextHop = (route?.gateway ?? remote).w3;
  const hops = ttl > 0 ? ttl : host.profile.ttl;
  if (v4) {
    writeIpv4(reply.bytes, 0, payload, host.nextIpId(), hops, protocol, 0, local.w3, remote.w3, false);
  } else {
    const { w0, w1, w2, w3 } = remote;
    writeIpv6(reply.bytes, 0, payload, protocol, hops, 0, 0, local.w0, local.w1, local.w2, local.w3, w0, w1, w2, w3);
  }
  return reply;
}

/** Sum of the pseudo header between two addresses of one family. */
export function pseudoSum(local: Address, remote: Address, protocol: number, length: number): number {
  if (local.family === 4) return pseudoSum4(local.w3, remote.w3, protocol, length);
  const { w0, w1, w2, w3 } = remote;
  return pseudoSum6(local.w0, local.w1, local.w2, local.w3, w0, w1, w2, w3, protocol, length);
}

/** Where a segment that belongs to no connection comes from and goes to. */
export type SegmentEnds = Pick<ConnectionAddressing, 'local' | 'localPort' | 'remote' | 'remotePort'>;

/**
 * A segment without text that belongs to no connection.
 *
 * @param options octets `[0, length)` are its options, a multiple of 4
 * @param state what the trace says of this end
 * @returns false when it found no room
 */
export function queueSegment(
  host: Host,
  i: Interface,
  ends: SegmentEnds,
  seq: number,
  ack: number,
  flags: number,
  wnd: number,
  options: Uint8Array,
  length: number,
  state: State,
): boolean {
  const { local, localPort, remote, remotePort } = ends;
  const size = TCP_HEADER + length;
  const reply = claimReply(host, i, local, remote, PROTO_TCP, size);
  if (reply === null) return false;
  const at = reply.length - size;
  writeTcp(reply.bytes, at, localPort, remotePort, seq, ack, flags, wnd, 0, length);
  for (let n = 0; n < length; n++) reply.bytes[at + TCP_HEADER + n] = options[n]!;
  finishTcp(reply.bytes, at, size, pseudoSum(local, remote, PROTO_TCP, size));
  host.counters.repliesOut++;
  if (host.trace === null) return true;
  reply.event = {
    type: 'segment',
    at: host.now,
    host: host.name,
    dir: 'out',
    packet: 0,
    conn: 0,
    src: local.toString(),
    srcPort: localPort,
    dst: remote.toString(),
    dstPort: remotePort,
    seq,
    ack,
    flags,
    len: 0,
    wnd,
    state,
    again: false,
    probe: false,
  };
  return true;
}

/** A reset that belongs to no connection: <SEQ=seq><ACK=ack><CTL=flags> (RFC 9293 §3.10.7.1). */
export function queueReset(host: Host, i: Interface, ends: SegmentEnds, seq: number, ack: number, flags: number): void {
  if (queueSegment(host, i, ends, seq, ack, flags, 0, NO_OPTIONS, 0, 'CLOSED')) host.counters.resetsOut++;
}

/** An echo request or reply with `bytes[from, to)` as its data. */
export function queueEcho(
  host: Host,
  i: Interface,
  local: Address,
  remote: Address,
  request: boolean,
  id: number,
  seq: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  const length = ICMP_HEADER + to - from;
  if (local.family === 4) {
    const reply = claimReply(host, i, local, remote, PROTO_ICMP, length);
    if (reply === null) return;
    const type = request ? ICMP_ECHO : ICMP_ECHO_REPLY;
    writeIcmpEcho(reply.bytes, reply.length - length, type, id, seq, bytes, from, to);
    return;
  }
  const reply = claimReply(host, i, local, remote, PROTO_ICMPV6, length);
  if (reply === null) return;
  const at = reply.length - length;
  writeIcmpv6Echo(reply.bytes, at, request ? ICMPV6_ECHO : ICMPV6_ECHO_REPLY, id, seq, bytes, from, to);
  finishIcmpv6(reply.bytes, at, length, pseudoSum(local, remote, PROTO_ICMPV6, length));
}

/** An ICMP or ICMPv6 error about the IP packet `bytes[from, to)`. */
export function queueUnreachable(
  host: Host,
  i: Interface,
  local: Address,
  remote: Address,
  code: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  if (local.family === 4) {
    const length = ICMP_HEADER + Math.min(to - from, ICMP_QUOTE_MAX);
    const reply = claimReply(host, i, local, remote, PROTO_ICMP, length);
    if (reply !== null) {
      writeIcmpError(reply.bytes, reply.length - length, ICMP_UNREACHABLE, code, 0, bytes, from, to);
    }
    return;
  }
  const length = ICMP_HEADER + Math.min(to - from, ICMPV6_QUOTE_MAX);
  const reply = claimReply(host, i, local, remote, PROTO_ICMPV6, length);
  if (reply === null) return;
  const at = reply.length - length;
  writeIcmpv6Error(reply.bytes, at, ICMPV6_UNREACHABLE, code, 0, bytes, from, to);
  finishIcmpv6(reply.bytes, at, length, pseudoSum(local, remote, PROTO_ICMPV6, length));
}
