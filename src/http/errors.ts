// What can be wrong with an HTTP/1.1 message: literal reasons, the status that answers each, and the error
// a program sees.
//
// A parser never throws: it stops with one of these reasons. An `HttpError` is made from it only where it
// reaches a program, at most once per connection.

/** Why a message was not taken. The names are part of the public surface: they are counted and logged. */
export type HttpFault =
  // lines and characters (RFC 9112 §2.2, §5)
  | 'bare-cr'
  | 'bare-lf'
  | 'bad-field-name'
  | 'space-before-colon'
  | 'bad-field-value'
  | 'obs-fold'
  // start lines (RFC 9112 §3, §4)
  | 'bad-method'
  | 'method-too-long'
  | 'bad-target'
  | 'target-too-long'
  | 'no-version'
  | 'bad-version'
  | 'unsupported-version'
  | 'bad-status-line'
  // Host (RFC 9112 §3.2)
  | 'no-host'
  | 'many-hosts'
  | 'bad-host'
  // limits
  | 'head-too-large'
  | 'too-many-fields'
  // framing (RFC 9112 §6)
  | 'bad-length'
  | 'different-lengths'
  | 'length-overflow'
  | 'length-with-transfer-encoding'
  | 'transfer-encoding-in-http-1.0'
  | 'bad-transfer-encoding'
  | 'chunked-not-last'
  | 'unknown-transfer-coding'
  | 'content-in-connect'
  | 'body-too-large'
  // chunked (RFC 9112 §7.1)
  | 'bad-chunk-size'
  | 'bad-chunk-extension'
  | 'bad-chunk-end'
  | 'chunk-extension-too-long'
  | 'trailer-too-large'
  // exchanges
  | 'incomplete-message'
  | 'unexpected-data'
  | 'unexpected-upgrade'
  | 'unsendable'
  | 'head-timeout'
  | 'body-timeout';

/** The status with which a server answers a fault (RFC 9110 §15.5, §15.6; RFC 6585 §5). */
export function faultStatus(fault: HttpFault): number {
  switch (fault) {
    case 'head-timeout':
    case 'body-timeout':
      return 408;
    case 'body-too-large':
      return 413;
    case 'target-too-long':
      return 414;
    case 'head-too-large':
    case 'too-many-fields':
    case 'trailer-too-large':
      return 431;
    case 'method-too-long':
    case 'unknown-transfer-coding':
      return 501;
    case 'unsupported-version':
      return 505;
    default:
      return 400;
  }
}

/**
 * An HTTP rule was broken, by the peer (`remote`) or by the program itself (`local`).
 *
 * The network's own failures are `NetError`; this is for octets that arrived and were not HTTP, or not all of it.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** Who broke the rule. */
  readonly side: 'local' | 'remote';
  /**
   * The status that answers it on a server; 502 for a response that a client could not take, 0 when
   * the program itself gave up.
   */
  readonly status: number;
  /** Which rule. */
  readonly fault: HttpFault;

  constructor(side: 'local' | 'remote', status: number, fault: HttpFault) {
    super(`${side === 'remote' ? 'the peer sent' : 'tried to send'} an invalid HTTP message: ${fault}`);
    this.side = side;
    this.status = status;
    this.fault = fault;
  }
}
