// synfin/testing: networks for tests that go on and end by themselves, and tell what failed.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { networked, type TestNet, type TestNetOptions, testNet } from '../../src/testing/index.ts';
import { readCapture } from '../../src/trace/index.ts';
import { udp } from '../../src/web/index.ts';

let folder = '';
const said: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'synfin-testing-'));
  said.length = 0;
  vi.spyOn(console, 'error').mockImplementation((text) => void said.push(text));
  vi.spyOn(console, 'warn').mockImplementation((text) => void said.push(text));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A page over the network; the server is closed again. */
async function page(t: TestNet, size: number): Promise<number> {
  const server = t.web(t.server).serve({ port: 80, fetch: () => new Response(new Uint8Array(size)) });
  const response = await t.web(t.client).fetch('http://server/');
  const { byteLength } = await response.arrayBuffer();
  void server.close();
  return byteLength;
}

describe('virtual time', () => {
  it(
    'a download through a bad path takes seconds of its own time',
    networked({ rtt: 400, impairments: { loss: 0.05 }, seed: 1, leaks: 'fail' }, async (t) => {
      expect(await page(t, 200_000)).toBe(200_000);
      expect(t.now).toBeGreaterThan(2_000);
    }),
  );

  it('the same seed gives the same packets, octet by octet, and another seed gives others', async () => {
    const run = async (seed: number): Promise<Buffer> => {
      const t = testNet({ seed, impairments: { loss: 0.1, jitter: 5 } });
      await page(t, 100_000);
      await t.close();
      return Buffer.from(t.capture());
    };
    const first = await run(7);
    expect(readCapture(first).packets.length).toBeGreaterThan(60);
    expect(first.equals(await run(7))).toBe(true);
    expect(first.equals(await run(8))).toBe(false);
  });

  it(
    'time passes by sleep, and stands still while work is held',
    networked({}, async (t) => {
      await t.sleep(3_600_000);
      expect(t.now).toBe(3_600_000);
      const blind = t.client.connect({ address: '10.0.0.77', port: 1 });
      const before = t.now;
      await t.hold(new Promise((resolve) => setTimeout(resolve, 20)));
      expect(t.now - before).toBeLessThan(1);
      blind.abort();
    }),
  );

  it(
    'fake timers of the runner do not stop it',
    networked({ leaks: 'fail' }, async (t) => {
      vi.useFakeTimers();
      expect(await page(t, 1000)).toBe(1000);
    }),
  );

  it('a test that waits for what will never come fails, and says that nothing is left to happen', async () => {
    const body = networked({ patience: 50, captures: folder }, () => new Promise(() => undefined));
    await expect(body()).rejects.toThrow('nothing is left to happen on the network');
  });

  it('what a handler throws fails the test', async () => {
    const body = networked({ captures: folder }, async (t) => {
      t.server.listen({ port: 80 }, () => {
        throw new RangeError('in a handler');
      });
      t.client.connect({ address: t.serverAddress, port: 80 });
      await t.sleep(1000);
    });
    await expect(body()).rejects.toThrow('in a handler');
  });

  it(
    'more hosts can be added and joined',
    networked({ leaks: 'fail' }, async (t) => {
      const third = t.host('third', '10.1.0.2/24');
      const gate = t.host('gate', '10.1.0.1/24');
      t.join(gate, third, { delay: 50 });
      const listener = t.web(third).listen({ port: 7 });
      const socket = t.web(gate).connect('third:7');
      await socket.opened;
      await Promise.all([socket.close(), (await listener.next()).value.close()]);
      listener.close();
      expect(t.now).toBeGreaterThanOrEqual(100);
    }),
  );
});

describe('a run that fails', () => {
  const failing: TestNetOptions = { impairments: { loss: 0.2 } };
  const body = (options: TestNetOptions) =>
    networked({ ...failing, ...options, captures: folder, name: 'a test' }, async (t) => {
      await page(t, 50_000);
      throw new Error('no good');
    });

  it('prints its seed and writes its packets, and the seed gives the same file again', async () => {
    await expect(body({})()).rejects.toThrow('no good');
    const seed = /SYNFIN_SEED=(\d+)/.exec(said.join('\n'))![1]!;
    expect(readdirSync(folder)).toEqual([`a-test-${seed}.pcapng`]);
    const first = readFileSync(join(folder, `a-test-${seed}.pcapng`));
    expect(readCapture(first).problems).toEqual([]);
    rmSync(join(folder, `a-test-${seed}.pcapng`));
    vi.stubEnv('SYNFIN_SEED', seed);
    await expect(body({})()).rejects.toThrow('no good');
    vi.unstubAllEnvs();
    expect(readFileSync(join(folder, `a-test-${seed}.pcapng`)).equals(first)).toBe(true);
  });

  it('a seed in the environment that is none is a RangeError', () => {
    vi.stubEnv('SYNFIN_SEED', 'seven');
    expect(() => testNet()).toThrow(RangeError);
    vi.unstubAllEnvs();
  });
});

