// What `fetch` does beyond one exchange: redirects, content codings, timeouts, signals, limits.

import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createWeb, type Web, type WebOptions } from '../../src/web/index.ts';
import { drain, put } from '../http/conversation.ts';
import { MemoryNet, settled, turns } from './memory-host.ts';
import { VirtualTime } from './virtual-time.ts';

const BASE = 'http://10.0.0.2';

interface Setup {
  net: MemoryNet;
  time: VirtualTime;
  web: Web;
  /** Every request that was served: method, path, what it carried. */
  seen: string[];
}

/** A client with a clock of its own, and servers at 10.0.0.2 and 10.0.0.3. */
function setup(fetch: (request: Request) => Response | Promise<Response>, options: WebOptions = {}): Setup {
  const net = new MemoryNet();
  const time = new VirtualTime();
  const seen: string[] = [];
  for (const address of ['10.0.0.2', '10.0.0.3']) {
    createWeb(net.host(address), { clock: null }).serve({
      port: 80,
      fetch: async (request) => {
        const { pathname, hostname } = new URL(request.url);
        const copy = request.clone();
        const carried = ['authorization', 'cookie', 'content-type'].filter((name) => request.headers.has(name)).join();
        seen.push(`${request.method} ${hostname}${pathname} ${await copy.text()} ${carried}`.trim());
        return await fetch(request);
      },
    });
  }
  return { net, time, seen, web: createWeb(net.host('10.0.0.1'), { clock: time, ...options }) };
}

/** Redirects `/from` with `status` to `to`; everything else is answered with its path. */
function redirecting(status: number, to: string): (request: Request) => Response {
  return (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== '/from') return new Response(pathname);
    return new Response('moved', { status, headers: { Location: to } });
  };
}

function streaming(text: string): RequestInit {
  return { method: 'POST', body: new Blob([text]).stream(), duplex: 'half' } as RequestInit;
}

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('%i is followed on the same connection', async (status) => {
    const { web, seen, net } = setup(redirecting(status, '/to?x'));
    const response = await web.fetch(`${BASE}/from`);
    expect([await response.text(), response.redirected, response.url]).toEqual(['/to', true, `${BASE}/to?x`]);
    expect([seen.length, net.pairs.length]).toEqual([2, 1]);
  });
  it.each([
    [301, 'GET 10.0.0.2/to'],
    [302, 'GET 10.0.0.2/to'],
    [303, 'GET 10.0.0.2/to'],
    [307, 'POST 10.0.0.2/to hi content-type'],
    [308, 'POST 10.0.0.2/to hi content-type'],
  ])('[9110-15.4.8/1] %i makes of a POST: %s', async (status, line) => {
    const { web, seen } = setup(redirecting(status, '/to'));
    await web.fetch(`${BASE}/from`, { method: 'POST', body: 'hi' });
    expect(seen[1]).toBe(line);
  });
  it.each([
    [301, 'PUT'],
    [302, 'DELETE'],
    [303, 'HEAD'],
    [307, 'PATCH'],
  ])('[9110-15.4.8/1] %i leaves %s alone', async (status, method) => {
    const { web, seen } = setup(redirecting(status, '/to'));
    await web.fetch(`${BASE}/from`, { method });
    expect(seen[1]!.split(' ')[0]).toBe(method);
  });
  it('[9110-10.2.2/1] a fragment is inherited, unless the new URL has one', async () => {
    const { web } = setup(redirecting(302, '/to'));
    expect((await web.fetch(`${BASE}/from#a`)).url).toBe(`${BASE}/to#a`);
    const other = setup(redirecting(302, '/to#b'));
    expect((await other.web.fetch(`${BASE}/from#a`)).url).toBe(`${BASE}/to#b`);
  });
  it('credentials do not go to another origin', async () => {
    for (const [to, carried] of [
      ['/to', 'authorization,cookie'],
      ['http://10.0.0.3/to', ''],
      ['http://10.0.0.2:80/to', 'authorization,cookie'],
    ] as const) {
      const { web, seen } = setup(redirecting(302, to));
      const headers = new Headers({ Authorization: 'x', Cookie: 'y' });
      await web.fetch(`${BASE}/from`, { headers });
      expect(seen[1]!.split('  ')[1] ?? '').toBe(carried);
    }
  });
  it.each([
    ['ftp://10.0.0.2/', 'redirected to ftp:'],
    ['http://u:p@10.0.0.2/', 'credentials'],
    ['http://[', 'no URL'],
  ])('%s is not followed', async (to, why) => {
    const { web } = setup(redirecting(302, to));
    await expect(web.fetch(`${BASE}/from`)).rejects.toThrow(why);
  });
  it('content that was streamed cannot be sent again, and is not needed after 303', async () => {
    await expect(setup(redirecting(307, '/to')).web.fetch(`${BASE}/from`, streaming('hi'))).rejects.toThrow('streamed');
    const { web, seen } = setup(redirecting(303, '/to'));
    expect(await (await web.fetch(`${BASE}/from`, streaming('hi'))).text()).toBe('/to');
    expect(seen[1]).toBe('GET 10.0.0.2/to');
  });
  it('a circle ends after twenty', async () => {
    const { web, seen } = setup(redirecting(302, '/from'));
    await expect(web.fetch(`${BASE}/from`)).rejects.toThrow('more than 20');
    expect(seen.length).toBe(21);
  });
  it('without Location there is nothing to follow', async () => {
    const { web } = setup(() => new Response('here', { status: 302 }));
    expect(await (await web.fetch(BASE)).text()).toBe('here');
  });
});

