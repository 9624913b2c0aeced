// Names for an unmodified program: asked for by our own resolver, over the networks of `Routes`.

import { getRandomValues } from 'node:crypto';
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { DnsClient, type DnsFailure, type DnsServer } from '../services/index.ts';
import { type DnsType, parseAddress, reverseName } from '../wire/index.ts';
import type { Routes } from './routes.ts';

/** An address of a name. */
export interface FoundAddress {
  readonly address: string;
  readonly family: number;
}

/** A record of a name; `ttl` in seconds. */
export interface FoundRecord {
  readonly data: string;
  readonly ttl: number;
}

/** What a failure is called by `dns.resolve`. */
const CODES: Readonly<Record<DnsFailure, string>> = {
  'bad-name': 'EBADNAME',
  'not-found': 'ENOTFOUND',
  'no-data': 'ENODATA',
  'server-failed': 'ESERVFAIL',
  refused: 'EREFUSED',
  timeout: 'ETIMEOUT',
};
/** Failures that say something of the name; after others it may be asked again. */
const FINAL: readonly string[] = ['EBADNAME', 'ENOTFOUND', 'ENODATA'];

/** A name service of a program. */
export class Names {
  readonly #client: DnsClient;

  constructor(routes: Routes, servers: readonly DnsServer[]) {
    this.#client = new DnsClient(
      {
        bind: (port, onMessage) => {
          try {
            const bound = routes.datagrams(port, undefined, {
              // What the program itself sends comes from no address: a server of its own is known by its port.
              onMessage: (bytes, from, fromPort) => onMessage(bytes, from || ownServer(servers, fromPort), fromPort),
            });
            return { send: (bytes, address, to) => void bound.send(bytes, address, to), close: () => bound.close() };
          } catch (error) {
            if ((error as { code?: unknown }).code === 'EADDRINUSE') return null;
            throw error;
          }
        },
        connect: (address, port) => routes.connect({ address, port }),
        random: () => getRandomValues(new Uint32Array(1))[0]!,
        // These timers keep the process alive: a program waits for its answer.
        after: (delay, fire) => {
          const timer = setTimeout(fire, delay);
          return () => clearTimeout(timer);
        },
      },
      servers,
    );
  }

  /** The records of a name, or the code of an error. */
  records(name: string, type: DnsType, done: (code: string | null, found: readonly FoundRecord[]) => void): void {
    this.#client.resolve(name, type, (failure, found) => done(failure === null ? null : CODES[failure], found));
  }

  /** The addresses of a name, of one family or (0) of both, IPv4 first. ENOTFOUND, or EAI_AGAIN when nobody knows. */
  addresses(name: string, family: number, done: (code: string | null, found: readonly FoundAddress[]) => void): void {
    const families = family === 0 ? [4, 6] : [family];
    const found: FoundAddress[][] = [];
    const codes: string[] = [];
    let left = families.length;
    families.forEach((own, i) => {
      this.records(name, own === 4 ? 'A' : 'AAAA', (code, records) => {
        found[i] = records.map(({ data }) => ({ address: data, family: own }));
        if (code !== null) codes.push(code);
        if (--left > 0) return;
        const all = found.flat();
        if (all.length > 0) done(null, all);
        else done(codes.every((one) => FINAL.includes(one)) ? 'ENOTFOUND' : 'EAI_AGAIN', []);
      });
    });
  }

  /** The names of an address. */
  reverse(text: string, done: (code: string | null, found: readonly FoundRecord[]) => void): void {
    const address = parseAddress(text);
    if (address === null) process.nextTick(done, 'EINVAL', []);
    else this.records(reverseName(address), 'PTR', done);
  }
}

function ownServer(servers: readonly DnsServer[], port: number): string {
  return servers.find((one) => one.port === port && parseAddress(one.address)?.isLoopback === true)?.address ?? '';
}
