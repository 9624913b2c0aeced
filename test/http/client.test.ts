// The client's end of a connection, against octets over a pair of streams in memory, and against our server.

import { describe, expect, it } from 'vitest';
import {
  type ClientExchange,
  type ClientResponse,
  HttpClientStream,
  type RequestInit,
  type ResponseHandlers,
} from '../../src/http/client.ts';
import { HttpServerStream } from '../../src/http/server.ts';
import { MemoryPair, type MemoryPairOptions } from './memory-stream.ts';
import { bytesOf, textOf } from './tr.ts';

/** Notes everything that handlers are told. */
class Log implements ResponseHandlers {
  events: string[] = [];
  body = '';
  response: ClientResponse | null = null;
  error: unknown = null;
  data: (() => void) | null = null;
  drain: (() => void) | null = null;

  onInformational(status: number): void {
    this.events.push(`info ${status}`);
  }
  onResponse(response: ClientResponse): void {
    this.response = response;
    this.events.push(`response ${response.status}`);
  }
  onData(bytes: Uint8Array, from: number, to: number): void {
    this.body += textOf(bytes.subarray(from, to));
    this.data?.();
  }
  onEnd(): void {
    this.events.push('end');
  }
  onError(error: unknown): void {
    this.error = error;
    this.events.push('error');
  }
  onDrain(): void {
    this.drain?.();
  }
}

/** A client against a peer that only collects octets and says what it is told to. */
class Wire {
  readonly pair: MemoryPair;
  readonly client: HttpClientStream;
  got = '';

  constructor(options: MemoryPairOptions = {}) {
    this.pair = new MemoryPair(options);
    this.client = new HttpClientStream(this.pair.a);
    this.pair.b.handler = {
      onReadable: () => {
        while (this.pair.b.readable > 0) {
          const view = this.pair.b.peek();
          this.got += textOf(view);
          this.pair.b.consume(view.length);
        }
      },
    };
  }

  ask(init: Partial<RequestInit> = {}): Log {
    const log = new Log();
    this.client.request({ target: '/', headers: { Host: 'a' }, ...init }, log);
    this.pair.run();
    return log;
  }

  answer(text: string, fin = false): void {
    const bytes = bytesOf(text);
    expect(this.pair.b.send(bytes, 0, bytes.length)).toBe(bytes.length);
    if (fin) this.pair.b.shutdown();
    this.pair.run();
  }
}

