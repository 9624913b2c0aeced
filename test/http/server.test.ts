// The server's end of a connection, driven by octets over a pair of streams in memory.

import { describe, expect, it } from 'vitest';
import type { NetError } from '../../src/base/errors.ts';
import { HttpError } from '../../src/http/errors.ts';
import type { ServerRequest, ServerResponse } from '../../src/http/exchange.ts';
import { HttpServerStream, type ServerStreamOptions } from '../../src/http/server.ts';
import { MemoryPair, type MemoryPairOptions } from './memory-stream.ts';
import { bytesOf, textOf } from './tr.ts';

const HOST = 'Host: a\r\n';
type OnRequest = (request: ServerRequest, response: ServerResponse) => void;

/** A client that writes octets and collects what comes back, against a server with `onRequest`. */
class Wire {
  readonly pair: MemoryPair;
  readonly server: HttpServerStream;
  got = '';
  over = false;
  error: NetError | null = null;
  errors: unknown[] = [];
  closes = 0;
  reading = true;
  #unsent: Uint8Array = new Uint8Array(0);

  constructor(onRequest: OnRequest, options: Partial<ServerStreamOptions> = {}, pair: MemoryPairOptions = {}) {
    this.pair = new MemoryPair(pair);
    const read = (): void => {
      while (this.reading && this.pair.a.readable > 0) {
        const view = this.pair.a.peek();
        this.got += textOf(view);
        this.pair.a.consume(view.length);
      }
    };
    this.pair.a.handler = {
      onReadable: read,
      onWritable: () => this.#flush(),
      onClose: (_s, error) => {
        this.over = true;
        this.error = error;
      },
    };
    this.server = new HttpServerStream(this.pair.b, {
      onRequest,
      onError: (error) => this.errors.push(error),
      onClose: () => this.closes++,
      ...options,
    });
  }

  #flush(): void {
    const n = this.pair.a.send(this.#unsent, 0, this.#unsent.length);
    this.#unsent = this.#unsent.subarray(n);
  }

  /** Sends and lets everything happen that can. */
  send(text: string): string {
    this.#unsent = bytesOf(textOf(this.#unsent) + text);
    this.#flush();
    this.pair.run();
    return this.got;
  }

  /** Reads what was left unread. */
  readOn(): void {
    this.reading = true;
    this.pair.a.tellReadable = true;
    this.pair.run();
  }

  /** Ends the client's direction. */
  fin(): void {
    this.pair.a.shutdown();
    this.pair.run();
  }
}

/** Answers with what was asked, once the content has come. */
const echo: OnRequest = (request, response) => {
  let text = `${request.method} ${request.target}`;
  request.onData = (bytes, from, to) => {
    text += `|${textOf(bytes.subarray(from, to))}`;
  };
  request.onEnd = () => response.end(bytesOf(text.replaceAll('|', '')));
};

