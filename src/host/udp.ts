// UDP: sockets of one host, and which of them a datagram is for (RFC 768, RFC 1122 §4.1).
//
// A datagram is whole or not there: what comes is copied once and kept until `deliver` hands it to the program, what
// goes waits in its interface's queue. There are no fragments yet, so a datagram must fit into the MTU.

import { NetError, type NetErrorCode, StateError } from '../base/errors.ts';
import type { Address } from '../wire/address.ts';
import { PROTO_UDP } from '../wire/ipv4.ts';
import { finishUdp, UDP_HEADER, writeUdp } from '../wire/udp.ts';
import type { Host } from './host.ts';
import type { Interface } from './interface.ts';
import { claim, pseudoSum } from './output.ts';

/** What `udp` needs to know. */
export interface UdpOptions {
  /** 0 to 65535; by default, and for 0, the host chooses. */
  readonly port?: number;
  /** One of the host's addresses, `0.0.0.0` for all of IPv4, `::` for all; all of them by default. */
  readonly address?: string;
  /** `::` and no address mean IPv6 alone (RFC 3493 §5.3). */
  readonly ipv6Only?: boolean;
  /** Other sockets that say so too may have the same address and port; each gets broadcasts, the last all else. */
  readonly reuseAddress?: boolean;
}

/** What a program hears of a UDP socket, from `Host.deliver`. */
export interface UdpHandler {
  /** One datagram; the bytes belong to the program from here on. */
  onMessage?(socket: UdpSocket, bytes: Uint8Array, address: Address, port: number): void;
  /**
   * The network said that a datagram to `error.address` and `error.port` did not arrive: ECONNREFUSED, EHOSTUNREACH,
   * ENETUNREACH (RFC 1122 §4.1.3.3). The socket lives on.
   */
  onError?(socket: UdpSocket, error: NetError): void;
  /** The last call: the socket was closed, with the host's error if it was the host that ended. */
  onClose?(socket: UdpSocket, error: NetError | null): void;
}

/** A datagram that waits for the program. */
interface Arrived {
  readonly bytes: Uint8Array;
  readonly address: Address;
  readonly port: number;
}

/**
 * Opens a UDP socket of a host. What comes to it is told from `Host.deliver` to its `handler`.
 *
 * @throws `NetError` EADDRINUSE or EADDRNOTAVAIL, `RangeError` for a bad port or address, `StateError` once the host is closed
 */
export function udp(host: Host, options: UdpOptions = {}): UdpSocket {
  host.assertOpen();
  host.begin();
  return datagramsOf(host).bind(options);
}

/** @internal The UDP of a host, which begins here. */
export function datagramsOf(host: Host): Datagrams {
  host.datagrams ??= new Datagrams(host);
  return host.datagrams;
}

/** Octets a socket keeps for its program; more is dropped and counted. As Linux' `rmem_default`. */
export const UDP_RECEIVE_LIMIT = 212_992;
/** What a waiting datagram costs beside its octets, so that empty ones are bounded too. */
const DATAGRAM_OVERHEAD = 256;

/** A UDP socket. Made by `udp`. */
export class UdpSocket {
  /** Our address it is bound to; `null` for all. */
  readonly address: Address | null;
  /** 0 for both families; of the address, or of the wildcard. */
  readonly family: 0 | 4 | 6;
  readonly port: number;
  readonly reuseAddress: boolean;
  /** Who is told; may be set at any time. What came before is told then. */
  handler: UdpHandler | null = null;
  /** Datagrams to a broadcast address may be sent; otherwise `send` says EACCES. */
  broadcast = false;
  /** Time to live, or hop limit, of what is sent: 1 to 255; 0 for the host's own. */
  ttl = 0;
  /** The peer of a connected socket: only its datagrams are taken. */
  remote: Address | null = null;
  remotePort = 0;
  /** False after `close`. */
  open = true;
  /** @internal The host has it in its list of those with events. */
  inEvents = false;

