// How `fetch` and `connect` get to an origin: several addresses (RFC 8305), and proxies that tunnel.

import { describe, expect, it } from 'vitest';
import type { ByteStream } from '../../src/base/stream.ts';
import { HttpServerStream } from '../../src/http/index.ts';
import { createWeb, type WebHost, type WebOptions } from '../../src/web/index.ts';
import { canMakeCertificates, makeCertificate } from './certificate.ts';
import { MemoryNet, settled, turns, until } from './memory-host.ts';
import { VirtualTime } from './virtual-time.ts';

/** Nobody answers there, ever. */
const HOLE = '192.0.2.1';
const ok = (): Response => new Response('here');

describe('a name with several addresses', () => {
  /** Who was tried and when, and the answer. */
  const setup = (addresses: readonly string[] | string, more: WebOptions = {}) => {
    const net = new MemoryNet();
    const time = new VirtualTime();
    const tried: string[] = [];
    const inner = net.host('10.0.0.1');
    const host: WebHost = {
      listen: inner.listen,
      connect: (to) => {
        tried.push(`${time.now()} ${to.address}`);
        return inner.connect(to);
      },
    };
    for (const address of ['10.0.0.2', '10.0.0.3', 'fd00::2']) {
      createWeb(net.host(address), { clock: null }).serve({ port: 80, fetch: ok });
    }
    const web = createWeb(host, { clock: time, lookup: () => addresses, ...more });
    /** Begins a fetch: what it does at once has been done when this settles. */
    const begin = async (init?: RequestInit): Promise<{ asked: Promise<Response> }> => {
      const asked = web.fetch('http://origin.test/', init);
      asked.catch(() => undefined);
      await time.pass(0);
      return { asked };
    };
    return { net, time, tried, web, begin };
  };

  it('is reached at the first when that answers', async () => {
    const { begin, tried, time } = setup(['10.0.0.2', '10.0.0.3']);
    const { asked } = await begin();
    await time.pass(1);
    expect(await (await asked).text()).toBe('here');
    await time.pass(10_000);
    expect(tried).toEqual(['0 10.0.0.2']);
  });

  it('is tried at the next after 250 ms of silence, and the silent one is given up once that answers', async () => {
    const { begin, tried, time, net } = setup([HOLE, '10.0.0.2']);
    const { asked } = await begin();
    await time.pass(249);
    expect(tried).toEqual([`0 ${HOLE}`]);
    await time.pass(1);
    expect(await (await asked).text()).toBe('here');
    expect(tried).toEqual([`0 ${HOLE}`, '250 10.0.0.2']);
    expect(net.pairs[0]!.a.aborted).toBe(true);
  });

  it('is tried at the next at once when one refuses or cannot be reached', async () => {
    const { begin, tried, time } = setup(['0.0.0.0', '10.0.0.9', '10.0.0.2']);
    const { asked } = await begin();
    await time.pass(1);
    expect(await (await asked).text()).toBe('here');
    expect(tried).toEqual(['0 0.0.0.0', '0 10.0.0.9', '0 10.0.0.2']);
  });

  it('is tried in both families in turn, beginning with that of the first', async () => {
    const holes = ['192.0.2.1', '192.0.2.1', 'fd00::2'];
    const { begin, tried, time } = setup(holes);
    const { asked } = await begin();
    await time.pass(300);
    expect(await (await asked).text()).toBe('here');
    expect(tried).toEqual([`0 ${HOLE}`, '250 fd00::2']);
  });

  it('that answers nowhere fails as the first did, and with ETIMEDOUT when none ever says anything', async () => {
    const refused = setup(['10.0.0.8', '10.0.0.9']);
    const { asked } = await refused.begin();
    const failure = expect(asked).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED', address: '10.0.0.8' } });
    await refused.time.pass(1);
    await failure;
    const silent = setup([HOLE, HOLE]);
    const { asked: waiting } = await silent.begin();
    const late = expect(waiting).rejects.toMatchObject({ cause: { code: 'ETIMEDOUT' } });
    await silent.time.pass(10_000);
    await late;
    expect(silent.net.pairs.map(({ a }) => a.aborted)).toEqual([true, true]);
    await expect(setup(['0.0.0.0', '0.0.0.0']).web.fetch('http://origin.test/')).rejects.toMatchObject({
      cause: { code: 'ENETUNREACH' },
    });
    await expect(setup([]).web.fetch('http://origin.test/')).rejects.toThrow('origin.test has no address');
  });

  it('keeps no attempt when the program gives up', async () => {
    const { begin, time, net } = setup([HOLE, HOLE]);
    const control = new AbortController();
    const { asked } = await begin({ signal: control.signal });
    const failure = expect(asked).rejects.toBe('enough');
    await time.pass(300);
    control.abort('enough');
    await failure;
    expect(net.pairs.map(({ a }) => a.aborted)).toEqual([true, true]);
  });

  it('is looked up for each request, and reached at its new address once the old connection is gone', async () => {
    const net = new MemoryNet();
    for (const address of ['10.0.0.2', '10.0.0.3']) {
      const fetch = (): Response => new Response(address, { headers: { Connection: 'close' } });
      createWeb(net.host(address), { clock: null }).serve({ port: 80, fetch });
    }
    const found = ['10.0.0.2', '10.0.0.3'];
    const web = createWeb(net.host('10.0.0.1'), { clock: null, lookup: () => found.shift()! });
    for (const address of ['10.0.0.2', '10.0.0.3']) {
      expect(await (await web.fetch('http://origin.test/')).text()).toBe(address);
    }
  });

  it('is tried so by sockets too', async () => {
    const { web, time } = setup([HOLE, '10.0.0.3']);
    const socket = web.connect({ hostname: 'origin.test', port: 80 });
    await time.pass(0);
    await time.pass(300);
    expect((await socket.opened).remoteAddress).toBe('10.0.0.3:80');
    const other = web.connect({ hostname: 'origin.test', port: 80 });
    void other.close();
    await time.pass(300);
    expect(await settled(other.closed)).toBe('fulfilled');
  });
});