describe('content codings', () => {
  const text = 'octets, '.repeat(5000);
  const codings: [string, Uint8Array][] = [
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity', new TextEncoder().encode(text)],
    ['unheard-of', new TextEncoder().encode(text)],
  ];
  it.each(codings)('%s is undone, or left alone', async (coding, bytes) => {
    const { web } = setup(() => new Response(new Uint8Array(bytes), { headers: { 'Content-Encoding': coding } }));
    expect(await (await web.fetch(BASE)).text()).toBe(text);
  });
  it('are asked for when the program does not say, and not for a range', async () => {
    const { web } = setup((request) => new Response(request.headers.get('accept-encoding')));
    expect(await (await web.fetch(BASE)).text()).toBe('gzip, deflate');
    expect(await (await web.fetch(BASE, { headers: { 'Accept-Encoding': 'x' } })).text()).toBe('x');
    expect(await (await web.fetch(BASE, { headers: { Range: 'bytes=0-1' } })).text()).toBe('identity');
  });
  it('of no content are no content', async () => {
    const { web } = setup(() => new Response(null, { headers: { 'Content-Encoding': 'gzip' } }));
    expect(await (await web.fetch(BASE)).text()).toBe('');
  });
  it('a bomb goes off at its limit and takes the connection along', async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(20_000_000)));
    const { web } = setup(() => new Response(bomb, { headers: { 'Content-Encoding': 'gzip' } }), {
      maxDecoded: 1_000_000,
    });
    const response = await web.fetch(BASE);
    await expect(response.arrayBuffer()).rejects.toThrow('1000000 octets');
  });
  it('a bomb costs nothing while nobody reads', async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(50_000_000)));
    const { web } = setup(() => new Response(bomb, { headers: { 'Content-Encoding': 'gzip' } }));
    const reader = (await web.fetch(BASE)).body!.getReader();
    const first = await reader.read();
    expect(first.value!.length).toBeLessThan(1_000_000);
    await reader.cancel();
  });
  it('content that is not what it says fails the read', async () => {
    const { web } = setup(() => new Response('this is no gzip', { headers: { 'Content-Encoding': 'gzip' } }));
    await expect((await web.fetch(BASE)).text()).rejects.toThrow();
    const cut = gzipSync(text).subarray(0, 50);
    const other = setup(() => new Response(new Uint8Array(cut), { headers: { 'Content-Encoding': 'gzip' } }));
    await expect((await other.web.fetch(BASE)).text()).rejects.toThrow();
  });
});

describe('timeouts', () => {
  const code = (error: unknown): string => ((error as Error).cause as { code: string }).code;

  it('of a connection that does not open', async () => {
    const { web, time } = setup(() => new Response(), { timeouts: { connect: 500 } });
    const asked = web.fetch('http://192.0.2.1/').catch(code);
    await turns(5);
    await time.pass(499);
    expect(await settled(asked)).toBe('pending');
    await time.pass(1);
    expect(await asked).toBe('ETIMEDOUT');
  });
  it('of an answer that does not come', async () => {
    const { web, time } = setup(() => new Promise(() => {}), { timeouts: { headers: 500 } });
    const asked = web.fetch(BASE).catch(code);
    await turns(20);
    await time.pass(499);
    expect(await settled(asked)).toBe('pending');
    await time.pass(1);
    expect(await asked).toBe('ETIMEDOUT');
  });
  it('of content that stops coming, while it is read', async () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(3)) });
    const { web, time } = setup(() => new Response(body), { timeouts: { body: 500 } });
    const asked = web.fetch(BASE);
    await turns(30);
    const reader = (await asked).body!.getReader();
    expect((await reader.read()).value?.length).toBe(3);
    await time.pass(10_000);
    const next = reader.read().catch(code);
    await time.pass(499);
    expect(await settled(next)).toBe('pending');
    await time.pass(1);
    expect(await next).toBe('ETIMEDOUT');
  });
});

