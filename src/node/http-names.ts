// Words of Node's `http` that programs look up: methods, phrases, and the checks of field names and values.

import { type CodedError, coded } from './errors.ts';

/** `http.METHODS`: what a parser of Node's takes. Ours takes any token (RFC 9110 §9.1). */
export const METHODS: readonly string[] = (
  'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY ' +
  'OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK ' +
  'UNSUBSCRIBE'
).split(' ');

/** `http.STATUS_CODES`, in the words that programs compare with: some are older than those of RFC 9110 §15. */
export const STATUS_CODES: Readonly<Record<string, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  418: "I'm a Teapot",
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
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
export const isToken = (text: unknown): text is string => typeof text === 'string' && TOKEN.test(text);

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
