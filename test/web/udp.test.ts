// Datagrams as an async iterable, over two hosts in virtual time.

import { describe, expect, it } from 'vitest';
import { type Pair, pair } from '../../src/sim/index.ts';
import { type DatagramSocket, type UdpOptions, udp } from '../../src/web/index.ts';

/** A pair, and what opens sockets at both ends: near names are looked up, far none. */
function two(): {
  p: Pair;
  near: (options?: UdpOptions) => DatagramSocket;
  far: (options?: UdpOptions) => DatagramSocket;
} {
  const p = pair({ impairments: { delay: 10 } });
  const lookup = (): string => p.serverAddress;
  return { p, near: (options) => udp(p.client, { lookup, ...options }), far: (options) => udp(p.server, options) };
}

describe('udp', () => {
  it('echoes datagrams of every size from nothing to the MTU, each whole', async () => {
    const { p, near, far } = two();
    const echo = far({ port: 7 });
    void (async () => {
      for await (const { data, hostname, port } of echo) await echo.send(data, { hostname, port });
    })();
    const socket = near();
    const sizes = [0, 1, 2, 500, 1471, 1472];
    for (const size of sizes) await socket.send(new Uint8Array(size).fill(size), { hostname: 'echo.test', port: 7 });
    await p.network.runAsync();
    for (const size of sizes) {
      const { value } = await socket.next();
      expect(value).toEqual({ data: new Uint8Array(size).fill(size), hostname: p.serverAddress, port: 7 });
    }
    expect(socket.port).toBeGreaterThan(1023);
  });

  it('one that does not fit into a packet is refused with EMSGSIZE; a name without lookup is a TypeError', async () => {
    const { p, near, far } = two();
    const target = { hostname: p.serverAddress, port: 7 };
    await expect(near().send(new Uint8Array(1473), target)).rejects.toMatchObject({ code: 'EMSGSIZE' });
    await expect(far().send(new Uint8Array(1), { hostname: 'a.test', port: 7 })).rejects.toThrow(TypeError);
    await expect(near().send('text' as never, target)).rejects.toThrow(TypeError);
  });

  it('tells that nobody listens, and lives on', async () => {
    const { p, near, far } = two();
    const errors: unknown[] = [];
    const socket = near({ onError: (error) => errors.push(error.code) });
    await socket.send(new Uint8Array(1), { hostname: p.serverAddress, port: 9 });
    await p.network.runAsync();
    expect(errors).toEqual(['ECONNREFUSED']);
    const other = far({ port: 9 });
    await socket.send(new Uint8Array(2), { hostname: p.serverAddress, port: 9 });
    await p.network.runAsync();
    expect((await other.next()).value).toMatchObject({ data: new Uint8Array(2) });
  });

  it('keeps what nobody takes up to a bound, and counts what it drops', async () => {
    const { p, near, far } = two();
    const socket = far({ port: 7 });
    const sender = near();
    for (let i = 0; i < 300; i++) {
      await sender.send(new Uint8Array(1000), { hostname: p.serverAddress, port: 7 });
      await p.network.runAsync();
    }
    expect(socket.dropped).toBe(300 - Math.floor(212_992 / 1256));
    expect((await socket.next()).done).toBe(false);
    await sender.send(new Uint8Array(1000), { hostname: p.serverAddress, port: 7 });
    await p.network.runAsync();
    expect(socket.dropped).toBe(300 - Math.floor(212_992 / 1256));
  });

  it('closing ends the loops and gives the port back; a closed host tells why', async () => {
    const { p, near, far } = two();
    const controller = new AbortController();
    const socket = far({ port: 7, signal: controller.signal });
    expect(() => far({ port: 7 })).toThrow('EADDRINUSE');
    const next = socket.next();
    controller.abort();
    expect((await next).done).toBe(true);
    await expect(socket.closed).resolves.toBeUndefined();
    await expect(socket.send(new Uint8Array(1), { hostname: '10.0.0.1', port: 1 })).rejects.toThrow('closed');
    await far({ port: 7 })[Symbol.asyncDispose]();
    const other = near();
    p.client.close();
    await p.network.runAsync();
    await expect(other.closed).rejects.toMatchObject({ code: 'ECONNABORTED' });
    expect((await other.next()).done).toBe(true);
  });
});