function ok(body: string, more = ''): string {
  return `HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

describe('answers', () => {
  it('a request with a known length, keeping the connection', () => {
    const wire = new Wire(echo);
    expect(wire.send(`GET /x HTTP/1.1\r\n${HOST}\r\n`)).toBe(ok('GET /x'));
    expect(wire.over).toBe(false);
    expect(wire.server.idle).toBe(true);
  });

  it.each([
    [0, 1],
    [5, 1],
    [1024, 1],
    [1025, 2],
  ])('%i octets of content that are there with the head, in %i writes', (length, writes) => {
    const body = 'x'.repeat(length);
    const wire = new Wire((_request, response) => response.end(bytesOf(body)));
    const { b } = wire.pair;
    const send = b.send.bind(b);
    let count = 0;
    b.send = (bytes, from, to) => {
      count++;
      return send(bytes, from, to);
    };
    expect(wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)).toBe(ok(body));
    expect(count).toBe(writes);
  });

  it('pipelined requests in order, however they are cut (RFC 9112 §9.3.2)', () => {
    const requests =
      `POST /1 HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc` +
      `POST /2 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1;x\r\nf\r\n0\r\n\r\n` +
      `GET /3 HTTP/1.1\r\n${HOST}\r\n`;
    const answers = ok('POST /1abc') + ok('POST /2def') + ok('GET /3');
    for (const step of [1, 2, 3, 7, 1000]) {
      for (const peek of [1, 5, 1000]) {
        const wire = new Wire(echo, {}, { step, peek });
        expect(wire.send(requests)).toBe(answers);
      }
    }
    for (let i = 1; i < requests.length; i++) {
      const wire = new Wire(echo);
      wire.send(requests.slice(0, i));
      expect(wire.send(requests.slice(i))).toBe(answers);
    }
  });

  it('a good request before the bad one behind it, also when the good one is answered late', () => {
    const held: ServerResponse[] = [];
    const wire = new Wire((_request, response) => held.push(response));
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\nHost : b\r\n\r\n`);
    expect(wire.got).toBe('');
    held[0]!.end(bytesOf('good'));
    wire.pair.run();
    expect(wire.got.startsWith(`${ok('good')}HTTP/1.1 400 Bad Request\r\n`)).toBe(true);
    expect(wire.got).toContain('\r\nConnection: close\r\n');
    expect(wire.got.endsWith('\r\n\r\n400 Bad Request: space-before-colon\n')).toBe(true);
    expect(held.length).toBe(1);
    expect(wire.errors).toMatchObject([{ name: 'HttpError', side: 'remote', status: 400 }]);
    wire.fin();
    expect([wire.over, wire.error, wire.closes]).toEqual([true, null, 1]);
  });

  it('ten thousand pipelined requests without growing the stack', () => {
    let n = 0;
    const wire = new Wire((_request, response) => {
      n++;
      response.writeHead(204);
      response.end();
    });
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(10_000));
    expect(n).toBe(10_000);
  });

  it('the next request after an Upgrade nobody took', () => {
    const wire = new Wire(echo);
    wire.send(`GET /1 HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
    expect(wire.send(`GET /2 HTTP/1.1\r\n${HOST}\r\n`)).toBe(ok('GET /1') + ok('GET /2'));
  });

  it('a client that ended its direction with the request (half-close)', () => {
    const held: ServerResponse[] = [];
    const wire = new Wire((_request, response) => held.push(response));
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    wire.fin();
    expect(wire.over).toBe(false);
    held[0]!.end(bytesOf('late'));
    wire.pair.run();
    expect(wire.got).toBe(ok('late'));
    expect([wire.over, wire.error]).toEqual([true, null]);
  });
});

describe('closes', () => {
  it('after a request with Connection: close, saying so, and in good order', () => {
    const wire = new Wire(echo);
    wire.send(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`);
    expect(wire.got).toBe(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nGET /`);
    expect(wire.pair.b.finQueued).toBe(true);
    expect(wire.over).toBe(false);
    wire.send('more that nobody reads');
    expect(wire.pair.b.readable).toBe(0);
    wire.fin();
    expect([wire.over, wire.error]).toEqual([true, null]);
  });
  it('after HTTP/1.0, and not when 1.0 asks for keep-alive (RFC 9112 §9.3)', () => {
    const closing = new Wire(echo);
    expect(closing.send('GET / HTTP/1.0\r\n\r\n')).toContain('Connection: close\r\n');
    expect(closing.pair.b.finQueued).toBe(true);
    const staying = new Wire(echo);
    const got = staying.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(got).toContain('Connection: keep-alive\r\n');
    expect(staying.pair.b.finQueued).toBe(false);
  });
  it('when the handler says Connection: close', () => {
    const wire = new Wire((_request, response) => {
      response.writeHead(200, { Connection: 'close' });
      response.end();
    });
    expect(wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)).toBe(
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
    expect(wire.pair.b.finQueued).toBe(true);
  });
  it('an idle connection when the client ends it', () => {
    const wire = new Wire(echo);
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    wire.fin();
    expect([wire.over, wire.error, wire.closes]).toEqual([true, null, 1]);
  });
  it('gracefully on close(): at once when idle, else after the exchange', () => {
    const idle = new Wire(echo);
    idle.server.close();
    idle.pair.run();
    expect(idle.pair.b.finQueued).toBe(true);
    const held: ServerResponse[] = [];
    const busy = new Wire((_request, response) => held.push(response));
    busy.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    busy.server.close();
    expect(busy.pair.b.finQueued).toBe(false);
    held[0]!.end();
    expect(busy.pair.b.finQueued).toBe(true);
    busy.pair.run();
    expect(busy.got).toContain('Connection: close');
  });
});

describe('frames the response', () => {
  const streaming: OnRequest = (_request, response) => {
    response.writeHead(200);
    response.write(bytesOf('abc'));
    response.write(bytesOf('de'));
    response.setTrailers({ 'X-T': '1' });
    response.end(bytesOf('f'));
  };
  it('in chunks for 1.1 when the length is unknown, with trailers', () => {
    const wire = new Wire(streaming);
    expect(wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)).toBe(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0\r\nX-T: 1\r\n\r\n',
    );
  });
  it('by the end of the connection for 1.0 when the length is unknown', () => {
    const wire = new Wire(streaming);
    wire.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(wire.got).toBe('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef');
    expect(wire.pair.b.finQueued).toBe(true);
  });
  it('by a given length; more throws, less takes the connection down', () => {
    let thrown: unknown;
    const more = new Wire((_request, response) => {
      response.writeHead(200, { 'Content-Length': 3 });
      try {
        response.write(bytesOf('abcd'));
      } catch (error) {
        thrown = error;
      }
      response.end(bytesOf('abc'));
    });
    expect(more.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)).toBe(ok('abc'));
    expect(thrown).toBeInstanceOf(RangeError);
    const less = new Wire((_request, response) => {
      response.writeHead(200, { 'Content-Length': 3 });
      response.end(bytesOf('ab'));
    });
    less.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(less.error?.code).toBe('ECONNRESET');
  });
  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('without content for %s %i, and goes on', (method, status) => {
    const wire = new Wire((request, response) => {
      response.writeHead(request.target === '/1' ? status : 200);
      response.end(bytesOf('body'));
    });
    wire.send(`${method} /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`);
    const length = status === 204 ? '' : 'Content-Length: 4\r\n';
    expect(wire.got.split('HTTP/1.1 ').slice(1)).toEqual([
      expect.stringMatching(new RegExp(`^${status} [A-Za-z ]+\r\n(?:${length})?\r\n$`)),
      'OK\r\nContent-Length: 4\r\n\r\nbody'.replace('OK', '200 OK'),
    ]);
    if (method === 'HEAD') expect(wire.got).toContain('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHTTP');
    expect(wire.got.includes('204 No Content\r\nContent-Length')).toBe(false);
  });
  it('with the length that a 304 would have had, and none for a 204 (RFC 9110 §8.6)', () => {
    const wire = new Wire((request, response) => {
      response.writeHead(request.target === '/1' ? 304 : 204, { 'Content-Length': 7 });
      response.end();
    });
    wire.send(`GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`);
    expect(wire.got).toBe('HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
  });
  it('refuses fields that would split or contradict', () => {
    const attempts: [number, Record<string, string>][] = [
      [200, { 'X-A': 'a\r\nX-B: b' }],
      [200, { 'X\r\nA': 'a' }],
      [200, { 'X-A': 'ā' }],
      [200, { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }],
      [200, { 'Content-Length': '+5' }],
      [200, { 'Transfer-Encoding': 'gzip' }],
      [100, {}],
      [20, {}],
    ];
    const wire = new Wire((_request, response) => {
      for (const [status, headers] of attempts) expect(() => response.writeHead(status, headers)).toThrow();
      expect(() => response.writeHead(200, {}, 'a\r\nb') ?? response.flushHeaders()).toThrow();
      response.writeHead(200);
      response.end();
    });
    expect(wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)).toBe(ok(''));
    expect(wire.errors).toEqual([]);
  });
  it('sends interim responses before the final one, to 1.1 only', () => {
    const hints: OnRequest = (_request, response) => {
      response.writeInformational(103, { Link: '</a>' });
      response.end();
    };
    const wire = new Wire(hints);
    expect(wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)).toBe(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('')}`);
    expect(new Wire(hints).send('GET / HTTP/1.0\r\n\r\n')).not.toContain('103');
  });
});

