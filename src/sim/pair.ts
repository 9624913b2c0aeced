// Two hosts and one link between them: what most tests, and most first programs, want.

import type { Medium } from '../base/link.ts';
import type { Profile } from '../base/profile.ts';
import type { Tracer } from '../base/trace.ts';
import type { Host } from '../host/host.ts';
import type { Impairments } from './impairments.ts';
import type { SimLink } from './link.ts';
import { Network, type TwoWays } from './network.ts';

/** A connection of a host: a `ByteStream` whose sequence variables can be read. */
export type Connection = ReturnType<Host['connect']>;

/** How a pair is made; everything has a default. */
export interface PairOptions {
  /** Seed of everything left to chance; 1 unless said otherwise. */
  readonly seed?: number;
  /** Knobs of both directions, or of each (`aToB` is client to server). Without them: 10 ms, no fault. */
  readonly impairments?: Partial<Impairments> | TwoWays;
  /** Overlay on the default profile of both hosts, and of each. */
  readonly profile?: Partial<Profile>;
  readonly clientProfile?: Partial<Profile>;
  readonly serverProfile?: Partial<Profile>;
  readonly medium?: Medium;
  readonly mtu?: number;
  readonly trace?: Tracer | null;
  /** IPv6 (`fd00::1`, `fd00::2`) in place of IPv4 (`10.0.0.1`, `10.0.0.2`). */
  readonly ipv6?: boolean;
}

/** Two hosts that can talk to each other. */
export interface Pair {
  readonly network: Network;
  readonly client: Host;
  readonly server: Host;
  readonly link: SimLink;
  readonly clientAddress: string;
  readonly serverAddress: string;
}

/**
 * Makes a client, a server and a link.
 *
 * @example
 * const { network, client, server, serverAddress } = pair({ seed: 7, impairments: { delay: 20, loss: 0.03 } });
 */
export function pair(options: PairOptions = {}): Pair {
  const network = new Network({
    seed: options.seed ?? 1,
    profile: options.profile ?? {},
    trace: options.trace ?? null,
  });
  const [clientAddress, serverAddress, prefix] =
    options.ipv6 === true ? (['fd00::1', 'fd00::2', 64] as const) : (['10.0.0.1', '10.0.0.2', 24] as const);
  const client = network.host('client', {
    addresses: [`${clientAddress}/${prefix}`],
    profile: options.clientProfile ?? {},
  });
  const server = network.host('server', {
    addresses: [`${serverAddress}/${prefix}`],
    profile: options.serverProfile ?? {},
  });
  const link = network.connect(client, server, options.impairments ?? { delay: 10 }, {
    medium: options.medium ?? 'ip',
    mtu: options.mtu ?? 1500,
  });
  return { network, client, server, link, clientAddress, serverAddress };
}

/** Both ends of a connection between the hosts of a pair. */
export interface ConnectedPair {
  /** The end that opened actively, on the client. */
  readonly client: Connection;
  /** The end that was accepted, on the server. */
  readonly server: Connection;
}

/**
 * Opens a connection from the client to the server and runs the network until both ends are there.
 *
 * Throws an `Error` when they do not meet within `within` ms of virtual time.
 *
 * @param port where the server listens for it; the listener is closed again
 */
export function connectPair(p: Pair, port = 80, within = 3_600_000): ConnectedPair {
  let server: Connection | null = null;
  const listener = p.server.listen({ port }, (stream) => {
    server = stream;
  });
  const client = p.client.connect({ address: p.serverAddress, port });
  const met = (): boolean => server !== null && client.state === 'ESTABLISHED';
  p.network.run({ until: p.network.now + within, when: met });
  listener.close();
  if (server === null || !met()) throw new Error(`no connection within ${within} ms: the client is ${client.state}`);
  return { client, server };
}
