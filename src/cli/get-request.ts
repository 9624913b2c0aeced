// What `synfin get` asks for: the command line as a request, and where a URL leads.

import { readFileSync } from 'node:fs';
import { HeaderList } from '../http/index.ts';
import { portOf } from '../web/dial.ts';
import type { Hop } from '../web/redirect.ts';
import { parseAddress } from '../wire/address.ts';
import { wholeNumber } from './device.ts';
import { Misuse } from './io.ts';

/** The options of a download that are not the device's. */
export const REQUEST_OPTIONS = {
  output: { type: 'string', short: 'o' },
  continue: { type: 'boolean', short: 'c', default: false },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string', short: 'd' },
  request: { type: 'string', short: 'X' },
  head: { type: 'boolean', short: 'I', default: false },
  compressed: { type: 'boolean', default: false },
  verbose: { type: 'boolean', short: 'v', default: false },
  'max-redirects': { type: 'string', default: '10' },
  resolve: { type: 'string', multiple: true },
  cacert: { type: 'string' },
  insecure: { type: 'boolean', short: 'k', default: false },
} as const;

/** Those options as they were given. */
export interface RequestValues {
  readonly output?: string;
  readonly continue: boolean;
  readonly header?: string[];
  readonly data?: string;
  readonly request?: string;
  readonly head: boolean;
  readonly compressed: boolean;
  readonly verbose: boolean;
  readonly 'max-redirects': string;
  readonly resolve?: string[];
  readonly cacert?: string;
  readonly insecure: boolean;
}

/** What to download, and how. */
export interface Order {
  readonly first: Hop;
  /** The file to write; `null` is standard output. */
  readonly output: string | null;
  /** Goes on where an earlier run stopped. */
  readonly resume: boolean;
  readonly compressed: boolean;
  readonly verbose: boolean;
  readonly maxRedirects: number;
  /** Addresses of names. */
  readonly names: ReadonlyMap<string, string>;
  /** Authorities to trust in place of the platform's, in PEM. */
  readonly ca: string | null;
  /** Any certificate will do. */
  readonly insecure: boolean;
}

/** Reads the command line. Throws `Misuse` for what makes no sense. */
export function orderOf(values: RequestValues, positionals: readonly string[]): Order {
  const [text, ...more] = positionals;
  if (text === undefined) throw new Misuse('no URL given');
  if (more.length > 0) throw new Misuse(`one URL, not also ${more[0]}`);
  if (!URL.canParse(text)) throw new Misuse(`${text}: not a URL`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Misuse(`${text}: only http: and https: are known`);
  if (url.username !== '' || url.password !== '') {
    throw new Misuse(`${text}: credentials go into a field: -H 'Authorization: ...'`);
  }
  const { output, data, head, compressed, verbose, insecure } = values;
  const resume = values.continue;
  if (resume && output === undefined) throw new Misuse('--continue needs --output: only a file can be continued');
  if (resume && compressed) throw new Misuse('--continue and --compressed do not go together: the parts would not fit');
  if (head && data !== undefined) throw new Misuse('--head and --data do not go together');
  if (resume && (data !== undefined || head)) throw new Misuse('--continue is for a plain download');
  const method = values.request ?? (head ? 'HEAD' : data === undefined ? 'GET' : 'POST');
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new Misuse(`--request ${method}: not a method`);
  const names = namesOf(values.resolve ?? []);
  const order: Order = {
    first: {
      method,
      url,
      fields: fieldsOf(values, url),
      body: data === undefined ? null : contentOf(data),
      trailers: null,
    },
    ...{ output: output ?? null, resume, compressed, verbose, names, insecure },
    maxRedirects: wholeNumber('max-redirects', values['max-redirects'], 0, 100),
    ca: values.cacert === undefined ? null : readFileSync(values.cacert, 'utf8'),
  };
  // Whether the first name has an address is known before anything is sent.
  addressOf(order, url);
  return order;
}

/** The fields of the request: ours, and those of the command line in their place. */
function fieldsOf(values: RequestValues, url: URL): HeaderList {
  const fields = HeaderList.from({ Host: url.host, 'User-Agent': 'synfin', Accept: '*/*' });
  if (values.data !== undefined) fields.set('Content-Type', 'application/x-www-form-urlencoded');
  if (values.compressed) fields.set('Accept-Encoding', 'gzip, deflate, br');
  const own = new Set<string>();
  for (const line of values.header ?? []) {
    const at = line.indexOf(':');
    const [name, value] = [line.slice(0, Math.max(0, at)), line.slice(at + 1).trim()];
    if (/^(?:content-length|transfer-encoding|connection|upgrade)$/i.test(name)) {
      throw new Misuse(`--header '${line}': framing and the connection are synfin's to decide`);
    }
    try {
      if (own.has(name.toLowerCase())) fields.append(name, value);
      else fields.set(name, value);
    } catch (error) {
      if (error instanceof TypeError) throw new Misuse(`--header '${line}': not a field as in 'Name: value'`);
      throw error;
    }
    own.add(name.toLowerCase());
  }
  // One request, one connection.
  fields.set('Connection', 'close');
  return fields;
}

function contentOf(data: string): Uint8Array {
  if (!data.startsWith('@')) return new TextEncoder().encode(data);
  // A descriptor of 0 is standard input.
  return new Uint8Array(readFileSync(data === '@-' ? 0 : data.slice(1)));
}

function namesOf(settings: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const setting of settings) {
    const at = setting.indexOf('=');
    const [name, address] = [setting.slice(0, Math.max(0, at)), setting.slice(at + 1)];
    if (name === '' || parseAddress(address) === null) throw new Misuse(`--resolve ${setting}: not NAME=ADDRESS`);
    names.set(name.toLowerCase(), address);
  }
  return names;
}

/** The address of a URL's host. Throws `Misuse` for names that have none. */
export function addressOf(order: Pick<Order, 'names'>, url: URL): string {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const address = order.names.get(host) ?? host;
  if (parseAddress(address) !== null) return address;
  throw new Misuse(`${url.href}: the host must be an address in numbers, or say --resolve ${host}=ADDRESS`);
}

/** The port that a URL leads to. Throws `Misuse` for port 0. */
export function portToDial(url: URL): number {
  const port = portOf(url);
  if (port === 0) throw new Misuse(`${url.href}: port 0 cannot be connected to`);
  return port;
}
