// What errors are made of where there is no Node: Linux's numbers and words, and values in one line.

import type { ErrorSource } from './errors.ts';

const SYSTEM_ERRORS: readonly [code: string, errno: number, text: string][] = [
  ['EACCES', 13, 'permission denied'],
  ['EADDRINUSE', 98, 'address already in use'],
  ['EADDRNOTAVAIL', 99, 'address not available'],
  ['ECONNABORTED', 103, 'software caused connection abort'],
  ['ECONNREFUSED', 111, 'connection refused'],
  ['ECONNRESET', 104, 'connection reset by peer'],
  ['EHOSTUNREACH', 113, 'host is unreachable'],
  ['EINVAL', 22, 'invalid argument'],
  ['EMSGSIZE', 90, 'message too long'],
  ['ENETUNREACH', 101, 'network is unreachable'],
  ['ENOBUFS', 105, 'no buffer space available'],
  ['ENOTCONN', 107, 'socket is not connected'],
  ['ENOTSUP', 95, 'operation not supported on socket'],
  ['EPIPE', 32, 'broken pipe'],
  ['ETIMEDOUT', 110, 'connection timed out'],
];

/** The platform's errors in a page. */
export const errors: ErrorSource = {
  systemErrors: new Map(SYSTEM_ERRORS.map(([code, errno, text]) => [code, { errno: -errno, text }])),
  inspect: (value) => (typeof value === 'string' ? `'${value}'` : String(value)),
};
