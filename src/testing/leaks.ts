// Where the sockets of a test were opened, and which of them are still open when it ends.

import { AsyncLocalStorage } from 'node:async_hooks';
import { fileURLToPath } from 'node:url';
import type { Host } from '../host/host.ts';
import { datagramsOf } from '../host/udp.ts';

/** A socket that was left open. */
export interface Leak {
  /** What it is: `'TCP 10.0.0.1:50000 > 10.0.0.2:80, ESTABLISHED'`, `'listener on port 80 of server'`. */
  readonly what: string;
  /** The line of the program that opened it, or whose listener accepted it. */
  readonly where: string;
}

/** Where a call into the library came from, for sockets that are opened later than they are asked for. */
const site: AsyncLocalStorage<string> = new AsyncLocalStorage();

/** This package's own files, which nobody looks for in a report; source maps may have them under their other name. */
const OWN = ['bundle', 'dist', 'src'].map((folder) => fileURLToPath(new URL(`../../${folder}/`, import.meta.url)));

/** The line of the program that is calling. */
function here(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  const isOwn = (line: string): boolean => OWN.some((folder) => line.includes(folder));
  const ours = lines.find((line) => !isOwn(line) && !/\(node:|at node:/.test(line));
  return ours === undefined ? 'an unknown place' : ours.trim().replace(/^at (?:async )?/, '');
}

/** Calls `run` so that every socket it opens, also later, counts as opened by the line that is calling. */
export function opening<T>(run: () => T): T {
  return site.run(here(), run);
}

interface Closable {
  readonly what: string;
  readonly where: string;
  readonly isOpen: () => boolean;
}

/** States in which a connection waits for nobody but its own program. */
const LEFT_OPEN = new Set(['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT']);

/** Watches the sockets of one host from now on. */
export class LeakWatch {
  readonly #host: Host;
  readonly #connections: WeakMap<object, string> = new WeakMap();
  readonly #others: Set<Closable> = new Set();

  constructor(host: Host) {
    this.#host = host;
    const { connect, listen } = host;
    const datagrams = datagramsOf(host);
    const { bind } = datagrams;
    // On the object of this host only: another host is not touched.
    host.connect = (options) => {
      const connection = connect.call(host, options);
      this.#connections.set(connection, site.getStore() ?? here());
      return connection;
    };
    host.listen = (options, accept) => {
      const where = site.getStore() ?? here();
      const listener = listen.call(host, options, (connection) => {
        this.#connections.set(connection, where);
        accept(connection);
      });
      this.#watch(`listener on port ${listener.port} of ${host.name}`, where, () => listener.listening);
      return listener;
    };
    datagrams.bind = (options) => {
      const socket = bind.call(datagrams, options);
      const where = site.getStore() ?? here();
      this.#watch(`UDP socket on port ${socket.port} of ${host.name}`, where, () => socket.open);
      return socket;
    };
  }

  /** Connections that are still ending by themselves. */
  get ending(): boolean {
    return this.#host.connections().some((c) => c.state !== 'TIME-WAIT' && !LEFT_OPEN.has(c.state));
  }

  /** What is open and waits for its program. */
  leaks(): Leak[] {
    const found: Leak[] = [];
    for (const c of this.#host.connections()) {
      if (!LEFT_OPEN.has(c.state)) continue;
      const where = this.#connections.get(c);
      // One that no program has been given is the host's.
      if (where === undefined) continue;
      const end = (address: string, port: number): string =>
        `${address.includes(':') ? `[${address}]` : address}:${port}`;
      const ends = `${end(c.localAddress, c.localPort)} > ${end(c.remoteAddress, c.remotePort)}`;
      found.push({ what: `TCP ${ends}, ${c.state}`, where });
    }
    for (const { what, where, isOpen } of this.#others) if (isOpen()) found.push({ what, where });
    return found;
  }

  #watch(what: string, where: string, isOpen: () => boolean): void {
    for (const other of this.#others) if (!other.isOpen()) this.#others.delete(other);
    this.#others.add({ what, where, isOpen });
  }
}
