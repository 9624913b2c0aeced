// Every class of inputs that Node's parser and ours read differently, with the rule behind it and a smallest case.

/** One allowed class. */
export interface AllowedClass {
  /** What `difference` calls it. */
  readonly name: string;
  /** Why it is allowed. In none of them do both read a request, and read it differently. */
  readonly rule: string;
  readonly input: string;
}

/** All of them. llhttp 9.3, of Node 20, shows them all; 9.4, of Node 22 and 24, all but the tabs. */
export const ALLOWED: readonly AllowedClass[] = [
  {
    name: 'ours refuses: bare-lf',
    rule: 'RFC 9112 §2.2: a recipient MAY take LF for CRLF; whoever does reads lines that others do not see',
    input: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'ours refuses: bare-cr',
    rule: 'RFC 9112 §2.2: a bare CR is invalid; before a request line too, where only CRLF is ignored',
    input: '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'ours refuses: no-version',
    rule: 'RFC 9112 §2.3, appendix A: HTTP/0.9 is no longer spoken; its answer has no head',
    input: 'GET /\r\n\r\n',
  },
  {
    name: 'ours refuses: bad-version',
    rule: 'RFC 9112 §3: single spaces between the parts of a request line',
    input: 'GET /  HTTP/1.0\r\n\r\n',
  },
  {
    name: 'ours refuses: bad-target',
    rule: 'RFC 9112 §3.2: no fragment, no relative target, * for OPTIONS alone',
    input: 'GET /#x HTTP/1.0\r\n\r\n',
  },
  { name: 'ours refuses: no-host', rule: 'RFC 9112 §3.2: 400 without Host', input: 'GET / HTTP/1.1\r\n\r\n' },
  {
    name: 'ours refuses: many-hosts',
    rule: 'RFC 9112 §3.2: 400 with several Host fields',
    input: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  },
  {
    name: 'ours refuses: bad-host',
    rule: 'RFC 9112 §3.2: 400 for a Host that is none',
    input: 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
  },
  {
    name: 'ours refuses: transfer-encoding-in-http-1.0',
    rule: 'RFC 9112 §6.1: HTTP/1.0 knows no Transfer-Encoding; its framing is faulty',
    input: 'GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
  },
  {
    name: 'ours refuses: unknown-transfer-coding',
    rule: 'RFC 9112 §6.1: 501 for a transfer coding that is not understood; delivering it undone would be wrong',
    input: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
  },
  {
    name: 'ours refuses: bad-transfer-encoding',
    rule: 'RFC 9112 §6.1, RFC 9110 §5.6.2: a coding is a token',
    input: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ;x, chunked\r\n\r\n',
  },
  {
    name: 'ours refuses: chunked-not-last',
    rule: 'RFC 9112 §6.3 rule 4: 400 for a request whose last coding is not chunked, also with Upgrade',
    input: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: identity\r\n\r\n',
  },
  {
    name: 'ours refuses: content-in-connect',
    rule: 'RFC 9110 §9.3.6: CONNECT has no content; what fields would frame may be the first octets of the tunnel',
    input: 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\n\r\n',
  },
  {
    name: 'ours refuses: bad-chunk-extension',
    rule: 'RFC 9112 §7.1.1: an extension has a name',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;="x"\r\nx\r\n0\r\n\r\n',
  },
  {
    name: 'ours refuses: bad-chunk-size',
    rule: 'RFC 9112 §7.1: numerals that overflow must not be misread; more digits than a size needs are not read at all',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n000000000000000000001\r\nx\r\n0\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_INVALID_METHOD Invalid method encountered',
    rule: 'RFC 9110 §9.1: any token is a method; ours are delivered, and what is not known is for the program to refuse',
    input: 'BREW / HTTP/1.0\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_INVALID_METHOD Expected space after method',
    rule: 'RFC 9110 §9.1: so is a token that begins as a known method does',
    input: 'GETa / HTTP/1.0\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_INVALID_CONTENT_LENGTH Invalid character in Content-Length',
    rule: 'RFC 9112 §5: white space behind a value, a tab too, is no part of it',
    input: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\t\r\n\r\nx',
  },
  {
    name: 'Node refuses: HPE_INVALID_URL Unexpected char in url schema',
    rule: 'RFC 3986 §3.1: a scheme may hold digits',
    input: 'GET ht4p://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_UNEXPECTED_CONTENT_LENGTH Duplicate Content-Length',
    rule: 'RFC 9112 §6.3 rule 5: one length said twice may be taken as one',
    input: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
  },
  {
    name: "Node refuses: HPE_INVALID_CONTENT_LENGTH Content-Length can't be present with Transfer-Encoding",
    rule: 'RFC 9110 §6.5.1: framing fields among the trailers are not merged; ours frame nothing there',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_INVALID_TRANSFER_ENCODING Invalid `Transfer-Encoding` header value',
    rule: 'RFC 9110 §6.5.1: as with Content-Length among the trailers',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_STRICT Invalid character in chunk extensions name',
    rule: 'RFC 9112 §7.1.1: white space around the = of an extension is bad but to be taken',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\t="y"\r\nx\r\n0\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_STRICT Invalid character in chunk extensions value',
    rule: 'RFC 9112 §7.1.1: behind the = too',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\t"y"\r\nx\r\n0\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_STRICT Invalid character in chunk extensions',
    rule: 'RFC 9112 §7.1.1: and before the name',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1; a="y"\r\nx\r\n0\r\n\r\n',
  },
  {
    name: 'Node refuses: HPE_INVALID_TRANSFER_ENCODING Request has invalid `Transfer-Encoding`',
    rule: 'RFC 9112 §5: white space behind a value, a tab too, is no part of it',
    input: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n',
  },
  {
    name: 'Node stops: upgrade',
    rule: 'RFC 9110 §7.8: an offer to upgrade may be ignored; HTTP goes on then, and we read it',
    input: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'Node stops: close',
    rule: 'RFC 9110 §6.5.1: Connection among the trailers is not merged, and closes nothing',
    input:
      'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n',
  },
];
