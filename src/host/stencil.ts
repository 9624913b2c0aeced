// The header of a packet, kept for those that follow it: in a bulk transfer most differ in three fields.
//
// Where a link takes no super-segments, each wire packet is asked for on its own. A run of full segments is decided once
// (`tcp/successors.ts`) and each is written when the link asks for it, so nothing is cut in advance and nothing has to be
// taken back when the link is full. Whatever happens to the host in between ends the run: the next packet is decided anew.

import type { Connection } from '../tcp/connection.ts';
import { succeed, successors } from '../tcp/successors.ts';
import { IPV4_HEADER, numberIpv4, sumOfUnnumbered4 } from '../wire/ipv4.ts';
import { IPV6_HEADER } from '../wire/ipv6.ts';
import { ACK, finishTcp, numberTcp, TCP_FLAGS_OFFSET, TCP_HEADER, TIMESTAMP_OCTETS } from '../wire/tcp.ts';
import type { Host } from './host.ts';
import type { Interface } from './interface.ts';

/** The run of one connection, on a link that carries bare IP and leaves checksums to us. */
export class Stencil {
  /** Packets that may follow; 0 for no run. */
  left = 0;
  #c: Connection | null = null;
  #interface: Interface | null = null;
  #now = 0.5;
  /** What the program may change without the host's hearing of it: it has read, it has named another class of traffic. */
  #delivered = 0;
  #diffserv = 0;
  readonly #header: Uint8Array = new Uint8Array(IPV6_HEADER + TCP_HEADER + TIMESTAMP_OCTETS);
  /** As much of it as all headers take: `set` of a kept view, since a loop over 52 octets costs as much as the decisions. */
  #kept: Uint8Array = this.#header;
  /** Where the TCP header begins. */
  #tcpAt = 0;
  /** Sum of the IPv4 header without its identification and its checksum. */
  #ipSum = 0;

  /** The packet in `out[at, at + length)` of connection `c` is on its way: whether others may follow it. */
  cut(host: Host, i: Interface, c: Connection, out: Uint8Array, at: number, length: number): void {
    const { mss } = c.snd;
    if (host.plan.len !== mss || host.trace !== null || i.linkHeader > 0 || i.caps.txChecksum || i.caps.tso > 0) return;
    const tcpAt = c.addressing.local.family === 4 ? IPV4_HEADER : IPV6_HEADER;
    const header = length - mss;
    // No PSH, no ECN, no SACK.
    if (out[at + tcpAt + TCP_FLAGS_OFFSET] !== ACK) return;
    if (header !== tcpAt + TCP_HEADER + (c.snd.tsOk ? TIMESTAMP_OCTETS : 0)) return;
    const count = successors(c);
    if (count === 0) return;
    if (this.#kept.length !== header) this.#kept = this.#header.subarray(0, header);
    const kept = this.#kept;
    for (let k = 0; k < header; k++) kept[k] = out[at + k]!;
    if (tcpAt === IPV4_HEADER) this.#ipSum = sumOfUnnumbered4(kept, 0);
    this.#c = c;
    this.#interface = i;
    this.#now = host.now;
    this.#delivered = c.delivered;
    this.#diffserv = c.diffserv;
    this.#tcpAt = tcpAt;
    this.left = count;
  }

  /** Writes the next packet of the run at `out[at]`; returns its length, or 0 when the run is over. */
  next(host: Host, i: Interface, out: Uint8Array, at: number): number {
    const c = this.#c;
    if (c === null || !this.#goesOn(host, i, c)) {
      this.end();
      return 0;
    }
    const kept = this.#kept;
    const header = kept.length;
    out.set(kept, at);
    const tcpAt = this.#tcpAt;
    if (tcpAt === IPV4_HEADER) numberIpv4(out, at, host.nextIpId(), this.#ipSum);
    numberTcp(out, at + tcpAt, c.snd.nxt);
    const length = header + c.snd.mss;
    succeed(c, out, at + header);
    finishTcp(out, at + tcpAt, length - tcpAt, c.addressing.pseudo + length - tcpAt);
    host.counters.segmentsOut++;
    i.datagramsNext = !i.datagramsNext;
    if (--this.left === 0) this.end();
    return length;
  }

  /** Something happens: what follows is decided anew. */
  end(): void {
    this.left = 0;
    this.#c = null;
  }

  /** The moment is the same, nobody else wants to send, and the program has done nothing that it does without a word. */
  #goesOn(host: Host, i: Interface, c: Connection): boolean {
    if (i !== this.#interface || host.now !== this.#now || !c.inDirty) return false;
    if (i.urgent.length + i.replies.length + i.datagrams.length > 0) return false;
    // Whoever came to wait behind it would have ended the run by `touch`.
    if (i.ready.first() !== c) return false;
    return c.delivered === this.#delivered && c.diffserv === this.#diffserv;
  }
}
