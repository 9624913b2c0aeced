// The public names of the wire room.

export {
  Address,
  address4,
  addressFromBytes,
  formatAddress,
  formatMac,
  inPrefix,
  isMulticast,
  isV4Mapped,
  Prefix,
  parseAddress,
  parseMac,
  parsePrefix,
  UNSPECIFIED4,
  UNSPECIFIED6,
  V4_MAPPED,
} from './address.ts';
export * from './arp.ts';
export * from './dns.ts';
export * from './ethernet.ts';
export { formatFlags, formatPacket } from './format.ts';
export * from './icmp.ts';
export * from './icmpv6.ts';
export * from './ipv4.ts';
export * from './ipv6.ts';
export { parseQuoted, Quoted } from './quoted.ts';
export * from './tcp.ts';
export * from './udp.ts';
