// What a run may be told, and what the option lines of a script say.

import { parseAddress } from '../../wire/address.ts';
import type { ProfileName } from '../profiles.ts';
import type { Ends } from './conversation.ts';
import { ScriptError } from './cursor.ts';
import type { ScriptOption } from './script.ts';

/** How a script is run. Its own option lines go before these. */
export interface RunOptions {
  /** The profile of the host under test; `linux` by default, since that is what most scripts were written for. */
  readonly profile?: ProfileName;
  /** `ipv4` by default. */
  readonly ipVersion?: 'ipv4' | 'ipv6';
  /** Further options as a script writes them: `{ tolerance_usecs: '1' }`. */
  readonly options?: Readonly<Record<string, string>>;
  /** A packet that the script does not mention makes it fail, even at its end. */
  readonly strict?: boolean;
}

/** Everything a run is set to. Times are microseconds. */
export interface Settings {
  readonly profile: string;
  readonly v6: boolean;
  readonly mtu: number;
  readonly localText: string;
  readonly remoteText: string;
  readonly ends: Ends;
  readonly bindPort: number;
  readonly connectPort: number;
  readonly tolerance: number;
  /** Part of the time since the event before, in percent, that an event may be off. */
  readonly tolerancePercent: number;
  readonly stampTick: number;
  readonly strict: boolean;
}

/** Options that are known and change nothing here. */
const TAKEN = new Set(
  (
    'gateway_ip netmask_ip wire_client wire_server wire_server_ip wire_server_port wire_client_dev wire_server_dev ' +
    'speed non_fatal verbose dry_run init_scripts persistent_tun_dev strict_segments use_expect send_omit_free ' +
    'so_filename so_flags code_command code_format code_sockopt user_timeout'
  ).split(' '),
);

/** Longest tolerance and tick, microseconds: a day. */
const LONGEST = 86_400_000_000;
const PROFILES = ['default', 'linux', 'freebsd', 'rfc'];

/** Brings together what the caller says and what the script's option lines say. */
export function readSettings(run: RunOptions, lines: readonly ScriptOption[]): Settings {
  const nowhere = { line: 1, column: 1 };
  const given = Object.entries(run.options ?? {}).map(([name, value]) => ({ name, value, place: nowhere }));
  const values = new Map<string, ScriptOption>();
  for (const option of [...given, ...lines]) {
    const known = KNOWN.has(option.name) || TAKEN.has(option.name);
    if (!known) throw new ScriptError(`the option --${option.name} is not understood`, option.place);
    values.set(option.name, option);
  }
  const text = (name: string, otherwise: string): string => values.get(name)?.value ?? otherwise;
  const number = (name: string, otherwise: number, least: number, most: number): number =>
    wholeOption(values.get(name), otherwise, least, most);
  const profile = text('profile', run.profile ?? 'linux');
  const version = text('ip_version', run.ipVersion ?? 'ipv4');
  if (!PROFILES.includes(profile)) refuse(values.get('profile'), PROFILES.join(', '));
  if (version !== 'ipv4' && version !== 'ipv6') refuse(values.get('ip_version'), 'ipv4, ipv6');
  const v6 = version === 'ipv6';
  const localText = text('local_ip', v6 ? 'fd3d:0a0b:17d6::1' : '192.168.0.1');
  const remoteText = text('remote_ip', v6 ? 'fd3d:fa7b:d17d::1' : '192.0.2.1');
  return {
    profile,
    v6,
    // The larger header of IPv6 is made up for, so that a script's segment sizes hold for both.
    mtu: number('mtu', v6 ? 1520 : 1500, v6 ? 1280 : 68, 65_535),
    localText,
    remoteText,
    ends: {
      v6,
      local: words(localText, v6, values.get('local_ip')),
      remote: words(remoteText, v6, values.get('remote_ip')),
    },
    bindPort: number('bind_port', 8080, 1, 65_535),
    connectPort: number('connect_port', 8080, 1, 65_535),
    tolerance: number('tolerance_usecs', 4000, 0, LONGEST),
    tolerancePercent: percent(values.get('tolerance_percent'), 12.5),
    stampTick: number('tcp_ts_tick_usecs', 0, 0, LONGEST),
    strict: run.strict ?? false,
  };
}

const KNOWN = new Set(
  (
    'profile ip_version local_ip remote_ip mtu bind_port connect_port tolerance_usecs tolerance_percent ' +
    'tcp_ts_tick_usecs'
  ).split(' '),
);

function refuse(option: ScriptOption | undefined, what: string): never {
  const { name = '', place = { line: 1, column: 1 } } = option ?? {};
  throw new ScriptError(`--${name} takes ${what}`, place);
}

function wholeOption(option: ScriptOption | undefined, otherwise: number, least: number, most: number): number {
  if (option === undefined) return otherwise;
  const value = Number(option.value);
  const isOne = /^\d+$/.test(option.value) && value >= least && value <= most;
  return isOne ? value : refuse(option, `a whole number from ${least} to ${most}`);
}

function percent(option: ScriptOption | undefined, otherwise: number): number {
  if (option === undefined) return otherwise;
  const value = Number(option.value);
  if (option.value === '' || !(value >= 0)) refuse(option, 'a number from 0');
  return value;
}

function words(text: string, v6: boolean, option: ScriptOption | undefined): Int32Array {
  const address = parseAddress(text);
  if (address === null || text.includes(':') !== v6) refuse(option, `an address of ${v6 ? 'IPv6' : 'IPv4'}`);
  return Int32Array.of(address.w0, address.w1, address.w2, address.w3);
}
