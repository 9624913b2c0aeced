// `fetch` and `serve` over hosts in memory.

import { describe, expect, it } from 'vitest';
import { createWeb, type ServeOptions, type Web, type WebServer } from '../../src/web/index.ts';
import type { MemoryPairOptions } from '../http/memory-stream.ts';
import { MemoryNet, settled, turns, until } from './memory-host.ts';

const HOUR = Date.UTC(2026, 0, 2, 3, 4, 5);
const BASE = 'http://10.0.0.2:8080';

interface Setup {
  net: MemoryNet;
  web: Web;
  server: WebServer;
  errors: unknown[];
}

/** A server and a client on hosts of their own. */
function setup(fetch: ServeOptions['fetch'], more: Partial<ServeOptions> = {}, pair: MemoryPairOptions = {}): Setup {
  const net = new MemoryNet(pair);
  const errors: unknown[] = [];
  const server = createWeb(net.host('10.0.0.2'), { clock: null, timeOfDay: () => HOUR }).serve({
    port: 8080,
    fetch,
    onError: (error) => errors.push(error),
    ...more,
  });
  return { net, web: createWeb(net.host('10.0.0.1'), { clock: null }), server, errors };
}

function pattern(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

/** An init with a streamed body, which the DOM's types do not know yet. */
function streaming(body: ReadableStream<Uint8Array>, more: RequestInit = {}): RequestInit {
  return { method: 'POST', body, duplex: 'half', ...more } as RequestInit;
}

describe('fetch and serve', () => {
  it('exchange a request and a response with their heads', async () => {
    const { web } = setup(async (request, info) => {
      expect(info.remoteAddress).toBe('10.0.0.1');
      const { method, url } = request;
      return Response.json({ method, url, x: request.headers.get('x-a'), host: request.headers.get('host') });
    });
    const response = await web.fetch(`${BASE}/a/b?c=d#e`, { headers: { 'X-A': 'yes' } });
    expect([response.status, response.statusText, response.url]).toEqual([200, 'OK', `${BASE}/a/b?c=d#e`]);
    expect(response.headers.get('date')).toBe('Fri, 02 Jan 2026 03:04:05 GMT');
    expect(response.headers.get('content-length')).not.toBeNull();
    expect(await response.json()).toEqual({ method: 'GET', url: `${BASE}/a/b?c=d`, x: 'yes', host: '10.0.0.2:8080' });
  });

  it('carry 1 MB each way at once', async () => {
    const { web } = setup((request) => new Response(request.body));
    const bytes = pattern(1_000_000);
    const chunks = Array.from({ length: 10 }, (_, i) => bytes.subarray(i * 100_000, (i + 1) * 100_000));
    const streamed = await web.fetch(BASE, streaming(streamOf(...chunks)));
    expect(Buffer.compare(new Uint8Array(await streamed.arrayBuffer()), bytes)).toBe(0);
    const whole = await web.fetch(BASE, { method: 'PUT', body: bytes });
    expect(Buffer.compare(new Uint8Array(await whole.arrayBuffer()), bytes)).toBe(0);
  });

  it('tell a length when it is known, and chunks when it is not', async () => {
    const { web } = setup(async (request) => {
      const told = `${request.headers.get('content-length')} ${request.headers.get('transfer-encoding')}`;
      return new Response(`${told} ${await request.text()}`);
    });
    expect(await (await web.fetch(BASE, { method: 'POST', body: 'abc' })).text()).toBe('3 null abc');
    const response = await web.fetch(BASE, streaming(streamOf(new TextEncoder().encode('abc'))));
    expect(await response.text()).toBe('null chunked abc');
  });

  it('do not hold content back: an event arrives before the next exists', async () => {
    let push!: ReadableStreamDefaultController<Uint8Array>;
    const events = new ReadableStream<Uint8Array>({
      start: (controller) => {
        push = controller;
      },
    });
    const { web } = setup(() => new Response(events));
    const asked = web.fetch(BASE);
    await turns(5);
    push.enqueue(pattern(3));
    const response = await asked;
    const reader = response.body!.getReader();
    expect((await reader.read()).value).toEqual(pattern(3));
    const next = reader.read();
    expect(await settled(next)).toBe('pending');
    push.close();
    expect((await next).done).toBe(true);
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 205],
    ['GET', 304],
  ])('know that %s %i has no content', async (method, status) => {
    const { web, net } = setup(() => new Response(status === 200 ? 'body' : null, { status }));
    const response = await web.fetch(BASE, { method });
    expect([response.status, response.body]).toEqual([status, null]);
    expect((await web.fetch(BASE, { method })).status).toBe(status);
    expect(net.pairs.length).toBe(1);
  });

  it('keep lines of Set-Cookie apart', async () => {
    const { web } = setup(() => {
      const headers = new Headers([
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ]);
      return new Response(null, { headers });
    });
    expect((await web.fetch(BASE)).headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('give a redirect to the program that wants it', async () => {
    const { web } = setup(() => new Response(null, { status: 302, headers: { Location: '/x' } }));
    expect((await web.fetch(BASE, { redirect: 'manual' })).status).toBe(302);
    await expect(web.fetch(BASE, { redirect: 'error' })).rejects.toThrow('redirected');
  });

  it('use one connection for exchanges that follow each other, and several at once', async () => {
    const { web, net, server } = setup((request) => new Response(new URL(request.url).pathname));
    for (let i = 0; i < 3; i++) expect(await (await web.fetch(`${BASE}/${i}`)).text()).toBe(`/${i}`);
    expect(net.pairs.length).toBe(1);
    const texts = await Promise.all([0, 1, 2, 3].map(async (i) => (await web.fetch(`${BASE}/${i}`)).text()));
    expect(texts).toEqual(['/0', '/1', '/2', '/3']);
    expect(net.pairs.length).toBe(4);
    web.close();
    await until(() => server.connections === 0);
  });

  it('try once more when a kept connection was closed meanwhile', async () => {
    const { web, net, server } = setup(() => new Response('ok'));
    await (await web.fetch(BASE)).text();
    // The server goes away without a word that could have come in time.
    net.last.b.fail = () => undefined;
    const { a } = net.last;
    const send = a.send.bind(a);
    a.send = (bytes, from, to) => {
      const n = send(bytes, from, to);
      net.last.b.abort();
      a.send = send;
      return n;
    };
    expect(await (await web.fetch(BASE)).text()).toBe('ok');
    expect(net.pairs.length).toBe(2);
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});

describe('back-pressure', () => {
  it('stops an upload whose handler does not read', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1000;
        controller.enqueue(new Uint8Array(1000));
        if (pulled === 1_000_000) controller.close();
      },
    });
    let read!: () => void;
    const held = new Promise<void>((resolve) => {
      read = resolve;
    });
    const { web } = setup(
      async (request) => {
        await held;
        return new Response(String((await request.arrayBuffer()).byteLength));
      },
      {},
      { capacity: 10_000 },
    );
    const asked = web.fetch(BASE, streaming(body));
    await turns(300);
    expect(pulled).toBeLessThan(25_000);
    read();
    expect(await (await asked).text()).toBe('1000000');
  });

  it('delivers one piece for each read, both ways', async () => {
    let taken!: () => void;
    const more = new Promise<void>((resolve) => {
      taken = resolve;
    });
    const { web, net } = setup(
      async (request) => {
        const reader = request.body!.getReader();
        await reader.read();
        await more;
        return new Response(
          new ReadableStream<Uint8Array>({
            pull: async (controller) => {
              const { done, value } = await reader.read();
              if (done) controller.close();
              else controller.enqueue(value);
            },
          }),
        );
      },
      {},
      { capacity: 10_000, peek: 2000 },
    );
    const bytes = pattern(100_000);
    const asked = web.fetch(BASE, { method: 'POST', body: bytes });
    await turns(100);
    expect(net.last.a.sentTotal).toBeLessThan(15_000);
    taken();
    const response = await asked;
    const reader = response.body!.getReader();
    await reader.read();
    await turns(100);
    expect(net.last.a.sentTotal).toBeLessThan(50_000);
    let got = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) got += next.value.length;
    expect(got).toBeGreaterThan(90_000);
  });

  it('stops a handler whose response nobody reads', async () => {
    let pulled = 0;
    const { web } = setup(
      () =>
        new Response(
          new ReadableStream<Uint8Array>({
            pull: (controller) => {
              pulled += 1000;
              controller.enqueue(new Uint8Array(1000));
              if (pulled === 1_000_000) controller.close();
            },
          }),
        ),
      {},
      { capacity: 10_000 },
    );
    const response = await web.fetch(BASE);
    await turns(300);
    expect(pulled).toBeLessThan(25_000);
    expect((await response.arrayBuffer()).byteLength).toBe(1_000_000);
  });
});

