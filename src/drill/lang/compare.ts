// Holds a packet of the host against the one that a script expects.

import { ACK, CWR, FIN, PSH } from '../../wire/tcp.ts';
import { type Actual, type ActualTcp, formatFlags, formatOption } from './actual.ts';
import type { Conversation } from './conversation.ts';
import { icmpNumbers } from './icmp-names.ts';
import type { IcmpSpec, IpInfo, TcpOption, TcpSpec } from './script.ts';

/** How timestamps are compared. */
export interface StampRule {
  /** Microseconds of a tick of our timestamp clock; 0 when its values are not compared. */
  readonly tick: number;
  /** How far they may be off, microseconds. */
  readonly tolerance: number;
}

/** What differs, in words; `null` when the packet is what the script says. `whole` is false for a part of it. */
export function compareTcp(
  spec: TcpSpec,
  actual: Actual,
  of: Conversation,
  stamps: StampRule,
  whole = true,
): string | null {
  const t = actual.tcp;
  if (t === null) return 'it is no TCP segment';
  if (actual.fault !== '') return `it is not well formed: ${actual.fault}`;
  return (
    differs('source port', spec.srcPort > 0 ? spec.srcPort : of.localPort, t.srcPort) ??
    differs('destination port', spec.dstPort > 0 ? spec.dstPort : of.remotePort, t.dstPort) ??
    compareFlags(spec, t, whole) ??
    (whole ? differs('sequence number', spec.seq >>> 0, of.script(t.seq) >>> 0) : null) ??
    (whole ? differs('length', spec.length, t.length) : null) ??
    ((spec.flags & ACK) === 0 ? null : differs('acknowledgement number', spec.ack >>> 0, t.ack >>> 0)) ??
    (spec.window < 0 ? null : differs('window', spec.window, t.window)) ??
    differs('urgent pointer', spec.urgent, t.urgent) ??
    compareIp(spec.ip, actual) ??
    compareOptions(spec.options, t, of, stamps)
  );
}

/** The same for an ICMP message. */
export function compareIcmp(spec: IcmpSpec, actual: Actual, v6: boolean): string | null {
  const numbers = icmpNumbers(spec.type, spec.code, v6);
  if (numbers === null) return 'this version of IP has no such message';
  if (actual.icmp === null) return 'it is no ICMP message';
  if (actual.fault !== '') return `it is not well formed: ${actual.fault}`;
  const id = spec.type.startsWith('echo_') ? differs('identifier', spec.id, actual.icmp.id) : null;
  return (
    differs('type', numbers.type, actual.icmp.type) ??
    differs('code', numbers.code, actual.icmp.code) ??
    id ??
    compareIp(spec.ip, actual)
  );
}

function differs(what: string, expected: number, is: number): string | null {
  return expected === is ? null : `the ${what} is ${is}, not ${expected}`;
}

/** FIN, PSH and CWR are of the first or the last part, and not of all. */
function compareFlags(spec: TcpSpec, t: ActualTcp, whole: boolean): string | null {
  const mask = whole ? 0xff : 0xff & ~(FIN | PSH | CWR);
  if ((spec.flags & mask) === (t.flags & mask)) return null;
  return `the flags are ${formatFlags(t.flags)}, not ${formatFlags(spec.flags)}`;
}

function compareIp(info: IpInfo, actual: Actual): string | null {
  const ecn = actual.tos & 3;
  if (info.ecn === 'ect01' && ecn !== 1 && ecn !== 2) return `ECN is ${ECN_NAMES[ecn]}, not ect0 or ect1`;
  if (info.ecn !== null && info.ecn !== 'ect01' && ECN_NAMES[ecn] !== info.ecn) {
    return `ECN is ${ECN_NAMES[ecn]}, not ${info.ecn}`;
  }
  return (
    (info.tos < 0 ? null : differs('TOS', info.tos, actual.tos)) ??
    (info.ttl < 0 ? null : differs('hop limit', info.ttl, actual.ttl)) ??
    (info.flowLabel < 0 ? null : differs('flow label', info.flowLabel, actual.flowLabel))
  );
}

const ECN_NAMES = ['noecn', 'ect1', 'ect0', 'ce'];

function compareOptions(
  expected: readonly TcpOption[] | null,
  t: ActualTcp,
  of: Conversation,
  stamps: StampRule,
): string | null {
  if (expected === null) return null;
  const shown = (options: readonly TcpOption[]): string => `<${options.map(formatOption).join(',')}>`;
  const difference = `the options are ${shown(t.options)}, not ${shown(expected)}`;
  if (expected.length !== t.options.length) return difference;
  for (const [i, option] of expected.entries()) {
    const is = t.options[i];
    if (is === undefined) return difference;
    if (option.kind !== 'TS' || is.kind !== 'TS') {
      if (formatOption(option) !== formatOption(is)) return difference;
      continue;
    }
    if (option.ecr >>> 0 !== is.ecr >>> 0) return `the timestamp echoed is ${is.ecr >>> 0}, not ${option.ecr >>> 0}`;
    const off = of.stampError(option.val, is.val) * stamps.tick;
    if (Math.abs(off) > Math.max(stamps.tolerance, stamps.tick)) return `the timestamp is ${off} us off`;
    of.stamp(option.val, is.val | 0);
  }
  return null;
}
