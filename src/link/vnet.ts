// The ten octets in front of every packet of a TUN device with IFF_VNET_HDR: `struct virtio_net_hdr`, host-endian.
//
// They carry what a packet descriptor carries: whether the checksum is still to be made, and how a super-segment is cut.

import {
  CHECKSUM_NONE,
  CHECKSUM_PARTIAL,
  CHECKSUM_VERIFIED,
  GSO_NONE,
  GSO_TCP4,
  GSO_TCP6,
  type RxMeta,
  type TxMeta,
} from '../base/packet.ts';

/** Octets of the header. */
export const VNET_HEADER = 10;

const NEEDS_CSUM = 1;
const DATA_VALID = 2;
const VNET_GSO_TCP4 = 1;
const VNET_GSO_TCP6 = 4;
/** The segment had CWR set, which only the first of its parts keeps. */
const VNET_GSO_ECN = 0x80;

// The kernel writes these fields in its own byte order, whatever the wire's.
const LITTLE: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function get16(bytes: Uint8Array, at: number): number {
  return LITTLE ? bytes[at]! | (bytes[at + 1]! << 8) : (bytes[at]! << 8) | bytes[at + 1]!;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at + (LITTLE ? 0 : 1)] = value & 0xff;
  bytes[at + (LITTLE ? 1 : 0)] = value >>> 8;
}

/** Reads the header at `bytes[at]` into `meta`. Kinds that were not asked for (UDP) count as ordinary packets. */
export function readVnet(bytes: Uint8Array, at: number, meta: RxMeta): void {
  meta.reset();
  const flags = bytes[at]!;
  if ((flags & NEEDS_CSUM) !== 0) {
    meta.checksum = CHECKSUM_PARTIAL;
    meta.csumStart = get16(bytes, at + 6);
    meta.csumOffset = get16(bytes, at + 8);
  } else meta.checksum = (flags & DATA_VALID) === 0 ? CHECKSUM_NONE : CHECKSUM_VERIFIED;
  const gso = bytes[at + 1]! & ~VNET_GSO_ECN;
  if (gso === 0) return;
  meta.gsoType = gso === VNET_GSO_TCP4 ? GSO_TCP4 : gso === VNET_GSO_TCP6 ? GSO_TCP6 : GSO_NONE;
  meta.gsoSize = get16(bytes, at + 4);
}

/** Writes the header for the packet that `meta` describes to `bytes[at, at + 10)`. */
export function writeVnet(bytes: Uint8Array, at: number, meta: TxMeta): void {
  const partial = meta.checksum === CHECKSUM_PARTIAL;
  bytes[at] = partial ? NEEDS_CSUM : 0;
  bytes[at + 1] = meta.gsoType === GSO_TCP4 ? VNET_GSO_TCP4 : meta.gsoType === GSO_TCP6 ? VNET_GSO_TCP6 : 0;
  put16(bytes, at + 2, meta.headerLength);
  put16(bytes, at + 4, meta.gsoSize);
  put16(bytes, at + 6, partial ? meta.csumStart : 0);
  put16(bytes, at + 8, partial ? meta.csumOffset : 0);
}
