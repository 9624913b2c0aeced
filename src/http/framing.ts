// Framing: where a message's body ends, decided in one place with the reason (RFC 9112 §6.3).
//
// Every smuggling attack is two recipients that answer this question differently. So it is asked once per
// message, and whatever could be read in two ways is refused.

import type { HttpFault } from './errors.ts';
import { type HeaderList, trimOws } from './fields.ts';
import { type HttpPolicy, STRICT } from './policy.ts';

/** How the end of a body is found. `'tunnel'`: no more HTTP on this connection (RFC 9110 §9.3.6). */
export type BodyKind = 'none' | 'length' | 'chunked' | 'close' | 'tunnel';

/** Which rule of RFC 9112 §6.3 decided. */
export type FramingReason =
  | ''
  | 'answer to HEAD'
  | 'status without content'
  | 'CONNECT succeeded'
  | 'Transfer-Encoding'
  | 'Transfer-Encoding without chunked'
  | 'Content-Length'
  | 'request without length'
  | 'response without length';

/** The decision about one message; reused for the next. */
export class Framing {
  kind: BodyKind = 'none';
  /** Octets of the body when `kind` is `'length'`, otherwise 0. */
  length = 0;
  /** The rule that decided. */
  why: FramingReason = '';
  /** Both ways of framing were there, and the policy chose: no other message may follow (RFC 9112 §6.1). */
  both = false;
  /** Why the framing cannot be trusted: the connection must not be used any more. */
  fault: HttpFault | '' = '';

  #set(kind: BodyKind, length: number, why: FramingReason): BodyKind {
    this.kind = kind;
    this.length = length;
    this.why = why;
    this.both = false;
    this.fault = '';
    return kind;
  }

  #fail(fault: HttpFault): BodyKind {
    this.#set('none', 0, '');
    this.fault = fault;
    return 'none';
  }

  /**
   * Decides for a request (`status` -1) or for a response, by the rules of RFC 9112 §6.3 in their order.
   *
   * @param method of the request, or of the request that is answered
   * @param status of the response; -1 for a request
   * @param minor minor version of the message
   * @returns the kind, also in `kind`; with a `fault` it is `'none'` and means nothing
   */
  decide(method: string, status: number, minor: number, fields: HeaderList, policy: HttpPolicy = STRICT): BodyKind {
    if (status >= 0) {
      if (method === 'HEAD') return this.#set('none', 0, 'answer to HEAD');
      if (hasNoContent(status)) return this.#set('none', 0, 'status without content');
      if (method === 'CONNECT' && status >= 200 && status < 300) return this.#set('tunnel', 0, 'CONNECT succeeded');
    }
    let codings: string | null = null;
    let length = -1;
    const framed = !fields.lacks('transfer-encoding') || !fields.lacks('content-length');
    for (let i = 0; framed && i < fields.length; i++) {
      if (fields.isAt(i, 'transfer-encoding')) {
        codings = codings === null ? fields.valueAt(i) : `${codings},${fields.valueAt(i)}`;
      } else if (fields.isAt(i, 'content-length')) {
        const one = parseLength(fields.valueAt(i), policy);
        if (one < 0) return this.#fail(lengthFault(one));
        if (length >= 0 && !(policy.sameLengths && one === length)) return this.#fail('different-lengths');
        length = one;
      }
    }
    // RFC 9110 §9.3.6: CONNECT has no content. Some take what its fields frame for such, others for the tunnel's first octets.
    if (status < 0 && method === 'CONNECT' && (codings !== null || length > 0)) return this.#fail('content-in-connect');
    if (codings !== null) return this.#byCodings(codings, length, status, minor, policy);
    if (length >= 0) return this.#set('length', length, 'Content-Length');
    if (status < 0) return this.#set('none', 0, 'request without length');
    return this.#set('close', 0, 'response without length');
  }

  #byCodings(codings: string, length: number, status: number, minor: number, policy: HttpPolicy): BodyKind {
    // RFC 9112 §6.1: HTTP/1.0 knows no Transfer-Encoding; something between us does not either.
    if (minor === 0) return this.#fail('transfer-encoding-in-http-1.0');
    if (length >= 0 && !policy.chunkedOverLength) return this.#fail('length-with-transfer-encoding');
    const verdict = readCodings(codings);
    if (verdict === 'chunked') {
      this.#set('chunked', 0, 'Transfer-Encoding');
      this.both = length >= 0;
      return 'chunked';
    }
    // RFC 9112 §6.3 rule 4: a response whose last coding is not chunked ends with the connection.
    if (verdict === 'chunked-not-last' && status >= 0)
      return this.#set('close', 0, 'Transfer-Encoding without chunked');
    return this.#fail(verdict);
  }
}

/** Whether a response with `status` never has content (RFC 9110 §6.4.1). */
export function hasNoContent(status: number): boolean {
  return status === 204 || status === 304 || (status >= 100 && status < 200);
}

const BAD_LENGTH = -1;
const OVERFLOW = -2;
const DIFFERENT = -3;

function lengthFault(code: number): HttpFault {
  return code === OVERFLOW ? 'length-overflow' : code === DIFFERENT ? 'different-lengths' : 'bad-length';
}

/**
 * The value of a Content-Length line: digits and nothing else, no sign, no prefix, no white space inside
 * (RFC 9110 §8.6), or a list of one and the same number (RFC 9112 §6.3 rule 5); negative when it is neither.
 */
function parseLength(value: string, policy: HttpPolicy): number {
  if (!value.includes(',')) return parseDigits(value);
  if (!policy.sameLengths) return DIFFERENT;
  let length = -1;
  for (const member of value.split(',')) {
    const one = parseDigits(trimOws(member));
    if (one < 0) return one;
    if (length >= 0 && one !== length) return DIFFERENT;
    length = one;
  }
  return length;
}

function parseDigits(text: string): number {
  if (text.length === 0) return BAD_LENGTH;
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return BAD_LENGTH;
    // A number that a double cannot hold exactly would be read differently elsewhere (RFC 9110 §8.6).
    if (n > (Number.MAX_SAFE_INTEGER - digit) / 10) return OVERFLOW;
    n = n * 10 + digit;
  }
  return n;
}

/** Reads all Transfer-Encoding lines as one list (RFC 9112 §6.1, §7). */
function readCodings(
  codings: string,
): 'chunked' | 'chunked-not-last' | 'unknown-transfer-coding' | 'bad-transfer-encoding' {
  let last = '';
  let others = 0;
  for (const member of codings.split(',')) {
    const coding = trimOws(member).toLowerCase();
    // RFC 9110 §5.6.1.2: empty members of a list are ignored.
    if (coding === '') continue;
    // Chunked is applied once and last (RFC 9112 §6.1), and has no parameters (§7.1).
    if (last === 'chunked') return coding === 'chunked' ? 'bad-transfer-encoding' : 'chunked-not-last';
    if (/^chunked[ \t]*;/.test(coding)) return 'bad-transfer-encoding';
    if (coding !== 'chunked') {
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+(?:[ \t]*;|$)/.test(coding)) return 'bad-transfer-encoding';
      others++;
    }
    last = coding;
  }
  if (last === '') return 'bad-transfer-encoding';
  if (last !== 'chunked') return 'chunked-not-last';
  return others === 0 ? 'chunked' : 'unknown-transfer-coding';
}