describe('a handler that fails', () => {
  it('harms only its request', async () => {
    const { web, errors, net } = setup((request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/throw') throw new Error('one');
      if (pathname === '/reject') return Promise.reject(new Error('two'));
      if (pathname === '/nothing') return undefined as unknown as Response;
      if (pathname === '/error') return Response.error();
      return new Response('fine');
    });
    for (const path of ['/throw', '/reject', '/nothing', '/error']) {
      expect((await web.fetch(BASE + path)).status).toBe(500);
      expect(await (await web.fetch(BASE)).text()).toBe('fine');
    }
    expect(errors.length).toBe(4);
    expect(net.pairs.length).toBeLessThanOrEqual(2);
  });
  it('in the middle of its content breaks the response', async () => {
    let sent = 0;
    const { web, errors } = setup(
      () =>
        new Response(
          new ReadableStream<Uint8Array>({
            pull: async (controller) => {
              await turns(10);
              if (sent++ === 2) controller.error(new Error('broken'));
              else controller.enqueue(pattern(10));
            },
          }),
        ),
    );
    const response = await web.fetch(BASE);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(errors).toMatchObject([{ message: 'broken' }]);
  });
});

describe('no promise stays pending', () => {
  it('when the client aborts: before the answer, during it, during the upload', async () => {
    const signals: AbortSignal[] = [];
    const { web, server } = setup((request) => {
      signals.push(request.signal);
      if (new URL(request.url).pathname === '/never') return new Promise<Response>(() => undefined);
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(pattern(5)) }));
    });
    const before = new AbortController();
    const waiting = web.fetch(`${BASE}/never`, { signal: before.signal });
    await turns(20);
    before.abort(new RangeError('enough'));
    await expect(waiting).rejects.toThrow('enough');

    const during = new AbortController();
    const response = await web.fetch(BASE, { signal: during.signal });
    const reader = response.body!.getReader();
    await reader.read();
    const next = reader.read();
    during.abort();
    await expect(next).rejects.toThrow('abort');

    let cancelled: unknown = null;
    const upload = new AbortController();
    const body = new ReadableStream<Uint8Array>({
      cancel: (reason) => {
        cancelled = reason;
      },
    });
    const uploading = web.fetch(`${BASE}/never`, streaming(body, { signal: upload.signal }));
    await turns(20);
    upload.abort(new RangeError('no more'));
    await expect(uploading).rejects.toThrow('no more');
    expect(cancelled).toMatchObject({ message: 'no more' });

    await until(() => server.connections === 0);
    expect(signals.map((s) => s.aborted)).toEqual([true, true, true]);
    await expect(web.fetch(BASE, { signal: AbortSignal.abort(new RangeError('early')) })).rejects.toThrow('early');
  });

  it('when the reader cancels the response, the handler learns of it', async () => {
    let cancelled = false;
    const { web, server } = setup(
      () =>
        new Response(
          new ReadableStream({
            pull: async (controller) => {
              await turns(1);
              controller.enqueue(pattern(1000));
            },
            cancel: () => {
              cancelled = true;
            },
          }),
        ),
    );
    const response = await web.fetch(BASE);
    await response.body!.cancel();
    await until(() => cancelled && server.connections === 0);
  });

  it('when the server resets: fetch rejects, or the body does', async () => {
    const { web, net } = setup(async (request) => {
      if (new URL(request.url).pathname === '/half') {
        return new Response(new ReadableStream({ start: (controller) => controller.enqueue(pattern(5)) }));
      }
      return await new Promise<Response>(() => undefined);
    });
    const waiting = web.fetch(BASE);
    await turns(20);
    net.last.b.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'TypeError', cause: { code: 'ECONNRESET' } });
    const response = await web.fetch(`${BASE}/half`);
    const body = response.arrayBuffer();
    await turns(20);
    net.last.b.abort();
    await expect(body).rejects.toThrow('ECONNRESET');
  });

  it.each([
    ['http://10.0.0.9/', { cause: { code: 'ECONNREFUSED' } }],
    ['http://0.0.0.0/', { cause: { code: 'ENETUNREACH' } }],
    ['http://example.org/', { message: expect.stringContaining('lookup') }],
    ['https://10.0.0.9/', { cause: { code: 'ECONNREFUSED' } }],
    ['ftp://10.0.0.2/', { message: expect.stringContaining('http:') }],
  ])('for %s, which cannot be reached', async (url, error) => {
    const web = createWeb(new MemoryNet().host('10.0.0.1'), { clock: null });
    await expect(web.fetch(url)).rejects.toMatchObject({ name: 'TypeError', ...error });
    await expect(web.fetch(url, streaming(streamOf(pattern(3))))).rejects.toMatchObject({ name: 'TypeError' });
  });

  it('when the server closes: idle connections end, busy ones finish, close() settles', async () => {
    let answer!: (response: Response) => void;
    const { web, server } = setup((request) => {
      if (request.url.endsWith('/idle')) return new Response('idle');
      return new Promise<Response>((resolve) => {
        answer = resolve;
      });
    });
    await (await web.fetch(`${BASE}/idle`)).text();
    const busy = web.fetch(`${BASE}/busy`);
    await until(() => answer !== undefined);
    const closing = server.close();
    expect(await settled(closing)).toBe('pending');
    answer(new Response('last'));
    const response = await busy;
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.text()).toBe('last');
    await closing;
    await expect(web.fetch(BASE)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('when the server closes by force: handlers are aborted, fetch rejects', async () => {
    let signal: AbortSignal | null = null;
    const { web, server } = setup((request) => {
      signal = request.signal;
      return new Promise<Response>(() => undefined);
    });
    const asked = web.fetch(BASE);
    await until(() => signal !== null);
    await Promise.all([server.close({ force: true }), expect(asked).rejects.toThrow('ECONNRESET')]);
    expect(signal!.aborted).toBe(true);
  });
});

