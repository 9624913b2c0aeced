// SHA-256 of a message whose length in bits takes more than one word.

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { Sha256 } from '../../src/base/sha256.ts';

it('SHA-256 counts beyond 2^32 bits', { timeout: 120_000 }, () => {
  const chunk = new Uint8Array(1 << 22).fill(0xa5);
  const sha = new Sha256();
  const hash = createHash('sha256');
  for (let i = 0; i < 128; i++) {
    sha.update(chunk, 0, chunk.length);
    hash.update(chunk);
  }
  sha.update(chunk, 0, 3);
  hash.update(chunk.subarray(0, 3));
  expect(sha.hex()).toBe(hash.digest('hex'));
});
