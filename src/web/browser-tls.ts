// What browsers have of TLS over a stream of a program's own, which is none. Bundlers for pages put this file in the place of
// `tls.ts`, by the field `browser` of package.json.

import type { SecureStream } from './tls.ts';

/** Throws the `TypeError` that says where TLS is to be had. */
export function assertTls(): never {
  throw new TypeError('this platform has no TLS that runs over a stream of ours: use Node, Bun or Deno, or no TLS');
}

/** Likewise: nobody gets a secured stream here. */
export const secureClient: () => SecureStream = assertTls;

/** Likewise. */
export const secureServer: () => SecureStream = assertTls;

/** Likewise. */
export const checkServer: () => void = assertTls;