describe('Expect: 100-continue (RFC 9110 §10.1.1)', () => {
  const head = `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nExpect: 100-CONTINUE\r\n\r\n`;
  it('is told to go on when the content is wanted', () => {
    const wire = new Wire(echo);
    expect(wire.send(head)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect(wire.send('abc')).toBe(`HTTP/1.1 100 Continue\r\n\r\n${ok('POST /abc')}`);
  });
  it('is not told when the content has come already', () => {
    expect(new Wire(echo).send(`${head}abc`)).toBe(ok('POST /abc'));
  });
  it('gets the final answer instead, and the connection closes, since content may follow or not', () => {
    const wire = new Wire((_request, response) => {
      response.writeHead(413);
      response.end();
    });
    expect(wire.send(head)).toBe('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    expect(wire.pair.b.finQueued).toBe(true);
  });
});

describe('refuses', () => {
  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [`GET /${'a'.repeat(9000)} HTTP/1.1\r\n`, 414],
    [`GET / HTTP/1.1\r\n${HOST}A: ${'a'.repeat(20000)}`, 431],
    [`${'A'.repeat(100)} / HTTP/1.1\r\n`, 501],
    [`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    [`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`, 400],
    ['GET / HTTP/3.0\r\n', 505],
    ['GET / HT', 400],
  ])('%.40j with %i and closes', (text, status) => {
    let asked = 0;
    const wire = new Wire(() => asked++);
    wire.send(text);
    wire.fin();
    expect(wire.got).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(wire.got).toContain('Connection: close');
    expect([asked, wire.over, wire.error]).toEqual([0, true, null]);
    expect(wire.errors).toMatchObject([{ status }]);
  });

  it('a bad chunk: 400 when nothing was answered yet, a break when half an answer is out', () => {
    const post = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`;
    const aborts: unknown[] = [];
    const quiet = new Wire((request) => {
      request.onAbort = (error) => aborts.push(error);
    });
    expect(quiet.send(`${post}zz\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(aborts).toMatchObject([{ fault: 'bad-chunk-size' }]);
    const begun = new Wire((request, response) => {
      request.onAbort = (error) => aborts.push(error);
      response.write(bytesOf('half'));
    });
    begun.send(`${post}zz\r\n`);
    expect(begun.error?.code).toBe('ECONNRESET');
    expect(aborts.length).toBe(2);
  });

  it('content beyond the limit with 413, told in advance or not', () => {
    const limits = { limits: { body: 4 } };
    expect(new Wire(echo, limits).send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n`)).toMatch(/ 413 /);
    const post = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
    expect(new Wire(echo, limits).send(`${post}4\r\nabcd\r\n1\r\ne\r\n0\r\n\r\n`)).toMatch(/ 413 /);
    expect(new Wire(echo, limits).send(`${post}4\r\nabcd\r\n0\r\n\r\n`)).toBe(ok('POST /abcd'));
  });

  it('answers 500 when a handler throws, for that request only', () => {
    const wire = new Wire((request, response) => {
      if (request.target === '/bad') throw new Error('oops');
      response.end();
    });
    wire.send(`GET /bad HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(wire.got).toBe(`HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n${ok('')}`);
    expect(wire.errors).toMatchObject([{ message: 'oops' }]);
  });
});

describe('back-pressure', () => {
  it('leaves a paused request in the stream, and the sender waits', () => {
    let request: ServerRequest | null = null;
    let got = 0;
    const wire = new Wire(
      (r) => {
        request = r;
        r.onData = (_bytes, from, to) => {
          got += to - from;
          r.pause();
        };
      },
      {},
      { capacity: 1000, peek: 100 },
    );
    wire.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 5000\r\n\r\n${'x'.repeat(5000)}`);
    expect(got).toBeLessThanOrEqual(100);
    expect(wire.pair.a.sentTotal).toBeLessThan(1500);
    for (let i = 0; i < 100 && got < 5000; i++) {
      request!.resume();
      wire.pair.run();
    }
    expect(got).toBe(5000);
  });

  it('takes no more of a response than the stream has room for, and calls onDrain', () => {
    const body = 'abcdefghij'.repeat(3000);
    const bytes = bytesOf(body);
    for (const head of [{}, { 'Content-Length': bytes.length }]) {
      let at = 0;
      let drains = 0;
      const wire = new Wire(
        (_request, response) => {
          response.writeHead(200, head);
          const go = (): void => {
            while (at < bytes.length) {
              const n = response.write(bytes, at, Math.min(at + 7000, bytes.length));
              at += n;
              if (n === 0) return;
            }
            response.end();
          };
          response.onDrain = () => {
            drains++;
            go();
          };
          go();
        },
        {},
        { capacity: 512, step: 100 },
      );
      wire.reading = false;
      wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
      expect(at).toBeLessThan(512 + 1100);
      wire.readOn();
      expect(drains).toBeGreaterThan(5);
      const content = wire.got.slice(wire.got.indexOf('\r\n\r\n') + 4);
      expect('Content-Length' in head ? content : dechunk(content)).toBe(body);
    }
  });

  it('starts no request while the answers before it wait to be read', () => {
    let asked = 0;
    const answer: OnRequest = (_request, response) => {
      asked++;
      response.end(bytesOf('z'.repeat(100)));
    };
    const wire = new Wire(answer, {}, { capacity: 1000 });
    wire.reading = false;
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(100));
    expect(asked).toBeLessThan(12);
    wire.readOn();
    expect(asked).toBe(100);
  });

  it('copies what end() cannot send, and answers the next request after it', () => {
    const wire = new Wire((_request, response) => response.end(bytesOf('z'.repeat(5000))), {}, { capacity: 300 });
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(wire.got).toBe(ok('z'.repeat(5000)) + ok('z'.repeat(5000)));
  });
});

