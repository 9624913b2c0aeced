// The configuration of `synfin/register`: which addresses go through which link, checked to the last key.

import { readFileSync } from 'node:fs';
import { DEFAULT_PROFILE, type Profile } from '../base/profile.ts';
import { type Impairments, PERFECT_PATH, withImpairments } from '../sim/index.ts';
import { type Prefix, parseAddress, parsePrefix } from '../wire/index.ts';

/** A link of the configuration. */
export type RegisterLink =
  /** Simulated: leads to the program's own servers, or with `to: 'real'` on to the real network. */
  | { readonly kind: 'simulated'; readonly real: boolean; readonly impairments: Partial<Impairments> }
  /** A TUN device: the kernel is the peer, over a path as bad as `impairments` say. Linux, with koffi. */
  | {
      readonly kind: 'tun';
      readonly device: string;
      readonly address: string;
      readonly kernel: readonly string[];
      readonly impairments: Partial<Impairments>;
    };

/** A checked configuration. */
export interface RegisterConfig {
  /** Of the simulated links' chances. */
  readonly seed: number;
  readonly links: ReadonlyMap<string, RegisterLink>;
  /** Which link an address goes through: the longest prefix wins. */
  readonly routes: readonly { readonly prefix: Prefix; readonly link: string }[];
  /** Names that need no name service. */
  readonly names: ReadonlyMap<string, string>;
  /** Name servers for all other names, asked through the links; Node's own name service when there are none. */
  readonly dns: readonly { readonly address: string; readonly port: number }[];
  /** Overlays the profile of every host. */
  readonly profile: Partial<Profile>;
  /** Where the packets of the simulated links are written when the process ends; none when empty. */
  readonly capture: string;
}

/** Everything through one simulated link with a round trip of 20 ms, to the program's own servers. */
const DEFAULTS = '{ "links": { "simulated": { "rtt": 20 } } }';
/** The name of routes for what needs no simulation: a link that costs nothing, to the real network. */
const REAL = 'real';

/** A sentence for the user: what is wrong in which file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads a configuration; without a file the default.
 *
 * @param file path of a JSON file, or empty
 * @throws ConfigError with one sentence that names the file and the key
 */
export function readConfig(file: string): RegisterConfig {
  if (file === '') return parseConfig(DEFAULTS, 'the default');
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
  return parseConfig(text, file);
}

/** As `readConfig`, from the text of a file called `file`. */
function parseConfig(text: string, file: string): RegisterConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
  const at = (key: string): string => `${file}: ${key}`;
  const top = object(json, file);
  only(top, ['seed', 'links', 'routes', 'names', 'dns', 'profile', 'capture'], file);
  const seed = top['seed'] ?? 1;
  if (!Number.isInteger(seed) || Number(seed) < 0) throw new ConfigError(`${at('seed')} must be a whole number`);
  const capture = top['capture'] ?? '';
  if (typeof capture !== 'string') throw new ConfigError(`${at('capture')} must be the path of a file`);
  const links = new Map<string, RegisterLink>();
  for (const [name, value] of Object.entries(object(top['links'] ?? JSON.parse(DEFAULTS).links, at('links')))) {
    if (name === REAL) throw new ConfigError(`${at('links')}: "${REAL}" is there by itself`);
    links.set(name, linkOf(value, at(`links.${name}`)));
  }
  links.set(REAL, { kind: 'simulated', real: true, impairments: {} });
  const [first] = links.keys();
  const routes = [];
  for (const [prefix, link] of Object.entries(object(top['routes'] ?? { default: first }, at('routes')))) {
    if (typeof link !== 'string' || !links.has(link)) {
      throw new ConfigError(`${at(`routes.${prefix}`)}: there is no link ${JSON.stringify(link)}`);
    }
    for (const each of prefix === 'default' ? ['0.0.0.0/0', '::/0'] : [prefix]) {
      const parsed = parsePrefix(each);
      if (parsed === null) throw new ConfigError(`${at(`routes.${prefix}`)}: not an address with a prefix length`);
      routes.push({ prefix: parsed, link });
    }
  }
  const names = new Map<string, string>();
  for (const [name, address] of Object.entries(object(top['names'] ?? {}, at('names')))) {
    if (typeof address !== 'string' || parseAddress(address) === null) {
      throw new ConfigError(`${at(`names.${name}`)}: ${JSON.stringify(address)} is not an address`);
    }
    names.set(name.toLowerCase(), address);
  }
  const profile = profileOf(top['profile'] ?? {}, at('profile'));
  return { seed: Number(seed), links, routes, names, dns: serversOf(top['dns'] ?? [], at('dns')), profile, capture };
}

/** `"10.0.0.53"`, with `:5353` behind it for another port (IPv6 in brackets then), or a list of them. */
function serversOf(value: unknown, at: string): { address: string; port: number }[] {
  return (Array.isArray(value) ? value : [value]).map((one: unknown) => {
    const [, six, four, port = '53'] = /^(?:\[(.+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(String(one)) ?? [];
    const address = parseAddress(six ?? four ?? String(one));
    if (address === null || Number(port) < 1 || Number(port) > 65_535) {
      throw new ConfigError(`${at}: ${JSON.stringify(one)} is not an address`);
    }
    return { address: address.toString(), port: Number(port) };
  });
}

function linkOf(value: unknown, at: string): RegisterLink {
  const link = object(value, at);
  if ('tun' in link) {
    const { tun, address, kernel = [], rtt, ...rest } = link;
    if (typeof tun !== 'string' || typeof address !== 'string' || parsePrefix(address) === null) {
      throw new ConfigError(`${at} needs "tun": a device, and "address": ours with its prefix length`);
    }
    const impairments = impairmentsOf(rtt, rest, at);
    const addresses = Array.isArray(kernel) ? kernel.map(String) : [String(kernel)];
    return { kind: 'tun', device: tun, address, kernel: addresses, impairments };
  }
  const { to, rtt, ...rest } = link;
  if (to !== undefined && to !== REAL) throw new ConfigError(`${at}.to can only be "${REAL}"`);
  return { kind: 'simulated', real: to === REAL, impairments: impairmentsOf(rtt, rest, at) };
}

/** The knobs of a link, checked. */
function impairmentsOf(rtt: unknown, rest: object, at: string): Partial<Impairments> {
  if (rtt !== undefined && typeof rtt !== 'number') throw new ConfigError(`${at}.rtt must be a number of milliseconds`);
  const impairments = { ...(rtt !== undefined && { delay: rtt / 2 }), ...rest } as Partial<Impairments>;
  try {
    withImpairments(PERFECT_PATH, impairments);
  } catch (error) {
    throw new ConfigError(`${at}: ${(error as Error).message}`);
  }
  return impairments;
}

/** The fields of a profile, each of the type it has by default. */
function profileOf(value: unknown, at: string): Partial<Profile> {
  const profile = object(value, at);
  only(profile, Object.keys(DEFAULT_PROFILE), at);
  for (const [key, field] of Object.entries(profile)) {
    const type = typeof DEFAULT_PROFILE[key as keyof Profile];
    if (typeof field !== type) throw new ConfigError(`${at}.${key} must be a ${type}`);
  }
  return profile;
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${at} must be an object`);
  }
  return value as Record<string, unknown>;
}

function only(value: Record<string, unknown>, keys: string[], at: string): void {
  const other = Object.keys(value).find((key) => !keys.includes(key));
  if (other !== undefined) throw new ConfigError(`${at} has no key ${JSON.stringify(other)}: ${keys.join(', ')}`);
}
