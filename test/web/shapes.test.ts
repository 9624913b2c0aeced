// What handlers of `serve` are given and may give: a request that passes for the platform's, and the quick `Response`.

import { describe, expect, it } from 'vitest';
import { createWeb, Response as Quick, replaceResponse, type ServeOptions } from '../../src/web/index.ts';
import { takeKnownContent } from '../../src/web/known-content.ts';
import { standsIn } from '../../src/web/served-request.ts';
import { drain, put } from '../http/conversation.ts';
import { MemoryNet, turns } from './memory-host.ts';

const HEAD = 'GET /a/../b?c=d HTTP/1.1\r\nHost: Example.org:80\r\nX-A: one\r\nX-A: two\r\n\r\n';

/** All that the server answers to these octets. */
async function answerTo(
  text: string,
  fetch: ServeOptions['fetch'],
  onError?: (error: unknown) => void,
): Promise<string> {
  const net = new MemoryNet();
  const timeOfDay = (): number => Date.UTC(2026, 0, 2, 3, 4, 5);
  createWeb(net.host('10.0.0.2'), { clock: null, timeOfDay }).serve({ port: 80, fetch, ...(onError && { onError }) });
  const stream = net.host('10.0.0.1').connect({ address: '10.0.0.2', port: 80 });
  let got = '';
  stream.handler = {
    onReadable: () => {
      got += drain(stream);
    },
  };
  await turns(5);
  put(stream, text);
  await turns(40);
  return got;
}

/** What `look` makes of the request in `text`. */
async function seen<T>(text: string, look: (request: Request) => T | Promise<T>): Promise<T> {
  let result: T | undefined;
  let failure: unknown = null;
  await answerTo(text, async (request) => {
    try {
      result = await look(request);
    } catch (error) {
      failure = error;
    }
    return new Response('ok');
  });
  if (failure !== null) throw failure;
  return result as T;
}

