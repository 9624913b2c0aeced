// `https:` both ways: the platform's TLS over our streams, in memory and over two real hosts.

import { afterEach, describe, expect, it } from 'vitest';
import { createPipe } from '../../src/link/pipe.ts';
import { afterIo, createHost, type RealHost } from '../../src/run/index.ts';
import { createWeb, type ServeOptions, secureClient, secureServer, type WebOptions } from '../../src/web/index.ts';
import { MemoryPair, type MemoryPairOptions } from '../http/memory-stream.ts';
import { canMakeCertificates, makeCertificate } from './certificate.ts';
import { MemoryNet, turns, until } from './memory-host.ts';
import { VirtualTime } from './virtual-time.ts';

const able = canMakeCertificates();
const needs = able ? '' : ' (needs: openssl)';
const NONE = { ca: '', cert: '', key: '' };
const IDENTITY = able ? makeCertificate('origin.test', '10.0.0.2', 'fd00::2') : NONE;
const OTHER = able ? makeCertificate('other.test') : NONE;
/** What the server is given of it. */
const keys = ({ cert, key }: typeof IDENTITY) => ({ cert, key });
const BASE = 'https://10.0.0.2:8443';

const echo: ServeOptions['fetch'] = (request) => new Response(request.body);

/** A server with TLS and a client that trusts it. */
function setup(fetch: ServeOptions['fetch'], more: WebOptions = {}, pair: MemoryPairOptions = {}, identity = IDENTITY) {
  const net = new MemoryNet(pair);
  const errors: unknown[] = [];
  const server = createWeb(net.host('10.0.0.2'), { clock: null }).serve({
    port: 8443,
    tls: keys(identity),
    fetch,
    onError: (error) => errors.push(error),
  });
  const web = createWeb(net.host('10.0.0.1'), { clock: null, tls: { ca: identity.ca }, ...more });
  return { net, web, server, errors };
}

