// The writer: heads and trailer sections into a buffer that the caller gives.
//
// Names and values were checked when they entered their `HeaderList`; methods, targets and reasons are checked
// here, so that nothing a program passes on can start a line of its own (RFC 9112 §11.1). `Date` is the
// owner's to add: this room has no clock.

import { CLASS, CR, LF, putLatin1, TARGET } from './bytes.ts';
import { checkName, checkValue, type HeaderList } from './fields.ts';
import { targetForm } from './target.ts';

/** Octets that `fields` and the empty line after them take. */
export function fieldsSize(fields: HeaderList): number {
  let size = 2;
  for (let i = 0; i < fields.length; i++) size += fields.nameAt(i).length + fields.valueAt(i).length + 4;
  return size;
}

/** Octets that a request head takes. */
export function requestHeadSize(method: string, target: string, fields: HeaderList): number {
  return method.length + target.length + 12 + fieldsSize(fields);
}

/** Octets that a response head takes. */
export function responseHeadSize(reason: string, fields: HeaderList): number {
  return reason.length + 15 + fieldsSize(fields);
}

/**
 * Throws `TypeError` unless `method` is a token and `target` has a form that the method may have
 * (RFC 9112 §3).
 */
function checkRequestLine(method: string, target: string): void {
  checkName(method);
  for (let i = 0; i < target.length; i++) {
    const c = target.charCodeAt(i);
    if (c > 127 || (CLASS[c]! & TARGET) === 0) {
      throw new TypeError(`the request target holds a character that must be percent-encoded, at ${i}`);
    }
  }
  if (targetForm(method, target) === '')
    throw new TypeError(`${method} cannot have this request target (RFC 9112 §3.2)`);
}

/**
 * Writes a request head at `out[at]`; returns the offset past it, `requestHeadSize` further.
 *
 * Throws `TypeError` as `checkRequestLine` does, `RangeError` when `out` is too short; nothing is written then.
 */
export function writeRequestHead(
  out: Uint8Array,
  at: number,
  method: string,
  target: string,
  fields: HeaderList,
): number {
  checkRequestLine(method, target);
  needRoom(out, at, requestHeadSize(method, target, fields));
  let end = putLatin1(out, at, method);
  end = putLatin1(out, end, ' ');
  end = putLatin1(out, end, target);
  end = putLatin1(out, end, ' HTTP/1.1\r\n');
  return putFields(out, end, fields);
}

/**
 * Writes a response head at `out[at]`; returns the offset past it, `responseHeadSize` further.
 *
 * The version is always 1.1: it tells what we can do, not what the request was (RFC 9110 §2.5). Throws
 * `RangeError` for a status outside 100..999 or when `out` is too short, `TypeError` for a bad reason.
 */
export function writeResponseHead(
  out: Uint8Array,
  at: number,
  status: number,
  reason: string,
  fields: HeaderList,
): number {
  checkStatus(status);
  checkValue('the reason phrase', reason);
  needRoom(out, at, responseHeadSize(reason, fields));
  let end = putLatin1(out, at, 'HTTP/1.1 ');
  out[end++] = 0x30 + Math.floor(status / 100);
  out[end++] = 0x30 + (Math.floor(status / 10) % 10);
  out[end++] = 0x30 + (status % 10);
  // The space stays when the reason is empty (RFC 9112 §4).
  end = putLatin1(out, end, ' ');
  end = putLatin1(out, end, reason);
  out[end++] = CR;
  out[end++] = LF;
  return putFields(out, end, fields);
}

/** Writes field lines and the empty line at `out[at]`; for a trailer section too. Returns the offset past it. */
export function writeFields(out: Uint8Array, at: number, fields: HeaderList): number {
  needRoom(out, at, fieldsSize(fields));
  return putFields(out, at, fields);
}

/** Throws `RangeError` unless `status` has three digits (RFC 9110 §15). */
export function checkStatus(status: number): void {
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(`${status} is no status code (RFC 9110 §15)`);
  }
}

function needRoom(out: Uint8Array, at: number, size: number): void {
  if (at + size > out.length) throw new RangeError(`the head needs ${size} octets, there are ${out.length - at}`);
}

function putFields(out: Uint8Array, at: number, fields: HeaderList): number {
  let end = at;
  for (let i = 0; i < fields.length; i++) {
    end = putLatin1(out, end, fields.nameAt(i));
    end = putLatin1(out, end, ': ');
    end = putLatin1(out, end, fields.valueAt(i));
    out[end++] = CR;
    out[end++] = LF;
  }
  out[end++] = CR;
  out[end++] = LF;
  return end;
}

/** Reason phrases of the codes in RFC 9110 §15 and the few that others added. */
export const REASON_PHRASES: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
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
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
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
};

/** The usual reason phrase of `status`; empty for codes that have none. */
export function reasonPhrase(status: number): string {
  return REASON_PHRASES[status] ?? '';
}
