// The errors a program can meet. Malformed input from the wire is none of them: that is a counted,
// traced reason (`DropReason` in `trace.ts`) and never an exception.

/** Error codes of the network, spelled as Node spells them. */
export type NetErrorCode =
  | 'EACCES'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'ECONNABORTED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EHOSTUNREACH'
  | 'EMFILE'
  | 'EMSGSIZE'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ENOBUFS'
  | 'ENOTCONN'
  | 'EPIPE'
  | 'ETIMEDOUT';

/** The call that failed, as Node's errors name it. */
export type Syscall = 'connect' | 'listen' | 'bind' | 'accept' | 'read' | 'write' | 'send' | 'ping' | 'open';

/** Linux error numbers, for `errno` (Node gives them negated). */
const ERRNO: Readonly<Record<NetErrorCode, number>> = {
  EACCES: 13,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNABORTED: 103,
  ECONNREFUSED: 111,
  ECONNRESET: 104,
  EHOSTUNREACH: 113,
  EMFILE: 24,
  EMSGSIZE: 90,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  ENOTCONN: 107,
  EPIPE: 32,
  ETIMEDOUT: 110,
};

/**
 * The network failed the program: refused, reset, timed out, unreachable.
 *
 * `code`, `errno`, `syscall`, `address` and `port` are what Node's own errors carry, and the message has
 * the same form, so programs that look at either keep working.
 */
export class NetError extends Error {
  override readonly name = 'NetError';
  readonly code: NetErrorCode;
  /** The Linux error number, negated, as in Node. */
  readonly errno: number;
  readonly syscall: Syscall;
  /** The peer's or the local address, in text; empty when there is none. */
  readonly address: string;
  /** The port that goes with `address`; -1 when there is none. */
  readonly port: number;

  constructor(code: NetErrorCode, syscall: Syscall, address = '', port = -1) {
    super(address === '' ? `${syscall} ${code}` : `${syscall} ${code} ${address}${port < 0 ? '' : `:${port}`}`);
    this.code = code;
    this.errno = -ERRNO[code];
    this.syscall = syscall;
    this.address = address;
    this.port = port;
  }
}

/** A command was given in a state that does not allow it: a mistake of the caller. */
export class StateError extends Error {
  override readonly name = 'StateError';
  /** Always `'ERR_INVALID_STATE'`, as Node's own such errors say. */
  readonly code = 'ERR_INVALID_STATE';
}
