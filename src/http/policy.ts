// Limits and policies of the parser: what is too much, and where one parser may be laxer than another.
//
// Lengths are octets. `STRICT` is what `serve` and `fetch` use. A laxer mode is an overlay of single fields;
// no code asks for a mode by name. docs/http.md lists every difference.

/** What is too much. */
export interface HttpLimits {
  /** A whole head: start line, fields, the empty line, and empty lines before it. */
  readonly head: number;
  /** The request target; a longer one is answered with 414. RFC 9112 §3 asks for at least 8000 in a line. */
  readonly target: number;
  /** The method; a longer one cannot be one we know and is answered with 501 (RFC 9112 §3). */
  readonly method: number;
  /** Field lines in a head or in a trailer section. */
  readonly fields: number;
  /** All chunk extensions of one message together (they carry nothing, so they may not cost much). */
  readonly chunkExt: number;
  /** A trailer section. */
  readonly trailer: number;
  /** The content of a request after chunked is removed; more is answered with 413. */
  readonly body: number;
  /** Requests on one connection; the answer to the last of them says `close`. */
  readonly requests: number;
  /** Request content that nobody wanted and that is read on after an early response, to keep the connection. */
  readonly discard: number;
}

/** The limits when none are given. */
export const DEFAULT_LIMITS: HttpLimits = {
  head: 16 * 1024,
  target: 8 * 1024,
  method: 64,
  fields: 128,
  chunkExt: 4 * 1024,
  trailer: 8 * 1024,
  body: Number.MAX_SAFE_INTEGER,
  requests: Number.MAX_SAFE_INTEGER,
  discard: 64 * 1024,
};

/** Where recipients may differ. Each field names the laxer reading; all are off but those the RFC asks for. */
export interface HttpPolicy {
  /** Of several Host fields the first counts (RFC 9112 §3.2 says 400; Node's own tests want the first). */
  readonly firstHost: boolean;
  /** A 1.1 request may come without Host (RFC 9112 §3.2 says 400). */
  readonly noHost: boolean;
  /** Content-Length given several times with one and the same value is that value (allowed by RFC 9112 §6.3). */
  readonly sameLengths: boolean;
  /** Transfer-Encoding beats Content-Length instead of being refused (RFC 9112 §6.3: "ought to be an error"). */
  readonly chunkedOverLength: boolean;
  /** A Host field may hold anything that a field may hold (RFC 9112 §3.2 says 400). */
  readonly anyHost: boolean;
  /**
   * A target in a form that its method may not have is delivered, as in origin-form, rather than answered with 400
   * (RFC 9112 §3.2). CONNECT still needs its authority.
   */
  readonly anyTarget: boolean;
  /**
   * A folded line is unfolded rather than refused. RFC 9112 §5.2 lets servers do either and binds user agents to
   * unfold, so a client's policy starts with this on.
   */
  readonly fold: boolean;
  /** A minor version above 1 is read as 1.1 (RFC 9110 §6.2 SHOULD) instead of being answered with 505. */
  readonly laterMinor: boolean;
  /** A status line may end right after the code. RFC 9112 §4 binds senders only, and many origins do it. */
  readonly shortStatusLine: boolean;
}

/** What `serve` and `fetch` use. */
export const STRICT: HttpPolicy = {
  firstHost: false,
  noHost: false,
  sameLengths: true,
  chunkedOverLength: false,
  anyHost: false,
  anyTarget: false,
  fold: false,
  laterMinor: false,
  shortStatusLine: true,
};

/**
 * What servers in the field let pass and no border of a message depends on: for `node:http`'s shape. `noHost` and
 * `chunkedOverLength` stay off here too; they are for those who know both ends.
 */
export const LENIENT: HttpPolicy = {
  ...STRICT,
  firstHost: true,
  anyHost: true,
  anyTarget: true,
  fold: true,
  laterMinor: true,
};