describe('what a server is asked', () => {
  /** What comes back for octets sent as they are. */
  async function raw(text: string, fetch: ServeOptions['fetch']): Promise<string> {
    const { web } = setup(fetch);
    const socket = web.connect({ hostname: '10.0.0.2', port: 8080 }, { allowHalfOpen: true });
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    return await new Response(socket.readable as unknown as BodyInit).text();
  }
  const url: ServeOptions['fetch'] = (request) => new Response(request.url);
  it.each([
    ['GET /a HTTP/1.1\r\nHost: x:1\r\n\r\n', 'http://x:1/a'],
    ['GET //y/a HTTP/1.1\r\nHost: x\r\n\r\n', 'http://x//y/a'],
    ['GET http://z/b?c HTTP/1.1\r\nHost: x\r\n\r\n', 'http://z/b?c'],
    ['GET /a HTTP/1.0\r\n\r\n', 'http://10.0.0.2:8080/a'],
    ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 'http://x/'],
  ])('%j is %s', async (text, expected) => {
    expect((await raw(text, url)).endsWith(expected)).toBe(true);
  });
  it('methods that the platform does not take are answered with 501, and hosts that are no URL with 400', async () => {
    expect(await raw('TRACE / HTTP/1.1\r\nHost: x\r\n\r\n', url)).toMatch(/^HTTP\/1\.1 501 /);
    expect(await raw('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', url)).toMatch(/^HTTP\/1\.1 501 /);
    expect(await raw('GET / HTTP/1.1\r\nHost: a%00\r\n\r\n', url)).toMatch(/^HTTP\/1\.1 400 /);
  });
  it('GET with content: it is dropped, and the next request is answered', async () => {
    const both = await raw(
      'GET /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: x\r\n\r\n',
      url,
    );
    expect(both).toContain('http://x/1HTTP/1.1 200');
    expect(both.endsWith('http://x/2')).toBe(true);
  });
  it('content that the handler leaves unread does not stop the next request, nor abort the handler', async () => {
    const signals: AbortSignal[] = [];
    const post = 'POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc';
    await raw(`${post}GET /2 HTTP/1.1\r\nHost: x\r\n\r\n`, (request) => {
      signals.push(request.signal);
      return new Response();
    });
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false]);
  });
  it('content that is expected is asked for when the handler reads (RFC 9110 §10.1.1)', async () => {
    const { web } = setup(async (request) => new Response(await request.text()));
    const socket = web.connect({ hostname: '10.0.0.2', port: 8080 });
    const writer = socket.writable.getWriter();
    const say = (text: string): Promise<void> => writer.write(new TextEncoder().encode(text));
    const reader = socket.readable.getReader();
    const hear = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    await say('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
    expect(await hear()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    await say('abc');
    expect(await hear()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*abc$/s);
  });
  it('content that is expected is not asked for when the handler does not read', async () => {
    const text = await raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n', url);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain('onnection: close');
  });
  it('content that the handler leaves unread is skipped', async () => {
    const both = await raw(
      'POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: x\r\n\r\n',
      url,
    );
    expect(both.endsWith('http://x/2')).toBe(true);
  });
});

