// Request targets and the Host field: the four forms of RFC 9112 §3.2 and the authority inside them.

import { CLASS, DIGIT, HEX, REGNAME } from './bytes.ts';

/** The four forms of a request target (RFC 9112 §3.2). */
export type TargetForm = 'origin' | 'absolute' | 'authority' | 'asterisk';

/**
 * The form of `target` in a request with `method`, or `''` when that method may not have it: authority-form
 * belongs to CONNECT, asterisk-form to OPTIONS. The characters were checked before.
 */
export function targetForm(method: string, target: string): TargetForm | '' {
  if (method === 'CONNECT') return isAuthority(target, 0, target.length, true) ? 'authority' : '';
  if (target.charCodeAt(0) === 0x2f) return 'origin';
  if (target === '*') return method === 'OPTIONS' ? 'asterisk' : '';
  return isAbsolute(target) ? 'absolute' : '';
}

/** `scheme://authority...`; for http and https the host may not be empty (RFC 9110 §4.2.1). */
function isAbsolute(target: string): boolean {
  const colon = target.indexOf('://');
  if (colon < 1 || !isScheme(target, colon)) return false;
  const from = colon + 3;
  let to = from;
  while (to < target.length && target[to] !== '/' && target[to] !== '?') to++;
  // userinfo is refused with everything else that is no host: RFC 9110 §4.2.4 calls it an error.
  return to > from && target[from] !== ':' && isAuthority(target, from, to, false);
}

function isScheme(target: string, to: number): boolean {
  for (let i = 0; i < to; i++) {
    const c = target.charCodeAt(i);
    const alpha = (c | 32) >= 0x61 && (c | 32) <= 0x7a;
    const other = (c >= 0x30 && c <= 0x39) || c === 0x2b || c === 0x2d || c === 0x2e;
    if (!alpha && !(other && i > 0)) return false;
  }
  return true;
}

/** The authority of an absolute-form target, which takes the place of Host (RFC 9112 §3.2.2). */
export function authorityOf(target: string): string {
  const from = target.indexOf('://') + 3;
  let to = from;
  while (to < target.length && target[to] !== '/' && target[to] !== '?') to++;
  return target.slice(from, to);
}

/** The last value that was looked at closely and found good: mostly the next one is the same. */
let lastHost = '';

/** Whether `value` is what a Host field may hold: empty, or a host with an optional port (RFC 9110 §7.2). */
export function isHost(value: string): boolean {
  if (value === lastHost) return true;
  if (!isAuthority(value, 0, value.length, false)) return false;
  lastHost = value;
  return true;
}

/** `host [":" port]` in `text[from, to)` (RFC 3986 §3.2.2); CONNECT needs both (RFC 9112 §3.2.3). */
function isAuthority(text: string, from: number, to: number, needPort: boolean): boolean {
  let at = from;
  if (text[at] === '[') {
    at = text.indexOf(']', at) + 1;
    if (at === 0 || at > to || !isBracketed(text, from + 1, at - 1)) return false;
  } else {
    while (at < to && isRegName(text, at)) at++;
    if (at === from && needPort) return false;
  }
  if (at === to) return !needPort;
  if (text[at] !== ':') return false;
  const digits = to - at - 1;
  // RFC 3986 §3.2.3 lets the port be empty; a number beyond 65535 is no port.
  if (digits > 5 || (needPort && digits === 0)) return false;
  let port = 0;
  for (at++; at < to; at++) {
    const c = text.charCodeAt(at);
    if (c > 127 || (CLASS[c]! & DIGIT) === 0) return false;
    port = port * 10 + c - 0x30;
  }
  return port <= 65535 && !(needPort && port === 0);
}

function isRegName(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  if (c > 127 || (CLASS[c]! & REGNAME) === 0) return false;
  // "%" starts a percent-encoded octet or nothing at all (RFC 3986 §2.1).
  return c !== 0x25 || (isHex(text, at + 1) && isHex(text, at + 2));
}

function isHex(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return c < 128 && HEX[c]! < 16;
}

/** An IPv6 address or an IPvFuture between brackets: its characters, and at least one colon or dot. */
function isBracketed(text: string, from: number, to: number): boolean {
  if (to - from < 2) return false;
  if ((text.charCodeAt(from) | 32) === 0x76) {
    for (let i = from + 1; i < to; i++) {
      const c = text.charCodeAt(i);
      if (c !== 0x3a && (c > 127 || (CLASS[c]! & REGNAME) === 0 || c === 0x25)) return false;
    }
    return text.indexOf('.', from) > from + 1;
  }
  return isIpv6(text.slice(from, to));
}

/** IPv6 in any of its text forms, without a zone (RFC 3986 §3.2.2). */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let groups = 0;
  for (let h = 0; h < halves.length; h++) {
    if (halves[h] === '') {
      if (halves.length === 1) return false;
      continue;
    }
    const parts = halves[h]!.split(':');
    for (let i = 0; i < parts.length; i++) {
      const last = i === parts.length - 1 && h === halves.length - 1;
      if (last && parts[i]!.includes('.')) {
        if (!isIpv4(parts[i]!)) return false;
        groups += 2;
      } else {
        if (!isGroup(parts[i]!)) return false;
        groups++;
      }
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

function isGroup(text: string): boolean {
  if (text.length === 0 || text.length > 4) return false;
  for (let i = 0; i < text.length; i++) if (!isHex(text, i)) return false;
  return true;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((p) => /^(?:0|[1-9][0-9]{0,2})$/.test(p) && Number(p) < 256);
}
