// Trailer fields at the level of `fetch`: what is asked for, and what came behind an answer. Apart from `fetch.ts`, whose
// declarations name types of the platform that a program may not have.

import type { PlatformHeaders, PlatformResponse } from './platform.ts';
import type { Trailers } from './serve.ts';

/** What `fetch` takes beside the platform's `RequestInit`. */
export interface FetchOptions {
  /**
   * Fields to send behind the content (RFC 9110 §6.5), which is sent in chunks then; a function is called once streamed
   * content is over, and before content that is whole.
   */
  readonly trailers?: Trailers;
}

/** The trailers of the answers that `fetch` gave. @internal */
export const TRAILERS: WeakMap<object, { readonly promise: Promise<PlatformHeaders> }> = new WeakMap();

/**
 * The trailer fields of an answer that `fetch` of this package gave (RFC 9110 §6.5), mostly none. Settles when its content
 * has been read to the end, rejects when that never comes. They are not merged into the fields of the head. Throws
 * `TypeError` for any other object.
 */
export function trailersOf(response: PlatformResponse): Promise<PlatformHeaders> {
  const trailers = TRAILERS.get(response as object);
  if (trailers === undefined) throw new TypeError('this response did not come from a fetch of synfin, or is a copy');
  return trailers.promise;
}
