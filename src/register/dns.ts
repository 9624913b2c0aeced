// Names for an unmodified program: those of the configuration first, then those of its name servers, or Node's own.

import type dns from 'node:dns';
import { isIP } from 'node:net';
import process from 'node:process';
import type { DnsType } from '../wire/index.ts';
import type { FoundAddress, FoundRecord, Names } from './names.ts';

type Dns = typeof dns;
type Callback = (error: Error | null, ...values: unknown[]) => void;
type Anything = Record<string, (...args: unknown[]) => unknown>;

/** Functions of `node:dns` that ask for one type of records. */
const BY_TYPE: readonly [key: string, type: DnsType][] = [
  ['resolve4', 'A'],
  ['resolve6', 'AAAA'],
  ['resolveCname', 'CNAME'],
  ['resolveNs', 'NS'],
  ['resolvePtr', 'PTR'],
];

/**
 * Makes `lookup`, `resolve` and those of one type of `module`, and their promises, answer names that `nameOf` knows, and with
 * `names` all others too; without it they are left to what was there. To be followed by `syncBuiltinESMExports`.
 */
export function patchDns(module: Dns, nameOf: (name: string) => string | undefined, names: Names | null): void {
  /** The addresses of a name in a family, 0 for both; `null` when it is not one of the configuration. */
  const known = (name: unknown, family: number): FoundAddress[] | null => {
    if (typeof name !== 'string') return null;
    const address = isIP(name) !== 0 && names !== null ? name : nameOf(name);
    // RFC 6761 §6.3: this host, whoever is asked.
    if (address === undefined && names !== null && /^localhost\.?$/i.test(name)) return loopback(family);
    if (address === undefined) return null;
    const own = isIP(address);
    return family === 0 || family === own ? [{ address, family: own }] : [];
  };

  const { lookup } = module;
  const ownLookup = (name: string, ...rest: unknown[]): unknown => {
    const callback = rest.at(-1) as Callback;
    const options = rest.length > 1 ? rest[0] : {};
    const family = familyOf(options);
    const found = known(name, family);
    const tell = (code: string | null, all: readonly FoundAddress[]): void => {
      const [first] = all;
      if (first === undefined) callback(failed('getaddrinfo', code ?? 'ENOTFOUND', name));
      else if (isAll(options)) callback(null, all);
      else callback(null, first.address, first.family);
    };
    if (found !== null) process.nextTick(tell, null, found);
    else if (names === null || typeof name !== 'string') return Reflect.apply(lookup, module, [name, ...rest]);
    else names.addresses(name, family, tell);
    return {};
  };
  replace(module, 'lookup', ownLookup, (options, [error, first, family]: unknown[]) => {
    if (error !== null) throw error;
    return isAll(options) ? first : { address: first, family };
  });

  for (const [key, type] of BY_TYPE) {
    const original = (module as unknown as Anything)[key]!;
    const family = type === 'A' ? 4 : 6;
    replace(module, key, (name: unknown, ...rest: unknown[]): unknown => {
      const callback = rest.at(-1) as Callback;
      const found = type === 'A' || type === 'AAAA' ? known(name, family) : null;
      const tell = (code: string | null, records: readonly FoundRecord[]): void => {
        const error = code ?? (records.length === 0 ? 'ENODATA' : null);
        if (error !== null) callback(failed(`query${type[0]}${type.slice(1).toLowerCase()}`, error, String(name)));
        else callback(null, shown(rest[0], type, records));
      };
      if (found !== null)
        process.nextTick(
          tell,
          null,
          found.map(({ address }) => ({ data: address, ttl: 0 })),
        );
      else if (names === null || typeof name !== 'string') return Reflect.apply(original, module, [name, ...rest]);
      else names.records(name, type, tell);
      return {};
    });
  }

  const { resolve, reverse } = module as unknown as Anything;
  replace(module, 'resolve', (name: unknown, ...rest: unknown[]): unknown => {
    const wanted = typeof rest[0] === 'string' ? rest[0] : 'A';
    const [key] = BY_TYPE.find(([, type]) => type === wanted) ?? [];
    if (key === undefined) return Reflect.apply(resolve!, module, [name, ...rest]);
    return (module as unknown as Anything)[key]!(name, rest.at(-1));
  });
  if (names === null) return;
  replace(module, 'reverse', (text: unknown, callback: unknown): unknown => {
    if (isIP(String(text)) === 0) return Reflect.apply(reverse!, module, [text, callback]);
    names.reverse(String(text), (code, records) => {
      if (code === null)
        (callback as Callback)(
          null,
          records.map(({ data }) => data),
        );
      else (callback as Callback)(failed('getHostByAddr', code, String(text)));
    });
    return {};
  });
}

/**
 * Puts a function in the place of one of `module` and a promise of it in that of `module.promises`.
 *
 * @param given what of the callback's arguments the promise is fulfilled with; the second of them by default
 */
function replace(
  module: Dns,
  key: string,
  own: (...args: never[]) => unknown,
  given: (options: unknown, values: unknown[]) => unknown = (_, [error, value]) => {
    if (error !== null) throw error;
    return value;
  },
): void {
  Object.assign(module, { [key]: own });
  const promised = (...args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const callback = (...values: unknown[]): void => {
        try {
          resolve(given(args[1], values));
        } catch (error) {
          reject(error);
        }
      };
      (own as (...args: unknown[]) => unknown)(...args, callback);
    });
  Object.assign(module.promises, { [key]: promised });
}

function familyOf(options: unknown): number {
  const family = typeof options === 'object' && options !== null ? (options as { family?: unknown }).family : options;
  if (family === 'IPv4') return 4;
  if (family === 'IPv6') return 6;
  return typeof family === 'number' ? family : 0;
}

const isAll = (options: unknown): boolean => (options as { all?: boolean } | null | undefined)?.all === true;

const loopback = (family: number): FoundAddress[] =>
  [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ].filter((one) => family === 0 || family === one.family);

/** Addresses with their time to live when that is asked for, and names. */
function shown(options: unknown, type: DnsType, records: readonly FoundRecord[]): unknown[] {
  const timed = (type === 'A' || type === 'AAAA') && (options as { ttl?: boolean } | null)?.ttl === true;
  return records.map(({ data, ttl }) => (timed ? { address: data, ttl } : data));
}

/** An error as Node words it: `getaddrinfo ENOTFOUND name`, `queryA ENODATA name`. */
function failed(syscall: string, code: string, hostname: string): Error {
  const errno = code === 'EAI_AGAIN' ? -3001 : -3008;
  const numbered = syscall === 'getaddrinfo' ? { errno } : {};
  return Object.assign(new Error(`${syscall} ${code} ${hostname}`), { ...numbered, code, syscall, hostname });
}
