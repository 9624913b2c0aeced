// RFC 9110, requirement by requirement, as they bind an HTTP/1.1 endpoint; a title starts with those it holds.

import { describe, expect, it } from 'vitest';
import { HttpClientStream, type RequestInit } from '../../src/http/client.ts';
import { HttpServerStream } from '../../src/http/server.ts';
import { drain, type OnRequest, ok, put, trClient, trServer } from './conversation.ts';
import { MemoryPair } from './memory-stream.ts';
import { bytesOf } from './tr.ts';

const HOST = 'Host: a\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const get = `GET / HTTP/1.1\r\n${HOST}\r\n`;

function statuses(got: string): number[] {
  return [...got.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map((m) => Number(m[1]));
}

/** What cannot be sent, and that nothing of it was. */
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

describe('targets (RFC 9110 §4.2, §7.1)', () => {
  it.each(['http:///a', 'http://:80/', 'http://?q'])('[9110-4.2.1/2] refuses %s: no host', (target) =>
    expect(statuses(trServer(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`).got)).toEqual([400]),
  );
  it.each(['https:///a', 'https://:443/'])('[9110-4.2.2/2] refuses %s: no host', (target) =>
    expect(statuses(trServer(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`).got)).toEqual([400]),
  );
  it.each(['GET *', 'POST *', 'GET a:80', 'OPTIONS a:80'])('[9110-7.1/1] refuses %s', (line) =>
    expect(statuses(trServer(`${line} HTTP/1.1\r\n${HOST}\r\n`).got)).toEqual([400]),
  );
});

describe('fields (RFC 9110 §5)', () => {
  it('[9110-5.3/1] keeps the order of lines with one name, as read and as sent', () => {
    const outcome = trServer(`GET / HTTP/1.1\r\n${HOST}X: 2\r\nY: a\r\nx: 1\r\n\r\n`, (request, response) => {
      response.writeHead(200, [...request.headers].slice(1));
      response.end();
    });
    expect(outcome.got).toBe('HTTP/1.1 200 OK\r\nX: 2\r\nY: a\r\nx: 1\r\nContent-Length: 0\r\n\r\n');
  });
  it('[9110-5.3/3] shows no request to a handler before its head is complete', () => {
    const text = get.slice(0, -2);
    expect(trServer(text).seen).toEqual([]);
    expect(trServer(`${text}\r\n`).seen).toEqual(['GET / ']);
  });
  it.each([
    ['a line', { head: 64 }, `X: ${'a'.repeat(64)}\r\n`, 431],
    ['all of them', { head: 64 }, 'X: a\r\n'.repeat(20), 431],
    ['their number', { fields: 3 }, 'X: a\r\n'.repeat(4), 431],
  ])('[9110-5.4/1] answers 431 when %s is too much', (_what, limits, fields, status) => {
    const outcome = trServer(`GET / HTTP/1.1\r\n${HOST}${fields}\r\n`, ok, { limits });
    expect([statuses(outcome.got), outcome.seen]).toEqual([[status], []]);
  });
  it('[9110-5.5/1] takes off the white space around a value', () => {
    const outcome = trServer(`GET / HTTP/1.1\r\n${HOST}X: \t a b\t \r\nY:\r\n\r\n`, (request, response) =>
      response.end(bytesOf(`[${request.headers.get('x')}][${request.headers.get('y')}]`)),
    );
    expect(outcome.got.endsWith('[a b][]')).toBe(true);
  });
  it.each(['\0', '\r', '\n', 'a\0b', '\x01', '\x7f'])('[9110-5.5/2] refuses %j in a value', (value) => {
    const outcome = trServer(`GET / HTTP/1.1\r\n${HOST}X: ${value}\r\n\r\n`);
    expect([statuses(outcome.got), outcome.seen]).toEqual([[400], []]);
  });
  it.each([', close', 'close ,,', ' , ,close', 'x,,\t,close'])(
    '[9110-5.6.1.2/1] [9110-5.6.1.2/2] reads the list %j',
    (list) => expect(trServer(`GET / HTTP/1.1\r\n${HOST}Connection: ${list}\r\n\r\n`).ended).toBe(true),
  );
  it.each([
    ['Transfer-Encoding', ',chunked,', '0\r\n\r\n'],
    ['Transfer-Encoding', 'chunked ,, ', '0\r\n\r\n'],
  ])('[9110-5.6.1.2/1] reads %s: %j', (name, value, body) =>
    expect(trServer(`POST / HTTP/1.1\r\n${HOST}${name}: ${value}\r\n\r\n${body}`).got).toBe(OK),
  );
  it('[9110-5.6.3/1] sends one space behind the colon and no other', () => {
    expect(
      trClient(
        {
          headers: [
            ['Host', 'a'],
            ['X', 'b'],
          ],
        },
        EMPTY,
      ).sent,
    ).toBe('GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n');
  });
  it('[9110-5.6.4/1] reads a quoted pair as what stands behind the backslash', () => {
    const chunk = '1;a="\\"\\\\;\r\n';
    const text = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
    expect(statuses(trServer(`${text}${chunk}`).got)).toEqual([400]);
    expect(trServer(`${text}${chunk.replace(';\r', '"\r')}x\r\n0\r\n\r\n`).seen).toEqual(['POST / x']);
  });
});

describe('messages (RFC 9110 §2, §6)', () => {
  it('[9110-2.3/1] reads what it can write: a head of the greatest size', () => {
    const value = 'v'.repeat(8000);
    const { sent } = requestOf({ headers: { Host: 'a', X: value } });
    const pair = conversation(sent);
    expect(pair).toBe(OK);
  });
  it('[9110-6/1] reads an answer by the request: none has content after HEAD', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    expect(trClient({ method: 'HEAD' }, text)).toMatchObject({ events: ['200 OK', 'end'], reusable: true });
    expect(trClient({ method: 'GET' }, text)).toMatchObject({ events: ['200 OK'] });
  });
  it('[9110-6.2/1] [9110-6.2/2] says HTTP/1.1, to HTTP/1.0 too', () => {
    expect(trClient({}, EMPTY).sent.startsWith('GET / HTTP/1.1\r\n')).toBe(true);
    expect(trServer('GET / HTTP/1.0\r\n\r\n').got.startsWith('HTTP/1.1 200 ')).toBe(true);
  });
  it.each([
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Trailer',
    'Connection',
    'Set-Cookie',
    'Content-Type',
    'TE',
    'Authorization',
  ])('[9110-6.5.1/1] sends no %s as trailer', (name) => {
    const outcome = trServer(get, (_request, response) => {
      expect(() => response.setTrailers({ [name]: '1' })).toThrow(TypeError);
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe(OK);
    const { a } = new MemoryPair();
    const none = { onResponse: () => {}, onData: () => {}, onEnd: () => {}, onError: () => {} };
    const exchange = new HttpClientStream(a).request(
      { target: '/', method: 'PUT', headers: { Host: 'a' }, body: 'stream' },
      none,
    );
    expect(() => exchange.end(null, { [name]: '1' })).toThrow(TypeError);
  });
  it('[9110-6.6.1/1] dates every answer when there is a clock, refusals too, and leaves a date that is there', () => {
    const date = (): string => 'Fri, 02 Jan 2026 03:04:05 GMT';
    const line = `\r\nDate: ${date()}\r\n`;
    expect(trServer(get, ok, { date }).got).toContain(line);
    expect(trServer(`GET / HTTP/1.1\r\n\r\n`, ok, { date }).got).toContain(line);
    expect(
      trServer(`CONNECT b:1 HTTP/1.1\r\n${HOST}\r\n`, (_r, response) => response.handOver(200, null, () => {}), {
        date,
      }).got,
    ).toContain(line);
    const own = trServer(
      get,
      (_r, response) => {
        response.writeHead(200, { Date: 'x' });
        response.end();
      },
      { date },
    );
    expect(own.got.match(/Date: .*/g)).toEqual(['Date: x']);
  });
  it('[9110-6.6.1/2] sends no date without a clock', () => {
    expect(trServer(get).got).not.toContain('Date');
  });
});

describe('Upgrade (RFC 9110 §7.8, §15.2.2)', () => {
  const ask = `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: a/1, B\r\n\r\n`;
  const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: b\r\nConnection: Upgrade\r\n\r\n';
  const upgrade: OnRequest = (_request, response) =>
    response.handOver(101, { Upgrade: 'b' }, (stream) => {
      const echo = (): void => {
        put(stream, drain(stream).toUpperCase());
        if (stream.ended) stream.shutdown();
      };
      stream.handler = { onReadable: echo };
      echo();
    });

  it("[9110-7.8/1] [9110-7.8/5] [9110-15.2.2/1] 101 names the protocol, and the octets behind the request are the program's", () => {
    expect(trServer(`${ask}hello`, upgrade).got).toBe(`${SWITCHED}HELLO`);
  });
  it('[9110-7.8/1] [9110-15.2.2/1] 101 without a protocol cannot be sent', () => {
    const outcome = trServer(ask, (_request, response) => {
      expect(() => response.handOver(101, null, () => {})).toThrow(TypeError);
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe(OK);
  });
  it.each(['c', 'a', 'b, c'])('[9110-7.8/2] switches to no protocol that was not asked for: %s', (protocol) => {
    const outcome = trServer(ask, (_request, response) => {
      expect(() => response.handOver(101, { Upgrade: protocol }, () => {})).toThrow(TypeError);
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe(OK);
  });
  it('[9110-7.8/5] lists Upgrade in Connection wherever it is sent', () => {
    const outcome = trServer(get, (_request, response) => {
      response.writeHead(426, { Upgrade: 'b' });
      response.end();
    });
    expect(outcome.got).toContain('\r\nConnection: Upgrade\r\n');
  });
  it.each([
    ['[9110-7.8/6] in HTTP/1.0', ask.replace('1.1', '1.0')],
    ['without the connection option', ask.replace('Connection: Upgrade\r\n', '')],
  ])('ignores Upgrade %s', (_why, text) => {
    const outcome = trServer(text, (request, response) => {
      expect(request.upgrade).toEqual([]);
      expect(() => response.handOver(101, { Upgrade: 'b' }, () => {})).toThrow(TypeError);
      response.end(bytesOf('ok'));
    });
    expect(statuses(outcome.got)).toEqual([200]);
  });
  it('[9110-7.8/7] sends 100 before 101 to who expects it, and switches behind the content', () => {
    const text = ask
      .replace('GET', 'POST')
      .replace('\r\n\r\n', '\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    const outcome = trServer(`${text}hi`, (request, response) => {
      expect(request.expectsContinue).toBe(true);
      upgrade(request, response);
    });
    expect([outcome.seen, outcome.got]).toEqual([['POST / hi'], `HTTP/1.1 100 Continue\r\n\r\n${SWITCHED}`]);
  });
  it('a client is handed the stream with what came behind 101', () => {
    let tail = '';
    const init = { headers: { Host: 'a', Upgrade: 'b' } };
    const outcome = trClient(init, `${SWITCHED}xyz`, {
      take: (stream) => {
        tail = drain(stream);
        stream.handler = {
          onReadable: () => {
            tail += drain(stream);
          },
        };
      },
    });
    expect([outcome.events, tail]).toEqual([['handed over 101'], 'xyz']);
  });
  it.each([
    ['not asked for', {}, SWITCHED],
    ['another one', { Upgrade: 'c' }, SWITCHED],
    ['none named', { Upgrade: 'b' }, 'HTTP/1.1 101 x\r\n\r\n'],
    ['in HTTP/1.0', { Upgrade: 'b' }, SWITCHED.replace('1.1', '1.0')],
  ])('a client does not switch to a protocol %s', (_why, fields, text) => {
    const outcome = trClient({ headers: { Host: 'a', ...fields } }, text, { take: () => {} });
    expect(outcome).toMatchObject({ events: ['error unexpected-upgrade'], ended: true });
  });
});

describe('content (RFC 9110 §8.6, §9.3)', () => {
  it('[9110-8.6/1] [9110-9.3.2/1] answers HEAD with no content and with the length that GET would have', () => {
    const outcome = trServer(get.replace('GET', 'HEAD') + get, ok);
    expect(outcome.got).toBe(OK.slice(0, -2) + OK);
  });
  it('[9110-8.6/1] tells HEAD no length that it cannot know', () => {
    const outcome = trServer(get.replace('GET', 'HEAD'), (_request, response) => response.end());
    expect(outcome.got).not.toContain('Content-Length');
  });
  it('[9110-8.6/2] sends 304 without content, and with no length but the one it was given', () => {
    const outcome = trServer(get + get, (request, response) => {
      response.writeHead(304, request.headers.has('x') ? null : { 'Content-Length': '9' });
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe('HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n'.repeat(2));
    expect(
      trServer(get, (_r, response) => {
        response.writeHead(304);
        response.end(bytesOf('ok'));
      }).got,
    ).toBe('HTTP/1.1 304 Not Modified\r\n\r\n');
  });
  it.each(['GET', 'HEAD'])('[9110-9.1/1] delivers %s', (method) =>
    expect(trServer(get.replace('GET', method)).seen).toEqual([`${method} / `]),
  );
  it.each(['b', 'b:', 'b:0', 'b:65536', 'b:a', 'b:-1'])('[9110-9.3.6/2] answers CONNECT %s with 400', (target) =>
    expect(statuses(trServer(`CONNECT ${target} HTTP/1.1\r\n${HOST}\r\n`).got)).toEqual([400]),
  );
  it('[9110-9.3.7/2] cannot send OPTIONS with content of no type', () => {
    const body = bytesOf('a');
    expect(refusal({ method: 'OPTIONS', body })).toEqual(['TypeError', 0]);
    expect(refusal({ method: 'OPTIONS', body, headers: { Host: 'a', 'Content-Type': 'x/y' } })).toBe(null);
  });
  it('[9110-9.3.8/2] cannot send TRACE with content', () => {
    expect(refusal({ method: 'TRACE', body: bytesOf('a') })).toEqual(['TypeError', 0]);
    expect(refusal({ method: 'TRACE', body: 'stream' })).toEqual(['TypeError', 0]);
  });
  it('[9110-15.3.6/1] sends 205 with no content, whatever the handler writes', () => {
    const outcome = trServer(get + get, (_request, response) => {
      response.writeHead(205, { 'Content-Length': '2' });
      response.end(bytesOf('ok'));
    });
    expect(outcome.got).toBe('HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'.repeat(2));
  });
});

describe('Expect (RFC 9110 §10.1.1)', () => {
  const head = `POST / HTTP/1.1\r\n${HOST}Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n`;
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

  it.each([[{}], [{ method: 'POST' }], [{ method: 'PUT', body: new Uint8Array(0) }]])(
    '[9110-10.1.1/1] cannot expect 100 without content: %j',
    (init) => expect(refusal({ ...init, headers: { Host: 'a', Expect: '100-continue' } })).toEqual(['TypeError', 0]),
  );
  const expecting: Partial<RequestInit> = {
    ...{ method: 'PUT', body: bytesOf('hi') },
    headers: { Host: 'a', Expect: '100-continue', 'Content-Length': '2' },
  };
  it('[9110-10.1.1/2] a client that expects 100 holds its content until it comes', () => {
    const before = trClient(expecting, '').sent;
    expect(before.endsWith('Expect: 100-continue\r\nContent-Length: 2\r\n\r\n')).toBe(true);
    const outcome = trClient(expecting, `${CONTINUE}${EMPTY}`);
    expect(outcome).toMatchObject({ sent: `${before}hi`, events: ['info 100', '200 OK', 'end'], reusable: true });
  });
  it('[9110-10.1.1/2] a final answer keeps the content back, and the connection ends', () => {
    const outcome = trClient(expecting, 'HTTP/1.1 413 x\r\nContent-Length: 1\r\n\r\nn');
    expect(outcome).toMatchObject({ events: ['413 x', 'end'], body: 'n', reusable: false, ended: true });
    expect(outcome.sent.endsWith('\r\n\r\n')).toBe(true);
  });
  it('[9110-10.1.1/3] HTTP/1.0 gets no 100', () => {
    expect(trServer(`${head.replace('1.1', '1.0')}hi`).got).toBe(
      OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
  });
  it('[9110-10.1.1/4] [9110-10.1.1/5] [9110-10.1.1/6] sends 100 before the content comes, and a final answer behind it', () => {
    expect(trServer(head).got).toBe(CONTINUE);
    const pair = conversation(head, 'hi');
    expect(pair).toBe(CONTINUE + OK);
  });
  it('[9110-10.1.1/5] or a final answer at once, behind which it closes', () => {
    const outcome = trServer(head, (_request, response) => {
      response.writeHead(417);
      response.end();
    });
    expect([statuses(outcome.got), outcome.ended]).toEqual([[417], true]);
  });
});

describe('status codes (RFC 9110 §15)', () => {
  it.each([
    ['299', 'Content-Length: 2\r\n', 'ok'],
    ['499', 'Content-Length: 2\r\n', 'ok'],
    ['599', 'Content-Length: 2\r\n', 'ok'],
    ['777', 'Content-Length: 2\r\n', 'ok'],
  ])('[9110-15/1] reads the unknown %s as any of its class', (status, fields, body) => {
    const outcome = trClient({}, `HTTP/1.1 ${status} x\r\n${fields}\r\n${body}`);
    expect(outcome).toMatchObject({ events: [`${status} x`, 'end'], body });
  });
  it('[9110-15/1] [9110-15.2/2] reads interim answers, known and unknown, before the final one', () => {
    const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 199 \r\n\r\n${EMPTY}`;
    expect(trClient({}, text).events).toEqual(['info 100', 'info 103', 'info 199', '200 OK', 'end']);
  });
  it('[9110-15.2/1] sends no interim answer to HTTP/1.0', () => {
    const hints: OnRequest = (_request, response) => {
      response.writeInformational(103, { Link: 'y' });
      response.end(bytesOf('ok'));
    };
    expect(statuses(trServer(get, hints).got)).toEqual([103, 200]);
    expect(statuses(trServer('GET / HTTP/1.0\r\n\r\n', hints).got)).toEqual([200]);
  });
});

/** What a client sends, in one go. */
function requestOf(init: Partial<RequestInit>): { sent: string } {
  const pair = new MemoryPair();
  const none = { onResponse: () => {}, onData: () => {}, onEnd: () => {}, onError: () => {} };
  new HttpClientStream(pair.a).request({ target: '/', headers: { Host: 'a' }, ...init }, none);
  pair.run();
  return { sent: drain(pair.b) };
}

/** What a server answers to texts that come one after the other. */
function conversation(...texts: string[]): string {
  const pair = new MemoryPair();
  let got = '';
  pair.a.handler = {
    onReadable: () => {
      got += drain(pair.a);
    },
  };
  new HttpServerStream(pair.b, { onRequest: ok });
  for (const text of texts) {
    put(pair.a, text);
    pair.run();
  }
  return got;
}
