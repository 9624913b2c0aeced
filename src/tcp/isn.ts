// Initial sequence numbers that cannot be guessed (RFC 6528): M + F(four-tuple, secret key).

import { type SipKey, sip24 } from '../base/siphash.ts';
import { type Address, putTuple } from '../wire/address.ts';

const words = new Int32Array(9);

/**
 * The initial sequence number for a connection opened now.
 *
 * @param key secret of 128 bits
 * @param now milliseconds; M is its count of 4 microseconds, so numbers of one four-tuple only grow
 * @returns int32
 */
export function initialSequenceNumber(
  key: SipKey,
  now: number,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
): number {
  putTuple(words, 0, local, localPort, remote, remotePort);
  return (Math.floor(now * 250) + sip24(key, words, 9)) | 0;
}