function dechunk(text: string): string {
  let out = '';
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (size === 0) return out;
    out += text.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
  }
}

describe('an answer before the request is complete', () => {
  const early: OnRequest = (request, response) => {
    if (request.method === 'POST') request.onData = () => undefined;
    request.pause();
    response.writeHead(403);
    response.end();
  };
  it('reads on and drops what is within the limit, then takes the next request', () => {
    const wire = new Wire(early, { limits: { discard: 100 } });
    wire.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\n${'x'.repeat(100)}GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(wire.got.split('403 Forbidden').length).toBe(3);
  });
  it('closes when there is more', () => {
    const wire = new Wire(early, { limits: { discard: 99 } });
    wire.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\n${'x'.repeat(100)}GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(wire.got.split('403 Forbidden').length).toBe(2);
    expect(wire.pair.b.finQueued).toBe(true);
  });
});

describe('a client that goes away', () => {
  it('aborts the exchange once, and what the handler still writes is dropped', () => {
    const aborts: unknown[] = [];
    const held: ServerResponse[] = [];
    const wire = new Wire((request, response) => {
      request.onAbort = (error) => aborts.push(error);
      held.push(response);
    });
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    wire.pair.a.abort();
    wire.pair.run();
    expect(aborts).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(held[0]!.write(bytesOf('abc'))).toBe(3);
    held[0]!.end();
    expect(wire.closes).toBe(1);
  });
  it('in the middle of its content gets 400', () => {
    const aborts: unknown[] = [];
    const wire = new Wire((request) => {
      request.onAbort = (error) => aborts.push(error);
    });
    wire.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`);
    wire.fin();
    expect(wire.got).toMatch(/^HTTP\/1\.1 400 /);
    expect(aborts[0]).toBeInstanceOf(HttpError);
    expect(wire.over).toBe(true);
  });
});

describe('time, as the owner tells it', () => {
  const timeouts = { head: 100, idle: 1000, linger: 50 };
  it('answers a slow head with 408 and does not wait for ever for the client to go', () => {
    const wire = new Wire(echo, { timeouts });
    wire.send('GET / HT');
    expect(wire.server.nextDeadline(5)).toBe(105);
    wire.send('TP/');
    wire.server.timersFire(104);
    wire.pair.run();
    expect(wire.got).toBe('');
    wire.server.timersFire(105);
    wire.pair.run();
    expect(wire.got).toMatch(/^HTTP\/1\.1 408 /);
    expect(wire.server.nextDeadline(106)).toBe(155);
    wire.server.timersFire(155);
    wire.pair.run();
    expect(wire.error?.code).toBe('ECONNRESET');
    expect(wire.server.nextDeadline(200)).toBe(Number.POSITIVE_INFINITY);
  });
  it('closes an idle connection in good order, and none that works', () => {
    const held: ServerResponse[] = [];
    const wire = new Wire((_request, response) => held.push(response), { timeouts });
    expect(wire.server.nextDeadline(0)).toBe(1000);
    wire.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(wire.server.nextDeadline(10)).toBe(Number.POSITIVE_INFINITY);
    held[0]!.end();
    wire.pair.run();
    expect(wire.server.nextDeadline(20)).toBe(1020);
    wire.server.timersFire(1020);
    expect(wire.pair.b.finQueued).toBe(true);
  });
});

describe('what an owner decides', () => {
  it('answers a fault by itself: nothing is written, nothing more is read, and no exchange begins', () => {
    const faults: string[] = [];
    let owned = true;
    const wire = new Wire(echo, {
      refuse: (error) => {
        faults.push(error.fault);
        return owned;
      },
    });
    const bad = `GET / HTTP/1.1\r\nHost : a\r\n\r\n`;
    expect(wire.send(`${bad}GET / HTTP/1.1\r\n${HOST}\r\n`)).toBe('');
    expect([faults, wire.errors, wire.server.nextDeadline(0)]).toEqual([
      ['space-before-colon'],
      [],
      Number.POSITIVE_INFINITY,
    ]);
    owned = false;
    const other = new Wire(echo, { refuse: () => owned });
    expect(other.send(bad)).toMatch(/^HTTP\/1\.1 400 /);
    expect(other.errors.length).toBe(1);
  });

  it('leaves Date out where there is none to tell', () => {
    let date: string | null = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const wire = new Wire(echo, { date: () => date });
    const ask = `GET / HTTP/1.1\r\n${HOST}\r\n`;
    expect(wire.send(ask)).toContain('Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n');
    wire.got = '';
    date = null;
    expect(wire.send(ask)).toMatch(/^HTTP\/1\.1 200 [^D]*$/);
  });
});
