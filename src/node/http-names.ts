// Words of Node's `http` that programs look up: methods, phrases, and the checks of field names and values.

import { REASON_PHRASES } from '../http/index.ts';
import { type CodedError, coded } from './errors.ts';

/** `http.METHODS`: what a parser of Node's takes. Ours takes any token (RFC 9110 §9.1). */
export const METHODS: readonly string[] = (
  'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY ' +
  'OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK ' +
  'UNSUBSCRIBE'
).split(' ');

/** `http.STATUS_CODES`: ours, with codes of other documents, and the older words of some that programs compare with. */
export const STATUS_CODES: Readonly<Record<string, string>> = {
  ...REASON_PHRASES,
  102: 'Processing',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  305: 'Use Proxy',
  413: 'Payload Too Large',
  418: "I'm a Teapot",
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  509: 'Bandwidth Limit Exceeded',
  510: 'Not Extended',
  511: 'Network Authentication Required',
};

/** What `setHeader` and the like take. */
export type FieldValue = string | number | readonly string[];

const TOKEN: RegExp = /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/;
/** Controls but HTAB, and what latin-1 has not. */
const UNSENDABLE: RegExp = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether `text` is a token (RFC 9110 §5.6.2). */
const isToken = (text: unknown): text is string => typeof text === 'string' && TOKEN.test(text);

/** Throws ERR_INVALID_HTTP_TOKEN for a name that cannot be sent. */
export function checkFieldName(name: unknown, label = 'Header name'): void {
  if (!isToken(name)) {
    throw coded(TypeError, 'ERR_INVALID_HTTP_TOKEN', `${label} must be a valid HTTP token ["${name}"]`);
  }
}

/** Throws ERR_HTTP_INVALID_HEADER_VALUE for none, ERR_INVALID_CHAR for one that cannot be sent. */
export function checkFieldValue(name: string, value: unknown): void {
  if (value === undefined) {
    throw coded(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "undefined" for header "${name}"`);
  }
  const values = Array.isArray(value) ? value : [value];
  if (values.some((one) => UNSENDABLE.test(String(one)))) {
    throw coded(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
  }
}

/** ERR_HTTP_HEADERS_SENT. */
export function headSent(verb: string): CodedError {
  return coded(Error, 'ERR_HTTP_HEADERS_SENT', `Cannot ${verb} headers after they are sent to the client`);
}

/** `socket hang up` and `aborted`: the connection ended in the middle of something. */
export function brokenOff(message: string): CodedError {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}