  readonly #host: Host;
  readonly #datagrams: Datagrams;
  #arrived: Arrived[] = [];
  #errors: NetError[] = [];
  #held = 0;
  #closeError: NetError | null = null;
  #closeTold = false;

  /** @internal */
  constructor(
    host: Host,
    datagrams: Datagrams,
    address: Address | null,
    family: 0 | 4 | 6,
    port: number,
    reuseAddress: boolean,
  ) {
    this.#host = host;
    this.#datagrams = datagrams;
    this.address = address;
    this.family = family;
    this.port = port;
    this.reuseAddress = reuseAddress;
  }

  /** Octets of datagrams that wait for the program. */
  get readable(): number {
    let sum = 0;
    for (const a of this.#arrived) sum += a.bytes.length;
    return sum;
  }

  /** Binds the socket to one peer (`connect(2)`). Throws `RangeError` for an address or port that is none. */
  connect(address: string, port: number): void {
    this.#assertOpen();
    this.remote = this.#host.addressOf(address);
    this.remotePort = checkedPort(port);
  }

  /** Takes datagrams of every peer again. */
  disconnect(): void {
    this.remote = null;
    this.remotePort = 0;
  }

  /**
   * Sends one datagram; the bytes are copied. To the connected peer when no address is given.
   *
   * @returns `null` when it waits for the link, or why it cannot: EMSGSIZE beyond the MTU, ENETUNREACH without a way,
   *   EACCES for a broadcast that was not allowed, ENOBUFS when too much waits already
   */
  send(bytes: Uint8Array, address?: string, port?: number): NetError | null {
    this.#assertOpen();
    const to = address === undefined ? this.remote : this.#host.addressOf(address);
    if (to === null) throw new StateError('the socket is not connected: `send` needs an address and a port');
    return this.#datagrams.send(this, bytes, to, address === undefined ? this.remotePort : checkedPort(port ?? 0));
  }

  /** Gives the port back. What waits for the program is dropped; what waits for the link is sent. */
  close(): void {
    this.#end(null);
  }

  /** @internal A datagram for this socket; false when there is no room. */
  take(bytes: Uint8Array, from: number, to: number, address: Address, port: number): boolean {
    if (this.#held + to - from + DATAGRAM_OVERHEAD > UDP_RECEIVE_LIMIT) return false;
    this.#held += to - from + DATAGRAM_OVERHEAD;
    this.#arrived.push({ bytes: bytes.slice(from, to), address, port });
    this.#datagrams.announce(this);
    return true;
  }

  /** @internal An ICMP error about one of its datagrams. */
  failed(error: NetError): void {
    // What is told late tells nothing new: the last few are enough.
    if (this.#errors.length < 16) this.#errors.push(error);
    this.#datagrams.announce(this);
  }

  /** @internal The host ends. */
  abort(error: NetError): void {
    this.#end(error);
  }

  /** @internal Calls the handler for what was there when the call began. */
  tell(): void {
    const { handler } = this;
    if (handler === null) return;
    const arrived = this.#arrived;
    const errors = this.#errors;
    this.#arrived = [];
    this.#errors = [];
    this.#held = 0;
    for (const e of errors) if (this.open) this.handler?.onError?.(this, e);
    for (const a of arrived) if (this.open) this.handler?.onMessage?.(this, a.bytes, a.address, a.port);
    if (!this.open && !this.#closeTold) {
      this.#closeTold = true;
      this.handler?.onClose?.(this, this.#closeError);
    }
  }

  #end(error: NetError | null): void {
    if (!this.open) return;
    this.open = false;
    this.#closeError = error;
    this.#arrived = [];
    this.#errors = [];
    this.#datagrams.release(this);
    this.#datagrams.announce(this);
  }

  #assertOpen(): void {
    if (!this.open) throw new StateError('the socket is closed');
  }
}

/** The UDP sockets of one host. */
export class Datagrams {
  readonly #host: Host;
  /** By port, in the order of binding. */
  readonly #sockets: Map<number, UdpSocket[]> = new Map();
  #eventful: UdpSocket[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether `deliver` would call anybody. */
  get hasEvents(): boolean {
    return this.#eventful.length > 0;
  }

  /** Sockets that are open. */
  get count(): number {
    let sum = 0;
    for (const all of this.#sockets.values()) sum += all.length;
    return sum;
  }

  /** Opens a socket; see `udp`. */
  bind(options: UdpOptions): UdpSocket {
    const host = this.#host;
    const wanted = options.port ?? 0;
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 0xffff) {
      throw new RangeError(`port ${wanted} is not in 0..65535`);
    }
    const address = options.address === undefined ? null : host.addressOf(options.address);
    const bound = address === null || address.isUnspecified ? null : address;
    if (bound !== null && !host.isOurs(bound)) throw new NetError('EADDRNOTAVAIL', 'bind', bound.toString(), wanted);
    const family = familyOf(address, options.ipv6Only === true);
    const reuse = options.reuseAddress === true;
    const port = wanted === 0 ? this.#free(bound, family) : wanted;
    if (port < 0 || this.#isTaken(bound, family, port, reuse)) {
      throw new NetError('EADDRINUSE', 'bind', address?.toString() ?? '', wanted);
    }
    const socket = new UdpSocket(host, this, bound, family, port, reuse);
    const all = this.#sockets.get(port);
    if (all === undefined) this.#sockets.set(port, [socket]);
    else all.push(socket);
    return socket;
  }

  /** A socket is closed. */
  release(socket: UdpSocket): void {
    const rest = (this.#sockets.get(socket.port) ?? []).filter((s) => s !== socket);
    if (rest.length === 0) this.#sockets.delete(socket.port);
    else this.#sockets.set(socket.port, rest);
  }

  /** A socket has something to tell. */
  announce(socket: UdpSocket): void {
    this.#host.begin();
    if (socket.inEvents) return;
    socket.inEvents = true;
    this.#eventful.push(socket);
  }

  /** Tells the programs what has come; true when there was any. */
  deliver(): boolean {
    if (this.#eventful.length === 0) return false;
    const eventful = this.#eventful;
    this.#eventful = [];
    // Before anything is told: what a handler announces, or what stays when one throws, is for the next call.
    for (const s of eventful) s.inEvents = false;
    for (const s of eventful) s.tell();
    return true;
  }

  /**
   * A datagram arrived for one of our addresses or, with `group`, for all of a network.
   *
   * @returns false when no socket wants it
   */
  arrives(
    bytes: Uint8Array,
    from: number,
    to: number,
    local: Address,
    localPort: number,
    remote: Address,
    remotePort: number,
    group: boolean,
  ): boolean {
    const all = this.#sockets.get(localPort);
    if (all === undefined) return false;
    let best: UdpSocket | null = null;
    let bestScore = 0;
    let taken = false;
    for (const s of all) {
      const score = fits(s, local, remote, remotePort, group);
      if (score === 0) continue;
      if (group) {
        taken = true;
        this.#give(s, bytes, from, to, remote, remotePort);
      } else if (score >= bestScore) {
        best = s;
        bestScore = score;
      }
    }
    if (best === null) return taken;
    this.#give(best, bytes, from, to, remote, remotePort);
    return true;
  }

  /** An ICMP error quoted a datagram from `local` to `remote`; false when no socket may have sent it. */
  unreachable(local: Address, localPort: number, remote: Address, remotePort: number, code: NetErrorCode): boolean {
    let known = false;
    for (const s of this.#sockets.get(localPort) ?? []) {
      if (fits(s, local, remote, remotePort, false) === 0) continue;
      known = true;
      s.failed(new NetError(code, s.remote === null ? 'send' : 'read', remote.toString(), remotePort));
    }
    return known;
  }

  /** Queues one datagram at its interface; see `UdpSocket.send`. */
  send(socket: UdpSocket, bytes: Uint8Array, remote: Address, port: number): NetError | null {
    const host = this.#host;
    host.begin();
    const i = this.#wayTo(remote);
    const local = socket.address ?? (i === null ? null : host.sourceFor(i, remote));
    if (i === null || local === null || local.family !== remote.family) return failure('ENETUNREACH', remote, port);
    if (socket.family !== 0 && socket.family !== remote.family) return failure('ENETUNREACH', remote, port);
    const everybody = remote.isBroadcast || (remote.family === 4 && i.isBroadcast(remote.w3));
    if (everybody && !socket.broadcast) return failure('EACCES', remote, port);
    const length = UDP_HEADER + bytes.length;
    if (length + (remote.family === 4 ? 20 : 40) > i.mtu) return failure('EMSGSIZE', remote, port);
    const packet = claim(host, i, i.datagrams, local, remote, PROTO_UDP, length, socket.ttl);
    if (packet === null) return failure('ENOBUFS', remote, port);
    const at = packet.length - length;
    packet.bytes.set(bytes, writeUdp(packet.bytes, at, socket.port, port, bytes.length));
    finishUdp(packet.bytes, at, length, pseudoSum(local, remote, PROTO_UDP, length));
    host.counters.datagramsOut++;
    return null;
  }

  /** Ends every socket. */
  close(error: NetError): void {
    for (const all of [...this.#sockets.values()]) for (const s of all) s.abort(error);
  }

  #give(s: UdpSocket, bytes: Uint8Array, from: number, to: number, remote: Address, port: number): void {
    if (s.take(bytes, from, to, remote, port)) this.#host.counters.datagramsIn++;
    else this.#host.drop('udp-queue-full', null);
  }

  /** The interface a datagram leaves by; a limited broadcast leaves by the first that has IPv4. */
  #wayTo(remote: Address): Interface | null {
    const host = this.#host;
    if (remote.isBroadcast) return host.interfaces.find((i) => i.up && i.address(4) !== null) ?? null;
    return remote.isMulticast ? null : host.wayTo(remote);
  }

  #isTaken(address: Address | null, family: 0 | 4 | 6, port: number, reuse: boolean): boolean {
    return (this.#sockets.get(port) ?? []).some((s) => {
      if (reuse && s.reuseAddress) return false;
      if (family !== 0 && s.family !== 0 && family !== s.family) return false;
      return address === null || s.address === null || s.address.equals(address);
    });
  }

  #free(address: Address | null, family: 0 | 4 | 6): number {
    const { ephemeralFrom, ephemeralTo } = this.#host.profile;
    const count = ephemeralTo - ephemeralFrom;
    const start = this.#host.secretNumber() % count;
    for (let n = 0; n < count; n++) {
      const port = ephemeralFrom + ((start + n) % count);
      if (!this.#isTaken(address, family, port, false)) return port;
    }
    return -1;
  }
}

/** How well a socket fits a datagram: 0 for not at all; a connected one before one of its address, before the rest. */
function fits(s: UdpSocket, local: Address, remote: Address, remotePort: number, group: boolean): number {
  if (s.family !== 0 && s.family !== local.family) return 0;
  // A socket of one address has no part in what is for everybody, as on Linux.
  if (s.address !== null && (group || !s.address.equals(local))) return 0;
  if (s.remote !== null && (s.remotePort !== remotePort || !s.remote.equals(remote))) return 0;
  return 1 + (s.address === null ? 0 : 1) + (s.remote === null ? 0 : 2);
}

function familyOf(address: Address | null, ipv6Only: boolean): 0 | 4 | 6 {
  if (ipv6Only) return 6;
  // `::` hears both families, `0.0.0.0` only its own.
  return address === null || (address.family === 6 && address.isUnspecified) ? 0 : address.family;
}

function failure(code: NetErrorCode, remote: Address, port: number): NetError {
  return new NetError(code, 'send', remote.toString(), port);
}

function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) throw new RangeError(`port ${port} is not in 1..65535`);
  return port;
}
