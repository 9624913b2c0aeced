// Ethernet below one interface: frames, ARP, and connections that wait for their next hop.
//
// The rest of the room knows this file by its types alone, so that programs on bare IP are not made of it.

import { NEIGHBOUR_FAILED, NEIGHBOUR_PENDING, NEIGHBOUR_READY, NeighbourCache, NO_REQUEST } from '../ip/neighbours.ts';
import type { Connection } from '../tcp/connection.ts';
import { NOTHING, whatToSend } from '../tcp/output.ts';
import { OFF } from '../tcp/timers.ts';
import { ARP_LENGTH, ARP_REPLY, ARP_REQUEST, ArpPacket, parseArp, writeArp } from '../wire/arp.ts';
import {
  BROADCAST_MAC,
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  EthernetHeader,
  isFrameFor,
  isGroupFrame,
  parseEthernet,
  writeEthernet,
} from '../wire/ethernet.ts';
import type { Host } from './host.ts';
import type { Interface } from './interface.ts';

/** ARP requests that wait to be answered on one interface, at most. */
const OWED_LIMIT = 16;

/**
 * Failures of the next hop in a row after which a connection that had been open ends with EHOSTUNREACH. By the
 * default profile one takes 4 s, and R2 of RFC 9293 §3.8.3 is at least 100 s.
 */
const PATIENCE = 25;

/** An ARP request that is to be answered: who asked, with which MAC, for which of our addresses. */
interface Owed {
  readonly address: number;
  readonly sender: number;
  readonly mac: Uint8Array;
}

/** Ethernet below one interface. */
export class Ethernet {
  readonly neighbours: NeighbourCache;
  /** The header of the frame that was taken last: where its packet is. */
  readonly header: EthernetHeader = new EthernetHeader();
  /** That frame was for more stations than this one. */
  group = false;
  /** Connections whose next hop is not resolved. */
  waiting: Connection[] = [];
  readonly #host: Host;
  readonly #interface: Interface;
  readonly #mac: Uint8Array;
  readonly #arp: ArpPacket = new ArpPacket();
  readonly #owed: Owed[] = [];
  /** When those of them whose next hop failed ask for it again. */
  #retryAt: number = OFF;
  /** `neighbours.changes` when `waiting` was last looked at. */
  #changesSeen = 0;

  /** Throws `RangeError` for an interface that cannot be on Ethernet. */
  constructor(host: Host, i: Interface) {
    if (i.mac?.length !== 6) throw new RangeError('an Ethernet interface needs a MAC address of 6 octets');
    if (i.address(6) !== null) {
      throw new RangeError('IPv6 over Ethernet needs neighbour discovery, which is not supported yet');
    }
    this.neighbours = new NeighbourCache(host.profile);
    this.#host = host;
    this.#interface = i;
    this.#mac = i.mac;
  }

  /** Takes a frame: 4 or 6, with the packet of that version where `header` says, or 0 when it has none for us. ARP ends here. */
  receive(bytes: Uint8Array, from: number, to: number): 0 | 4 | 6 {
    const { header } = this;
    const host = this.#host;
    const reason = parseEthernet(bytes, from, to, header);
    if (reason !== null) {
      host.drop(reason, null);
      return 0;
    }
    this.group = isGroupFrame(header);
    if (!this.group && !isFrameFor(header, this.#mac)) {
      host.drop('not-for-us', null);
      return 0;
    }
    if (header.type === ETHERTYPE_IPV4) return 4;
    if (header.type === ETHERTYPE_IPV6) return 6;
    if (header.type === ETHERTYPE_ARP) this.#takeArp(bytes, header.payloadFrom, header.payloadTo);
    else host.drop('unknown-ethertype', null);
    return 0;
  }

  /** RFC 826, "Packet Reception". */
  #takeArp(bytes: Uint8Array, from: number, to: number): void {
    const arp = this.#arp;
    const host = this.#host;
    const reason = parseArp(bytes, from, to, arp);
    if (reason !== null) {
      host.drop(reason, null);
      return;
    }
    const ours = this.#interface.has(0, 0, 0xffff, arp.targetAddress);
    this.neighbours.learn(arp.senderAddress, bytes, arp.senderMacAt, host.now, ours);
    if (!ours || arp.operation !== ARP_REQUEST) return;
    if (this.#owed.length === OWED_LIMIT) {
      host.drop('reply-queue-full', null);
      return;
    }
    const mac = bytes.slice(arp.senderMacAt, arp.senderMacAt + 6);
    this.#owed.push({ address: arp.targetAddress, sender: arp.senderAddress, mac });
  }

  /** Whether an answer to an ARP request waits to be sent. */
  get owes(): boolean {
    return this.#owed.length > 0;
  }

