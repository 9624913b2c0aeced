// What `serve` adds to a connection: limits, early hints, upgrades and closing.

import { describe, expect, it } from 'vitest';
import { createWeb, type ServeOptions, type WebServer } from '../../src/web/index.ts';
import { drain, put } from '../http/conversation.ts';
import { MemoryNet, settled, turns } from './memory-host.ts';
import { VirtualTime } from './virtual-time.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

interface Setup {
  net: MemoryNet;
  time: VirtualTime;
  server: WebServer;
  /** A connection that sends `text`; what it got so far. */
  open(text?: string): Promise<{ got(): string; send(text: string): Promise<void>; over(): boolean }>;
}

function setup(fetch: ServeOptions['fetch'], more: Partial<ServeOptions> = {}): Setup {
  const net = new MemoryNet();
  const time = new VirtualTime();
  const server = createWeb(net.host('10.0.0.2'), { clock: time }).serve({ port: 80, fetch, ...more });
  const open = async (text = ''): ReturnType<Setup['open']> => {
    const stream = net.host('10.0.0.1').connect({ address: '10.0.0.2', port: 80 });
    let got = '';
    let over = false;
    stream.handler = {
      onReadable: () => {
        got += drain(stream);
      },
      onClose: () => {
        over = true;
      },
    };
    const send = async (octets: string): Promise<void> => {
      put(stream, octets);
      await turns(20);
    };
    await turns(5);
    await send(text);
    return { got: () => got, send, over: () => over || stream.ended };
  };
  return { net, time, server, open };
}

describe('serve', () => {
  it('has a limit of connections: more are reset, and one that ends makes room', async () => {
    const { open, server } = setup(() => new Response('ok'), { maxConnections: 2 });
    const [a, b] = [await open(GET), await open(GET)];
    const c = await open();
    expect([a.over(), b.over(), c.over(), server.connections]).toEqual([false, false, true, 2]);
    await a.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    expect(a.over()).toBe(true);
  });

  it('sends early hints before the answer', async () => {
    const { open } = setup((_request, info) => {
      info.earlyHints({ Link: '</a.css>; rel=preload' });
      return new Response('ok');
    });
    const { got } = await open(GET);
    expect(got()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it('hands an upgraded connection over as a socket', async () => {
    const { open, server } = setup((request, info) => {
      expect(request.headers.get('upgrade')).toBe('echo');
      const { socket, response } = info.upgrade('echo', { 'X-A': 'b' });
      void socket.readable.pipeTo(socket.writable);
      return response;
    });
    const { got, send } = await open(GET.replace('\r\n\r\n', '\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst '));
    await send('second');
    expect(got()).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nX-A: b\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst second',
    );
    expect(server.connections).toBe(0);
  });

  it('refuses an upgrade that was not asked for', async () => {
    const errors: unknown[] = [];
    const { open } = setup((_request, info) => info.upgrade('echo').response, {
      onError: (error) => errors.push(error),
    });
    const { got } = await open(GET);
    expect([got().slice(0, 12), errors.length]).toEqual(['HTTP/1.1 500', 1]);
  });

  it('closes gracefully: finishes, refuses, then stops; what is left after the grace is reset', async () => {
    const answers: (() => void)[] = [];
    const { open, server, time } = setup(
      () => new Promise((resolve) => void answers.push(() => resolve(new Response('ok')))),
    );
    const [idle, busy, stuck] = [await open(), await open(GET), await open(GET)];
    const closed = server.close({ grace: 5000 });
    const late = await open();
    answers[0]!();
    await turns(20);
    expect([idle.over(), busy.over(), stuck.over(), late.over()]).toEqual([true, true, false, true]);
    expect([busy.got().includes('Connection: close'), late.got()]).toEqual([true, '']);
    await time.pass(4999);
    expect([stuck.over(), await settled(closed)]).toEqual([false, 'pending']);
    await time.pass(6001);
    expect(stuck.over()).toBe(true);
  });

  it('closes when its signal aborts', async () => {
    const stop = new AbortController();
    const { open, server } = setup(() => new Response('ok'), { signal: stop.signal });
    const { over } = await open(GET);
    stop.abort();
    await turns(20);
    expect([over(), (await open()).over()]).toEqual([true, true]);
    expect(server.connections).toBeLessThan(2);
  });

  it('advertises how long it keeps a connection, and keeps it so long and a little longer', async () => {
    const { open, time } = setup(() => new Response('ok'), { timeouts: { idle: 5000, grace: 1000 } });
    const { got, over } = await open(GET);
    expect(got()).toContain('\r\nKeep-Alive: timeout=5\r\n');
    await time.pass(5900);
    expect(over()).toBe(false);
    await time.pass(1200);
    expect(over()).toBe(true);
  });
});
