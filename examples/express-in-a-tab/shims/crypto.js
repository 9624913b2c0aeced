// `node:crypto`, as much of it as entity tags and signed cookies need.

import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { Buffer } from 'buffer';

const hashes = { sha1, sha256, sha512 };

/** The calls of a hash, over one of the package's. */
function calls(hash) {
  return {
    update(data, encoding) {
      hash.update(typeof data === 'string' ? Buffer.from(data, encoding) : data);
      return this;
    },
    digest(encoding) {
      const octets = Buffer.from(hash.digest());
      return encoding === undefined ? octets : octets.toString(encoding);
    },
  };
}

export const createHash = (name) => calls(hashes[name].create());
export const createHmac = (name, key) => calls(hmac.create(hashes[name], Buffer.from(key)));
export const randomBytes = (size) => Buffer.from(crypto.getRandomValues(new Uint8Array(size)));

export function timingSafeEqual(a, b) {
  let different = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) different |= a[i] ^ b[i];
  return different === 0;
}

export default { createHash, createHmac, randomBytes, timingSafeEqual };
