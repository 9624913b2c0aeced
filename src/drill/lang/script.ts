// A script as it was read: its options, and its events in order.

import type { Place } from './cursor.ts';

/** A value in the argument list of a call. */
export type Expression =
  | { readonly kind: 'any'; readonly place: Place }
  | { readonly kind: 'number'; readonly place: Place; readonly value: number }
  | { readonly kind: 'text'; readonly place: Place; readonly value: string }
  | { readonly kind: 'name'; readonly place: Place; readonly name: string }
  /** `A|B`. */
  | { readonly kind: 'or'; readonly place: Place; readonly parts: readonly Expression[] }
  /** `htons(80)`, `inet_addr("1.2.3.4")`. */
  | { readonly kind: 'call'; readonly place: Place; readonly name: string; readonly args: readonly Expression[] }
  /** `[1, 2]`. */
  | { readonly kind: 'array'; readonly place: Place; readonly items: readonly Expression[] }
  /** `{onoff=1, linger=5}`, and `{..., 1000}` where fields have no names. */
  | { readonly kind: 'struct'; readonly place: Place; readonly fields: readonly Field[] };

/** A field of a structure; its name is empty where it has none. */
export interface Field {
  readonly name: string;
  readonly value: Expression;
}

/** When an event happens. Microseconds; `from` and `to` differ for a range. */
export interface When {
  /** Since the beginning, since the event before, or whenever it may be. */
  readonly kind: 'absolute' | 'relative' | 'any';
  readonly from: number;
  readonly to: number;
  /** `A~B`: any moment between the two. */
  readonly range: boolean;
}

/** A TCP option. */
export type TcpOption =
  | { readonly kind: 'nop' | 'eol' | 'sackOK' }
  | { readonly kind: 'mss' | 'wscale'; readonly value: number }
  | { readonly kind: 'sack'; readonly blocks: readonly (readonly [number, number])[] }
  | { readonly kind: 'TS'; readonly val: number; readonly ecr: number }
  /** Fast open and its experimental form, MD5, and any other by its number. */
  | { readonly kind: 'FO' | 'FOEXP' | 'md5' | 'unknown'; readonly number: number; readonly data: readonly number[] };

/** What a script says of the IP header; -1 and `null` where it says nothing. */
export interface IpInfo {
  readonly ecn: 'noecn' | 'ect0' | 'ect1' | 'ect01' | 'ce' | null;
  /** The whole of the old type-of-service octet. */
  readonly tos: number;
  readonly ttl: number;
  readonly flowLabel: number;
}

/** A TCP segment as a script writes it; numbers are the script's, which count from the initial ones. */
export interface TcpSpec {
  readonly protocol: 'tcp';
  readonly inbound: boolean;
  readonly ip: IpInfo;
  /** Ports, where the script names them: source and destination; 0 otherwise. */
  readonly srcPort: number;
  readonly dstPort: number;
  /** Bits of the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. */
  readonly flags: number;
  readonly seq: number;
  readonly length: number;
  /** Acknowledgement number; 0 where the script has none. */
  readonly ack: number;
  /** Window as in the header; -1 where the script has none. */
  readonly window: number;
  readonly urgent: number;
  /** `null` for `<...>`: whatever they are. */
  readonly options: readonly TcpOption[] | null;
}

/** An ICMP message as a script writes it. */
export interface IcmpSpec {
  readonly protocol: 'icmp';
  readonly inbound: boolean;
  readonly ip: IpInfo;
  readonly type: string;
  readonly code: string;
  readonly mtu: number;
  /** Identifier of an echo. */
  readonly id: number;
  /** First sequence number of the segment it quotes, in the script's counting. */
  readonly quoted: number;
}

/** What happens at one moment of a script. */
export type Action =
  | { readonly kind: 'packet'; readonly packet: TcpSpec | IcmpSpec }
  | { readonly kind: 'call'; readonly call: CallSpec }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'assert'; readonly text: string; readonly place: Place };

/** A socket call, and what it must return. */
export interface CallSpec {
  readonly name: string;
  readonly args: readonly Expression[];
  /** When a blocking call returns: microseconds, relative as its event is; -1 for a call that does not wait. */
  readonly end: number;
  readonly result: Expression;
  /** Name of the error, empty for none. */
  readonly error: string;
  readonly place: Place;
}

/** One event. */
export interface ScriptEvent {
  readonly when: When;
  readonly action: Action;
  readonly place: Place;
  /** The event as it is written, in one line. */
  readonly text: string;
}

/** An option line: `--name=value`. */
export interface ScriptOption {
  readonly name: string;
  readonly value: string;
  readonly place: Place;
}

/** A script. */
export interface Script {
  readonly options: readonly ScriptOption[];
  readonly events: readonly ScriptEvent[];
}