describe('sockets of the shape of node:net', () => {
  it(
    'live on the network: names of its hosts, its time, its losses',
    networked({ rtt: 300, impairments: { loss: 0.1 }, seed: 3, leaks: 'fail' }, async (t) => {
      const server = t.net(t.server).createServer((socket) => socket.pipe(socket));
      await new Promise<void>((resolve) => {
        server.listen(7, resolve);
      });
      const client = t.net(t.client).connect(7, 'server');
      client.end(Buffer.alloc(100_000, 'ab'));
      let got = 0;
      for await (const chunk of client) got += (chunk as Buffer).length;
      expect(got).toBe(100_000);
      expect(t.now).toBeGreaterThan(1_500);
      await new Promise((resolve) => server.close(resolve));
    }),
  );

  it('are told when left open, with the line that opened them', async () => {
    const t = testNet();
    const server = t.net(t.server).createServer();
    server.listen(7);
    const client = t.net(t.client).connect(7, 'server');
    const unknown = t.net(t.client).connect(7, 'nowhere');
    const code = new Promise((resolve) => unknown.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)));
    await new Promise((resolve) => client.once('connect', resolve));
    expect(await code).toBe('ENOTFOUND');
    client.on('error', () => undefined);
    server.on('connection', (socket) => socket.on('error', () => undefined));
    const leaks = await t.close();
    expect(leaks.map(({ what }) => what.replace(/:\d{5}/, ':port'))).toEqual([
      'TCP 10.0.0.1:port > 10.0.0.2:7, ESTABLISHED',
      'TCP 10.0.0.2:7 > 10.0.0.1:port, ESTABLISHED',
      'listener on port 7 of server',
    ]);
    for (const { where } of leaks) expect(where).toMatch(/testing\.test\.ts:\d+/);
  });
});

describe('sockets left open', () => {
  it('are told with the line that opened them, also when they were opened later than asked for', async () => {
    const t = testNet();
    const web = t.web(t.server);
    const listener = web.listen({ port: 7 });
    const socket = t.web(t.client).connect('server:7');
    const datagrams = udp(t.client, { port: 9 });
    await socket.opened;
    const leaks = await t.close();
    expect(leaks.map((leak) => leak.what.replace(/:5\d{4}/, ':port').replace(/:[3-6]\d{4}/, ':port'))).toEqual([
      'TCP 10.0.0.1:port > 10.0.0.2:7, ESTABLISHED',
      'UDP socket on port 9 of client',
      'TCP 10.0.0.2:7 > 10.0.0.1:port, ESTABLISHED',
      'listener on port 7 of server',
    ]);
    for (const { where } of leaks) expect(where).toMatch(/testing\.test\.ts:\d+/);
    const line = (index: number): number => Number(/testing\.test\.ts:(\d+)/.exec(leaks[index]!.where)![1]);
    expect([line(0) - line(3), line(1) - line(0), line(2)]).toEqual([1, 1, line(3)]);
    // Torn down all the same.
    await expect(socket.closed).rejects.toMatchObject({ code: 'ECONNABORTED' });
    expect([(await listener.next()).done, (await datagrams.next()).done]).toEqual([false, true]);
  });

  it('are a warning, a failure or nothing, as asked', async () => {
    const open = (leaks: 'warn' | 'fail' | 'ignore') =>
      networked({ leaks }, async (t) => {
        t.web(t.server).listen({ port: 7 });
      })();
    await open('ignore');
    expect(said).toEqual([]);
    await open('warn');
    expect(said.join()).toMatch(/left open:\n {2}listener on port 7 of server\n {4}opened at .*testing\.test\.ts/);
    await expect(open('fail')).rejects.toThrow('listener on port 7');
  });

  it('idle connections that fetch keeps, and what is ending by itself, are none', async () => {
    const t = testNet({ rtt: 2000 });
    expect(await page(t, 10)).toBe(10);
    expect(await t.close()).toEqual([]);
  });
});

describe('real time', () => {
  it(
    'a tunnel takes real clients to a real server, through delay and loss',
    networked({ time: 'real', rtt: 60, impairments: { loss: 0.02 }, leaks: 'fail' }, async (t) => {
      const server = net.createServer((socket) => socket.pipe(socket));
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const tunnel = await t.tunnel({ port: (server.address() as net.AddressInfo).port });
      const client = net.connect(tunnel.port, '127.0.0.1');
      const sent = Buffer.alloc(300_000, 'abcdefg');
      client.end(sent);
      const chunks: Buffer[] = [];
      for await (const chunk of client) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).equals(sent)).toBe(true);
      expect(t.network.packets).toBeGreaterThan(400);
      expect(t.now).toBeGreaterThan(120);
      server.close();
    }),
  );

  it(
    'a tunnel resets a connection exactly where it is told to',
    networked({ time: 'real', rtt: 4, leaks: 'fail' }, async (t) => {
      const server = net.createServer((socket) =>
        socket.on('error', () => undefined).write(`head\r\n\r\n${'x'.repeat(100_000)}`),
      );
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const { port } = server.address() as net.AddressInfo;
      const tunnel = await t.tunnel({ port, resetAfter: { octets: 512, from: '\r\n\r\n' } });
      const client = net.connect(tunnel.port, '127.0.0.1');
      let got = '';
      client.setEncoding('latin1').on('data', (text) => {
        got += text;
      });
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
        client.on('error', resolve);
      });
      expect(error.code).toBe('ECONNRESET');
      expect(got).toBe(`head\r\n\r\n${'x'.repeat(512)}`);
      server.close();
    }),
  );

  it(
    'a dead server is a reset, and needs real time',
    networked({ time: 'real', rtt: 2, leaks: 'fail' }, async (t) => {
      const tunnel = await t.tunnel({ port: 1 });
      const client = net.connect(tunnel.port, '127.0.0.1');
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
        client.on('error', resolve);
      });
      expect(error.code).toBe('ECONNRESET');
      await expect(testNet().tunnel({ port: 1 })).rejects.toThrow("time: 'real'");
    }),
  );
});
