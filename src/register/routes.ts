// The networks behind an unmodified program: where its connections, servers and datagrams live.

import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import process from 'node:process';
import { NetError } from '../base/errors.ts';
import type { Host } from '../host/index.ts';
import { impairLink } from '../link/impaired.ts';
import { openTun } from '../link/tun.ts';
import type { NetHost, NetListener, NetStream } from '../node/index.ts';
import { createHost } from '../run/index.ts';
import { type Connection, Network } from '../sim/index.ts';
import { joined, RealDriver } from '../testing/internal.ts';
import { PcapngWriter } from '../trace/index.ts';
import { parseAddress } from '../wire/index.ts';
import type { RegisterConfig, RegisterLink } from './config.ts';
import { DatagramGateway, type DatagramHandler, DatagramPort, hasAddress } from './datagrams.ts';

/** The addresses of the two ends of a simulated link, by its number. */
const near = (k: number): string => `10.77.${k}.1`;
const far = (k: number): string => `10.77.${k}.2`;
/** Ports of a gateway, one for each real destination, start here. */
const GATEWAY_PORTS = 1024;

/** Node's own, from before anything was patched. */
const realConnect = net.connect;

/** Where an address leads. */
export type Way =
  | { readonly kind: 'own'; readonly address: string }
  | {
      readonly kind: 'real';
      readonly host: Host;
      readonly address: string;
      readonly ports: Map<string, number>;
      readonly datagrams: DatagramGateway;
    }
  | { readonly kind: 'tun'; readonly host: Host };

/**
 * One program's networks. Its clients live on one simulated host and its servers on another, with the first simulated
 * link between them, so that even what it says to itself has that link's delay and loss.
 */
export class Routes implements NetHost {
  /** Both families, as far as programs ask. */
  readonly interfaces: readonly { address(family: 4 | 6): unknown }[] = [{ address: () => true }];
  readonly #config: RegisterConfig;
  readonly #network: Network;
  readonly #client: Host;
  readonly #server: Host;
  readonly #ways: Map<string, Way> = new Map();
  readonly #tuns: Host[] = [];
  /** By port of a client that means to speak to this machine itself: the address it asked for. */
  readonly #selves: Map<number, string> = new Map();

  /** Throws what a TUN device says. */
  constructor(config: RegisterConfig) {
    this.#config = config;
    this.#network = new Network({ seed: config.seed, profile: config.profile });
    const driver = new RealDriver(
      this.#network,
      (error) => {
        // Where the platform looks for uncaught errors.
        queueMicrotask(() => {
          throw error;
        });
      },
      false,
    );
    const host = (name: string, ...addresses: string[]): Host => {
      const made = this.#network.host(name, { addresses });
      made.onWake = () => driver.wake();
      return made;
    };
    this.#client = host('client');
    this.#server = host('server');
    let k = 0;
    for (const [name, link] of config.links) this.#ways.set(name, this.#way(link, name, k++, host));
    if (config.capture !== '') this.#capture(config.capture);
  }

  #way(link: RegisterLink, name: string, k: number, host: (name: string) => Host): Way {
    if (link.kind === 'tun') {
      const { host: tun, runtime } = createHost({ name, profile: this.#config.profile });
      const { device, kernel, impairments } = link;
      const worse = Object.keys(impairments).length > 0;
      // What is lost or delayed has to be packets as they are on a wire.
      const open = openTun({ name: device, kernelAddresses: kernel, vnet: !worse });
      const way = worse ? impairLink(open, { impairments, seed: this.#config.seed }) : open;
      runtime.attach(way, { addresses: [link.address] });
      // Sockets keep the process alive, not the device.
      runtime.unref();
      process.once('exit', () => runtime.close());
      this.#tuns.push(tun);
      return { kind: 'tun', host: tun };
    }
    const there = link.real ? host(`${name} gateway`) : this.#server;
    this.#network.connect(this.#client, there, link.impairments, {
      addressesA: [`${near(k)}/24`],
      addressesB: [`${far(k)}/24`],
    });
    if (!link.real) return { kind: 'own', address: far(k) };
    return { kind: 'real', host: there, address: far(k), ports: new Map(), datagrams: new DatagramGateway(there) };
  }

  /** The way to an address; this machine's own are those of the program's servers. */
  #wayTo(text: string): Way {
    const address = parseAddress(text);
    if (address === null) throw new RangeError(`${JSON.stringify(text)} is not an IP address`);
    let found: { readonly length: number; readonly link: string } | null = null;
    for (const { prefix, link } of this.#config.routes) {
      const { w0, w1, w2, w3 } = address;
      if (prefix.contains(w0, w1, w2, w3) && prefix.length > (found?.length ?? -1)) {
        found = { length: prefix.length, link };
      }
    }
    const way = found === null ? undefined : this.#ways.get(found.link);
    if (way === undefined) throw new NetError('ENETUNREACH', 'connect', text);
    return way;
  }

