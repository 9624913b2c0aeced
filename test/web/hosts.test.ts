// The Web shapes over two real hosts: our HTTP over our TCP over our IP, joined by a pipe in memory.

import { afterEach, describe, expect, it } from 'vitest';
import { createPipe } from '../../src/link/pipe.ts';
import { afterIo, createHost, type RealHost } from '../../src/run/index.ts';
import { createWeb, type Web } from '../../src/web/index.ts';

const open: RealHost[] = [];

/** Two hosts, and the Web of each. */
function two(): { near: Web; far: Web } {
  const pipe = createPipe({ schedule: afterIo });
  const near = createHost({ name: 'near' });
  const far = createHost({ name: 'far' });
  near.runtime.attach(pipe.a, { addresses: ['10.0.0.1/24', 'fd00::1/64'] });
  far.runtime.attach(pipe.b, { addresses: ['10.0.0.2/24', 'fd00::2/64'] });
  open.push(near, far);
  return { near: createWeb(near.host), far: createWeb(far.host) };
}

afterEach(() => {
  for (const { runtime } of open.splice(0)) runtime.close();
});

function pattern(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

describe('over two hosts', () => {
  it.each(['10.0.0.2', '[fd00::2]'])('fetch gets 1 MB from serve at %s and sends 1 MB', async (address) => {
    const { near, far } = two();
    const server = far.serve({ port: 80, fetch: (request) => new Response(request.body) });
    const bytes = pattern(1_000_000);
    const response = await near.fetch(`http://${address}/`, { method: 'POST', body: bytes });
    const got = new Uint8Array(await response.arrayBuffer());
    expect(Buffer.compare(got, bytes)).toBe(0);
    near.close();
    await server.close();
  });

  it('sockets echo through a pipe and close in good order', async () => {
    const { near, far } = two();
    const listener = far.listen({ port: 7 });
    void (async () => {
      for await (const socket of listener) void socket.readable.pipeTo(socket.writable);
    })();
    const socket = near.connect({ hostname: '10.0.0.2', port: 7 });
    expect((await socket.opened).remoteAddress).toBe('10.0.0.2:7');
    const sent = pattern(300_000);
    const writer = socket.writable.getWriter();
    const writing = writer.write(sent).then(() => writer.close());
    const got = new Uint8Array(await new Response(socket.readable as unknown as BodyInit).arrayBuffer());
    await writing;
    expect(Buffer.compare(got, sent)).toBe(0);
    await socket.closed;
    listener.close();
  });

  it('a port where nobody listens refuses, and a closed host settles what waits', async () => {
    const { near, far } = two();
    await expect(near.fetch('http://10.0.0.2/')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    far.serve({ port: 80, fetch: () => new Promise<Response>(() => undefined) });
    const waiting = near.fetch('http://10.0.0.2/');
    const socket = near.connect({ hostname: '10.0.0.2', port: 80 });
    await socket.opened;
    open[0]!.runtime.close();
    await expect(waiting).rejects.toBeInstanceOf(TypeError);
    await expect(socket.closed).rejects.toMatchObject({ name: 'NetError' });
  });
});