const post = (body: string, method = 'POST'): string =>
  `${method} /p HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('the request of a handler', () => {
  it('stands in for the platform’s where that can be: Node 20 and 22', () => {
    const major = Number(process.versions.node.split('.')[0]);
    expect(standsIn()).toBe(major < 24);
  });

  it('is a Request, with the URL in its normal form and the fields of the head', async () => {
    const told = await seen(HEAD, (request) => ({
      is: request instanceof Request,
      tag: String(request),
      made: request.constructor === Request,
      method: request.method,
      url: request.url,
      fields: [...request.headers],
      body: request.body,
      used: request.bodyUsed,
      redirect: request.redirect,
    }));
    expect(told).toEqual({
      is: true,
      tag: '[object Request]',
      made: true,
      method: 'GET',
      url: 'http://example.org/b?c=d',
      fields: [
        ['host', 'Example.org:80'],
        ['x-a', 'one, two'],
      ],
      body: null,
      used: false,
      redirect: 'manual',
    });
  });

  it('has a URL of its own, whatever the one before it on the connection named', async () => {
    const asked: string[] = [];
    const ask = (target: string, host: string): string => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const text = ask('/1', 'a') + ask('/2', 'a') + ask('//3', 'b') + ask('http://c/4', 'a') + ask('/5', 'a%00');
    const got = await answerTo(text, (request) => {
      asked.push(request.url);
      return new Response('ok');
    });
    expect(asked).toEqual(['http://a/1', 'http://a/2', 'http://b//3', 'http://c/4']);
    expect(got).toMatch(/HTTP\/1\.1 400 /);
  });

  it('gives the same fields and the same signal each time', async () => {
    const twice = await seen(HEAD, (request) => [
      new Set([request.headers, request.headers]).size,
      new Set([request.signal, request.signal]).size,
    ]);
    expect(twice).toEqual([1, 1]);
  });

  it('is taken by new Request and clone(), with fields as the program changed them, before and after', async () => {
    const told = await seen(HEAD, (request) => {
      request.headers.set('x-b', 'three');
      const first = new Request(request);
      request.headers.delete('x-a');
      const second = new Request(request, { method: 'PUT' });
      const third = request.clone();
      return [first, second, third].map((copy) => [
        copy.method,
        copy.url,
        copy.headers.get('x-a'),
        copy.headers.get('x-b'),
      ]);
    });
    expect(told).toEqual([
      ['GET', 'http://example.org/b?c=d', 'one, two', 'three'],
      ['PUT', 'http://example.org/b?c=d', null, 'three'],
      ['GET', 'http://example.org/b?c=d', null, 'three'],
    ]);
  });

  it('has content to read in every way, once', async () => {
    expect(await seen(post('abc'), (request) => request.text())).toBe('abc');
    expect(await seen(post('{"a":1}'), (request) => request.json())).toEqual({ a: 1 });
    expect(await seen(post('abc'), async (request) => new Response(request.body).text())).toBe('abc');
    expect(await seen(post('abc'), async (request) => new Request(request).text())).toBe('abc');
    expect(await seen(post('abc'), async (request) => (await request.clone().text()) + (await request.text()))).toBe(
      'abcabc',
    );
    const used = await seen(post('abc'), async (request) => {
      const before = request.bodyUsed;
      await request.arrayBuffer();
      return [before, request.bodyUsed, await request.text().catch((error: Error) => error.name)];
    });
    expect(used).toEqual([false, true, 'TypeError']);
  });

  it('has the method as the platform spells it, and any that it takes', async () => {
    expect(await seen(HEAD.replace('GET', 'get'), (request) => request.method)).toBe('GET');
    expect(await seen(HEAD.replace('GET', 'REPORT'), (request) => request.method)).toBe('REPORT');
    expect(await seen(HEAD.replace('GET', 'PATCH'), (request) => request.method)).toBe('PATCH');
  });

  it('passes the end of the client on to requests made of it', async () => {
    const net = new MemoryNet();
    const asked: Request[] = [];
    createWeb(net.host('10.0.0.2'), { clock: null }).serve({
      port: 80,
      fetch: (request) => {
        asked.push(request, new Request(request));
        return new Promise<Response>(() => undefined);
      },
    });
    const stream = net.host('10.0.0.1').connect({ address: '10.0.0.2', port: 80 });
    await turns(5);
    put(stream, HEAD);
    await turns(10);
    expect(asked.map((request) => request.signal.aborted)).toEqual([false, false]);
    stream.abort();
    await turns(10);
    expect(asked.map((request) => request.signal.aborted)).toEqual([true, true]);
  });

  it('has a signal that is aborted when the client is gone before anybody asks for it', async () => {
    const net = new MemoryNet();
    const asked: Request[] = [];
    createWeb(net.host('10.0.0.2'), { clock: null }).serve({
      port: 80,
      fetch: (request) => {
        asked.push(request);
        return new Promise<Response>(() => undefined);
      },
    });
    const stream = net.host('10.0.0.1').connect({ address: '10.0.0.2', port: 80 });
    await turns(5);
    put(stream, HEAD);
    await turns(10);
    stream.abort();
    await turns(10);
    expect(asked[0]?.signal.aborted).toBe(true);
  });
});

/** The same answer by the platform's class and by ours. */
type Make = (R: typeof Response) => Response;

const SAME: ReadonlyArray<readonly [string, Make]> = [
  ['text', (R) => new R('hé\u{1f600}llo')],
  ['no text', (R) => new R('')],
  ['nothing', (R) => new R()],
  ['nothing, by null', (R) => new R(null, { status: 404 })],
  ['octets', (R) => new R(Uint8Array.of(1, 2, 3))],
  ['octets of a view', (R) => new R(new DataView(new ArrayBuffer(9), 2, 3))],
  ['a buffer', (R) => new R(new ArrayBuffer(4))],
  ['fields', (R) => new R('a', { status: 201, headers: { 'X-B': 'c', 'Content-Type': 'text/html' } })],
  ['fields without a type', (R) => new R('a', { headers: [['x-b', 'c']] })],
  ['a phrase', (R) => new R('a', { statusText: 'Fine' })],
  ['JSON', (R) => R.json({ a: [1] }, { status: 202, headers: { 'x-b': 'c' } })],
  ['JSON with a type', (R) => R.json(null, { headers: { 'content-type': 'application/problem+json' } })],
  ['a redirect', (R) => R.redirect('http://a/b', 303)],
  ['an error', (R) => R.error()],
  ['parameters', (R) => new R(new URLSearchParams({ a: 'b c' }))],
  ['a blob', (R) => new R(new Blob(['abc'], { type: 'text/css' }))],
  ['no content', (R) => new R(null, { status: 204 })],
  [
    'fields changed later',
    (R) => {
      const response = new R('a');
      response.headers.append('set-cookie', 'a=1');
      response.headers.append('set-cookie', 'b=2');
      return response;
    },
  ],
  [
    'its type taken away',
    (R) => {
      const response = new R('a');
      response.headers.delete('content-type');
      return response;
    },
  ],
  [
    'one that was cloned and changed',
    (R) => {
      const response = new R('a', { status: 203, headers: { 'x-a': 'b' } });
      response.clone();
      response.headers.set('x-a', 'c');
      return response;
    },
  ],
  [
    'one made of another',
    (R) => {
      const response = new R('abc', { status: 203, headers: { 'x-a': 'b' } });
      return new R(response.body, response);
    },
  ],
  ['a declared length', (R) => new R('abc', { headers: { 'content-length': '3' } })],
  ['a length that is wrong', (R) => new R('abc', { headers: { 'content-length': '7' } })],
  [
    'one whose content was read',
    (R) => {
      const response = new R('abc');
      void response.text();
      return response;
    },
  ],
];

describe('Response of synfin/web', () => {
  it.each(SAME)('goes out as the platform’s: %s', async (_, make) => {
    const [theirs, ours] = [Response, Quick as typeof Response].map((R) =>
      answerTo(
        HEAD,
        () => make(R),
        () => undefined,
      ),
    );
    expect(await ours).toBe(await theirs);
    expect(await ours).toMatch(/^HTTP\/1\.1 \d{3} |^$/);
  });

  it('tells its length in an answer to HEAD', async () => {
    const got = await answerTo(HEAD.replace('GET', 'HEAD'), () => new Quick('abc'));
    expect(got).toContain('\r\nContent-Length: 3\r\n');
    expect(got.endsWith('\r\n\r\n')).toBe(true);
  });

  it('is a Response, and every Response is one of it', () => {
    expect([new Quick('a') instanceof Response, new Quick('a') instanceof Quick]).toEqual([true, true]);
    expect([new Response('a') instanceof Quick, {} instanceof Quick]).toEqual([true, false]);
    expect(String(new Quick('a'))).toBe('[object Response]');
  });

  it('reads as the platform’s', async () => {
    const make = (): Response => new Quick('{"a":1}', { status: 201, headers: { 'x-a': 'b' } });
    const told = make();
    expect([told.status, told.ok, told.statusText, told.type, told.url, told.redirected, told.bodyUsed]).toEqual([
      201,
      true,
      '',
      'default',
      '',
      false,
      false,
    ]);
    expect(await make().json()).toEqual({ a: 1 });
    expect(await make().text()).toBe('{"a":1}');
    expect(Buffer.from(await make().arrayBuffer()).toString()).toBe('{"a":1}');
    expect(await (await make().blob()).text()).toBe('{"a":1}');
    const copy = told.clone();
    expect([copy.headers.get('x-a'), await copy.text(), await told.text(), told.bodyUsed]).toEqual([
      'b',
      '{"a":1}',
      '{"a":1}',
      true,
    ]);
    expect([new Quick().body, new Quick('a').body instanceof ReadableStream]).toEqual([null, true]);
  });

  it.each([
    ['a status below 200', null, { status: 199 }],
    ['a status above 599', null, { status: 600 }],
    ['content with 204', 'a', { status: 204 }],
    ['content with 304', 'a', { status: 304 }],
    ['a phrase with a line end', 'a', { statusText: 'a\r\nb' }],
    ['a name that is none', 'a', { headers: { 'a b': 'c' } }],
  ])('throws what the platform’s throws: %s', (_, body, init) => {
    const thrown = (R: typeof Response): unknown => {
      try {
        return new R(body, init as ResponseInit);
      } catch (error) {
        return (error as Error).name;
      }
    };
    expect(thrown(Quick as typeof Response)).toMatch(/Error$/);
    expect(thrown(Quick as typeof Response)).toBe(thrown(Response));
  });

  it('keeps octets as they were when it was made', async () => {
    const bytes = new Uint8Array([0x61]);
    const response = new Quick(bytes);
    bytes[0] = 0x62;
    expect(await answerTo(HEAD, () => response)).toMatch(/\r\n\r\na$/);
  });

  it('can be sent once, as the platform’s; without content, as often as one likes', async () => {
    const twice = `${HEAD}${HEAD}`;
    for (const R of [Response, Quick as typeof Response]) {
      const [full, empty] = [new R('abc'), new R(null, { status: 204 })];
      expect(
        (
          await answerTo(
            twice,
            () => full,
            () => undefined,
          )
        ).match(/HTTP\/1\.1 \d+/g),
      ).toEqual(['HTTP/1.1 200', 'HTTP/1.1 500']);
      expect((await answerTo(twice, () => empty)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 204', 'HTTP/1.1 204']);
      expect([full.bodyUsed, await full.text().catch((error: Error) => error.name)]).toEqual([true, 'TypeError']);
    }
  });

  it('carries trailers as any', async () => {
    const got = await answerTo(HEAD, (_, info) => {
      info.sendTrailers(() => ({ 'x-sum': '1' }));
      return new Quick('abc');
    });
    expect(got).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n$/);
  });
});

describe('the platform’s Response', () => {
  const bytes = Uint8Array.of(1, 2, 3);

  it('tells what it was made of, once, where the platform keeps it: Node 20 and 22', () => {
    const kept = Number(process.versions.node.split('.')[0]) < 24;
    for (const content of ['hé', '', bytes]) {
      const response = new Response(content);
      expect(takeKnownContent(response)).toEqual(kept ? content : undefined);
      expect(response.bodyUsed).toBe(kept);
      expect(takeKnownContent(response)).toBeUndefined();
    }
  });

  it('is read by its stream when that is all there is, or somebody else has it', async () => {
    const stream = (): ReadableStream => new Blob(['abc']).stream();
    class Other extends Response {
      override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
        return new Response('its own').body;
      }
    }
    const [locked, read] = [new Response('abc'), new Response('abc')];
    locked.body?.getReader();
    await read.text();
    const all = [
      new Response(),
      new Response(stream()),
      new Response(new Blob(['abc'])),
      new Other('abc'),
      locked,
      read,
    ];
    expect(all.map((response) => takeKnownContent(response))).toEqual(all.map(() => undefined));
    expect(await answerTo(HEAD, () => new Other('abc'))).toMatch(/Content-Length: 7\r\n\r\nits own$/);
  });

  it('leaves a clone its content', async () => {
    let clone: Response | undefined;
    const got = await answerTo(HEAD, () => {
      const response = new Response('abc');
      clone = response.clone();
      return response;
    });
    expect(got).toMatch(/\r\n\r\nabc$/);
    expect(await clone?.text()).toBe('abc');
  });

  it('carries trailers and long text', async () => {
    const got = await answerTo(HEAD, (_, info) => {
      info.sendTrailers(() => ({ 'x-sum': '1' }));
      return new Response('abc');
    });
    expect(got).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n$/);
    const long = 'é'.repeat(5000);
    const told = await answerTo(HEAD, () => new Response(long));
    expect(Buffer.from(told.slice(told.indexOf('\r\n\r\n') + 4), 'latin1').toString()).toBe(long);
  });

  it('gives its place to ours and gets it back', async () => {
    const theirs = Response;
    const native = new Response('a');
    const undo = replaceResponse();
    try {
      expect(Response).toBe(Quick);
      expect([new Response('a') instanceof theirs, native instanceof Response]).toEqual([true, true]);
      expect(await new Response(new Response('abc').body).text()).toBe('abc');
      expect(await new Response('abc').clone().text()).toBe('abc');
      expect(await answerTo(HEAD, () => new Response('abc'))).toMatch(/\r\n\r\nabc$/);
      expect(await answerTo(HEAD, () => native)).toMatch(/\r\n\r\na$/);
      expect((await answerTo(HEAD, () => Response.redirect('http://a/b'))).slice(0, 12)).toBe('HTTP/1.1 302');
    } finally {
      undo();
    }
    expect(Response).toBe(theirs);
    expect(new Quick('a') instanceof Response).toBe(true);
  });
});
