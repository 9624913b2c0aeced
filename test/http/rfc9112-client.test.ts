// RFC 9112, requirement by requirement, as they bind a client; a title starts with the requirements it holds.

import { describe, expect, it } from 'vitest';
import { HttpClientStream, type RequestInit } from '../../src/http/client.ts';
import { trClient } from './conversation.ts';
import { MemoryPair } from './memory-stream.ts';
import { bytesOf } from './tr.ts';

const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** What goes out for `init`. */
function sent(init: Partial<RequestInit>): string {
  return trClient(init, EMPTY).sent;
}

/** Whether `init` can be sent at all. */
function refusal(init: Partial<RequestInit>): unknown {
  const { a } = new MemoryPair();
  const none = { onResponse: () => {}, onData: () => {}, onEnd: () => {}, onError: () => {} };
  try {
    new HttpClientStream(a).request({ target: '/', headers: { Host: 'a' }, ...init }, none);
  } catch (error) {
    return [(error as Error).name, a.sentTotal];
  }
  return null;
}

const REFUSED = ['TypeError', 0];

describe('requests (RFC 9112 §2, §3)', () => {
  it('[9112-2.2/4] [9112-2.2/5] sends no octet before a request and none behind its content', () => {
    const body = bytesOf('a\r\n');
    expect(sent({ method: 'POST', body })).toBe('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na\r\n');
    expect(sent({})).toBe('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });
  it.each([
    [{ headers: {} }, 'no Host'],
    [{ target: 'http://a/', headers: {} }, 'no Host beside an absolute target'],
    [{ headers: { Host: ['a', 'a'] } }, 'two Hosts'],
    [{ headers: { Host: 'u@a' } }, 'a Host with userinfo'],
    [{ headers: { Host: 'a/b' } }, 'a Host with a path'],
  ] as [Partial<RequestInit>, string][])('[9112-3.2/1] [9112-3.2.2/2] [9110-7.2/1] cannot send %j: %s', (init) =>
    expect(refusal(init)).toEqual(REFUSED),
  );
  it('[9112-3.2/3] sends an empty Host where the target has no authority', () => {
    expect(sent({ headers: { Host: '' } })).toBe('GET / HTTP/1.1\r\nHost: \r\n\r\n');
  });
  it.each([
    [{ target: 'a' }, 'a relative target'],
    [{ target: '' }, 'no target'],
    [{ target: '*' }, '[9110-7.1/1] an asterisk with GET'],
    [{ target: 'a:80' }, '[9110-7.1/1] an authority with GET'],
    [{ target: '/#a' }, 'a fragment'],
    [{ target: '/ x' }, 'white space'],
    [{ target: 'http:///x' }, '[9110-4.2.1/1] an empty host'],
    [{ target: 'https:///x' }, '[9110-4.2.2/1] an empty host'],
    [{ target: 'http://u@a/x' }, '[9110-4.2.4/1] userinfo'],
  ])('[9112-3.2.1/1] cannot send %j: %s', (init) => expect(refusal(init)).toEqual(REFUSED));
  it('[9112-3.2.2/1] sends the absolute form, for proxies', () => {
    expect(sent({ target: 'http://a/b?c' })).toBe('GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n');
  });
  it.each(['/', 'a', 'http://a:1/', 'a:', 'a:0', ':1'])(
    '[9112-3.2.3/1] [9110-9.3.6/1] cannot send CONNECT %s: it takes a host and a port',
    (target) => expect(refusal({ method: 'CONNECT', target })).toEqual(REFUSED),
  );
  it('[9112-3.2.3/1] sends CONNECT with host and port', () => {
    const outcome = trClient({ method: 'CONNECT', target: 'b:443', headers: { Host: 'b:443' } }, EMPTY, { fin: true });
    expect(outcome.sent).toBe('CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n');
  });
  it('[9112-3.2.4/1] asks for the server as a whole with an asterisk', () => {
    expect(sent({ method: 'OPTIONS', target: '*' })).toBe('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
  });
  it.each(['a\rb', 'a\nb', 'a\r\n b', 'a\0b'])(
    '[9112-2.2/2] [9112-2.2/6] [9112-5.2/1] cannot send the value %j',
    (value) => {
      expect(refusal({ headers: { Host: 'a', X: value } })).toEqual(REFUSED);
      expect(refusal({ headers: { Host: 'a', [value]: 'x' } })).toEqual(REFUSED);
    },
  );
});

describe('answers (RFC 9112 §2.2, §5.2)', () => {
  it('[9112-2.2/3] does not take a bare CR', () => {
    for (const text of ['HTTP/1.1 200 O\rK\r\n\r\n', 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n', 'HTTP/1.1 200 OK\r\r\n']) {
      expect(trClient({}, text)).toMatchObject({ ended: true, fields: [] });
    }
  });
  it('[9112-2.2/7] does not take white space before the first field', () => {
    expect(trClient({}, `HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n`).events).toEqual(['error obs-fold']);
  });
  it('[9112-5.2/4] makes one space of a fold', () => {
    const text = 'HTTP/1.1 200 OK\r\nX: a\t\r\n  b\r\n\tc\r\nContent-Length:\r\n 0\r\n\r\n';
    expect(trClient({}, text)).toMatchObject({
      events: ['200 OK', 'end'],
      fields: [
        ['X', 'a b c'],
        ['Content-Length', '0'],
      ],
    });
  });
});

describe('framing (RFC 9112 §6, §7)', () => {
  const TE = 'Transfer-Encoding: chunked\r\n';
  it('[9112-6.1/1] [9112-7.1/1] [9112-7.1.1/1] reads chunked answers', () => {
    const text = `HTTP/1.1 200 OK\r\n${TE}\r\n2;x="y"\r\nab\r\n01\r\nc\r\n0\r\nX: t\r\n\r\n`;
    expect(trClient({}, text)).toMatchObject({ body: 'abc', trailers: [['X', 't']], events: ['200 OK', 'end'] });
  });
  it('[9112-7.1.2/1] [9112-7.1.2/2] [9110-6.5.1/2] keeps trailers apart from the header fields', () => {
    const { fields } = trClient({}, `HTTP/1.1 200 OK\r\n${TE}\r\n0\r\nX: t\r\n\r\n`);
    expect(fields).toEqual([['Transfer-Encoding', 'chunked']]);
  });
  it.each([
    [{ 'Transfer-Encoding': 'chunked, chunked' }, '[9112-6.1/2] chunked twice'],
    [{ 'Transfer-Encoding': 'gzip' }, '[9112-6.1/3] a coding without chunked'],
    [{ 'Transfer-Encoding': 'chunked', 'Content-Length': '1' }, '[9112-6.2/1] both framings'],
    [{ 'Content-Length': '2' }, '[9112-6.3/9] a length that is wrong'],
    [{ 'Content-Length': 'x' }, '[9112-6.3/9] a length that is none'],
  ] as [Record<string, string>, string][])('cannot send content with %j: %s', (fields) =>
    expect(refusal({ method: 'POST', headers: { Host: 'a', ...fields }, body: bytesOf('a') })).toEqual(REFUSED),
  );
  it('[9112-6.3/9] tells the length of content, or sends it chunked', () => {
    expect(sent({ method: 'PUT', body: bytesOf('ab') })).toContain('\r\nContent-Length: 2\r\n');
    const { a, b } = new MemoryPair();
    const none = { onResponse: () => {}, onData: () => {}, onEnd: () => {}, onError: () => {} };
    const init: RequestInit = { method: 'PUT', target: '/', headers: { Host: 'a' }, body: 'stream' };
    new HttpClientStream(a).request(init, none).end(bytesOf('ab'));
    expect([a.sentTotal > 0, b.readable]).toEqual([true, 0]);
    expect(new TextDecoder().decode(a.outbox)).toContain('\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n');
  });
  it.each([TE, 'Content-Length: 5\r\n'])(
    '[9112-6.3/1] [9110-9.3.6/5] ignores %j in the 2xx to CONNECT: what follows is the tunnel',
    (fields) => {
      const got: string[] = [];
      const init = { method: 'CONNECT', target: 'b:1', headers: { Host: 'b:1' } };
      const outcome = trClient(init, `HTTP/1.1 200 OK\r\n${fields}\r\n`, {
        take: (stream) => got.push(`${stream.readable}`),
      });
      expect([outcome.events, new Set(got)]).toEqual([['handed over 200'], new Set(['0'])]);
    },
  );
  it('[9112-6.1/10] takes no Transfer-Encoding in HTTP/1.0', () => {
    const outcome = trClient({}, `HTTP/1.0 200 OK\r\n${TE}\r\n0\r\n\r\n`);
    expect(outcome).toMatchObject({ events: ['error transfer-encoding-in-http-1.0'], ended: true });
  });
  it.each(['+5', 'a', '5,6', '', '99999999999999999999'])(
    '[9112-6.3/4] [9112-6.3/7] [9110-8.6/5] drops an answer with Content-Length: %j and closes',
    (value) => {
      const outcome = trClient({}, `HTTP/1.1 200 OK\r\nContent-Length: ${value}\r\n\r\nhello`);
      expect(outcome).toMatchObject({ body: '', fields: [], ended: true, reusable: false });
      expect(outcome.events[0]).toMatch(/^error (?:bad|different|length)/);
    },
  );
  it('[9112-6.3/4] takes one number that is said twice', () => {
    expect(trClient({}, 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab').body).toBe('ab');
  });
  it.each(['10000000000000000', '20000000000000'])('[9112-7.1/2] does not take a chunk of %s octets', (size) => {
    const outcome = trClient({}, `HTTP/1.1 200 OK\r\n${TE}\r\n${size}\r\na`);
    expect(outcome).toMatchObject({ events: ['200 OK', 'error bad-chunk-size'], ended: true });
  });
  it.each([
    ['in a head', 'HTTP/1.1 200 OK\r\nX', 'error incomplete-message'],
    ['before a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab', 'error incomplete-message'],
    ['in a chunk', `HTTP/1.1 200 OK\r\n${TE}\r\n3\r\nab`, 'error incomplete-message'],
    ['before the last chunk', `HTTP/1.1 200 OK\r\n${TE}\r\n2\r\nab\r\n`, 'error incomplete-message'],
    ['in the trailers', `HTTP/1.1 200 OK\r\n${TE}\r\n0\r\nX: a\r\n`, 'error incomplete-message'],
    ['before an answer', '', 'error ECONNRESET'],
  ])('[9112-6.3/8] [9112-8/1] knows that an answer that ends %s is incomplete', (_where, text, event) => {
    expect(trClient({}, text, { fin: true }).events.at(-1)).toBe(event);
  });
  it('[9112-6.3/11] [9112-9.2/2] takes nothing behind an answer for another answer', () => {
    const outcome = trClient({}, `${EMPTY}${EMPTY}`);
    expect(outcome).toMatchObject({ events: ['200 OK', 'end'], ended: true, reusable: false });
  });
  it('[9112-9.2/2] nor what comes while nothing was asked', () => {
    const pair = new MemoryPair();
    const client = new HttpClientStream(pair.a);
    pair.b.send(bytesOf(EMPTY), 0, EMPTY.length);
    pair.run();
    expect([client.reusable, pair.a.aborted]).toEqual([false, true]);
  });
});

describe('fields for the connection (RFC 9112 §7.4, RFC 9110 §7.6.1)', () => {
  it.each(['chunked', 'trailers, Chunked'])('[9112-7.4/1] cannot send TE: %s', (value) =>
    expect(refusal({ headers: { Host: 'a', TE: value } })).toEqual(REFUSED),
  );
  it.each([
    [{ TE: 'trailers' }, 'TE'],
    [{ TE: 'trailers', Connection: 'keep-alive' }, 'keep-alive, TE'],
    [{ Upgrade: 'x' }, 'Upgrade'],
    [{ Upgrade: 'x', TE: 'trailers' }, 'Upgrade, TE'],
    [{ 'Keep-Alive': 'timeout=5' }, 'keep-alive'],
    [{ Upgrade: 'x', Connection: 'upgrade' }, 'upgrade'],
  ])('[9112-7.4/2] [9110-7.6.1/1] [9110-7.8/5] [9110-10.1.4/1] %j is listed in Connection', (fields, connection) => {
    const lines = sent({ headers: { Host: 'a', ...fields } }).split('\r\n');
    expect(lines.filter((line) => line.startsWith('Connection'))).toEqual([`Connection: ${connection}`]);
  });
});

describe('connections (RFC 9112 §9)', () => {
  it('[9112-9.2/1] has one request under way and gives it every answer up to the final one', () => {
    const outcome = trClient({}, `HTTP/1.1 103 Early Hints\r\n\r\n${EMPTY}`);
    expect([outcome.events, outcome.reusable]).toEqual([['info 103', '200 OK', 'end'], true]);
  });
  it('[9112-9.3/4] cannot be used again before the answer was read', () => {
    expect(trClient({}, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab')).toMatchObject({ reusable: false });
    expect(trClient({}, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')).toMatchObject({ reusable: true });
  });
  it('[9112-9.6/1] closes behind a request that says close', () => {
    const outcome = trClient({ headers: { Host: 'a', Connection: 'close' } }, EMPTY);
    expect(outcome).toMatchObject({ events: ['200 OK', 'end'], reusable: false, ended: true });
  });
  it.each(['close', 'x, Close'])('[9112-9.6/5] closes behind an answer that says %s', (value) => {
    const outcome = trClient({}, `HTTP/1.1 200 OK\r\nConnection: ${value}\r\nContent-Length: 0\r\n\r\n`);
    expect(outcome).toMatchObject({ events: ['200 OK', 'end'], reusable: false, ended: true });
  });
});
