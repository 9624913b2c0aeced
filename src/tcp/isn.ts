// Initial sequence numbers that cannot be guessed (RFC 6528): M + F(four-tuple, secret key).

import { type SipKey, sip24 } from '../base/siphash.ts';
import type { Address } from '../wire/address.ts';

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
  words[0] = local.w0;
  words[1] = local.w1;
  words[2] = local.w2;
  words[3] = local.w3;
  words[4] = remote.w0;
  words[5] = remote.w1;
  words[6] = remote.w2;
  words[7] = remote.w3;
  words[8] = (localPort << 16) | remotePort;
  return (Math.floor(now * 250) + sip24(key, words, 9)) | 0;
}
