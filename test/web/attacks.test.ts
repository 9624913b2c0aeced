// Clients that mean harm, or mean nothing, by the hundred and by the thousand, in virtual time: what they hold of the server
// stays bounded, they are sent away in time, and others are served meanwhile.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createWeb, type ServeOptions, type WebStream } from '../../src/web/index.ts';
import { drain, put } from '../http/conversation.ts';
import { MemoryNet, turns, until } from './memory-host.ts';
import { VirtualTime } from './virtual-time.ts';

const HOST = 'Host: 10.0.0.2\r\n';
const hello = (): Response => new Response('hello');

/** A server with a clock of its own, and an honest client. */
function setup(fetch: ServeOptions['fetch'], more: Partial<ServeOptions> = {}) {
  const net = new MemoryNet({ capacity: 65_536 });
  const time = new VirtualTime();
  const server = createWeb(net.host('10.0.0.2'), { clock: time }).serve({
    port: 80,
    fetch,
    timeouts: { head: 20_000, body: 60_000, stall: 10_000, idle: 15_000, grace: 0, linger: 2_000 },
    ...more,
  });
  const evil = net.host('10.0.0.66');
  const honest = createWeb(net.host('10.0.0.1'), { clock: null, keepIdle: 0 });
  const served = async (): Promise<string> => (await honest.fetch('http://10.0.0.2/honest')).text();
  return { net, time, server, evil, served };
}

/** A connection of somebody who means harm, and what came back on it. */
type Attacker = WebStream & { got: string; open: boolean; over: boolean };

/** Connects, and says `text` once it can. */
function attack(evil: ReturnType<MemoryNet['host']>, text = '', reading = true): Attacker {
  const stream = evil.connect({ address: '10.0.0.2', port: 80 }) as Attacker;
  Object.assign(stream, { got: '', open: false, over: false });
  stream.handler = {
    onOpen: () => {
      stream.open = true;
      if (text !== '') put(stream, text);
    },
    onReadable: () => {
      if (reading) stream.got += drain(stream);
    },
    onClose: () => {
      stream.over = true;
    },
  };
  return stream;
}

/** Octets of the heap that are in use, after everything that nobody needs is gone. */
const heap = (() => {
  let collect: (() => void) | null = null;
  return (): number => {
    setFlagsFromString('--expose-gc');
    collect ??= runInNewContext('gc') as () => void;
    collect();
    return process.memoryUsage().heapUsed;
  };
})();

describe('clients that are slow', () => {
  it('with their heads: 300 of them are answered 408 in time, and others are served all along', async () => {
    const { time, server, evil, served } = setup(hello);
    const slow = Array.from({ length: 300 }, () => attack(evil, `GET / HTTP/1.1\r\n${HOST}`));
    await until(() => server.connections === 300);
    for (let i = 0; i < 6; i++) {
      await time.pass(3_000);
      for (const [n, stream] of slow.entries()) put(stream, `X-${i}-${n}: slow\r\n`);
      expect(await served()).toBe('hello');
    }
    expect(slow.filter(({ got }) => got !== '')).toEqual([]);
    await time.pass(6_000);
    expect(slow.filter(({ got }) => !got.startsWith('HTTP/1.1 408 '))).toEqual([]);
    await time.pass(4_000);
    expect(server.connections).toBe(0);
  });

  it('with their content: 200 of them are answered 408 for want of progress', async () => {
    const { time, server, evil, served } = setup(
      async (request) => new Response(String((await request.text()).length)),
    );
    const head = `POST / HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\n`;
    const slow = Array.from({ length: 200 }, () => attack(evil, head));
    await until(() => server.connections === 200);
    for (let i = 0; i < 4; i++) {
      await time.pass(3_000);
      for (const stream of slow) if (!stream.over && stream.got === '') put(stream, 'slow');
      expect(await served()).toBe('0');
    }
    await time.pass(6_000);
    expect(slow.filter(({ got }) => !got.startsWith('HTTP/1.1 408 '))).toEqual([]);
    expect(server.connections).toBe(0);
  });

  it('to read: 100 who ask for much and read nothing hold little, and lose their connections', async () => {
    let produced = 0;
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            produced += 10_000;
            controller.enqueue(new Uint8Array(10_000));
          },
        }),
      );
    const { time, server, evil, served } = setup((request) => (request.url.endsWith('honest') ? hello() : endless()));
    const slow = Array.from({ length: 100 }, () => attack(evil, `GET / HTTP/1.1\r\n${HOST}\r\n`, false));
    await until(() => server.connections === 100);
    await turns(200);
    // What the connection holds, and a piece or two in hand.
    expect(produced / 100).toBeLessThan(65_536 + 40_000);
    expect(await served()).toBe('hello');
    await time.pass(30_000);
    expect([server.connections, slow.filter(({ over }) => !over).length]).toEqual([0, 0]);
  });

  it('and say nothing: 10,000 idle connections cost a few kilobytes each, and end in their time', async () => {
    const { time, server, evil, served } = setup(hello);
    const before = heap();
    const idle = Array.from({ length: 10_000 }, () => attack(evil));
    await until(() => server.connections === 10_000, 100_000);
    expect(await served()).toBe('hello');
    // Both ends of the connections in memory and the clients' own parts are in it.
    expect((heap() - before) / 10_000).toBeLessThan(10_000);
    await time.pass(20_000);
    expect(server.connections).toBe(0);
    expect(idle.every(({ got }) => got === '')).toBe(true);
  }, 60_000);

  it('are more than there may be: those beyond are reset at once', async () => {
    const { server, evil, served, time } = setup(hello, { maxConnections: 50 });
    const many = Array.from({ length: 80 }, () => attack(evil));
    await until(() => many.filter(({ over }) => over).length === 30);
    expect(server.connections).toBe(50);
    await time.pass(20_000);
    expect(await served()).toBe('hello');
  });
});

