// A small network for a test, that goes on by itself, is torn down by itself, and tells what failed.

import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Profile } from '../base/profile.ts';
import type { Tracer } from '../base/trace.ts';
import type { Host } from '../host/host.ts';
import { createNet, type Net, type NetOptions } from '../node/index.ts';
import type { Clock } from '../run/clock.ts';
import { type Impairments, type LinkOptions, Network, type SimLink, type TwoWays } from '../sim/index.ts';
import { PcapngWriter } from '../trace/index.ts';
import { createWeb, type Web, type WebOptions } from '../web/index.ts';
import { type Driver, RealDriver, VirtualDriver } from './driver.ts';
import { type Leak, LeakWatch, opening } from './leaks.ts';
import { openTunnel, type Tunnel, type TunnelOptions } from './tunnel.ts';

/** How a test's network is made; everything has a default. */
export interface TestNetOptions {
  /**
   * `'virtual'` (the default): time jumps to the next event whenever the test waits, so that a minute of time-outs takes
   * no time and a seed replays to the octet. `'real'`: the network follows the real clock, for tests that talk to real
   * servers or wait for real timers.
   */
  readonly time?: 'virtual' | 'real';
  /** Everything left to chance follows from it. By default `SYNFIN_SEED` of the environment, else a fresh one. */
  readonly seed?: number;
  /** Round-trip time, ms: half of it each way. Without it and without `delay`, 20. */
  readonly rtt?: number;
  /** Knobs of both directions, or of each (`aToB` is client to server). They win over `rtt`. */
  readonly impairments?: Partial<Impairments> | TwoWays;
  /** Overlay on the default profile of every host. */
  readonly profile?: Partial<Profile>;
  /** IPv6 addresses in place of IPv4. */
  readonly ipv6?: boolean;
  readonly mtu?: number;
  /** Told everything that hosts and paths tell. */
  readonly trace?: Tracer | null;
  /** Names the capture of a failing run; `'run'` by default. */
  readonly name?: string;
  /** Where captures of failing runs go; `SYNFIN_CAPTURES` of the environment, else `synfin` in the system's folder for
   * temporary files. */
  readonly captures?: string;
  /** Sockets that the test left open: `'warn'` (the default) prints them, `'fail'` fails the test, `'ignore'` neither. */
  readonly leaks?: 'warn' | 'fail' | 'ignore';
  /**
   * In virtual time: the test fails when nothing has been left to happen for so many ms of real time, and it still
   * waits. 4000 by default, less than the usual time-out of a test runner, which could not say so much.
   */
  readonly patience?: number;
}

/** Octets of packets that a capture holds at most; later ones are left out. */
const CAPTURE_LIMIT = 256 * 1024 * 1024;
/** How long connections may take to end at the close of a test: on the network's clock, and in real time, ms. */
const GRACE = 10_000;
const REAL_GRACE = 1_000;
/** What a simulation's clock shows as the time of day at its start: 2026-01-01 00:00 UTC. */
const EPOCH = 1_767_225_600_000;

/** A network for one test: a client, a server and a link, and as many more as it wants. */
export class TestNet {
  /** The seed of this run: given again, in virtual time everything happens again. */
  readonly seed: number;
  readonly time: 'virtual' | 'real';
  readonly network: Network;
  readonly client: Host;
  readonly server: Host;
  readonly clientAddress: string;
  readonly serverAddress: string;
  /** Between the two: `link.impair({ loss: 1 })` in mid-flight, rules for single packets, injected ones. */
  readonly link: SimLink;
  /** Time and timers as the hosts have them, for `createWeb`, `createNet` and programs of the test's own. */
  readonly clock: Clock;
  /** Rejects with the first error that a handler threw, or when nothing is left to happen; never resolves. */
  readonly failure: Promise<never>;

  readonly #options: TestNetOptions;
  readonly #driver: Driver;
  readonly #watches: LeakWatch[] = [];
  readonly #webs: Web[] = [];
  readonly #tunnels: Tunnel[] = [];
  readonly #writer: PcapngWriter = new PcapngWriter();
  readonly #places: Map<string, number> = new Map();
  #captured = 0;
  #closing: Promise<readonly Leak[]> | null = null;
  #fail!: (error: unknown) => void;