function pattern(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

const open: RealHost[] = [];
afterEach(() => {
  for (const { runtime } of open.splice(0)) runtime.close();
});

describe.skipIf(!able)(`https${needs}`, () => {
  it('carries requests and answers, and keeps the connection for the next', async () => {
    const { web, net } = setup((request) => new Response(`${request.method} ${request.url}`));
    for (const path of ['/a', '/b']) {
      const response = await web.fetch(`${BASE}${path}`);
      expect(await response.text()).toBe(`GET https://10.0.0.2:8443${path}`);
    }
    expect(net.pairs.length).toBe(1);
  });

  it.each([
    ['as they come', {}],
    ['octet by octet', { step: 1, peek: 1 }],
    ['through little room', { capacity: 700, step: 300 }],
  ])('carries content both ways, %s', async (_how, pair) => {
    const { web } = setup(echo, {}, pair);
    const bytes = pattern('step' in pair && pair.step === 1 ? 500 : 300_000);
    const response = await web.fetch(BASE, { method: 'POST', body: bytes });
    expect(Buffer.compare(new Uint8Array(await response.arrayBuffer()), bytes)).toBe(0);
  });

  it.each(['10.0.0.2', '[fd00::2]'])(
    'carries 1 MB each way over two hosts, at %s, and closes without a reset',
    async (at) => {
      const pipe = createPipe({ schedule: afterIo });
      const near = createHost({ name: 'near' });
      const far = createHost({ name: 'far' });
      near.runtime.attach(pipe.a, { addresses: ['10.0.0.1/24', 'fd00::1/64'] });
      far.runtime.attach(pipe.b, { addresses: ['10.0.0.2/24', 'fd00::2/64'] });
      open.push(near, far);
      const server = createWeb(far.host).serve({ port: 443, tls: keys(IDENTITY), fetch: echo });
      const web = createWeb(near.host, { tls: { ca: IDENTITY.ca } });
      const bytes = pattern(1_000_000);
      const response = await web.fetch(`https://${at}/`, { method: 'PUT', body: bytes });
      expect(Buffer.compare(new Uint8Array(await response.arrayBuffer()), bytes)).toBe(0);
      web.close();
      await server.close();
      await until(() => near.host.connections().every(({ state }) => state === 'TIME-WAIT' || state === 'CLOSED'));
      const resets = (host: RealHost['host']): number => host.counters.resetsOut;
      expect([resets(near.host), resets(far.host)]).toEqual([0, 0]);
    },
  );
});

describe.skipIf(!able)(`https that cannot be${needs}`, () => {
  const failing = async (promise: Promise<unknown>): Promise<[string, string]> => {
    const error = await promise.then(
      () => new Error('it did not fail'),
      (reason: Error) => reason,
    );
    return [error.name, (error.cause as { code?: string })?.code ?? error.message];
  };

  it('because nobody vouches for the certificate: the platform says which way', async () => {
    const { web } = setup(echo, { tls: {} });
    expect(await failing(web.fetch(BASE))).toEqual(['TypeError', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  });

  it('because the certificate is for another name', async () => {
    const { web } = setup(echo, {}, {}, OTHER);
    expect(await failing(web.fetch(BASE))).toEqual(['TypeError', 'ERR_TLS_CERT_ALTNAME_INVALID']);
  });

  it('unless the program checks nothing, or expects that name', async () => {
    for (const tls of [{ rejectUnauthorized: false }, { ca: OTHER.ca, servername: 'other.test' }]) {
      const { web } = setup(() => new Response('taken'), { tls }, {}, OTHER);
      expect(await (await web.fetch(BASE)).text()).toBe('taken');
    }
  });

  it('because the server speaks plain HTTP', async () => {
    const net = new MemoryNet();
    createWeb(net.host('10.0.0.2'), { clock: null }).serve({ port: 8443, fetch: echo });
    const web = createWeb(net.host('10.0.0.1'), { clock: null });
    expect(await failing(web.fetch(BASE))).toEqual([
      'TypeError',
      expect.stringMatching(/^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER)$/),
    ]);
  });

  it('because the client speaks plain HTTP: its connection ends, the next is served', async () => {
    const { net, web, server, errors } = setup(() => new Response('fine'));
    const plain = createWeb(net.host('10.0.0.3'), { clock: null });
    expect((await failing(plain.fetch('http://10.0.0.2:8443/')))[0]).toBe('TypeError');
    await until(() => server.connections === 0);
    expect(await (await web.fetch(BASE)).text()).toBe('fine');
    expect(errors).toEqual([]);
  });

  it('because nobody listens, or the connection breaks in the middle', async () => {
    const { web, net } = setup(() => new Response(new ReadableStream({ pull: (c) => c.enqueue(pattern(10)) })));
    expect(await failing(web.fetch('https://10.0.0.2:1/'))).toEqual(['TypeError', 'ECONNREFUSED']);
    const response = await web.fetch(BASE);
    net.last.b.abort();
    expect((await failing(response.arrayBuffer()))[1]).toBe('ECONNRESET');
  });

  it('because the platform has no TLS: one sentence, from fetch and from serve', async () => {
    const node = process.getBuiltinModule;
    try {
      Object.assign(process, { getBuiltinModule: undefined });
      const web = createWeb(new MemoryNet().host('10.0.0.1'), { clock: null });
      await expect(web.fetch(BASE)).rejects.toThrow(
        /^this platform has no TLS that runs over a stream of ours: use Node/,
      );
      expect(() => web.serve({ port: 443, fetch: echo, tls: keys(IDENTITY) })).toThrow(/^this platform has no TLS /);
    } finally {
      Object.assign(process, { getBuiltinModule: node });
    }
  });

  it('because key and certificate do not belong together: said when serving begins', () => {
    const web = createWeb(new MemoryNet().host('10.0.0.2'), { clock: null });
    const tls = { cert: IDENTITY.cert, key: OTHER.key };
    expect(() => web.serve({ port: 443, fetch: echo, tls })).toThrow(/key/);
  });

  it('because the client never says hello: the server closes in its time', async () => {
    const net = new MemoryNet();
    const time = new VirtualTime();
    const serving = createWeb(net.host('10.0.0.2'), { clock: time });
    const server = serving.serve({
      port: 443,
      tls: keys(IDENTITY),
      fetch: echo,
      timeouts: { idle: 5000, grace: 0, linger: 1000 },
    });
    net.host('10.0.0.1').connect({ address: '10.0.0.2', port: 443 });
    await until(() => server.connections === 1);
    await time.pass(8000);
    expect(server.connections).toBe(0);
  });
});

describe.skipIf(!able)(`requests on a connection that is secured${needs}`, () => {
  const raw = async (text: string): Promise<string> => {
    const { net } = setup((request) => new Response(request.url));
    const carrier = net.host('10.0.0.1').connect({ address: '10.0.0.2', port: 8443 });
    const stream = secureClient(carrier, '10.0.0.2', { ca: IDENTITY.ca });
    let got = '';
    stream.handler = {
      onOpen: () => stream.send(Buffer.from(text), 0, text.length),
      onReadable: () => {
        while (stream.readable > 0) {
          const span = stream.peek();
          got += Buffer.from(span).toString('latin1');
          stream.consume(span.length);
        }
      },
    };
    await until(() => /^HTTP.*\r\n\r\n./s.test(got) || stream.ended);
    return got;
  };

  it('may name the https URL in whole; an http URL there is misdirected', async () => {
    const ask = (target: string) => raw(`GET ${target} HTTP/1.1\r\nHost: 10.0.0.2:8443\r\nConnection: close\r\n\r\n`);
    expect(await ask('https://10.0.0.2:8443/x')).toMatch(/^HTTP\/1\.1 200 .*https:\/\/10\.0\.0\.2:8443\/x$/s);
    expect(await ask('http://10.0.0.2:8443/x')).toMatch(/^HTTP\/1\.1 421 /);
  });
});

describe.skipIf(!able)(`a secured stream${needs}`, () => {
  /** Both ends over a pair in memory, both open. */
  const pairOf = async (options: MemoryPairOptions = {}, alpn: readonly string[] = []) => {
    const pair = new MemoryPair(options);
    let scheduled = false;
    const work = (): void => {
      if (!scheduled) setImmediate(turn);
      scheduled = true;
    };
    const turn = (): void => {
      scheduled = false;
      if (pair.turn()) work();
    };
    pair.a.onWork = work;
    pair.b.onWork = work;
    const told: string[] = [];
    const protocols = alpn.length > 0 ? { alpn } : {};
    const server = secureServer(pair.b, { ...keys(IDENTITY), ...protocols });
    const client = secureClient(pair.a, 'origin.test', { ca: IDENTITY.ca, ...protocols });
    for (const [name, stream] of [
      ['client', client],
      ['server', server],
    ] as const) {
      stream.handler = {
        onOpen: () => told.push(`${name} open`),
        onClose: (_stream, error) => told.push(`${name} close ${error?.code ?? error}`),
      };
    }
    pair.a.tellOpen = true;
    work();
    await until(() => told.length === 2);
    expect(told.splice(0).sort()).toEqual(['client open', 'server open']);
    return { pair, client, server, told };
  };
  const text = (stream: { readable: number; read(into: Uint8Array, from: number, to: number): number }): string => {
    const into = new Uint8Array(stream.readable);
    return Buffer.from(into.subarray(0, stream.read(into, 0, into.length))).toString();
  };

  it('ends one direction after the other, and then both sides are told once that it was in good order', async () => {
    const { client, server, told } = await pairOf();
    client.send(Buffer.from('question'), 0, 8);
    client.shutdown();
    await until(() => server.readable === 8);
    expect(text(server)).toBe('question');
    await until(() => server.ended);
    server.send(Buffer.from('answer'), 0, 6);
    server.shutdown();
    await until(() => client.readable === 6);
    expect(text(client)).toBe('answer');
    await until(() => told.length === 2);
    expect(told.sort()).toEqual(['client close null', 'server close null']);
    expect(() => client.send(Buffer.from('x'), 0, 1)).toThrow('send after shutdown');
  });

  it('takes no more than there is room for while nobody reads, and goes on when somebody does', async () => {
    const { client, server } = await pairOf({ capacity: 10_000 });
    const bytes = pattern(1_000_000);
    let at = 0;
    const push = (): void => {
      at += client.send(bytes, at, bytes.length);
    };
    Object.assign(client.handler!, { onWritable: push });
    push();
    await turns(300);
    // What both ends of the session and the pair hold.
    expect(at).toBeLessThan(400_000);
    const got: number[] = [];
    while (got.length < bytes.length) {
      await until(() => server.readable > 0);
      const span = server.peek();
      got.push(...span);
      server.consume(span.length);
    }
    expect(Buffer.compare(Uint8Array.from(got), bytes)).toBe(0);
  });

  it('that is aborted resets the connection: the other side learns of it', async () => {
    const { client, told, pair } = await pairOf();
    client.abort();
    await until(() => told.length === 2);
    expect(told.sort()).toEqual(['client close null', 'server close ECONNRESET']);
    expect(pair.a.aborted).toBe(true);
  });

  it('knows the protocol that was agreed on', async () => {
    const { client, server } = await pairOf({}, ['http/1.1']);
    expect([client.alpn, server.alpn]).toEqual(['http/1.1', 'http/1.1']);
  });
});
