// Names for an unmodified program: those of the configuration first, then Node's own name service.

import type dns from 'node:dns';
import { isIP } from 'node:net';
import process from 'node:process';

type Dns = typeof dns;
type Answer = { address: string; family: number };
type Callback = (error: Error | null, ...values: unknown[]) => void;

/**
 * Makes `lookup`, `resolve`, `resolve4` and `resolve6` of `module`, and their promises, answer names that `nameOf` knows.
 * Everything else is left to what was there. To be followed by `syncBuiltinESMExports`.
 */
export function patchDns(module: Dns, nameOf: (name: string) => string | undefined): void {
  /** The addresses of a name in a family, 0 for both; `null` when it is not ours. */
  const known = (name: unknown, family: number): Answer[] | null => {
    if (typeof name !== 'string') return null;
    const address = nameOf(name);
    if (address === undefined) return null;
    const own = isIP(address);
    return family === 0 || family === own ? [{ address, family: own }] : [];
  };
  const familyOf = (options: unknown): number => {
    const family = typeof options === 'object' && options !== null ? (options as { family?: unknown }).family : options;
    if (family === 'IPv4') return 4;
    if (family === 'IPv6') return 6;
    return typeof family === 'number' ? family : 0;
  };
  const isAll = (options: unknown): boolean => (options as { all?: boolean } | null)?.all === true;
  const notFound = (syscall: string, hostname: string): Error =>
    Object.assign(new Error(`${syscall} ENOTFOUND ${hostname}`), { code: 'ENOTFOUND', syscall, hostname });

  const { lookup, promises } = module;
  const ownLookup = (name: string, ...rest: unknown[]): unknown => {
    const callback = rest.at(-1) as Callback;
    const options = rest.length > 1 ? rest[0] : {};
    const found = known(name, familyOf(options));
    if (found === null) return Reflect.apply(lookup, module, [name, ...rest]);
    const [first] = found;
    process.nextTick(() => {
      if (first === undefined) callback(notFound('getaddrinfo', name));
      else if (isAll(options)) callback(null, found);
      else callback(null, first.address, first.family);
    });
    return {};
  };
  const promisedLookup = promises.lookup;
  const ownPromisedLookup = async (name: string, options?: unknown): Promise<unknown> => {
    const found = known(name, familyOf(options));
    if (found === null) return await Reflect.apply(promisedLookup, promises, [name, options]);
    const [first] = found;
    if (first === undefined) throw notFound('getaddrinfo', name);
    return isAll(options) ? found : first;
  };
  module.lookup = ownLookup as unknown as Dns['lookup'];
  promises.lookup = ownPromisedLookup as unknown as typeof promises.lookup;
  for (const [key, family] of [
    ['resolve', 4],
    ['resolve4', 4],
    ['resolve6', 6],
  ] as const) {
    const original = module[key] as (...args: unknown[]) => unknown;
    const promised = promises[key] as (...args: unknown[]) => Promise<unknown>;
    const answer = (name: unknown, rest: unknown[]): string[] | null => {
      const type = key === 'resolve' && typeof rest[0] === 'string' ? rest[0] : `A${family === 6 ? 'AAA' : ''}`;
      if (type !== 'A' && type !== 'AAAA') return null;
      return known(name, type === 'AAAA' ? 6 : 4)?.map(({ address }) => address) ?? null;
    };
    const noData = (name: string): Error =>
      Object.assign(new Error(`query ENODATA ${name}`), { code: 'ENODATA', syscall: 'query', hostname: name });
    Object.assign(module, {
      [key]: (name: string, ...rest: unknown[]): unknown => {
        const addresses = answer(name, rest);
        if (addresses === null) return Reflect.apply(original, module, [name, ...rest]);
        const callback = rest.at(-1) as Callback;
        process.nextTick(() => (addresses.length === 0 ? callback(noData(name)) : callback(null, addresses)));
        return {};
      },
    });
    Object.assign(promises, {
      [key]: async (name: string, ...rest: unknown[]): Promise<unknown> => {
        const addresses = answer(name, rest);
        if (addresses === null) return await Reflect.apply(promised, promises, [name, ...rest]);
        if (addresses.length === 0) throw noData(name);
        return addresses;
      },
    });
  }
}