  /** @internal */
  constructor(options: TestNetOptions) {
    this.#options = options;
    this.seed = options.seed ?? seedOfEnvironment() ?? freshSeed();
    this.time = options.time ?? 'virtual';
    this.failure = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => undefined);
    this.network = new Network({ seed: this.seed, profile: options.profile ?? {}, trace: options.trace ?? null });
    const Way = this.time === 'virtual' ? VirtualDriver : RealDriver;
    this.#driver = new Way(this.network, (error) => this.#fail(error));
    this.clock = this.#driver.clock;
    this.network.capture((packet) => {
      if (packet.point === 'sender') this.#record(packet.path, packet.at, packet.bytes, packet.from, packet.to);
    });
    const [client, server, bits] = options.ipv6 === true ? ['fd00::1', 'fd00::2', 64] : ['10.0.0.1', '10.0.0.2', 24];
    this.clientAddress = String(client);
    this.serverAddress = String(server);
    this.client = this.host('client', `${client}/${bits}`);
    this.server = this.host('server', `${server}/${bits}`);
    const link = options.mtu === undefined ? {} : { mtu: options.mtu };
    this.link = this.join(this.client, this.server, knobs(options), link);
  }

  /** Milliseconds since the beginning, on the network's clock. */
  get now(): number {
    return this.network.now;
  }

  /** Adds a host; it reaches nobody before it is joined to one. */
  host(name: string, ...addresses: string[]): Host {
    const host = this.network.host(name, { addresses });
    host.onWake = () => this.#driver.wake();
    this.#watches.push(new LeakWatch(host));
    return host;
  }

  /** Puts a link between two hosts. */
  join(a: Host, b: Host, impairments: Partial<Impairments> | TwoWays = {}, options: LinkOptions = {}): SimLink {
    return this.network.connect(a, b, impairments, options);
  }

  /** `synfin/web` on a host, with the network's clock and names that lead to its hosts (`client`, `server`, ...). */
  web(host: Host, options: WebOptions = {}): Web {
    const virtual = this.time === 'virtual' ? { timeOfDay: () => EPOCH + this.now } : {};
    const web = createWeb(host, { clock: this.clock, lookup: (name) => this.addressOf(name), ...virtual, ...options });
    this.#webs.push(web);
    // What is opened later counts as opened where it was asked for.
    const sited = { ...web };
    sited.connect = (...args) => opening(() => web.connect(...args));
    sited.fetch = (...args) => opening(() => web.fetch(...args));
    return sited;
  }

  /**
   * `synfin/net` on a host: a module of the shape of `node:net`, with the network's clock, and names that lead to its
   * hosts.
   */
  net(host: Host, options: NetOptions = {}): Net {
    const lookup: NetOptions['lookup'] = (name, asked, callback) => {
      try {
        const address = this.addressOf(name);
        const family = address.includes(':') ? 6 : 4;
        if (asked.all === true) callback(null, [{ address, family }]);
        else callback(null, address, family);
      } catch (error) {
        callback(Object.assign(error as Error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: name }));
      }
    };
    const net = createNet(host, { clock: this.clock, lookup, ...options });
    // Of this host only: what it opens later counts as opened where it was asked for.
    for (const [type, name] of [
      [net.Socket, 'connect'],
      [net.Server, 'listen'],
    ] as const) {
      const prototype = type.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
      const original = prototype[name]!;
      prototype[name] = function (this: unknown, ...args: unknown[]): unknown {
        return opening(() => original.apply(this, args));
      };
    }
    return net;
  }

  /** The first address of the host of that name. Throws `RangeError` when there is none. */
  addressOf(name: string): string {
    const host = this.network.hosts.find((h) => (h as Host).name === name) as Host | undefined;
    const address = host?.interfaces[0]?.prefixes[0]?.address.toString();
    if (address === undefined) throw new RangeError(`no host of this network has the name ${JSON.stringify(name)}`);
    return address;
  }

  /** Settles after `ms` on the network's clock: in virtual time the way to let time pass. */
  sleep(ms: number): Promise<void> {
    return this.#driver.sleep(ms);
  }

  /**
   * For work that the network cannot know of (a file, a thread, a real timer): in virtual time nothing happens on the
   * network until it is settled. Passes its value on.
   */
  hold<T>(work: Promise<T>): Promise<T> {
    return this.#driver.hold(work);
  }

  /**
   * Opens a port on 127.0.0.1 that leads through the link to a real server: a client that knows nothing of any of this
   * gets the link's delay and loss. Needs `time: 'real'` (`TypeError`).
   */
  async tunnel(options: TunnelOptions): Promise<Tunnel> {
    if (this.time !== 'real') throw new TypeError("a tunnel leads to real servers: it needs time: 'real'");
    const tunnel = await openTunnel(this.client, this.server, this.serverAddress, options);
    this.#tunnels.push(tunnel);
    return tunnel;
  }

  /** The packets so far, as hosts sent them: a pcapng file. In virtual time the same seed gives the same octets. */
  capture(): Uint8Array {
    return this.#writer.finish();
  }

  /**
   * Ends the network: what is ending may end, then hosts are closed, and everything that still waits is rejected.
   *
   * @returns what the test had left open
   */
  close(): Promise<readonly Leak[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As `close`, and reports what was left open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.reportLeaks(await this.close());
  }

  /** Prints how to have a failed run again, and writes its capture. Returns the capture's path. */
  reportFailure(): string {
    const folder = this.#options.captures ?? process.env['SYNFIN_CAPTURES'] ?? join(tmpdir(), 'synfin');
    const file = join(folder, `${(this.#options.name ?? 'run').replace(/[^\w.-]+/g, '-')}-${this.seed}.pcapng`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, this.capture());
    const { packets } = this.network;
    const again = this.time === 'virtual' ? 'the same packets again' : 'the same chances again';
    console.error(
      `synfin: failed with seed ${this.seed} after ${this.now.toFixed(3)} ms and ${packets} packets\n` +
        `  ${again}: SYNFIN_SEED=${this.seed}\n  its packets: ${file}`,
    );
    return file;
  }

  /** Prints what was left open, or throws an `Error` that says so, as the options say. */
  reportLeaks(leaks: readonly Leak[]): void {
    const { leaks: how = 'warn' } = this.#options;
    if (leaks.length === 0 || how === 'ignore') return;
    const text = `left open:\n${leaks.map(({ what, where }) => `  ${what}\n    opened at ${where}`).join('\n')}`;
    if (how === 'fail') throw new Error(text);
    console.warn(`synfin: ${text}`);
  }

  /** Begins to fail the test when nothing is left to happen. @internal */
  watchIdle(): void {
    this.#driver.onIdle(this.#options.patience ?? 4000, () =>
      this.#fail(
        new Error(`nothing is left to happen on the network (${this.now.toFixed(3)} ms), and the test still waits`),
      ),
    );
  }

  async #close(): Promise<readonly Leak[]> {
    for (const web of this.#webs) web.close();
    for (const tunnel of this.#tunnels) await tunnel.close();
    const until = this.now + (this.time === 'virtual' ? GRACE : REAL_GRACE);
    while (this.now < until && (this.#watches.some((w) => w.ending) || this.network.inFlight > 0)) {
      await this.sleep(this.time === 'virtual' ? 10 : 1);
    }
    const leaks = this.#watches.flatMap((watch) => watch.leaks());
    for (const host of this.network.hosts) (host as Host).close();
    await this.sleep(1);
    this.#driver.stop();
    return leaks;
  }

  #record(path: string, at: number, bytes: Uint8Array, from: number, to: number): void {
    this.#captured += to - from;
    if (this.#captured > CAPTURE_LIMIT) return;
    let place = this.#places.get(path);
    if (place === undefined) {
      place = this.#writer.interface(path, 'ip');
      this.#places.set(path, place);
    }
    this.#writer.packet(place, at, bytes, from, to);
  }
}

/**
 * Makes a network for a test, to be ended by `close()` or `await using`.
 *
 * @example
 * ```ts
 * import { testNet } from 'synfin/testing';
 *
 * const net = testNet({ rtt: 200, impairments: { loss: 0.01 } });
 * net.web(net.server).serve({ port: 80, fetch: () => new Response('hello') });
 * const response = await net.web(net.client).fetch('http://server/');
 * await response.text();
 * net.reportLeaks(await net.close());
 * ```
 */
export function testNet(options: TestNetOptions = {}): TestNet {
  return new TestNet(options);
}

/**
 * The body of a test, as a function that vitest, node:test and jest all take: it makes a network, hands it to `body`,
 * and ends it. When the body fails, the seed is printed and a capture is written; sockets left open are reported.
 *
 * @example
 * ```ts
 * import test from 'node:test';
 * import { networked } from 'synfin/testing';
 *
 * test('gets through', networked({ rtt: 200 }, async (net) => {
 *   const server = net.web(net.server).serve({ port: 80, fetch: () => new Response('hello') });
 *   await net.web(net.client).fetch('http://server/');
 *   await server.close();
 * }));
 * ```
 */
export function networked(options: TestNetOptions, body: (net: TestNet) => unknown): () => Promise<void> {
  // No parameter: runners take one for a callback to be called.
  return async () => {
    const net = testNet(options);
    net.watchIdle();
    try {
      await Promise.race([body(net), net.failure]);
    } catch (error) {
      net.reportFailure();
      await net.close();
      throw error;
    }
    net.reportLeaks(await net.close());
  };
}

/** The knobs of the first link. */
function knobs(options: TestNetOptions): Partial<Impairments> | TwoWays {
  const delay = (options.rtt ?? 20) / 2;
  const { impairments = {} } = options;
  if (!('aToB' in impairments || 'bToA' in impairments)) return { delay, ...impairments };
  const { aToB, bToA } = impairments as TwoWays;
  return { aToB: { delay, ...aToB }, bToA: { delay, ...bToA } };
}

function seedOfEnvironment(): number | null {
  const text = process.env['SYNFIN_SEED'];
  if (text === undefined || text === '') return null;
  if (!/^[0-9]{1,10}$/.test(text)) throw new RangeError(`SYNFIN_SEED=${text} is not a whole number`);
  return Number(text);
}

function freshSeed(): number {
  return globalThis.crypto.getRandomValues(new Uint32Array(1))[0]!;
}