describe('a proxy', () => {
  /** A proxy that tunnels to whatever it can reach, and what it was asked. */
  const setup = (proxy: WebOptions['proxy'], more: WebOptions = {}, answer = 200) => {
    const net = new MemoryNet();
    const asked: string[] = [];
    const outside = net.host('10.0.0.9');
    outside.listen({ port: 3128 }, (stream) => {
      new HttpServerStream(stream, {
        onRequest: (request, response) => {
          const { method, target, headers } = request;
          asked.push(`${method} ${target} ${headers.get('host')} ${headers.get('proxy-authorization')}`);
          if (answer !== 200) {
            response.writeHead(answer, [['Content-Length', '2']]);
            response.end(Buffer.from('no'));
            return;
          }
          const at = target.lastIndexOf(':');
          const on = outside.connect({ address: target.slice(0, at), port: Number(target.slice(at + 1)) });
          on.handler = { onOpen: () => response.handOver(200, null, (through) => join(through, on)) };
        },
      });
      (stream.handler as { onReadable?(s: ByteStream): void }).onReadable?.(stream);
    });
    const web = createWeb(net.host('10.0.0.1'), { clock: null, ...(proxy && { proxy }), ...more });
    return { net, web, asked };
  };
  /** Passes everything on, both ways. */
  const join = (a: ByteStream, b: ByteStream): void => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const pass = (): void => {
        while (from.readable > 0) {
          const span = from.peek();
          const taken = to.send(span, 0, span.length);
          if (taken === 0) break;
          from.consume(taken);
        }
        if (from.ended) to.shutdown();
      };
      from.handler = { ...from.handler, onReadable: pass, onClose: (_stream, error) => error !== null && to.abort() };
      to.handler = { ...to.handler, onWritable: pass };
      pass();
    }
  };
  const serveAt = (net: MemoryNet, port: number, tls?: { cert: string; key: string }): void => {
    const fetch = async (request: Request): Promise<Response> => new Response(`${request.url} ${await request.text()}`);
    createWeb(net.host('10.0.0.2'), { clock: null }).serve({ port, fetch, ...(tls && { tls }) });
  };

  it('is asked for a tunnel, which carries one request after the other', async () => {
    const { net, web, asked } = setup('http://10.0.0.9:3128');
    serveAt(net, 80);
    expect(await (await web.fetch('http://10.0.0.2/a')).text()).toBe('http://10.0.0.2/a ');
    const long = 'x'.repeat(200_000);
    expect(await (await web.fetch('http://10.0.0.2/b', { method: 'PUT', body: long })).text()).toHaveLength(200_018);
    expect(asked).toEqual(['CONNECT 10.0.0.2:80 10.0.0.2:80 null']);
  });

  it('is told the credentials of its URL, which the origin never sees', async () => {
    const { net, web, asked } = setup('http://user:p%C3%A4ss@10.0.0.9:3128');
    serveAt(net, 80);
    await (await web.fetch('http://10.0.0.2/')).text();
    const basic = Buffer.from('user:päss').toString('base64');
    expect(asked).toEqual([`CONNECT 10.0.0.2:80 10.0.0.2:80 Basic ${basic}`]);
  });

  it('that refuses is named with its answer, and its connection goes', async () => {
    const { web, net } = setup('http://10.0.0.9:3128', {}, 407);
    await expect(web.fetch('http://10.0.0.2/')).rejects.toThrow(
      'the proxy 10.0.0.9:3128 answered CONNECT 10.0.0.2:80 with 407 Proxy Authentication Required',
    );
    await turns(20);
    expect(net.last.a.closed).toBe(true);
  });

  it('that is not there fails as any connection does; one that is no URL is a mistake', async () => {
    await expect(setup('http://10.0.0.9:1').web.fetch('http://10.0.0.2/')).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    });
    await expect(setup('nonsense').web.fetch('http://10.0.0.2/')).rejects.toThrow('the proxy "nonsense" is no http:');
  });

  it('is chosen for each URL; names are left to it', async () => {
    const { net, web, asked } = setup((url) => (url.includes('10.0.0.2') ? null : 'http://10.0.0.9:3128'), {}, 502);
    serveAt(net, 80);
    expect((await web.fetch('http://10.0.0.2/')).status).toBe(200);
    await expect(web.fetch('http://far.test/')).rejects.toThrow('502');
    expect(asked).toEqual(['CONNECT far.test:80 far.test:80 null']);
  });

  it('that is slow loses its connection when the program gives up', async () => {
    const net = new MemoryNet();
    net.host('10.0.0.9').listen({ port: 3128 }, () => undefined);
    const web = createWeb(net.host('10.0.0.1'), { clock: null, proxy: 'http://10.0.0.9:3128' });
    const control = new AbortController();
    const failure = expect(web.fetch('http://10.0.0.2/', { signal: control.signal })).rejects.toBe('enough');
    await until(() => net.pairs.length === 1 && net.last.b.readable > 0);
    control.abort('enough');
    await failure;
    await until(() => net.last.a.aborted);
  });

  const able = canMakeCertificates();
  it.skipIf(!able)(`carries https: end to end${able ? '' : ' (needs: openssl)'}`, async () => {
    const { ca, cert, key } = makeCertificate('10.0.0.2');
    const { net, web, asked } = setup('http://10.0.0.9:3128', { tls: { ca } });
    serveAt(net, 443, { cert, key });
    expect(await (await web.fetch('https://10.0.0.2/s')).text()).toBe('https://10.0.0.2/s ');
    expect(asked).toEqual(['CONNECT 10.0.0.2:443 10.0.0.2:443 null']);
  });
});
