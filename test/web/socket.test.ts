// Sockets as Web streams, over hosts in memory.

import { describe, expect, it } from 'vitest';
import { createWeb, type Socket, type SocketOptions } from '../../src/web/index.ts';
import type { MemoryPairOptions } from '../http/memory-stream.ts';
import { MemoryNet, settled, turns, until } from './memory-host.ts';

/** Two connected sockets. */
async function connected(
  options: SocketOptions = {},
  pair: MemoryPairOptions = {},
): Promise<{ net: MemoryNet; client: Socket; server: Socket }> {
  const net = new MemoryNet(pair);
  const listener = createWeb(net.host('10.0.0.2'), { clock: null }).listen({ port: 7, ...options });
  const client = createWeb(net.host('10.0.0.1'), { clock: null }).connect({ hostname: '10.0.0.2', port: 7 }, options);
  const { value: server } = await listener.next();
  await client.opened;
  listener.close();
  return { net, client, server: server as Socket };
}

/** Everything that can wait on a socket. */
async function states(socket: Socket): Promise<Record<string, string>> {
  const reader = socket.readable.getReader();
  const writer = socket.writable.getWriter();
  const [opened, closed, read, write, done] = await Promise.all([
    settled(socket.opened),
    settled(socket.closed),
    settled(reader.read()),
    settled(writer.write(new Uint8Array(1))),
    settled(writer.closed),
  ]);
  return { opened, closed, read, write, writer: done };
}

