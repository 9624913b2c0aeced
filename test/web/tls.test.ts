// TLS by the platform over sockets of ours: from the start, and by `startTls`.

import { beforeAll, describe, expect, it } from 'vitest';
import { createWeb, type Socket, type TlsOptions, type Web } from '../../src/web/index.ts';
import { type Certificate, canMakeCertificates, makeCertificate } from './certificate.ts';
import { MemoryNet, settled, turns } from './memory-host.ts';

const able = canMakeCertificates();
const needs = able ? '' : ' (needs: openssl)';
const test = it.skipIf(!able);
let own: Certificate;

beforeAll(() => {
  if (able) own = makeCertificate('example.test', '10.0.0.2');
});

function webs(): { near: Web; far: Web; net: MemoryNet } {
  const net = new MemoryNet({ capacity: 100_000 });
  const lookup = (): string => '10.0.0.2';
  // Without a clock nothing ends by itself: what a test waits for is what happened.
  const near = createWeb(net.host('10.0.0.1'), { lookup, clock: null });
  return { net, near, far: createWeb(net.host('10.0.0.2'), { clock: null }) };
}

function pattern(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

async function text(readable: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(readable as unknown as BodyInit).text();
}

/** A server that returns what it gets. */
function echo(far: Web, tls: TlsOptions): Promise<Socket> {
  const listener = far.listen({ port: 443, secureTransport: 'on', tls });
  return listener.next().then(({ value }) => {
    listener.close();
    const socket = value as Socket;
    void socket.readable.pipeTo(socket.writable).catch(() => undefined);
    return socket;
  });
}

describe('TLS from the start', () => {
  test(`carries 2 MB both ways and closes in good order; ALPN is told to both${needs}`, async () => {
    const { near, far } = webs();
    const serving = echo(far, { cert: own.cert, key: own.key, alpn: ['echo/2', 'echo/1'] });
    const at = { hostname: 'example.test', port: 443 };
    const client = near.connect(at, { secureTransport: 'on', alpn: ['echo/1'], tls: { ca: own.ca } });
    expect(await client.opened).toMatchObject({ remoteAddress: '10.0.0.2:443', alpn: 'echo/1' });
    const server = await serving;
    expect((await server.opened).alpn).toBe('echo/1');
    expect([client.secureTransport, server.secureTransport]).toEqual(['on', 'on']);
    const sent = pattern(2_000_000);
    const writer = client.writable.getWriter();
    const writing = writer.write(sent).then(() => writer.close());
    const got = new Uint8Array(await new Response(client.readable as unknown as BodyInit).arrayBuffer());
    await writing;
    expect(Buffer.compare(got, sent)).toBe(0);
    await Promise.all([client.closed, server.closed]);
  });

  test(`shows nothing of the text on the wire${needs}`, async () => {
    const { near, far, net } = webs();
    void echo(far, own);
    const client = near.connect({ hostname: 'example.test', port: 443 }, { secureTransport: 'on', tls: own });
    await client.opened;
    const before = net.last.a.sentTotal;
    await client.writable.getWriter().write(new TextEncoder().encode('secret words'));
    await turns(50);
    expect(net.last.a.sentTotal).toBeGreaterThan(before + 12);
    expect(Buffer.from(net.last.b.inbox).includes('secret')).toBe(false);
    await client.close();
  });

  const refusals: [string, string, TlsOptions, string][] = [
    ['of an authority nobody knows', 'example.test', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['for another name', 'other.test', { ca: 'own' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ];
  for (const [what, hostname, options, code] of refusals) {
    test(`refuses a certificate ${what} with the platform's own error${needs}`, async () => {
      const { near, far } = webs();
      const serving = echo(far, { cert: own.cert, key: own.key });
      const tls = options.ca === undefined ? {} : { ca: own.ca };
      const client = near.connect({ hostname, port: 443 }, { secureTransport: 'on', tls });
      await expect(client.opened).rejects.toMatchObject({ code });
      await expect(client.closed).rejects.toMatchObject({ code });
      const server = await serving;
      await server.closed.catch(() => undefined);
    });
  }

  test(`an address is held against the addresses of the certificate${needs}`, async () => {
    const { near, far } = webs();
    void echo(far, { cert: own.cert, key: own.key });
    const client = near.connect('10.0.0.2:443', { secureTransport: 'on', tls: { ca: own.ca } });
    await client.opened;
    await client.close();
  });

  test(`a peer that does not speak TLS, or goes in the middle of the handshake, fails the opening${needs}`, async () => {
    const { near, far } = webs();
    const plain = far.listen({ port: 443 });
    const client = near.connect('10.0.0.2:443', { secureTransport: 'on', tls: { ca: own.ca } });
    const { value } = await plain.next();
    await (value as Socket).writable.getWriter().write(new TextEncoder().encode('220 not TLS at all\r\n'));
    await expect(client.opened).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SSL_/) });
    const second = near.connect('10.0.0.2:443', { secureTransport: 'on', tls: { ca: own.ca } });
    const other = (await plain.next()).value as Socket;
    await other.writable.close();
    await expect(second.opened).rejects.toMatchObject({ code: 'ECONNRESET' });
    plain.close();
    const secure = far.listen({ port: 444, secureTransport: 'on', tls: own });
    const third = near.connect('10.0.0.2:444');
    const server = (await secure.next()).value as Socket;
    await third.close();
    await expect(server.opened).rejects.toMatchObject({ code: 'ECONNRESET' });
    secure.close();
  });

  test(`a refused connection is told as without TLS${needs}`, async () => {
    const { near } = webs();
    const client = near.connect('10.0.0.2:443', { secureTransport: 'on' });
    await expect(client.opened).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test(`stops the writer when nobody reads${needs}`, async () => {
    const { near, far } = webs();
    const listener = far.listen({ port: 443, secureTransport: 'on', tls: own });
    const client = near.connect('10.0.0.2:443', { secureTransport: 'on', tls: own });
    const server = (await listener.next()).value as Socket;
    await client.opened;
    const writer = client.writable.getWriter();
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 100; i++) written += await writer.write(pattern(50_000)).then(() => 50_000);
      await writer.close();
    })();
    await turns(2000);
    expect(written).toBeLessThan(1_000_000);
    const got = await new Response(server.readable as unknown as BodyInit).arrayBuffer();
    await writing;
    expect(got.byteLength).toBe(5_000_000);
    listener.close();
  });
});