describe('messages that grow without end', () => {
  const chunked = `PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
  it.each([
    ['a target', 414, 'GET /', 'a'.repeat(1000)],
    ['a method', 501, '', 'A'.repeat(1000)],
    ['a field', 431, `GET / HTTP/1.1\r\n${HOST}X: `, 'a'.repeat(1000)],
    ['fields', 431, `GET / HTTP/1.1\r\n${HOST}`, 'X: y\r\n'.repeat(100)],
    ['empty lines', 431, '', '\r\n'.repeat(500)],
    ['the extension of a chunk', 400, `${chunked}1`, ';a=b'.repeat(250)],
    ['a trailer', 431, `${chunked}0\r\nX: `, 'a'.repeat(1000)],
    ['the digits of a chunk', 400, chunked, '0'.repeat(1000)],
  ])('%s: refused with %i, little of it read, the server is there for others', async (_what, status, start, more) => {
    const { server, evil, served } = setup(async (request) => new Response(String((await request.text()).length)));
    const stream = attack(evil, start);
    await until(() => stream.open);
    let sent = 0;
    // Until the server answers, as much as the connection takes.
    for (let i = 0; i < 5000 && stream.got === ''; i++) {
      if (stream.writable >= more.length) {
        put(stream, more);
        sent += more.length;
      } else await turns(1);
    }
    await until(() => stream.got !== '');
    expect(stream.got.slice(9, 12)).toBe(String(status));
    // The limit, and what was on its way.
    expect(sent).toBeLessThan(16_384 + 2 * 65_536 + 2000);
    expect(await served()).toBe('0');
    stream.abort();
    await until(() => server.connections === 0);
  });

  it('content that is not wanted is read up to a limit, and then the connection ends', async () => {
    const { evil, server } = setup(() => new Response('enough'));
    const stream = attack(evil, `POST / HTTP/1.1\r\n${HOST}Content-Length: 1000000000\r\n\r\n`);
    await until(() => stream.open);
    let sent = 0;
    for (let i = 0; i < 3000 && !stream.ended; i++) {
      if (stream.writable > 0) sent += stream.send(new Uint8Array(10_000), 0, 10_000);
      await turns(1);
    }
    expect([stream.got.slice(9, 12), stream.ended]).toEqual(['200', true]);
    expect(sent).toBeLessThan(10_000_000);
    stream.abort();
    await until(() => server.connections === 0);
  });

  it('a line of 10,000 requests whose answers nobody reads is answered as far as there is room, and no further', async () => {
    let asked = 0;
    const { evil, served, time, server } = setup((request) => {
      if (!request.url.endsWith('honest')) asked++;
      return new Response('x'.repeat(5_000));
    });
    const stream = attack(evil, '', false);
    await until(() => server.connections === 1);
    const line = `GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(100);
    for (let i = 0; i < 100; i++) {
      if (stream.writable >= line.length) put(stream, line);
      await turns(2);
    }
    expect(asked).toBeLessThan(40);
    expect(await served()).toHaveLength(5_000);
    await time.pass(30_000);
    expect([server.connections, stream.over]).toEqual([0, true]);
  });
});

describe('answers that mean harm', () => {
  /** A client that takes 1 MB of decoded content, and a server of bombs. */
  const fetching = (body: Uint8Array<ArrayBuffer>, coding: string) => {
    const net = new MemoryNet();
    const headers = { 'Content-Encoding': coding };
    createWeb(net.host('10.0.0.2'), { clock: null }).serve({ port: 80, fetch: () => new Response(body, { headers }) });
    return createWeb(net.host('10.0.0.1'), { clock: null, maxDecoded: 1_000_000 });
  };

  it('20 MB in 20 kB, and a bomb in a bomb, go off at the limit with little in memory', async () => {
    const bomb = gzipSync(new Uint8Array(20_000_000));
    for (const [body, coding] of [
      [bomb, 'gzip'],
      [gzipSync(bomb), 'gzip, gzip'],
    ] as const) {
      const before = heap();
      const response = await fetching(new Uint8Array(body), coding).fetch('http://10.0.0.2/');
      const length = response.arrayBuffer().then(({ byteLength }) => byteLength);
      await expect(length).rejects.toThrow('more than 1000000 octets');
      expect(heap() - before).toBeLessThan(10_000_000);
    }
  });
});