function pattern(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

async function drain(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  reader.releaseLock();
  return new Uint8Array(Buffer.concat(chunks));
}

describe('opening', () => {
  it('tells both addresses', async () => {
    const { client, server } = await connected();
    const info = await client.opened;
    expect(info.remoteAddress).toBe('10.0.0.2:7');
    expect(info.localAddress).toMatch(/^10\.0\.0\.1:5\d{4}$/);
    expect((await server.opened).remoteAddress).toBe(info.localAddress);
  });
  it.each([
    ['10.0.0.9', 'rejected ECONNREFUSED'],
    ['0.0.0.0', 'rejected ENETUNREACH'],
    ['example.org', 'rejected TypeError'],
  ])('to %s that fails rejects everything: %s', async (hostname, how) => {
    const socket = createWeb(new MemoryNet().host('10.0.0.1')).connect({ hostname, port: 7 });
    const write = settled(socket.writable.getWriter().write(new Uint8Array(100_000)));
    const read = settled(socket.readable.getReader().read());
    expect([await settled(socket.opened), await settled(socket.closed), await read, await write]).toEqual([
      how,
      how,
      how,
      how,
    ]);
  });
  it('to a name asks the lookup', async () => {
    const net = new MemoryNet();
    createWeb(net.host('10.0.0.2')).listen({ port: 7 });
    const web = createWeb(net.host('10.0.0.1'), { lookup: async () => '10.0.0.2' });
    expect((await web.connect({ hostname: 'example.org', port: 7 }).opened).remoteAddress).toBe('10.0.0.2:7');
  });
  it('that is given up settles everything', async () => {
    const net = new MemoryNet();
    const socket = createWeb(net.host('10.0.0.1')).connect({ hostname: '192.0.2.1', port: 7 });
    const read = settled(socket.readable.getReader().read());
    const write = settled(socket.writable.getWriter().write(new Uint8Array(100_000)));
    await turns(5);
    await socket.close();
    expect([await settled(socket.opened), await read, await write]).toEqual([
      'rejected ECONNABORTED',
      'fulfilled',
      'rejected ECONNABORTED',
    ]);
  });
  it('may fail without anybody looking at opened', async () => {
    const socket = createWeb(new MemoryNet().host('10.0.0.1')).connect({ hostname: '10.0.0.9', port: 7 });
    expect(await settled(socket.closed)).toBe('rejected ECONNREFUSED');
  });
  it('and ending our direction at once', async () => {
    const net = new MemoryNet();
    const listener = createWeb(net.host('10.0.0.2')).listen({ port: 7 });
    const socket = createWeb(net.host('10.0.0.1')).connect({ hostname: '10.0.0.2', port: 7 });
    await socket.writable.close();
    const { value } = await listener.next();
    expect((await drain((value as Socket).readable)).length).toBe(0);
    expect(await settled(socket.closed)).toBe('fulfilled');
  });
  it('sends what was written before', async () => {
    const net = new MemoryNet();
    const listener = createWeb(net.host('10.0.0.2')).listen({ port: 7 });
    const socket = createWeb(net.host('10.0.0.1')).connect({ hostname: '10.0.0.2', port: 7 });
    const writer = socket.writable.getWriter();
    void writer.write(pattern(5));
    void writer.close();
    const { value } = await listener.next();
    expect(await drain((value as Socket).readable)).toEqual(pattern(5));
  });
});

describe('an address as text', () => {
  it('is host:port, with an IPv6 address in brackets; anything else is a TypeError', async () => {
    const net = new MemoryNet();
    createWeb(net.host('10.0.0.2')).listen({ port: 7 });
    createWeb(net.host('fd00::2')).listen({ port: 7 });
    const web = createWeb(net.host('10.0.0.1'));
    expect((await web.connect('10.0.0.2:7').opened).remoteAddress).toBe('10.0.0.2:7');
    expect((await web.connect('[fd00::2]:7').opened).remoteAddress).toBe('[fd00::2]:7');
    for (const bad of ['10.0.0.2', '10.0.0.2:', 'fd00::2:7', '10.0.0.2:99999', ':7']) {
      expect(() => web.connect(bad), bad).toThrow(TypeError);
    }
  });
});

describe('at the end of a block', () => {
  it('sockets and listeners close, also those that had failed', async () => {
    const { client, server } = await connected();
    await client[Symbol.asyncDispose]();
    expect(await settled(client.closed)).toBe('fulfilled');
    expect((await drain(server.readable)).length).toBe(0);
    const net = new MemoryNet();
    const refused = createWeb(net.host('10.0.0.1')).connect('10.0.0.2:7');
    expect(await settled(refused.opened)).toBe('rejected ECONNREFUSED');
    expect(await settled(refused[Symbol.asyncDispose]())).toBe('fulfilled');
    const listener = createWeb(net.host('10.0.0.2')).listen({ port: 7 });
    await listener[Symbol.asyncDispose]();
    expect((await listener.next()).done).toBe(true);
  });
  it('close rejects the writes that wait with the reason it is given', async () => {
    const { client } = await connected({}, { capacity: 10 });
    const write = client.writable.getWriter().write(pattern(100));
    const failed = expect(write).rejects.toThrow('enough');
    await client.close(new RangeError('enough'));
    await failed;
  });
});

describe('data', () => {
  it('is echoed by a pipe, 5 MB, and both ends close in good order', async () => {
    const { client, server } = await connected();
    const echo = server.readable.pipeTo(server.writable);
    const sent = pattern(5_000_000);
    const writer = client.writable.getWriter();
    const writing = (async () => {
      for (let at = 0; at < sent.length; at += 100_000) await writer.write(sent.subarray(at, at + 100_000));
      await writer.close();
    })();
    const got = await drain(client.readable);
    await Promise.all([writing, echo, client.closed, server.closed]);
    expect(got.length).toBe(sent.length);
    expect(Buffer.compare(got, sent)).toBe(0);
  });

  it('stops the writer when nobody reads, and goes on when somebody does', async () => {
    const { net, client, server } = await connected({}, { capacity: 10_000 });
    const writer = client.writable.getWriter();
    let written = 0;
    void (async () => {
      for (let i = 0; i < 100; i++) {
        await writer.write(new Uint8Array(1000));
        written += 1000;
      }
      await writer.close();
    })();
    await turns(200);
    expect(written).toBeLessThanOrEqual(10_000);
    expect(net.last.b.readable).toBe(10_000);
    const reader = server.readable.getReader();
    await reader.read();
    await turns(50);
    expect(written).toBeLessThanOrEqual(20_000);
    reader.releaseLock();
    expect((await drain(server.readable)).length).toBe(90_000);
    expect(written).toBe(100_000);
  });

  it('goes into the buffer that a reader brings', async () => {
    const { client, server } = await connected();
    const writer = client.writable.getWriter();
    void writer.write(pattern(10));
    const reader = server.readable.getReader({ mode: 'byob' });
    const first = await reader.read(new Uint8Array(4));
    expect(first.value).toEqual(pattern(10).subarray(0, 4));
    const second = await reader.read(new Uint8Array(100));
    expect(second.value).toEqual(pattern(10).subarray(4));
    const last = reader.read(new Uint8Array(4));
    void writer.close();
    expect((await last).done).toBe(true);
  });

  it('must be octets', async () => {
    const { client } = await connected();
    const writer = client.writable.getWriter();
    expect(await settled(writer.write('text' as unknown as Uint8Array))).toBe('rejected TypeError');
  });
});

describe('half-close', () => {
  it('lets the other side speak as long as it likes', async () => {
    const { client, server } = await connected({ allowHalfOpen: true });
    await client.writable.getWriter().close();
    expect((await drain(server.readable)).length).toBe(0);
    expect(await settled(server.closed)).toBe('pending');
    const writer = server.writable.getWriter();
    const sending = (async () => {
      for (let i = 0; i < 10; i++) await writer.write(pattern(50_000));
      await writer.close();
    })();
    expect((await drain(client.readable)).length).toBe(500_000);
    await Promise.all([sending, client.closed, server.closed]);
  });
  it('without allowHalfOpen ends our direction when the peer has ended its own', async () => {
    const { client, server } = await connected();
    await client.writable.getWriter().close();
    expect((await drain(server.readable)).length).toBe(0);
    expect((await drain(client.readable)).length).toBe(0);
    expect(await settled(server.closed)).toBe('fulfilled');
    expect(await settled(client.closed)).toBe('fulfilled');
    const writer = server.writable.getWriter();
    expect(await settled(writer.write(new Uint8Array(1)))).toBe('rejected EPIPE');
  });
  it('without allowHalfOpen still sends the write that is under way', async () => {
    const { client, server } = await connected({}, { capacity: 1000 });
    const writing = server.writable.getWriter().write(pattern(5000));
    await client.writable.close();
    expect((await drain(server.readable)).length).toBe(0);
    expect((await drain(client.readable)).length).toBe(5000);
    await Promise.all([writing, server.closed, client.closed]);
  });
  it('leaves what came before readable, however late it is read', async () => {
    const { client, server } = await connected();
    const writer = client.writable.getWriter();
    await writer.write(pattern(30_000));
    await writer.close();
    await server.writable.getWriter().close();
    await client.readable.cancel();
    await server.closed;
    await turns(20);
    expect(await drain(server.readable)).toEqual(pattern(30_000));
  });
});

describe('no promise stays pending', () => {
  const waiting = async (act: (client: Socket, server: Socket, net: MemoryNet) => unknown) => {
    const { net, client, server } = await connected({}, { capacity: 1000 });
    // A read that waits and a write that does not fit, on the client's side.
    const reader = client.readable.getReader();
    const writer = client.writable.getWriter();
    const read = settledLater(reader.read());
    const write = settledLater(writer.write(new Uint8Array(5000)));
    const queued = settledLater(writer.write(new Uint8Array(1)));
    await turns(10);
    expect([read(), write(), queued()]).toEqual(['pending', 'pending', 'pending']);
    await act(client, server, net);
    await turns(30);
    return [read(), write(), queued(), await settled(client.closed), await settled(writer.closed)];
  };
  it('after a reset by the peer', async () => {
    const reset = 'rejected ECONNRESET';
    expect(await waiting((_c, server) => server.writable.abort())).toEqual([reset, reset, reset, reset, reset]);
  });
  it('after a reset while nothing is written', async () => {
    const { client, server } = await connected();
    const writer = client.writable.getWriter();
    const closed = settledLater(writer.closed);
    await server.writable.abort();
    await turns(10);
    expect([closed(), await settled(writer.ready)]).toEqual(['rejected ECONNRESET', 'rejected ECONNRESET']);
  });
  it('after close', async () => {
    const gone = 'rejected ECONNABORTED';
    expect(await waiting((client) => client.close())).toEqual(['fulfilled', gone, gone, 'fulfilled', gone]);
  });
  it('after the network failed', async () => {
    const { NetError } = await import('../../src/base/errors.ts');
    const late = 'rejected ETIMEDOUT';
    const fail = (_c: Socket, _s: Socket, net: MemoryNet): void => net.last.a.fail(new NetError('ETIMEDOUT', 'read'));
    expect(await waiting(fail)).toEqual([late, late, late, late, late]);
  });
  it('after aborting the writable: the peer is reset', async () => {
    const { client, server } = await connected();
    const read = settledLater(client.readable.getReader().read());
    await client.writable.abort(new RangeError('enough'));
    await turns(10);
    expect([read(), await settled(client.closed)]).toEqual(['rejected RangeError', 'rejected RangeError']);
    expect(await states(server)).toMatchObject({ closed: 'rejected ECONNRESET', read: 'rejected ECONNRESET' });
  });
  it('after both ended: the writer learns of it too', async () => {
    const { client, server } = await connected();
    await server.close();
    expect((await drain(client.readable)).length).toBe(0);
    expect(await states(client)).toMatchObject({
      closed: 'fulfilled',
      write: 'rejected EPIPE',
      writer: 'rejected EPIPE',
    });
  });
});

/** As `settled`, asked later. */
function settledLater(promise: Promise<unknown>): () => string {
  let state = 'pending';
  promise.then(
    () => {
      state = 'fulfilled';
    },
    (error: { code?: string; name: string }) => {
      state = `rejected ${error.code ?? error.name}`;
    },
  );
  return () => state;
}

describe('a socket that was closed', () => {
  it('waits for its peer to end, but not for ever', async () => {
    const net = new MemoryNet();
    const due: (() => void)[] = [];
    const clock = {
      now: () => 0,
      setTimer: (fire: () => void) => due.push(fire),
      clearTimer: () => undefined,
      holdTimer: () => undefined,
      soon: (run: () => void) => queueMicrotask(run),
    };
    const listener = createWeb(net.host('10.0.0.2')).listen({ port: 7, allowHalfOpen: true });
    const client = createWeb(net.host('10.0.0.1'), { clock }).connect({ hostname: '10.0.0.2', port: 7 });
    const { value } = await listener.next();
    await client.opened;
    await client.close();
    const server = value as Socket;
    expect(await settled(server.writable.getWriter().write(pattern(1000)))).toBe('fulfilled');
    expect(await settled(server.closed)).toBe('pending');
    for (const fire of due) fire();
    expect(await settled(server.closed)).toBe('rejected ECONNRESET');
  });
});

describe('cancelling the readable', () => {
  it('drops what comes, so that the peer is not held up', async () => {
    const { client, server } = await connected({}, { capacity: 1000 });
    await client.readable.cancel();
    const writer = server.writable.getWriter();
    for (let i = 0; i < 20; i++) await writer.write(new Uint8Array(1000));
    expect(await settled(client.closed)).toBe('pending');
  });
});

describe('listening', () => {
  it('iterates over connections, and ends when closed; those nobody took are closed', async () => {
    const net = new MemoryNet();
    const listener = createWeb(net.host('10.0.0.2')).listen({ port: 0 });
    const web = createWeb(net.host('10.0.0.1'));
    const dial = (): Socket => web.connect({ hostname: '10.0.0.2', port: listener.port });
    const first = dial();
    const seen: Socket[] = [];
    const loop = (async () => {
      for await (const socket of listener) seen.push(socket);
    })();
    await first.opened;
    await until(() => seen.length === 1);
    listener.close();
    await loop;
    expect(await settled(dial().opened)).toBe('rejected ECONNREFUSED');
    expect(await settled(first.closed)).toBe('pending');
    const other = createWeb(net.host('10.0.0.3')).listen({ port: 1 });
    const second = web.connect({ hostname: '10.0.0.3', port: 1 });
    await second.opened;
    other.close();
    expect((await drain(second.readable)).length).toBe(0);
    expect((await other.next()).done).toBe(true);
  });
  it('resets connections beyond the backlog', async () => {
    const net = new MemoryNet();
    createWeb(net.host('10.0.0.2')).listen({ port: 7, backlog: 2 });
    const web = createWeb(net.host('10.0.0.1'));
    const all = [1, 2, 3].map(() => web.connect({ hostname: '10.0.0.2', port: 7 }));
    await turns(10);
    expect(await Promise.all(all.map((socket) => settled(socket.closed)))).toEqual([
      'pending',
      'pending',
      'rejected ECONNRESET',
    ]);
  });
  it('refuses a port that is taken', () => {
    const web = createWeb(new MemoryNet().host('10.0.0.2'));
    web.listen({ port: 7 });
    expect(() => web.listen({ port: 7 })).toThrow('EADDRINUSE');
  });
});