  /** Whether an address stands for this machine itself. */
  #isSelf(text: string): boolean {
    const address = parseAddress(text);
    return address !== null && (address.isLoopback || address.isUnspecified);
  }

  connect(options: { address: string; port: number; localAddress?: string; localPort?: number }): NetStream {
    const { address, port } = options;
    const local = options.localPort === undefined ? {} : { localPort: options.localPort };
    const way = this.#wayTo(address);
    if (way.kind === 'tun') return way.host.connect(options);
    let connection: Connection;
    if (way.kind === 'real') {
      connection = this.#client.connect({ address: way.address, port: this.#gate(way, address, port), ...local });
    } else {
      const self = this.#isSelf(address);
      connection = this.#client.connect({ address: self ? way.address : address, port, ...local });
      if (!self) return connection;
      this.#selves.set(connection.localPort, address);
      rename(connection, 'localAddress', address);
    }
    // What the program asked for is what it sees.
    rename(connection, 'remoteAddress', address);
    Object.defineProperty(connection, 'remotePort', { value: port });
    return connection;
  }

  listen(
    options: { port: number; address?: string; backlog?: number },
    accept: (stream: NetStream) => void,
  ): NetListener {
    const { address, ...rest } = options;
    const any = address === undefined || this.#isSelf(address);
    const listeners: NetListener[] = [];
    const here = any || !this.#tuns.some((host) => hasAddress(host, address));
    if (here) {
      listeners.push(
        this.#server.listen(any ? rest : options, (connection) => {
          const asked = this.#selves.get(connection.remotePort);
          if (asked !== undefined) {
            this.#selves.delete(connection.remotePort);
            // A server of all addresses sees the one that was asked for, any other its own family's.
            const v6 = (address === undefined || address === '::' ? asked : address).includes(':');
            const self = v6 ? '::1' : '127.0.0.1';
            rename(connection, 'remoteAddress', self);
            rename(connection, 'localAddress', self);
          }
          accept(connection);
        }),
      );
    }
    for (const host of this.#tuns) {
      if (!any && !hasAddress(host, address)) continue;
      const port = listeners[0]?.port ?? options.port;
      listeners.push(host.listen(any ? { ...rest, port } : { ...options, port }, accept));
    }
    return {
      port: listeners[0]!.port,
      close: () => {
        for (const listener of listeners) listener.close();
      },
    };
  }

  /**
   * Binds a port for datagrams.
   *
   * @param address this machine's own or a TUN device's; all of them when absent
   */
  datagrams(port: number, address: string | undefined, handler: DatagramHandler): DatagramPort {
    const ways = {
      ...{ client: this.#client, server: this.#server, tuns: this.#tuns },
      wayTo: (text: string) => this.#wayTo(text),
      isSelf: (text: string) => this.#isSelf(text),
    };
    return new DatagramPort(ways, port, address, handler);
  }

  /** Name servers of the configuration. */
  get nameServers(): RegisterConfig['dns'] {
    return this.#config.dns;
  }

  /** The address that a name of the configuration stands for. */
  nameOf(name: string): string | undefined {
    return this.#config.names.get(name.toLowerCase());
  }

  /** The port of a gateway behind which a real destination lies. */
  #gate(way: Way & { kind: 'real' }, address: string, port: number): number {
    const key = `${address} ${port}`;
    const known = way.ports.get(key);
    if (known !== undefined) return known;
    const gate = GATEWAY_PORTS + way.ports.size;
    way.host.listen({ port: gate }, (connection) => {
      joined(connection, realConnect({ host: address, port, allowHalfOpen: true }), null, () => undefined);
    });
    way.ports.set(key, gate);
    return gate;
  }

  #capture(file: string): void {
    const writer = new PcapngWriter();
    const places = new Map<string, number>();
    this.#network.capture(({ point, path, at, bytes, from, to }) => {
      if (point !== 'sender') return;
      let place = places.get(path);
      if (place === undefined) {
        place = writer.interface(path, 'ip');
        places.set(path, place);
      }
      writer.packet(place, at, bytes, from, to);
    });
    process.once('exit', () => writeFileSync(file, writer.finish()));
  }
}

/** Shows another address on one connection: its own property hides the class's. */
function rename(connection: object, key: 'localAddress' | 'remoteAddress', address: string): void {
  Object.defineProperty(connection, key, { value: address });
}
