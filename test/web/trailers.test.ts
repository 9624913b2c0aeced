// Trailer fields of requests and of answers, between `fetch` and `serve`.

import { describe, expect, it } from 'vitest';
import { createWeb, type FetchOptions, type ServeOptions, trailersOf } from '../../src/web/index.ts';
import { drain, put } from '../http/conversation.ts';
import { MemoryNet, settled, until } from './memory-host.ts';

const BASE = 'http://10.0.0.2:8080';
const pieces = (...texts: string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    pull(controller) {
      const text = texts.shift();
      if (text === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(text));
    },
  });

function setup(fetch: ServeOptions['fetch']) {
  const net = new MemoryNet();
  const errors: unknown[] = [];
  const serving = createWeb(net.host('10.0.0.2'), { clock: null, timeOfDay: () => 0 });
  serving.serve({ port: 8080, fetch, onError: (error) => errors.push(error) });
  const web = createWeb(net.host('10.0.0.1'), { clock: null });
  const fetchWith = (init: RequestInit & FetchOptions & { duplex?: 'half' }): Promise<Response> =>
    web.fetch(BASE, init);
  /** What goes over the wire for this request. */
  const raw = async (text: string): Promise<string> => {
    const stream = net.host('10.0.0.3').connect({ address: '10.0.0.2', port: 8080 });
    let got = '';
    stream.handler = { onOpen: () => put(stream, text), onReadable: () => (got += drain(stream)) };
    await until(() => stream.ended);
    return got;
  };
  return { web, errors, fetchWith, raw };
}

const listed = async (trailers: Promise<Headers>): Promise<string> => [...(await trailers)].join(' ');

describe('trailers of an answer', () => {
  it.each([
    ['content in one piece', () => 'abc'],
    ['content in several', () => pieces('a', 'b', 'c')],
    ['no content', () => null],
  ])('come behind %s, whether they were known before or only then', async (_what, body) => {
    for (const late of [false, true]) {
      const { web } = setup((_request, info) => {
        const fields = { 'Server-Timing': 'db;dur=3', Digest: ['a', 'b'] };
        info.sendTrailers(late ? async () => fields : fields);
        return new Response(body());
      });
      const response = await web.fetch(BASE);
      expect(await settled(trailersOf(response))).toBe('pending');
      expect(await response.text()).toBe(body() === null ? '' : 'abc');
      expect(await listed(trailersOf(response))).toBe('digest,a, b server-timing,db;dur=3');
      expect(response.headers.get('server-timing')).toBeNull();
    }
  });

  it('are none when there are none, and are not told of what fetch did not give', async () => {
    const { web } = setup(() => new Response('abc'));
    const response = await web.fetch(BASE);
    await response.text();
    expect(await listed(trailersOf(response))).toBe('');
    expect(() => trailersOf(new Response())).toThrow(TypeError);
  });

  it('are dropped where nothing can be behind: HTTP/1.0, HEAD, 204, a declared length', async () => {
    const { raw } = setup((request, info) => {
      info.sendTrailers({ X: 'late' });
      const status = new URL(request.url).pathname === '/204' ? 204 : 200;
      const headers = new URL(request.url).pathname === '/length' ? { 'Content-Length': '3' } : {};
      return new Response(status === 204 ? null : 'abc', { status, headers });
    });
    const host = 'Host: a\r\nConnection: close\r\n\r\n';
    for (const line of ['GET / HTTP/1.0', 'HEAD / HTTP/1.1', 'GET /204 HTTP/1.1', 'GET /length HTTP/1.1']) {
      expect(await raw(`${line}\r\n${host}`)).not.toContain('late');
    }
    expect(await raw(`GET / HTTP/1.1\r\n${host}`)).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX: late\r\n\r\n$/);
  });

  it('that may not come so late are a mistake: a 500 when told before, a break when told after', async () => {
    const before = setup((_request, info) => {
      info.sendTrailers({ 'Content-Length': '3' });
      return new Response('abc');
    });
    expect((await before.web.fetch(BASE)).status).toBe(500);
    expect(String(before.errors)).toContain('cannot be a trailer');
    const after = setup((_request, info) => {
      info.sendTrailers(() => ({ Host: 'x' }));
      return new Response('abc');
    });
    await expect(after.web.fetch(BASE).then((response) => response.text())).rejects.toThrow('fetch failed');
    expect(String(after.errors)).toContain('cannot be a trailer');
  });
});

describe('trailers of a request', () => {
  const told = setup(async (request, info) => {
    const text = await request.text();
    return new Response(`${request.headers.get('transfer-encoding')} ${text} ${await listed(info.trailers)}`);
  });

  it.each([
    ['whole content', () => 'abc'],
    ['streamed content', () => pieces('a', 'bc')],
  ])('come behind %s', async (_what, body) => {
    for (const trailers of [{ 'X-Sum': '6' }, () => ({ 'X-Sum': '6' })]) {
      const response = await told.fetchWith({ method: 'POST', body: body(), duplex: 'half', trailers });
      expect(await response.text()).toBe('chunked abc x-sum,6');
    }
  });

  it('are none when there is no content, or none were sent', async () => {
    const { web } = setup(async (_request, info) => new Response(await listed(info.trailers)));
    expect(await (await web.fetch(BASE)).text()).toBe('');
    expect(await (await told.fetchWith({ method: 'POST', body: 'abc' })).text()).toBe('null abc ');
  });

  it('are refused where there is nothing to come behind, and when they may not come so late', async () => {
    await expect(told.fetchWith({ trailers: { X: '1' } })).rejects.toThrow('there is none');
    const init = { method: 'POST', body: 'abc', trailers: { Host: 'x' } };
    await expect(told.fetchWith(init)).rejects.toThrow('cannot be a trailer');
  });

  it('that never come are not waited for: the client went, or the content was left unread', async () => {
    let trailers!: Promise<unknown>;
    const { fetchWith } = setup((request, info) => {
      trailers = info.trailers;
      if (request.headers.has('x-cancel')) void request.body!.cancel();
      return new Response('early');
    });
    const forever = (): ReadableStream<Uint8Array> => new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(9)) });
    for (const headers of [{}, { 'X-Cancel': 'yes' }]) {
      await (await fetchWith({ method: 'POST', body: forever(), duplex: 'half', headers })).text();
      expect(await settled(trailers)).toMatch(/^rejected/);
    }
  });
});
