// `synfin/net` between two hosts: what a program of `node:net` sees.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inspect, promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type NetPair, netPair } from './pair.ts';

let pair: NetPair;
let server: Server;
beforeEach(() => {
  pair = netPair();
  server = pair.server.createServer();
});
afterEach(async () => {
  // Every socket of the server is gone before its host is.
  if (server.listening) await promisify(server.close.bind(server))();
  pair.close();
});

/** A server that does `serve` with each socket; its port. */
async function listening(serve: (socket: Socket) => void): Promise<number> {
  server = pair.server.createServer(serve).listen(0);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

it('echoes what is written, ends both ways and closes without an error', async () => {
  const port = await listening((socket) => socket.pipe(socket));
  const client = pair.client.connect(port, pair.address);
  const text: string[] = [];
  client.setEncoding('utf8').on('data', (part: string) => text.push(part));
  client.write('to and ');
  client.end('fro');
  const [hadError] = await once(client, 'close');
  expect([text.join(''), hadError, client.bytesRead, client.bytesWritten]).toEqual(['to and fro', false, 10, 10]);
});

it('a socket that is closed still tells where it was', async () => {
  const port = await listening((socket) => socket.resume().end());
  const client = pair.client.connect(port, pair.address);
  await once(client.resume(), 'close');
  const { remoteAddress, remotePort, remoteFamily, localAddress } = client;
  expect([remoteAddress, remotePort, remoteFamily, localAddress]).toEqual([pair.address, port, 'IPv4', '10.0.0.1']);
});

it('a close that a program puts in the place of the handle’s is called back as Node’s is', async () => {
  const port = await listening((socket) => socket.resume());
  const client = pair.client.connect(port, pair.address);
  await once(client, 'connect');
  const handle = (client as unknown as { _handle: { close(done: () => void): void } })._handle;
  const close = handle.close.bind(handle);
  const replaced = vi.fn((done: () => void) => {
    close(() => undefined);
    setImmediate(() => done());
  });
  handle.close = replaced;
  client.destroy();
  expect(await once(client, 'close')).toEqual([false]);
  expect(replaced).toHaveBeenCalledOnce();
});

it('a refused connection ends in the error that Node gives', async () => {
  const client = pair.client.connect({ port: 9, host: pair.address });
  const [error] = await once(client, 'error');
  expect({ ...error, message: error.message }).toEqual({
    ...{ code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: pair.address, port: 9 },
    message: `connect ECONNREFUSED ${pair.address}:9`,
  });
});

it('a reset is told to the reader as ECONNRESET', async () => {
  const port = await listening((socket) => socket.resetAndDestroy());
  const client = pair.client.connect(port, pair.address).resume();
  const [error] = await once(client, 'error');
  expect([error.code, error.syscall, error.message]).toEqual(['ECONNRESET', 'read', 'read ECONNRESET']);
});

it('back-pressure reaches from a reader that waits to the writer', async () => {
  let reader: Socket | null = null;
  const port = await listening((socket) => {
    reader = socket;
    socket.pause();
  });
  const client = pair.client.connect(port, pair.address);
  await once(client, 'connect');
  const held = (): number => (reader as Socket | null)?.readableLength ?? Number.POSITIVE_INFINITY;
  let written = 0;
  while (client.write(Buffer.alloc(65_536)) || client.writableLength === 0) {
    written += 65_536;
    if (written > 64 * 1024 * 1024) break;
  }
  expect(written).toBeLessThan(16 * 1024 * 1024);
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  // What was sent waits in the connection, not in the stream of a reader that does not read.
  expect(held()).toBeLessThan(200_000);
  let read = 0;
  (reader as Socket | null)?.on('data', (part: Buffer) => (read += part.length)).resume();
  client.end();
  await once(client, 'close');
  expect(read).toBe(client.bytesWritten);
});

it('sockets and servers are callable without new, and by subclasses of the old style', () => {
  const { Socket: S, Server } = pair.client as unknown as { Socket: () => unknown; Server: () => unknown };
  expect(S()).toBeInstanceOf(pair.client.Socket);
  expect(Server()).toBeInstanceOf(pair.client.Server);
  function Old(this: Socket): void {
    Reflect.apply(pair.client.Socket, this, []);
  }
  Object.setPrototypeOf(Old.prototype, pair.client.Socket.prototype);
  const old = Reflect.construct(Old, []) as Socket;
  expect([old.readyState, old instanceof pair.client.Socket]).toEqual(['open', true]);
  class New extends pair.client.Socket {}
  expect(new New()).toBeInstanceOf(pair.client.Socket);
});

it('callbacks run in the asynchronous context of their socket', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const port = await storage.run('server', () =>
    listening((socket) => {
      seen.push(storage.getStore());
      socket.on('data', () => seen.push(storage.getStore()));
      socket.end('x');
    }),
  );
  await storage.run('client', async () => {
    const client = pair.client.connect(port, pair.address, () => seen.push(storage.getStore()));
    client.on('data', () => seen.push(storage.getStore())).write('y');
    await once(client, 'close');
  });
  expect(seen.sort()).toEqual(['client', 'client', 'server', 'server']);
});

