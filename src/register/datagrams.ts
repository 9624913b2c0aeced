// Where the datagrams of a program go: to its own sockets, through a gateway to the real network, or out of a TUN device.

import dgram from 'node:dgram';
import { NetError } from '../base/errors.ts';
import { type Host, type UdpSocket, udp } from '../host/index.ts';
import { parseAddress } from '../wire/index.ts';
import type { Way } from './routes.ts';

/** Node's own, from before anything was patched. */
const realSocket = dgram.createSocket;
/** Senders that a gateway keeps a real socket for; the one that was made first goes for one more. */
const MOST_SENDERS = 256;
/** Destinations that a gateway has a port for, and that a socket knows behind gateways; the one unused longest goes first. */
const MOST_DESTINATIONS = 1024;
/** Ports tried for one that is free on every host. */
const TRIES = 16;

/** What of `Routes` datagrams need. */
export interface DatagramWays {
  readonly client: Host;
  readonly server: Host;
  readonly tuns: readonly Host[];
  wayTo(address: string): Way;
  /** Whether an address stands for this machine itself. */
  isSelf(address: string): boolean;
}

/** Who is told of a port. Addresses are those that the program knows; an empty one is this machine's own. */
export interface DatagramHandler {
  onMessage(bytes: Uint8Array, address: string, port: number): void;
  onError?(error: NetError): void;
}

/** A port of a program, on all of its hosts or on one. */
export class DatagramPort {
  readonly port: number;
  readonly #ways: DatagramWays;
  /** What the program's own sockets send arrives here. */
  readonly #inner: UdpSocket | null;
  /** What goes through simulated links leaves here; answers of gateways arrive. */
  readonly #outer: UdpSocket | null;
  readonly #tuns: ReadonlyMap<Host, UdpSocket>;
  /** By address and port of a gateway: what lies behind. */
  readonly #behind: Map<string, { readonly address: string; readonly port: number }> = new Map();

  /**
   * @param address one of this machine's own or of a TUN device; all of them when absent
   * @throws NetError EADDRINUSE, EADDRNOTAVAIL
   */
  constructor(ways: DatagramWays, port: number, address: string | undefined, handler: DatagramHandler) {
    this.#ways = ways;
    const any = address === undefined || ways.isSelf(address);
    const hosts = any
      ? [ways.server, ways.client, ...ways.tuns]
      : ways.tuns.filter((host) => hasAddress(host, address));
    if (hosts.length === 0) throw new NetError('EADDRNOTAVAIL', 'bind', address ?? '', port);
    const sockets = bindAll(hosts, port);
    this.port = sockets[0]!.port;
    this.#inner = any ? sockets[0]! : null;
    this.#outer = any ? sockets[1]! : null;
    this.#tuns = new Map(hosts.slice(any ? 2 : 0).map((host, i) => [host, sockets[i + (any ? 2 : 0)]!]));
    for (const socket of sockets) {
      socket.handler = {
        onMessage: (_, bytes, from, fromPort) => {
          const own = socket === this.#inner || socket === this.#outer;
          const known = own ? this.#behind.get(`${from} ${fromPort}`) : { address: `${from}`, port: fromPort };
          handler.onMessage(bytes, known?.address ?? '', known?.port ?? fromPort);
        },
        ...(handler.onError !== undefined && { onError: (_, error) => handler.onError!(error) }),
      };
    }
  }

  /** Sends one datagram. Returns why it cannot. */
  send(bytes: Uint8Array, address: string, port: number): Error | null {
    const way = this.#ways.wayTo(address);
    const socket = way.kind === 'tun' ? this.#tuns.get(way.host) : this.#outer;
    if (socket == null) return new NetError('ENETUNREACH', 'send', address, port);
    if (way.kind === 'tun') return socket.send(bytes, address, port);
    if (way.kind === 'own') return socket.send(bytes, this.#ways.isSelf(address) ? way.address : address, port);
    const gate = way.datagrams.gate(address, port);
    keep(this.#behind, `${way.address} ${gate}`, { address, port });
    return socket.send(bytes, way.address, gate);
  }

  /** Those that send; none of them may outlive `close`. */
  get sockets(): readonly UdpSocket[] {
    return [this.#inner, this.#outer, ...this.#tuns.values()].filter((socket) => socket !== null);
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
  }
}

/** Keeps a value as the newest of `MOST_DESTINATIONS`. Returns the one that had to go. */
function keep<V>(map: Map<string, V>, key: string, value: V): V | undefined {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST_DESTINATIONS) return undefined;
  const [oldest] = map;
  map.delete(oldest![0]);
  return oldest![1];
}

/** The same port on every host. */
function bindAll(hosts: readonly Host[], port: number): UdpSocket[] {
  for (let tries = 1; ; tries++) {
    const bound: UdpSocket[] = [];
    try {
      for (const host of hosts) bound.push(udp(host, { port: bound[0]?.port ?? port }));
      return bound;
    } catch (error) {
      for (const socket of bound) socket.close();
      if (port !== 0 || tries >= TRIES) throw error;
    }
  }
}

/** Whether a host has an address. */
export function hasAddress(host: Host, text: string | undefined): boolean {
  const a = text === undefined ? null : parseAddress(text);
  return a !== null && host.interfaces.some((i) => i.has(a.w0, a.w1, a.w2, a.w3));
}

/** The end of a link that leads to the real network: a port for each destination, a real socket for each who sends there. */
export class DatagramGateway {
  readonly #host: Host;
  readonly #ports: Map<string, UdpSocket> = new Map();
  readonly #senders: Map<string, dgram.Socket> = new Map();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The port of the gateway behind which a destination lies. */
  gate(address: string, port: number): number {
    const key = `${address} ${port}`;
    const known = this.#ports.get(key);
    const made = known ?? udp(this.#host);
    keep(this.#ports, key, made)?.close();
    if (known !== undefined) return known.port;
    made.handler = {
      onMessage: (_, bytes, from, fromPort) => {
        const sender = this.#sender(`${key} ${from} ${fromPort}`, address, (answer) => {
          made.send(answer, `${from}`, fromPort);
        });
        sender.send(bytes, port, address);
      },
    };
    return made.port;
  }

  #sender(key: string, address: string, answer: (bytes: Uint8Array) => void): dgram.Socket {
    const known = this.#senders.get(key);
    if (known !== undefined) return known;
    const made = realSocket(address.includes(':') ? 'udp6' : 'udp4');
    made.unref();
    made.on('message', answer);
    // As on the way of any datagram: what the network could not do is lost, and the next one gets a new socket.
    made.on('error', () => this.#forget(key));
    this.#senders.set(key, made);
    const [oldest] = this.#senders.keys();
    if (this.#senders.size > MOST_SENDERS && oldest !== undefined) this.#forget(oldest);
    return made;
  }

  #forget(key: string): void {
    this.#senders.get(key)?.close();
    this.#senders.delete(key);
  }
}