describe('sends', () => {
  it.each([
    [{}, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    [{ method: 'POST' }, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
    [{ method: 'PUT', body: bytesOf('abc') }, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'],
  ] as [Partial<RequestInit>, string][])('%j', (init, octets) => {
    const wire = new Wire();
    wire.ask(init);
    expect(wire.got).toBe(octets);
  });
  it('content in chunks, or by the length it was told', () => {
    for (const length of [false, true]) {
      const wire = new Wire();
      const headers: Record<string, string> = length ? { Host: 'a', 'Content-Length': '5' } : { Host: 'a' };
      const exchange = wire.client.request({ method: 'PUT', target: '/', headers, body: 'stream' }, new Log());
      exchange.write(bytesOf('abc'));
      exchange.end(bytesOf('de'));
      wire.pair.run();
      const [head, content] = wire.got.split(/\r\n\r\n(.*)$/s) as [string, string];
      expect(head).toContain(length ? 'Content-Length: 5' : 'Transfer-Encoding: chunked');
      expect(content).toBe(length ? 'abcde' : '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    }
  });
  it('nothing of a request that cannot be sent', () => {
    const bad: Partial<RequestInit>[] = [
      { headers: {} },
      { target: '/a b' },
      { target: '/\r\nX: y' },
      { target: '*' },
      { method: 'G T' },
      { headers: { Host: 'a', X: 'a\nb' } },
      { headers: { Host: 'a', 'Content-Length': '3' } },
      { headers: { Host: 'a', 'Content-Length': '3', 'Transfer-Encoding': 'chunked' }, body: 'stream' },
    ];
    const wire = new Wire();
    for (const init of bad) expect(() => wire.ask(init)).toThrow(TypeError);
    expect([wire.got, wire.client.reusable]).toEqual(['', true]);
  });
  it('a request of a stream that still opens', () => {
    const wire = new Wire({ capacity: 10 });
    const log = wire.ask({ target: `/${'x'.repeat(100)}` });
    expect(wire.got.length).toBeGreaterThan(100);
    wire.answer('HTTP/1.1 ');
    wire.answer('204 \r\n\r\n');
    expect(log.events).toEqual(['response 204', 'end']);
  });
});

describe('takes', () => {
  const cases: [string, string, Partial<RequestInit>, string[], string, boolean][] = [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', {}, ['response 200', 'end'], 'abc', true],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n',
      {},
      ['response 200', 'end'],
      'abc',
      true,
    ],
    [
      'interim responses first (RFC 9110 §15.2)',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
      {},
      ['info 100', 'info 103', 'response 204', 'end'],
      '',
      true,
    ],
    [
      'an answer to HEAD that tells a length',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n',
      { method: 'HEAD' },
      ['response 200', 'end'],
      '',
      true,
    ],
    ['a 304 that tells a length', 'HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\n', {}, ['response 304', 'end'], '', true],
    [
      'Connection: close',
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na',
      {},
      ['response 200', 'end'],
      'a',
      false,
    ],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', {}, ['response 200', 'end'], 'a', false],
  ];
  it.each(cases)('%s, however it is cut', (_what, octets, init, events, body, reusable) => {
    for (const step of [1, 2, 3, 5, 1000]) {
      const wire = new Wire({ step, peek: step === 5 ? 2 : 1000 });
      const log = wire.ask(init);
      wire.answer(octets);
      expect([log.events, log.body, wire.client.reusable]).toEqual([events, body, reusable]);
      expect(wire.pair.a.finQueued).toBe(!reusable);
    }
  });
  it('content up to the end of the connection (RFC 9112 §6.3)', () => {
    const wire = new Wire();
    const log = wire.ask();
    wire.answer('HTTP/1.1 200 OK\r\n\r\nabc');
    expect(log.events).toEqual(['response 200']);
    wire.answer('def', true);
    expect([log.events, log.body]).toEqual([['response 200', 'end'], 'abcdef']);
    expect(wire.pair.a.closed).toBe(true);
  });
  it('trailers, apart from the header fields', () => {
    const wire = new Wire();
    const log = wire.ask();
    wire.answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 7\r\n\r\n');
    expect([...log.response!.trailers]).toEqual([['Content-Length', '7']]);
    expect(log.response!.headers.has('content-length')).toBe(false);
  });
});

describe('uses a connection again', () => {
  it('one exchange after the other, also from within onEnd', () => {
    const wire = new Wire();
    const second = new Log();
    const first = new Log();
    first.onEnd = () => {
      wire.client.request({ target: '/2', headers: { Host: 'a' } }, second);
    };
    wire.client.request({ target: '/1', headers: { Host: 'a' } }, first);
    expect(() => wire.ask()).toThrow('cannot take another');
    wire.pair.run();
    wire.answer('HTTP/1.1 204 \r\n\r\n');
    wire.answer('HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx');
    expect([second.events, second.body]).toEqual([['response 200', 'end'], 'x']);
    expect(wire.got).toContain('GET /2 ');
    expect(wire.client.reusable).toBe(true);
  });
  it('not after the peer ended it, nor after octets nobody asked for (RFC 9112 §9.2)', () => {
    const ended = new Wire();
    ended.pair.b.shutdown();
    ended.pair.run();
    expect([ended.client.reusable, ended.pair.a.closed]).toEqual([false, true]);
    const noisy = new Wire();
    noisy.ask();
    noisy.answer('HTTP/1.1 204 \r\n\r\nHTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n');
    expect([noisy.client.reusable, noisy.pair.a.aborted]).toEqual([false, true]);
  });
});

describe('errors', () => {
  it('are ECONNRESET when the connection ends before an octet of the answer', () => {
    for (const how of ['shutdown', 'abort'] as const) {
      const wire = new Wire();
      const log = wire.ask();
      wire.pair.b[how]();
      wire.pair.run();
      expect([log.events, (log.error as { code: string }).code]).toEqual([['error'], 'ECONNRESET']);
      expect(wire.client.reusable).toBe(false);
    }
  });
  it.each([
    ['HTTP/1.1 20', 'incomplete-message'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab', 'incomplete-message'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'incomplete-message'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', 'bad-chunk-size'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n', 'different-lengths'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 'length-with-transfer-encoding'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'unexpected-upgrade'],
    ['nonsense', 'bad-status-line'],
  ])('are remote for %j: %s', (octets, fault) => {
    const wire = new Wire();
    const log = wire.ask();
    wire.answer(octets, true);
    expect(log.events.at(-1)).toBe('error');
    expect(log.error).toMatchObject({ name: 'HttpError', side: 'remote', status: 502, fault });
    expect(wire.client.reusable).toBe(false);
  });
  it('are local when the program gives up, once', () => {
    const wire = new Wire();
    const log = new Log();
    const exchange = wire.client.request({ target: '/', headers: { Host: 'a' } }, log);
    exchange.abort();
    wire.pair.run();
    expect(log.events).toEqual(['error']);
    expect(log.error).toMatchObject({ side: 'local' });
  });
  it('do not follow an answer that comes before the request is complete; the connection goes', () => {
    const wire = new Wire();
    const log = new Log();
    const init: RequestInit = { method: 'PUT', target: '/', headers: { Host: 'a' }, body: 'stream' };
    const exchange = wire.client.request(init, log);
    wire.pair.run();
    wire.answer('HTTP/1.1 413 \r\nContent-Length: 0\r\n\r\n');
    expect(log.events).toEqual(['response 413', 'end']);
    expect(exchange.write(bytesOf('abc'))).toBe(3);
    expect([wire.client.reusable, wire.pair.a.aborted]).toEqual([false, true]);
  });
});

describe('a paused response', () => {
  it('stays in the stream, and the sender waits; the end is told only after resume', () => {
    const wire = new Wire({ capacity: 1000, peek: 100 });
    const log = new Log();
    const exchange = wire.client.request({ target: '/', headers: { Host: 'a' } }, log);
    log.data = () => exchange.pause();
    wire.pair.run();
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n';
    wire.answer(`${head}${'x'.repeat(400)}\r\n0\r\n\r\n`);
    expect(log.body.length).toBeLessThanOrEqual(100);
    expect(wire.pair.a.readable).toBeGreaterThan(300);
    for (let i = 0; i < 10; i++) exchange.resume();
    expect([log.body.length, log.events]).toEqual([400, ['response 200', 'end']]);
  });
});

describe('a stream that takes less than it promised', () => {
  it('still gets whole chunks', () => {
    const wire = new Wire();
    const { a } = wire.pair;
    const send = a.send.bind(a);
    const exchange = wire.client.request(
      { method: 'PUT', target: '/', headers: { Host: 'a' }, body: 'stream' },
      new Log(),
    );
    a.send = (bytes, from, to) => send(bytes, from, Math.min(to, from + 3));
    expect(exchange.write(bytesOf('abcdefgh'))).toBe(8);
    for (let i = 0; i < 10; i++) wire.client.onWritable();
    exchange.end();
    for (let i = 0; i < 10; i++) wire.client.onWritable();
    wire.pair.run();
    expect(wire.got.slice(wire.got.indexOf('\r\n\r\n') + 4)).toBe('8\r\nabcdefgh\r\n0\r\n\r\n');
  });
});

describe('octets that came before they were asked for', () => {
  it('are not taken for the answer to the next request', () => {
    const wire = new Wire();
    wire.pair.b.send(bytesOf('HTTP/1.1 200 OK\r\n\r\n'), 0, 19);
    wire.pair.b.transfer(100);
    expect(wire.client.reusable).toBe(false);
  });
});

describe('against our server', () => {
  it('a megabyte each way at once through small buffers, paused and drained, twice over one connection', () => {
    const pair = new MemoryPair({ capacity: 4096, step: 1500, peek: 1000 });
    new HttpServerStream(pair.b, {
      onRequest(request, response) {
        let held: Uint8Array = new Uint8Array(0);
        const push = (): void => {
          held = held.subarray(response.write(held));
          if (held.length > 0) request.pause();
          else request.resume();
        };
        request.onData = (bytes, from, to) => {
          held = bytesOf(textOf(held) + textOf(bytes.subarray(from, to)));
          push();
        };
        response.onDrain = push;
        request.onEnd = () => response.end(held);
      },
    });
    const client = new HttpClientStream(pair.a);
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 255);
    for (let round = 0; round < 2; round++) {
      const log = new Log();
      let at = 0;
      const exchange: ClientExchange = client.request(
        { method: 'POST', target: '/', headers: { Host: 'a' }, body: 'stream' },
        log,
      );
      log.drain = () => {
        while (at < bytes.length) {
          const n = exchange.write(bytes, at, bytes.length);
          at += n;
          if (n === 0) return;
        }
        exchange.end();
      };
      let n = 0;
      log.data = () => {
        if (++n % 3 === 0) exchange.pause();
      };
      log.drain();
      for (let i = 0; i < 5000 && !log.events.includes('end'); i++) {
        pair.run();
        exchange.resume();
      }
      expect(log.events).toEqual(['response 200', 'end']);
      expect(log.body === textOf(bytes)).toBe(true);
      expect(client.reusable).toBe(true);
    }
  });
});