describe('startTls', () => {
  test(`secures a connection after some words in the clear${needs}`, async () => {
    const { near, far } = webs();
    const listener = far.listen({ port: 25, secureTransport: 'starttls', tls: own });
    const plain = near.connect({ hostname: 'example.test', port: 25 }, { secureTransport: 'starttls', tls: own });
    const first = (await listener.next()).value as Socket;
    await plain.writable.getWriter().write(new TextEncoder().encode('STARTTLS\n'));
    const reader = first.readable.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('STARTTLS\n');
    const server = first.startTls();
    const client = plain.startTls();
    expect([plain.upgraded, client.upgraded, client.secureTransport]).toEqual([true, false, 'on']);
    await Promise.all([client.opened, server.opened]);
    const writer = server.writable.getWriter();
    await writer.write(new TextEncoder().encode('250 ok\n'));
    await writer.close();
    expect(await text(client.readable)).toBe('250 ok\n');
    // The plain socket is over, and ends nothing.
    expect(await settled(plain.closed)).toBe('fulfilled');
    expect((await reader.read()).done).toBe(true);
    await Promise.all([client.closed, server.closed]);
  });

  test(`finishes the write that is under way before${needs}`, async () => {
    const { near, far } = webs();
    const listener = far.listen({ port: 25, secureTransport: 'starttls', tls: own });
    const plain = near.connect('10.0.0.2:25', { secureTransport: 'starttls', tls: own });
    const first = (await listener.next()).value as Socket;
    await plain.opened;
    const writing = plain.writable.getWriter().write(pattern(300_000));
    await turns(5);
    const client = plain.startTls();
    const reader = first.readable.getReader();
    let got = 0;
    while (got < 300_000) got += (await reader.read()).value!.length;
    await writing;
    expect(got).toBe(300_000);
    const server = first.startTls();
    await Promise.all([client.opened, server.opened]);
    await Promise.all([client.close(), server.close()]);
  });

  test(`is refused to sockets that were not made for it, and twice${needs}`, async () => {
    const { near, far } = webs();
    const listener = far.listen({ port: 25 });
    const off = near.connect('10.0.0.2:25');
    expect(() => off.startTls()).toThrow("secureTransport: 'starttls'");
    const plain = near.connect('10.0.0.2:25', { secureTransport: 'starttls' });
    const client = plain.startTls();
    expect(() => plain.startTls()).toThrow('upgraded already');
    await client.close();
    listener.close();
  });

  it('a server without a certificate is told what it lacks', () => {
    const { far } = webs();
    expect(() => far.listen({ port: 443, secureTransport: 'on' })).toThrow('tls: { cert, key }');
  });

  it('where the platform has no TLS, one sentence says so at the call', () => {
    const { near } = webs();
    const { getBuiltinModule } = process;
    Object.assign(process, { getBuiltinModule: undefined });
    try {
      expect(() => near.connect('10.0.0.2:443', { secureTransport: 'on' })).toThrow('this platform has no TLS');
      const plain = near.connect('10.0.0.2:443', { secureTransport: 'starttls' });
      expect(() => plain.startTls()).toThrow('this platform has no TLS');
    } finally {
      Object.assign(process, { getBuiltinModule });
    }
  });
});
