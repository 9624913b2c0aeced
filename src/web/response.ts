// The public name of `plain-response.ts`, apart from it: its declaration names no type that a program may not have.

import { PlainResponse, platformResponse } from './plain-response.ts';
import type { PlatformResponse, PlatformResponseClass } from './platform.ts';

/** The type of what `Response` makes: the platform's own. */
export type Response = PlatformResponse;

/**
 * The platform's `Response` in all that a handler of `serve` can tell, and much quicker to send where the content is text
 * or octets: it makes no stream of them. `clone()` gives the platform's own, for code of the platform that takes no other
 * (`caches`). Throws as the platform's does.
 *
 * @example
 * import { createWeb, Response } from 'synfin/web';
 * createWeb(host).serve({ port: 80, fetch: () => new Response('hello\n') });
 */
export const Response: PlatformResponseClass = PlainResponse as unknown as PlatformResponseClass;

/**
 * Puts `Response` in the place of the platform's, for frameworks that make their answers by that: every `new Response` in
 * this process is of this class then. What is a `Response` of either kind is an instance of both. Returns what puts the
 * platform's back. Nothing does this by itself; platforms whose `Response` has private members take ours by `clone()` only.
 *
 * @example
 * import { createWeb, replaceResponse } from 'synfin/web';
 * replaceResponse();
 * createWeb(host).serve({ port: 80, fetch: app.fetch });
 */
export function replaceResponse(): () => void {
  platformResponse();
  const before = Object.getOwnPropertyDescriptor(globalThis, 'Response')!;
  Object.defineProperty(globalThis, 'Response', { value: PlainResponse, configurable: true, writable: true });
  return () => void Object.defineProperty(globalThis, 'Response', before);
}