describe('timeouts', () => {
  it('are looked after on the clock that createWeb is given', async () => {
    const net = new MemoryNet();
    const timers = new Map<number, { at: number; fire: () => void }>();
    let now = 0;
    let id = 0;
    const clock = {
      now: () => now,
      setTimer: (fire: () => void, delay: number) => {
        timers.set(++id, { at: now + delay, fire });
        return id;
      },
      clearTimer: (timer: unknown) => void timers.delete(timer as number),
      holdTimer: () => undefined,
      soon: (run: () => void) => queueMicrotask(run),
    };
    const server = createWeb(net.host('10.0.0.2'), { clock }).serve({
      port: 80,
      fetch: () => new Response(),
      timeouts: { head: 5000 },
    });
    const socket = createWeb(net.host('10.0.0.1'), { clock: null }).connect({ hostname: '10.0.0.2', port: 80 });
    await socket.writable.getWriter().write(new TextEncoder().encode('GET'));
    const answer = new Response(socket.readable as unknown as BodyInit).text();
    await turns(10);
    for (let i = 0; i < 8; i++) {
      now += 1000;
      for (const [key, timer] of [...timers]) {
        if (timer.at > now) continue;
        timers.delete(key);
        timer.fire();
      }
      await turns(10);
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
    await until(() => server.connections === 0);
  });
});