describe('signals', () => {
  it('take a request out of the line', async () => {
    const { web, seen } = setup(() => new Promise(() => {}), { perOrigin: 1 });
    void web.fetch(`${BASE}/1`).catch(() => undefined);
    await turns(20);
    const stop = new AbortController();
    const second = web.fetch(`${BASE}/2`, { signal: stop.signal });
    await turns(20);
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(seen).toEqual(['GET 10.0.0.2/1']);
  });
  it('end a redirect that is being followed', async () => {
    const stop = new AbortController();
    const { web } = setup((request) => {
      if (request.url.endsWith('/from')) return redirecting(302, '/to')(request);
      stop.abort(new Error('enough'));
      return new Promise(() => {});
    });
    await expect(web.fetch(`${BASE}/from`, { signal: stop.signal })).rejects.toThrow('enough');
  });
  it('reset a socket, before and after it opens', async () => {
    const { web } = setup(() => new Response());
    for (const wait of [0, 10]) {
      const stop = new AbortController();
      const socket = web.connect({ hostname: '10.0.0.2', port: 80 }, { signal: stop.signal });
      await turns(wait);
      stop.abort(new Error('enough'));
      await expect(socket.closed).rejects.toThrow('enough');
      await expect(socket.readable.getReader().read()).rejects.toThrow('enough');
    }
    const never = web.connect({ hostname: '10.0.0.2', port: 80 }, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(never.opened).rejects.toThrow('enough');
  });
  it('close a listener', async () => {
    const net = new MemoryNet();
    const stop = new AbortController();
    const listener = createWeb(net.host('10.0.0.9'), { clock: null }).listen({ port: 7, signal: stop.signal });
    const next = listener.next();
    stop.abort();
    expect([(await next).done, net.listeners.size]).toEqual([true, 0]);
  });
});

describe('requests', () => {
  it('beyond the limit of an origin wait for a connection', async () => {
    const answers: (() => void)[] = [];
    const { web, seen, net } = setup(
      (request) => new Promise((resolve) => void answers.push(() => resolve(new Response(request.url)))),
      { perOrigin: 2 },
    );
    const asked = [0, 1, 2, 3].map(async (i) => (await web.fetch(`${BASE}/${i}`)).text());
    await turns(30);
    expect([seen.length, net.pairs.length]).toEqual([2, 2]);
    while (answers.length > 0) {
      answers.shift()!();
      await turns(30);
    }
    expect(await Promise.all(asked)).toEqual([0, 1, 2, 3].map((i) => `${BASE}/${i}`));
    expect(net.pairs.length).toBe(2);
  });
  it('with Expect are sent again without it when the server answers 417', async () => {
    const net = new MemoryNet();
    const heads: string[] = [];
    net.host('10.0.0.2').listen({ port: 80 }, (stream) => {
      let got = '';
      const handler = {
        onReadable: () => {
          got += drain(stream);
          if (stream.ended) stream.shutdown();
          if (!got.includes('\r\n\r\n')) return;
          heads.push(got);
          const expects = got.includes('expect');
          got = '';
          put(stream, `HTTP/1.1 ${expects ? '417 x' : '200 OK'}\r\nContent-Length: 0\r\n\r\n`);
        },
      };
      stream.handler = handler;
      // What came before there was a handler.
      handler.onReadable();
    });
    const web = createWeb(net.host('10.0.0.1'), { clock: null });
    const headers = { Expect: '100-continue' };
    const response = await web.fetch(BASE, { method: 'PUT', body: 'hi', headers });
    expect([response.status, heads.length]).toEqual([200, 2]);
    expect([heads[0]!.endsWith('\r\n\r\n'), heads[1]!.endsWith('\r\n\r\nhi')]).toEqual([true, true]);
  });
});
