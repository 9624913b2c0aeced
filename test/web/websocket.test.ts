// WebSockets by `ws`, the library that most programs use, over our connections: its client, its server, and both.

import { Duplex } from 'node:stream';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { createPipe } from '../../src/link/pipe.ts';
import { afterIo, createHost, type RealHost } from '../../src/run/index.ts';
import { createWeb, type ServeOptions, type Socket, type Web } from '../../src/web/index.ts';

const open: RealHost[] = [];
afterEach(() => {
  for (const { runtime } of open.splice(0)) runtime.close();
});

function two(): { near: Web; far: Web } {
  const pipe = createPipe({ schedule: afterIo });
  const near = createHost({ name: 'near' });
  const far = createHost({ name: 'far' });
  near.runtime.attach(pipe.a, { addresses: ['10.0.0.1/24'] });
  far.runtime.attach(pipe.b, { addresses: ['10.0.0.2/24'] });
  open.push(near, far);
  return { near: createWeb(near.host), far: createWeb(far.host) };
}

/** One of our sockets in the shape that `ws` wants. */
function duplexOf(socket: Socket): Duplex {
  const readable = socket.readable as unknown as ReadableStream;
  return Duplex.fromWeb({ readable, writable: socket.writable as unknown as WritableStream });
}

/** A handler that leaves every request to `ws`. */
function handler(server: WebSocketServer): ServeOptions['fetch'] {
  return (request, info) => {
    if (request.headers.get('upgrade') === null) return new Response('no WebSocket');
    const { socket, response } = info.detach();
    const { method, url } = request;
    const asked = { method, url: new URL(url).pathname, headers: Object.fromEntries(request.headers) };
    const done = (ws: WebSocket): void => void server.emit('connection', ws);
    server.handleUpgrade(asked as never, duplexOf(socket), Buffer.alloc(0), done);
    return response;
  };
}

const connect = (web: Web, options: WebSocket.ClientOptions = {}): WebSocket => {
  const createConnection = (): Duplex => duplexOf(web.connect({ hostname: '10.0.0.2', port: 80 }));
  return new WebSocket('ws://10.0.0.2/chat', { ...options, createConnection } as object);
};

const event = (ws: WebSocket, name: string): Promise<unknown[]> =>
  new Promise((resolve, reject) => {
    ws.once(name, (...values: unknown[]) => resolve(values));
    if (name !== 'close') ws.once('error', reject);
  });

describe('ws, client and server, over two of our hosts', () => {
  it.each([false, true])('carries texts, octets and pings both ways, compressed: %s', async (perMessageDeflate) => {
    const { near, far } = two();
    const server = new WebSocketServer({ noServer: true, perMessageDeflate });
    server.on('connection', (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })));
    far.serve({ port: 80, fetch: handler(server) });
    const client = connect(near, { perMessageDeflate });
    await event(client, 'open');
    expect(client.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
    for (const message of ['grüße', Buffer.alloc(1_000_000, 'octets '), '']) {
      const echoed = event(client, 'message');
      client.send(message);
      const [data, binary] = (await echoed) as [Buffer, boolean];
      expect(binary).toBe(typeof message !== 'string');
      expect(Buffer.compare(data, Buffer.from(message))).toBe(0);
    }
    const pong = event(client, 'pong');
    client.ping('p');
    expect(String((await pong)[0])).toBe('p');
    const closed = event(client, 'close');
    client.close(4001, 'enough');
    expect((await closed).map(String)).toEqual(['4001', 'enough']);
  });

  it('serves pages beside them on the same port, and many sockets at once', async () => {
    const { near, far } = two();
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (ws) => ws.on('message', (data) => ws.send(`to you: ${data}`)));
    far.serve({ port: 80, fetch: handler(server) });
    const clients = Array.from({ length: 20 }, () => connect(near));
    await Promise.all(clients.map((client) => event(client, 'open')));
    expect(await (await near.fetch('http://10.0.0.2/')).text()).toBe('no WebSocket');
    const answers = clients.map((client) => event(client, 'message'));
    for (const [i, client] of clients.entries()) client.send(String(i));
    const texts = (await Promise.all(answers)).map(([data]) => String(data));
    expect(texts).toEqual(clients.map((_client, i) => `to you: ${i}`));
    for (const client of clients) client.terminate();
  });

  it('refuses by its own answer what is no WebSocket handshake', async () => {
    const { near, far } = two();
    far.serve({ port: 80, fetch: handler(new WebSocketServer({ noServer: true })) });
    const socket = near.connect({ hostname: '10.0.0.2', port: 80 });
    const writer = socket.writable.getWriter();
    const head =
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: short\r\n\r\n';
    await writer.write(new TextEncoder().encode(head));
    const text = await new Response(socket.readable as unknown as BodyInit).text();
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  it("the server's end is seen by the client: 1006 when the connection is reset", async () => {
    const { near, far } = two();
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (ws) => ws.terminate());
    far.serve({ port: 80, fetch: handler(server) });
    const client = connect(near);
    client.on('error', () => undefined);
    expect(String((await event(client, 'close'))[0])).toBe('1006');
  });
});
