// Redirects (RFC 9110 §15.4), as the Fetch standard has user agents follow them.

import type { HeaderList } from '../http/index.ts';
import type { Trailers } from './serve.ts';

/** Redirects followed for one fetch; one more is an error. */
export const MOST_REDIRECTS = 20;

/** One request of the chain that a fetch makes. */
export interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly fields: HeaderList;
  readonly body: Uint8Array | 'stream' | null;
  /** Fields to send behind the content. */
  readonly trailers: Trailers | null;
}

/** Whether an answer with this status and fields leads elsewhere. */
export function isRedirect(status: number, fields: HeaderList): boolean {
  return (
    (status === 301 || status === 302 || status === 303 || status === 307 || status === 308) && fields.has('location')
  );
}

/**
 * The request that follows `hop` after an answer with `status` and `location`. Throws `TypeError` when there is none:
 * another scheme, credentials in the URL, or content that was streamed and is gone.
 */
export function follow(hop: Hop, status: number, location: string): Hop {
  let url: URL;
  try {
    url = new URL(location, hop.url);
  } catch {
    throw new TypeError(`the server redirected to ${JSON.stringify(location)}, which is no URL`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError(`fetch speaks http: and https: here, and was redirected to ${url.protocol}`);
  if (url.username !== '' || url.password !== '')
    throw new TypeError('the server redirected to a URL with credentials');
  // RFC 9110 §10.2.2: where the new URL has no fragment, it inherits that of the old one.
  if (url.hash === '') url.hash = hop.url.hash;
  const { fields } = hop;
  let { method, body } = hop;
  // RFC 9110 §15.4.2-4: 303 asks for a GET, and POST became GET after 301 and 302 for so long that it is the rule;
  // 307 and 308 leave the method alone (§15.4.8, §15.4.9).
  const toGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  if (toGet) {
    method = 'GET';
    body = null;
    for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type', 'expect'])
      fields.delete(name);
  } else if (body === 'stream') {
    throw new TypeError('the server redirected a request whose content was streamed and cannot be sent again');
  }
  if (url.origin !== hop.url.origin) {
    // What was meant for one origin is not told to another (RFC 9110 §15.4).
    for (const name of ['authorization', 'cookie', 'proxy-authorization']) fields.delete(name);
  }
  fields.set('Host', url.host);
  return { method, url, fields, body, trailers: body === null ? null : hop.trailers };
}
