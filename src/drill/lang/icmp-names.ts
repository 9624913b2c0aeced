// Names of ICMP types and codes in scripts, and their numbers in both versions of IP.

/** Numbers of a name in IPv4 and IPv6; -1 where that version has no such thing. */
export type Numbers = readonly [v4: number, v6: number];

/** Types (RFC 792, RFC 4443). A name that only one version has is refused by scripts of the other. */
export const ICMP_TYPES: Readonly<Record<string, Numbers>> = {
  echo_reply: [0, 129],
  unreachable: [3, 1],
  source_quench: [4, -1],
  redirect: [5, -1],
  echo_request: [8, 128],
  time_exceeded: [11, 3],
  parameter_problem: [12, 4],
  timestamp_request: [13, -1],
  timestamp_reply: [14, -1],
  information_request: [15, -1],
  information_reply: [16, -1],
  address_mask_request: [17, -1],
  address_mask_reply: [18, -1],
  packet_too_big: [-1, 2],
};

/**
 * Codes by type. Where IPv6 has a code of the same meaning and another name, both names stand for it, so that one
 * script can be run over both versions; `frag_needed` becomes "packet too big" there.
 */
export const ICMP_CODES: Readonly<Record<string, Readonly<Record<string, Numbers>>>> = {
  unreachable: {
    net_unreachable: [0, 0],
    host_unreachable: [1, 3],
    protocol_unreachable: [2, -1],
    port_unreachable: [3, 4],
    frag_needed: [4, 0],
    source_route_failed: [5, -1],
    net_unknown: [6, 0],
    host_unknown: [7, 3],
    source_host_isolated: [8, -1],
    net_prohibited: [9, 1],
    host_prohibited: [10, 1],
    net_unreachable_for_tos: [11, -1],
    host_unreachable_for_tos: [12, -1],
    packet_filtered: [13, 1],
    precedence_violation: [14, -1],
    precedence_cutoff: [15, -1],
    no_route: [0, 0],
    admin_prohibited: [13, 1],
    not_neighbour: [-1, 2],
    address_unreachable: [1, 3],
  },
  time_exceeded: {
    exceeded_hop_limit: [0, 0],
    exceeded_frag_time: [1, 1],
  },
  parameter_problem: {
    header_field: [0, 0],
    unknown_next_header: [-1, 1],
    unknown_option: [-1, 2],
  },
};

/** Type and code of a message in one version of IP, or `null` where it has none such. */
export function icmpNumbers(type: string, code: string, v6: boolean): { type: number; code: number } | null {
  const column = v6 ? 1 : 0;
  const numeric = /^type_(\d+)$/.exec(type);
  const kind = numeric === null ? (ICMP_TYPES[type]?.[column] ?? -1) : Number(numeric[1]);
  const detail = /^code_(\d+)$/.exec(code);
  const value = code === '' ? 0 : detail === null ? (ICMP_CODES[type]?.[code]?.[column] ?? -1) : Number(detail[1]);
  if (kind < 0 || kind > 255 || value < 0 || value > 255) return null;
  return v6 && code === 'frag_needed' ? { type: 2, code: 0 } : { type: kind, code: value };
}