it('util.inspect shows where a socket stands', async () => {
  const port = await listening((socket) => socket.end());
  const client = pair.client.connect(port, pair.address).resume();
  await once(client, 'connect');
  expect(inspect(client)).toMatch(
    /^Socket \{\n? *readyState: 'open',\n? *local: '10\.0\.0\.1:\d+',\n? *remote: '10\.0\.0\.2:/,
  );
  await once(client, 'close');
});

it('fake timers of a test runner do not stall a host in real time', async () => {
  vi.useFakeTimers();
  try {
    const port = await listening((socket) => socket.end('done'));
    const client = pair.client.connect(port, pair.address).resume();
    await once(client, 'close');
    expect(client.bytesRead).toBe(4);
    const idle = new pair.client.Socket().setTimeout(5);
    await once(idle, 'timeout');
  } finally {
    vi.useRealTimers();
  }
});

it('a local port that a server listens on is EADDRINUSE, and an address that is not ours EADDRNOTAVAIL of bind', async () => {
  const port = await listening((socket) => socket.end());
  const own = pair.client.createServer().listen(0, '10.0.0.1');
  await once(own, 'listening');
  const { port: localPort } = own.address() as AddressInfo;
  const taken = pair.client.connect({ port, host: pair.address, localPort, localAddress: '10.0.0.1' });
  expect((await once(taken, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE', syscall: 'connect', localPort });
  const foreign = pair.client.connect({ port, host: pair.address, localAddress: '10.9.9.9' });
  expect((await once(foreign, 'error'))[0].message).toBe('bind EADDRNOTAVAIL 10.9.9.9');
  own.close();
});

it('a name with several addresses is tried by turns, and every attempt is told', async () => {
  const port = await listening((socket) => socket.end());
  const lookup = ((_name, _options, done) =>
    setImmediate(done, null, [
      { address: 'fd00::9', family: 6 },
      { address: pair.address, family: 4 },
    ])) as import('node:net').LookupFunction;
  const client = pair.client.connect({ port, host: 'server', lookup, autoSelectFamilyAttemptTimeout: 20 });
  const told: string[] = [];
  for (const name of ['connectionAttempt', 'connectionAttemptTimeout']) {
    client.on(name, (address: string) => told.push(`${name} ${address}`));
  }
  await once(client, 'connect');
  expect(told).toEqual([
    'connectionAttempt fd00::9',
    'connectionAttemptTimeout fd00::9',
    `connectionAttempt ${pair.address}`,
  ]);
  expect(client.remoteAddress).toBe(pair.address);
  await once(client.resume(), 'close');
});

it('a path leads to the machine’s own sockets', async () => {
  const path = join(tmpdir(), `synfin-${process.pid}.sock`);
  const local = pair.server.createServer((socket) => socket.pipe(socket)).listen(path);
  await once(local, 'listening');
  expect(local.address()).toBe(path);
  const client = pair.client.connect(path);
  client.end('through the kernel');
  expect(await text(client)).toBe('through the kernel');
  await promisify(local.close.bind(local))();
  const [error] = await once(pair.client.connect(path), 'error');
  expect(error.message).toBe(`connect ENOENT ${path}`);
});