  /** Writes the next ARP packet at `out[at]`, an answer or a request; returns its length, or 0. */
  transmit(out: Uint8Array, at: number): number {
    const { neighbours } = this;
    const mac = this.#mac;
    const ours = this.#interface.address(4);
    if (ours === null) return 0;
    const owed = this.#owed.shift();
    if (owed !== undefined) {
      const body = writeEthernet(out, at, owed.mac, 0, mac, ETHERTYPE_ARP);
      writeArp(out, body, ARP_REPLY, mac, owed.address, owed.mac, 0, owed.sender);
      return ETHERNET_HEADER + ARP_LENGTH;
    }
    const target = neighbours.nextRequest(this.#host.now);
    if (target === NO_REQUEST) return 0;
    const body = writeEthernet(out, at, BROADCAST_MAC, 0, mac, ETHERTYPE_ARP);
    // One that was known is asked first, alone; everybody is asked when it does not answer (RFC 1122 §2.3.2.1 (2)).
    if (neighbours.isPolled(target)) neighbours.macInto(target, out, at);
    writeArp(out, body, ARP_REQUEST, mac, ours.w3, null, 0, target);
    return ETHERNET_HEADER + ARP_LENGTH;
  }

  /** Writes the header in front of a packet to a next hop that is resolved. */
  frame(out: Uint8Array, at: number, nextHop: number): void {
    writeEthernet(out, at, BROADCAST_MAC, 0, this.#mac, ETHERTYPE_IPV4);
    if (!this.#isEverybody(nextHop)) this.neighbours.macInto(nextHop, out, at);
  }

  /** Whether a next hop is a broadcast address, which no neighbour answers for. */
  #isEverybody(nextHop: number): boolean {
    return nextHop === -1 || this.#interface.isBroadcast(nextHop);
  }

  /** Whether a packet of no connection may be sent to a next hop now: true, false for ever, or `null` for not yet. */
  resolve(nextHop: number): boolean | null {
    if (this.#isEverybody(nextHop)) return true;
    const answer = this.neighbours.resolve(nextHop, this.#host.now);
    return answer === NEIGHBOUR_PENDING ? null : answer === NEIGHBOUR_READY;
  }

  /** Whether the connection's next hop is known. One that is not waits aside, and nothing of it advances. */
  reaches(c: Connection): boolean {
    if (c.inWaiting) return false;
    if (whatToSend(c) === NOTHING) return true;
    const host = this.#host;
    const answer = this.neighbours.resolve(c.nextHop, host.now);
    if (answer === NEIGHBOUR_READY) {
      if (c.rare.neighbourFailures > 0) c.ownRare().neighbourFailures = 0;
      return true;
    }
    if (answer === NEIGHBOUR_FAILED) {
      host.drop('neighbour-unresolved', c);
      c.ownRare().neighbourFailures++;
      c.unreachable('EHOSTUNREACH');
      if (c.rare.neighbourFailures > PATIENCE) c.fail('EHOSTUNREACH', 'error');
      if (c.state === 'CLOSED') return false;
      // Nobody is asking for that neighbour any more, so no change of it would wake the connection.
      this.#retryAt = Math.min(this.#retryAt, host.now + host.profile.arpInterval);
    }
    c.inWaiting = true;
    this.waiting.push(c);
    return false;
  }

  /** Lets those that waited for a neighbour try again, once some neighbour was found or given up. */
  wakeWaiting(): void {
    const { changes } = this.neighbours;
    if (changes === this.#changesSeen && this.#host.now < this.#retryAt) return;
    this.#changesSeen = changes;
    this.#interface.replies.stuck = false;
    this.#interface.datagrams.stuck = false;
    for (const c of this.#takeWaiting()) this.#host.touch(c);
  }

  #takeWaiting(): Connection[] {
    const waiting = this.waiting;
    this.waiting = [];
    this.#retryAt = OFF;
    for (const c of waiting) c.inWaiting = false;
    return waiting;
  }

  /** The link is down: nothing that was known of the neighbours holds any more. */
  clear(): void {
    this.neighbours.clear();
    this.#takeWaiting();
  }

  /** When a request is to be sent, a neighbour is given up, or a connection asks again. */
  nextDeadline(): number {
    return Math.min(this.neighbours.nextDeadline(), this.#retryAt);
  }

  /** Gives up neighbours that are due. */
  timersFire(now: number): void {
    if (this.neighbours.nextDeadline() <= now) this.neighbours.timersFire(now);
  }
}

/**
 * Ethernet with ARP, for `new Host({ ethernet })`: what links of that medium need (TAP, virtual machines, most relays over
 * WebSocket). `createHost` hands it in.
 */
export const ethernet = (host: Host, i: Interface): Ethernet => new Ethernet(host, i);
