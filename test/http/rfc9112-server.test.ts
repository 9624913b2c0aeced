// RFC 9112, requirement by requirement, as they bind a server; a title starts with the requirements it holds.
//
// `9112-3.2/4` is the fourth MUST of RFC 9112 §3.2; `scripts/http-requirements.mjs` prints the whole table. Every
// case runs whole, octet by octet and at every split point.

import { describe, expect, it } from 'vitest';
import type { OnRequest } from './conversation.ts';
import { ok, trServer } from './conversation.ts';
import { bytesOf } from './tr.ts';

const HOST = 'Host: a\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = `GET / HTTP/1.1\r\n${HOST}\r\n`;

/** The statuses of the answers, in order. */
function statuses(got: string): number[] {
  return [...got.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map((m) => Number(m[1]));
}

/** Expects that `text` is answered with `status` alone, that no handler sees it, and that the connection ends. */
function refused(text: string, status: number): void {
  const outcome = trServer(text);
  expect([statuses(outcome.got), outcome.seen, outcome.ended]).toEqual([[status], [], true]);
  expect(outcome.got).toContain('\r\nConnection: close\r\n');
}

describe('lines (RFC 9112 §2.2)', () => {
  it('[9112-2.2/1] reads octets: what would be a line end in another encoding is none', () => {
    // U+010A and U+560A end in the octet 0x0a in some encodings; as UTF-8 octets they are text.
    const outcome = trServer(`GET / HTTP/1.1\r\n${HOST}X: \xc4\x8a\xe5\x98\x8a\r\n\r\n`, (request, response) => {
      response.end(bytesOf(request.headers.get('x')!));
    });
    expect(outcome.got.endsWith('\r\n\r\n\xc4\x8a\xe5\x98\x8a')).toBe(true);
  });
  it.each([
    ['in the request line', `GET /\r HTTP/1.1\r\n${HOST}\r\n`],
    ['in a field name', `GET / HTTP/1.1\r\n${HOST}X\rY: a\r\n\r\n`],
    ['in a field value', `GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`],
    ['in place of a line end', `GET / HTTP/1.1\r\n${HOST}X: a\rY: b\r\n\r\n`],
    ['in place of the empty line', `GET / HTTP/1.1\r\n${HOST}\r${get}`],
  ])('[9112-2.2/3] refuses a bare CR %s', (_where, text) => refused(text, 400));
  it('[9112-2.2/3] refuses a bare CR in the line of a chunk', () => {
    const outcome = trServer(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\rab\r\n0\r\n\r\n`);
    expect([statuses(outcome.got), outcome.errors]).toEqual([[400], ['bare-cr']]);
  });
  it.each([' X: a\r\n', '\tX: a\r\n', ' \r\n'])('[9112-2.2/7] refuses white space before the first field: %j', (line) =>
    refused(`GET / HTTP/1.1\r\n${line}${HOST}\r\n`, 400),
  );
});

describe('request line and Host (RFC 9112 §3)', () => {
  it('[9112-3/1] answers a target that is too long with 414', () => {
    const outcome = trServer(`GET /${'a'.repeat(40)} HTTP/1.1\r\n${HOST}\r\n`, ok, { limits: { target: 32 } });
    expect([statuses(outcome.got), outcome.seen, outcome.ended]).toEqual([[414], [], true]);
  });
  it.each([
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', `GET / HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`],
    ['two Hosts that agree', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    ['two Hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}Host: b\r\n\r\n`],
    ['a list of Hosts', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['a Host with userinfo', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n'],
    ['a Host with a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n'],
    ['no Host beside an absolute target', 'GET http://a/ HTTP/1.1\r\n\r\n'],
  ])('[9112-3.2/4] answers %s with 400', (_what, text) => refused(text, 400));
  it('[9112-3.2.2/6] accepts the absolute form', () => {
    const outcome = trServer(`GET http://example.org/x?y HTTP/1.1\r\nHost: example.org\r\n\r\n`);
    expect([outcome.got, outcome.seen]).toEqual([OK, ['GET http://example.org/x?y ']]);
  });
});

describe('status line and fields (RFC 9112 §4, §5)', () => {
  it('[9112-4/1] keeps the space when there is no reason', () => {
    const outcome = trServer(get, (_request, response) => {
      response.writeHead(299);
      response.end();
    });
    expect(outcome.got.startsWith('HTTP/1.1 299 \r\n')).toBe(true);
  });
  it.each(['Host : a', 'Host\t: a', 'X : a', 'X \t : a'])('[9112-5.1/1] refuses %j', (line) =>
    refused(`GET / HTTP/1.1\r\n${line}\r\n${line.startsWith('X') ? HOST : ''}\r\n`, 400),
  );
  it.each([' folded', '\tfolded', ' '])('[9112-5.2/2] refuses a folded line: %j', (line) => {
    refused(`GET / HTTP/1.1\r\n${HOST}X: a\r\n${line}\r\n\r\n`, 400);
    expect(trServer(`GET / HTTP/1.1\r\n${HOST}X: a\r\n${line}\r\n\r\n`).got).toContain('obs-fold');
  });
  it('[9112-5.2/2] or makes one space of it, where the policy says so', () => {
    const text = `GET / HTTP/1.1\r\n${HOST}X: a \t\r\n \t b\r\n\tc\r\n  \r\nY:\r\n d\r\n\r\n`;
    const told: OnRequest = (request, response) =>
      response.end(bytesOf(`${request.headers.get('x')}|${request.headers.get('y')}`));
    expect(trServer(text, told, { policy: { fold: true } }).got.endsWith('\r\n\r\na b c|d')).toBe(true);
  });
  it('[9112-2.2/2] [9112-2.2/6] [9112-5.2/1] sends no fold, no bare CR and no white space of its own', () => {
    const bad = ['a\r\nb', 'a\rb', 'a\nb', 'a\r\n b', 'a\0b'];
    const outcome = trServer(get, (_request, response) => {
      for (const value of bad) {
        expect(() => response.writeHead(200, { X: value })).toThrow(TypeError);
        expect(() => response.writeHead(200, null, value)).toThrow(TypeError);
        expect(() => response.writeInformational(103, { X: value })).toThrow(TypeError);
        expect(() => response.setTrailers({ X: value })).toThrow(TypeError);
      }
      expect(() => response.writeHead(200, { ' X': 'a' })).toThrow(TypeError);
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe(OK);
  });
});

const CHUNKED = 'Transfer-Encoding: chunked\r\n';

describe('framing of requests (RFC 9112 §6)', () => {
  it('[9112-6.1/1] [9112-7.1/1] reads chunked content', () => {
    const outcome = trServer(`POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n${get}`);
    expect([outcome.seen, outcome.got]).toEqual([['POST / abc0123456789', 'GET / '], OK + OK]);
  });
  it.each([
    ['lengths beside chunked', `${CHUNKED}Content-Length: 3\r\n`],
    ['lengths before chunked', `Content-Length: 0\r\n${CHUNKED}`],
  ])('[9112-6.1/9] refuses %s and closes', (_what, fields) => refused(`POST / HTTP/1.1\r\n${HOST}${fields}\r\n`, 400));
  it('[9112-6.1/9] closes after the answer also where the policy lets chunked win', () => {
    const text = `POST / HTTP/1.1\r\n${HOST}${CHUNKED}Content-Length: 3\r\n\r\n0\r\n\r\n${get}`;
    const outcome = trServer(text, ok, { policy: { chunkedOverLength: true } });
    expect([outcome.seen, statuses(outcome.got), outcome.ended]).toEqual([['POST / '], [200], true]);
    expect(outcome.got).toContain('\r\nConnection: close\r\n');
  });
  it.each(['', 'Content-Length: 3\r\n', 'Connection: keep-alive\r\n'])(
    '[9112-6.1/10] refuses Transfer-Encoding in HTTP/1.0, with %j, and closes',
    (more) => refused(`POST / HTTP/1.0\r\n${HOST}${CHUNKED}${more}\r\n0\r\n\r\n`, 400),
  );
  it.each([
    'gzip',
    'identity',
    'chunked, gzip',
    'chunked, identity',
    'chunked;a=b',
    'xchunked',
    'chunked,chunked',
    ',',
  ])('[9112-6.3/3] refuses Transfer-Encoding: %s, and closes', (value) =>
    refused(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n${get}`, 400),
  );
  it.each(['+5', '-1', '0x5', '5 5', '5,6', '5,', '', 'a', '5.0', '1e3', '99999999999999999999', '\xb2'])(
    '[9112-6.3/4] [9112-6.3/5] [9110-8.6/5] refuses Content-Length: %j, and closes',
    (value) => refused(`POST / HTTP/1.1\r\n${HOST}Content-Length: ${value}\r\n\r\nhello${get}`, 400),
  );
  it('[9112-6.3/4] refuses lengths that differ in two lines', () => {
    refused(`POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 400);
  });
  it.each(['Content-Length: 5, 5\r\n', 'Content-Length: 5\r\nContent-Length: 5\r\n'])(
    '[9112-6.3/4] takes one number that is said twice: %j',
    (fields) => {
      expect(trServer(`POST / HTTP/1.1\r\n${HOST}${fields}\r\nhello`).seen).toEqual(['POST / hello']);
    },
  );
});

describe('chunks (RFC 9112 §7.1)', () => {
  it.each(['10000000000000000', 'fffffffffffffffff', '20000000000000', '00000000000000001'])(
    '[9112-7.1/2] refuses the size %s, which others would count differently',
    (size) => {
      const outcome = trServer(`POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${size}\r\na`);
      expect([statuses(outcome.got), outcome.errors]).toEqual([[400], ['bad-chunk-size']]);
    },
  );
  it.each(['1;a', '1;a=b', '1;a="b;\\"c"', '1;a;b=c', '1 ;a', '1 ; a = b'])(
    '[9112-7.1.1/1] [9110-5.6.3/2] ignores the extension of %j',
    (line) => {
      const outcome = trServer(`POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${line}\r\nx\r\n0\r\n\r\n`);
      expect([outcome.seen, outcome.got]).toEqual([['POST / x'], OK]);
    },
  );
  it('[9112-7.1.2/1] [9112-7.1.2/2] [9110-6.5.1/2] keeps trailers apart from the header fields', () => {
    const text = `POST / HTTP/1.1\r\n${HOST}X: h\r\n${CHUNKED}\r\n1\r\na\r\n0\r\nX: t\r\nHost: evil\r\n\r\n`;
    const outcome = trServer(text, (request, response) => {
      request.onEnd = () => response.end(bytesOf(`${request.headers.get('x')} ${request.headers.get('host')}`));
    });
    expect([outcome.seen, outcome.got.endsWith('\r\n\r\nh a')]).toEqual([['POST / a X=t Host=evil'], true]);
  });
});

describe('framing of responses (RFC 9112 §6)', () => {
  const TE = { 'Transfer-Encoding': 'chunked' };
  const CL = { 'Content-Length': '3' };
  it.each([[TE], [CL]])('[9112-6.1/5] [9110-8.6/3] sends no framing fields in 204 and 1xx: %j', (fields) => {
    const outcome = trServer(get, (_request, response) => {
      response.writeInformational(103, fields);
      response.writeHead(204, fields);
      response.end();
    });
    expect(outcome.got).toBe('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
  });
  it.each([[TE], [CL]])('[9112-6.1/6] [9110-8.6/4] [9110-9.3.6/4] nor in the 2xx to CONNECT: %j', (fields) => {
    const outcome = trServer(`CONNECT b:1 HTTP/1.1\r\n${HOST}\r\n`, (_request, response) => {
      response.handOver(200, fields, (stream) => stream.shutdown());
    });
    expect([outcome.got, outcome.ended]).toEqual(['HTTP/1.1 200 OK\r\n\r\n', true]);
  });
  it('[9112-6.1/8] sends chunked to HTTP/1.1 only; HTTP/1.0 gets the end of the connection', () => {
    const stream: OnRequest = (_request, response) => {
      response.writeHead(200, TE);
      response.write(bytesOf('a'));
      response.end(bytesOf('b'));
    };
    expect(trServer(get, stream).got).toBe(
      `HTTP/1.1 200 OK\r\n${'Transfer-Encoding: chunked'}\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n`,
    );
    const old = trServer('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', stream);
    expect(old).toMatchObject({ got: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab', ended: true });
  });
  it.each([
    [{ ...TE, ...CL }, '[9112-6.2/1] Content-Length beside Transfer-Encoding'],
    [{ 'Transfer-Encoding': 'chunked, chunked' }, '[9112-6.1/2] chunked twice'],
    [{ 'Transfer-Encoding': ['chunked', 'chunked'] }, '[9112-6.1/2] chunked in two lines'],
    [{ 'Transfer-Encoding': 'gzip' }, '[9112-6.1/4] a coding without chunked behind it'],
    [{ 'Transfer-Encoding': 'chunked, gzip' }, '[9112-6.1/4] chunked before another coding'],
    [{ 'Content-Length': 'a' }, '[9110-8.6/6] [9110-8.6/7] a length that is none'],
    [{ 'Content-Length': '1, 2' }, '[9110-8.6/7] two lengths'],
  ] as [Record<string, string | string[]>, string][])('%j cannot be sent: %s', (fields) => {
    const outcome = trServer(get, (_request, response) => {
      expect(() => response.writeHead(200, fields)).toThrow(TypeError);
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe(OK);
  });
  it('[9110-8.6/6] a response that does not keep its length breaks the connection', () => {
    const outcome = trServer(get + get, (_request, response) => {
      response.writeHead(200, { 'Content-Length': '3' });
      expect(() => response.write(bytesOf('abcd'))).toThrow(RangeError);
      response.end(bytesOf('ab'));
    });
    expect([outcome.seen.length, outcome.ended]).toEqual([1, true]);
  });
  it('[9110-8.6/7] a length said twice is sent once', () => {
    const outcome = trServer(get, (_request, response) => {
      response.writeHead(200, { 'Content-Length': '2, 2' });
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe(OK);
  });
});

describe('connections (RFC 9112 §9)', () => {
  it('[9112-9.3/3] reads the content of a request that is answered early', () => {
    const outcome = trServer(
      `POST / HTTP/1.1\r\n${HOST}Content-Length: ${get.length}\r\n\r\n${get}${get}`,
      (_r, response) => response.end(bytesOf('ok')),
    );
    expect([outcome.seen.map((line) => line.split(' ')[0]), outcome.got]).toEqual([['POST', 'GET'], OK + OK]);
  });
  it('[9112-9.3/3] or closes, when there is too much of it', () => {
    const text = `POST / HTTP/1.1\r\n${HOST}Content-Length: 999\r\n\r\n${get}${get}`;
    const outcome = trServer(
      text,
      (request, response) => {
        request.pause();
        response.end(bytesOf('ok'));
      },
      { limits: { discard: 10 } },
    );
    expect([outcome.seen.length, statuses(outcome.got), outcome.ended]).toEqual([1, [200], true]);
  });
  it('[9112-9.3.2/1] answers in the order of the requests, also when a later handler would be faster', () => {
    const held: (() => void)[] = [];
    const outcome = trServer(`${get}GET /2 HTTP/1.1\r\n${HOST}\r\n`, (request, response) => {
      const answer = (): void => response.end(bytesOf(request.target));
      if (request.target === '/') held.push(answer);
      else answer();
      if (held.length === 1) held.pop()!();
    });
    expect(outcome.got.replace(/HTTP.*?\r\n\r\n/gs, '')).toBe('//2');
  });
  it.each(['close', 'Close', 'x, close', 'close, keep-alive'])(
    '[9112-9.6/2] [9112-9.6/3] [9112-9.6/4] closes after the answer to Connection: %s, and reads no further',
    (value) => {
      const outcome = trServer(`GET / HTTP/1.1\r\n${HOST}Connection: ${value}\r\n\r\n${get}`);
      expect([outcome.seen.length, outcome.ended]).toEqual([1, true]);
      expect(outcome.got).toBe('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
    },
  );
  it('[9112-9.6/4] closes when the handler said close', () => {
    const outcome = trServer(get + get, (_request, response) => {
      response.writeHead(200, { Connection: 'close' });
      response.end();
    });
    expect([outcome.seen.length, outcome.ended]).toEqual([1, true]);
  });
  it('[9112-9.3/2] says close in the last answer of a connection that has a limit of requests', () => {
    const outcome = trServer(get + get + get, ok, { limits: { requests: 2 } });
    expect([outcome.seen.length, outcome.ended]).toEqual([2, true]);
    expect(outcome.got.split('Connection: close').length).toBe(2);
  });
});
